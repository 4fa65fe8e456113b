"""Everything between the database and Ganeti's remote API (RAPI)."""
