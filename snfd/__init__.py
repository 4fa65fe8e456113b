"""A whole cloud in one process, on Ganeti, PostgreSQL and RADOS."""
