"""Sphinx's configuration."""

project = "snfd"
author = "the snfd developers"
extensions: list[str] = []
html_theme = "alabaster"
html_theme_options = {"description": "A whole cloud in one process"}
exclude_patterns = ["_build"]
