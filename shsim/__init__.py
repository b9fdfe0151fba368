"""Sympson-Hetter exposure control for computerized adaptive tests."""

__version__ = "0.1.0"
