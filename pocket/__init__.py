"""A cluster of one node that speaks Ganeti's RAPI, for demos and tests."""
