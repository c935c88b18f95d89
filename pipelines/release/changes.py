"""What changed between two releases, from their published tables alone, and because of which submissions. Pure.

What is said of it on the command line or in a briefing is made from `as_json` and `sentences`; how that looks does not belong
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.release.folder import VALUE_KEY, VALUES, ReleaseFolder

APPEARED, GONE, CHANGED = "appeared", "gone", "changed"
NEWLY_HIDDEN, NO_LONGER_HIDDEN = "newly_hidden", "no_longer_hidden"
KINDS = {
    APPEARED: "appeared",
    GONE: "gone",
    CHANGED: "changed",
    NEWLY_HIDDEN: "newly hidden",
    NO_LONGER_HIDDEN: "no longer hidden",
}
NUMBERS = (
    *("numerator", "denominator", "value", "standard_error", "lower", "upper"),
    *("n", "n_schools", "response_rate", "at_least", "at_most"),
)
TEXTS = ("symbol", "flags", "definition_version", "unit")
# Two builds may add the same numbers in another order.
SAME = 1e-9
_SEPARATOR = "; "
_ELSE = {
    "code_version": "the code",
    "contract_versions": "contracts of extracts",
    "rule_versions": "rules for extracts",
    "minimum_n": "the smallest group that is shown",
}


@dataclass(frozen=True)
class Changes:
    """What changed from one release (None: there was none before) to another.

    `values`: one row a value that is not the same, with the columns of VALUE_KEY, `change` (one of KINDS), `value_before`,
    `value_after`, `symbol_before`, `symbol_after`, `sources_before`, `sources_after`, and `because`: the submissions that came
    or went between the releases and stand behind the value, a list that is empty where the submissions are the same.
    `new`, `gone`: ids of submissions; `replaced`: by the id of a new one that whose place it took. `otherwise`: what else the
    releases were made with that differs, in words. `held`: districts and years (with `indicators`) that the later release shows
    as they were published before, because too few people changed.
    """

    before_id: str | None
    after_id: str
    values: pl.DataFrame
    n_values: int
    new: tuple[str, ...]
    gone: tuple[str, ...]
    otherwise: tuple[str, ...]
    replaced: Mapping[str, str]
    held: tuple[Mapping[str, Any], ...]

    @property
    def totals(self) -> dict[str, int]:
        """Number of values by kind of change; every kind is there."""
        found = dict(self.values.group_by("change").len().iter_rows())
        return {kind: int(found.get(kind, 0)) for kind in KINDS}

    @property
    def n_without_new_submission(self) -> int:
        """How many values changed although the submissions behind them are the same."""
        return self.values.filter(pl.col("because").list.len() == 0).height


def changes_between(before: ReleaseFolder | None, after: ReleaseFolder) -> Changes:
    """What changed from `before` to `after`; without `before` every value appeared. Raises UnusableRelease."""
    later = _shaped(after.tables[VALUES])
    earlier = _shaped(before.tables[VALUES]) if before is not None else later.clear()
    both = earlier.with_columns(pl.lit(value=True).alias("_is_in")).join(
        later.with_columns(pl.lit(value=True).alias("_is_in")),
        on=list(VALUE_KEY),
        how="full",
        nulls_equal=True,
        coalesce=True,
        suffix="_after",
    )
    inputs_before = _inputs(before.manifest, earlier) if before is not None else set()
    inputs_after = _inputs(after.manifest, later)
    new, gone = sorted(inputs_after - inputs_before), sorted(inputs_before - inputs_after)
    came = (
        pl.col("sources_after").fill_null("").str.split(_SEPARATOR).list.set_intersection(pl.lit(new, dtype=pl.List(pl.String)))
    )
    went = pl.col("sources").fill_null("").str.split(_SEPARATOR).list.set_intersection(pl.lit(gone, dtype=pl.List(pl.String)))
    changed = (
        both.with_columns(_change().alias("change"))
        .filter(pl.col("change").is_not_null())
        .with_columns(came.list.set_union(went).list.sort().alias("because"))
        .rename({"value": "value_before", "symbol": "symbol_before", "sources": "sources_before"})
        .select(
            *(*VALUE_KEY, "change", "value_before", "value_after", "symbol_before", "symbol_after"),
            *("sources_before", "sources_after", "because"),
        )
        .sort(*VALUE_KEY, nulls_last=False)
    )
    otherwise = [words for name, words in _ELSE.items() if before and before.manifest.get(name) != after.manifest.get(name)]
    before_id = before.release_id if before is not None else None
    there_before = {_place(submission_id): submission_id for submission_id in sorted(inputs_before)}
    replaced = {one: there_before[_place(one)] for one in new if _place(one) in there_before}
    held = tuple((after.manifest.get("protection") or {}).get("held", ())) if before is not None else ()
    return Changes(before_id, after.release_id, changed, later.height, tuple(new), tuple(gone), tuple(otherwise), replaced, held)


def by_indicator_and_district(changes: Changes) -> pl.DataFrame:
    """One row an indicator and district in which something changed: number of values by kind of change."""
    counted = [(pl.col("change") == kind).sum().cast(pl.Int64).alias(kind) for kind in KINDS]
    return changes.values.group_by("indicator_id", "district").agg(counted).sort("indicator_id", "district")


def by_submission(changes: Changes) -> list[dict[str, Any]]:
    """Every submission that came or went: `submission_id`, `is_new`, `replaces` (the one that it took the place of, or None) and
    the number of values by kind of change behind which it stands. One that was replaced is named by its successor only.
    """
    spread = changes.values.select("change", "because").explode("because").rename({"because": "submission_id"})
    counted = {
        (row["submission_id"], row["change"]): row["len"]
        for row in spread.drop_nulls().group_by("submission_id", "change").len().to_dicts()
    }
    successors = {_place(submission_id) for submission_id in changes.new}
    told = [(submission_id, True) for submission_id in changes.new]
    told += [(submission_id, False) for submission_id in changes.gone if _place(submission_id) not in successors]
    return [
        {
            "submission_id": submission_id,
            "is_new": is_new,
            "replaces": changes.replaced.get(submission_id) if is_new else None,
            **{kind: counted.get((submission_id, kind), 0) for kind in KINDS},
        }
        for submission_id, is_new in sorted(told)
    ]


def as_json(changes: Changes, has_values: bool = False) -> dict[str, Any]:
    """Everything as plain JSON types; single values only where `has_values`."""
    told: dict[str, Any] = {
        "release_id": changes.after_id,
        "before": changes.before_id,
        "n_values": changes.n_values,
        "changes": changes.totals,
        "by_indicator_and_district": by_indicator_and_district(changes).to_dicts(),
        "submissions": by_submission(changes),
        "without_new_submission": changes.n_without_new_submission,
        "made_differently": list(changes.otherwise),
        "held": [dict(one) for one in changes.held],
    }
    if has_values:
        told["values"] = changes.values.to_dicts()
    return told


def sentences(told: Mapping[str, Any]) -> list[str]:
    """What changed, in plain words: one line on the values, then why. `told` as `as_json` gives it."""
    if told["before"] is None:
        return [f"Release {told['release_id']} is the first: {told['n_values']:,} values, nothing to compare them with."]
    if not any(told["changes"].values()):
        lines = [f"No value of release {told['release_id']} differs from release {told['before']}."]
    else:
        lines = [f"From release {told['before']} to {told['release_id']}: {counts_in_words(told['changes'])}."]
    for entry in told["submissions"]:
        what = "came" if entry["is_new"] else "is not in it any more"
        if entry["replaces"]:
            what = f"took the place of {entry['replaces'].rsplit('/', 1)[-1]}"
        effect = counts_in_words(entry) or "no value that is published changed with it"
        lines.append(f"{entry['submission_id']} {what}: {effect}.")
    if told["held"]:
        tables = [f"{one['district']} {one['school_year']} ({', '.join(one['indicators'])})" for one in told["held"]]
        lines.append(f"Held as published before, since too few people changed to show it: {'; '.join(tables)}.")
    left = told["without_new_submission"]
    if left:
        otherwise = told["made_differently"]
        lines.append(
            f"{left:,} {'value' if left == 1 else 'values'} of these changed although the submissions behind "
            f"{'it' if left == 1 else 'them'} are the same: definitions, or what is hidden to protect others, changed."
            + (f" These releases were also made with different versions of {_listed(otherwise)}." if otherwise else "")
        )
    return lines


def counts_in_words(counts: Mapping[str, Any]) -> str:
    """'3 values appeared, 12 changed'; empty where nothing is counted."""
    found = [(counts[kind], words) for kind, words in KINDS.items() if counts[kind]]
    parts = [f"{n:,} {words}" for n, words in found]
    if parts:
        n, words = found[0]
        parts[0] = f"{n:,} {'value' if n == 1 else 'values'} {words}"
    return ", ".join(parts)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _place(submission_id: str) -> str:
    return submission_id.rsplit("/", 1)[0]


def _shaped(values: pl.DataFrame) -> pl.DataFrame:
    """The columns that are compared, those of an older release that lacks one filled with nulls."""
    text, numbers = (*VALUE_KEY, *TEXTS, "sources"), NUMBERS
    return values.select(
        *(_or_null(values, name, pl.String) for name in text),
        *(_or_null(values, name, pl.Float64) for name in numbers),
    )


def _or_null(values: pl.DataFrame, name: str, dtype: Any) -> pl.Expr:
    found = pl.col(name).cast(dtype, strict=False) if name in values.columns else pl.lit(None, dtype=dtype)
    return found.alias(name)


def _inputs(manifest: Mapping[str, Any], values: pl.DataFrame) -> set[str]:
    """The submissions that a release is made from: as its manifest names them, and as its values do."""
    listed = manifest.get("inputs")
    named = {str(entry["submission_id"]) for entry in listed if "submission_id" in entry} if isinstance(listed, list) else set()
    behind = values["sources"].drop_nulls().unique().str.split(_SEPARATOR).explode().drop_nulls().unique()
    return named | {name for name in behind if name}


def _change() -> pl.Expr:
    """The kind of change of one joined row, null where nothing changed."""
    hidden = {None: 0, "r": 1, "c": 2}

    def rank(column: str) -> pl.Expr:
        return (
            pl.when(pl.col(column).is_null())
            .then(hidden[None])
            .when(pl.col(column) == "r")
            .then(hidden["r"])
            .when(pl.col(column) == "c")
            .then(hidden["c"])
        )

    is_other = pl.any_horizontal(
        *(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in TEXTS),
        *(_is_other_number(pl.col(name), pl.col(f"{name}_after")) for name in NUMBERS),
    )
    before, after = rank("symbol"), rank("symbol_after")
    return (
        pl.when(pl.col("_is_in").is_null())
        .then(pl.lit(APPEARED))
        .when(pl.col("_is_in_after").is_null())
        .then(pl.lit(GONE))
        .when(after > before)
        .then(pl.lit(NEWLY_HIDDEN))
        .when(after < before)
        .then(pl.lit(NO_LONGER_HIDDEN))
        .when(is_other)
        .then(pl.lit(CHANGED))
    )


def _is_other_number(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    size = pl.max_horizontal(before.abs(), after.abs(), 1.0)
    is_one_missing = before.is_null() != after.is_null()
    return is_one_missing | ((before - after).abs() > SAME * size).fill_null(value=False)
