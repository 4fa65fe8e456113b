"""Looking after a cloud: who may, what they see, and their command line."""
