"""The synthetic network: files keep the contracts, truth is what the files say, planted effects are there.

Everything is checked from the written files with Polars alone; the model's own arrays are not looked at. The
rules that the product runs on deliveries are run here too, once, at a small scale.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from pipelines.contracts.contract import load_contract
from pipelines.intake.checking import load_check_tables, rules_of, run_rules
from pipelines.synthetic import materials
from pipelines.synthetic.files import write_deliveries, write_extracts, write_truth
from pipelines.synthetic.network import EXTRACTS, SyntheticNetwork, SyntheticNetworkError, build_network

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = PROJECT / "data_contracts"
YEARS = ["2023-24", "2024-25", "2025-26"]
COMPLEMENTS = [("english_learner", "not_english_learner"), ("low_income", "not_low_income")]
LEVELS = [f"n_level_{level}" for level in range(1, 7)]
SMALL = 0.03


def read_codes(name: str) -> pl.DataFrame:
    return pl.read_csv(CONTRACTS / "codes" / f"{name}.csv", infer_schema=False)


DISTRICTS = read_codes("districts")["code"].to_list()


@dataclass(frozen=True)
class Written:
    """A network on disk; the files of each extract read back as one table with district and year."""

    folder: Path
    paths: list[Path]
    tables: Mapping[str, pl.DataFrame]
    truth: Mapping[str, Any]
    seconds: float

    def truth_table(self, part: str) -> pl.DataFrame:
        return pl.DataFrame(self.truth[part], infer_schema_length=None)


def with_counts(table: pl.DataFrame) -> pl.DataFrame:
    """Counts as whole numbers; a count that is not one raises."""
    counts = [name for name in table.columns if name.startswith("n_") and not name.endswith("_symbol")]
    return table.with_columns(pl.col(counts).cast(pl.Int64))


def write_and_read(folder: Path, **arguments: Any) -> Written:
    started = time.perf_counter()
    network = build_network(CONTRACTS, **arguments)
    paths = write_extracts(network, folder / "extracts")
    write_truth(network, folder / "truth.json")
    seconds = time.perf_counter() - started
    parts: dict[str, list[pl.DataFrame]] = {extract: [] for extract in EXTRACTS}
    for path in paths:
        district, extract, school_year = path.parts[-4:-1]
        table = pl.read_csv(path, infer_schema=False)
        parts[extract].append(table.with_columns(district=pl.lit(district), school_year=pl.lit(school_year)))
    tables = {extract: with_counts(pl.concat(found)) for extract, found in parts.items()}
    return Written(folder, paths, tables, json.loads((folder / "truth.json").read_text("utf-8")), seconds)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_and_read(tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_and_read(tmp_path_factory.mktemp("small"), scale=SMALL)


@pytest.fixture(scope="module")
def other_seed(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_and_read(tmp_path_factory.mktemp("other"), seed=7, scale=SMALL)


@pytest.fixture(params=["full", "small", "other_seed"])
def written(request: pytest.FixtureRequest) -> Written:
    fixture: Written = request.getfixturevalue(request.param)
    return fixture


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# Files


def test_the_same_seed_gives_the_same_bytes_and_another_seed_different_ones(small: Written, tmp_path: Path) -> None:
    again = write_and_read(tmp_path / "again", scale=SMALL)
    other = write_and_read(tmp_path / "other", scale=SMALL, seed=20260802)
    assert bytes_below(again.folder) == bytes_below(small.folder)
    first, second = bytes_below(small.folder), bytes_below(other.folder)
    # Which districts run the programme whose teachers are measured follows from the seed.
    assert {name.split("/")[2] for name in first.keys() ^ second.keys()} <= {"habits_of_mind"}
    # A rubric has few ratings to differ in.
    same = [name for name in first.keys() & second.keys() if first[name] == second[name]]
    assert {name.split("/")[2] for name in same} <= {"program_rubric"}


def test_one_file_for_each_district_extract_and_year_in_its_place(small: Written) -> None:
    places = {path.relative_to(small.folder / "extracts").as_posix() for path in small.paths}
    expected = {(d, e, y): f"{d}/{e}/{y}/{d}_{e}_{y}.csv" for d in DISTRICTS for e in EXTRACTS for y in YEARS}
    # A district without the programme has nothing to send about it.
    without = set(DISTRICTS) - planted(small, "habits_of_mind_change")
    assert without
    assert places == {place for (d, e, _), place in expected.items() if e != "habits_of_mind" or d not in without}
    assert all(path.is_file() for path in small.paths)
    assert {path for path in (small.folder / "extracts").rglob("*") if path.is_file()} == set(small.paths)


def test_a_file_with_the_same_bytes_is_left_untouched_and_another_is_replaced(tmp_path: Path) -> None:
    network = build_network(CONTRACTS, scale=0.001)
    paths = write_deliveries(network, tmp_path)
    for path in paths:
        os.utime(path, ns=(1, 1))
    original = paths[0].read_bytes()
    paths[0].write_bytes(b"spoiled")
    assert write_deliveries(network, tmp_path) == paths
    assert paths[0].read_bytes() == original
    assert {path.stat().st_mtime_ns for path in paths[1:]} == {1}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network(CONTRACTS, scale=0.001)
    target = tmp_path / "truth.json"
    target.write_bytes(b"old")

    def refuse(source: Path, destination: Path) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="no space left"):
        write_truth(network, target)
    assert bytes_below(tmp_path) == {"truth.json": b"old"}


def test_files_are_utf8_with_the_contracts_header_and_no_impossible_numbers(full: Written) -> None:
    for path in full.paths:
        text = path.read_bytes().decode("utf-8")
        names = [column["name"] for column in properties(path.parts[-3])]
        assert text.partition("\n")[0] == ",".join(names)
        assert "\r" not in text and text.endswith("\n")
        assert re.search(r"(?i)(^|,)[+-]?(nan|inf|infinity|null)(,|$)", text, re.MULTILINE) is None
    assert any("ñ" in name for name in full.tables["school_directory"]["school_name"])


# Contracts, read from their files without the product's reader


def properties(extract: str) -> list[dict[str, Any]]:
    document = yaml.safe_load((CONTRACTS / "extracts" / f"{extract}.odcs.yaml").read_text("utf-8"))
    found: list[dict[str, Any]] = document["schema"][0]["properties"]
    return found


def custom(column: Mapping[str, Any], name: str) -> Any:
    return next((item["value"] for item in column.get("customProperties", []) if item["property"] == name), None)


@pytest.mark.parametrize("extract", EXTRACTS)
def test_every_value_keeps_its_columns_promise(written: Written, extract: str) -> None:
    table = written.tables[extract]
    assert table.height > 0
    for column in properties(extract):
        values = table[column["name"]]
        given, options = values.drop_nulls(), column.get("logicalTypeOptions", {})
        if column.get("required"):
            assert values.null_count() == 0, column["name"]
        if (codes := custom(column, "codeList")) is not None:
            assert set(given.unique()) <= set(read_codes(codes)["code"]), column["name"]
        if "pattern" in options:
            assert given.str.contains(options["pattern"]).all(), column["name"]
        if "maxLength" in options:
            assert (given.str.len_chars() <= options["maxLength"]).all(), column["name"]
        if column["logicalType"] == "integer":
            assert (given.cast(pl.Int64) >= options.get("minimum", 0)).all(), column["name"]
        if column["logicalType"] == "boolean":
            assert set(given.unique()) <= {"true", "false"}, column["name"]
        if (counted := custom(column, "symbolFor")) is not None:
            assert (values.is_null() == table[counted].is_not_null()).all(), column["name"]


@pytest.mark.parametrize("extract", EXTRACTS)
def test_keys_are_unique(written: Written, extract: str) -> None:
    key = [column["name"] for column in properties(extract) if column.get("primaryKey")]
    assert not written.tables[extract].select("district", "school_year", *key).is_duplicated().any()


def test_the_rules_of_the_product_find_nothing(small: Written) -> None:
    """One year of every district and extract, in turn; all of them go through the product in the end-to-end test."""
    faulty = {fault["file"] for fault in small.truth["planted_faults"]}
    looked_at = 0
    for path in small.paths:
        district, extract, school_year = path.parts[-4:-1]
        in_turn = YEARS[(DISTRICTS.index(district) + EXTRACTS.index(extract)) % len(YEARS)]
        if school_year != in_turn and path.name not in faulty:
            continue
        looked_at += 1
        rows = pl.read_csv(path, infer_schema=False).with_row_index("row_id", 1)
        rows = rows.with_columns(delivered_file=pl.lit(path.name), delivered_line=pl.col("row_id") + 1)
        contract = load_contract(CONTRACTS, extract)
        with duckdb.connect() as connection:
            load_check_tables(connection, rows, contract, CONTRACTS, district, school_year)
            rules = rules_of(CONTRACTS, contract)
            findings, _ = run_rules(connection, contract, rules, rows.columns)
        assert len(rules) > 8
        unusual = {f["rule_id"] for f in small.truth["planted_faults"] if f["file"] == path.name and not f["is_corrected"]}
        assert set(findings["rule_id"]) == unusual, findings.head(3).to_dicts()
    assert looked_at > len(small.paths) / 3


# School directory


def test_schools_and_students_are_as_many_as_the_code_list_says(full: Written) -> None:
    counted = (
        full.tables["school_directory"]
        .group_by("district", "school_year")
        .agg(pl.len().cast(pl.Int64).alias("schools"), pl.col("n_enrolled").sum())
    )
    listed = read_codes("districts").select(pl.col("code").alias("district"), pl.col("n_schools", "n_students").cast(pl.Int64))
    compared = counted.join(listed, on="district")
    assert compared.height == 18
    assert compared.select(((pl.col("schools") / pl.col("n_schools") - 1).abs() < 0.10).all()).item()
    assert compared.select(((pl.col("n_enrolled") / pl.col("n_students") - 1).abs() < 0.10).all()).item()
    first = compared.filter(pl.col("school_year") == YEARS[0])
    assert (first["schools"] == first["n_schools"]).all()


def test_parts_of_a_school_are_not_larger_than_the_school(written: Written) -> None:
    schools = written.tables["school_directory"]
    for part in ("n_enrolled_in_scope", "n_low_income", "n_english_learner", "n_disability"):
        assert (schools[part] <= schools["n_enrolled"]).all(), part
    taking_part = pl.col("in_scope") == "true"
    assert (schools.filter(~taking_part)["n_enrolled_in_scope"] == 0).all()
    order = dict(read_codes("grades").select("code", pl.col("sort_order").cast(pl.Int64)).iter_rows())
    assert (schools["low_grade"].replace_strict(order) <= schools["high_grade"].replace_strict(order)).all()
    ids = schools.drop_nulls("nces_school_id").select("district", "school_year", "nces_school_id")
    assert not ids.is_duplicated().any()
    assert ids["nces_school_id"].str.starts_with("99").all(), "an invented id could be a real school's"


def test_counts_are_skewed_as_real_ones_are(full: Written) -> None:
    schools = full.tables["school_directory"].filter(pl.col("school_year") == YEARS[0])
    for name in ("n_enrolled", "n_low_income", "n_english_learner", "n_disability"):
        skewness = schools[name].skew()
        assert skewness is not None and skewness > 1.0, name
    assert (schools["n_enrolled"] < 100).any() and (schools["n_enrolled"] > 2500).any()
    levels = schools.group_by("district").agg(pl.col("school_level").n_unique())
    assert (levels["school_level"] == 7).all()


def test_most_regular_schools_and_some_charters_take_part(full: Written) -> None:
    shares = full.tables["school_directory"].group_by("is_charter").agg((pl.col("in_scope") == "true").mean())
    by_kind = dict(shares.iter_rows())
    assert by_kind["false"] > 0.85
    assert 0.15 < by_kind["true"] < 0.60


def test_schools_open_and_close_and_keep_their_ids_otherwise(written: Written) -> None:
    schools = written.tables["school_directory"]
    for district in DISTRICTS:
        ids = [
            set(schools.filter((pl.col("district") == district) & (pl.col("school_year") == year))["school_id"]) for year in YEARS
        ]
        for before, after in pairwise(ids):
            assert before - after and after - before
            assert len(before & after) > 0.85 * len(before)
    kept = schools.group_by("district", "school_id").agg(
        pl.col("school_name", "low_grade", "high_grade", "is_charter").n_unique()
    )
    assert kept.select(pl.all_horizontal(pl.exclude("district", "school_id") == 1).all()).item()
    first_rows = schools.sort("school_year").group_by("district", "school_id", maintain_order=True).first()
    new = first_rows.filter(pl.col("school_year") > YEARS[0])
    # A school that is new has no NCES id yet; one that has changed its id has kept the NCES id that it had.
    known = first_rows.filter(pl.col("school_year") == YEARS[0]).select("district", "nces_school_id")
    renamed = new.drop_nulls("nces_school_id")
    assert renamed.height > 0 and new.height > renamed.height
    assert renamed.join(known, on=["district", "nces_school_id"], how="anti").is_empty()


def test_districts_write_ids_each_in_a_style_of_their_own(full: Written) -> None:
    schools = full.tables["school_directory"]
    styles = schools.group_by("district").agg(
        pl.col("school_id").str.replace_all("[0-9]", "9").str.replace_all("[A-Z]", "A").unique().sort().str.join("|"),
        pl.col("school_id").str.starts_with("0").any().alias("has_leading_zeros"),
    )
    assert styles["school_id"].n_unique() >= 5
    assert styles["has_leading_zeros"].sum() >= 2


# Assessment levels


def test_levels_are_those_of_the_states_test_of_the_year(written: Written) -> None:
    results = written.tables["assessment_levels"]
    states = dict(read_codes("districts").select("code", "state").iter_rows())
    tests = read_codes("instruments").select(
        "state",
        "first_school_year",
        pl.col("code").alias("instrument"),
        pl.col("last_school_year").fill_null("9999"),
        pl.col("n_levels").cast(pl.Int64).alias("levels_of_test"),
    )
    joined = results.join(tests, on="instrument")
    assert joined.height == results.height
    assert (joined["district"].replace_strict(states) == joined["state"]).all()
    assert joined.select(pl.col("school_year").is_between("first_school_year", "last_school_year").all()).item()
    for level, name in enumerate(LEVELS, 1):
        beyond = joined.filter(pl.col("levels_of_test") < level)
        assert (beyond[f"{name}_symbol"] == "z").all()
        within = joined.filter(pl.col("levels_of_test") >= level)
        assert (within[f"{name}_symbol"].fill_null("") != "z").all()
    assert set(joined["levels_of_test"]) == {4, 5}
    assert set(results["grade"]) == {"3", "4", "5", "6", "7", "8"}


def test_levels_add_up_to_the_students_tested(written: Written) -> None:
    results = written.tables["assessment_levels"]
    assert (results["n_tested"] <= results["n_enrolled"]).all()
    hidden = (pl.col("n_level_1_symbol") == "c").fill_null(False)
    shown = results.filter(~hidden)
    assert (shown.select(pl.sum_horizontal(LEVELS)).to_series() == shown["n_tested"]).all()
    withheld = results.filter(hidden)
    assert withheld["n_tested"].is_between(1, 4).all()
    assert (withheld["subgroup"] != "all").all()
    assert withheld["n_level_2_symbol"].eq("c").all()


def test_complements_add_up_to_all_students_also_by_level(written: Written) -> None:
    results = written.tables["assessment_levels"]
    unit = ["district", "school_year", "unit_id", "grade"]
    groups = {str(name): table for (name,), table in results.partition_by("subgroup", as_dict=True).items()}
    for one, other in COMPLEMENTS:
        joined = groups["all"].join(groups[one], on=unit, suffix="_one").join(groups[other], on=unit, suffix="_other")
        assert joined.height == groups["all"].height == groups[one].height == groups[other].height > 0
        for name in ("n_enrolled", "n_tested", *LEVELS):
            both = joined.drop_nulls([name, f"{name}_one", f"{name}_other"])
            assert (both[f"{name}_one"] + both[f"{name}_other"] == both[name]).all(), (one, name)
        shown = joined.drop_nulls(["n_level_1_one", "n_level_1_other"])
        assert shown.height > 0.9 * joined.height


def test_only_the_districts_that_suppress_do(full: Written) -> None:
    hidden = full.tables["assessment_levels"].filter(pl.col("n_level_1_symbol") == "c")
    planted = next(e for e in full.truth["planted_effects"] if e["effect"] == "sender_suppresses")
    assert len(planted["districts"]) == 2
    assert set(hidden["district"]) == set(planted["districts"])


# Curriculum adoption


def test_students_of_core_titles_add_up_to_the_enrolment_of_the_grade(written: Written) -> None:
    """Two extracts drawn apart agree: core titles of grades 3-7 and the enrolment that the results carry."""
    core = written.tables["curriculum_adoption"].filter(pl.col("role") == "core")
    taught = core.group_by("district", "school_year", "school_id", "course", "subgroup").agg(pl.col("n_students").sum())
    enrolled = written.tables["assessment_levels"].filter(
        pl.col("grade").is_in(["3", "4", "5", "6", "7"]) & pl.col("subgroup").is_in(["all", "english_learner", "low_income"])
    )
    joined = enrolled.join(
        taught,
        left_on=["district", "school_year", "unit_id", "grade", "subgroup"],
        right_on=["district", "school_year", "school_id", "course", "subgroup"],
        how="left",
    )
    assert joined.height > 0
    assert (joined["n_students"] == joined["n_enrolled"]).fill_null(False).all()


def test_grade_8_students_are_in_one_course_each(written: Written) -> None:
    """In schools that end with grade 8, students of its own course and those ahead make up the grade."""
    place = ["district", "school_year", "school_id"]
    schools = written.tables["school_directory"].filter(pl.col("high_grade") == "8").select(place)
    core = written.tables["curriculum_adoption"].filter(
        (pl.col("role") == "core") & (pl.col("subgroup") == "all") & pl.col("course").is_in(["8", "ALG1", "INT1"])
    )
    taught = core.group_by(place).agg(pl.col("n_students").sum(), pl.col("course").n_unique())
    grade_8 = written.tables["assessment_levels"].filter((pl.col("grade") == "8") & (pl.col("subgroup") == "all"))
    joined = (
        grade_8.rename({"unit_id": "school_id"})
        .select(*place, "n_enrolled")
        .join(schools, on=place)
        .join(taught, on=place, how="left")
    )
    assert joined.height > 0
    assert (joined["n_students"] == joined["n_enrolled"]).fill_null(False).all()
    assert (joined["course"] == 2).any()


def test_courses_lie_within_the_grades_of_the_school(written: Written) -> None:
    order = dict(read_codes("grades").select("code", pl.col("sort_order").cast(pl.Int64)).iter_rows())
    schools = written.tables["school_directory"].with_columns(
        pl.col("low_grade", "high_grade").replace_strict(order, return_dtype=pl.Int64)
    )
    rows = written.tables["curriculum_adoption"].join(schools, on=["district", "school_year", "school_id"])
    grade = rows["course"].replace_strict(order, default=None, return_dtype=pl.Int64)
    in_grades = rows.filter(grade.is_not_null()).with_columns(taught_in=grade.drop_nulls())
    assert in_grades.select(pl.col("taught_in").is_between("low_grade", "high_grade").all()).item()
    assert (rows.filter(grade.is_null())["high_grade"] >= 8).all()


def test_groups_are_not_larger_than_all_students_of_a_title(written: Written) -> None:
    rows = written.tables["curriculum_adoption"]
    key = ["district", "school_year", "school_id", "course", "title", "role"]
    whole = rows.filter(pl.col("subgroup") == "all")
    parts = rows.filter(pl.col("subgroup") != "all").join(whole, on=key, suffix="_all")
    assert parts.height == 2 * whole.height
    for name in ("n_students", "n_licensed", "n_recommended_use"):
        assert (parts[name] <= parts[f"{name}_all"]).all(), name
    assert (whole["n_students"] > 0).all()
    assert (rows["n_licensed"] <= rows["n_students"]).all()
    assert (rows["n_recommended_use"] <= rows["n_licensed"]).all()
    digital = rows.filter(pl.col("is_digital") == "true")
    assert digital["n_licensed"].null_count() == 0
    assert rows.filter(pl.col("is_digital") == "false")["n_licensed"].null_count() == rows.height - digital.height


def test_a_title_has_one_review_and_a_reviewer_when_it_is_reviewed(written: Written) -> None:
    rows = written.tables["curriculum_adoption"]
    assert (rows.group_by("title", "edition").agg(pl.col("review_status").n_unique())["review_status"] == 1).all()
    reviewed = rows.filter(pl.col("review_status") != "not_reviewed")
    assert reviewed["reviewer"].null_count() == 0 and reviewed["review_year"].null_count() == 0
    assert set(rows["review_status"]) == set(read_codes("review_statuses")["code"])
    invented = r"Example|Sample|Placeholder|Invented|Fictional|Pretend"
    assert rows["title"].str.contains(invented).all() and rows["publisher"].str.contains(invented).all()
    assert reviewed["reviewer"].str.contains(invented).all()


def test_all_kinds_of_materials_and_courses_occur(full: Written) -> None:
    rows = full.tables["curriculum_adoption"]
    assert set(rows["course"]) == set(read_codes("courses")["code"])
    assert set(rows["role"]) == set(read_codes("title_roles")["code"])
    assert set(rows["adoption_status"]) == set(read_codes("adoption_statuses")["code"])
    is_core = pl.col("role") == "core"
    assert rows.filter(is_core)["alignment_with_core"].null_count() == rows.filter(is_core).height
    assert set(rows.filter(~is_core)["alignment_with_core"]) == set(read_codes("alignments")["code"])


@pytest.mark.parametrize("extract, column", [("assessment_levels", "unit_id"), ("curriculum_adoption", "school_id")])
def test_every_school_is_in_the_directory_of_the_year(written: Written, extract: str, column: str) -> None:
    schools = written.tables["school_directory"].select("district", "school_year", "school_id")
    named = written.tables[extract].select("district", "school_year", pl.col(column).alias("school_id")).unique()
    assert named.join(schools, on=["district", "school_year", "school_id"], how="anti").height == 0


# Truth, recomputed from the files


def test_true_results_are_those_of_the_files(written: Written) -> None:
    by = ["district", "school_year", "grade", "subgroup"]
    counted = (
        written.tables["assessment_levels"]
        .group_by(by)
        .agg(
            pl.col("n_enrolled", "n_tested", *LEVELS).sum(),
            (pl.col("n_level_1_symbol") == "c").sum().cast(pl.Int64).alias("n_hidden"),
        )
    )
    truth = written.truth_table("assessment")
    joined = truth.join(counted, on=by, suffix="_file")
    assert joined.height == truth.height == counted.height == 6 * 3 * 6 * 5
    for name in ("n_enrolled", "n_tested"):
        assert (joined[name] == joined[f"{name}_file"]).all(), name
    assert (joined["n_rows_suppressed"] == joined["n_hidden"]).all()
    for level, name in enumerate(LEVELS):
        delivered = joined["n_levels_delivered"].list.get(level, null_on_oob=True).fill_null(0)
        assert (delivered == joined[name]).all(), name
        complete = joined.filter(pl.col("n_hidden") == 0)
        exact = complete["n_levels"].list.get(level, null_on_oob=True)
        assert (exact.fill_null(0) == complete[name]).all(), name
        share = (complete[name] / complete["n_tested"]).filter(exact.is_not_null())
        stated = complete["level_shares"].list.get(level, null_on_oob=True).filter(exact.is_not_null())
        assert ((share - stated).abs() < 1e-12).all(), name
    assert (joined["n_levels"].list.sum() == joined["n_tested"]).all()
    participation = pl.col("n_tested_file") / pl.col("n_enrolled_file")
    assert joined.select(((participation - pl.col("participation")).abs() < 1e-12).all()).item()


def test_true_counts_of_suppressed_groups_follow_from_their_complements(full: Written) -> None:
    """What a school withheld is all its students minus the other group, where it delivered that one."""
    place, unit = ["district", "school_year", "grade"], ["district", "school_year", "grade", "unit_id"]
    results = full.tables["assessment_levels"]
    groups = {str(name): table for (name,), table in results.partition_by("subgroup", as_dict=True).items()}
    n_compared = 0
    for pair in COMPLEMENTS:
        for one, other in (pair, pair[::-1]):
            joined = groups["all"].join(groups[one], on=unit, suffix="_one")
            joined = joined.join(groups[other], on=unit, suffix="_other")
            is_lost = pl.col("n_level_1_one").is_null() & pl.col("n_level_1_other").is_null()
            restored = joined.group_by(place).agg(
                *(pl.coalesce(f"{n}_one", pl.col(n) - pl.col(f"{n}_other")).sum().alias(n) for n in LEVELS),
                pl.col("n_level_1_one").is_null().sum().alias("n_hidden"),
                is_lost.any().alias("is_lost"),
            )
            truth = full.truth_table("assessment").filter(pl.col("subgroup") == one)
            compared = truth.join(restored.filter(~pl.col("is_lost") & (pl.col("n_hidden") > 0)), on=place)
            n_compared += compared.height
            for level, name in enumerate(LEVELS):
                exact = compared["n_levels"].list.get(level, null_on_oob=True).fill_null(0)
                assert (exact == compared[name]).all(), (one, name)
    assert n_compared > 10


def test_coverage_and_one_core_title_are_those_of_the_files(written: Written) -> None:
    scope = written.tables["school_directory"].select("district", "school_year", "school_id", "in_scope")
    core = written.tables["curriculum_adoption"].filter(pl.col("role") == "core")
    core = core.join(scope, on=["district", "school_year", "school_id"])
    taking_part = core.filter(pl.col("in_scope") == "true")
    assert 0 < taking_part.height < core.height
    place = ["scope", "district", "school_year"]
    both = pl.concat([core.with_columns(scope=pl.lit("all")), taking_part.with_columns(scope=pl.lit("in_scope"))])
    courses = pl.concat([both, both.with_columns(course=pl.lit(None, pl.String))])

    statuses = read_codes("review_statuses")["code"].to_list()
    counted = courses.group_by(*place, "course", "subgroup").agg(
        pl.col("n_students").sum(),
        *(pl.col("n_students").filter(pl.col("review_status") == status).sum().alias(status) for status in statuses),
    )
    truth = written.truth_table("materials_coverage")
    stated = truth.unnest("n_students_by_review_status")
    joined = stated.join(counted, on=[*place, "course", "subgroup"], suffix="_file", nulls_equal=True)
    assert joined.height == stated.height == counted.height
    for name in ("n_students", *statuses):
        assert (joined[name] == joined[f"{name}_file"]).all(), name
    known = joined.filter(pl.col("n_students") > 0)
    assert ((known["meets_file"] / known["n_students_file"] - known["share_meets"]).abs() < 1e-12).all()
    assert joined.filter(pl.col("n_students") == 0)["share_meets"].is_null().all()

    titles = both.filter(pl.col("subgroup") == "all").group_by(*place, "course", "school_id").agg(pl.col("title").n_unique())
    overall = titles.group_by(*place, "school_id").agg(pl.col("title").max()).with_columns(course=pl.lit(None, pl.String))
    schools = (
        pl.concat([titles.select(overall.columns), overall])
        .group_by(*place, "course")
        .agg(
            pl.len().cast(pl.Int64).alias("n_counted"),
            (pl.col("title") == 1).sum().cast(pl.Int64).alias("n_one"),
        )
    )
    one_title = written.truth_table("one_core_title")
    compared = one_title.join(schools, on=[*place, "course"], nulls_equal=True)
    assert compared.height == one_title.height == schools.height
    assert (compared["n_schools"] == compared["n_counted"]).all()
    assert (compared["n_schools_with_one"] == compared["n_one"]).all()
    assert ((compared["n_one"] / compared["n_counted"] - compared["share"]).abs() < 1e-12).all()


def test_true_schools_and_students_are_those_of_the_directory(written: Written) -> None:
    counted = (
        written.tables["school_directory"]
        .group_by("district", "school_year")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            pl.col("n_enrolled").sum(),
            (pl.col("in_scope") == "true").sum().cast(pl.Int64),
        )
    )
    joined = written.truth_table("districts").join(counted, on=["district", "school_year"], suffix="_file")
    assert joined.height == 18
    assert (joined["n_schools"] == joined["n"]).all()
    assert (joined["n_enrolled"] == joined["n_enrolled_file"]).all()
    assert (joined["n_schools_in_scope"] == joined["in_scope"]).all()


# Truth, held against the model's promise


def test_shares_scatter_around_what_the_model_expects(full: Written) -> None:
    shares = full.truth_table("assessment").explode("level_shares", "expected_level_shares")
    p, n = pl.col("expected_level_shares"), pl.col("n_tested")
    scaled = shares.select(((pl.col("level_shares") - p) / (p * (1 - p) / n).sqrt()).alias("z"))["z"]
    spread = scaled.std()
    assert isinstance(spread, float)
    # Students' cells differ, so shares scatter a little less than a plain binomial's.
    assert 0.85 < spread < 1.05
    assert (scaled.abs() < 5).all()


def test_latent_mean_and_sd_reproduce_the_shares_through_the_cuts(full: Written) -> None:
    """A mixture of normals is not quite normal: two percentage points of room."""
    cuts = {(c["district"], c["school_year"], c["grade"]): c["cuts"] for c in full.truth["cuts"]}
    for row in full.truth["assessment"]:
        latent = NormalDist(row["latent_mean"], row["latent_sd"])
        below, starts = 0.0, cuts[row["district"], row["school_year"], row["grade"]]
        assert starts == sorted(starts) and len(starts) + 1 == len(row["n_levels"])
        for share, cut in zip(row["expected_level_shares"], starts, strict=False):
            below += share
            assert abs(latent.cdf(cut) - below) < 0.02
        assert 0.02 < row["between_school_share"] < 0.40


def test_cuts_stay_with_the_cut_version(full: Written) -> None:
    seen: dict[tuple[str, str], list[float]] = {}
    for entry in full.truth["cuts"]:
        assert seen.setdefault((entry["cut_version"], entry["grade"]), entry["cuts"]) == entry["cuts"]
    instruments = {entry["instrument"] for entry in full.truth["cuts"]}
    assert len({version for version, _ in seen}) < len(instruments), "an instrument on older cuts is the case at hand"


def planted(written: Written, effect: str) -> set[str]:
    return set(next(entry for entry in written.truth["planted_effects"] if entry["effect"] == effect)["districts"])


def test_planted_adoption_rise_and_access_gap_show_in_coverage(full: Written) -> None:
    coverage = full.truth_table("materials_coverage").filter(pl.col("course").is_null() & (pl.col("scope") == "in_scope"))
    of_all = coverage.filter(pl.col("subgroup") == "all").pivot("school_year", index="district", values="share_meets")
    assert of_all.height == 6
    assert (of_all[YEARS[2]] - of_all[YEARS[1]] > 0.08).all()
    assert ((of_all[YEARS[1]] - of_all[YEARS[0]]).abs() < 0.10).all()
    groups = coverage.pivot("subgroup", index=["district", "school_year"], values="share_meets")
    assert (groups["low_income"] < groups["all"]).all()


def test_planted_opt_out_shows_in_participation(full: Written) -> None:
    results = full.truth_table("assessment")
    opting = pl.col("district").is_in(planted(full, "opt_out"))
    everyone = results.filter(pl.col("subgroup") == "all")
    # Where the course test replaces the grade's, students of grade 8 are missing for that reason.
    own_test = everyone.filter(pl.col("grade") != "8")
    assert own_test.filter(~opting)["participation"].is_between(0.90, 0.995).all()
    assert own_test.filter(opting)["participation"].is_between(0.70, 0.88).all()
    assert own_test.filter(opting).height == 15
    groups = results.filter(opting).pivot("subgroup", index=["school_year", "grade"], values="participation")
    assert (groups["not_low_income"] < groups["low_income"]).all()


def test_planted_choice_shows_in_one_core_title(full: Written) -> None:
    shares = full.truth_table("one_core_title").filter(pl.col("course").is_null())
    choosing = pl.col("district").is_in(planted(full, "school_choice_of_titles"))
    assert (shares.filter(choosing)["share"] < 0.75).all()
    assert (shares.filter(~choosing)["share"] > 0.90).all()


def test_planted_gain_shows_in_the_middle_grades_of_the_last_year_alone(full: Written) -> None:
    results = (
        full.truth_table("assessment")
        .filter(pl.col("subgroup") == "all")
        .with_columns(band=pl.when(pl.col("grade") >= "6").then(pl.lit("middle")).otherwise(pl.lit("lower")))
    )
    means = results.group_by("district", "school_year", "band").agg(
        (pl.col("latent_mean") * pl.col("n_tested")).sum() / pl.col("n_tested").sum()
    )
    wide = means.pivot("school_year", index=["district", "band"], values="latent_mean")
    rise = wide.with_columns(rise=pl.col(YEARS[2]) - pl.col(YEARS[1])).pivot("band", index="district", values="rise")
    rise = rise.with_columns(more=pl.col("middle") - pl.col("lower"))
    gaining = pl.col("district").is_in(planted(full, "middle_grades_gain"))
    assert rise.filter(gaining).height == 1
    assert rise.filter(gaining)["more"].is_between(0.08, 0.16).all()
    assert (rise.filter(~gaining)["more"].abs() < 0.06).all()


def test_planted_new_cuts_move_the_shares_and_not_the_students(full: Written) -> None:
    effect = next(entry for entry in full.truth["planted_effects"] if entry["effect"] == "new_cuts")
    assert effect["changes"], "the state tests of these years hold one change of cuts"
    results = {
        (row["district"], row["school_year"], row["grade"]): row for row in full.truth["assessment"] if row["subgroup"] == "all"
    }
    for change in effect["changes"]:
        before = YEARS[YEARS.index(change["first_school_year"]) - 1]
        for grade in "345678":
            old, new = (results[change["district"], year, grade] for year in (before, change["first_school_year"]))
            assert abs(new["latent_mean"] - old["latent_mean"]) < 0.08
            assert len(new["level_shares"]) != len(old["level_shares"])


def test_use_counts_are_missing_only_where_they_were_planted_so(full: Written) -> None:
    rows = full.tables["curriculum_adoption"].filter(pl.col("is_digital") == "true")
    assert set(rows.filter(pl.col("n_recommended_use").is_null())["district"]) == planted(full, "no_use_counts")
    assert set(rows.filter(pl.col("n_recommended_use_symbol") == "x")["district"]) == planted(full, "no_use_counts")


def test_truth_says_that_it_is_invented_and_how_it_was_made(small: Written) -> None:
    assert "All of this is invented" in small.truth["about"]
    assert (small.truth["seed"], small.truth["scale"]) == (20260801, SMALL)
    for part, value in small.truth.items():
        if isinstance(value, list) and part not in ("school_years", "planted_effects"):
            assert f"{part}" in small.truth["about"], part


# Boundaries


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, Mapping):
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, (int, float)):
        yield value


@pytest.mark.parametrize("scale", [1e-9, 0.02])
def test_tiny_networks_have_twelve_schools_a_district_and_no_impossible_number(tmp_path: Path, scale: float) -> None:
    tiny = write_and_read(tmp_path, scale=scale)
    counted = tiny.tables["school_directory"].group_by("district", "school_year").len()
    assert counted.height == 18 and counted["len"].min() == 12
    text = (tmp_path / "truth.json").read_text("utf-8")
    assert "NaN" not in text and "Infinity" not in text
    assert all(math.isfinite(number) for number in numbers(tiny.truth))
    assert all(table.height > 0 for table in tiny.tables.values())


def test_many_seeds_build_at_the_smallest_scale() -> None:
    for seed in range(6):
        network = build_network(CONTRACTS, seed=seed, scale=0.001)
        assert all(table.height > 0 for table in network.extracts.values())


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 51.0])
def test_a_scale_that_cannot_be_used_is_refused_in_words(scale: float) -> None:
    with pytest.raises(SyntheticNetworkError, match="give a number above 0"):
        build_network(CONTRACTS, scale=scale)


@pytest.mark.parametrize("seed", [-1, True, 1.5, "7"])
def test_a_seed_that_cannot_be_used_is_refused_in_words(seed: Any) -> None:
    with pytest.raises(SyntheticNetworkError, match="give a whole number"):
        build_network(CONTRACTS, seed=seed)


def changed_contracts(folder: Path, name: str, change: Any) -> Path:
    shutil.copytree(CONTRACTS, folder / "contracts")
    path = folder / "contracts" / "codes" / f"{name}.csv"
    change(pl.read_csv(path, infer_schema=False)).write_csv(path)
    return folder / "contracts"


def test_a_state_without_a_test_of_the_year_is_refused_by_name(tmp_path: Path) -> None:
    contracts = changed_contracts(tmp_path, "instruments", lambda table: table.filter(pl.col("state") != "TX"))
    with pytest.raises(SyntheticNetworkError, match="names 0 mathematics tests of TX for 2023-24"):
        build_network(contracts, scale=0.001)


@pytest.mark.parametrize("n", [1, 7])
def test_districts_come_from_the_code_list_alone(tmp_path: Path, n: int) -> None:
    def change(table: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([table, table.tail(1).with_columns(code=pl.lit("new_place"))]).tail(n)

    network = build_network(changed_contracts(tmp_path, "districts", change), scale=0.001)
    assert len({district for district, _, _ in network.extracts}) == n
    assert "new_place" in {district for district, _, _ in network.extracts}
    sources = "".join(path.read_text("utf-8") for path in (PROJECT / "pipelines" / "synthetic").glob("*.py"))
    named = [word for row in read_codes("districts").select("code", "label").iter_rows() for word in row if word in sources]
    assert named == []


def test_one_extracts_draws_do_not_shift_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> SyntheticNetwork:
        return build_network(CONTRACTS, scale=0.001)

    before = build()
    monkeypatch.setattr(materials, "HELPS", ())
    after = build()
    for key, table in before.extracts.items():
        assert table.equals(after.extracts[key]) == (key[1] != "curriculum_adoption"), key


def test_the_full_network_is_made_quickly(full: Written, record_property: Any) -> None:
    rows = sum(table.height for table in full.tables.values())
    record_property("rows", rows)
    record_property("seconds", round(full.seconds, 1))
    assert rows > 500_000
    assert full.seconds < 60
