"""The Pithos dialect: ``/object-store/v1/<uuid>``."""
