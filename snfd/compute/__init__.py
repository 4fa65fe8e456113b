"""Servers: what users want, what clusters do, and how the two meet."""
