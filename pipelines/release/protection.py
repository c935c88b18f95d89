"""All tables of a release as they may leave: indicator values first, then everything that says something of a hidden one.

Which values are hidden is decided in `disclosure`; what readers know from before, in `earlier`. Here the decision is carried
through every table. Auditing what came out does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.disclosure.cells import PLACE
from pipelines.disclosure.search import ABSENT, HIDDEN, RANGE, SHOWN
from pipelines.disclosure.suppression import CONFIDENTIAL, IN_RANGE, NOT_IN_A_RANGE, NUMBERS, Memory, Suppressed, suppress
from pipelines.release.comparisons import held_comparisons, protected_comparisons
from pipelines.release.earlier import WITHHELD, families, held_rows, held_values, known_from
from pipelines.release.folder import VALUE_KEY, VALUES
from pipelines.release.places import at_places, roles_at_places

DEADLINE_SECONDS = 240.0
RESPONSE_HIDDEN = "response_rate_protected"
# Estimates of how schools differ rest on counts of schools, which are never published: they are told to so many decimals.
DECIMALS_OF_EVENNESS = 3
_CONTEXT = "district_context"
# Tables beside the values that tell numbers of people, with what one row of them is about.
_BESIDE = {
    _CONTEXT: ("district", "school_year", "school_level"),
    "link_backtest": ("district", "school_year", "grade", "instrument"),
    "school_changes": ("district", "school_year", "change"),
}
_WHOLE_DISTRICT = ("network_id", "school_level", "school_set")


@dataclass(frozen=True)
class ProtectedTables:
    """The tables by name, and what the manifest says about their protection."""

    tables: dict[str, pl.DataFrame]
    summary: dict[str, Any]


def protected_tables(
    tables: Mapping[str, pl.DataFrame],
    minimum_n: int,
    earlier: Sequence[Mapping[str, pl.DataFrame]] = (),
    deadline_seconds: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
    hidden_places: Sequence[Mapping[str, str]] = (),
    memory: Memory | None = None,
) -> ProtectedTables:
    """Every table of a release, protected.

    `tables`: as dbt left them, with `counts`, `relations` and `districts` (code, minimum_n). `minimum_n`: of a district that
    says none. `earlier`: published tables of earlier releases, oldest first. After `deadline_seconds` more is hidden and less
    searched. `hidden_places`: indicator and columns of places at which everything that rests on the same counts is hidden;
    see `places`.
    `memory`: of an earlier call about nearly the same tables.
    """
    every = tables[VALUES].filter(pl.col("unit_type") == "district")
    counts, relations = tables["counts"], tables["relations"]
    minimum = _minimum(every, tables["districts"], minimum_n)
    known = known_from(every, counts, minimum, [_complete(release[VALUES]) for release in earlier if VALUES in release])
    values = every.filter(pl.Series(~known.held))
    left = ~known.held
    context, context_counts = _context_values(tables.get(_CONTEXT))
    n = values.height
    together = pl.concat([values, context], how="diagonal_relaxed")
    pad, unknown = np.zeros(context.height, dtype=bool), np.full(context.height, np.nan)
    found = suppress(
        together,
        pl.concat([counts, context_counts], how="diagonal_relaxed"),
        relations,
        minimum,
        hidden_before=np.concatenate(
            [known.hidden[left] | (at_places(values, hidden_places, families(counts)) & ~known.same[left]), pad]
        ),
        ranged_before=np.concatenate([known.ranged[left], pad]),
        told_before=[(np.concatenate([size[left], unknown]), np.concatenate([part[left], unknown])) for size, part in known.told],
        ranges_known=np.concatenate([known.same_range[left], pad]),
        moved=np.concatenate([known.moved[left], pad]),
        opened_for={
            role: np.concatenate([rows, pad]) for role, rows in roles_at_places(values, hidden_places, families(counts)).items()
        },
        memory=memory,
        deadline_seconds=DEADLINE_SECONDS if deadline_seconds is None else deadline_seconds,
        progress=progress,
    )
    state = found.state[:n].copy()
    _hide_differences(values, state)
    _hide_estimates(values, state, tables["indicators"], relations)
    shown = _shown(values, state, found, minimum, tables["indicators"])
    if known.held.any():
        latest = _complete(earlier[-1][VALUES])
        shown = pl.concat([shown, held_values(every, known.held, counts, latest)], how="diagonal_relaxed").select(shown.columns)
    protected: dict[str, pl.DataFrame | None] = dict(tables)
    protected[VALUES] = shown
    open_places = _open_places(shown, tables["indicators"])
    protected["link_backtest"] = _backtest(tables.get("link_backtest"), open_places)
    protected[_CONTEXT] = _shown_context(tables.get(_CONTEXT), together, found.state, n)
    protected["school_changes"] = _without_small_groups(tables.get("school_changes"), minimum)
    for name, key in _BESIDE.items():
        before = next((release[name] for release in reversed(earlier) if name in release), None)
        protected[name] = held_rows(protected[name], before, key, minimum)
    pairs = protected_comparisons(tables["comparisons"], shown, tables["verdicts"])
    if known.held.any():
        pairs = held_comparisons(
            pairs, shown, earlier[-1].get("comparisons"), every.filter(pl.Series(known.held)), tables["verdicts"]
        )
    protected["comparisons"] = pairs
    kept = {name: table for name, table in protected.items() if table is not None}
    return ProtectedTables(kept, _summary(values, state, found, counts, every.filter(pl.Series(known.held))))


def _minimum(values: pl.DataFrame, districts: pl.DataFrame, minimum_n: int) -> pl.DataFrame:
    """The minimum of every district: `district`, `minimum_n`."""
    own = pl.col("minimum_n").cast(pl.Int64) if "minimum_n" in districts.columns else pl.lit(None, dtype=pl.Int64)
    listed = districts.select(pl.col("code").alias("district"), pl.max_horizontal(own, pl.lit(minimum_n)).alias("minimum_n"))
    others = values.select("district").unique().join(listed, on="district", how="anti", nulls_equal=True)
    strictest = max([minimum_n, *listed["minimum_n"].to_list()])
    return pl.concat([listed, others.with_columns(pl.lit(strictest, dtype=pl.Int64).alias("minimum_n"))])


def _complete(values: pl.DataFrame) -> pl.DataFrame:
    """A published table of an older release with the columns that it lacks as nulls."""
    text = [name for name in (*VALUE_KEY, "symbol", "flags", "unit", "sources") if name not in values.columns]
    numbers = [name for name in (*NUMBERS, "at_least", "at_most") if name not in values.columns]
    return values.with_columns(
        *(pl.lit(None, dtype=pl.String).alias(name) for name in text),
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in numbers),
    )


def _hide_differences(values: pl.DataFrame, state: NDArray[np.int8]) -> None:
    """A difference or an average of shares falls where a share of the same place does: it would give that back."""
    is_share = (values["unit"] == "share").fill_null(value=False).to_numpy()
    place = ["indicator_id", *(name for name in PLACE if name != "subgroup")]
    hides = values.filter(pl.Series(is_share & np.isin(state, (RANGE, HIDDEN)))).select(*place, "subgroup").unique()
    is_difference = values["unit"].str.starts_with("difference").fill_null(value=False).to_numpy()
    rows = values.with_row_index("row").filter(pl.Series(is_difference & (state == SHOWN)))
    # The other side of a difference of groups is all students or the complement, so any group's share counts.
    fallen = rows.join(hides.select(place).unique(), on=place, how="semi", nulls_equal=True)
    state[fallen["row"].to_numpy()] = HIDDEN


def _open_places(values: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """Whole districts' places at which every count behind estimates is shown: base, district, school_year, grade, subgroup."""
    bases = indicators["estimated_from"].drop_nulls().unique().to_list() if "estimated_from" in indicators.columns else []
    whole = values.filter(pl.col("indicator_id").is_in(bases), *(pl.col(name).is_null() for name in _WHOLE_DISTRICT))
    by_place = whole.group_by(
        pl.col("indicator_id").alias("base"), "district", "school_year", "grade", "subgroup", maintain_order=True
    ).agg(pl.col("symbol").is_null().all().alias("is_open"))
    return by_place.filter("is_open").drop("is_open")


def _hide_estimates(values: pl.DataFrame, state: NDArray[np.int8], indicators: pl.DataFrame, relations: pl.DataFrame) -> None:
    """Estimates are shown only where every count behind them is."""
    if "estimated_from" not in indicators.columns:
        return
    bases = indicators.select("indicator_id", pl.col("estimated_from").replace("", None).alias("base")).drop_nulls()
    rows = values.with_row_index("row").filter(pl.Series(state == SHOWN)).join(bases, on="indicator_id", how="inner")
    if not rows.height:
        return
    current = values.with_columns(
        pl.when(pl.Series(np.isin(state, (RANGE, HIDDEN)))).then(pl.lit(CONFIDENTIAL)).otherwise(pl.col("symbol")).alias("symbol")
    )
    # Where the category names the indicator, its values of groups of schools are what is spread.
    by_category = rows.filter(base="category")
    hidden_groups = current.filter(pl.col("symbol") == CONFIDENTIAL, pl.col("network_id").is_not_null()).select(
        pl.col("indicator_id").alias("category"), "district", "school_year"
    )
    fallen = by_category.join(hidden_groups.unique(), on=["category", "district", "school_year"], how="semi")["row"].to_list()
    rest = rows.filter(pl.col("base") != "category")
    places = _open_places(current, indicators)
    on = ["base", "district", "school_year", "grade", "subgroup"]
    of_all = rest.with_columns(pl.col("subgroup").fill_null("all"))
    closed = of_all.join(places, on=on, how="anti", nulls_equal=True)["row"].to_list()
    partners = _partners(relations)
    gaps = of_all.filter(pl.col("unit") == "SD").join(partners, on="subgroup", how="inner")
    without = gaps.drop("subgroup").rename({"partner": "subgroup"}).join(places, on=on, how="anti", nulls_equal=True)
    occurring = current.select(pl.col("indicator_id").alias("base"), "district", "school_year", "grade", "subgroup").unique()
    closed += without.join(occurring, on=on, how="semi", nulls_equal=True)["row"].to_list()
    state[np.array(sorted({*fallen, *closed}), dtype=np.int64)] = HIDDEN


def _partners(relations: pl.DataFrame) -> pl.DataFrame:
    """Every student group with the groups that it shares all students with: subgroup, partner."""
    parts = relations.filter(column="subgroup").select("relation", pl.col("part").alias("subgroup"))
    return (
        parts.join(parts.rename({"subgroup": "partner"}), on="relation")
        .filter(pl.col("subgroup") != pl.col("partner"))
        .select("subgroup", "partner")
        .unique()
    )


def _shown(
    values: pl.DataFrame,
    state: NDArray[np.int8],
    found: Suppressed,
    minimum: pl.DataFrame,
    indicators: pl.DataFrame,
) -> pl.DataFrame:
    """The table with every number that may not be shown nulled, ranges and symbols in their columns."""
    hidden, ranged = pl.Series(state == HIDDEN), pl.Series(state == RANGE)
    # What has a symbol of its sender has no number, whatever may stand beside it.
    without = pl.Series((state == HIDDEN) | (state == ABSENT))
    n = values.height
    decided = values.with_columns(
        *(
            pl.when(without | (ranged if name in NOT_IN_A_RANGE else pl.lit(value=False)))
            .then(None)
            .otherwise(pl.col(name))
            .alias(name)
            for name in NUMBERS
        ),
        pl.when(ranged).then(pl.Series(found.at_least[:n])).alias("at_least"),
        pl.when(ranged).then(pl.Series(found.at_most[:n])).alias("at_most"),
        pl.when(hidden)
        .then(pl.lit(CONFIDENTIAL))
        .when(ranged)
        .then(pl.lit(IN_RANGE))
        .otherwise(pl.col("symbol"))
        .alias("symbol"),
        _with_flag(pl.Series(state == ABSENT) & (pl.col("symbol") == CONFIDENTIAL), WITHHELD),
    )
    decided = _without_small_refusals(decided, minimum)
    return _rounded(decided, indicators).with_columns(pl.col("at_least").cast(pl.Float64), pl.col("at_most").cast(pl.Float64))


def _with_flag(condition: pl.Expr, flag: str) -> pl.Expr:
    added = pl.concat_str([pl.col("flags"), pl.lit(flag)], separator="; ", ignore_nulls=True)
    return pl.when(condition).then(added).otherwise(pl.col("flags")).alias("flags")


def _without_small_refusals(values: pl.DataFrame, minimum: pl.DataFrame) -> pl.DataFrame:
    """Those who did not answer are a small group too: where they are few, or nobody, the response rate is not told."""
    known = values.join(minimum, on="district", how="left", maintain_order="left", nulls_equal=True)
    size = pl.coalesce("denominator", pl.col("n").cast(pl.Float64))
    few = (size / pl.col("response_rate") - size < pl.col("minimum_n")).fill_null(value=False) & (pl.col("response_rate") > 0)
    marked = known.with_columns(few.fill_null(value=False).alias("_few"))
    return marked.with_columns(
        pl.when("_few").then(None).otherwise(pl.col("response_rate")).alias("response_rate"),
        _with_flag(pl.col("_few"), RESPONSE_HIDDEN),
    ).drop("_few", "minimum_n")


def _rounded(values: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """Estimates from counts of schools, told to DECIMALS_OF_EVENNESS decimals."""
    if "estimated_from" not in indicators.columns:
        return values
    estimates = indicators.filter(pl.col("estimated_from").fill_null("") != "", counts="nothing")["indicator_id"].to_list()
    is_one = pl.col("indicator_id").is_in(estimates)
    return values.with_columns(
        pl.when(is_one).then(pl.col(name).round(DECIMALS_OF_EVENNESS)).otherwise(pl.col(name)).alias(name)
        for name in ("value", "standard_error", "lower", "upper")
    )


def _backtest(table: pl.DataFrame | None, places: pl.DataFrame) -> pl.DataFrame | None:
    """The back-test without the estimates and sizes of places where a count behind them is hidden."""
    if table is None or not table.height:
        return table
    here = places.filter(subgroup="all").select("district", "school_year", "grade").unique()
    marked = table.with_row_index("row")
    closed = marked.join(here, on=["district", "school_year", "grade"], how="anti")["row"].to_numpy()
    is_closed = np.zeros(table.height, dtype=bool)
    is_closed[closed] = True
    told = ("n", "linked_mean", "standard_error", "lower", "upper", "difference", "is_within")
    numbers = [name for name in told if name in table.columns]
    return table.with_columns(pl.when(pl.Series(is_closed)).then(None).otherwise(pl.col(name)).alias(name) for name in numbers)


def _context_values(context: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The counts of students in `district_context` as values, so that they are protected with all others, and their counts."""
    empty = pl.DataFrame(schema={"indicator_id": pl.String, "district": pl.String, "school_year": pl.String})
    counts = {
        "indicator_id": pl.String,
        "statistic": pl.String,
        "role": pl.String,
        "count": pl.String,
        "by": pl.String,
        "of": pl.String,
    }
    if context is None or not context.height:
        return empty, pl.DataFrame(schema=counts)
    columns = [name for name in context.columns if name.startswith("n_") and "schools" not in name and name != "n_enrolled"]
    rows = [
        context.with_row_index("_at").select(
            pl.lit(f"{_CONTEXT}.{name}").alias("indicator_id"),
            "district",
            "school_year",
            "school_level",
            pl.lit("district").alias("unit_type"),
            pl.lit("share").alias("unit"),
            pl.col(name).cast(pl.Float64).alias("numerator"),
            pl.col("n_enrolled").cast(pl.Float64).alias("denominator"),
            pl.col("n_enrolled").cast(pl.Int64).alias("n"),
            pl.when(pl.col("n_enrolled").is_null() | pl.col(name).is_null()).then(pl.lit("x")).alias("symbol"),
        )
        for name in columns
    ]
    declared = [
        {"indicator_id": f"{_CONTEXT}.{name}", "statistic": None, "role": role, "count": count, "by": "", "of": "students"}
        for name in columns
        for role, count in (("numerator", f"{_CONTEXT}.{name}"), ("denominator", f"{_CONTEXT}.n_enrolled"))
    ]
    return pl.concat(rows) if rows else empty, pl.DataFrame(declared, schema=counts)


def _shown_context(context: pl.DataFrame | None, together: pl.DataFrame, state: NDArray[np.int8], n: int) -> pl.DataFrame | None:
    """`district_context` without the counts whose value is hidden or in a range, and without the enrolment that a value hides."""
    if context is None or not context.height or together.height == n:
        return context
    columns = [name for name in context.columns if name.startswith("n_") and "schools" not in name and name != "n_enrolled"]
    states = dict(zip(columns, np.split(state[n:], len(columns)), strict=True))
    no_size = np.any([part == HIDDEN for part in states.values()], axis=0)
    shown = {name: pl.Series((part == SHOWN) | (part == ABSENT)) & ~pl.Series(no_size) for name, part in states.items()}
    return context.with_columns(
        *(pl.when(is_shown).then(pl.col(name)).alias(name) for name, is_shown in shown.items()),
        pl.when(~pl.Series(no_size)).then(pl.col("n_enrolled")).alias("n_enrolled"),
    )


def _without_small_groups(table: pl.DataFrame | None, minimum: pl.DataFrame) -> pl.DataFrame | None:
    """Null every count of students (`n_` but for `n_…schools…`) from 1 to below the minimum."""
    if table is None:
        return None
    students = [name for name in table.columns if name.startswith("n_") and "schools" not in name]
    joined = table.join(minimum, on="district", how="left", maintain_order="left", nulls_equal=True)
    small = (pl.col(name).is_between(1, pl.col("minimum_n") - 1).fill_null(value=False) for name in students)
    return joined.with_columns(
        pl.when(is_small).then(None).otherwise(pl.col(name)).alias(name) for name, is_small in zip(students, small, strict=True)
    ).drop("minimum_n")


def _summary(
    values: pl.DataFrame,
    state: NDArray[np.int8],
    found: Suppressed,
    counts: pl.DataFrame,
    held: pl.DataFrame,
) -> dict[str, Any]:
    """What protection cost, in shares of values and of students' information; numbers of values only, none of people."""
    has_number = state != ABSENT
    hidden, ranged = state == HIDDEN, state == RANGE
    of = counts.filter(role="denominator").group_by("indicator_id").agg((pl.col("of") == "students").any().alias("students"))
    students = values.join(of, on="indicator_id", how="left", maintain_order="left")["students"].fill_null(value=False).to_numpy()
    size = np.nan_to_num(
        values.select(pl.coalesce("denominator", pl.col("n").cast(pl.Float64))).to_series().fill_null(0).to_numpy()
    )
    weight = np.where(students & has_number, size, 0.0)
    total = max(int(has_number.sum()), 1)
    return {
        "n_values": int(has_number.sum()),
        "n_hidden": int(hidden.sum()),
        "n_ranges": int(ranged.sum()),
        "n_held": held.height,
        "held": _held_tables(held),
        "share_hidden": round(float(hidden.sum()) / total, 4),
        "share_in_ranges": round(float(ranged.sum()) / total, 4),
        # Told to the percent: with more decimals the share would nearly count those who are hidden where these are few.
        "share_of_students_hidden": round(float(weight[hidden].sum() / max(weight.sum(), 1.0)), 2),
        "n_cells": found.n_cells,
        "n_blocks": found.n_blocks,
        "n_blocks_at_the_deadline": found.n_late_blocks,
        "n_hidden_with_their_block": found.n_hidden_whole,
        # Of what is hidden for others, by weight: how much of it the exact program looked at, and how near the least it is.
        "share_proved": round(found.weight_bounded / found.weight, 4) if found.weight else 1.0,
        "gap_to_bound": round(found.weight_bounded / found.bound - 1, 4) if found.bound else 0.0,
    }


def _held_tables(held: pl.DataFrame) -> list[dict[str, Any]]:
    """What stays as it was published before: districts and years with their indicators."""
    of = held.group_by("district", "school_year").agg(pl.col("indicator_id").unique().sort().alias("indicators"))
    return of.sort("district", "school_year", nulls_last=False).to_dicts()
