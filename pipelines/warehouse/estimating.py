"""Counts at the levels of a test, as tables, made into estimates, as tables: one district and school year at a time.

Which file they come from and go to stands in `estimates`; the numerics stand in `pipelines.estimation`. Whether two estimates may
be compared does not belong here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from pipelines.estimation import (
    EstimationFailed,
    FixedCutsFit,
    NaepMoments,
    fit_fixed_cuts,
    fit_hetop,
    gap_v,
    interpolate_grades,
    interpolate_years,
    link_to_naep,
    naep_sd_from_shares,
    naep_years_for,
)
from pipelines.storage import canonical_json, sha256

Floats = NDArray[np.float64]

KEY = ("grade", "subgroup", "instrument", "administration")
TEST = ("grade", "instrument", "administration")
LEVELS = tuple(f"n_level_{level}" for level in range(1, 7))
ALL = "all"
POOLED_BELOW = 100
MINIMUM_LEVELS = 3
MINIMUM_SCHOOLS = 3
LINKED_GRADES = ("4", "5", "6", "7", "8")
# Achievement levels of NAEP mathematics: cut scores of Basic and Proficient by grade (National Assessment Governing Board).
NAEP_CUTS = {"4": (214.0, 249.0), "8": (262.0, 299.0)}
PLACE: dict[str, Any] = {"district": pl.String, "school_year": pl.String}
SCHEMAS: Mapping[str, dict[str, Any]] = {
    "positions": {
        **PLACE,
        "state": pl.String,
        **dict.fromkeys(KEY, pl.String),
        "n": pl.Int64,
        "position": pl.Float64,
        "position_se": pl.Float64,
        "spread": pl.Float64,
        "reason": pl.String,
        "linked_mean": pl.Float64,
        "linked_variance": pl.Float64,
        "link_reason": pl.String,
        "link_flags": pl.String,
        "sources": pl.String,
    },
    "gaps": {
        **PLACE,
        **dict.fromkeys(KEY, pl.String),
        "n": pl.Int64,
        "gap": pl.Float64,
        "gap_se": pl.Float64,
        "reason": pl.String,
        "sources": pl.String,
    },
    "evenness": {
        **PLACE,
        **dict.fromkeys(TEST, pl.String),
        "n": pl.Int64,
        "n_schools": pl.Int64,
        "between_share": pl.Float64,
        "between_share_se": pl.Float64,
        "reason": pl.String,
        "sources": pl.String,
    },
}


@dataclass(frozen=True)
class Counts:
    """What estimates are made from, as dbt left it: counts of districts, schools and states, NAEP of states, thresholds by id."""

    districts: pl.DataFrame
    schools: pl.DataFrame
    states: pl.DataFrame
    naep: pl.DataFrame
    thresholds: Mapping[str, float]

    def of(self, school_year: str, district: str) -> Counts:
        """The part that one district's estimates of one year depend on."""
        here = {"district": district, "school_year": school_year}
        own = self.districts.filter(**here).sort(KEY)
        of_state = pl.col("state").is_in(own["state"].unique().implode())
        return Counts(
            own,
            self.schools.filter(**here).sort(*TEST, "school_id"),
            self.states.filter(of_state & (pl.col("school_year") == school_year)).sort(TEST),
            self.naep.filter(of_state).sort("grade", "year"),
            self.thresholds,
        )

    def digest(self) -> str:
        """Changes whenever an estimate could."""
        tables = [sha256(_ipc(table)) for table in (self.districts, self.schools, self.states, self.naep)]
        return sha256(canonical_json([*tables, sorted(self.thresholds.items())]))


def estimated(part: Counts) -> dict[str, pl.DataFrame]:
    """The tables of SCHEMAS for one district and year."""
    made = {"positions": _positions(part), "gaps": _gaps(part), "evenness": _evenness(part)}
    return {name: pl.concat([pl.DataFrame(schema=SCHEMAS[name]), *_as_declared(frames, name)]) for name, frames in made.items()}


def _as_declared(frames: Iterator[pl.DataFrame], name: str) -> list[pl.DataFrame]:
    schema = SCHEMAS[name]
    return [
        frame.with_columns(pl.lit(None).alias(column) for column in schema if column not in frame.columns)
        .select(list(schema))
        .cast(pl.Schema(schema))
        .with_columns(pl.col(pl.Float64).fill_nan(None))
        for frame in frames
    ]


def _levels(rows: pl.DataFrame) -> Floats:
    """Counts of rows of one test, rows by levels; a level without anybody is 0."""
    names = LEVELS[: int(rows["n_levels"].item(0))]
    return rows.select(pl.col(name).fill_null(0).cast(pl.Float64) for name in names).to_numpy()


def _positions(part: Counts) -> Iterator[pl.DataFrame]:
    """Where each group of students stands in its own state, and on the scale of NAEP."""
    of_state = {tuple(row[name] for name in TEST): row for row in part.states.to_dicts()}
    moments = _naep_moments(part.naep, part.thresholds)
    for test, rows in part.districts.group_by(TEST, maintain_order=True):
        state = of_state.get(test)
        fitted = _in_state(rows, None if state is None else _state_levels(state), part.thresholds)
        anchor = moments.get((str(test[0]), _spring(str(rows["school_year"].item(0)))))
        sources = pl.col("sources") if state is None else pl.col("sources") + pl.lit(f"; {state['submission_id']}")
        yield _linked(fitted, anchor, part.thresholds).with_columns(sources, pl.col("n_in_levels").alias("n"))


def _spring(school_year: str) -> int:
    """The year in which tests of a school year are given: 2024 of 2023-24."""
    return int(school_year[:4]) + 1


def _state_levels(state: Mapping[str, Any]) -> Floats:
    return np.array([float(state[name] or 0) for name in LEVELS[: int(state["n_levels"])]])


def _in_state(rows: pl.DataFrame, state: Floats | None, thresholds: Mapping[str, float]) -> pl.DataFrame:
    """Rows of one test with position, position_se, spread and, where there is none, the reason."""
    few = pl.col("n_in_levels") < thresholds["minimum_gap_group"]
    total = 0.0 if state is None else float(state.sum())
    cuts = None if state is None else _state_cuts(state)
    rows = rows.with_columns(
        pl.when(pl.lit(state is None))
        .then(pl.lit("no_state_distribution"))
        .when(pl.lit(cuts is None))
        .then(pl.lit("state_level_empty"))
        .when(pl.col("n_in_levels") >= total)
        .then(pl.lit("larger_than_its_state"))
        .when(few)
        .then(pl.lit("group_too_small"))
        .when(_levels_are_incomplete(thresholds))
        .then(pl.lit("levels_incomplete"))
        .alias("reason")
    )
    usable = rows["reason"].is_null().to_numpy()
    found = dict.fromkeys(("position", "position_se", "spread", "_sampling_se"), np.full(rows.height, np.nan))
    if cuts is not None and usable.any():
        fit = _fitted(_levels(rows)[usable], cuts)
        share = fit.n / total
        # The state's mean holds the district's own students: what they err by moves both.
        rest = 1 / (total - fit.n)
        against_state = (1 - share) * np.sqrt(fit.se_mu_sample**2 + rest)
        fitted = (fit.mu, against_state, fit.sigma, fit.se_mu_sample)
        found = {name: _filled(usable, values) for name, values in zip(found, fitted, strict=True)}
    return rows.with_columns(pl.Series(name, values).fill_nan(None) for name, values in found.items()).with_columns(
        pl.when(pl.col("reason").is_null() & pl.col("position").is_null())
        .then(pl.lit("one_end_level"))
        .otherwise("reason")
        .alias("reason")
    )


def _levels_are_incomplete(thresholds: Mapping[str, float], suffix: str = "") -> pl.Expr:
    """Whether the levels of too many of the students tested are not known; who sent no count of them is believed."""
    covered = pl.col(f"n_in_levels{suffix}") >= thresholds["minimum_coverage"] * pl.col(f"n_tested{suffix}")
    return ~covered.fill_null(value=True)


def _state_cuts(state: Floats) -> Floats | None:
    """Where the levels begin in standard deviations of the state's students; None where a level holds nobody to tell it by."""
    if len(state) < MINIMUM_LEVELS or (state <= 0).any():
        return None
    cuts = np.asarray(ndtri(np.cumsum(state)[:-1] / state.sum()), dtype=np.float64)
    return cuts if np.isfinite(cuts).all() and (np.diff(cuts) > 0).all() else None


def _fitted(counts: Floats, cuts: Floats) -> FixedCutsFit:
    """Groups by levels on known cuts; a group on which the numerics fail has no estimate, and the others have theirs."""
    try:
        return fit_fixed_cuts(counts, cuts, pool_below=POOLED_BELOW)
    except EstimationFailed:
        # Counts that no test gives; rare enough to look for them one by one.
        can = np.array([_can_be_fitted(group, cuts) for group in counts])
        return fit_fixed_cuts(np.where(can[:, None], counts, 0.0), cuts, pool_below=POOLED_BELOW)


def _can_be_fitted(group: Floats, cuts: Floats) -> bool:
    try:
        fit_fixed_cuts(group, cuts)
    except EstimationFailed:
        return False
    return True


def _filled(usable: NDArray[np.bool_], values: Floats) -> Floats:
    filled = np.full(usable.shape, np.nan)
    filled[usable] = values
    return filled


@dataclass(frozen=True)
class _Anchor:
    """A state's NAEP moments of one grade and year, and what lies between them and a published result."""

    moments: NaepMoments
    flags: str | None


def _naep_moments(naep: pl.DataFrame, thresholds: Mapping[str, float]) -> dict[tuple[str, int], _Anchor]:
    """Anchors of one state by grade and spring, for every grade and year that published results reach."""
    published: dict[tuple[str, int], NaepMoments] = {}
    # Shares that leave nobody on one side of a cut, or are out of order, give no standard deviation and so no anchor.
    has_spread = (
        (pl.col("share_proficient") > 0) & (pl.col("share_proficient") < pl.col("share_basic")) & (pl.col("share_basic") < 1)
    )
    for row in naep.filter(has_spread, pl.col("mean").is_not_null()).to_dicts():
        spread = naep_sd_from_shares(row["share_basic"], row["share_proficient"], *NAEP_CUTS[row["grade"]])
        se = thresholds["assumed_state_mean_se"] if row["se"] is None else row["se"]
        as_arrays = (np.asarray(value, dtype=np.float64) for value in (row["mean"], spread.sd, se**2, spread.se**2))
        published[row["grade"], row["year"]] = NaepMoments(*as_arrays)
    anchors = {}
    for grade in LINKED_GRADES:
        ends = [grade] if grade in NAEP_CUTS else list(NAEP_CUTS)
        years = [{year for at, year in published if at == end} for end in ends]
        reached = set.intersection(*years)
        for spring in range(min(reached, default=0), max(reached, default=-1) + 1):
            near = naep_years_for(spring, reached)
            if near:
                of_years = [_at_grade(grade, {end: published[end, year] for end in ends}) for year in near]
                flags = ["between_grades"] * (len(ends) > 1) + ["between_years"] * (len(near) > 1)
                moments = of_years[0] if len(near) == 1 else interpolate_years(*of_years)
                anchors[grade, spring] = _Anchor(moments, "; ".join(flags) or None)
    return anchors


def _at_grade(grade: str, ends: Mapping[str, NaepMoments]) -> NaepMoments:
    if grade in ends:
        return ends[grade]
    low, high = ends["4"], ends["8"]
    return interpolate_grades(
        int(grade),
        mean_4=low.mean,
        mean_8=high.mean,
        sd_4=low.sd,
        sd_8=high.sd,
        var_mean_4=low.var_mean,
        var_mean_8=high.var_mean,
        var_sd_4=low.var_sd,
        var_sd_8=high.var_sd,
    )


def _linked(rows: pl.DataFrame, anchor: _Anchor | None, thresholds: Mapping[str, float]) -> pl.DataFrame:
    """Rows of one test with linked_mean, linked_variance (without the error of linking), link_reason and link_flags."""
    is_linked_grade = rows["grade"].item(0) in LINKED_GRADES
    why = "no_naep_anchor" if is_linked_grade else "grade_not_linked"
    reason = pl.when(pl.col("reason").is_not_null()).then(pl.col("reason"))
    if anchor is None:
        return rows.with_columns(reason.otherwise(pl.lit(why)).alias("link_reason"))
    link = link_to_naep(
        rows["position"].fill_null(0.0).to_numpy(),
        rows["_sampling_se"].fill_null(0.0).to_numpy(),
        naep_mean=anchor.moments.mean,
        naep_sd=anchor.moments.sd,
        se_naep_mean=np.sqrt(anchor.moments.var_mean),
        se_naep_sd=np.sqrt(anchor.moments.var_sd),
        reliability=thresholds["test_reliability"],
        linking_sd=0.0,
    )
    is_there = pl.col("position").is_not_null()
    return rows.with_columns(
        pl.when(is_there).then(pl.Series("linked_mean", link.mean)).alias("linked_mean"),
        pl.when(is_there).then(pl.Series("linked_variance", link.se_without_linking**2)).alias("linked_variance"),
        reason.alias("link_reason"),
        pl.when(is_there).then(pl.lit(anchor.flags)).alias("link_flags"),
    )


def _gaps(part: Counts) -> Iterator[pl.DataFrame]:
    """The gap of each group to its reference group, on one test."""
    n_tested = pl.coalesce("n_tested", "n_in_levels")
    covered = part.districts.with_columns(
        n_tested.filter(subgroup=ALL).first().over(TEST).alias("_n_all"),
        pl.col("n_in_levels").sum().over([*TEST, "dimension"]).alias("_n_groups"),
    )
    paired = covered.filter(pl.col("gap_reference").is_not_null()).join(
        part.districts.select(*TEST, pl.col("subgroup").alias("gap_reference"), *LEVELS, "n_in_levels", "n_tested"),
        on=[*TEST, "gap_reference"],
        how="left",
        suffix="_reference",
        maintain_order="left",
    )
    n = pl.min_horizontal("n_in_levels", pl.col("n_in_levels_reference").fill_null(0))
    is_covered = (pl.col("_n_groups") >= part.thresholds["minimum_coverage"] * pl.col("_n_all")).fill_null(value=False)
    is_incomplete = _levels_are_incomplete(part.thresholds) | _levels_are_incomplete(part.thresholds, "_reference")
    paired = paired.with_columns(
        n.alias("n"),
        pl.when(pl.col("n_in_levels_reference").is_null())
        .then(pl.lit("no_reference_group"))
        .when(~is_covered | is_incomplete)
        .then(pl.lit("groups_incomplete"))
        .when(n < part.thresholds["minimum_gap_group"])
        .then(pl.lit("group_too_small"))
        .when(pl.col("n_levels") < MINIMUM_LEVELS)
        .then(pl.lit("too_few_levels"))
        .alias("reason"),
    )
    for (n_levels,), rows in paired.group_by(["n_levels"], maintain_order=True):
        names = LEVELS[: int(str(n_levels))]
        usable = rows["reason"].is_null().to_numpy()
        gap, error = np.full(rows.height, np.nan), np.full(rows.height, np.nan)
        status = np.full(rows.height, "est", "<U14")
        if usable.any():
            of_group, of_reference = (
                rows.select(pl.col(f"{name}{suffix}").fill_null(0).cast(pl.Float64) for name in names).to_numpy()[usable]
                for suffix in ("", "_reference")
            )
            fit = gap_v(of_group, of_reference)
            gap[usable], error[usable], status[usable] = fit.v, fit.se, fit.status
        yield rows.with_columns(
            pl.Series("gap", gap).fill_nan(None),
            pl.Series("gap_se", error).fill_nan(None),
            pl.coalesce("reason", pl.Series("status", status).replace("est", None)).alias("reason"),
        )


def _evenness(part: Counts) -> Iterator[pl.DataFrame]:
    """The share of variance between the schools of a district, on one test and in one grade."""
    place = part.districts.select("district", "school_year", *TEST).unique(maintain_order=True)
    tests = place.filter(~pl.col("grade").str.contains("_"))
    schools = dict(part.schools.group_by(TEST, maintain_order=True))
    for test in tests.to_dicts():
        rows = schools.get(tuple(test[name] for name in TEST))
        if rows is None:
            yield pl.DataFrame([{**test, "reason": "no_school_levels"}])
            continue
        counts = _levels(rows)
        counts = counts[counts.sum(axis=1) >= 2]
        counts = counts[:, counts.sum(axis=0) > 0]
        share, error, reason = _between_share(counts)
        yield pl.DataFrame(
            [
                {
                    **test,
                    "n": int(counts.sum()),
                    "n_schools": len(counts),
                    "between_share": share,
                    "between_share_se": error,
                    "reason": reason,
                    "sources": rows["submission_id"].item(0),
                }
            ]
        )


def _between_share(counts: Floats) -> tuple[float | None, float | None, str | None]:
    """Share, standard error, and why there is none. `counts`: schools by levels, every level reached by somebody."""
    if len(counts) < MINIMUM_SCHOOLS:
        return None, None, "too_few_schools"
    if counts.shape[1] < MINIMUM_LEVELS or ((counts > 0).sum(axis=1) >= MINIMUM_LEVELS).sum() < MINIMUM_SCHOOLS:
        return None, None, "too_few_levels"
    try:
        fit = fit_hetop(counts).standardized()
    except EstimationFailed:
        return None, None, "not_estimable"
    return max(fit.icc, 0.0), fit.se_icc, None


def _ipc(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_ipc(buffer)
    return buffer.getvalue()
