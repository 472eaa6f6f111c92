"""Samples, eagerly only: what kills most mutants within seconds.

They are those of tests/support/samples and tests/opinfo. pytest runs this file by its name. The
right answers to the former are computed by JAX once, when the tests that run a line are recorded,
and read from $MUTATION_ANSWERS afterwards.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from opinfo.compare import run
from opinfo.database import OPERATIONS
from opinfo.table import TABLE as PYTORCHS
from support.samples.table import TABLE
from test_registry import (
    assert_same,
    calls_of,
    in_one_program,
    operation,
    outputs_and_gradients,
    shown,
)

import retrograd as rg


@pytest.mark.parametrize("name", sorted(TABLE))
def test_samples(name: str) -> None:
    function = operation(name)
    full, single = calls_of(name, np.float64), calls_of(name, np.float32)
    for call, theirs in zip(full + single, answers(name, full) * 2, strict=True):
        found = outputs_and_gradients(rg, function, *call)
        assert_same(found, theirs, call, f"{name}{shown(call)}")


def answers(name: str, calls: list) -> list:
    asked = hashlib.sha256(pickle.dumps(calls)).hexdigest()[:8]
    plain = re.sub("[^a-z0-9_]", "_", name)
    file = Path(os.environ["MUTATION_ANSWERS"]) / f"{plain}-{asked}.pickle"
    if not file.exists():
        with jax.enable_x64(True):
            found = in_one_program(jax.jit, jnp, TABLE[name].oracle, calls)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickle.dumps(jax.tree.map(np.asarray, found)))
    return pickle.loads(file.read_bytes())


@pytest.mark.parametrize("name", PYTORCHS)
def test_pytorchs_samples(name: str) -> None:
    outcome = run(OPERATIONS[name], PYTORCHS[name], 40, 0)
    assert not outcome.failures, outcome.failures[0]
