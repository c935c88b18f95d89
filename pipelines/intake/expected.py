"""What is expected of each district, and how it stands: certified, late, missing, not provided, not applicable.

`data_contracts/expected.csv` says which extract is due from which district for which school year, and when; a district that
cannot or need not send one says so there (`declared`, with a reason). How an extract stands is never a zero and never a row
that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.codes import codes
from pipelines.contracts.contract import extract_names
from pipelines.intake.states import CERTIFIED, DAMAGED, STATES, SUPERSEDED, UNREADABLE, WITHDRAWN
from pipelines.intake.submission import Submission, certified_in

IN_FORCE, IN_FORCE_LATE, IN_WORK, LATE, MISSING, AWAITED = "certified", "certified_late", "in_work", "late", "missing", "awaited"
NOT_PROVIDED, NOT_APPLICABLE = "not_provided", "not_applicable"
DECLARED = (NOT_PROVIDED, NOT_APPLICABLE)

EXPECTED_STATES = {
    IN_FORCE: ("Certified and in force.", "Nothing to do."),
    IN_FORCE_LATE: ("Certified and in force; it was certified after its due date.", "Nothing to do."),
    IN_WORK: ("Received and not certified yet; it is not due yet.", "See the submission for what is left to do."),
    LATE: ("Received and not certified, and its due date has passed.", "See the submission for what is left to do."),
    MISSING: ("Nothing usable was received, and its due date has passed.", "Send it, or declare why it is not provided."),
    AWAITED: ("Nothing was received; it is not due yet.", "Send it by its due date."),
    NOT_PROVIDED: ("The district does not provide it.", "Nothing to do."),
    NOT_APPLICABLE: ("It does not apply to the district.", "Nothing to do."),
}
EXPECTED_COLUMNS = ("extract", "district", "school_year", "due_date", "declared", "reason")
SCHEMA = {
    "district": pl.String,
    "extract": pl.String,
    "school_year": pl.String,
    "due_date": pl.Date,
    "state": pl.String,
    "state_meaning": pl.String,
    "next_step": pl.String,
    "reason": pl.String,
    "submission_id": pl.String,
    "first_received_on": pl.Date,
    "first_certified_on": pl.Date,
}


class ExpectedListError(Exception):
    """`expected.csv` does not say what it must; the message names the line."""


def read_expected(contracts_folder: Path) -> pl.DataFrame:
    """The list: extract, district, school_year, due_date (Date), declared, reason. Raises ExpectedListError."""
    path = contracts_folder / "expected.csv"
    table = pl.read_csv(path, infer_schema=False)
    if tuple(table.columns) != EXPECTED_COLUMNS:
        raise ExpectedListError(f"{path.name} must have the columns {', '.join(EXPECTED_COLUMNS)}")
    table = table.with_columns(pl.col("due_date").str.to_date("%Y-%m-%d", strict=False))
    numbered = table.with_row_index("line", offset=2)
    place = ["extract", "district", "school_year"]
    known = {
        "extract": extract_names(contracts_folder),
        "district": codes(contracts_folder, "districts"),
        "school_year": codes(contracts_folder, "school_years"),
    }
    is_unknown = pl.any_horizontal([pl.col(name).is_in(values).fill_null(value=False).not_() for name, values in known.items()])
    for problem, wrong in (
        ("names an extract, district or school year that NMIP does not know", numbered.filter(is_unknown)),
        ("has no due date written as YYYY-MM-DD", numbered.filter(pl.col("due_date").is_null())),
        (f"declares something else than {' or '.join(DECLARED)}", numbered.filter(pl.col("declared").is_in(DECLARED).not_())),
        ("declares without a reason", numbered.filter(pl.col("declared").is_not_null() & pl.col("reason").is_null())),
        ("repeats an extract, district and school year", numbered.filter(pl.struct(place).is_duplicated())),
    ):
        if wrong.height:
            raise ExpectedListError(f"{path.name}, line {wrong['line'][0]} {problem}")
    return table


def expected_extracts(contracts_folder: Path, submissions: Iterable[Submission], today: date) -> pl.DataFrame:
    """How every expected extract stands on a day (columns of SCHEMA), sorted by district, school year and extract.

    `submission_id` is the one in force, else the latest that is open. Raises ExpectedListError.
    """
    by_place: dict[tuple[str, str, str], list[Submission]] = {}
    for submission in submissions:
        key = submission.key
        by_place.setdefault((key.district, key.extract, key.school_year), []).append(submission)
    rows = [
        _row(entry, by_place.get((entry["district"], entry["extract"], entry["school_year"]), []), today)
        for entry in read_expected(contracts_folder).to_dicts()
    ]
    return pl.DataFrame(rows, schema=SCHEMA).sort("district", "school_year", "extract")


def _day(event: dict[str, Any]) -> date:
    return date.fromisoformat(event["at"][:10])


def _row(entry: dict[str, Any], found: list[Submission], today: date) -> dict[str, Any]:
    usable = [s for s in found if s.state not in (WITHDRAWN, DAMAGED)]
    held = next(iter(certified_in(found)), None)
    in_work = [s for s in usable if s.state not in (CERTIFIED, SUPERSEDED, UNREADABLE)]
    certified = [_day(event) for s in found for event in s.events if event["type"] == "certified"]
    received = [_day(s.received) for s in usable if s.events]
    is_past = today > entry["due_date"]
    if held is not None:
        state = IN_FORCE if min(certified) <= entry["due_date"] else IN_FORCE_LATE
    elif entry["declared"] is not None:
        state = entry["declared"]
    elif in_work:
        state = LATE if is_past else IN_WORK
    else:
        state = MISSING if is_past else AWAITED
    meaning, next_step = EXPECTED_STATES[state]
    shown = held or (in_work[-1] if in_work else None)
    if held is None and shown is not None:
        next_step = STATES[shown.state][1].replace("ID", shown.key.submission_id)
    return {
        "district": entry["district"],
        "extract": entry["extract"],
        "school_year": entry["school_year"],
        "due_date": entry["due_date"],
        "state": state,
        "state_meaning": meaning,
        "next_step": next_step,
        "reason": entry["reason"],
        "submission_id": shown.key.submission_id if shown else None,
        "first_received_on": min(received, default=None),
        "first_certified_on": min(certified, default=None),
    }
