"""The one way to PostgreSQL: transactions, schema, sessions, a server of our own."""
