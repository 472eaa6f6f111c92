"""One sample run through our operation, eagerly in float64 and compiled in float32."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

import retrograd as rg
from opinfo.database import Answer, Sample, numpy_dtype, samples, theirs
from retrograd.autodiff.tape import backpropagate
from retrograd.tensor import Tensor

__all__ = ["Case", "Outcome", "run"]

Array = np.ndarray[Any, Any]

# Relative to the largest element of each array compared: float64 eager, then float32 compiled.
EAGER = 1e-9
EAGER_SECOND = 1e-7
COMPILED = 1e-4
CHUNK = 12  # samples in one XLA program: a program has a cost of its own


class Case(NamedTuple):
    """How an entry of the database is called here."""

    function: Callable[..., Any]
    ours: str  # as the table shows it
    skip: Callable[[Sample], str | None] = lambda sample: None  # why a sample is left out
    process: Callable[[Any], Any] | None = None  # in place of the sample's own
    theirs: Callable[[Any], Any] | None = None  # what of PyTorch's result is compared
    wrapped: bool = False  # as its own gradient checks call it: on a triangle, or made symmetric
    nan_there: str = ""  # why PyTorch's gradient is NaN where ours is a number
    eager_only: str = ""  # why it cannot be compiled
    order: int = 2  # 1 where PyTorch says it has a second one and has not
    static: bool = False  # integers and masks are constants of the compiled step
    tolerance: float = 1.0  # times the usual one, with `because`
    because: str = ""


class Outcome(NamedTuple):
    """What running an entry's samples gave."""

    run: int  # samples run eagerly, in float64
    compiled: int  # of which also compiled, in float32
    passed: int  # of which every number agreed
    skipped: Counter[str]
    failures: list[str]


def run(
    op: Any, case: Case, eager_limit: int | None = None, compiled_limit: int | None = None
) -> Outcome:
    """Run the samples of `op` (evenly spread ones, if there are more than a limit)."""
    skipped: Counter[str] = Counter()
    chosen: list[tuple[int, Sample]] = []
    for number, sample in enumerate(samples(op)):
        reason = case.skip(sample)
        if reason is None:
            chosen.append((number, sample))
        else:
            skipped[reason] += 1
    failures: dict[int, str] = {}
    chosen = _spread(chosen, eager_limit)
    answers: dict[int, Answer] = {}
    for number, sample in chosen:
        try:
            answer = theirs(op, sample, case.theirs, case.wrapped, case.order)
            answers[number] = answer
            _check_eager(case, sample, answer)
        except Exception as error:  # whatever it is, it is this sample's failure, reported by name
            failures[number] = f"sample {number}, eager float64: {type(error).__name__}: {error}"
    compiled: list[tuple[int, Sample]] = []
    if not case.eager_only:
        compiled = [pair for pair in _spread(chosen, compiled_limit) if pair[0] in answers]
        for start in range(0, len(compiled), CHUNK):
            for number, message in _check_compiled(case, compiled[start : start + CHUNK], answers):
                failures.setdefault(number, f"sample {number}, compiled float32: {message}")
    passed = len(chosen) - len(failures)
    return Outcome(len(chosen), len(compiled), passed, skipped, list(failures.values()))


def _spread(items: list[Any], limit: int | None) -> list[Any]:
    if limit is None or len(items) <= limit:
        return items
    return [items[i * len(items) // limit] for i in range(limit)]


def _check_eager(case: Case, sample: Sample, answer: Answer) -> None:
    leaves: list[Tensor] = []
    outputs = _call(case, sample, np.float64, leaves, lambda array: array)
    tight = EAGER * case.tolerance
    _compare("value", [out.data for out in outputs], answer.outputs, tight)
    cotangents = [None if w is None else Tensor(w, requires_grad=True) for w in answer.weights]
    order = 1 if answer.second is None else 2
    first = _pull(outputs, cotangents, leaves, create_graph=order == 2)
    _compare("gradient", _values(first, leaves), answer.first, tight)
    if answer.second is not None:
        with np.errstate(all="ignore"):
            total = [
                (g * w).sum() for g, w in zip(first, answer.slopes, strict=True) if g is not None
            ]
        points = [*leaves, *(c for c in cotangents if c is not None)]
        ones = [Tensor(np.ones(())) for _ in total]
        second = _pull(total, ones, points, create_graph=False)
        loose = EAGER_SECOND * case.tolerance
        mine = _values(second, points)
        if case.nan_there:
            mine = [np.where(np.isnan(b), b, a) for a, b in zip(mine, answer.second, strict=True)]
        _compare("second-order gradient", mine, answer.second, loose)


def _check_compiled(
    case: Case, numbered: Sequence[tuple[int, Sample]], answers: dict[int, Answer]
) -> list[tuple[int, str]]:
    """Several samples in one program; each by itself if the program could not be made."""
    inputs: list[list[Array]] = []
    for number, sample in numbered:
        mine = _arrays(sample[:3], np.float32)
        weights = [w.astype(np.float32) for w in answers[number].weights if w is not None]
        inputs.append([*mine, *weights])

    def step(groups: list[list[Array]]) -> list[Any]:
        return [
            _traced(case, sample, answers[number], group)
            for (number, sample), group in zip(numbered, groups, strict=True)
        ]

    try:
        results = rg.compile(step)(inputs)
    except Exception as error:  # likewise; one by one, to find which of them it is
        if len(numbered) == 1:
            return [(numbered[0][0], f"{type(error).__name__}: {error}")]
        return [message for pair in numbered for message in _check_compiled(case, [pair], answers)]
    failures = []
    for (number, _), (values, first) in zip(numbered, results, strict=True):
        try:
            allowed = COMPILED * case.tolerance
            _compare("value", [v.numpy() for v in values], answers[number].outputs, allowed, True)
            found = [g.numpy() for g in first]
            _compare("gradient", found, answers[number].first, allowed, True)
        except AssertionError as error:
            failures.append((number, str(error)))
    return failures


def _traced(case: Case, sample: Sample, answer: Answer, group: list[Array]) -> Any:
    """Value and gradient of one sample within a compiled step."""
    arrays = iter(group)

    def pick(array: Array) -> Array:
        traced = next(arrays)
        return array if case.static and array.dtype.kind != "f" else traced

    leaves: list[Tensor] = []
    outputs = _call(case, sample, np.float32, leaves, pick)
    cotangents = [None if w is None else Tensor(next(arrays)) for w in answer.weights]
    first = _pull(outputs, cotangents, leaves, create_graph=False)
    return list(outputs), [
        Tensor(np.zeros(x.shape, np.float32)) if g is None else g
        for g, x in zip(first, leaves, strict=True)
    ]


def _call(
    case: Case, sample: Sample, dtype: Any, leaves: list[Tensor], pick: Callable[..., Any]
) -> list[Tensor]:
    given, args, kwargs = _convert(sample[:3], dtype, leaves, pick)
    result = case.function(given, *args, **kwargs)
    return _flat((case.process or sample.process)(result))


def _arrays(value: Any, dtype: Any) -> list[Array]:
    """Every array inside `value`, in the order in which `_convert` meets them."""
    met: list[Array] = []

    def pick(array: Array) -> Array:
        met.append(array)
        return array

    _convert(value, dtype, [], pick)
    return met


def _convert(value: Any, dtype: Any, leaves: list[Tensor], pick: Callable[..., Any]) -> Any:
    """PyTorch's tensors as ours; those that require a gradient are added to `leaves`."""
    if isinstance(value, torch.Tensor):
        array = value.detach().numpy()
        array = array.astype(dtype) if array.dtype == np.float64 else array
        tensor = Tensor(pick(array), requires_grad=value.requires_grad)
        if value.requires_grad:
            leaves.append(tensor)
        return tensor
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, list | tuple):
        return type(value)(_convert(each, dtype, leaves, pick) for each in value)
    if isinstance(value, dict):
        return {name: _convert(each, dtype, leaves, pick) for name, each in value.items()}
    return numpy_dtype(value) if isinstance(value, torch.dtype) else value


def _flat(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for each in value for tensor in _flat(each)]
    raise AssertionError(f"an operation returned {type(value).__name__}")


def _pull(
    outputs: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    leaves: Sequence[Tensor],
    create_graph: bool,
) -> list[Tensor | None]:
    roots = [
        (out._node, cotangent)
        for out, cotangent in zip(outputs, cotangents, strict=True)
        if cotangent is not None and out._node is not None
    ]
    found = backpropagate(roots, create_graph=create_graph, retain_graph=create_graph)
    return [found.get(leaf._node) for leaf in leaves]


def _values(found: Sequence[Tensor | None], points: Sequence[Tensor]) -> list[Array]:
    return [
        np.zeros(point.shape) if each is None else each.data
        for each, point in zip(found, points, strict=True)
    ]


def _compare(
    what: str, ours: list[Array], expected: list[Array], allowed: float, single: bool = False
) -> None:
    assert len(ours) == len(expected), f"{what}: {len(ours)} arrays, expected {len(expected)}"
    for mine, right in zip(ours, expected, strict=True):
        assert mine.shape == right.shape, f"{what}: shape {mine.shape}, expected {right.shape}"
        if right.dtype.kind != "f":
            assert np.array_equal(mine, right), f"{what}: {mine!r}, expected {right!r}"
            continue
        assert mine.dtype.kind == "f", f"{what}: dtype {mine.dtype}, expected {right.dtype}"
        if not single:
            assert mine.dtype == right.dtype, f"{what}: dtype {mine.dtype}, expected {right.dtype}"
        # A sample may hold a float32 tensor: PyTorch then computes in float32 itself.
        exact = max(allowed, COMPILED) if right.dtype == np.float32 else allowed
        finite = np.abs(right[np.isfinite(right)])
        scale = max(1.0, float(finite.max())) if finite.size else 1.0
        with contextlib.suppress(AssertionError), np.errstate(all="ignore"):
            np.testing.assert_allclose(mine, right, rtol=exact, atol=exact * scale)
            continue
        with np.errstate(all="ignore"):
            off = np.abs(np.subtract(mine, right, dtype=np.float64))
        off = np.where(np.isnan(mine) & np.isnan(right) | (mine == right), 0, off)
        off = np.where(np.isnan(off), np.inf, off)
        index = tuple(int(i) for i in np.unravel_index(off.argmax(), off.shape))
        raise AssertionError(
            f"{what} of shape {right.shape} is {mine[index]!r} at {index}, expected "
            f"{right[index]!r} ({int((off > exact * scale).sum())} elements are off)"
        )
