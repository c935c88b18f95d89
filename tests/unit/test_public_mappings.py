"""The districts' mappings on the real files: published and recomputed values, counts by reason, stated rounding errors.

Expected numbers come from the data's own notes, or are computed here from the raw files with another reader.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from pipelines.intake.reading import DeliveredFile
from pipelines.intake.screening import Screening, screen
from pipelines.settings import PROJECT_ROOT

CONTRACTS = PROJECT_ROOT / "data_contracts"
RESULTS, OF_STATE = "assessment_levels", "state_level_distribution"
LEVELS = [f"n_level_{level}" for level in range(1, 7)]
CHICAGO_YEARS = {"2017-18": 22.2, "2018-19": 23.6, "2021-22": 14.9, "2022-23": 17.6}
NEW_YORK_YEARS = {"2005-06": 58.4, "2006-07": 67.0, "2007-08": 75.7, "2008-09": 82.9, "2009-10": 55.1, "2010-11": 58.4}
MIAMI_FILES = [f"{25 + grade - 3}Math0{grade}SRSSpring23.xls" for grade in range(3, 9)]


@cache
def _screened(folder: Path, district: str, extract: str, school_year: str, paths: tuple[str, ...]) -> Screening:
    files = [DeliveredFile(Path(path).name, (folder / path).read_bytes()) for path in paths]
    return screen(files, CONTRACTS, district, extract, school_year)


def listed(district: str, extract: str) -> tuple[str, ...]:
    table = pl.read_csv(CONTRACTS / "public_data.csv", infer_schema=False)
    return tuple(table.filter(district=district, extract=extract)["path"])


def screened(folder: Path, district: str, school_year: str, extract: str = RESULTS) -> Screening:
    found = _screened(folder, district, extract, school_year, listed(district, extract))
    assert found.findings.filter(pl.col("tier").is_in(["S", "V"])).to_dicts() == []
    assert not found.is_blocked
    return found


def counts(screening: Screening) -> pl.DataFrame:
    """Mapped rows with counts as numbers."""
    return screening.rows.with_columns(pl.col(name).cast(pl.Int64) for name in ["n_tested", *LEVELS])


def share(rows: pl.DataFrame, levels: range) -> float:
    """Percent of tested students at these levels over rows whose levels are given."""
    given = rows.filter(pl.col("n_level_1").is_not_null())
    at_levels = given.select(pl.sum_horizontal(f"n_level_{level}" for level in levels).sum()).item()
    return float(100 * at_levels / given["n_tested"].sum())


def raw_csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def levels_add_up(rows: pl.DataFrame, n_levels: int) -> bool:
    given = rows.filter(pl.col("n_level_1").is_not_null())
    total = given.select(pl.sum_horizontal(LEVELS[:n_levels]))[LEVELS[0]]
    return (
        bool((total == given["n_tested"]).all())
        and rows.select(LEVELS[n_levels:]).null_count().sum_horizontal()[0] == (len(LEVELS) - n_levels) * rows.height
    )


# --- Houston ---


@pytest.fixture(scope="module")
def houston_raw(public_data: Path) -> pl.DataFrame:
    raw = raw_csv(public_data / "houston_staar" / "district_staar_22-23.csv")
    return raw.with_columns(pl.col("^m_.*$").cast(pl.Int64), pl.col("district").str.zfill(6))


def test_houston_meets_or_above(public_data: Path, houston_raw: pl.DataFrame) -> None:
    rows = counts(screened(public_data, "houston", "2022-23"))
    assert rows["grade"].sort().to_list() == ["3", "4", "5", "6", "7", "8"]
    mapped = {grade: share(rows.filter(grade=grade), range(3, 5)) for grade in rows["grade"]}
    assert [round(mapped[str(grade)], 1) for grade in range(3, 9)] == [38.1, 41.3, 43.3, 28.6, 28.6, 28.2]
    of_district = houston_raw.filter(district="101912", year="23")
    for grade, value in mapped.items():
        of_grade = of_district.filter(GRADE=grade)
        assert value == pytest.approx(100 * of_grade["m_all_meetsgl_nm"].sum() / of_grade["m_docs"].sum())


def test_houston_grade_3_counts_the_spanish_rows(public_data: Path, houston_raw: pl.DataFrame) -> None:
    grade_3 = houston_raw.filter(district="101912", year="23", GRADE="3")
    english = grade_3.filter(LANGUAGE="english")
    assert round(100 * english["m_all_meetsgl_nm"].sum() / english["m_docs"].sum(), 1) == 40.6
    row = counts(screened(public_data, "houston", "2022-23")).filter(grade="3")
    assert row["n_tested"].to_list() == [grade_3["m_docs"].sum()]
    assert grade_3["m_docs"].sum() > english["m_docs"].sum()


def test_houston_levels_are_taken_apart(public_data: Path, houston_raw: pl.DataFrame) -> None:
    rows = counts(screened(public_data, "houston", "2022-23"))
    assert levels_add_up(rows, 4)
    raw = houston_raw.filter(district="101912", year="23").group_by("GRADE").agg(pl.col("^m_.*$").sum()).sort("GRADE")
    rows = rows.sort("grade")
    assert rows["n_level_1"].to_list() == raw["m_all_unsatgl_nm"].to_list()
    assert rows["n_level_4"].to_list() == raw["m_all_mastrgl_nm"].to_list()
    from_approaches = rows.select(pl.sum_horizontal("n_level_2", "n_level_3", "n_level_4"))["n_level_2"]
    assert from_approaches.to_list() == raw["m_all_approgl_nm"].to_list()


def test_houston_lines_by_reason(public_data: Path, houston_raw: pl.DataFrame) -> None:
    found = screened(public_data, "houston", "2022-23")
    tested = pl.col("m_docs").fill_null(0) > 0
    of_district = houston_raw.filter(district="101912")
    assert of_district.filter(~tested).height == 0
    assert found.lines == {
        "in": houston_raw.height,
        "used": of_district.filter(tested, year="23").height,
        "dropped": {
            "other_district": houston_raw.filter(pl.col("district") != "101912").height,
            "other_year": of_district.filter(tested, year="22").height,
        },
    }
    assert found.lines["in"] == 16_169
    assert found.row_counts == {"in": 13, "used": 6, "dropped": {"other_district": 1, "other_year": 6}}
    assert found.school_years == ("2021-22", "2022-23")


# --- Miami-Dade ---


@pytest.fixture(scope="module")
def miami_raw(public_data: Path) -> pl.DataFrame:
    """Every line of the six workbooks that holds anything; `sheet_row` counts from 1."""
    frames = []
    for name in MIAMI_FILES:
        book = fastexcel.read_excel(public_data / "miami_fast" / name)
        sheet = book.load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars()
        sheet.columns = [f"c{number}" for number in range(1, sheet.width + 1)]
        sheet = sheet.select(pl.col(f"c{number}").str.strip_chars() for number in range(1, 14))
        frames.append(sheet.with_row_index("sheet_row", offset=1).with_columns(file=pl.lit(name)))
    every = pl.concat(frames)
    cells = [f"c{number}" for number in range(1, 14)]
    return every.filter(pl.any_horizontal(pl.col(cells).fill_null("") != ""))


def miami_schools(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.filter(c1="13").select(
        "file",
        "sheet_row",
        unit_id="c3",
        grade=pl.col("c5").str.strip_chars_start("0"),
        n="c6",
        above="c8",
        **{f"p{level}": pl.col(f"c{8 + level}") for level in range(1, 6)},
    )


def test_miami_level_3_and_above(public_data: Path, miami_raw: pl.DataFrame) -> None:
    rows = counts(screened(public_data, "miami_dade", "2022-23"))
    mapped = [share(rows.filter(grade=str(grade)), range(3, 6)) for grade in range(3, 9)]
    assert [round(value, 1) for value in mapped] == [62.9, 64.5, 57.6, 58.4, 48.4, 59.3]
    schools = miami_schools(miami_raw).filter(pl.col("p1") != "*").with_columns(pl.col("n", "above").cast(pl.Float64))
    for grade, value in zip(range(3, 9), mapped, strict=True):
        of_grade = schools.filter(grade=str(grade))
        students = of_grade.select((pl.col("n") * pl.col("above")).sum() / 100).item()
        # What the mapping promises: a grade's total is within one student of the sum of N x percent.
        assert abs(value / 100 * of_grade["n"].sum() - students) <= 1


def test_miami_state_totals_of_the_file_are_the_published_ones(miami_raw: pl.DataFrame) -> None:
    """N and percent at level 3 or above as published; anchors that the right columns are read."""
    totals = miami_raw.filter(c1="00").sort("file").select("c6", "c7", "c8").rows()
    assert totals[0] == ("221011", "300", "59")
    assert totals[-1] == ("170149", "335", "55")


def test_miami_rounding_error_is_within_what_the_note_says(public_data: Path, miami_raw: pl.DataFrame) -> None:
    rows = counts(screened(public_data, "miami_dade", "2022-23"))
    assert levels_add_up(rows, 5)
    shown = miami_schools(miami_raw).filter(pl.col("p1") != "*", pl.col("p2") != "*")
    shown = shown.with_columns(pl.col("n", "above", *(f"p{level}" for level in range(1, 6))).cast(pl.Float64))
    both = rows.filter(pl.col("n_level_1").is_not_null()).join(shown, on=["unit_id", "grade"], how="inner", validate="1:1")
    assert both.height == shown.height > 1_000
    above = pl.sum_horizontal("n_level_3", "n_level_4", "n_level_5")
    # A printed percent is within 0.5 of the true one, so this leaves at most 0.5 % of N and one student.
    assert both.select((above - pl.col("n") * pl.col("above") / 100).abs().max()).item() <= 1
    for level in range(1, 6):
        from_print = (pl.col(f"n_level_{level}") - pl.col("n") * pl.col(f"p{level}") / 100).abs()
        assert both.filter(from_print > 0.005 * pl.col("n") + 2).to_dicts() == [], level


def test_miami_suppressed_rows_are_confidential(public_data: Path, miami_raw: pl.DataFrame) -> None:
    found = screened(public_data, "miami_dade", "2022-23").rows
    hidden = miami_schools(miami_raw).filter((pl.col("p1") == "*") | (pl.col("p2") == "*"))
    confidential = found.filter(pl.col("n_level_1").is_null())
    assert confidential.height == hidden.height > 0
    assert set(confidential.select("unit_id", "grade").rows()) == set(hidden.select("unit_id", "grade").rows())
    for level in range(1, 6):
        assert set(confidential[f"n_level_{level}_symbol"]) == {"c"}
        assert set(confidential[f"n_level_{level}"]) == {None}
    assert set(hidden["above"]) == {"*"}, "no district school prints a share beside its stars"


def test_miami_lines_by_reason_and_place(public_data: Path, miami_raw: pl.DataFrame) -> None:
    found = screened(public_data, "miami_dade", "2022-23")
    number = pl.col("c1").fill_null("").str.contains(r"^\d\d$")
    dropped = {
        "heading": miami_raw.filter(~number).height,
        "other_district": miami_raw.filter(number, ~pl.col("c1").is_in(["00", "13"])).height,
        "state_total": miami_raw.filter(c1="00").height,
    }
    assert found.lines == {"in": miami_raw.height, "used": miami_raw.filter(c1="13").height, "dropped": dropped}
    assert dropped["state_total"] == 6
    place = miami_schools(miami_raw).select("file", "sheet_row", "unit_id", "grade").rows()
    told = found.rows.select("delivered_file", "delivered_line", "unit_id", "grade").rows()
    assert Counter(told) == Counter(place)


# --- Chicago ---


@pytest.fixture(scope="module")
def chicago_raw(public_data: Path) -> pl.DataFrame:
    percents = [f"percent_{level}_math" for level in ("did_not_meet", "partially_met", "approached", "met", "exceeded")]
    return raw_csv(public_data / "chicago_iar" / "cps_data.csv").select(
        pl.col("school_id").alias("unit_id"),
        ((pl.col("year").cast(pl.Int64) - 1).cast(pl.String) + "-" + pl.col("year").str.slice(2)).alias("school_year"),
        pl.col("number_students_tested_math").cast(pl.Float64, strict=False).alias("n"),
        pl.col("percent_met_or_exceeded_math").cast(pl.Float64, strict=False).alias("above"),
        *[pl.col(name).cast(pl.Float64, strict=False).alias(f"p{level}") for level, name in enumerate(percents, start=1)],
    )


@pytest.mark.parametrize(("school_year", "expected"), CHICAGO_YEARS.items())
def test_chicago_met_or_exceeded(public_data: Path, chicago_raw: pl.DataFrame, school_year: str, expected: float) -> None:
    rows = counts(screened(public_data, "chicago", school_year))
    assert round(share(rows, range(4, 6)), 1) == expected
    raw = chicago_raw.filter(school_year=school_year).drop_nulls(["n", "above"])
    assert round(raw.select((pl.col("n") * pl.col("above")).sum() / pl.col("n").sum()).item(), 1) == expected


@pytest.mark.parametrize("school_year", CHICAGO_YEARS)
def test_chicago_rounding_error_is_within_what_the_note_says(
    public_data: Path, chicago_raw: pl.DataFrame, school_year: str
) -> None:
    rows = counts(screened(public_data, "chicago", school_year))
    assert levels_add_up(rows, 5)
    both = rows.join(chicago_raw.filter(school_year=school_year), on="unit_id", how="inner", validate="1:1")
    assert both.height == rows.height > 400
    missed = (100 - pl.sum_horizontal(f"p{level}" for level in range(1, 6))).abs() / 100 * pl.col("n")
    for level in range(1, 6):
        from_print = (pl.col(f"n_level_{level}") - pl.col("n") * pl.col(f"p{level}") / 100).abs()
        assert both.filter(from_print > 1 + missed + 1e-6).to_dicts() == [], level


@pytest.mark.parametrize("school_year", CHICAGO_YEARS)
def test_chicago_lines_by_reason(public_data: Path, chicago_raw: pl.DataFrame, school_year: str) -> None:
    found = screened(public_data, "chicago", school_year)
    n_year = chicago_raw.group_by("school_year").len().sort("school_year")
    assert found.school_years == tuple(n_year["school_year"]) == tuple(CHICAGO_YEARS)
    untested = chicago_raw.filter(pl.col("n").fill_null(0) == 0).height
    of_year = chicago_raw.filter(pl.col("n").fill_null(0) > 0, school_year=school_year).height
    dropped = {"other_year": chicago_raw.height - untested - of_year}
    if untested:
        dropped["no_students_tested"] = untested
    assert found.lines == {"in": chicago_raw.height, "used": of_year, "dropped": dropped}


# --- Los Angeles ---


@pytest.fixture(scope="module")
def los_angeles_raw(public_data: Path) -> pl.DataFrame:
    return raw_csv(public_data / "la_smarter_balanced" / "sbac_2015_by_district.csv")


def test_los_angeles_met_or_exceeded_and_its_rounding(public_data: Path, los_angeles_raw: pl.DataFrame) -> None:
    rows = counts(screened(public_data, "los_angeles", "2014-15"))
    assert levels_add_up(rows, 4)
    (row,) = rows.to_dicts()
    assert round(share(rows, range(3, 5))) == 25
    (raw,) = los_angeles_raw.filter(district_code="1964733").to_dicts()
    n = int(raw["studentswithscores"].replace(",", ""))
    assert row["n_tested"] == n
    names = ("not_met", "nearly_met", "met", "exceeded")
    proportions = [float(raw[f"pct_standard_{name}_math"]) for name in names]
    missed = n * abs(1 - sum(proportions))
    for level, proportion in enumerate(proportions, start=1):
        assert abs(row[f"n_level_{level}"] - n * proportion) <= 1 + missed + 1e-6
    assert float(raw["pct_standard_met_or_exceeded_math"]) == 0.25


def test_los_angeles_lines_by_reason(public_data: Path, los_angeles_raw: pl.DataFrame) -> None:
    found = screened(public_data, "los_angeles", "2014-15")
    others = los_angeles_raw.filter(pl.col("district_code").is_null() | (pl.col("district_code") != "1964733")).height
    assert found.lines == {"in": los_angeles_raw.height, "used": 1, "dropped": {"other_district": others}}
    assert found.row_counts == {"in": others + 8, "used": 1, "dropped": {"no_denominator": 7, "other_district": others}}


# --- New York City ---


@pytest.fixture(scope="module")
def new_york_raw(public_data: Path) -> pl.DataFrame:
    raw = raw_csv(public_data / "nyc_math" / "nyc_math_by_school_grade_2006_2011.csv")
    return raw.with_columns(school_year=(pl.col("Year").cast(pl.Int64) - 1).cast(pl.String) + "-" + pl.col("Year").str.slice(2))


def number(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all(",", "").cast(pl.Int64, strict=False)


@pytest.mark.parametrize(("school_year", "expected"), NEW_YORK_YEARS.items())
def test_new_york_level_3_and_4(public_data: Path, new_york_raw: pl.DataFrame, school_year: str, expected: float) -> None:
    found = screened(public_data, "new_york_city", school_year)
    rows = counts(found)
    assert round(share(rows.filter(grade="3_8"), range(3, 5)), 1) == expected
    raw = new_york_raw.filter(school_year=school_year)
    shown = raw.filter(pl.col("Level 3+4 #") != "s", Grade="All Grades")
    assert round(
        100 * shown.select(number("Level 3+4 #").sum()).item() / shown.select(number("Number Tested").sum()).item(), 1
    ) == (expected)
    other = new_york_raw.height - raw.height
    assert found.lines == {"in": new_york_raw.height, "used": raw.height, "dropped": {"other_year": other}}
    assert levels_add_up(rows, 4)
    hidden = raw.filter(pl.col("Level 1 #") == "s")
    assert hidden.height > 0
    assert rows.filter(pl.col("n_level_1").is_null()).height == hidden.height
    assert rows["n_tested"].sum() == raw.select(number("Number Tested").sum()).item()


# --- states ---


def of_state(folder: Path, district: str, school_year: str) -> pl.DataFrame:
    """Mapped rows of the state in the order of their grades, with counts as numbers."""
    return counts(screened(folder, district, school_year, OF_STATE)).sort("grade")


@pytest.mark.parametrize("school_year", ["2021-22", "2022-23"])
def test_texas_is_the_sum_over_all_districts(public_data: Path, houston_raw: pl.DataFrame, school_year: str) -> None:
    rows = of_state(public_data, "houston", school_year)
    assert rows["grade"].to_list() == ["3", "4", "5", "6", "7", "8"]
    assert levels_add_up(rows, 4)
    raw = houston_raw.filter(year=school_year[-2:]).group_by("GRADE").agg(pl.col("^m_.*$").sum()).sort("GRADE")
    assert rows["n_tested"].to_list() == raw["m_docs"].to_list()
    assert rows["n_level_1"].to_list() == raw["m_all_unsatgl_nm"].to_list()
    assert rows["n_level_4"].to_list() == raw["m_all_mastrgl_nm"].to_list()
    assert (rows["n_level_3"] + rows["n_level_4"]).to_list() == raw["m_all_meetsgl_nm"].to_list()
    code = {"2021-22": "tx_staar_math_2017", "2022-23": "tx_staar_math_2023"}[school_year]
    assert set(rows["instrument"]) == {code}
    assert set(rows["publication"]) == {f"Texas Education Agency, STAAR mathematics by district, spring 20{school_year[-2:]}"}
    assert set(rows["n_enrolled_symbol"]) == {"x"}
    own = counts(screened(public_data, "houston", school_year)).sort("grade")
    for name in ("n_tested", *LEVELS[:4]):
        assert (rows[name] > 10 * own[name]).all(), name


def test_texas_2022_shows_who_sits_algebra_1(public_data: Path) -> None:
    """Anchors of the public data's own README."""
    rows = of_state(public_data, "houston", "2021-22")
    assert dict(rows.filter(pl.col("grade").is_in(["6", "8"])).select("grade", "n_tested").rows()) == {"6": 386_731, "8": 356_833}


def test_texas_lines_by_reason(public_data: Path, houston_raw: pl.DataFrame) -> None:
    found = screened(public_data, "houston", "2022-23", OF_STATE)
    untested = houston_raw.filter(pl.col("m_docs").fill_null(0) == 0).height
    tested = houston_raw.filter(pl.col("m_docs") > 0)
    assert untested > 0
    assert found.lines == {
        "in": houston_raw.height,
        "used": tested.filter(year="23").height,
        "dropped": {"no_students_tested": untested, "other_year": tested.filter(year="22").height},
    }
    assert found.school_years == ("2021-22", "2022-23")


def test_florida_is_the_row_of_state_totals(public_data: Path, miami_raw: pl.DataFrame) -> None:
    found = screened(public_data, "miami_dade", "2022-23", OF_STATE)
    rows = of_state(public_data, "miami_dade", "2022-23")
    assert levels_add_up(rows, 5)
    n = dict(rows.select("grade", "n_tested").rows())
    assert (n["3"], n["8"]) == (221_011, 170_149)
    shares = [round(share(rows.filter(grade=grade), range(3, 6))) for grade in "345678"]
    assert (shares[0], shares[-1]) == (59, 55)
    totals = miami_raw.filter(c1="00").sort("file")
    assert rows["n_tested"].cast(pl.String).to_list() == totals["c6"].to_list()
    assert shares == [int(value) for value in totals["c8"]]
    for row, raw in zip(rows.to_dicts(), totals.to_dicts(), strict=True):
        above = sum(row[f"n_level_{level}"] for level in (3, 4, 5))
        assert abs(above - row["n_tested"] * int(raw["c8"]) / 100) <= 0.5
        for level in range(1, 6):
            # What the note says: a level is within 1 % of N and two students of its printed percent.
            assert abs(row[f"n_level_{level}"] - row["n_tested"] * int(raw[f"c{8 + level}"]) / 100) <= 0.01 * row["n_tested"] + 2
    number = pl.col("c1").fill_null("").str.contains(r"^\d\d$")
    dropped = {
        "heading": miami_raw.filter(~number).height,
        "part_of_state": miami_raw.filter(number, pl.col("c1") != "00").height,
    }
    assert found.lines == {"in": miami_raw.height, "used": 6, "dropped": dropped}
    assert set(zip(found.rows["delivered_file"], found.rows["delivered_line"], strict=True)) == set(
        totals.select("file", "sheet_row").rows()
    )


def test_california_is_the_file_s_row_of_the_state(public_data: Path, los_angeles_raw: pl.DataFrame) -> None:
    found = screened(public_data, "los_angeles", "2014-15", OF_STATE)
    (row,) = of_state(public_data, "los_angeles", "2014-15").to_dicts()
    assert row["grade"] == "3_8_and_11"
    (raw,) = los_angeles_raw.filter(entity_name="California").to_dicts()
    assert row["n_tested"] == int(raw["studentswithscores"]) == 3_151_300
    # The state's own table has the same number of students, and 33 % who met or exceeded the standard.
    (published,) = raw_csv(public_data / "la_smarter_balanced" / "sbac_2015_state.csv").filter(stateAbbr="CA").to_dicts()
    assert row["n_tested"] == int(published["no_of_test_takers"])
    n_met = row["n_level_3"] + row["n_level_4"]
    assert round(n_met / row["n_tested"], 2) == float(published["state_overall_math"]) == 0.33
    assert sum(row[name] for name in LEVELS[:4]) == row["n_tested"]
    for level, name in enumerate(("not_met", "nearly_met", "met", "exceeded"), start=1):
        assert abs(row[f"n_level_{level}"] - row["n_tested"] * float(raw[f"pct_standard_{name}_math"])) <= 1
    (own,) = counts(screened(public_data, "los_angeles", "2014-15")).to_dicts()
    assert all(row[name] > 5 * own[name] for name in ("n_tested", *LEVELS[:4]))
    others = los_angeles_raw.height - 1
    assert found.row_counts == {"in": others + 8, "used": 1, "dropped": {"no_denominator": 7, "part_of_state": others}}
