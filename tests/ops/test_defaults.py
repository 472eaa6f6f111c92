"""Arguments left out mean what they mean in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops

RNG = np.random.default_rng(0)
CUBE, OTHER = RNG.standard_normal((2, 2, 3, 3))
SQUARE = CUBE[0] + 4 * np.eye(3)
POSITIVE = CUBE @ CUBE.mT + np.eye(3)
FACTOR = np.linalg.cholesky(POSITIVE)
INDEX = np.array([[[0, 2, 1]] * 3] * 2)

linalg = torch.linalg

# The name, PyTorch's function, and what both are called with.
CALLS: list[tuple[str, Any, tuple[Any, ...]]] = [
    *((name, getattr(torch, name), (CUBE,)) for name in ("flatten", "tril", "triu", "diag_embed")),
    *((name, getattr(torch, name), (CUBE,)) for name in ("unbind", "rot90", "diff", "sort")),
    *((name, getattr(torch, name), (CUBE,)) for name in ("argsort", "diagonal", "round")),
    *((name, getattr(torch, name), (CUBE,)) for name in ("trapezoid", "cumulative_trapezoid")),
    *((name, getattr(torch, name), (CUBE,)) for name in ("nan_to_num", "nansum", "nanmean")),
    *((name, getattr(torch, name), (CUBE,)) for name in ("sum", "mean", "std", "var", "norm")),
    *((name, getattr(torch, name), (CUBE, 1)) for name in ("sum", "mean", "std", "var", "prod")),
    *((name, getattr(torch, name), (CUBE, 1)) for name in ("amax", "amin", "max", "min")),
    *((name, getattr(torch, name), (CUBE, 1)) for name in ("argmax", "argmin", "logsumexp")),
    *((name, getattr(torch, name), (CUBE, 1)) for name in ("median", "nanmedian", "nansum")),
    *((name, getattr(torch, name), (CUBE, 2)) for name in ("topk", "kthvalue", "chunk", "split")),
    *((name, getattr(torch, name), (CUBE, 0.3)) for name in ("quantile", "nanquantile")),
    *((name, getattr(torch, name), (CUBE, 0.3, 1)) for name in ("quantile", "nanquantile")),
    *((name, getattr(torch, name), ([CUBE, OTHER],)) for name in ("concatenate", "stack")),
    ("tensor_split", torch.tensor_split, (CUBE, 2)),
    ("meshgrid", lambda *x: torch.meshgrid(*x, indexing="ij"), (CUBE[0, 0], CUBE[0, 1])),
    ("pad", torch.nn.functional.pad, (CUBE, (1, 2))),
    ("cov", torch.cov, (CUBE[0],)),
    ("tensordot", lambda a, b: torch.tensordot(a, b), (CUBE, CUBE[0])),
    ("vecdot", linalg.vecdot, (CUBE, OTHER)),
    ("cross", linalg.cross, (CUBE, OTHER)),
    ("matrix_norm", linalg.matrix_norm, (CUBE,)),
    ("eigh", lambda a: (linalg.eigh(a).eigenvalues,), (SQUARE,)),
    ("eigvalsh", linalg.eigvalsh, (SQUARE,)),
    ("qr", linalg.qr, (CUBE[:, :, :2],)),
    ("cholesky", linalg.cholesky, (POSITIVE,)),
    ("cholesky_inverse", torch.cholesky_inverse, (FACTOR,)),
    ("cholesky_solve", torch.cholesky_solve, (OTHER, FACTOR)),
    ("solve", linalg.solve, (POSITIVE, OTHER)),
    ("solve_triangular", lambda a, b: linalg.solve_triangular(a, b, upper=False), (SQUARE, OTHER)),
    ("take_along_axis", lambda x, i: torch.take_along_dim(x, i, -1), (CUBE, INDEX)),
    ("softmax", lambda x: torch.softmax(x, -1), (CUBE,)),
    ("log_softmax", lambda x: torch.log_softmax(x, -1), (CUBE,)),
    ("index_put", lambda x, v: torch.index_put(x, (torch.tensor([1, 1]),), v), (CUBE, OTHER)),
    ("index_add", lambda x, v: x.index_add(0, torch.tensor([1, 1]), v), (CUBE, OTHER)),
    (
        "scatter_reduce",
        lambda x, v: x.scatter_reduce(2, torch.tensor(INDEX * 0), v, "prod"),
        (CUBE, OTHER),
    ),
]

# The same of ours, where the arguments are not just those of the call.
OURS = {
    "index_put": lambda x, v: ops.index_put(x, (np.array([1, 1]),), v),
    "index_add": lambda x, v: ops.index_add(x, 0, np.array([1, 1]), v),
    "scatter_reduce": lambda x, v: ops.scatter_reduce(x, 2, INDEX * 0, v, "prod"),
    "solve_triangular": lambda a, b: ops.solve_triangular(a, b, False),
    "eigh": lambda a: (ops.eigh(a).eigenvalues,),
}


def converted(value: Any, tensor: Any) -> Any:
    if isinstance(value, list):
        return [converted(each, tensor) for each in value]
    return tensor(value) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize(
    ("name", "theirs", "given"), CALLS, ids=lambda each: each if isinstance(each, str) else ""
)
def test_defaults_are_pytorchs(name: str, theirs: Any, given: tuple[Any, ...]) -> None:
    ours = OURS.get(name) or getattr(ops, name)
    found = ours(*converted(list(given), rg.Tensor))
    right = theirs(*converted(list(given), torch.tensor))
    pairs = (
        zip(found, right, strict=True)
        if isinstance(right, tuple | list) or not isinstance(right, torch.Tensor)
        else [(found, right)]
    )
    for mine, each in pairs:
        assert mine.shape == each.shape
        np.testing.assert_allclose(mine.numpy(), each.numpy(), rtol=1e-10, atol=1e-12)


def test_svd_completes_the_bases_unless_told() -> None:
    u, s, vh = ops.svd(rg.Tensor(CUBE[0, :, :2]))
    assert (u.shape, s.shape, vh.shape) == ((3, 3), (2,), (2, 2))
