"""`@compile`: traces a step once and runs it as one XLA program.

The first call with new shapes runs the function on tracers. While it runs, every Variable that it
reads or writes reports to the `Trace`, so the program's inputs and outputs are found by running it:

    Variables read    -> inputs        Variables written -> outputs, their old buffers donated
    .grad read        -> inputs        .grad left behind -> outputs
    arguments         -> inputs        what it returns   -> outputs

Python values that the trace reads and that may change become guards: a call for which one fails is
retraced, and both programs are kept. They are those that report to the Trace (a module's training
mode), and the values around the function that its code names; see `Watched`. Results that depend on
Parameters, of a function that is no step, join the graph; see `Joined`.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import MethodType
from typing import Any

import numpy as np

from retrograd.arrays import Array, state
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.tape import Node, no_grad
from retrograd.compiler.arguments import Layout, flatten, objects_in, rebuild
from retrograd.compiler.executable import Executable, Interface, OneByOne
from retrograd.compiler.interrupts import CtrlCWaits
from retrograd.compiler.joined import Joined, nodes_of, outside
from retrograd.compiler.loops import loops_well
from retrograd.compiler.pack import Pack, choose
from retrograd.compiler.refusals import refuse_number
from retrograd.compiler.trace import Trace, tracing
from retrograd.compiler.watched import Watched
from retrograd.errors import TraceError
from retrograd.tensor import Tensor
from retrograd.variable import Held, Variable, exchange

__all__ = ["Compiled", "compile"]


# The first trace finds most Variables and the second all; after that a sane step does not change.
_TRACES = 10

# The programs that are kept of those traced for other values around the function.
_PROGRAMS = 16

_NOTHING = Interface()
_nothing = nullcontext()


class Compiled:
    """A function run as one XLA program for each set of argument shapes; see `compile`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.programs: dict[Any, list[Executable | OneByOne]] = {}
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(args, kwargs, over=False)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """A compiled function in a class is a method: its instance belongs to the program."""
        return self if instance is None else MethodType(self, instance)

    def over(self, *args: Any, **kwargs: Any) -> Any:
        """Run the step once for each element of the arguments' leading axis.

        The Variables carry over from step to step; the step's results are stacked. The gradients of
        the last step are dropped. All arguments must have the same leading size. The steps run as a
        loop in one XLA program, unless that would be slower; see `loops_well`.
        """
        return self._call(args, kwargs, over=True)

    def prepare_over(self, *args: Any) -> None:
        """Compile what `over` would run for such arguments, and change nothing."""
        arrays: list[Array] = []
        layout = flatten(args, arrays)
        if self._find((layout, True)) is None:
            self._compiled(layout, False, arrays, True, _NOTHING)

    def _call(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        over: bool,
        known: Interface = _NOTHING,
    ) -> Any:
        if state.trace is not None:  # a step within a step is part of the outer one
            if over:
                raise TraceError("over() cannot be called inside another compiled step")
            return self.function(*args, **kwargs)
        if hooks.eager and not over:
            return self.function(*args, **kwargs)
        arrays: list[Array] = []
        layout = flatten((args, kwargs) if kwargs else args, arrays)
        found = program = self._find((layout, over))
        import jax

        # 64-bit types are enabled, so that both engines compute with the same dtypes.
        with jax.enable_x64(True):
            if program is None:
                program = self._compiled(layout, bool(kwargs), arrays, over, known)
            if isinstance(program, OneByOne):
                return self._one_by_one(layout, bool(kwargs), arrays, program.interface)
            joined = program.joined if state.recording else None
            try:
                with exchange if joined is not None else _nothing:
                    values = joined.values() if joined is not None else []
                    returned = program.advance(arrays)
            except TypeError:
                if found is None:
                    raise
                # A Variable has changed its shape or dtype since this program was traced.
                self.programs[layout, over].remove(program)
                return self._call(args, kwargs, over)
        if hooks.active:
            hooks.tell("ran", len(arrays[0]) if over else 1)
        if joined is None:
            return rebuild(program.result, iter(returned), Held.of, _outward)
        tensors = [Held.of(array) for array in returned]
        joined.link(tensors, values, arrays)
        return rebuild(
            program.result, iter(tensors), lambda tensor: tensor, lambda tensor: tensor.data
        )

    def _compiled(
        self, layout: Layout, keywords: bool, arrays: list[Array], over: bool, known: Interface
    ) -> Executable | OneByOne:
        """A new program for such arguments, to be found from now on."""
        import jax

        with jax.enable_x64(True):
            program = self._compile(layout, keywords, arrays, over, known)
        self._keep((layout, over), program)
        return program

    def _one_by_one(
        self, layout: Layout, keywords: bool, arrays: list[Array], known: Interface
    ) -> Any:
        """`over`, as one call after another; `known` is what one step reads and writes."""
        arrays = [np.asarray(array) for array in arrays]
        columns: list[list[Array]] = []
        for number in range(len(arrays[0])):
            step = (array[number, ...] for array in arrays)
            inputs = rebuild(layout, step, lambda array: Tensor._wrap(array, None))
            args, kwargs = inputs if keywords else (inputs, {})
            result = self._call(args, kwargs, over=False, known=known)
            returned: list[Array] = []
            with no_grad():
                shape = flatten(result, returned)
            columns.append(returned)
            for variable in known.grads_cleared:
                variable.grad = None
        stacked = [np.stack(each) for each in zip(*columns, strict=True)]
        return rebuild(shape, iter(stacked), lambda array: Tensor._wrap(array, None))

    def _find(self, key: Any) -> Executable | OneByOne | None:
        """The program for these shapes whose guards hold."""
        for program in self.programs.get(key, ()):
            if state.recording and not program.recorded:
                continue
            for owner, attribute, value in program.guards:
                if getattr(owner, attribute) != value:
                    break
            else:
                if program.watched.changed() is None:
                    return program
        return None

    def _keep(self, key: Any, program: Executable | OneByOne) -> None:
        """Keep a program, and of those for one key only the latest; say why there are so many."""
        kept = self.programs.setdefault(key, [])
        kept.append(program)
        names = [name for each in kept[:-1] if (name := each.watched.changed())]
        if len(names) >= _PROGRAMS:
            del kept[: -_PROGRAMS // 2]
            name = getattr(self.function, "__name__", "the step")
            warnings.warn(
                f"{name} was compiled {_PROGRAMS} times because {names[-1]!r} has changed, which "
                "it reads from around it: pass it as an argument, or keep it in a Variable",
                stacklevel=4,
            )

    def _pack(self, variables: list[Variable]) -> Pack:
        """A pack of `variables`; the programs of one function take turns with one pack."""
        wanted = set(map(id, variables))
        for program in itertools.chain.from_iterable(self.programs.values()):
            if isinstance(program, OneByOne):
                continue
            if wanted and set(map(id, program.pack.variables)) == wanted:
                return program.pack
        return Pack(variables)

    def _compile(
        self, layout: Layout, keywords: bool, arrays: list[Array], over: bool, known: Interface
    ) -> Executable | OneByOne:
        """Trace until everything that the step reads is an input, then compile.

        `known` is what the step is known to read and write. Steps that a loop would slow down are
        not compiled here; the first trace tells.
        """
        import jax

        found: list[tuple[Trace, Layout, list[Node | None]]] = []

        def run(arguments: Any) -> Any:
            inputs = rebuild(layout, iter(arguments), lambda array: Tensor._wrap(array, None))
            args, kwargs = inputs if keywords else (inputs, {})
            return self.function(*args, **kwargs)

        def step(
            interface: Interface, written: Any, kept: Any, grads: Any, arguments: Any
        ) -> tuple[list[Array], list[Array], list[Array]]:
            variables = [*interface.written, *interface.kept]
            trace = Trace(
                dict(zip(variables, [*written, *kept], strict=True)),
                dict(zip(interface.grads_in, grads, strict=True)),
                looped=over,
            )
            trace.watched = Watched(self.function, objects_in(layout))
            with tracing(trace):
                returned: list[Array] = []
                value = run(arguments)
                result = flatten(value, returned)
                nodes = nodes_of(value) if state.recording and not over else []
            trace.watched.settle()
            found.append((trace, result, nodes))
            return (
                returned,
                [trace.arrays[variable] for variable in interface.written],
                [_raw(trace.grads[variable]) for variable in interface.grads_out],
            )

        def trace_with(interface: Interface) -> tuple[Any, Pack, list[Variable]]:
            def one(packed: Array, loose: Any, kept: Any, grads: Any, arguments: Any) -> Any:
                returned, new, grads = step(
                    interface, [*pack.split(packed), *loose], kept, grads, arguments
                )
                together, apart = new[: len(pack.variables)], new[len(pack.variables) :]
                return returned, pack.join(jax.numpy, together), apart, grads

            def many(packed: Array, loose: Any, kept: Any, grads: Any, arguments: Any) -> Any:
                def body(carry: Any, each: Any) -> Any:
                    returned, new, _ = step(interface, carry, kept, grads, each)
                    return new, returned

                new, returned = jax.lax.scan(body, loose, arguments)
                return returned, packed, new, []

            # One call's worth of `over` is long enough for its buffers to cost nothing.
            packs = not over and jax.default_backend() == "cpu"
            pack = self._pack(choose(interface.written) if packs else [])
            together = set(map(id, pack.variables))
            loose = [variable for variable in interface.written if id(variable) not in together]
            interface = interface._replace(written=[*pack.variables, *loose])
            with exchange:
                given = (
                    pack.load(),
                    [variable.to_donate() for variable in loose],
                    [variable.to_read() for variable in interface.kept],
                    [variable.grad_to_read() for variable in interface.grads_in],
                )
            traced = jax.jit(many if over else one, donate_argnums=(0, 1)).trace(*given, arrays)
            return traced, pack, loose

        interface = known
        for _ in range(_TRACES):
            with _refusals_explained():
                traced, pack, loose = trace_with(interface)
            trace, result, nodes = found[-1]
            before, interface = interface, _interface(trace, over)
            if over and len(arrays[0]) and not loops_well(traced.jaxpr):
                return OneByOne(list(trace.guards.values()), trace.watched, interface)
            if _same(before, interface):
                break
        else:
            name = getattr(self.function, "__name__", "the step")
            raise TraceError(
                f"{name} reads or writes different Variables each time it runs, so no single "
                "program can replace it: pass what it counts or toggles in Python as an argument, "
                "or keep it in a Variable"
            )
        lowered = traced.lower()
        # An interpreter that ends while XLA compiles or computes ends with a segmentation fault.
        with CtrlCWaits():
            program = lowered.compile()
        edges = outside(trace, nodes)
        variables = [*interface.kept, *interface.written]
        return Executable(
            program,
            pack,
            loose,
            interface,
            list(trace.guards.values()),
            trace.watched,
            result,
            state.recording,
            Joined(run, variables, nodes, edges) if edges else None,
        )


def _interface(trace: Trace, over: bool) -> Interface:
    """What a trace has met. Gradients that cannot be read again are not returned."""
    accumulated = [
        grad
        for variable, grad in trace.grads.items()
        if grad is not None and (id(variable), "has_grad") in trace.guards
    ]
    if over and accumulated:
        raise TraceError(
            "over() runs steps that start without gradients: call zero_grad() before backward()"
        )
    left = []
    for variable in trace.grads_written:
        # A step that clears the gradient before reading it, and whose optimizer consumes it.
        spent = variable in trace.grads_spent and (id(variable), "has_grad") not in trace.guards
        if trace.grads[variable] is not None and not over and not spent:
            left.append(variable)
    return Interface(
        written=list(trace.written),
        kept=[variable for variable in trace.arrays if variable not in trace.written],
        grads_in=list(trace.grads_read),
        grads_out=left,
        grads_cleared=[v for v in trace.grads_written if all(v is not other for other in left)],
    )


def _same(before: Interface, after: Interface) -> bool:
    """Whether a trace met what it was given, Variable for Variable."""
    return all(
        set(map(id, old)) == set(map(id, new)) for old, new in zip(before, after, strict=True)
    )


def _outward(array: Array) -> Array:
    """An array that the step returned as a raw array: on a CPU, a NumPy one."""
    return Held.of(array).data


def _raw(value: Any) -> Array:
    return value.data if isinstance(value, Tensor) else value


@contextmanager
def _refusals_explained() -> Iterator[None]:
    """Turn JAX's errors about Python numbers (on raw arrays) into ours."""
    import jax.errors

    try:
        yield
    except (
        jax.errors.ConcretizationTypeError,
        jax.errors.NonConcreteBooleanIndexError,
        jax.errors.TracerArrayConversionError,
        jax.errors.TracerIntegerConversionError,
    ) as error:
        refuse_number("this line", None, error.__traceback__)


def compile(function: Callable[..., Any]) -> Compiled:
    """Run `function` as one XLA program, compiled once for each set of argument shapes.

        @rg.compile
        def step(x, y):
            optimizer.zero_grad()
            loss = nn.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

    The function may read and write any Variable (parameters, buffers, optimizer state, the random
    stream, `.grad`) without listing it. Arguments and results are tensors, arrays, numbers, and
    nested lists, tuples and dicts of them. After a call, every Variable holds what the same
    function run eagerly would have left; after a trace that failed, what it held before. There is
    one difference: gradients that the step itself clears before `backward()` and that an optimizer
    consumes are not returned (six output arrays cost a small step a fifth of its time), and `.grad`
    is None afterwards; return what you want to see. What the function does in Python happens once,
    during tracing; where a Python value that it reads has changed (an attribute of a module, a
    variable around it), a call is traced anew.

    A function that is no step, such as `rg.compile(model)`, may be a part of one: its results are
    linked to the Parameters that it reads, and their backward pass is compiled as well. A gradient
    of their gradient raises NotImplementedError.

    Raises TraceError, naming the line, if the function needs a Python number from a traced tensor.
    Without `@compile` the same function runs step by step on NumPy.
    """
    return Compiled(function)
