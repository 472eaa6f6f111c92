"""Every layer and loss that PyTorch's database has gives PyTorch's numbers on the database's cases.

By default at most 3 cases of a class are compiled, evenly spread; with RETROGRAD_SAMPLES=all in the
environment all of them are.
"""

from __future__ import annotations

import functools
import os

import pytest

from retrograd import nn
from retrograd.tensor import Tensor
from torchdb.compare import build, converted, run
from torchdb.database import MODULES, ModuleCase, module_cases, module_errors
from torchdb.missing import MISSING_MODULES, allowed_here, skip_case
from torchdb.report import PAGE, listed_names

EVERYTHING = os.environ.get("RETROGRAD_SAMPLES") == "all"
OURS = [name for name in MODULES if hasattr(nn, name)]


@pytest.mark.parametrize("name", OURS)
def test_outputs_gradients_and_state_are_those_of_pytorch(name: str) -> None:
    skip = functools.partial(skip_case, name)
    outcome = run(name, module_cases(MODULES[name]), skip, None if EVERYTHING else 3)
    assert outcome.run
    assert not outcome.failures, "\n".join(outcome.failures)


REFUSED = [
    pytest.param(name, case, id=f"{name}, {message}")
    for name in OURS
    for case, message in module_errors(MODULES[name])
    if allowed_here(name, message) is None
]


@pytest.mark.parametrize(("name", "case"), REFUSED)
def test_what_pytorch_refuses_is_refused(name: str, case: ModuleCase) -> None:
    with pytest.raises((ValueError, TypeError, IndexError)):
        call(name, case)


def call(name: str, case: ModuleCase) -> None:
    args, kwargs = converted(tuple(case.forward), lambda given: Tensor(given.detach().numpy()))
    build(name, case.construct, nn)(*args, **kwargs)


def test_the_classes_that_are_missing_are_those_known_to_be() -> None:
    missing = set(MODULES) - set(OURS)
    gone = missing - set(MISSING_MODULES)
    assert not gone, f"retrograd.nn has no {', '.join(sorted(gone))}"
    found = set(MISSING_MODULES) - missing
    assert not found, f"take {', '.join(sorted(found))} out of tests/torchdb/missing.py"


def test_docs_coverage_modules_lists_the_classes_as_they_are() -> None:
    listed = listed_names(PAGE.read_text(encoding="utf-8"))
    assert {name: listed.get(f"nn.{name}") for name in MODULES} == {
        name: name in OURS for name in MODULES
    }
