"""What a submission is looked at beside: the one in force, earlier school years, the school directory, the own results.

Rules of tier M, and some of tier Q, compare a delivery with what the same district certified before. A context names the
submissions that it was made from, so that a screening can be repeated. Running rules does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pipelines.intake.store import SubmissionKey, SubmissionStore
from pipelines.intake.submission import in_force, read_rows, read_submission

DIRECTORY = "school_directory"
RESULTS = "assessment_levels"
# Of these it is asked whether they can be of the population that the district's own results are a part of.
BESIDE_RESULTS = ("state_level_distribution",)
IN_FORCE = "in_force"
EARLIER = "earlier:"


@dataclass(frozen=True)
class Context:
    """Rows that the rules of one submission may look at, as mapped text (columns of the contract, no typed values).

    `in_force`: rows of the submission in force in the same place (district, extract, school year), None where there is none.
    `earlier_years`: rows in force of the same extract by earlier school year. `directory`: rows of the district's school
    directory in force, of `directory_year` (this school year, else the latest earlier one), None where there is none.
    `results`: rows in force of the district's own results of this school year, for the extracts of BESIDE_RESULTS alone.
    `submissions`: the ids that all of this was made from, by role (`in_force`, `earlier:2023-24`, `directory`, `results`).
    """

    in_force: pl.DataFrame | None = None
    earlier_years: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    directory: pl.DataFrame | None = None
    directory_year: str | None = None
    results: pl.DataFrame | None = None
    submissions: Mapping[str, str] = field(default_factory=dict)


NO_CONTEXT = Context()


def context_submissions(store: SubmissionStore, district: str, extract: str, school_year: str) -> dict[str, str]:
    """Which submissions in force a delivery for this place is looked at beside, by role; no row is read."""
    found: dict[str, str] = {}
    for submission in in_force(store, district, extract):
        key = submission.key
        if key.school_year == school_year:
            found[IN_FORCE] = key.submission_id
        elif key.school_year < school_year:
            found[EARLIER + key.school_year] = key.submission_id
    if extract != DIRECTORY:
        # Submissions come in the order of their years, so the latest directory up to this year stays.
        for submission in in_force(store, district, DIRECTORY):
            if submission.key.school_year <= school_year:
                found["directory"] = submission.key.submission_id
    if extract in BESIDE_RESULTS:
        for submission in in_force(store, district, RESULTS):
            if submission.key.school_year == school_year:
                found["results"] = submission.key.submission_id
    return found


def read_context(store: SubmissionStore, submissions: Mapping[str, str]) -> Context:
    """The rows of the named submissions. Raises SubmissionRefused where one is not there any more."""
    rows = {
        role: read_rows(store, read_submission(store, SubmissionKey.parse(submission_id)))
        for role, submission_id in submissions.items()
    }
    directory = submissions.get("directory")
    return Context(
        in_force=rows.get(IN_FORCE),
        earlier_years={role.removeprefix(EARLIER): frame for role, frame in rows.items() if role.startswith(EARLIER)},
        directory=rows.get("directory"),
        directory_year=SubmissionKey.parse(directory).school_year if directory else None,
        results=rows.get("results"),
        submissions=dict(submissions),
    )
