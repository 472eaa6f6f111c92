"""The tables that ship with the package; SOURCE.txt beside them says where each is from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

__all__ = ["sacramento_homes"]


def sacramento_homes() -> Path:
    """Path of the CSV of 932 house sales: size, rooms, type, location, and `price` in dollars."""
    return Path(str(resources.files(__name__).joinpath("sacramento_homes.csv")))
