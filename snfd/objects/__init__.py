"""Object storage: accounts, containers, objects and their versions."""
