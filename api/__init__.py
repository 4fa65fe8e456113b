"""HTTP in front of the services: one package per dialect."""
