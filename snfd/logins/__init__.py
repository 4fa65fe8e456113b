"""Logging in with a browser: sessions, login methods, hand-offs to programs."""
