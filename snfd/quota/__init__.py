"""What may be used and what is used, per member and per project."""
