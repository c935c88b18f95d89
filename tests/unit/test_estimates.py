"""Estimates between two layers of dbt: what is made of counts, when it is made again, and what becomes of a killed call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from pipelines.settings import Settings
from pipelines.storage import Storage
from pipelines.warehouse import estimates
from pipelines.warehouse.estimating import SCHEMAS, Counts, estimated

THRESHOLDS = {
    "minimum_gap_group": 20.0,
    "minimum_coverage": 0.95,
    "assumed_state_mean_se": 1.0,
    "test_reliability": 0.9,
}
CUTS = np.array([-0.8, 0.0, 0.9])
DISTRICT = ("illyria", "2023-24")


def level_counts(mean: float, sd: float, n: int) -> dict[str, int | None]:
    """Counts of a normal distribution at four levels, rounded so that they add up."""
    shares = np.diff(np.concatenate([[0], norm.cdf(CUTS, mean, sd), [1]]))
    counts = np.floor(shares * n).astype(int)
    counts[1] += n - counts.sum()
    return {f"n_level_{level}": int(count) for level, count in enumerate(counts, start=1)} | {
        "n_level_5": None,
        "n_level_6": None,
    }


def group(subgroup: str, mean: float, sd: float, n: int, grade: str = "4", **changed: Any) -> dict[str, Any]:
    references = {"low_income": ("income", "not_low_income"), "not_low_income": ("income", None), "all": ("all", None)}
    dimension, reference = references[subgroup]
    row = {
        "district": DISTRICT[0],
        "state": "IL",
        "school_year": DISTRICT[1],
        "grade": grade,
        "subgroup": subgroup,
        "dimension": dimension,
        "gap_reference": reference,
        "instrument": "t",
        "administration": "spring",
        "sources": "own",
        "n_levels": 4,
        "n_tested": n,
        "n_in_levels": n,
        **level_counts(mean, sd, n),
    }
    return row | changed


def school(name: str, mean: float, n: int, grade: str = "4") -> dict[str, Any]:
    return {
        "district": DISTRICT[0],
        "school_year": DISTRICT[1],
        "school_id": name,
        "grade": grade,
        "instrument": "t",
        "administration": "spring",
        "submission_id": "own",
        "n_levels": 4,
        **level_counts(mean, 0.9, n),
    }


def state(grade: str = "4", n: int = 1_000_000) -> dict[str, Any]:
    return {
        "state": "IL",
        "school_year": DISTRICT[1],
        "grade": grade,
        "instrument": "t",
        "administration": "spring",
        "submission_id": "states",
        "n_levels": 4,
        "n_enrolled": n,
        "n_tested": n,
        **level_counts(0.0, 1.0, n),
    }


TYPES = {f"n_level_{level}": pl.Int64() for level in range(1, 7)} | {
    "se": pl.Float64(),
    "gap_reference": pl.String(),
    "n_tested": pl.Int64(),
}
# Published shares of a state with mean 237 and standard deviation 33.
NAEP = [
    {"state": "IL", "grade": "4", "year": year, "mean": 237.0, "share_basic": 0.7569, "share_proficient": 0.3581, "se": None}
    for year in (2022, 2024)
]


def counts(
    districts: list[dict[str, Any]],
    schools: list[dict[str, Any]] | None = None,
    states: list[dict[str, Any]] | None = None,
    naep: list[dict[str, Any]] | None = None,
) -> Counts:
    def frame(rows: list[dict[str, Any]], like: dict[str, Any]) -> pl.DataFrame:
        overrides = {name: kind for name, kind in TYPES.items() if name in like}
        return pl.DataFrame(rows or [like], schema_overrides=overrides, infer_schema_length=None)[: len(rows)]

    return Counts(
        frame(districts, group("all", 0, 1, 100)),
        frame(schools or [], school("1", 0, 100)),
        frame([state()] if states is None else states, state()),
        frame(NAEP if naep is None else naep, NAEP[0]),
        THRESHOLDS,
    )


def positions(part: Counts) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["grade"], row["subgroup"]): row for row in estimated(part)["positions"].to_dicts()}


def test_a_position_is_the_mean_in_the_states_standard_deviations() -> None:
    row = positions(counts([group("all", -0.3, 0.85, 50_000)]))["4", "all"]
    assert row["position"] == pytest.approx(-0.3, abs=2e-3)
    assert row["spread"] == pytest.approx(0.85, abs=2e-3)
    # Full scores would have .85 / sqrt(50,000) = .0038; levels say a little less, and the district is a part of its state.
    assert 0.0036 < row["position_se"] < 0.0045
    assert (row["n"], row["reason"], row["sources"]) == (50_000, None, "own; states")


def test_a_linked_mean_is_the_position_on_the_scale_of_naep() -> None:
    row = positions(counts([group("all", -0.3, 0.85, 50_000)]))["4", "all"]
    # By hand: 237 - .3 / sqrt(.9) x 33 = 226.56; the standard deviation of the state comes from rounded shares.
    assert row["linked_mean"] == pytest.approx(226.56, abs=0.15)
    assert row["linked_variance"] == pytest.approx(1.0 + 33**2 * row["position_se"] ** 2 / 0.9, rel=0.15)
    assert (row["link_reason"], row["link_flags"]) == (None, None)


@pytest.mark.parametrize(
    ("grade", "school_year", "years", "reason", "flags"),
    [
        ("4", "2023-24", (2022, 2024), None, None),
        ("4", "2022-23", (2022, 2024), None, "between_years"),
        ("5", "2023-24", (2022, 2024), None, "between_grades"),
        ("5", "2022-23", (2022, 2024), None, "between_grades; between_years"),
        ("3", "2023-24", (2022, 2024), "grade_not_linked", None),
        ("4", "2024-25", (2022, 2024), "no_naep_anchor", None),
        ("4", "2020-21", (2019, 2022), "no_naep_anchor", None),
    ],
)
def test_what_is_linked(grade: str, school_year: str, years: tuple[int, int], reason: str | None, flags: str | None) -> None:
    naep = [row | {"year": year, "grade": of} for row, year in zip(NAEP, years, strict=True) for of in ("4", "8")]
    naep = [row | ({"mean": 277.0, "share_basic": 0.65, "share_proficient": 0.28} if row["grade"] == "8" else {}) for row in naep]
    at = {"grade": grade, "school_year": school_year}
    part = counts([group("all", 0.0, 1.0, 9_000, **at)], states=[state() | at], naep=naep)
    row = positions(part)[grade, "all"]
    assert (row["link_reason"], row["link_flags"]) == (reason, flags)
    assert (row["linked_mean"] is None) == (reason is not None)
    if grade == "5" and reason is None:
        assert row["linked_mean"] == pytest.approx(247.0, abs=0.1)


def test_what_has_no_position_says_why() -> None:
    at_bottom = {"n_level_1": 40, "n_level_2": 0, "n_level_3": 0, "n_level_4": 0}
    rows = positions(
        counts(
            [
                group("all", 0.0, 1.0, 5_000),
                group("low_income", 0.0, 1.0, 19),
                group("not_low_income", 0.0, 1.0, 4_000, n_tested=4_981),
                group("all", 0.0, 1.0, 40, grade="5", **at_bottom),
                group("all", 0.0, 1.0, 5_000, grade="6"),
            ],
            states=[state(), state("5")],
        )
    )
    assert {key: row["reason"] for key, row in rows.items()} == {
        ("4", "all"): None,
        ("4", "low_income"): "group_too_small",
        ("4", "not_low_income"): "levels_incomplete",
        ("5", "all"): "one_end_level",
        ("6", "all"): "no_state_distribution",
    }
    for row in rows.values():
        assert (row["position"] is None) == (row["reason"] is not None) == (row["linked_mean"] is None)


def test_counts_that_no_test_gives_take_nothing_with_them() -> None:
    absurd = {
        "n_level_1": 0,
        "n_level_2": 10**12,
        "n_level_3": 1,
        "n_level_4": 10**12,
        "n_in_levels": 2 * 10**12 + 1,
        "n_tested": None,
    }
    rows = positions(counts([group("all", 0.0, 1.0, 5_000), group("low_income", 0.0, 1.0, 100, **absurd)]))
    assert rows["4", "all"]["position"] == pytest.approx(0.0, abs=2e-3)


def test_gaps() -> None:
    part = counts(
        [group("all", 0.0, 1.0, 5_000), group("low_income", -0.4, 1.0, 2_000), group("not_low_income", 0.3, 0.9, 3_000)]
    )
    [row] = estimated(part)["gaps"].to_dicts()
    # V of N(-.4, 1) against N(.3, .9): -.7 / sqrt((1 + .81) / 2).
    assert row["gap"] == pytest.approx(-0.7 / np.sqrt((1 + 0.81) / 2), abs=3e-3)
    assert (row["subgroup"], row["n"], row["reason"]) == ("low_income", 2_000, None)


def test_gaps_stand_on_the_students_tested_and_not_on_those_whose_levels_are_known() -> None:
    groups = [group("all", 0, 1, 5_000), group("low_income", -0.4, 1.0, 2_000), group("not_low_income", 0.3, 0.9, 3_000)]
    [whole] = estimated(counts(groups))["gaps"].to_dicts()
    assert whole["reason"] is None
    half = [row | {"n_tested": 2 * row["n_tested"]} for row in groups]
    [row] = estimated(counts(half))["gaps"].to_dicts()
    assert row["reason"] == "groups_incomplete"
    [row] = estimated(counts(groups[1:]))["gaps"].to_dicts()
    assert row["reason"] == "groups_incomplete", "without all students it is not known whom the groups leave out"
    [row] = estimated(counts(groups[:2]))["gaps"].to_dicts()
    assert row["reason"] == "no_reference_group"
    two_levels = [row | {"n_levels": 2} for row in groups]
    [row] = estimated(counts(two_levels, states=[state() | {"n_levels": 2}]))["gaps"].to_dicts()
    assert row["reason"] == "too_few_levels"


@pytest.mark.parametrize(
    "wrong", [{"n_level_1": 0}, {"n_level_1": 9 * 10**17, "n_level_2": 1, "n_level_3": 1, "n_level_4": 1}, {"n_levels": 2}]
)
def test_a_state_that_gives_no_cuts_gives_no_position(wrong: dict[str, int]) -> None:
    row = positions(counts([group("all", 0, 1, 5_000)], states=[state() | wrong]))["4", "all"]
    assert (row["position"], row["reason"]) == (None, "state_level_empty")


def test_a_district_cannot_be_larger_than_its_state() -> None:
    row = positions(counts([group("all", 0, 1, 5_000)], states=[state(n=4_000)]))["4", "all"]
    assert (row["position"], row["reason"]) == (None, "larger_than_its_state")


@pytest.mark.parametrize("shares", [(1.0, 0.4), (0.5, 0.0), (0.4, 0.4), (None, 0.4)])
def test_naep_shares_that_give_no_spread_give_no_anchor(shares: tuple[float | None, float]) -> None:
    naep = [row | {"share_basic": shares[0], "share_proficient": shares[1]} for row in NAEP]
    row = positions(counts([group("all", 0, 1, 5_000)], naep=naep))["4", "all"]
    assert (row["linked_mean"], row["link_reason"]) == (None, "no_naep_anchor")


@pytest.mark.parametrize(
    ("n_low", "n_not", "reason"), [(19, 4_981, "group_too_small"), (2_000, 2_700, "groups_incomplete"), (2_000, 2_750, None)]
)
def test_gaps_that_are_not_estimated(n_low: int, n_not: int, reason: str | None) -> None:
    part = counts([group("all", 0, 1, 5_000), group("low_income", -0.4, 1.0, n_low), group("not_low_income", 0.3, 0.9, n_not)])
    [row] = estimated(part)["gaps"].to_dicts()
    assert row["reason"] == reason
    assert (row["gap"] is None) == (row["gap_se"] is None) == (reason is not None)


def test_evenness_is_the_share_between_schools() -> None:
    means = np.linspace(-0.6, 0.6, 30)
    part = counts([group("all", 0, 1, 30 * 400)], schools=[school(f"{i}", mean, 400) for i, mean in enumerate(means)])
    [row] = estimated(part)["evenness"].to_dicts()
    between = means.var()
    assert row["between_share"] == pytest.approx(between / (between + 0.81), abs=0.004)
    assert (row["n"], row["n_schools"], row["reason"]) == (12_000, 30, None)


def test_evenness_that_is_not_estimated() -> None:
    part = counts(
        [group("all", 0, 1, 900), group("all", 0, 1, 900, grade="5")], schools=[school("1", 0, 400), school("2", 0, 500)]
    )
    reasons = {row["grade"]: row["reason"] for row in estimated(part)["evenness"].to_dicts()}
    assert reasons == {"4": "too_few_schools", "5": "no_school_levels"}


def test_nothing_sent_gives_tables_without_rows() -> None:
    made = estimated(counts([]))
    assert {name: table.height for name, table in made.items()} == {"positions": 0, "gaps": 0, "evenness": 0}
    assert {name: dict(table.schema) for name, table in made.items()} == {name: dict(pl.Schema(s)) for name, s in SCHEMAS.items()}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, work=tmp_path / "work")


def two_districts() -> Counts:
    rows = [group("all", 0.1, 1.0, 5_000), group("all", -0.1, 1.0, 5_000, district="verona", state="NY")]
    return counts(rows, states=[state(), state() | {"state": "NY"}])


def brought(settings: Settings, monkeypatch: pytest.MonkeyPatch, given: Counts) -> list[tuple[str, str]]:
    monkeypatch.setattr(estimates, "read_counts", lambda _: given)
    return estimates.bring_estimates_up_to_date(settings)


def test_only_what_changed_is_estimated_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    given = two_districts()
    both = [("2023-24", "illyria"), ("2023-24", "verona")]
    assert brought(settings, monkeypatch, given) == both
    assert brought(settings, monkeypatch, given) == []
    changed = given.states.with_columns(pl.when(pl.col("state") == "NY").then(7).otherwise("n_level_1").alias("n_level_1"))
    assert brought(settings, monkeypatch, replace(given, states=changed)) == both[1:]
    assert brought(settings, monkeypatch, replace(given, thresholds=THRESHOLDS | {"test_reliability": 0.8})) == both
    # What nobody sends any more is gone.
    fewer = replace(given, districts=given.districts.filter(district="verona"))
    brought(settings, monkeypatch, fewer)
    kept = pl.read_parquet(settings.exchange / "estimates/positions/**/*.parquet")
    assert kept["district"].unique().to_list() == ["verona"]


def test_a_killed_call_is_finished_by_the_next(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at every write in turn: afterwards the same files as of an undisturbed call."""
    given = two_districts()
    brought(settings, monkeypatch, given)
    expected = {key: Storage(settings.exchange).read(key) for key in Storage(settings.exchange).keys("estimates")}
    write, n_writes = Storage.write, 0

    class Killed(Exception):
        pass

    for dies_at in range(1, 12):
        home = Settings(home=settings.home / str(dies_at), work=settings.home / str(dies_at))
        n_writes = 0

        def dying(self: Storage, key: str, content: bytes, dies_at: int = dies_at) -> None:
            nonlocal n_writes
            n_writes += 1
            if n_writes == dies_at:
                raise Killed
            write(self, key, content)

        monkeypatch.setattr(Storage, "write", dying)
        with pytest.raises(Killed):
            brought(home, monkeypatch, given)
        monkeypatch.setattr(Storage, "write", write)
        brought(home, monkeypatch, given)
        storage = Storage(home.exchange)
        assert {key: storage.read(key) for key in storage.keys("estimates")} == expected
