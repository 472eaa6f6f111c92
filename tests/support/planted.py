"""Programs in each of which one thing makes a NaN or an infinity, and what is to be found.

The batch has eight rows, of which 2 and 5 are the bad ones where a cause has rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import retrograd as rg
from retrograd import nn, optim

BAD = (2, 5)


class Cause(NamedTuple):
    """`run` is called for a step and its arguments; `code` is a part of the user's line."""

    name: str
    build: Callable[[], tuple[nn.Module, Callable[..., Any], tuple[Any, ...]]]
    kind: str
    operation: str
    layer: str
    code: str
    rows: tuple[int, ...]


class Formula(nn.Module):
    """A layer that computes `formula(x)`."""

    def __init__(self, formula: Callable[[Any], Any]) -> None:
        super().__init__()
        self.formula = formula

    def forward(self, x: Any) -> Any:
        return self.formula(x)


class Net(nn.Module):
    """A layer of the user's, `head`, behind a Linear that hands on what it gets."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.body = nn.Linear(3, 3)
        self.body.weight.data = np.eye(3, dtype=np.float32)
        self.body.bias.data = np.zeros(3, np.float32)
        self.head = head

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x))


def batch(bad: float, good: float = 0.5) -> np.ndarray:
    """Eight rows of `good` with `bad` in the middle column of two."""
    x = np.full((8, 3), good, np.float32)
    x[list(BAD), 1] = bad
    return x


def planted(formula: Callable[[Any], Any], x: np.ndarray, lr: float = 0.1) -> Any:
    """A step whose model is `formula` behind a Linear."""

    def build():
        return training(Net(Formula(formula)), x, lr)

    return build


def training(model: nn.Module, x: np.ndarray, lr: float = 0.1):
    optimizer = optim.SGD(model.parameters(), lr=lr)

    def step(x):
        optimizer.zero_grad()
        loss = model(x).mean()
        loss.backward()
        optimizer.step()
        return loss

    return model, step, (x,)


@rg.primitive
def doubled(xp, x):
    return 2 * x


doubled.pullbacks(x=lambda g: g * float("nan"))


def masked(x):
    nothing = rg.where(x > 5, x, float("-inf"))
    return rg.log_softmax(nothing, dim=1)


def norms(x):
    return rg.sqrt((x * x).sum(1))


def zeros_in_rows() -> np.ndarray:
    x = np.full((8, 3), 0.5, np.float32)
    x[list(BAD)] = 0
    return x


def scaled(x):
    spread = ((x - x.mean(0)) ** 2).mean(0)
    return (x - x.mean(0)) / rg.sqrt(spread)


def broken_weight():
    model = Net(Formula(lambda x: x * 2))
    weight = np.eye(3, dtype=np.float32)
    weight[0, 0] = np.nan
    model.body.weight.data = weight
    return training(model, batch(0.5))


CAUSES = [
    Cause("log of 0", planted(lambda x: rg.log(x), batch(0.0)), *("forward", "log", "head"),
          "rg.log(x)", BAD),
    Cause("0 / 0", planted(lambda x: x / x, batch(0.0)), *("forward", "divide", "head"),
          "x / x", BAD),
    Cause("1 / 0", planted(lambda x: 1 / x, batch(0.0)), *("forward", "divide", "head"),
          "1 / x", BAD),
    Cause("slope of sqrt at 0", planted(lambda x: rg.sqrt(x), batch(0.0)),
          *("backward", "sqrt", "head"), "rg.sqrt(x)", BAD),
    Cause("overflow of exp", planted(lambda x: rg.exp(x), batch(100.0)),
          *("forward", "exp", "head"), "rg.exp(x)", BAD),
    Cause("infinity in the data", planted(lambda x: x * 2, batch(np.inf)),
          *("data", "affine", "body"), "self.body(x)", BAD),
    Cause("NaN in the data", planted(lambda x: x * 2, batch(np.nan)),
          *("data", "affine", "body"), "self.body(x)", BAD),
    Cause("overflow of squares", planted(lambda x: x * x, batch(1e25)),
          *("forward", "multiply", "head"), "x * x", BAD),
    Cause("root of a negative power", planted(lambda x: x**1.5, batch(-1.0)),
          *("forward", "power", "head"), "x**1.5", BAD),
    Cause("acos beyond 1", planted(lambda x: rg.acos(x), batch(1.5)),
          *("forward", "acos", "head"), "rg.acos(x)", BAD),
    Cause("slope of acos at 1", planted(lambda x: rg.acos(x), batch(1.0)),
          *("backward", "acos", "head"), "rg.acos(x)", BAD),
    Cause("a column scaled by its spread of 0", planted(scaled, np.ones((8, 3), np.float32)),
          *("forward", "divide", "head"), "/ rg.sqrt(spread)", tuple(range(8))),
    Cause("all of a row masked", planted(masked, batch(0.5)),
          *("forward", "log_softmax", "head"), "rg.log_softmax(nothing", tuple(range(8))),
    Cause("learning rate", planted(lambda x: x * 50, batch(0.5), lr=3e38),
          *("update", "SGD", "body"), "optimizer.step()", ()),
    Cause("a rule that returns NaN", planted(lambda x: doubled(x), batch(0.5)),
          *("backward", "doubled", "head"), "doubled(x)", tuple(range(8))),
    Cause("slope of a norm at 0", planted(norms, zeros_in_rows()),
          *("backward", "sqrt", "head"), "rg.sqrt((x * x)", BAD),
    Cause("overflow of float16", planted(lambda x: x.astype("float16").astype("float32"),
          batch(1e6)), *("forward", "cast", "head"), 'x.astype("float16")', BAD),
    Cause("log1p of -1", planted(lambda x: rg.log1p(x), batch(-1.0)),
          *("forward", "log1p", "head"), "rg.log1p(x)", BAD),
    Cause("overflow of a sum", planted(lambda x: x.sum(1), batch(3e38, 1e38)),
          *("forward", "sum", "head"), "x.sum(1)", BAD),
    Cause("slope of a power at 0", planted(lambda x: x**0.5, batch(0.0)),
          *("backward", "power", "head"), "x**0.5", BAD),
    Cause("infinity less infinity", planted(lambda x: rg.exp(x) - rg.exp(2 * x), batch(90.0)),
          *("forward", "exp", "head"), "rg.exp(x) - rg.exp(2 * x)", BAD),
    Cause("a weight that was NaN", broken_weight, *("weight", "affine", "body"),
          "self.body(x)", ()),
    Cause("logit of 1", planted(lambda x: rg.log(x / (1 - x)), batch(1.0)),
          *("forward", "divide", "head"), "rg.log(x / (1 - x))", BAD),
]  # fmt: skip
