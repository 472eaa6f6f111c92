"""Where numbers are. There is one device at a time: the one that JAX compiles for.

Eager work runs on the CPU, compiled steps on JAX's device (`JAX_PLATFORMS`, or the command's
`--device`), and arrays follow by themselves. So code that moves tensors by hand may say where they
are, and is refused where it asks for another place.
"""

from __future__ import annotations

from typing import Any

from retrograd.arrays import Array, is_jax, is_traced

__all__ = ["Device", "at", "check"]


class Device:
    """A place by name, as `rg.device("cpu")`: its `type`, and the `index` of several."""

    __slots__ = ("index", "type")

    def __init__(self, type: str | Device, index: int | None = None) -> None:
        name, _, number = str(type).partition(":")
        self.type: str = name
        self.index: int | None = int(number) if number else index

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r})"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, str | Device) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))


def at(array: Array) -> Device:
    """Where an array is; a traced one is where its step will run."""
    if not is_jax(array):
        return Device("cpu")
    import jax

    platform = jax.default_backend() if is_traced(array) else next(iter(array.devices())).platform
    return Device("cuda" if platform == "gpu" else platform)


def check(device: Any) -> None:
    """Raise ValueError for a device that is not there; None is the one there is."""
    if device is None or (wanted := Device(device)).type == "cpu":
        return
    import jax

    there = "cuda" if jax.default_backend() == "gpu" else jax.default_backend()
    if wanted.type != there:
        raise ValueError(
            f"there is no device {wanted} here: JAX computes on {there}. Leave the device out; "
            "compiled steps run where JAX does (JAX_PLATFORMS chooses), and arrays follow by "
            "themselves"
        )
