"""Comparisons as they may leave: nothing of a hidden value, and what a whole release of tests is worth together.

Verdicts are made in dbt; here a pair loses its verdict where the release hides one of its values. Which values are hidden does
not belong here.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.estimation import benjamini_hochberg_adjusted, two_sided_p
from pipelines.release.folder import VALUE_KEY

NO_DATA, SUPPRESSED = "no_data", "suppressed"
NUMBERS = ("value", "other_value", "difference", "standard_error", "lower", "upper", "z", "n_in_family", "finding")
# The columns that tell one value of a district from another; a comparison has those of its second side with `other_` before them.
SIDED = ("district", "school_year", "subgroup", "instrument", "administration")
PAIR_KEY = tuple(name for name in VALUE_KEY if name not in ("unit_type", "unit_id", "network_id"))
PROTECTED = ("c", "r")
# Its reason tells shares of students of other values: how many were tested of those enrolled.
TOLD_OF_OTHERS = "not_comparable_coverage"


def protected_comparisons(comparisons: pl.DataFrame, values: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """`comparisons` without anything of values that `values`, which are protected, hide; with `p_value` and `q_value`.

    A pair with a hidden side gets the verdict `suppressed`, its words from `verdicts`, unless a side was missing anyway.
    `q_value` is Benjamini and Hochberg's adjusted p over every difference that is tested in the release, for headlines that pick
    from all of it.
    """
    hidden = values.filter(pl.col("symbol").is_in(PROTECTED), pl.col("network_id").is_null()).select(PAIR_KEY).unique()
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
    return with_tests(_without_numbers_of_others(shown, values, verdicts))


def with_tests(pairs: pl.DataFrame) -> pl.DataFrame:
    """`p_value` of every tested difference, and its `q_value` among all that are tested in the release."""
    shown = pairs
    z = shown["z"].drop_nulls().to_numpy()
    p = two_sided_p(z)
    is_tested = shown["z"].is_not_null().to_numpy()
    return shown.with_columns(
        pl.Series("p_value", _placed(is_tested, p), strict=False).fill_nan(None),
        pl.Series("q_value", _placed(is_tested, benjamini_hochberg_adjusted(p)), strict=False).fill_nan(None),
    )


def _without_numbers_of_others(pairs: pl.DataFrame, values: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Reasons that tell numbers of other values say only what the verdict means where anything of that place is hidden."""
    place = ["district", "school_year", "grade"]
    closed = (
        values.filter(
            pl.col("symbol").is_in(PROTECTED), *(pl.col(name).is_null() for name in ("network_id", "school_level", "school_set"))
        )
        .select(place)
        .unique()
    )
    marked = (
        pairs.select("verdict", *place, "other_district", "other_school_year")
        .with_row_index("row")
        .filter(verdict=TOLD_OF_OTHERS)
    )
    first = marked.join(closed, on=place, how="semi", nulls_equal=True)["row"]
    second = marked.join(
        closed, left_on=["other_district", "other_school_year", "grade"], right_on=place, how="semi", nulls_equal=True
    )["row"]
    is_closed = pl.Series(np.isin(np.arange(pairs.height), np.concatenate([first.to_numpy(), second.to_numpy()])))
    said = verdicts.filter(verdict=TOLD_OF_OTHERS)["meaning"]
    if not said.len():
        return pairs
    return pairs.with_columns(pl.when(is_closed).then(pl.lit(said[0])).otherwise(pl.col("reason")).alias("reason"))


def held_comparisons(
    pairs: pl.DataFrame, values: pl.DataFrame, earlier: pl.DataFrame | None, held: pl.DataFrame, verdicts: pl.DataFrame
) -> pl.DataFrame:
    """`pairs` in which a side is a value that stays as it was published: as published then, or without numbers.

    `held`: the values that stay; `values`: the table that is published now. A pair that was published with the numbers that are
    published now on both sides is taken over; of any other it is not known how the two stand to each other.
    """
    keys = held.filter(pl.col("network_id").is_null()).select(PAIR_KEY).unique()
    touches = _is_in(pairs, keys, "") | _is_in(pairs, keys, "other_")
    if not touches.any():
        return pairs
    rest, mine = pairs.filter(pl.Series(~touches)), pairs.filter(pl.Series(touches))
    pair_key = ["comparison", *PAIR_KEY, *(f"other_{name}" for name in SIDED)]
    numbers = values.filter(pl.col("network_id").is_null()).select(*PAIR_KEY, pl.col("value").alias("now"))
    blank = _without_numbers(mine, verdicts)
    if earlier is None or set(pair_key) - set(earlier.columns):
        return with_tests(pl.concat([rest, blank]).select(pairs.columns))
    other = {name: f"other_{name}" for name in SIDED}
    then = (
        earlier.join(numbers, on=list(PAIR_KEY), how="left", nulls_equal=True)
        .join(
            numbers.rename(other | {"now": "other_now"}),
            left_on=[other.get(n, n) for n in PAIR_KEY],
            right_on=[other.get(n, n) for n in PAIR_KEY],
            how="left",
            nulls_equal=True,
        )
        .filter(pl.col("value").eq_missing(pl.col("now")) & pl.col("other_value").eq_missing(pl.col("other_now")))
    )
    same = then.join(mine.select(pair_key), on=pair_key, how="semi", nulls_equal=True)
    kept = same.select([name for name in pairs.columns if name in same.columns])
    left = blank.join(kept.select(pair_key), on=pair_key, how="anti", nulls_equal=True)
    return with_tests(pl.concat([rest, left, kept], how="diagonal_relaxed").select(pairs.columns))


def _without_numbers(pairs: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    words = verdicts.filter(verdict=SUPPRESSED).row(0, named=True)
    falls = pl.col("verdict") != NO_DATA
    said = {"verdict": SUPPRESSED, "reason": words["meaning"], "remedy": words["remedy"]}
    return pairs.with_columns(
        *(pl.lit(None).alias(name) for name in (*NUMBERS, "p_value", "q_value")),
        *(pl.when(falls).then(pl.lit(text)).otherwise(pl.col(name)).alias(name) for name, text in said.items()),
    )


def _is_in(comparisons: pl.DataFrame, hidden: pl.DataFrame, side: str) -> NDArray[np.bool_]:
    """Which rows have a hidden value on one side, in their order."""
    on = [f"{side}{name}" if name in SIDED else name for name in PAIR_KEY]
    found = (
        comparisons.select(on)
        .with_row_index("_row")
        .join(hidden, left_on=on, right_on=list(PAIR_KEY), how="semi", nulls_equal=True)["_row"]
        .to_numpy()
    )
    mask = np.zeros(comparisons.height, dtype=bool)
    mask[found] = True
    return mask


def _placed(is_tested: NDArray[np.bool_], tested: NDArray[np.float64]) -> NDArray[np.float64]:
    placed = np.full(is_tested.shape, np.nan)
    placed[is_tested] = tested
    return placed
