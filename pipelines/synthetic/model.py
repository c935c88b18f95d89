"""What every part of the synthetic network shares: the network itself, its error, years, grades and cells.

Students are counted in four cells (English learner or not, low income or not), and every student group is a
sum of cells: complements add up exactly. Random generators belong here too: each part draws from one of its
own, named by what it draws, so that a change to one extract's draws leaves the others as they were.
A constant or a type that one part alone uses does not belong here, nor does anything that draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SCHOOL_YEARS = ("2023-24", "2024-25", "2025-26")
GRADES = ("PK", "K", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12")

# Cells in the order: neither, low income, English learner, both.
IS_LEARNER = np.array([False, False, True, True])
IS_LOW_INCOME = np.array([False, True, False, True])
CELLS_OF = {
    "all": np.array([1, 1, 1, 1]),
    "english_learner": IS_LEARNER.astype(np.int64),
    "low_income": IS_LOW_INCOME.astype(np.int64),
    "not_english_learner": (~IS_LEARNER).astype(np.int64),
    "not_low_income": (~IS_LOW_INCOME).astype(np.int64),
}


class SyntheticNetworkError(Exception):
    """A network cannot be built from these arguments or code lists; the message says why and what to do."""


@dataclass(frozen=True)
class SyntheticNetwork:
    """Invented extracts and what is true of them.

    `extracts` maps (district, extract, school year) to rows with exactly the contract's columns, typed and
    sorted by key. `truth` can be written as JSON; its own `about` says what each part holds. `faulty` holds, for some
    of the same keys, the rows with a planted fault that are delivered first; `layouts` names, by district and extract,
    the layouts of districts that do not send the contract's columns. `naep_results` is what the national assessment
    published of these districts and states, with the columns of the seed of that name.
    """

    seed: int
    scale: float
    extracts: Mapping[tuple[str, str, str], pl.DataFrame]
    truth: Mapping[str, Any]
    faulty: Mapping[tuple[str, str, str], pl.DataFrame] = field(default_factory=dict)
    layouts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    naep_results: pl.DataFrame = field(default_factory=pl.DataFrame)


def generator(seed: int, *names: str) -> np.random.Generator:
    """A generator for `names` alone, unmoved by other draws and by which other districts there are."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest[:16], "big")]))


def share_of(numerator: float, denominator: float) -> float | None:
    """A share as a plain number; None where there is nothing to divide by."""
    return float(numerator) / float(denominator) if denominator > 0 else None


def gather(labels: Sequence[str | None], indices: Ints) -> pl.Series:
    """The labels at `indices`, an array of any shape, as one text column in row order."""
    return pl.Series(labels, dtype=pl.String).gather(indices.ravel())
