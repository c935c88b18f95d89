"""Comparisons as they may leave: nothing of a hidden value, and what a whole release of tests is worth together.

Verdicts are made in dbt; here a pair loses its verdict where the release hides one of its values. Which values are hidden does
not belong here.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.disclosure.suppression import CATEGORIES, CONFIDENTIAL, DISTRIBUTION
from pipelines.estimation import benjamini_hochberg_adjusted, two_sided_p

NO_DATA, SUPPRESSED = "no_data", "suppressed"
NUMBERS = ("value", "other_value", "difference", "standard_error", "lower", "upper", "z", "n_in_family", "finding")
# The columns that tell one value of a district from another; a comparison has those of its second side with `other_` before them.
SIDED = ("district", "school_year", "subgroup", "instrument", "administration")
VALUE_KEY = tuple(name for name in (*DISTRIBUTION, *CATEGORIES) if name not in ("unit_type", "unit_id", "network_id"))


def protected_comparisons(comparisons: pl.DataFrame, values: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """`comparisons` without anything of values that `values`, which are protected, hide; with `p_value` and `q_value`.

    A pair with a hidden side gets the verdict `suppressed`, its words from `verdicts`, unless a side was missing anyway.
    `q_value` is Benjamini and Hochberg's adjusted p over every difference that is tested in the release, for headlines that pick
    from all of it.
    """
    hidden = values.filter(pl.col("symbol") == CONFIDENTIAL, pl.col("network_id").is_null()).select(VALUE_KEY).unique()
    first = _is_in(comparisons, hidden, "")
    second = _is_in(comparisons, hidden, "other_")
    words = verdicts.filter(verdict=SUPPRESSED).row(0, named=True)
    touches_hidden = pl.Series(first | second)
    falls = touches_hidden & (pl.col("verdict") != NO_DATA)
    said = {"verdict": SUPPRESSED, "reason": words["meaning"], "remedy": words["remedy"]}
    shown = comparisons.with_columns(
        *(pl.when(touches_hidden).then(None).otherwise(pl.col(name)).alias(name) for name in NUMBERS),
        *(pl.when(falls).then(pl.lit(text)).otherwise(pl.col(name)).alias(name) for name, text in said.items()),
    )
    z = shown["z"].drop_nulls().to_numpy()
    p = two_sided_p(z)
    is_tested = shown["z"].is_not_null().to_numpy()
    return shown.with_columns(
        pl.Series("p_value", _placed(is_tested, p), strict=False).fill_nan(None),
        pl.Series("q_value", _placed(is_tested, benjamini_hochberg_adjusted(p)), strict=False).fill_nan(None),
    )


def _is_in(comparisons: pl.DataFrame, hidden: pl.DataFrame, side: str) -> NDArray[np.bool_]:
    """Which rows have a hidden value on one side, in their order."""
    on = [f"{side}{name}" if name in SIDED else name for name in VALUE_KEY]
    found = (
        comparisons.select(on)
        .with_row_index("_row")
        .join(hidden, left_on=on, right_on=list(VALUE_KEY), how="semi", nulls_equal=True)["_row"]
        .to_numpy()
    )
    mask = np.zeros(comparisons.height, dtype=bool)
    mask[found] = True
    return mask


def _placed(is_tested: NDArray[np.bool_], tested: NDArray[np.float64]) -> NDArray[np.float64]:
    placed = np.full(is_tested.shape, np.nan)
    placed[is_tested] = tested
    return placed
