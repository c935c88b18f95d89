"""What is expected and how it stands: every state, from hand-made events, on chosen days."""

from __future__ import annotations

import shutil
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.contracts.codes import codes
from pipelines.contracts.contract import extract_names
from pipelines.intake.expected import EXPECTED_STATES, ExpectedListError, expected_extracts, read_expected
from pipelines.intake.store import SubmissionKey
from pipelines.intake.submission import fold
from pipelines.settings import PROJECT_ROOT

CONTRACTS = PROJECT_ROOT / "data_contracts"
HEADER = "extract,district,school_year,due_date,declared,reason"
PLACE = ("chicago", "school_directory", "2024-25")


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    folder = tmp_path / "data_contracts"
    shutil.copytree(CONTRACTS, folder)
    return folder


def listed(contracts: Path, *lines: str) -> Path:
    (contracts / "expected.csv").write_text("\n".join([HEADER, *lines, ""]))
    return contracts


def submission(number: int, *events: tuple[str, str], outcome: str = "ready_to_sign") -> Any:
    made: list[dict[str, Any]] = [{"type": kind, "at": f"{day}T10:00:00+00:00", "via": "inbox"} for kind, day in events]
    for event in made:
        if event["type"] == "screened":
            event["outcome"] = outcome
    return fold(SubmissionKey(*PLACE, number), tuple(made))


RECEIVED, SCREENED = ("received", "2024-11-01"), ("screened", "2024-11-01")


@pytest.mark.parametrize(
    ("submissions", "today", "declared", "state", "shown"),
    [
        ([], "2024-11-15", ",", "awaited", None),
        ([], "2024-11-16", ",", "missing", None),
        ([submission(1, RECEIVED, SCREENED)], "2024-11-15", ",", "in_work", 1),
        ([submission(1, RECEIVED, SCREENED)], "2024-11-16", ",", "late", 1),
        ([submission(1, RECEIVED, SCREENED, ("certified", "2024-11-15"))], "2025-06-01", ",", "certified", 1),
        ([submission(1, RECEIVED, SCREENED, ("certified", "2024-11-16"))], "2025-06-01", ",", "certified_late", 1),
        ([submission(1, RECEIVED, SCREENED, ("withdrawn", "2024-11-02"))], "2024-11-16", ",", "missing", None),
        ([submission(1, RECEIVED, SCREENED, outcome="unreadable")], "2024-11-16", ",", "missing", None),
        ([], "2024-11-16", "not_provided,No survey was held.", "not_provided", None),
        ([], "2024-11-16", "not_applicable,No charter schools.", "not_applicable", None),
        ([submission(1, RECEIVED, SCREENED, ("certified", "2024-11-02"))], "2024-11-16", "not_provided,None.", "certified", 1),
    ],
)
def test_every_state(contracts: Path, submissions: list[Any], today: str, declared: str, state: str, shown: int | None) -> None:
    listed(contracts, f"school_directory,chicago,2024-25,2024-11-15,{declared}")
    (row,) = expected_extracts(contracts, submissions, date.fromisoformat(today)).to_dicts()
    assert row["state"] == state
    assert row["state_meaning"] == EXPECTED_STATES[state][0]
    assert row["submission_id"] == (None if shown is None else f"chicago/school_directory/2024-25/00{shown}")


def test_a_resubmission_does_not_make_it_late(contracts: Path) -> None:
    listed(contracts, "school_directory,chicago,2024-25,2024-11-15,,")
    first = submission(1, RECEIVED, SCREENED, ("certified", "2024-11-10"))
    second = submission(2, ("received", "2025-01-01"), ("screened", "2025-01-01"), ("certified", "2025-01-02"))
    from dataclasses import replace

    (row,) = expected_extracts(contracts, [replace(first, state="superseded"), second], date(2025, 2, 1)).to_dicts()
    assert (row["state"], row["submission_id"]) == ("certified", "chicago/school_directory/2024-25/002")
    assert (row["first_received_on"], row["first_certified_on"]) == (date(2024, 11, 1), date(2024, 11, 10))


def test_nothing_expected_is_ever_left_out_and_nothing_is_a_zero() -> None:
    table = expected_extracts(CONTRACTS, [], date(2030, 1, 1))
    assert table.height == read_expected(CONTRACTS).height
    assert set(table["state"]) == {"missing"}
    assert table["state"].null_count() == 0


def test_the_list_names_what_nmip_knows() -> None:
    table = read_expected(CONTRACTS)
    assert set(table["extract"]) == set(extract_names(CONTRACTS))
    assert set(table["district"]) == set(codes(CONTRACTS, "districts"))
    assert set(table["school_year"]) <= set(codes(CONTRACTS, "school_years"))


def test_every_extract_is_expected_of_every_district_in_every_year_once_and_in_its_season() -> None:
    table = read_expected(CONTRACTS)
    places = set(table.select("extract", "district", "school_year").rows())
    years = ["2023-24", "2024-25", "2025-26", "2026-27"]
    assert places == set(product(extract_names(CONTRACTS), codes(CONTRACTS, "districts"), years))
    assert table.height == len(places) == 504
    assert table.select("declared", "reason").null_count().row(0) == (504, 504)
    directory = set(table.filter(extract="school_directory")["due_date"])
    assert directory == {date(2026, 12, 15)}
    others = table.filter(pl.col("extract") != "school_directory")
    past = others.filter(pl.col("school_year") != "2026-27")["due_date"]
    assert (past.min(), past.max()) == (date(2027, 1, 31), date(2027, 3, 31))
    now = others.filter(school_year="2026-27")
    assert (now["due_date"].min(), now["due_date"].max()) == (date(2027, 2, 15), date(2027, 10, 31))
    # Results of spring come last, and all districts have the same time.
    of_spring = {"assessment_levels", "state_level_distribution", "algebra_outcomes"}
    assert set(now.filter(due_date=date(2027, 10, 31))["extract"]) == of_spring
    assert table.group_by("extract", "school_year").agg(pl.col("due_date").n_unique())["due_date"].max() == 1


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["school_directory,chicago,2024-25,15.11.2024,,"], "line 2 has no due date"),
        (["school_directory,chicago,2024-25,2024-11-15,forgotten,x"], "line 2 declares something else"),
        (["school_directory,chicago,2024-25,2024-11-15,not_provided,"], "line 2 declares without a reason"),
        (["school_directory,chicago,2024-25,2024-11-15,,"] * 2, "line 2 repeats"),
        (["school_directory,chicaco,2024-25,2024-11-15,,"], "line 2 names an extract, district or school year"),
    ],
)
def test_a_list_that_cannot_be_used_names_its_line(contracts: Path, lines: list[str], words: str) -> None:
    with pytest.raises(ExpectedListError, match=words):
        read_expected(listed(contracts, *lines))


def test_a_list_with_other_columns_is_refused(contracts: Path) -> None:
    (contracts / "expected.csv").write_text("extract,district\nx,y\n")
    with pytest.raises(ExpectedListError, match="must have the columns"):
        read_expected(contracts)
