"""The declared counts laid over a table of values: which numbers should be one, and which are one without being declared so."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.warehouse.catalogue import BREAKDOWNS

SPLIT = ("category", "statistic")
PLACE = ["district", "school_year", *(name for name in BREAKDOWNS if name not in SPLIT and not name.startswith("unit_"))]
INSTANCE = ["count", *(f"by_{name}" for name in SPLIT)]
SERIES = ["indicator_id", "role", *SPLIT]
# Two counts that agree so often, in so many places and with so many different numbers, are taken for one.
OFTEN, PLACES, NUMBERS = 0.95, 20, 5


def counted(values: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """One row a number of a value: PLACE, SERIES, unit, what it is declared as (INSTANCE, `of`, `is_named`) and its `amount`."""
    rows = values.filter(pl.col("unit_type") == "district", pl.col("symbol").is_null())
    found = []
    for role, amount in (("numerator", pl.col("numerator")), ("denominator", pl.coalesce("denominator", "n"))):
        declared = counts.filter(role=role).drop("role")
        own = declared.filter(pl.col("statistic").is_not_null())
        general = declared.filter(pl.col("statistic").is_null()).drop("statistic")
        one = rows.with_columns(amount.cast(pl.Float64).alias("amount"), pl.lit(role).alias("role"))
        one = one.join(own, on=["indicator_id", "statistic"], how="left").join(
            general, on="indicator_id", how="left", suffix="_general"
        )
        told = (pl.coalesce(name, f"{name}_general").alias(name) for name in ("count", "by", "of", "of_cohort"))
        found.append(one.with_columns(told).filter(pl.col("amount").is_not_null()))
    table = pl.concat(found)
    is_split = pl.col("category").is_not_null() & (pl.col("category") != "all")
    return table.select(
        *[pl.col(name).fill_null("") for name in PLACE if name != "cohort"],
        pl.coalesce("cohort", "of_cohort").fill_null("").alias("cohort"),
        "indicator_id",
        "role",
        *[pl.col(name).fill_null("") for name in SPLIT],
        "unit",
        "count",
        "of",
        "amount",
        pl.when(pl.col("by").str.contains("category") & is_split).then("category").otherwise(pl.lit("")).alias("by_category"),
        pl.when(pl.col("by").str.contains("statistic")).then("statistic").fill_null("").alias("by_statistic"),
    )


def shared_but_unequal(table: pl.DataFrame) -> pl.DataFrame:
    """Instances of one declared count whose values do not all have the same number: INSTANCE, `n_places`, `n_unequal`."""
    at_places = (
        table.filter(pl.col("of") != "nothing").group_by(*INSTANCE, *PLACE).agg(pl.len().alias("n"), pl.col("amount").n_unique())
    )
    shared = at_places.filter(pl.col("n") > 1)
    return (
        shared.group_by(INSTANCE).agg(pl.len().alias("n_places"), (pl.col("amount") > 1).sum().alias("n_unequal")).sort(INSTANCE)
    )


def equal_but_not_shared(table: pl.DataFrame) -> pl.DataFrame:
    """Pairs of counts of people that agree as good as everywhere and are not declared to be one: `instance`, `other`, `agree` …

    Asks of `table` that what is declared to be one is one (`shared_but_unequal`).
    """
    people = table.filter(pl.col("of").is_in(["students", "adults"]))
    cells = people.group_by(*INSTANCE, *PLACE).agg(pl.col("amount").first())
    cells = cells.select(*PLACE, "count", "amount", pl.concat_str(INSTANCE, separator=" ").alias("instance"))
    pairs = cells.join(cells, on=PLACE, suffix="_other").filter(pl.col("instance") < pl.col("instance_other"))
    return (
        pairs.group_by("instance", "instance_other", "count", "count_other")
        .agg(
            pl.len().alias("n_places"),
            pl.col("amount").n_unique().alias("n_numbers"),
            (pl.col("amount") == pl.col("amount_other")).mean().alias("agree"),
        )
        .filter(pl.col("agree") >= OFTEN, pl.col("n_places") >= PLACES, pl.col("n_numbers") >= NUMBERS)
        .sort("instance", "instance_other")
    )


def sums(table: pl.DataFrame, relations: pl.DataFrame) -> pl.DataFrame:
    """Every total beside the sum of its parts: `relation`, `is_whole`, `total`, `parts`.

    Only where a total and a part have numbers; those of `category` only where all listed parts have.
    """
    numbers = table.filter(pl.col("of") != "nothing")
    cells = numbers.group_by(*INSTANCE, *PLACE).agg(pl.col("amount").first(), pl.col("indicator_id").unique())
    return pl.concat([_sums(numbers, cells, one) for one in relations.partition_by("relation", maintain_order=True)])


def _sums(numbers: pl.DataFrame, cells: pl.DataFrame, relation: pl.DataFrame) -> pl.DataFrame:
    column, total, is_whole, indicator_id, instrument = relation.select(
        "column", "total", "is_whole", "indicator_id", "instrument"
    ).row(0)
    if column == "category" and total is None:
        alike = [*PLACE, "indicator_id", "statistic"]
        parts = numbers.filter(role="numerator", indicator_id=indicator_id)
        totals = numbers.filter(role="denominator", indicator_id=indicator_id).unique(alike)
    else:
        column = "by_category" if column == "category" else column
        alike = [name for name in [*INSTANCE, *PLACE] if name != column]
        of = pl.col("indicator_id").list.contains(indicator_id) if indicator_id is not None else True
        # The category `all` is told apart as no category.
        own = "" if column == "by_category" and total == "all" else total or ""
        totals, parts = cells.filter(of, pl.col(column) == own), cells.filter(of, pl.col(column) != own)
    if instrument is not None:
        parts = parts.filter(instrument=instrument)
    listed = relation["part"].drop_nulls()
    if listed.len():
        parts = parts.filter(pl.col(column).is_in(listed.implode()))
    added = parts.group_by(alike).agg(pl.col("amount").sum().alias("parts"), pl.len().alias("n"))
    if relation["column"][0] == "category" and listed.len():
        added = added.filter(pl.col("n") == listed.len())
    return totals.join(added, on=alike, how="inner").select(
        pl.lit(relation["relation"][0]).alias("relation"),
        pl.lit(is_whole).alias("is_whole"),
        pl.col("amount").alias("total"),
        "parts",
    )


def without_reason(pairs: pl.DataFrame, reasons: Mapping[frozenset[str], str]) -> list[str]:
    """The pairs that no reason is given for, in words."""
    return [
        f"{row['instance'].strip()} and {row['instance_other'].strip()}: {row['agree']:.0%} of {row['n_places']} places"
        for row in pairs.to_dicts()
        if frozenset({row["count"], row["count_other"]}) not in reasons
    ]
