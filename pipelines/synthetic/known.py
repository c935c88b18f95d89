"""Entries of the truth's `indicators`: what a correct pipeline gives at district level, and what the model expects.

Sums over the schools that take part are made here, from the same arrays as the rows. Which counts make up an
indicator is said where they are drawn; nothing is drawn here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.synthetic.model import SCHOOL_YEARS, Floats, share_of
from pipelines.synthetic.schools import Enrolment

ABOUT = (
    "indicators: for an indicator, a district and a year, what the extracts of the schools that take part (in_scope in "
    "the directory of that year) add up to; breakdowns that are not named are null. value is numerator over denominator "
    "of what was drawn, before planted faults and before any suppression; expected is what the generating model gives "
    "for these very schools and their denominators, null where nothing is drawn as a share."
)


def note(
    truth: dict[str, Any],
    district: str,
    enrolment: Enrolment,
    indicator_id: str,
    numerator: npt.NDArray[Any],
    denominator: npt.NDArray[Any],
    expected: Floats | None = None,
    **breakdowns: str,
) -> None:
    """Add one entry from arrays over the open schools: `expected` are the numerators that the model expects."""
    add_known(
        truth,
        {"indicator_id": indicator_id, "district": district, "school_year": SCHOOL_YEARS[enrolment.year], **breakdowns},
        numerator[enrolment.in_scope].sum(),
        denominator[enrolment.in_scope].sum(),
        None if expected is None else float(expected[enrolment.in_scope].sum()),
    )


def add_known(
    truth: dict[str, Any], place: dict[str, str], numerator: float, denominator: float, expected: float | None = None
) -> None:
    """Add one entry at `place` from sums: `expected` is the numerator that the model expects."""
    truth["indicators"].append(
        {
            **place,
            "numerator": _plain(numerator),
            "denominator": _plain(denominator),
            "value": share_of(numerator, denominator),
            "expected": None if expected is None else share_of(expected, denominator),
        }
    )


def add_difference(
    truth: dict[str, Any], first: Mapping[str, Any], second: Mapping[str, Any], statistic: str, *, is_absolute: bool = False
) -> None:
    """Add the difference of two entries that differ in their statistic alone; without its sign where `is_absolute`."""
    apart = {}
    for name in ("value", "expected"):
        one, other = first[name], second[name]
        apart[name] = None if one is None or other is None else abs(one - other) if is_absolute else one - other
    truth["indicators"].append({**first, "statistic": statistic, "numerator": None, "denominator": None, **apart})


def _plain(number: float) -> float:
    """A whole number as int, any other rounded to where sums of decimals agree."""
    return int(number) if isinstance(number, (int, np.integer)) else round(float(number), 6)
