"""Runs a step as one XLA program; tracing finds the state that it reads and writes."""

from retrograd.compiler.compiled import Compiled, compile
from retrograd.compiler.interrupts import CtrlCWaits

__all__ = ["Compiled", "CtrlCWaits", "compile"]
