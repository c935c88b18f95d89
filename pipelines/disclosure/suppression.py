"""Which indicator values fall because a small group stands behind them, and which fall with those.

A distribution is all values that share everything but `category`; it is shown whole or not at all. First every distribution
falls in which a count of people is below the minimum (or that would give one by subtraction). Then, where a published total
and the published other parts would give a fallen part back, the smallest other part that is large enough falls too.

Protection against combinations of several relations at once needs the audit of the whole release and does not belong here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

BREAKDOWNS = ("grade", "subgroup", "course")
DISTRIBUTION = (
    "indicator_id",
    "district",
    "school_year",
    "unit_type",
    "unit_id",
    "grade",
    "subgroup",
    "course",
    "instrument",
    "administration",
)
CONFIDENTIAL = "c"
NUMBERS = ("numerator", "denominator", "value", "lower", "upper", "n")


@dataclass(frozen=True)
class Relation:
    """A total and its parts along one breakdown; a total of None is the value that is not split by it.

    `is_complement`: the parts are two groups that make the total up, so that a part that is not sent is known all the same.
    """

    breakdown: str
    total: str | None
    parts: tuple[str, ...]
    is_complement: bool = False


@dataclass(frozen=True)
class Protected:
    """The table after protection, and how many values fell for themselves and with others."""

    values: pl.DataFrame
    n_primary: int
    n_complementary: int


def protect(values: pl.DataFrame, minimum_n: int, relations: Sequence[Relation], counts_people: Collection[str]) -> Protected:
    """Null every number of a value that may not be shown and give it the symbol `c`.

    `values`: one row a value with the columns of DISTRIBUTION, category, numerator, denominator, symbol and NUMBERS.
    `counts_people`: indicators whose counts are people; of others (schools) only the denominator has a minimum.
    """
    indexed = values.with_row_index("_row")
    distributions = indexed.select(DISTRIBUTION).unique(maintain_order=True).with_row_index("_distribution")
    cells = indexed.join(distributions, on=DISTRIBUTION, how="left", nulls_equal=True, maintain_order="left")
    groups = _distributions(cells, minimum_n, counts_people)
    groups = _mark_implied_complements(cells, groups, minimum_n, relations, counts_people)
    primary = set(groups.filter(pl.col("falls"))["_distribution"])
    while True:
        more = {part for relation in relations for part in _gives_back(groups, relation, minimum_n)}
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


def _distributions(cells: pl.DataFrame, minimum_n: int, counts_people: Collection[str]) -> pl.DataFrame:
    of_people = pl.col("indicator_id").is_in(list(counts_people))
    rest = pl.col("denominator") - pl.col("numerator")
    small = (
        _is_small(pl.col("denominator"), minimum_n)
        | (of_people & (_is_small(pl.col("numerator"), minimum_n) | _is_small(rest, minimum_n)))
        # Everybody in one category says it of each of them.
        | (of_people & pl.col("category").str.starts_with("level_") & (pl.col("denominator") > 0) & (rest == 0))
    )
    return cells.group_by("_distribution", maintain_order=True).agg(
        *[pl.col(name).first() for name in DISTRIBUTION],
        pl.col("denominator").max().alias("size"),
        small.fill_null(False).any().alias("falls"),
        pl.col("symbol").is_null().any().alias("is_shown"),
    )


def _mark_implied_complements(
    cells: pl.DataFrame,
    groups: pl.DataFrame,
    minimum_n: int,
    relations: Sequence[Relation],
    counts_people: Collection[str],
) -> pl.DataFrame:
    marked: list[int] = []
    for relation in relations:
        if not relation.is_complement:
            continue
        others = [name for name in (*DISTRIBUTION, "category") if name != relation.breakdown]
        keyed = cells.filter(pl.col("symbol").is_null() & pl.col("indicator_id").is_in(list(counts_people)))
        total = keyed.filter(pl.col(relation.breakdown).eq_missing(pl.lit(relation.total)))
        part = keyed.filter(pl.col(relation.breakdown).is_in(relation.parts))
        both = part.join(
            total.select(*others, pl.col("numerator").alias("_all_x"), pl.col("denominator").alias("_all_n")),
            on=others,
            how="inner",
            nulls_equal=True,
        )
        left_n, left_x = pl.col("_all_n") - pl.col("denominator"), pl.col("_all_x") - pl.col("numerator")
        implied = both.filter(_is_small(left_n, minimum_n) | _is_small(left_x, minimum_n) | _is_small(left_n - left_x, minimum_n))
        marked += implied["_distribution"].to_list()
    return groups.with_columns(pl.col("falls") | pl.col("_distribution").is_in(marked))


def _gives_back(groups: pl.DataFrame, relation: Relation, minimum_n: int) -> list[int]:
    """Distributions that must fall because their total, less the other parts, gives a fallen part back."""
    others = [name for name in DISTRIBUTION if name != relation.breakdown]
    shown = groups.filter(pl.col("is_shown"))
    total = shown.filter(pl.col(relation.breakdown).eq_missing(pl.lit(relation.total)))
    parts = shown.filter(pl.col(relation.breakdown).is_in(relation.parts))
    by_total = (
        parts.sort("size")
        .group_by(others, maintain_order=True)
        .agg(
            pl.len().alias("n_parts"),
            pl.col("falls").sum().alias("n_fallen"),
            pl.col("size").filter(pl.col("falls")).sum().alias("size_fallen"),
            pl.col("_distribution").filter(~pl.col("falls") & (pl.col("size") >= minimum_n)).first().alias("next_part"),
        )
        .join(
            total.select(*others, pl.col("_distribution").alias("total"), pl.col("falls").alias("total_falls")),
            on=others,
            how="inner",
            nulls_equal=True,
        )
        # Of two complements of which one was not sent, the total gives nothing back.
        .filter((pl.col("n_parts") == len(relation.parts)) | (not relation.is_complement))
        .filter(
            ~pl.col("total_falls")
            & ((pl.col("n_fallen") == 1) | ((pl.col("n_fallen") > 1) & (pl.col("size_fallen") < minimum_n)))
        )
    )
    # Where no other part is left to fall, the total does.
    return by_total.select(pl.coalesce("next_part", "total").alias("next"))["next"].to_list()
