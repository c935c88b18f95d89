"""The ledger as one table: every submission with its state, what was used and what was dropped.

Made from the store each time; delivered values never enter it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import polars as pl

from pipelines.intake.states import STATES
from pipelines.intake.submission import Submission

SCHEMA = {
    "submission_id": pl.String,
    "district": pl.String,
    "extract": pl.String,
    "school_year": pl.String,
    "number": pl.Int64,
    "state": pl.String,
    "state_meaning": pl.String,
    "next_step": pl.String,
    "received_at": pl.String,
    "screened_at": pl.String,
    "certified_at": pl.String,
    "signer": pl.String,
    "how": pl.String,
    "n_files": pl.Int64,
    "lines_in": pl.Int64,
    "lines_used": pl.Int64,
    "dropped_lines": pl.String,
    "rows_in": pl.Int64,
    "rows_used": pl.Int64,
    "dropped_rows": pl.String,
    "n_findings": pl.Int64,
    "first_message": pl.String,
    "contract_version": pl.String,
    "notes": pl.String,
}


def ledger_table(submissions: Iterable[Submission]) -> pl.DataFrame:
    """One row a submission, sorted by id."""
    rows = [_row(submission) for submission in submissions]
    return pl.DataFrame(rows, schema=SCHEMA).sort("submission_id")


def _row(submission: Submission) -> dict[str, Any]:
    key = submission.key
    screened, certified = submission.screened or {}, submission.last("certified") or {}
    lines, rows, findings = screened.get("lines", {}), screened.get("rows", {}), screened.get("findings", {})
    meaning, next_step = STATES[submission.state]
    return {
        "submission_id": key.submission_id,
        "district": key.district,
        "extract": key.extract,
        "school_year": key.school_year,
        "number": key.number,
        "state": submission.state,
        "state_meaning": meaning,
        "next_step": next_step.replace("ID", key.submission_id),
        "received_at": submission.received["at"],
        "screened_at": screened.get("at"),
        "certified_at": certified.get("at"),
        "signer": certified.get("actor"),
        "how": certified.get("how"),
        "n_files": len(submission.received["files"]),
        "lines_in": lines.get("in"),
        "lines_used": lines.get("used"),
        "dropped_lines": json.dumps(lines.get("dropped", {}), sort_keys=True),
        "rows_in": rows.get("in"),
        "rows_used": rows.get("used"),
        "dropped_rows": json.dumps(rows.get("dropped", {}), sort_keys=True),
        "n_findings": sum(findings.values()),
        "first_message": "; ".join(f"{rule_id}: {n}" for rule_id, n in list(findings.items())[:3]) or None,
        "contract_version": screened.get("contract_version"),
        "notes": json.dumps(screened.get("notes", []), ensure_ascii=False),
    }
