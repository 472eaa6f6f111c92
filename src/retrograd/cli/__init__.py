"""The `retrograd` command."""

from retrograd.cli.app import main

__all__ = ["main"]
