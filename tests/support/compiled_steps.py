"""What the tests of `@rg.compile` share: a small training step, and counting what is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import numpy as np

import retrograd as rg


class Training:
    """A network with momentum and dropout, by hand: Parameters, Slots and random numbers."""

    def __init__(self, dtype: str = "float32", width: int = 5) -> None:
        rng = np.random.default_rng(0)
        shapes = [(width, 3), (width,), (1, width), (1,)]
        self.parameters = [rg.Parameter(rng.normal(size=s).astype(dtype)) for s in shapes]
        self.momenta = [rg.Slot(np.zeros(s, dtype)) for s in shapes]
        self.count = rg.Slot(np.zeros((), np.int64))
        self.variables = [*self.parameters, *self.momenta, self.count]
        self.dtype = dtype

    def batch(self, rows: int = 8, seed: int = 0) -> tuple[rg.Tensor, rg.Tensor]:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(rows, 3)).astype(self.dtype)
        return rg.Tensor(x), rg.Tensor(x.sum(1, keepdims=True))

    def loss(self, x, y):
        w1, b1, w2, b2 = self.parameters
        hidden = rg.relu(rg.linear(x, w1, b1))
        hidden = hidden * rg.random.bernoulli(0.8, hidden.shape, self.dtype) / 0.8
        return rg.mean((rg.linear(hidden, w2, b2) - y) ** 2)

    def step(self, x, y, lr=0.1):
        for parameter in self.parameters:
            parameter.grad = None
        loss = self.loss(x, y)
        loss.backward()
        with rg.no_grad():
            for parameter, momentum in zip(self.parameters, self.momenta, strict=True):
                momentum.data = (momentum * 0.9 + parameter.grad).data
                parameter.data = (parameter - lr * momentum).data
        self.count.data = self.count.data + 1
        return loss

    def state(self) -> list[np.ndarray]:
        """Copies of all that the step reads and writes, the random stream included."""
        return [np.array(v.data) for v in [*self.variables, rg.random.default_key]]


def assert_equal_states(found, expected, rtol: float) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol)


def programs(step) -> int:
    return sum(len(each) for each in step.programs.values())


@contextmanager
def counting_compilations() -> Iterator[list[str]]:
    """What XLA compiles within the block, one entry each."""
    found: list[str] = []

    def listen(event: str, duration: float, **_: object) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield found
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def aligned(values) -> np.ndarray:
    """`values` at an address that is a multiple of 64, whose memory XLA may use without a copy."""
    values = np.asarray(values)
    room = np.zeros(values.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    array = room[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    assert array.ctypes.data % 64 == 0
    return array
