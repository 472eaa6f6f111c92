"""One case of a module run through ours and PyTorch's: outputs, gradients and the state after."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from opinfo.database import flat_tensors, numpy_dtype

import retrograd as rg
from retrograd import nn
from retrograd.tensor import Tensor
from torchdb.database import Call, ModuleCase
from torchdb.missing import without_unused

__all__ = ["Outcome", "build", "converted", "run"]

Array = np.ndarray[Any, Any]

# Relative to the largest element of each array: float64 eager, then float32 compiled.
EAGER = 1e-10
COMPILED = 1e-4
CHUNK = 12  # modules in one XLA program: a program has a cost of its own


class Outcome(NamedTuple):
    """What running the cases of one class gave."""

    run: int  # cases run eagerly, in float64
    compiled: int  # of which also compiled, in float32
    skipped: dict[str, int]  # why, and how many
    failures: list[str]


class Answer(NamedTuple):
    """What PyTorch computes, in float64."""

    state: dict[str, torch.Tensor]  # the parameters and buffers before
    weights: list[Array | None]  # the cotangent of each output that has a gradient
    outputs: list[Array]
    slopes: list[Array]  # of each input that requires one, then of each parameter
    after: dict[str, Array]


def run(
    name: str,
    cases: Sequence[ModuleCase],
    skip: Callable[[ModuleCase], str | None],
    compiled_limit: int | None = None,
) -> Outcome:
    """Run the cases of the class `name`, of which at most a limit, evenly spread, are compiled."""
    skipped: dict[str, int] = {}
    chosen = []
    for number, case in enumerate(cases):
        if reason := skip(case):
            skipped[reason] = skipped.get(reason, 0) + 1
        else:
            chosen.append((number, case, _theirs(name, case)))
    failures: dict[int, str] = {}
    for number, case, answer in chosen:
        try:
            _check_eager(name, case, answer)
        except Exception as error:  # whatever it is, it is this sample's failure, reported by name
            failures[number] = f"case {number}, eager float64: {type(error).__name__}: {error}"
    some = [each for each in chosen if each[0] not in failures]
    if compiled_limit is not None and len(some) > compiled_limit:
        some = [some[i * len(some) // compiled_limit] for i in range(compiled_limit)]
    for start in range(0, len(some), CHUNK):
        for number, message in _check_compiled(name, some[start : start + CHUNK]):
            failures.setdefault(number, f"case {number}, compiled float32: {message}")
    return Outcome(len(chosen), len(some), skipped, list(failures.values()))


def build(name: str, construct: Call, library: Any) -> Any:
    """The class `name` of our `nn` or of PyTorch's from the same arguments."""
    given: Any = tuple(construct)
    if library is nn:
        given = converted(given, lambda tensor: Tensor(tensor.detach().numpy()))
        given = (given[0], without_unused(name, given[1]))
    else:
        given = copy.deepcopy(given)
    args, kwargs = given
    return getattr(library, name)(*args, **kwargs)


def _theirs(name: str, case: ModuleCase) -> Answer:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = build(name, case.construct, torch.nn).double()
        _stir(module)
        module.train(case.training)
        state = copy.deepcopy(module.state_dict())
        outputs = flat_tensors(module(*case.forward.args, **case.forward.kwargs))
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.5, 1.5, out.shape) if out.requires_grad else None for out in outputs]
    pairs = [(out, w) for out, w in zip(outputs, weights, strict=True) if w is not None]
    leaves = [tensor for tensor in flat_tensors(tuple(case.forward)) if tensor.requires_grad]
    points = [*leaves, *module.parameters()]
    slopes = torch.autograd.grad(
        [out for out, _ in pairs],
        points,
        [torch.tensor(w) for _, w in pairs],
        allow_unused=True,
    )
    return Answer(
        state,
        weights,
        [out.detach().numpy() for out in outputs],
        [
            np.zeros(tuple(point.shape)) if slope is None else slope.numpy()
            for slope, point in zip(slopes, points, strict=True)
        ],
        {key: value.numpy() for key, value in module.state_dict().items()},
    )


def _stir(module: Any) -> None:
    """Parameters and running statistics away from 0 and 1, where mistakes would not show."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)


def _ours(name: str, case: ModuleCase, answer: Answer, dtype: Any) -> Any:
    module = build(name, case.construct, nn).to(dtype)
    module.load_state_dict(answer.state)
    return module.train(case.training)


def _check_eager(name: str, case: ModuleCase, answer: Answer) -> None:
    module = _ours(name, case, answer, np.float64)
    outputs, slopes = _evaluate(module, case, answer, np.float64, lambda array: array)
    _compare("output", [out.numpy() for out in outputs], answer.outputs, EAGER)
    _compare("gradient", [slope.numpy() for slope in slopes], answer.slopes, EAGER)
    state = module.state_dict()
    assert list(state) == list(answer.after), f"state_dict has {list(state)}"
    _compare("state after", list(state.values()), list(answer.after.values()), EAGER)


def _check_compiled(
    name: str, numbered: Sequence[tuple[int, ModuleCase, Answer]]
) -> list[tuple[int, str]]:
    """Several cases in one program; each by itself if the program could not be made."""
    modules = [_ours(name, case, answer, np.float32) for _, case, answer in numbered]
    given = []
    for _, case, answer in numbered:
        tensors = flat_tensors(tuple(case.forward))
        arrays = [_single(tensor.detach().numpy()) for tensor in tensors]
        given.append([*arrays, *(_single(w) for w in answer.weights if w is not None)])

    def step(groups: list[list[Array]]) -> list[Any]:
        results = []
        for module, (_, case, answer), group in zip(modules, numbered, groups, strict=True):
            traced = iter(group)
            results.append(
                _evaluate(module, case, answer, np.float32, lambda _, traced=traced: next(traced))
            )
        return results

    try:
        results = rg.compile(step)(given)
    except Exception as error:  # likewise; one by one, to find which of them it is
        if len(numbered) == 1:
            return [(numbered[0][0], f"{type(error).__name__}: {error}")]
        return [message for each in numbered for message in _check_compiled(name, [each])]
    failures = []
    for module, (number, _, answer), (outputs, slopes) in zip(
        modules, numbered, results, strict=True
    ):
        try:
            _compare("output", [out.numpy() for out in outputs], answer.outputs, COMPILED)
            _compare("gradient", [slope.numpy() for slope in slopes], answer.slopes, COMPILED)
            state = list(module.state_dict().values())
            _compare("state after", state, list(answer.after.values()), COMPILED)
        except AssertionError as error:
            failures.append((number, str(error)))
    return failures


def _evaluate(
    module: Any, case: ModuleCase, answer: Answer, dtype: Any, pick: Callable[[Array], Any]
) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs, and the gradients of the inputs and the parameters."""
    leaves: list[Tensor] = []

    def tensor(given: torch.Tensor) -> Tensor:
        array = given.detach().numpy()
        array = array.astype(dtype) if array.dtype == np.float64 else array
        leaf = Tensor(pick(array), requires_grad=given.requires_grad)
        if given.requires_grad:
            leaves.append(leaf)
        return leaf

    module.zero_grad()
    args, kwargs = converted(tuple(case.forward), tensor)
    outputs = _flat(module(*args, **kwargs))
    pairs = zip(outputs, answer.weights, strict=True)
    terms = [(out * Tensor(pick(w.astype(dtype)))).sum() for out, w in pairs if w is not None]
    sum(terms[1:], terms[0]).backward()
    points = [*leaves, *module.parameters()]
    return outputs, [
        Tensor(np.zeros(point.shape, dtype)) if point.grad is None else point.grad
        for point in points
    ]


def converted(value: Any, tensor: Callable[[torch.Tensor], Tensor]) -> Any:
    """PyTorch's tensors, dtypes, functions and layers inside `value` as ours."""
    if isinstance(value, torch.Tensor):
        return tensor(value)
    if isinstance(value, torch.dtype):
        return numpy_dtype(value)
    if isinstance(value, torch.nn.TransformerEncoderLayer):
        return _encoder_layer(value)
    if isinstance(value, list | tuple):
        return type(value)(converted(each, tensor) for each in value)
    if isinstance(value, dict):
        return {name: converted(each, tensor) for name, each in value.items()}
    if callable(value) and not isinstance(value, type):
        return getattr(nn.functional, value.__name__)
    return value


def _encoder_layer(theirs: torch.nn.TransformerEncoderLayer) -> Any:
    """Ours from the same arguments, which the layer no longer holds as such."""
    return nn.TransformerEncoderLayer(
        theirs.self_attn.embed_dim,
        theirs.self_attn.num_heads,
        dim_feedforward=theirs.linear1.out_features,
        dropout=theirs.dropout.p,
        activation=converted(theirs.activation, _no_tensor),
        layer_norm_eps=theirs.norm1.eps,
        batch_first=theirs.self_attn.batch_first,
        norm_first=theirs.norm_first,
        bias=theirs.linear1.bias is not None,
    )


def _no_tensor(given: torch.Tensor) -> Tensor:
    raise TypeError(f"a tensor of shape {tuple(given.shape)} where none was expected")


def _flat(value: Any) -> list[Tensor]:
    if isinstance(value, list | tuple):
        return [tensor for each in value for tensor in _flat(each)]
    return [] if value is None else [value]


def _single(array: Array) -> Array:
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _compare(what: str, ours: list[Array], theirs: list[Array], allowed: float) -> None:
    assert len(ours) == len(theirs), f"{what}: {len(ours)} arrays, expected {len(theirs)}"
    for position, (mine, right) in enumerate(zip(ours, theirs, strict=True)):
        name = f"{what} {position}"
        assert mine.shape == right.shape, f"{name}: shape {mine.shape}, expected {right.shape}"
        assert mine.dtype.kind == right.dtype.kind, f"{name}: {mine.dtype} for {right.dtype}"
        finite = np.abs(right[np.isfinite(right)])
        scale = max(1.0, float(finite.max())) if finite.size else 1.0
        np.testing.assert_allclose(mine, right, rtol=allowed, atol=allowed * scale, err_msg=name)
