"""A compiled step that is ready to run: its inputs, its outputs, and when it may be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from retrograd.arrays import Array
from retrograd.compiler.arguments import Layout
from retrograd.compiler.interrupts import CtrlCWaits
from retrograd.compiler.joined import Joined
from retrograd.compiler.pack import Pack
from retrograd.compiler.trace import Guard
from retrograd.compiler.watched import Watched
from retrograd.variable import Held, Variable, exchange

__all__ = ["Executable", "Interface", "OneByOne"]


class Interface(NamedTuple):
    """The Variables that a program reads and writes."""

    written: Sequence[Variable] = ()
    kept: Sequence[Variable] = ()
    grads_in: Sequence[Variable] = ()
    grads_out: Sequence[Variable] = ()
    grads_cleared: Sequence[Variable] = ()


class Executable(NamedTuple):
    """One compiled step: its inputs, its outputs, and when it may be used."""

    run: Callable[..., Any]
    pack: Pack
    loose: list[Variable]  # written, and not in the pack
    interface: Interface
    guards: list[Guard]
    watched: Watched
    result: Layout
    recorded: bool  # traced where operations are recorded
    joined: Joined | None = None  # how its results are linked to Parameters

    def advance(self, arguments: list[Array]) -> list[Array]:
        """Run once: update the Variables, and return the results."""
        _, kept, grads_in, grads_out, grads_cleared = self.interface
        # The call consumes the old arrays; a Ctrl-C before the new ones are in place would lose the
        # weights.
        outputs: Any = None
        try:
            with CtrlCWaits(), exchange:
                outputs = self.run(
                    self.pack.load(),
                    [variable.to_donate() for variable in self.loose],
                    [variable.to_read() for variable in kept],
                    [variable.grad_to_read() for variable in grads_in],
                    arguments,
                )
                returned, packed, new, grads = outputs
                self.pack.store(packed)
                for variable, array in zip(self.loose, new, strict=True):
                    variable.hold(array)
                for variable, array in zip(grads_out, grads, strict=True):
                    variable.grad = Held.of(array)
                for variable in grads_cleared:
                    variable.grad = None
        except KeyboardInterrupt:
            # So that the interpreter does not end while XLA computes; see `_compile`.
            import jax

            jax.block_until_ready(outputs)  # type: ignore[no-untyped-call]  # JAX leaves it untyped
            raise
        results: list[Array] = returned
        return results


class OneByOne(NamedTuple):
    """Replaces an executable for `over`: the steps run one call after another."""

    guards: list[Guard]
    watched: Watched
    interface: Interface  # of a step
    recorded: bool = True
