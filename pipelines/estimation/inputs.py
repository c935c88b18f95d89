"""Counts and cuts as callers hand them over, checked; every fault is one plain sentence that says what, where and what to do.

What is estimated from them does not belong here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
MINIMUM_LEVELS = 3


class EstimationFailed(Exception):
    """The numbers are in order, but no estimate that could be trusted was reached; the message says why."""


def numbers(values: ArrayLike, name: str) -> Floats:
    """`values` as floats of any shape; a ValueError where they are not numbers."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":
            raise TypeError
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers in rows of equal length; take out text and fill every row") from None


def level_counts(counts: ArrayLike, name: str = "counts") -> Floats:
    """Counts of groups (rows) in ordered levels (columns, the lowest first), as floats of shape (G, K) with K >= 3.

    Counts need not be whole (weighted students); none may be negative, missing or infinite.
    """
    array = numbers(counts, name)
    if array.ndim != 2:
        shape = ("one number", "one row")[array.ndim] if array.ndim < 2 else f"{array.ndim} dimensions"
        raise ValueError(f"{name} must be a table of groups by levels and has {shape}; give one row for each group")
    if array.shape[0] == 0:
        raise ValueError(f"{name} has no rows; give one row for each group")
    if array.shape[1] < MINIMUM_LEVELS:
        raise ValueError(
            f"at least three levels are needed to estimate a mean and a spread, and {name} has {array.shape[1]}; "
            "use counts in more levels"
        )
    wrong = ~np.isfinite(array)
    if wrong.any():
        raise ValueError(f"{name} has no finite number {_place(wrong)}; fill it in or leave the group out")
    wrong = array < 0
    if wrong.any():
        raise ValueError(f"{name} has a negative number {_place(wrong)}; a count is zero or more")
    return array


def ascending_cuts(cuts: ArrayLike, n_cuts: int, name: str) -> Floats:
    """`n_cuts` finite numbers, each greater than the one before."""
    array = numbers(cuts, name)
    if array.shape != (n_cuts,) or not np.isfinite(array).all() or not (np.diff(array) > 0).all():
        raise ValueError(f"{name} must be {n_cuts} finite numbers, each greater than the one before")
    return array


def refuse_unusable_groups(counts: Floats) -> None:
    """A ValueError for an empty group, a level that nobody reached, or counts of which no group shows a spread."""
    sizes = counts.sum(axis=1)
    if (sizes == 0).any():
        row = int(np.argmin(sizes)) + 1
        raise ValueError(f"the group in row {row} (counted from 1) has no students; leave it out")
    empty = np.flatnonzero(counts.sum(axis=0) == 0) + 1
    if empty.size == counts.shape[1] - 1:
        level = int(np.argmax(counts.sum(axis=0))) + 1
        raise ValueError(
            f"everybody is in level {level}, which says nothing of means and spreads; use cuts that divide the students"
        )
    if empty.size:
        named = ("level " if empty.size == 1 else "levels ") + " and ".join(str(level) for level in empty)
        raise ValueError(f"nobody in any group reached {named} (counted from 1); merge with a neighbouring level")
    if not (np.count_nonzero(counts, axis=1) >= MINIMUM_LEVELS).any():
        raise ValueError("no group has students in three or more levels, so no spread can be estimated; use larger groups")


def _place(wrong: NDArray[np.bool_]) -> str:
    row, level = np.argwhere(wrong)[0] + 1
    return f"in row {row}, level {level} (both counted from 1)"
