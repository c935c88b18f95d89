"""Every page of the dashboard, over a full release, one with every number withheld, an empty one, and none."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import release_data
from dashboards.components import own_test, tables, words, years
from pipelines.release.reader import NoRelease, read_current
from pipelines.wording import look
from tests import release_fixture
from tests.release_fixture import Variant, write_release

APP = Path(__file__).resolve().parents[2] / "dashboards" / "app.py"
CHALLENGE_PAGES = ("size_and_scale", "materials", "educator_capacity", "leader_capacity", "mindset", "outcomes")
PAGES = (
    "overview",
    *CHALLENGE_PAGES,
    "programmes",
    "district_profile",
    "data_quality",
    "definitions",
    "methods",
    "back_test",
    "comparable",
    "briefings",
)
BANNER = "nothing here describes a real school"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("NMIP_HOME", str(tmp_path))
    release_data._answer.clear()
    yield tmp_path
    release_data._answer.clear()


def open_page(page: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    if page != "overview":
        app.switch_page(f"app_pages/{page}.py")
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
    assert not app.exception, [problem.message for problem in app.exception]
    return app


def opened(app: AppTest, *tables_behind: str) -> AppTest:
    """The page with the named tables opened."""
    for name in tables_behind:
        app.session_state[f"open.{name}"] = True
    app.run()
    assert not app.exception, [problem.message for problem in app.exception]
    return app


def text_of(app: AppTest) -> str:
    """All words of a page as a reader sees them, without the backslashes that keep text from being Markdown."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.warning]
    return "\n".join(str(element.value) for element in elements).replace("\\", "").replace(words.WORD_JOINER, "")


def table_texts(app: AppTest) -> list[pl.DataFrame]:
    """All tables of a page as a reader sees them."""
    clean = (
        pl.col(pl.String)
        .str.replace_all(r"\\(.)", "${1}")
        .str.replace_all(words.WORD_JOINER, "")
        .str.replace_all(tables.BREAK_HERE, "")
        .str.replace_all("\u00a0", " ")
    )
    return [pl.from_pandas(table.value).with_columns(clean) for table in app.table]


def chart_specs(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]


def chart_words(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("vega_lite_chart")]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("variant", ["full", "suppressed", "empty"])
def test_every_page_opens_with_banner_and_footer(home: Path, page: str, variant: Variant) -> None:
    write_release(home, variant=variant)
    said = text_of(open_page(page))
    assert BANNER in said
    assert "Release r-2025-10-06-001" in said
    assert ("as of 2025-09-11" in said) == (variant != "empty")


@pytest.mark.parametrize("page", PAGES)
def test_without_a_release_the_page_says_what_to_run(home: Path, page: str) -> None:
    said = text_of(open_page(page))
    assert "There is no release to show" in said
    assert "`make demo`" in said and "`nmip run`" in said
    assert BANNER not in said


@pytest.mark.parametrize("kind, sentence", [("public", "not submitted by the districts"), ("", "does not say whether")])
def test_banner_says_what_kind_of_data(home: Path, kind: str, sentence: str) -> None:
    write_release(home, kind=kind)
    said = text_of(open_page("overview"))
    assert sentence in said and BANNER not in said


def test_live_data_need_no_banner(home: Path) -> None:
    write_release(home, kind="live")
    app = open_page("overview")
    assert not app.info and not app.warning


def test_overview_says_what_is_certified_and_what_is_missing(home: Path) -> None:
    write_release(home)
    app = open_page("overview")
    matrix = table_texts(app)[0]
    assert matrix.columns[1:] == [label for label, _ in release_fixture.DISTRICTS.values()]
    rows = {row["Challenge"]: row for row in matrix.to_dicts()}
    assert rows["Outcomes (9 indicators)"]["Chicago"] == "2021-22 to 2024-25, as of 2025-09-11"
    assert rows["Core & Supplemental Materials (4 indicators)"]["Houston"] == "2022-23 to 2024-25, as of 2025-09-11"
    assert rows["Outcomes (9 indicators)"]["Philadelphia"] == "nothing certified"
    assert rows["Leader Capacity (1 indicator)"]["Chicago"] == "2022-23 to 2024-25, as of 2025-09-11"
    assert "Without a number so far: Philadelphia." in text_of(app)


def test_a_challenge_without_an_indicator_says_so(home: Path) -> None:
    folder = write_release(home)
    indicators = pl.read_parquet(folder / "indicators.parquet")
    indicators.filter(pl.col("challenge") != "mindset").write_parquet(folder / "indicators.parquet")
    app = open_page("overview")
    row = next(row for row in table_texts(app)[0].to_dicts() if row["Challenge"] == "Math Mindset")
    assert set(row.values()) == {"Math Mindset", "no indicator yet"}
    assert "No indicator is defined yet for Math Mindset." in text_of(app)
    assert "This release holds no values for this page." in text_of(open_page("mindset"))


def test_overview_of_withheld_numbers_shows_no_years(home: Path) -> None:
    write_release(home, variant="suppressed")
    app = open_page("overview")
    assert "every number is withheld" in text_of(app)
    assert "certified; every number withheld or unavailable" in table_texts(app)[0]["Chicago"].to_list()


@pytest.mark.parametrize("page, indicator", [("overview", ""), ("materials", "CM1"), ("outcomes", "OC4")])
def test_order_is_alphabetical_or_focal_first_and_never_by_value(home: Path, page: str, indicator: str) -> None:
    write_release(home)
    names = [label for label, _ in release_fixture.DISTRICTS.values()]

    def order(app: AppTest) -> list[str]:
        if page == "overview":
            return table_texts(app)[0].columns[1:]
        heads = [str(part.value).strip("*# ") for part in app.markdown if str(part.value).strip("*# ") in names]
        assert len(heads) == len(names)
        return heads

    assert order(open_page(page, indicator=indicator)) == sorted(names)
    focal = open_page(page, focal="new_york_city", indicator=indicator)
    assert order(focal) == ["New York City", *(name for name in sorted(names) if name != "New York City")]


@pytest.mark.parametrize("page", PAGES)
def test_nonsense_in_the_address_is_passed_over(home: Path, page: str) -> None:
    write_release(home)
    nonsense = "<script>alert(1)</script>" * 10
    app = open_page(
        page, focal=nonsense, year="1999-00", grade="'; DROP TABLE x", course="??", subgroup="", district="x", indicator="../x"
    )
    assert "<script>" not in "".join(str(part.value) for part in (*app.markdown, *app.caption))
    assert "Release r-2025-10-06-001" in text_of(app)


def test_choices_come_from_the_address_and_go_into_it(home: Path) -> None:
    write_release(home)
    app = open_page("outcomes", indicator="OC4", year="2022-23", grade="8", subgroup="english_learner")
    assert "2022-23 · Grade 8 · English learners" in text_of(app)
    app.selectbox("choice.grade").set_value("4").run()
    assert app.query_params["grade"] == "4"
    assert "2022-23 · Grade 4 · English learners" in text_of(app)


def test_coverage_shows_shares_with_intervals_and_says_why_a_cell_is_missing(home: Path) -> None:
    write_release(home)
    app = opened(open_page("materials", indicator="CM1", course="ALG1"), "CM1_2024-25")
    chicago = next(said for said in chart_words(app) if said.startswith("High-quality materials coverage, Chicago, 2024-25"))
    lower, upper = release_fixture.wilson(11_550, 21_000)
    assert f"Meets expectations 55.0 % ({100 * lower:.1f} to {100 * upper:.1f} %)" in chicago
    assert "Does not meet expectations confidential" in chicago
    assert "Does not meet expectations: no number. Confidential: withheld to protect people in small groups." in text_of(app)
    rows = table_texts(app)[0].filter((pl.col("District") == "Chicago") & (pl.col("School year") == "2024-25")).to_dicts()
    assert [row["Result"] for row in rows] == [
        "Meets expectations",
        "Partially meets expectations",
        "Does not meet expectations",
        "Not reviewed",
    ]
    assert rows[2]["Value"] == "confidential" and rows[2]["n"] == ""
    assert rows[0] == {
        "District": "Chicago",
        "School year": "2024-25",
        "Result": "Meets expectations",
        "Value": "55.0 %",
        "95 % interval": f"{100 * lower:.1f} to {100 * upper:.1f} %",
        "n": "21000",
        "As of": "2025-09-11",
        "Sources": "chicago.curriculum_adoption.2024-25.001",
    }
    drawn = chart_specs(app)[0]["layer"][0]["encoding"]["y"]["sort"]
    assert drawn == ["Meets expectations", "Partially meets\nexpectations", "Not reviewed"]


def test_pages_that_show_districts_side_by_side_say_that_only_a_verdict_compares(home: Path) -> None:
    write_release(home)
    assert text_of(open_page("materials")).count(words.SIDE_BY_SIDE) == 1
    assert text_of(open_page("materials", indicator="CM1")).count(words.SIDE_BY_SIDE) == 1
    said = text_of(open_page("outcomes", indicator="OC4"))
    assert said.count(words.SIDE_BY_SIDE) == 1 and "not on a common scale" in said


def test_withheld_numbers_draw_no_chart_and_are_explained(home: Path) -> None:
    write_release(home, variant="suppressed")
    for page, indicator, table in (("materials", "CM1", "CM1_2024-25"), ("outcomes", "OC4", "OC4_chicago_2024-25")):
        app = opened(open_page(page, indicator=indicator), table)
        assert not app.get("vega_lite_chart")
        assert "No number can be shown. Confidential" in text_of(app)
        shown = [value for table in table_texts(app) for value in table["Value"]]
        assert set(shown) == {"confidential"}
    for page in CHALLENGE_PAGES:
        app = open_page(page)
        assert not app.get("vega_lite_chart")
        assert "No number can be shown: every one is withheld" in text_of(app)


def test_each_district_stands_on_its_own_test(home: Path) -> None:
    write_release(home)
    certified = [code for code in release_fixture.DISTRICTS if code != release_fixture.WITHOUT_CERTIFIED]
    app = opened(open_page("outcomes", indicator="OC4"), *(f"OC4_{code}_2024-25" for code in certified))
    level_tables = [table for table in table_texts(app) if "Level" in table.columns]
    assert len(level_tables) == 5
    assert all(table["District"].n_unique() == 1 for table in level_tables)
    assert {"Level 1: IL did not meet", "Level 4: IL exceeded"} <= set(level_tables[0]["Level"])
    assert not {label for label in level_tables[0]["Level"] if "TX" in label}


def test_no_line_crosses_a_change_of_cuts_or_a_withheld_year(home: Path) -> None:
    write_release(home)
    release = read_current(home)
    chosen = {"grade": "3", "subgroup": "all", "category": own_test.PROFICIENT}
    rows = own_test.labelled(release_data.values(release, "OC4", chosen), release_data.instruments(release))

    def run_years(district: str) -> list[list[str]]:
        joined, _ = years.runs(rows.filter(pl.col("district") == district), own_test.CONTINUITY)
        return [part["school_year"].to_list() for part in joined.partition_by("run", maintain_order=True)]

    assert run_years("chicago") == [list(release_fixture.YEARS)]
    assert run_years("houston") == [["2021-22"], ["2023-24", "2024-25"]]
    assert run_years(release_fixture.CHANGED_CUTS) == [["2021-22", "2022-23"], ["2023-24", "2024-25"]]
    _, breaks = years.runs(rows.filter(pl.col("district") == release_fixture.CHANGED_CUTS), own_test.CONTINUITY)
    assert breaks == [years.Break("2022-23", "2023-24", ("the cuts",))]
    _, none = years.runs(rows.filter(pl.col("district") == "houston"), own_test.CONTINUITY)
    assert none == []


def test_a_change_of_cuts_is_said_on_the_page(home: Path) -> None:
    write_release(home)
    said = text_of(open_page("outcomes", indicator="OC4"))
    assert said.count("Between 2022-23 and 2023-24 the cuts changed") == 1
    assert "No number for 2022-23: confidential." in said


def test_a_single_year_is_said_and_not_drawn(home: Path) -> None:
    folder = write_release(home)
    values = pl.read_parquet(folder / "indicator_values.parquet")
    values.filter(pl.col("school_year") == "2024-25").write_parquet(folder / "indicator_values.parquet")
    app = open_page("outcomes", indicator="OC4")
    assert "One year only, 2024-25: 45.0 %" in text_of(app)
    assert not any("over the years" in said for said in chart_words(app))


def test_a_breakdown_that_a_district_lacks_is_said_with_what_it_has(home: Path) -> None:
    folder = write_release(home)
    values = pl.read_parquet(folder / "indicator_values.parquet")
    values.filter(~((pl.col("district") == "chicago") & (pl.col("grade") == "3"))).write_parquet(
        folder / "indicator_values.parquet"
    )
    said = text_of(open_page("outcomes", indicator="OC4", grade="3"))
    assert "No row for Grade 3 · All students: the certified files of 2024-25 do not report it." in said
    assert "To be had: Grade 4 and Grade 8." in said


def test_unavailable_participation_says_why(home: Path) -> None:
    write_release(home)
    said = text_of(open_page("outcomes", indicator="OC9"))
    assert "Not available: the number exists in principle, but was not collected or not delivered." in said
    assert "The file carries no enrolment, so participation cannot be computed." in said


def test_data_quality_adds_up_and_lists_what_is_missing(home: Path) -> None:
    folder = write_release(home)
    submissions = pl.read_parquet(folder / "submissions.parquet")
    submissions.filter(~((pl.col("district") == "houston") & (pl.col("extract") == "curriculum_adoption"))).write_parquet(
        folder / "submissions.parquet"
    )
    app = open_page("data_quality")
    expected, states, *sums = table_texts(app)
    assert expected.height == 12
    unsent = expected.filter((pl.col("District") == "Philadelphia") & (pl.col("School year") == "2024-25"))
    assert unsent["Assessment levels"].to_list() == ["Missing, due 2025-10-31"]
    declared = expected.filter((pl.col("District") == "Houston") & (pl.col("School year") == "2023-24"))
    assert declared["Curriculum adoption"].to_list() == ["Not provided"]
    assert "Houston, Curriculum adoption 2023-24: not provided. Kept on paper." in text_of(app)
    houston = states.filter((pl.col("District") == "Houston") & (pl.col("File") == "Curriculum adoption 2024-25"))
    assert houston.select("State", "Meaning").rows() == [("Not received", "No file has arrived.")]
    chicago = states.filter((pl.col("District") == "Chicago") & (pl.col("File") == "Assessment levels 2024-25"))
    assert chicago["State"].to_list() == ["Ready to sign", "Certified"]
    unread = states.filter(pl.col("State") == "Unreadable")
    assert unread["Next step"].to_list() == ["The district sends the file again."]
    lines = next(table for table in sums if "Lines" in table.columns)
    counts = [int(text.replace(",", "")) for text in lines["Count"]]
    assert sum(counts[:-1]) == counts[-1] == 1_500
    assert "does not add up" not in text_of(app)
    assert "Counts were rebuilt from percentages" in text_of(app)


def test_a_release_of_the_time_before_expected_files_were_published_is_shown(home: Path) -> None:
    folder = write_release(home)
    (folder / "expected_extracts.parquet").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["tables"]["expected_extracts"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    app = open_page("data_quality")
    assert "What is expected" not in text_of(app)
    assert "State of every file" in text_of(app) or app.table


def test_data_quality_says_so_when_lines_do_not_add_up(home: Path) -> None:
    folder = write_release(home)
    submissions = pl.read_parquet(folder / "submissions.parquet")
    submissions.with_columns(lines_in=pl.col("lines_in") + 3).write_parquet(folder / "submissions.parquet")
    assert "**This does not add up:** 3 lines are missing." in text_of(open_page("data_quality"))


def test_damaged_json_texts_of_a_submission_do_no_harm(home: Path) -> None:
    folder = write_release(home)
    submissions = pl.read_parquet(folder / "submissions.parquet")
    damaged = {"dropped_lines": pl.lit("{"), "dropped_rows": pl.lit("[1]"), "notes": pl.lit('"text"')}
    submissions.with_columns(**damaged).write_parquet(folder / "submissions.parquet")
    assert "320 lines are missing" in text_of(open_page("data_quality"))


def test_definitions_hold_every_indicator_and_test(home: Path) -> None:
    write_release(home)
    app = open_page("definitions")
    said = text_of(app)
    assert "students in grade-courses whose core title has the review result" in said
    assert "the district's own test" in said
    tests = [table for table in table_texts(app) if "Test" in table.columns]
    florida = next(table for table in tests if "FL mathematics test, cuts of 2024" in table["Test"])
    assert florida["Levels"][0] == "1) FL did not meet; 2) FL approached; 3) FL met; 4) FL exceeded"
    assert florida["Proficient from level"].to_list() == ["3", "3"]


def test_text_from_outside_stays_text(home: Path) -> None:
    write_release(home)
    app = open_page("data_quality", district="houston")
    said = "\n".join(str(part.value) for part in app.markdown)
    noted = next(line.removeprefix("* ") for line in said.splitlines() if "HYPERLINK" in line)
    assert not re.search(r"(?<!\\)[<*!\[]", noted) and "://" not in noted
    assert release_fixture.HOSTILE_TEXT in text_of(app)


@pytest.mark.parametrize(
    "text",
    [
        "![i](http://x.invalid)",
        "<b>x</b>",
        "- a",
        "1. a",
        "2024-25",
        "a  b\nc",
        "$x$ :red[y]",
        "www.x.invalid",
        ":material/home: a",
        ":smile:",
        "a -> b --> c <-> d",
        "who@x.invalid",
        "@",
        "a@@b",
        "1:2:3",
        "http://www.x.invalid",
    ],
)
def test_tables_and_sentences_escape_alike(text: str) -> None:
    def without_joins(said: str) -> str:
        return said.replace(words.WORD_JOINER, "").replace(tables.BREAK_HERE, "")

    cell = tables.escaped(pl.DataFrame({"a": [text]}))["a"][0]
    assert without_joins(cell) == without_joins(words.plain(text))
    for said in (cell, words.plain(text).replace("\\", "")):
        assert not re.search(r"://|www\.|:[a-z]|[-<>][->]|\w@", said.replace("\\", ""))


def test_csv_holds_what_is_shown_and_no_formula() -> None:
    cells = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "a=b", None, 'he said "x", twice']
    read = list(csv.reader(io.StringIO(tables.csv_bytes(pl.DataFrame({"text": cells, "n": range(9)})).decode(), newline="")))
    assert read[0] == ["text", "n"]
    assert [row[0] for row in read[1:]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "a=b", "", 'he said "x", twice']


@pytest.mark.parametrize("page", CHALLENGE_PAGES)
def test_every_chart_says_in_words_what_it_shows_and_lies_before_a_table(home: Path, page: str) -> None:
    folder = write_release(home)
    # Linked means and NAEP have no value in the newest year.
    without = pl.col("indicator_id").is_in(["OC6", "OC7"])
    indicators = pl.read_parquet(folder / "indicators.parquet").filter((pl.col("challenge") == page) & ~without)
    assert not indicators.is_empty()
    for code in indicators["indicator_id"]:
        table = f"{code}_chicago_2024-25" if code == "OC4" else f"{code}_2024-25"
        app = opened(open_page(page, indicator=code), table)
        said = chart_words(app)
        assert said and all(sentence.endswith(".") and "None" not in sentence for sentence in said)
        assert len(app.get("download_button")) == 1
        assert table_texts(app)[0].height >= 5


def test_district_colours_are_fixed_distinct_and_dark_enough() -> None:
    colours = look.district_colours(list(release_fixture.DISTRICTS))
    assert colours == look.district_colours(list(reversed(release_fixture.DISTRICTS)))
    assert len(set(colours.values())) == 6

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    assert min(1.05 / (luminance(colour) + 0.05) for colour in look.PALETTE) >= 3.5


def test_a_new_release_appears_without_a_restart(home: Path) -> None:
    write_release(home, "r-1", variant="empty")
    app = open_page("overview")
    assert "Release r-1 " in text_of(app)
    write_release(home, "r-2", kind="public")
    app.run()
    assert "Release r-2 " in text_of(app) and "5 of 6 districts" in text_of(app)


def test_a_damaged_table_is_said_in_words(home: Path) -> None:
    folder = write_release(home)
    (folder / "indicator_values.parquet").write_bytes(b"not a table")
    said = text_of(open_page("materials"))
    assert "A table of release r-2025-10-06-001 is damaged" in said
    (folder / "indicators.parquet").unlink()
    assert "The file of table `indicators` is missing" in text_of(open_page("definitions"))


@pytest.mark.parametrize(
    "pointer, sentence",
    [
        ("{", "cannot be read"),
        ("[]", "is not a JSON object"),
        ("{}", "names no release"),
        ('{"release_id": "r", "path": "../../etc"}', "leads outside"),
        ('{"release_id": "r", "path": "releases/.."}', "leads outside"),
        ('{"release_id": "r", "path": "/etc/passwd"}', "leads outside"),
        ('{"release_id": "r", "path": "releases/gone"}', "manifest is missing"),
        ('{"release_id": "other", "path": "releases/r-2025-10-06-001"}', "does not describe that release"),
    ],
)
def test_a_damaged_pointer_is_no_release(home: Path, pointer: str, sentence: str) -> None:
    write_release(home)
    (home / "releases" / "current.json").write_text(pointer)
    with pytest.raises(NoRelease, match=sentence) as caught:
        read_current(home)
    assert "nmip release rollback" in str(caught.value)


def test_a_damaged_manifest_is_no_release(home: Path) -> None:
    folder = write_release(home)
    (folder / "manifest.json").write_bytes(b"\xff\xfe")
    with pytest.raises(NoRelease, match="cannot be read"):
        read_current(home)


def test_a_release_gives_only_its_own_tables(home: Path) -> None:
    write_release(home)
    release = read_current(home)
    assert release.table_path("districts").is_file()
    for name in ("../manifest", "digest", "..", ""):
        with pytest.raises(NoRelease, match="has no table"):
            release.table_path(name)


def test_values_can_be_chosen_by_breakdowns_only(home: Path) -> None:
    write_release(home)
    with pytest.raises(ValueError, match="cannot be chosen"):
        release_data.values(read_current(home), "OC4", {"n; --": "1"})


def test_the_home_is_the_working_directory_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NMIP_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoRelease):
        release_data.current_release()
    write_release(tmp_path / ".nmip")
    assert release_data.current_release_id() == "r-2025-10-06-001"
    assert Path.cwd() == Path(os.path.realpath(tmp_path))
