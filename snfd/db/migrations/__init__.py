"""Migration files ``NNNN_name.sql``; see `snfd.db.schema` for their rules."""
