"""A seeded split of rows into two parts, stratified where the classes allow it."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.errors import DataError, UsageError
from retrograd.wording import count

__all__ = ["share", "split_rows"]

Rows = np.ndarray[Any, np.dtype[np.int64]]


def share(text: str | None) -> float | None:
    """`text` as a share of rows if it is a number; otherwise it is a file's name, or None.

    Raises UsageError for a number that is not between 0 and 1.
    """
    try:
        number = float(text or "")
    except ValueError:
        return None
    if not 0 < number < 1:
        raise UsageError(f"A share of rows must lie between 0 and 1; found {text}.")
    return number


def split_rows(
    n: int,
    fraction: float,
    seed: int,
    stratify: np.ndarray[Any, Any] | None = None,
    notes: list[str] | None = None,
) -> tuple[Rows, Rows]:
    """Row numbers (n - m,) to train on and (m,) to hold out, m being `fraction` of the n rows.

    `stratify` (n,) are class codes: every class keeps its share in both parts. A class with one
    row stays in training. If there are fewer held-out rows than classes, the split is not
    stratified. `notes` reports either case.

    Raises UsageError for a fraction that is not between 0 and 1, DataError if either part would be
    empty.
    """
    if not 0 < fraction < 1:
        raise UsageError(f"The fraction to hold out is {fraction}; expected between 0 and 1.")
    held_out = round(n * fraction)
    if not 0 < held_out < n:
        raise DataError(
            f"{count(n, 'row')} cannot be split with {fraction} held out: one part would be empty. "
            "Add rows, or hold out another fraction."
        )
    # The import takes a second, so only a run that splits pays for it.
    from sklearn.model_selection import train_test_split

    rows = np.arange(n)
    alone = np.empty(0, np.int64)
    codes = None
    if stratify is not None:
        _, of_row, sizes = np.unique(stratify, return_inverse=True, return_counts=True)
        is_alone = (sizes == 1)[of_row]
        classes = int((sizes > 1).sum())
        if classes <= held_out <= n - int(is_alone.sum()) - classes:
            rows, alone, codes = rows[~is_alone], rows[is_alone], of_row[~is_alone]
            if len(alone) and notes is not None:
                have = count(len(alone), "class has", "classes have")
                notes.append(f"{have} a single row, which stays in training.")
        elif notes is not None:
            classes_found = count(len(sizes), "class", "classes")
            notes.append(
                f"{count(held_out, 'held-out row')} cannot hold {classes_found} in proportion; the "
                "split ignores the classes."
            )
    kept, out = train_test_split(rows, test_size=held_out, random_state=seed, stratify=codes)
    return np.sort(np.concatenate([kept, alone])), np.sort(out)
