"""Object storage over HTTP: what the Pithos and Swift dialects share."""
