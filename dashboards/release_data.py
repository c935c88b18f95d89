"""Every query of the dashboard: small answers from the Parquet tables of the current release, read-only and cached.

Values are bound, never written into SQL. Drawing and wording do not belong here, and neither does any other file of a home.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import streamlit as st

from pipelines.release.reader import NoRelease, Release, read_current

# What a value may be split by beside the schools behind it; `instrument` says how it was measured and is never chosen by.
SPLITS = (
    "grade",
    "course",
    "subgroup",
    "respondent",
    "audience",
    "program_id",
    "cohort",
    "category",
    "statistic",
    "administration",
)
# Groups of schools within a district; a value has at most one of them, and the district's own value has none.
SCHOOL_GROUPS = ("school_level", "network_id", "school_set")
_ADDED_COLUMNS = {
    "indicator_values": {
        **dict.fromkeys((*SCHOOL_GROUPS, *SPLITS, "instrument", "flags", "definition_version"), "VARCHAR"),
        **dict.fromkeys(("standard_error", "response_rate", "at_least", "at_most"), "DOUBLE"),
        "n_schools": "BIGINT",
    },
    "indicators": dict.fromkeys(("breakdowns", "counts", "estimated_from"), "VARCHAR"),
    "districts": {"minimum_n": "INTEGER"},
}
_LOG = logging.getLogger(__name__)
_EXPECTED, _CHANGES, _PROGRAMS, _THRESHOLDS, _CODES = "expected_extracts", "school_changes", "programs", "thresholds", "codes"
_CONTEXT = "district_context"
_COMPARISONS, _VERDICTS, _NAEP = "comparisons", "verdicts", "naep_results"
_BACK_TEST, _BACK_TEST_SUMMARY = "link_backtest", "link_backtest_summary"
_RELATIONS, _CONVENINGS = "relations", "convenings"
_TABLES = (
    "indicator_values",
    "indicators",
    "instruments",
    "districts",
    "submissions",
    _EXPECTED,
    _CONTEXT,
    _CHANGES,
    _PROGRAMS,
    _THRESHOLDS,
    _CODES,
    _COMPARISONS,
    _VERDICTS,
    _NAEP,
    _BACK_TEST,
    _BACK_TEST_SUMMARY,
    _RELATIONS,
    _CONVENINGS,
)


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
    """`code, label, state, minimum_n` (null in an earlier release), in alphabetical order of the label."""
    return _ask(
        release,
        "SELECT code, label, state, TRY_CAST(minimum_n AS INTEGER) AS minimum_n FROM {districts} AS d ORDER BY label, code",
    )


def indicators(release: Release) -> pl.DataFrame:
    """The defined indicators, in order of their id (CM2 before CM10)."""
    return _ask(
        release,
        """
        SELECT * FROM {indicators} AS i
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
    return _later(release, _EXPECTED, "ORDER BY district, school_year, extract")


def school_changes(release: Release) -> pl.DataFrame:
    """What became of schools since the year before: `district, school_year, change, n_schools, n_enrolled`.

    Empty for a release of the time before this table was published; so are the three below.
    """
    return _later(release, _CHANGES, "ORDER BY district, school_year, change")


def programs(release: Release) -> pl.DataFrame:
    """The programmes that districts report on, with what their founding documents promise, by label."""
    return _later(release, _PROGRAMS, "ORDER BY label, program_id")


def thresholds(release: Release) -> pl.DataFrame:
    """The owned configuration that definitions rest on, by id."""
    return _later(release, _THRESHOLDS, "ORDER BY threshold_id")


def codes(release: Release) -> pl.DataFrame:
    """The labels of codes: `list, code, label, sort_order`."""
    return _later(release, _CODES, "ORDER BY list, sort_order, code")


def district_context(release: Release) -> pl.DataFrame:
    """Schools and students of each district, by school year; rows with a `school_level` count schools only."""
    return _later(release, _CONTEXT, "ORDER BY district, school_year, school_level NULLS FIRST")


def as_of(release: Release) -> str | None:
    """The date of the latest certification in the release, as `YYYY-MM-DD`."""
    found = _ask(release, "SELECT left(max(certified_at), 10) AS as_of FROM read_parquet($submissions)")
    date: str | None = found["as_of"][0]
    return date


def coverage(release: Release) -> pl.DataFrame:
    """What there is of whole districts: one row for each indicator × district × school year.

    Columns `challenge, indicator_id, district, school_year, n_rows, n_values` (numbers and protected ranges), `as_of`.
    """
    return _ask(
        release,
        f"""
        WITH {_DATED_SOURCES}
        SELECT i.challenge, v.indicator_id, v.district, v.school_year,
               count(*) AS n_rows, count(*) FILTER (v.value IS NOT NULL OR v.at_least IS NOT NULL) AS n_values,
               max(d.as_of) AS as_of
        FROM {_WHOLE_DISTRICTS} AS v
        JOIN read_parquet($indicators) AS i USING (indicator_id)
        LEFT JOIN dated AS d USING (sources)
        GROUP BY ALL
        ORDER BY ALL
        """,
    )


def combinations(release: Release, indicator_id: str) -> pl.DataFrame:
    """Which breakdowns an indicator has values for, over whole districts.

    Columns `school_year`, the fields of `SPLITS`, `unit`, `n_districts` (districts with at least one number or range).
    """
    return _ask(
        release,
        f"""
        SELECT school_year, {_SPLIT_COLUMNS}, unit,
               count(DISTINCT district) FILTER (value IS NOT NULL OR at_least IS NOT NULL) AS n_districts
        FROM {_WHOLE_DISTRICTS} AS v
        WHERE indicator_id = $indicator_id
        GROUP BY ALL
        ORDER BY ALL
        """,
        {"indicator_id": indicator_id},
    )


def whole_distributions(release: Release, indicator_id: str) -> list[set[str] | None]:
    """Which categories of an indicator are together everybody that it counts; None stands for all that occur.

    Empty where the release declares none, and for a release of the time before relations were published.
    """
    if _RELATIONS not in release.manifest["tables"]:
        return []
    found = _ask(
        release,
        """
        SELECT relation, CASE WHEN count(*) = count(part) THEN list(part ORDER BY part) END AS parts
        FROM (SELECT * FROM read_parquet($relations))
        WHERE "column" = 'category' AND total IS NULL AND is_whole AND coalesce(indicator_id, $indicator_id) = $indicator_id
        GROUP BY relation ORDER BY relation
        """,
        {"indicator_id": indicator_id},
    )
    return [None if parts is None else set(parts) for parts in found["parts"].to_list()]


def school_groups(release: Release, indicator_id: str) -> list[str]:
    """The fields of `SCHOOL_GROUPS` that an indicator has values of parts of a district for."""
    counts = ", ".join(f"count({field}) AS {field}" for field in SCHOOL_GROUPS)
    found = _ask(
        release,
        f"SELECT {counts} FROM {_DISTRICT_VALUES} AS v WHERE indicator_id = $indicator_id",
        {"indicator_id": indicator_id},
    )
    return [field for field in SCHOOL_GROUPS if found[field][0]]


def programs_with_values(release: Release) -> pl.DataFrame:
    """Which indicators speak of which programmes: `program_id, indicator_id`, each once."""
    return _ask(
        release,
        f"SELECT DISTINCT program_id, indicator_id FROM {_WHOLE_DISTRICTS} AS v WHERE program_id IS NOT NULL ORDER BY ALL",
    )


def values(release: Release, indicator_id: str, chosen: Mapping[str, str | None], schools: str | None = None) -> pl.DataFrame:
    """Values of one indicator where every field of `chosen` has the chosen value (None: not split by it).

    `chosen` may name `school_year`, `district` and the fields of `SPLITS`. `schools`: a field of `SCHOOL_GROUPS` whose groups are
    given beside the whole district; None gives the whole district alone. Beside the table's columns each row has
    `district_label` and `as_of`, the date of the latest certification among its sources. Raises ValueError on another field.
    """
    unknown = set(chosen) - {"school_year", "district", *SPLITS} | ({schools} - {None, *SCHOOL_GROUPS})
    if unknown:
        raise ValueError(f"values cannot be chosen by {sorted(map(str, unknown))}")
    conditions = "".join(f" AND v.{field} IS NOT DISTINCT FROM ${field}" for field in sorted(chosen))
    conditions += "".join(f" AND v.{field} IS NULL" for field in SCHOOL_GROUPS if field != schools)
    return _ask(
        release,
        f"""
        WITH {_DATED_SOURCES}
        SELECT v.*, coalesce(n.label, v.district) AS district_label, d.as_of
        FROM {_DISTRICT_VALUES} AS v
        LEFT JOIN read_parquet($districts) AS n ON n.code = v.district
        LEFT JOIN dated AS d USING (sources)
        WHERE v.indicator_id = $indicator_id{conditions}
        ORDER BY v.district, v.school_year, {_SPLIT_COLUMNS}, {", ".join(SCHOOL_GROUPS)}, v.instrument
        """,
        {"indicator_id": indicator_id, **chosen},
    )


def whole_districts(
    release: Release, *, challenge: str | None = None, district: str | None = None, program_id: str | None = None
) -> pl.DataFrame:
    """All values of whole districts, of one challenge, district or programme, with the columns that `values` gives."""
    asked = {"challenge": challenge, "district": district, "program_id": program_id}
    bound = {name: value for name, value in asked.items() if value is not None}
    conditions = " AND ".join(f"{'i' if name == 'challenge' else 'v'}.{name} = ${name}" for name in bound)
    return _ask(
        release,
        f"""
        WITH {_DATED_SOURCES}
        SELECT v.*, coalesce(n.label, v.district) AS district_label, d.as_of
        FROM {_WHOLE_DISTRICTS} AS v
        JOIN read_parquet($indicators) AS i USING (indicator_id)
        LEFT JOIN read_parquet($districts) AS n ON n.code = v.district
        LEFT JOIN dated AS d USING (sources)
        WHERE {conditions or "true"}
        ORDER BY v.indicator_id, v.district, v.school_year, {_SPLIT_COLUMNS}, v.instrument
        """,
        bound,
    )


def verdicts(release: Release) -> pl.DataFrame:
    """What each verdict means and what would lift it, in the order of the rules.

    Empty for a release of the time before this table was published; so are the tables behind the functions below.
    """
    return _later(release, _VERDICTS, "ORDER BY sort_order")


def has_verdicts(release: Release) -> bool:
    """Whether this release says what may be compared."""
    return {_COMPARISONS, _VERDICTS} <= set(release.manifest["tables"])


def beside(release: Release, indicator_id: str, focal: str, school_year: str, chosen: Mapping[str, str | None]) -> pl.DataFrame:
    """Every other district beside the focal one, in one year, for one value of every breakdown, by label.

    A pair is stored once; here each is turned so that the other district is the first side: `finding` (`higher`, `lower`, null),
    `difference`, `lower` and `upper` speak of the other district against the focal one, `value` is the other's, `focal_value` the
    focal district's. Beside them `other`, `other_label`, `unit`, `is_census`, `n_in_family`, `reason`, `remedy`, `instrument`
    (where the two differ: both, the other district's first) and of the verdict `verdict`, `verdict_label`, `is_comparable` and
    `sort_order`. Raises ValueError where `chosen` names anything but fields of `SPLITS`.
    """
    if not has_verdicts(release):
        return pl.DataFrame()
    # Of a side that nobody sent nobody knows when it was measured.
    at_once = "coalesce({}, $administration) IS NOT DISTINCT FROM $administration"
    return _ask(
        release,
        f"""
        WITH turned AS (
            SELECT other_district AS other, other_value AS value, value AS focal_value,
                   CASE finding WHEN 'higher' THEN 'lower' WHEN 'lower' THEN 'higher' END AS finding,
                   0 - difference AS difference, 0 - upper AS lower, 0 - lower AS upper, {_OF_A_PAIR},
                   other_instrument AS instrument, instrument AS focal_instrument
            FROM read_parquet($comparisons)
            WHERE comparison = 'districts' AND indicator_id = $indicator_id AND district = $focal
              AND school_year = $school_year AND {at_once.format("administration")}{_same_split(chosen)}
            UNION ALL
            SELECT district, value, other_value, finding, difference, lower, upper, {_OF_A_PAIR}, instrument, other_instrument
            FROM read_parquet($comparisons)
            WHERE comparison = 'districts' AND indicator_id = $indicator_id AND other_district = $focal
              AND school_year = $school_year AND {at_once.format("other_administration")}{_same_split(chosen)}
        )
        SELECT DISTINCT t.* EXCLUDE (focal_instrument, instrument),
               CASE WHEN instrument <> focal_instrument THEN instrument || ' and ' || focal_instrument
                    ELSE coalesce(instrument, focal_instrument) END AS instrument,
               coalesce(n.label, t.other) AS other_label,
               v.label AS verdict_label, v.is_comparable, v.sort_order
        FROM turned AS t
        JOIN read_parquet($verdicts) AS v USING (verdict)
        LEFT JOIN read_parquet($districts) AS n ON n.code = t.other
        ORDER BY other_label, instrument
        """,
        {"indicator_id": indicator_id, "focal": focal, "school_year": school_year, **_whole_split(chosen)},
    )


def over_years(release: Release, indicator_id: str, chosen: Mapping[str, str | None]) -> pl.DataFrame:
    """Every pair of years of every district, for one value of every breakdown: the later year against the earlier one.

    Columns `district`, `school_year` (the later), `other_school_year`, `value`, `other_value`, `instrument`, `other_instrument`
    and those that `beside` gives of a pair and its verdict. Raises ValueError as `beside` does.
    """
    return _of_one_district(release, "years", indicator_id, chosen)


def beside_state(release: Release, indicator_id: str, chosen: Mapping[str, str | None]) -> pl.DataFrame:
    """Every district against the mean of its own state, by year; columns and ValueError as of `over_years`."""
    return _of_one_district(release, "state", indicator_id, chosen)


def _of_one_district(release: Release, comparison: str, indicator_id: str, chosen: Mapping[str, str | None]) -> pl.DataFrame:
    if not has_verdicts(release):
        return pl.DataFrame()
    return _ask(
        release,
        f"""
        SELECT c.district, c.school_year, c.other_school_year, c.value, c.other_value, c.finding, c.difference, c.lower, c.upper,
               c.instrument, c.other_instrument, {_OF_A_PAIR}, v.label AS verdict_label, v.is_comparable, v.sort_order
        FROM read_parquet($comparisons) AS c
        JOIN (SELECT verdict, label, is_comparable, sort_order FROM read_parquet($verdicts)) AS v USING (verdict)
        WHERE comparison = $comparison AND indicator_id = $indicator_id
          AND coalesce(administration, other_administration, $administration) IS NOT DISTINCT FROM $administration
          {_same_split(chosen)}
        ORDER BY c.district, c.other_school_year, c.school_year, c.instrument, c.other_instrument
        """,
        {"comparison": comparison, "indicator_id": indicator_id, **_whole_split(chosen)},
    )


def refusals(release: Release, indicator_id: str, chosen: Mapping[str, str | None], school_year: str | None = None) -> list[str]:
    """Why districts with values may not be set beside each other, as labels of verdicts in the order of the rules.

    Of pairs of districts where every field of `chosen` has the chosen value, in one school year or in all. Raises ValueError as
    `beside` does.
    """
    unknown = set(chosen) - set(SPLITS)
    if unknown:
        raise ValueError(f"comparisons cannot be chosen by {sorted(unknown)}")
    if not has_verdicts(release):
        return []
    shared = {field: code for field, code in chosen.items() if field != "administration"}
    conditions = "".join(f" AND {field} IS NOT DISTINCT FROM ${field}" for field in sorted(shared))
    found = _ask(
        release,
        f"""
        SELECT v.label FROM read_parquet($comparisons) AS c JOIN read_parquet($verdicts) AS v USING (verdict)
        WHERE comparison = 'districts' AND indicator_id = $indicator_id AND NOT v.is_comparable
          AND ($school_year IS NULL OR school_year = $school_year) AND verdict NOT IN ('no_data', 'suppressed')
          AND school_level IS NULL AND school_set IS NULL{conditions}
        GROUP BY v.label ORDER BY min(v.sort_order)
        """,
        {"indicator_id": indicator_id, "school_year": school_year, **shared},
    )
    return found["label"].to_list()


def reference_groups(release: Release) -> dict[str, str]:
    """The reference group of each student group that is set beside one: `low_income` to `not_low_income`."""
    if not has_verdicts(release):
        return {}
    found = _ask(
        release,
        """
        SELECT DISTINCT subgroup, other_subgroup FROM read_parquet($comparisons)
        WHERE comparison = 'subgroups' AND subgroup IS NOT NULL AND other_subgroup IS NOT NULL ORDER BY ALL
        """,
    )
    return dict(found.rows())


def remedies(release: Release, challenge: str | None = None, district: str | None = None) -> pl.DataFrame:
    """What would make refused comparisons of districts hold, the most comparisons first: those of one challenge or district.

    Columns `verdict`, `verdict_label`, `reason` (the most frequent one), `remedy`, `n_pairs`, `indicators` and `districts`
    (labels), both sorted and joined by commas. What protects small groups, what is only described and what was not sent is left
    out: the first two nothing lifts, and the third is told by the page on data quality.
    """
    if not has_verdicts(release):
        return pl.DataFrame()
    return _ask(
        release,
        """
        WITH refused AS (
            SELECT verdict, v.label AS verdict_label, v.sort_order, c.reason, c.remedy, c.indicator_id,
                   coalesce(a.label, c.district) AS one, coalesce(b.label, c.other_district) AS other
            FROM read_parquet($comparisons) AS c
            JOIN read_parquet($verdicts) AS v USING (verdict)
            JOIN read_parquet($indicators) AS i USING (indicator_id)
            LEFT JOIN read_parquet($districts) AS a ON a.code = c.district
            LEFT JOIN read_parquet($districts) AS b ON b.code = c.other_district
            WHERE c.comparison = 'districts' AND NOT v.is_comparable
              AND c.verdict NOT IN ('suppressed', 'describe_only', 'no_data', 'not_a_pair')
              AND ($challenge IS NULL OR i.challenge = $challenge)
              AND ($district IS NULL OR c.district = $district OR c.other_district = $district)
        )
        SELECT verdict, verdict_label, mode(reason) AS reason, remedy, count(*) AS n_pairs,
               string_agg(DISTINCT indicator_id, ', ' ORDER BY indicator_id) AS indicators,
               array_to_string(list_sort(list_distinct(flatten(list([one, other])))), ', ') AS districts
        FROM refused
        GROUP BY verdict, verdict_label, sort_order, remedy
        ORDER BY n_pairs DESC, sort_order, remedy
        """,
        {"challenge": challenge, "district": district},
    )


def convenings(release: Release) -> pl.DataFrame:
    """The annual convenings: `convening, label, held_on, school_year, audience, source`, by date.

    Empty for a release of the time before this table was published.
    """
    return _later(release, _CONVENINGS, "ORDER BY held_on, convening")


def back_test(release: Release) -> pl.DataFrame:
    """Linked means beside the published NAEP means of the same district, grade and year, with `district_label`."""
    if _BACK_TEST not in release.manifest["tables"]:
        return pl.DataFrame()
    return _ask(
        release,
        """
        SELECT b.*, coalesce(n.label, b.district) AS district_label
        FROM read_parquet($link_backtest) AS b
        LEFT JOIN read_parquet($districts) AS n ON n.code = b.district
        ORDER BY district_label, b.school_year, TRY_CAST(b.grade AS INTEGER), b.grade
        """,
    )


def back_test_summary(release: Release) -> dict[str, Any] | None:
    """How far linked means were off and which error their intervals hold; None where the release has none."""
    found = _later(release, _BACK_TEST_SUMMARY, "")
    return found.row(0, named=True) if found.height else None


def naep_results(release: Release, grade: str | None = None, school_year: str | None = None) -> pl.DataFrame:
    """Published NAEP means of districts, states and the nation, of one grade and school year where they are named."""
    if _NAEP not in release.manifest["tables"]:
        return pl.DataFrame()
    return _ask(
        release,
        """
        SELECT unit_type, unit_id, schools, grade, school_year, mean, se, source FROM read_parquet($naep_results)
        WHERE ($grade IS NULL OR grade = $grade) AND ($school_year IS NULL OR school_year = $school_year)
        ORDER BY unit_type, unit_id, schools, grade, school_year
        """,
        {"grade": grade, "school_year": school_year},
    )


def _same_split(chosen: Mapping[str, str | None]) -> str:
    """The conditions that a pair is of one value of every breakdown, of whole districts."""
    unknown = set(chosen) - set(SPLITS)
    if unknown:
        raise ValueError(f"comparisons cannot be chosen by {sorted(unknown)}")
    # When it was measured stands on both sides of a pair, and is asked for by each query itself.
    shared = [field for field in SPLITS if field != "administration"]
    conditions = [f"{field} IS NOT DISTINCT FROM ${field}" for field in shared]
    return "".join(f" AND {condition}" for condition in (*conditions, "school_level IS NULL", "school_set IS NULL"))


def _whole_split(chosen: Mapping[str, str | None]) -> dict[str, str | None]:
    return dict.fromkeys(SPLITS) | dict(chosen)


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


_OF_A_PAIR = "verdict, unit, is_census, n_in_family, reason, remedy"
# `_ask` puts the table in, with the columns that a release of an earlier time lacks.
_DISTRICT_VALUES = "(SELECT * FROM {indicator_values} WHERE coalesce(unit_type, 'district') = 'district')"
_WHOLE_DISTRICTS = (
    "(SELECT * FROM {indicator_values} WHERE coalesce(unit_type, 'district') = 'district' AND "
    + " AND ".join(f"{field} IS NULL" for field in SCHOOL_GROUPS)
    + ")"
)
_SPLIT_COLUMNS = ", ".join(f"v.{field}" for field in SPLITS)
_DATED_SOURCES = """
    source_lists AS (SELECT DISTINCT sources FROM read_parquet($indicator_values)),
    listed AS (SELECT sources, unnest(string_split(sources, '; ')) AS submission_id FROM source_lists),
    dated AS (
        SELECT l.sources, left(max(s.certified_at), 10) AS as_of
        FROM listed AS l JOIN read_parquet($submissions) AS s USING (submission_id)
        GROUP BY l.sources
    )
"""


def _later(release: Release, table: str, order: str) -> pl.DataFrame:
    """A table that earlier releases do not have; empty, without columns, where it is missing."""
    if table not in release.manifest["tables"]:
        return pl.DataFrame()
    return _ask(release, f"SELECT * FROM read_parquet(${table}) {order}")


def _ask(release: Release, query: str, bound: Mapping[str, str | None] | None = None) -> pl.DataFrame:
    for table, columns in _ADDED_COLUMNS.items():
        if f"{{{table}}}" in query:
            lacking = set(columns) - _columns(release.release_id, str(release.table_path(table)))
            added = "".join(f", CAST(NULL AS {columns[name]}) AS {name}" for name in sorted(lacking))
            query = query.replace(f"{{{table}}}", f"(SELECT *{added} FROM read_parquet(${table}))")
    paths = {name: str(release.table_path(name)) for name in _TABLES if f"${name})" in query}
    return _answer(release.release_id, query, tuple(sorted({**paths, **(bound or {})}.items())))


@st.cache_data(show_spinner=False, max_entries=64)
def _columns(release_id: str, path: str) -> set[str]:
    try:
        return set(pl.read_parquet_schema(path))
    except (OSError, pl.exceptions.PolarsError) as problem:
        _LOG.exception("a table of release %s cannot be read", release_id)
        raise _damaged(release_id) from problem


@st.cache_data(show_spinner=False, max_entries=512)
def _answer(release_id: str, query: str, bound: tuple[tuple[str, str | None], ...]) -> pl.DataFrame:
    try:
        with duckdb.connect(":memory:", config={"threads": "2"}) as connection:
            answer: pl.DataFrame = connection.sql(query, params=dict(bound)).pl()
            return answer
    except duckdb.Error as problem:
        _LOG.exception("a table of release %s cannot be queried", release_id)
        raise _damaged(release_id) from problem


def _damaged(release_id: str) -> NoRelease:
    return NoRelease(
        f"A table of release {release_id} is damaged or has another shape than this dashboard expects. Publish again "
        "with `nmip run`, or go back to an earlier release with `nmip release rollback`."
    )
