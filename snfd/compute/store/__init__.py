"""SQL of servers and what hangs on them; functions over a transaction."""
