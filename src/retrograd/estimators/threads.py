"""XLA's threads, where other processes train beside this one."""

from __future__ import annotations

import os

__all__ = ["limit_threads"]


def limit_threads() -> None:
    """Have XLA start no more threads than OMP_NUM_THREADS allows, as NumPy's BLAS does.

    joblib sets that variable for its worker processes to their share of the cores. XLA asks for
    another one when it starts; after that this changes nothing.
    """
    if "OMP_NUM_THREADS" in os.environ:
        os.environ.setdefault("NPROC", os.environ["OMP_NUM_THREADS"].split(",")[0])
