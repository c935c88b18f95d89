"""Which indicator values fall because a small group stands behind them, and which fall with those.

A distribution is all values that share everything but `category` and `statistic`; it is shown whole or not at all. First every
distribution falls in which a count of people is below the minimum. Then, for every published total, what is left of it after its
published parts is looked at like a distribution of its own, whoever hid the other parts: where that remainder is small, or is
exactly one part that fell, the smallest published part falls too, until nothing small is left.

Protection against combinations of several relations at once needs the audit of the whole release and does not belong here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

DISTRIBUTION = (
    "indicator_id",
    "district",
    "school_year",
    "unit_type",
    "unit_id",
    "network_id",
    "school_level",
    "school_set",
    "grade",
    "subgroup",
    "course",
    "respondent",
    "audience",
    "program_id",
    "cohort",
    "instrument",
    "administration",
)
CATEGORIES = ("category", "statistic")
# Units of values that have people above and below, though not a part of the same.
RATIOS_OF_PEOPLE = ("ratio", "teachers per leader")
CONFIDENTIAL = "c"
NUMBERS = ("numerator", "denominator", "value", "standard_error", "lower", "upper", "n", "n_schools", "response_rate")


@dataclass(frozen=True)
class Relation:
    """A total and its parts along one breakdown; a total of None is the value that is not split by it."""

    breakdown: str
    total: str | None
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Protected:
    """The table after protection, and how many values fell for themselves and with others."""

    values: pl.DataFrame
    n_primary: int
    n_complementary: int


def protect(
    values: pl.DataFrame,
    minimum_n: int,
    relations: Sequence[Relation],
    counts_people: Collection[str],
    counts_nothing: Collection[str] = (),
) -> Protected:
    """Null every number of a value that may not be shown and give it the symbol `c`.

    `values`: one row a value with the columns of DISTRIBUTION, CATEGORIES, unit, symbol and NUMBERS. `counts_people`: indicators
    whose counts are people; of others (schools) only the denominator has a minimum, and of `counts_nothing` (hours, policies)
    nothing has. A value of people or schools that does not say how many stand behind it falls.
    """
    indexed = values.with_row_index("_row")
    distributions = indexed.select(DISTRIBUTION).unique(maintain_order=True).with_row_index("_distribution")
    cells = indexed.join(distributions, on=DISTRIBUTION, how="left", nulls_equal=True, maintain_order="left")
    cells = cells.with_columns(
        pl.coalesce("denominator", pl.col("n").cast(pl.Float64)).alias("_size"),
        pl.col("indicator_id").is_in(list(counts_nothing)).alias("_is_exempt"),
        # Of a mean the numerator is a sum; of a share it is a part of the people below it, of a ratio other people.
        (pl.col("indicator_id").is_in(list(counts_people)) & (pl.col("unit") == "share")).alias("_is_share_of_people"),
        (pl.col("indicator_id").is_in(list(counts_people)) & pl.col("unit").is_in(RATIOS_OF_PEOPLE)).alias("_is_ratio_of_people"),
    )
    groups = _distributions(cells, minimum_n)
    primary = set(groups.filter(pl.col("falls"))["_distribution"])
    while True:
        more = {part for relation in relations for part in _gives_back(cells, groups, relation, minimum_n)}
        if not more:
            break
        groups = groups.with_columns(pl.col("falls") | pl.col("_distribution").is_in(list(more)))
    fallen = groups.filter(pl.col("falls"))["_distribution"].implode()
    falls = pl.col("_distribution").is_in(fallen) & pl.col("symbol").is_null()
    shown = cells.with_columns(
        *[pl.when(falls).then(None).otherwise(pl.col(name)).alias(name) for name in NUMBERS],
        pl.when(falls).then(pl.lit(CONFIDENTIAL)).otherwise(pl.col("symbol")).alias("symbol"),
        falls.alias("_falls"),
        pl.col("_distribution").is_in(list(primary)).alias("_primary"),
    )
    n_fallen = int(shown["_falls"].sum())
    n_primary = int((shown["_falls"] & shown["_primary"]).sum())
    return Protected(shown.select(values.columns), n_primary, n_fallen - n_primary)


def _is_small(count: pl.Expr, minimum_n: int) -> pl.Expr:
    return (count > 0) & (count < minimum_n)


def _is_revealing(numerator: pl.Expr, size: pl.Expr, minimum_n: int) -> pl.Expr:
    """A count of people from 1 to below the minimum, or everybody at one level, which says it of each of them."""
    rest = size - numerator
    of_people = pl.col("_is_share_of_people")
    is_one_level = pl.col("category").str.starts_with("level_").fill_null(value=False) & (size > 0) & (rest == 0)
    parts_are_small = (_is_small(numerator, minimum_n) | _is_small(rest, minimum_n) | is_one_level).fill_null(value=False)
    ratio_is_small = pl.col("_is_ratio_of_people") & _is_small(numerator, minimum_n).fill_null(value=False)
    is_small = _is_small(size, minimum_n).fill_null(value=False)
    return pl.col("_is_exempt").not_() & (is_small | (of_people & parts_are_small) | ratio_is_small)


def _distributions(cells: pl.DataFrame, minimum_n: int) -> pl.DataFrame:
    small = _is_revealing(pl.col("numerator"), pl.col("_size"), minimum_n)
    says_no_size = pl.col("symbol").is_null() & pl.col("_size").is_null() & pl.col("_is_exempt").not_()
    return cells.group_by("_distribution", maintain_order=True).agg(
        *[pl.col(name).first() for name in DISTRIBUTION],
        pl.col("_size").max().alias("size"),
        (small | says_no_size).any().alias("falls"),
        pl.col("symbol").is_null().any().alias("is_shown"),
    )


def _gives_back(
    cells: pl.DataFrame,
    groups: pl.DataFrame,
    relation: Relation,
    minimum_n: int,
) -> list[int]:
    """Published parts that must fall because their total, less all published parts, is a small group or one fallen part."""
    by = relation.breakdown
    others = [name for name in DISTRIBUTION if name != by]
    is_part = pl.col(by).is_in(relation.parts)
    state = groups.select("_distribution", "falls", "size")
    shown = cells.filter(pl.col("symbol").is_null()).join(state, on="_distribution").filter(~pl.col("falls"))
    totals = shown.filter(pl.col(by).eq_missing(pl.lit(relation.total)))
    by_category = (
        shown.filter(is_part)
        .group_by(*others, *CATEGORIES, maintain_order=True)
        .agg(pl.col("numerator").sum().alias("_parts_x"), pl.col("_size").sum().alias("_parts_n"))
    )
    left = totals.join(by_category, on=[*others, *CATEGORIES], how="inner", nulls_equal=True).with_columns(
        (pl.col("numerator") - pl.col("_parts_x")).alias("_left_x"),
        (pl.col("_size") - pl.col("_parts_n")).alias("_left_n"),
    )
    small = left.group_by(others, maintain_order=True).agg(
        _is_revealing(pl.col("_left_x"), pl.col("_left_n"), minimum_n).any().alias("remainder_is_small"),
        pl.col("_left_n").max().alias("size_left"),
    )
    parts = (
        groups.filter(is_part)
        .group_by(others, maintain_order=True)
        .agg(
            (pl.col("falls") & pl.col("is_shown")).sum().alias("n_fallen"),
            pl.col("size").filter(pl.col("falls") & pl.col("is_shown")).sum().alias("size_fallen"),
            pl.col("_distribution")
            .filter(pl.col("is_shown") & ~pl.col("falls"))
            .sort_by(pl.col("size").filter(pl.col("is_shown") & ~pl.col("falls")))
            .first()
            .alias("next_part"),
        )
    )
    is_exactly_one_part = (pl.col("n_fallen") == 1) & (pl.col("size_left") == pl.col("size_fallen"))
    return (
        small.join(parts, on=others, how="inner", nulls_equal=True)
        .filter((pl.col("remainder_is_small") | is_exactly_one_part) & pl.col("next_part").is_not_null())["next_part"]
        .to_list()
    )
