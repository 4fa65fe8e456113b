"""The lives of accounts: opened, verified, accepted, suspended, closed."""
