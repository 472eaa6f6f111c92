"""Where processes share the cores, XLA takes its share of threads and no more."""

from __future__ import annotations

import pytest
from support.interpreters import FreshPython

from retrograd.estimators.threads import limit_threads


@pytest.mark.parametrize(("allowed", "expected"), [("3", "3"), ("2,1", "2"), (None, None)])
def test_xla_is_told_what_the_linear_algebra_is_told(
    monkeypatch: pytest.MonkeyPatch, allowed: str | None, expected: str | None
) -> None:
    import os

    monkeypatch.delenv("NPROC", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if allowed is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", allowed)
    limit_threads()
    assert os.environ.get("NPROC") == expected


def test_what_a_person_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("NPROC", "5")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    limit_threads()
    assert os.environ["NPROC"] == "5"


def test_fewer_threads_start(fresh_python: FreshPython) -> None:
    code = (
        "import os\n"
        "os.environ.update(OMP_NUM_THREADS='{threads}')\n"
        "os.environ.pop('NPROC', None)\n"
        "import retrograd.estimators, jax\n"
        "jax.devices('cpu')\n"
        "print(len(os.listdir('/proc/self/task')))\n"
    )
    few, many = (int(fresh_python(code.format(threads=n)).stdout) for n in (1, 9))
    assert many >= few + 8
