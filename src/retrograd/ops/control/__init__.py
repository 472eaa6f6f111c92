"""Loops and branches: eagerly Python's, in a compiled step XLA's."""
