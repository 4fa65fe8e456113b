"""The Swift dialect: ``/v1/AUTH_<uuid>``, ``/info``, ``/auth/v1.0``."""
