"""A step as one XLA program: traced once, its state found by running it."""

from retrograd.compiler.compiled import Compiled, compile

__all__ = ["Compiled", "compile"]
