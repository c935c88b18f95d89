"""Values over the years: which may be joined by a line, and what changed where they may not.

Pure; drawing belongs to `charts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from pipelines.wording.amounts import is_range
from pipelines.wording.labels import listed

# What makes two years of an indicator comparable with itself.
MEASURED = {"instrument": "the instrument", "definition_version": "the definition"}


@dataclass(frozen=True)
class Break:
    """A change between two years: the years on both sides, and what changed, or why no line joins them, in words."""

    before: str
    after: str
    changed: tuple[str, ...] = ()
    reason: str | None = None
    is_trend_break: bool = True


def runs(rows: pl.DataFrame, continuity: Mapping[str, str]) -> tuple[pl.DataFrame, list[Break]]:
    """One district's values over the years, cut wherever a line may not be drawn, and the changes between the cuts.

    `rows` has one value a year and version, with `school_year`, `value` and the fields of `continuity` (field: what changed, in
    words); years without a value are dropped. Adds `start` and `run`: neighbours in one run are consecutive years in which
    all fields stay the same.
    """
    sitting = [field for field in ("administration",) if field in rows.columns]
    key = pl.concat_str([pl.col(field).fill_null("?") for field in [*continuity, *sitting]], separator="\x1f")
    numbered = (
        rows.filter(pl.col("value").is_not_null())
        .with_columns(start=pl.col("school_year").str.slice(0, 4).cast(pl.Int64), key=key)
        .sort("key", "start")
        .with_columns(gap=(pl.col("start").diff().over("key") != 1).fill_null(True))
        .with_columns(run=pl.col("gap").cum_sum())
        .drop("gap")
    )
    versions = (
        rows.with_columns(key=key)
        .group_by("key", *continuity)
        .agg(pl.col("school_year").min().alias("first"), pl.col("school_year").max().alias("last"))
        .sort("first", "last")
        .to_dicts()
    )
    found = []
    for earlier, later in pairwise(versions):
        changed = tuple(words for field, words in continuity.items() if earlier[field] != later[field])
        if earlier["last"] < later["first"] and changed:
            found.append(Break(earlier["last"], later["first"], changed))
    return numbered.sort("start", "run"), found


def ranges(rows: pl.DataFrame) -> pl.DataFrame:
    """The years of `rows` that show a protected range in place of a value, with `start`; no line joins them to anything."""
    return rows.filter(is_range()).with_columns(start=pl.col("school_year").str.slice(0, 4).cast(pl.Int64)).sort("start")


TREND_BREAK = "trend_break"
# Verdicts after which a line may join two years: they may be compared, or only their errors are unknown.
_JOINED = ("too_close_to_call", "comparable_with_linking_error", "directly_comparable", "uncertainty_unknown")


def runs_by_verdicts(rows: pl.DataFrame, verdicts: pl.DataFrame) -> tuple[pl.DataFrame, list[Break]]:
    """As `runs`, but cut where the verdict between two consecutive years says that they may not be compared.

    `rows` has one value a year of one district; `verdicts` its pairs of years (`release_data.over_years`). Consecutive years
    without a verdict are not joined.
    """
    judged = verdicts.select(
        pl.col("other_school_year").alias("before"),
        "school_year",
        pl.col("verdict").alias("_verdict"),
        pl.col("reason").alias("_reason"),
    ).unique(["before", "school_year"], keep="first", maintain_order=True)
    joined = (
        rows.filter(pl.col("value").is_not_null())
        .with_columns(start=pl.col("school_year").str.slice(0, 4).cast(pl.Int64))
        .sort("start")
        .with_columns(before=pl.col("school_year").shift(1), gap=(pl.col("start").diff() != 1).fill_null(True))
        .join(judged, on=["before", "school_year"], how="left", maintain_order="left")
        .with_columns(cut=pl.col("gap") | ~pl.col("_verdict").is_in(_JOINED).fill_null(False))
        .with_columns(run=pl.col("cut").cum_sum())
    )
    refused = joined.filter(pl.col("before").is_not_null() & ~pl.col("_verdict").is_in([*_JOINED, "no_data", "suppressed"]))
    told = refused.select("before", "school_year", "_reason", "_verdict").rows()
    found = [Break(before, after, (), why, verdict == TREND_BREAK) for before, after, why, verdict in told]
    return joined.drop("before", "gap", "_verdict", "_reason", "cut"), found


def break_sentence(change: Break) -> str:
    """What a break means, in words."""
    if change.reason:
        head = "Break in the trend" if change.is_trend_break else "No line"
        return f"{head} between {change.before} and {change.after}. {change.reason}"
    return (
        f"Between {change.before} and {change.after} {listed(change.changed)} changed: values before and after are not on one "
        "scale, so no line joins them."
    )


def break_sentences(breaks: Sequence[Break], *, has_reasons: bool = True) -> list[str]:
    """What some breaks mean, those of one reason in one sentence; `has_reasons`: why a line is missing is not said elsewhere."""
    by_reason: dict[tuple[str | None, bool], list[Break]] = {}
    for change in breaks:
        is_said = change.is_trend_break or has_reasons
        by_reason.setdefault((change.reason if is_said or not change.reason else "", change.is_trend_break), []).append(change)
    told: list[str] = []
    for (reason, is_trend_break), same in by_reason.items():
        if reason is None:
            told += map(break_sentence, same)
            continue
        head = "Break in the trend" if is_trend_break else "No line"
        between = listed([f"from {change.before} to {change.after}" for change in same])
        told.append(f"{head} {between}. {reason}".strip())
    return told
