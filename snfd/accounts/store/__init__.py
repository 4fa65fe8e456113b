"""SQL of accounts (schema ``identity``)."""
