"""Every query of the dashboard: small answers from the Parquet tables of the current release, read-only and cached.

Values are bound, never written into SQL. Drawing and wording do not belong here, and neither does any other file of a home.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl
import streamlit as st

from pipelines.release.reader import NoRelease, Release, read_current

SPLITS = ("grade", "course", "subgroup")
_LOG = logging.getLogger(__name__)
_EXPECTED = "expected_extracts"
_TABLES = ("indicator_values", "indicators", "instruments", "districts", "submissions", _EXPECTED)


def current_release() -> Release:
    """The release to show now, of the home that `NMIP_HOME` names. Raises NoRelease."""
    return read_current(Path(os.environ.get("NMIP_HOME") or ".nmip"))


def current_release_id() -> str | None:
    """The id of the release to show now; None where there is none."""
    try:
        return current_release().release_id
    except NoRelease:
        return None


def districts(release: Release) -> pl.DataFrame:
    """`code, label, state`, in alphabetical order of the label."""
    return _ask(release, "SELECT code, label, state FROM read_parquet($districts) ORDER BY label, code")


def indicators(release: Release) -> pl.DataFrame:
    """The defined indicators, in order of their id (CM2 before CM10)."""
    return _ask(
        release,
        """
        SELECT * FROM read_parquet($indicators)
        ORDER BY regexp_extract(indicator_id, '^[A-Za-z]*'),
                 TRY_CAST(regexp_extract(indicator_id, '[0-9]+') AS INTEGER), indicator_id
        """,
    )


def instruments(release: Release) -> pl.DataFrame:
    """The tests that values are reported on, by state and first school year; all columns are text."""
    return _ask(release, "SELECT * FROM read_parquet($instruments) ORDER BY state, first_school_year, code")


def submissions(release: Release) -> pl.DataFrame:
    """Every submission, by district, extract, newest school year and newest number first."""
    return _ask(
        release,
        """
        SELECT * FROM read_parquet($submissions)
        ORDER BY district, extract, school_year DESC, number DESC
        """,
    )


def expected_extracts(release: Release) -> pl.DataFrame:
    """What is expected of each district and how it stood when the release was built, by district, school year and extract.

    Empty for a release of the time before this table was published.
    """
    if _EXPECTED not in release.manifest["tables"]:
        return pl.DataFrame()
    return _ask(release, "SELECT * FROM read_parquet($expected_extracts) ORDER BY district, school_year, extract")


def as_of(release: Release) -> str | None:
    """The date of the latest certification in the release, as `YYYY-MM-DD`."""
    found = _ask(release, "SELECT left(max(certified_at), 10) AS as_of FROM read_parquet($submissions)")
    date: str | None = found["as_of"][0]
    return date


def coverage(release: Release) -> pl.DataFrame:
    """What there is: one row for each indicator × district × school year.

    Columns `challenge, indicator_id, district, school_year, n_rows, n_values, as_of`.
    """
    return _ask(
        release,
        f"""
        WITH {_DATED_SOURCES}
        SELECT i.challenge, v.indicator_id, v.district, v.school_year,
               count(*) AS n_rows, count(v.value) AS n_values, max(d.as_of) AS as_of
        FROM read_parquet($indicator_values) AS v
        JOIN read_parquet($indicators) AS i USING (indicator_id)
        LEFT JOIN dated AS d USING (sources)
        GROUP BY ALL
        ORDER BY ALL
        """,
    )


def breakdowns(release: Release, challenge: str) -> pl.DataFrame:
    """Which breakdowns a challenge's indicators have values for.

    Columns `indicator_id, school_year, grade, course, subgroup, n_districts` (districts with at least one number).
    """
    return _ask(
        release,
        """
        SELECT v.indicator_id, v.school_year, v.grade, v.course, v.subgroup,
               count(DISTINCT v.district) FILTER (v.value IS NOT NULL) AS n_districts
        FROM read_parquet($indicator_values) AS v
        JOIN read_parquet($indicators) AS i USING (indicator_id)
        WHERE i.challenge = $challenge
        GROUP BY ALL
        ORDER BY ALL
        """,
        {"challenge": challenge},
    )


def categories(release: Release, indicator_id: str) -> list[str]:
    """The categories that an indicator's values are split by; none where it has no categories."""
    found = _ask(
        release,
        """
        SELECT DISTINCT category FROM read_parquet($indicator_values)
        WHERE indicator_id = $indicator_id AND category IS NOT NULL ORDER BY category
        """,
        {"indicator_id": indicator_id},
    )
    return list(found["category"])


def values(release: Release, indicator_id: str, chosen: Mapping[str, str | None]) -> pl.DataFrame:
    """Values of one indicator where every field of `chosen` has the chosen value (None: not split by it).

    `chosen` may name `school_year`, `grade`, `course`, `subgroup`, `category` and `district`. Beside the table's columns each
    row has `district_label` and `as_of`, the date of the latest certification among its sources. Raises ValueError on
    another field.
    """
    unknown = set(chosen) - {"school_year", "category", "district", *SPLITS}
    if unknown:
        raise ValueError(f"values cannot be chosen by {sorted(unknown)}")
    conditions = "".join(f" AND v.{field} IS NOT DISTINCT FROM ${field}" for field in sorted(chosen))
    return _ask(
        release,
        f"""
        WITH {_DATED_SOURCES}
        SELECT v.*, coalesce(n.label, v.district) AS district_label, d.as_of
        FROM read_parquet($indicator_values) AS v
        LEFT JOIN read_parquet($districts) AS n ON n.code = v.district
        LEFT JOIN dated AS d USING (sources)
        WHERE v.indicator_id = $indicator_id{conditions}
        ORDER BY v.district, v.school_year, v.grade, v.course, v.subgroup, v.category, v.instrument
        """,
        {"indicator_id": indicator_id, **chosen},
    )


def reasons(text: str | None) -> dict[str, int]:
    """Lines or rows dropped, by reason, from the JSON text of a submission; nothing where it says nothing usable."""
    parsed = _parsed(text)
    if not isinstance(parsed, dict):
        return {}
    return {str(reason): count for reason, count in parsed.items() if isinstance(count, int)}


def notes(text: str | None) -> list[str]:
    """The notes of a submission's mapping, from their JSON text; nothing where it says nothing usable."""
    parsed = _parsed(text)
    return [str(note) for note in parsed] if isinstance(parsed, list) else []


def _parsed(text: str | None) -> object:
    try:
        return json.loads(text) if text else None
    except ValueError:
        _LOG.warning("a submission of this release carries JSON text that cannot be read")
        return None


_DATED_SOURCES = """
    source_lists AS (SELECT DISTINCT sources FROM read_parquet($indicator_values)),
    listed AS (SELECT sources, unnest(string_split(sources, '; ')) AS submission_id FROM source_lists),
    dated AS (
        SELECT l.sources, left(max(s.certified_at), 10) AS as_of
        FROM listed AS l JOIN read_parquet($submissions) AS s USING (submission_id)
        GROUP BY l.sources
    )
"""


def _ask(release: Release, query: str, bound: Mapping[str, str | None] | None = None) -> pl.DataFrame:
    paths = {name: str(release.table_path(name)) for name in _TABLES if f"${name})" in query}
    return _answer(release.release_id, query, tuple(sorted({**paths, **(bound or {})}.items())))


@st.cache_data(show_spinner=False, max_entries=512)
def _answer(release_id: str, query: str, bound: tuple[tuple[str, str | None], ...]) -> pl.DataFrame:
    try:
        with duckdb.connect(":memory:", config={"threads": "2"}) as connection:
            answer: pl.DataFrame = connection.sql(query, params=dict(bound)).pl()
            return answer
    except duckdb.Error as problem:
        _LOG.exception("a table of release %s cannot be queried", release_id)
        raise NoRelease(
            f"A table of release {release_id} is damaged or has another shape than this dashboard expects. Publish again "
            "with `nmip run`, or go back to an earlier release with `nmip release rollback`."
        ) from problem
