"""What a signature would do to the indicators, against what it then really does: signed, built and read back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl
import pytest

from pipelines import flow
from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import load_contract
from pipelines.contracts.typed_table import typed_rows
from pipelines.intake.deliveries import deliver
from pipelines.intake.effects import (
    EffectsUnavailable,
    IndicatorEffects,
    Limits,
    effect_label,
    holds_for,
    indicator_effects,
    indicator_sql_version,
)
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.signing import acknowledge, certify
from pipelines.intake.submission import Submission, in_force, read_rows
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.warehouse.catalogue import BREAKDOWNS, read_indicators
from pipelines.warehouse.dbt import invoke, last_manifest
from pipelines.warehouse.indicator_sql import IndicatorSqlError, ensure_indicator_sql, indicator_sql
from tests.deliveries import directory_csv, levels_csv

CONTRACTS = PROJECT_ROOT / "data_contracts"
DBT_PROJECT = PROJECT_ROOT / "dbt_project"
INSTRUMENT = "il_iar_math_2025"
INSTRUMENTS = {
    "chicago": INSTRUMENT,
    "los_angeles": "ca_smarter_balanced_math_2015",
    "philadelphia": "pa_pssa_math_2015",
}
KEY = ["indicator_id", "school_year", *BREAKDOWNS]
SOME_BREAKDOWNS = ["unit_type", "unit_id", "grade", "subgroup", "course", "category", "instrument", "administration"]
MEASURES = ["value", "numerator", "denominator", "symbol"]
YEAR = "2024-25"
# What a file with core titles alone has values for; OC7 is published and stands on no district's file.
ADOPTION = {"CM1", "CM2", "CM5", "CM6", "CM7", "CM11"}
PUBLISHED = ("OC7",)
# What Python estimates between two builds is not foretold, and the summary says so.
ESTIMATED = ("OC5", "OC6", "OC8", "SS4")
ESTIMATED_LATER = f" Known with the next release only: {', '.join(ESTIMATED)}."

Counts = dict[tuple[str, str, str], tuple[int, ...]]
Tables = dict[tuple[str, str], pl.DataFrame]


def level_counts() -> Counts:
    return {(f"{unit:03d}", grade, "all"): (40 + unit, 30, 20, 15) for unit in range(1, 7) for grade in ("3", "4")}


def adoption_csv(n_students: dict[tuple[str, str, str], int]) -> bytes:
    """Curriculum adoption of school, course and title; a title called `... B` is reviewed as partially meeting expectations."""
    header = (
        "school_id,course,title,role,subgroup,publisher,edition,review_status,reviewer,review_year,adoption_status,n_students"
    )
    more = "delivered_by_day_1,el_swd_guidance_in_use,alignment_with_core,is_digital,n_licensed,n_licensed_symbol"
    lines = [
        f"{school},{course},{title},core,all,Press,2022,{'partially_meets' if title.endswith('B') else 'meets'},EdReports,2022,"
        f"adopted,{n},true,true,,false,,x,,x"
        for (school, course, title), n in n_students.items()
    ]
    return "\n".join([f"{header},{more},n_recommended_use,n_recommended_use_symbol", *lines, ""]).encode()


def titles() -> dict[tuple[str, str, str], int]:
    return {(f"{unit:03d}", course, "Maths A" if unit % 2 else "Maths B"): 60 + unit for unit in range(1, 7) for course in "34"}


def send(home: flow.Home, district: str, extract: str, content: bytes, year: str = YEAR) -> Submission:
    files = [DeliveredFile(f"{extract}.csv", content)]
    return deliver(home.store, CONTRACTS, district, extract, year, files, "command line", "ana")[0]


def sign(home: flow.Home, submission: Submission) -> None:
    for rule_id in submission.to_acknowledge:
        submission = acknowledge(home.store, submission, rule_id, "Counted twice.", "ana")
    certify(home.store, submission, "ana", "It is right.", "signed", "Corrected.")


def values(home: flow.Home, district: str) -> pl.DataFrame:
    """Indicator values of a district as the last build left them, without those of single schools and without estimates."""
    built = pl.read_parquet(home.settings.exchange / "fct_indicator_values.parquet")
    is_estimated = pl.col("indicator_id").is_in(ESTIMATED)
    return built.filter(pl.col("district") == district, pl.col("unit_type") == "district", ~is_estimated)


def by_key(table: pl.DataFrame, columns: list[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The columns of each value by what identifies it; no two values share that."""
    rows = {row[: len(KEY)]: row[len(KEY) :] for row in table.select(*KEY, *columns).iter_rows()}
    assert len(rows) == table.height
    return rows


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def held(home: flow.Home, district: str) -> Tables:
    return {(s.key.extract, s.key.school_year): typed(home, s) for s in in_force(home.store) if s.key.district == district}


def typed(home: flow.Home, submission: Submission) -> pl.DataFrame:
    key = submission.key
    contract = load_contract(CONTRACTS, key.extract)
    return typed_rows(read_rows(home.store, submission), contract, key.district, key.school_year, key.submission_id)


def effects_of(home: flow.Home, submission: Submission) -> IndicatorEffects:
    key = submission.key
    before = held(home, key.district)
    after = {**before, (key.extract, key.school_year): typed(home, submission)}
    return indicator_effects(home.settings.indicator_sql, CONTRACTS, key.district, before, after)


def home_at(folder: Path) -> flow.Home:
    return flow.Home(Settings.from_environment({"NMIP_HOME": str(folder)}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, no_dbt_log: None) -> Path:
    return tmp_path_factory.mktemp("effects")


@pytest.fixture(scope="module")
def built(folder: Path) -> flow.Home:
    """Districts with everything in force that they have, built; one has sent nothing. The home beside it goes on."""
    home = home_at(folder / "home")
    for district, n_schools in (("chicago", 6), ("houston", 4), ("los_angeles", 6), ("new_york_city", 6), ("philadelphia", 6)):
        sign(home, send(home, district, "school_directory", directory_csv(n_schools)))
        sign(home, send(home, district, "curriculum_adoption", adoption_csv(titles())))
    for district, instrument in INSTRUMENTS.items():
        sign(home, send(home, district, "assessment_levels", levels_csv(level_counts(), instrument)))
    flow.refresh_warehouse(home)
    shutil.copytree(home.settings.home, folder / "built", symlinks=True)
    return home_at(folder / "built")


def corrected_levels() -> bytes:
    """One count more, one school gone, a grade of one school hidden, and a student group that was not there."""
    counts = level_counts()
    counts["001", "3", "all"] = (41, 30, 20, 16)
    del counts["006", "3", "all"]
    counts |= {(f"{unit:03d}", "3", "english_learner"): (11, 12, 10, 10) for unit in (1, 2)}
    return levels_csv(counts, INSTRUMENT)


def one_grade_only() -> bytes:
    return levels_csv({key: n for key, n in level_counts().items() if key[1] == "3"}, INSTRUMENTS["philadelphia"])


def without_the_second_school() -> bytes:
    return directory_csv(6).replace(b"002,,School 2,elementary,K,5,false,true", b"002,,School 2,elementary,K,5,false,false")


def other_titles() -> bytes:
    return adoption_csv(titles() | {("001", "3", "Maths B"): 7, ("003", "4", "Maths A"): 80})


class Change(NamedTuple):
    """What a district sends, and which indicators it changes in which way."""

    district: str
    extract: str
    year: str
    content: bytes
    indicators: set[str]
    changes: set[str]


# No value of a district depends on what another one sends: all of them are signed before one build.
CHANGES = {
    "corrected levels": Change("chicago", "assessment_levels", YEAR, corrected_levels(), {"OC4", "OC9"}, {"changes", "appears"}),
    "a grade less": Change("philadelphia", "assessment_levels", YEAR, one_grade_only(), {"OC4", "OC9"}, {"disappears"}),
    "a school out of scope": Change(
        "los_angeles", "school_directory", YEAR, without_the_second_school(), ADOPTION | {"OC4", "OC9"}, {"changes"}
    ),
    "other titles": Change("new_york_city", "curriculum_adoption", YEAR, other_titles(), {"CM1", "CM2", "CM11"}, {"changes"}),
    "another year": Change("houston", "curriculum_adoption", "2023-24", adoption_csv(titles()), ADOPTION, {"appears"}),
    "a first submission": Change("miami_dade", "curriculum_adoption", YEAR, adoption_csv(titles()), ADOPTION, {"appears"}),
}


@dataclass(frozen=True)
class Signed:
    """What was foretold of every change, and the home in which all of them were signed and built."""

    home: flow.Home
    foretold: dict[str, IndicatorEffects]


@pytest.fixture(scope="module")
def signed(built: flow.Home, folder: Path) -> Signed:
    assert len({change.district for change in CHANGES.values()}) == len(CHANGES)
    home = home_at(folder / "home")
    submissions = {
        name: send(home, change.district, change.extract, change.content, change.year) for name, change in CHANGES.items()
    }
    kept = snapshot(home.settings.home)
    foretold = {name: effects_of(home, submission) for name, submission in submissions.items()}
    assert snapshot(home.settings.home) == kept
    for submission in submissions.values():
        sign(home, submission)
    flow.refresh_warehouse(home)
    return Signed(home, foretold)


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_foretold_is_what_signing_does(built: flow.Home, signed: Signed, name: str) -> None:
    change, foretold = CHANGES[name], signed.foretold[name]
    before, after = (by_key(values(home, change.district), MEASURES) for home in (built, signed.home))
    nothing = (None,) * len(MEASURES)
    every = before.keys() | after.keys()
    really = {key: (*before.get(key, nothing), *after.get(key, nothing)) for key in every if before.get(key) != after.get(key)}
    said_before, said_after = ([f"{measure}_{side}" for measure in MEASURES] for side in ("before", "after"))
    assert by_key(foretold.changed, [*said_before, *said_after]) == really
    assert really
    assert foretold.n_same == len(every) - len(really)
    assert set(foretold.indicators_changed) == set(foretold.changed["indicator_id"]) == change.indicators
    assert set(foretold.changed["change"]) == change.changes
    assert {*foretold.indicators_changed, *foretold.indicators_same} == {key[0] for key in every}


def test_the_same_rows_again_change_nothing(built: flow.Home) -> None:
    before = held(built, "chicago")
    again = {key: table.clone() for key, table in before.items()}
    effects = indicator_effects(built.settings.indicator_sql, CONTRACTS, "chicago", before, again)
    assert (effects.changed.height, effects.n_same) == (0, values(built, "chicago").height)
    assert effects.indicators_same == tuple(sorted({*ADOPTION, "SS5", "OC4", "OC9", *PUBLISHED}))
    assert effects.summary() == f"No indicator changes: {effects.n_same:,} values as before.{ESTIMATED_LATER}"


def test_counts_by_hand(built: flow.Home) -> None:
    before = held(built, "chicago")
    levels = before["assessment_levels", YEAR]
    one_more = pl.when(pl.col("unit_id") == "003", pl.col("grade") == "4").then(1).otherwise(0)
    after = before | {("assessment_levels", YEAR): levels.with_columns(pl.col("n_level_2") + one_more)}
    effects = indicator_effects(built.settings.indicator_sql, CONTRACTS, "chicago", before, after)
    of_all_schools = pl.col("network_id").is_null() & pl.col("school_level").is_null() & pl.col("school_set").is_null()
    row = effects.changed.row(by_predicate=of_all_schools & (pl.col("category") == "level_2"), named=True)
    # Six schools: 30 at level 2 each, and 105 + the school's number in all.
    assert (row["numerator_before"], row["denominator_before"]) == (180, 6 * 105 + 21)
    assert (row["numerator_after"], row["denominator_after"]) == (181, 6 * 105 + 22)
    assert (row["value_before"], row["value_after"]) == (180 / 651, 181 / 652)
    assert effect_label(row) == (
        "OC4 Level distribution · 2024-25 · Grade 4 · All students · Level 2 · "
        f"{label('instruments', INSTRUMENT)} · Spring: 27.6 % → 27.8 % (180 of 651 → 181 of 652 students)"
    )
    # The district, its one network and its one level: four levels and proficient or above of each.
    assert (
        effects.summary() == f"1 of 10 indicators affected: 15 values change, {effects.n_same} values as before.{ESTIMATED_LATER}"
    )


def label(name: str, code: str) -> str:
    return str(code_list(CONTRACTS, name).filter(pl.col("code") == code)["label"].item())


def test_nothing_sent_at_all_has_no_values(built: flow.Home) -> None:
    effects = indicator_effects(built.settings.indicator_sql, CONTRACTS, "chicago", {}, {})
    assert (effects.changed.height, effects.indicators_same) == (0, PUBLISHED)


@pytest.fixture(scope="module")
def compiled(signed: Signed) -> dict[str, Any]:
    """dbt's manifest with the SQL of every model; after a build it has that of the second layer only."""
    invoke(signed.home.settings, ["compile"])
    return last_manifest(signed.home.settings)


class TestTheSqlFile:
    def test_a_build_and_a_compile_leave_the_same_file_and_asking_again_does_nothing(
        self, built: flow.Home, tmp_path: Path
    ) -> None:
        fresh = Settings.from_environment({"NMIP_HOME": str(tmp_path)})
        assert ensure_indicator_sql(fresh) == fresh.indicator_sql
        assert fresh.indicator_sql.read_bytes() == built.settings.indicator_sql.read_bytes()
        modified = fresh.indicator_sql.stat().st_mtime_ns
        ensure_indicator_sql(fresh)
        assert fresh.indicator_sql.stat().st_mtime_ns == modified
        fresh.indicator_sql.write_text("{")
        ensure_indicator_sql(fresh)
        assert fresh.indicator_sql.read_bytes() == built.settings.indicator_sql.read_bytes()

    def test_it_reads_nothing_but_extracts_and_code_lists(self, built: flow.Home) -> None:
        document = json.loads(built.settings.indicator_sql.read_text())
        text = built.settings.indicator_sql.read_text()
        assert str(built.settings.home.parent) not in text
        assert str(CONTRACTS) not in text
        known = {*document["sources"], *(model["name"] for model in document["models"])}
        made: set[str] = set(document["sources"])
        with duckdb.connect() as connection:
            for model in document["models"]:
                read = {name.strip('"') for name in connection.get_table_names(model["sql"])}
                assert read == set(model["reads"]) <= known
                assert set(model["reads"]) <= made
                made.add(model["name"])
        assert document["models"][-1]["name"] == "fct_indicator_values"
        assert document["breakdowns"] == list(BREAKDOWNS)
        assert [entry["indicator_id"] for entry in document["indicators"]] == [
            i.indicator_id for i in read_indicators(DBT_PROJECT)
        ]

    def test_code_lists_are_what_dbt_reads(self, built: flow.Home) -> None:
        names = [
            source["name"]
            for source in json.loads(built.settings.indicator_sql.read_text())["sources"].values()
            if source["kind"] == "codes"
        ]
        assert "instruments" in names
        for name in names:
            with duckdb.connect() as connection:
                by_dbt = connection.sql(
                    f"SELECT * FROM read_csv('{CONTRACTS / 'codes' / name}.csv', header = true, all_varchar = true)"
                )
                assert by_dbt.fetchall() == code_list(CONTRACTS, name).rows()

    def test_a_missing_a_damaged_and_an_old_file_say_what_to_do(self, built: flow.Home, tmp_path: Path) -> None:
        project = tmp_path / "dbt_project"
        shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
        document = json.loads(built.settings.indicator_sql.read_text()) | {"dbt_project": str(project)}
        path = tmp_path / "indicator_sql.json"

        def refused(match: str) -> None:
            with pytest.raises(EffectsUnavailable, match=rf"{match}\. Run nmip run, then ask again\.$"):
                indicator_effects(path, CONTRACTS, "chicago", {}, {})

        refused("was not made here yet")
        for damaged in ("", "{", "[]", "{}", '{"version": 1, "dbt_project": 2}'):
            path.write_text(damaged)
            refused("indicator_sql.json is damaged")
        path.write_text(json.dumps(document))
        indicator_effects(path, CONTRACTS, "chicago", {}, {})
        assert holds_for(path, project, CONTRACTS)
        assert not holds_for(path, DBT_PROJECT, CONTRACTS)
        (project / "models" / "marts" / "new.sql").write_text("select 1")
        refused("were changed since the SQL of the indicators was made")
        (project / "models" / "marts" / "new.sql").unlink()
        (project / "target").mkdir()
        (project / "target" / "compiled.sql").write_text("select 1")
        indicator_effects(path, CONTRACTS, "chicago", {}, {})
        model = project / "models" / "intermediate" / "int_core_titles.sql"
        model.write_text(model.read_text() + "-- changed")
        refused("were changed since the SQL of the indicators was made")
        shutil.rmtree(project)
        refused("were changed since the SQL of the indicators was made")

    def test_an_indicator_of_estimates_is_left_out_and_said_to_be(
        self, built: flow.Home, compiled: dict[str, Any], tmp_path: Path
    ) -> None:
        manifest = deepcopy(compiled)
        estimates = {"resource_type": "source", "source_name": "estimates", "name": "hetop", "relation_name": "read_parquet('x')"}
        manifest["sources"]["source.nmip.estimates.hetop"] = estimates
        manifest["nodes"]["model.nmip.oc9_participation"]["depends_on"]["nodes"].append("source.nmip.estimates.hetop")
        indicators = read_indicators(DBT_PROJECT)
        document = indicator_sql(manifest, indicators)
        assert all(source["kind"] in ("lake", "codes", "seed") for source in document["sources"].values())
        path = tmp_path / "indicator_sql.json"
        version = indicator_sql_version(DBT_PROJECT, CONTRACTS)
        path.write_text(json.dumps({**document, "version": version, "dbt_project": str(DBT_PROJECT)}))
        effects = indicator_effects(path, CONTRACTS, "chicago", {}, held(built, "chicago"))
        left_out = tuple(sorted([*ESTIMATED, "OC9"]))
        assert effects.left_out == left_out
        assert effects.indicators_changed == tuple(sorted({*ADOPTION, "SS5", "OC4"}))
        assert effects.summary().endswith(f" 12 values as before. Known with the next release only: {', '.join(left_out)}.")
        manifest["nodes"]["model.nmip.fct_indicator_values"]["depends_on"]["nodes"].append("source.nmip.estimates.hetop")
        with pytest.raises(IndicatorSqlError, match=r"fct_indicator_values reads estimates.hetop"):
            indicator_sql(manifest, indicators)

    def test_a_manifest_that_was_only_parsed_is_refused(self, compiled: dict[str, Any]) -> None:
        manifest = deepcopy(compiled)
        manifest["nodes"]["model.nmip.stg_instruments"]["compiled_code"] = None
        with pytest.raises(IndicatorSqlError, match="dbt has not compiled stg_instruments"):
            indicator_sql(manifest, read_indicators(DBT_PROJECT))


def sql_file(tmp_path: Path, sql: str, counts: str = "students") -> Path:
    """A file with one model over the school directory in place of the project's."""
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    document = {
        "version": indicator_sql_version(project, CONTRACTS),
        "dbt_project": str(project),
        "sources": {"lake.school_directory": {"kind": "lake", "name": "school_directory"}},
        "models": [{"name": "fct_indicator_values", "kind": "TABLE", "reads": ["lake.school_directory"], "sql": sql}],
        "breakdowns": SOME_BREAKDOWNS,
        "indicators": [{"indicator_id": "XX1", "title": "Example", "counts": counts, "direction": None, "is_computed": True}],
    }
    path = tmp_path / "indicator_sql.json"
    path.write_text(json.dumps(document))
    return path


ONE_VALUE_A_SCHOOL = """
select district, school_year, 'XX1' as indicator_id, {unit_type} as unit_type, school_id as unit_id, low_grade as grade,
  'low_income' as subgroup, cast(null as varchar) as course, 'two_words' as category, cast(null as varchar) as instrument,
  cast(null as varchar) as administration, cast(n_low_income as double) as numerator, cast(n_enrolled as double) as denominator,
  cast(n_low_income as double) / n_enrolled as value, '{unit}' as unit, n_low_income_symbol as symbol
from "lake.school_directory"
"""


def schools(*rows: tuple[Any, ...]) -> Tables:
    """A directory of (school, grade, low income, symbol, enrolled)."""
    names = ["school_id", "low_grade", "n_low_income", "n_low_income_symbol", "n_enrolled"]
    text = pl.DataFrame(
        [[None if cell is None else str(cell) for cell in row] for row in rows], dict.fromkeys(names, pl.String), orient="row"
    )
    return {("school_directory", YEAR): typed_rows(text, load_contract(CONTRACTS, "school_directory"), "chicago", YEAR, "s")}


def said(
    tmp_path: Path, before: tuple[Any, ...] | None, after: tuple[Any, ...] | None, unit: str = "share", counts: str = "students"
) -> Iterable[str]:
    """What is said of one school that was (low income, symbol, enrolled) and is something else."""
    path = sql_file(tmp_path, ONE_VALUE_A_SCHOOL.format(unit_type="'district'", unit=unit), counts)
    old, new = ({} if row is None else schools(("1", "4", *row)) for row in (before, after))
    return indicator_effects(path, CONTRACTS, "chicago", old, new).changed["said"].to_list()


class TestWords:
    @pytest.mark.parametrize(
        ("before", "after", "words"),
        [
            ((1204, None, 3860), (1230, None, 3860), "31.2 % → 31.9 % (1,204 → 1,230 of 3,860 students)"),
            ((1204, None, 3860), (1230, None, 4000), "31.2 % → 30.8 % (1,204 of 3,860 → 1,230 of 4,000 students)"),
            ((20000, None, 1234567), (20001, None, 1234567), "1.62 % → 1.6201 % (20,000 → 20,001 of 1,234,567 students)"),
            ((1, None, 2), (2, None, 4), "50.0 % as before (1 of 2 → 2 of 4 students)"),
            ((0, None, 100), (100, None, 100), "0.0 % → 100.0 % (0 → 100 of 100 students)"),
            ((None, "c", 50), (5, None, 50), "no number (confidential) → 10.0 % (5 of 50 students)"),
            ((5, None, 50), (None, "x", 50), "10.0 % → no number (not available) (5 of 50 students)"),
            ((None, "c", 50), (None, "x", 50), "no number (confidential) → no number (not available)"),
            ((None, "odd", 50), (None, None, 50), "no number (no reason given) → no number (no reason given)"),
            (None, (999, None, 1000), "new: 99.9 % (999 of 1,000 students)"),
            (None, (None, "z", 50), "new: no number (not applicable)"),
            ((999, None, 1000), None, "gone: 99.9 % (999 of 1,000 students)"),
        ],
    )
    def test_of_a_share(self, tmp_path: Path, before: tuple[Any, ...], after: tuple[Any, ...], words: str) -> None:
        assert said(tmp_path, before, after) == [words]

    def test_of_something_else(self, tmp_path: Path) -> None:
        words = said(tmp_path, (7, None, 4), (9, None, 4), unit="points", counts="schools")
        assert words == ["1.75 points → 2.25 points (7 → 9 of 4 schools)"]

    def test_nothing_changes_where_nothing_changes(self, tmp_path: Path) -> None:
        assert said(tmp_path, (None, "c", 50), (None, "c", 50)) == []

    def test_values_stand_in_the_order_of_the_code_lists(self, tmp_path: Path) -> None:
        path = sql_file(tmp_path, ONE_VALUE_A_SCHOOL.format(unit_type="'district'", unit="share"))
        table = schools(*((str(i), grade, 5, None, 50) for i, grade in enumerate(["10", "K", "2", None, "9"])))
        found = indicator_effects(path, CONTRACTS, "chicago", {}, table).changed
        assert found["grade"].to_list() == [None, "K", "2", "9", "10"]
        assert found["about"].to_list() == [
            f"XX1 Example · 2024-25 · {grade}Low income · Two words"
            for grade in ("", "Kindergarten · ", "Grade 2 · ", "Grade 9 · ", "Grade 10 · ")
        ]

    def test_schools_are_shown_when_asked_for(self, tmp_path: Path) -> None:
        unit_type = "case when school_id = '1' then 'district' else 'school' end"
        path = sql_file(tmp_path, ONE_VALUE_A_SCHOOL.format(unit_type=unit_type, unit="share"))
        table = schools(("1", "4", 5, None, 50), ("2", "4", 5, None, 50))
        assert indicator_effects(path, CONTRACTS, "chicago", {}, table).changed["unit_id"].to_list() == ["1"]
        every = indicator_effects(path, CONTRACTS, "chicago", {}, table, include_schools=True)
        assert every.changed["about"].to_list() == [
            "XX1 Example · 2024-25 · Grade 4 · Low income · Two words",
            "XX1 Example · 2024-25 · School · 2 · Grade 4 · Low income · Two words",
        ]
        assert every.summary() == "1 of 1 indicator affected: 2 values appear, 0 values as before."

    def test_another_districts_values_are_never_shown(self, tmp_path: Path) -> None:
        path = sql_file(tmp_path, ONE_VALUE_A_SCHOOL.format(unit_type="'district'", unit="share"))
        effects = indicator_effects(path, CONTRACTS, "houston", {}, schools(("1", "4", 5, None, 50)))
        assert (effects.changed.height, effects.n_same) == (0, 0)


class TestRefusals:
    @pytest.mark.parametrize(
        ("sql", "why"),
        [
            ("select * from read_csv('/etc/passwd')", r"cannot be computed \(.*disabled"),
            ('select no_such_column from "lake.school_directory"', r"cannot be computed \(.*no_such_column"),
            ("select 1 as indicator_id", r"cannot be computed \(.*district"),
            ("this is no SQL", r"cannot be computed \(.*syntax error"),
        ],
    )
    def test_a_model_that_cannot_run_is_named_with_the_reason(self, tmp_path: Path, sql: str, why: str) -> None:
        with pytest.raises(EffectsUnavailable, match=rf"the model fct_indicator_values {why}"):
            indicator_effects(sql_file(tmp_path, sql), CONTRACTS, "chicago", {}, {})

    def test_what_is_wrong_with_numbers_is_not_repeated(self, tmp_path: Path) -> None:
        path = sql_file(tmp_path, 'select cast(school_id as integer) from "lake.school_directory"')
        with pytest.raises(EffectsUnavailable, match=r"the model fct_indicator_values cannot be computed\. Tell") as caught:
            indicator_effects(path, CONTRACTS, "chicago", schools(("confidential", "4", 5, None, 50)), {})
        assert "confidential" not in str(caught.value)
        assert caught.value.__suppress_context__

    def test_a_calculation_that_takes_too_long_is_ended(self, tmp_path: Path) -> None:
        path = sql_file(tmp_path, "select sum(a.range * b.range) from range(10000000) as a, range(10000000) as b")
        with pytest.raises(EffectsUnavailable, match=r"took more than 0\.3 seconds"):
            indicator_effects(path, CONTRACTS, "chicago", {}, {}, limits=Limits(seconds=0.3))
