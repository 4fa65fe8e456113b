"""The OS definition ``snfd`` of Ganeti nodes: Python's standard library only."""


class Failure(Exception):
    """The server cannot be made; its owner is told the text, which has no secrets."""


class Trouble(Exception):
    """Something that the owner should know, and that the server may work without."""
