"""How the decision about values is carried through every table of a release, and what earlier releases forbid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.release.earlier import WITHHELD, families
from pipelines.release.protection import DECIMALS_OF_EVENNESS, RESPONSE_HIDDEN, ProtectedTables, protected_tables
from tests.suppression_fixture import (
    Row,
    count,
    counted,
    counts,
    mean,
    only_people,
    relation,
    relations,
    share,
    values_of,
    withheld,
)

LANGUAGE = relation("subgroup", "all", "english_learner", "not_english_learner")
GRADES = relation("grade", "3_5", "3", "4", "5")
NETWORKS = relation("network_id", None)
ESTIMATES = {"OC5": "OC4", "OC8": "OC4", "SS4": "OC4", "SS5": "category"}
NUMBERS = ("numerator", "denominator", "value", "standard_error", "lower", "upper", "n", "n_schools", "response_rate")
VERDICTS = pl.DataFrame(
    {
        "verdict": ["suppressed", "no_data", "not_comparable_coverage"],
        "meaning": ["A small group.", "Missing.", "Coverage differs."],
        "remedy": ["Nothing.", "Send it.", "Nothing."],
    }
)
DECLARED = [
    *counted("OC1"),
    *counted("OC4", denominator="tested", by="category"),
    *only_people("HR1"),
    *[
        count(indicator, role, f"{indicator}.{role}", "nothing")
        for indicator in ("OC5", "OC8", "SS4", "SS5", "DF1")
        for role in ("numerator", "denominator")
    ],
]


def tables(
    rows: Sequence[Row], related: Sequence[Sequence[Row]] = (LANGUAGE, GRADES, NETWORKS), **others: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """What dbt leaves: the values, what they declare, and nothing else that a test does not name."""
    indicators = sorted({row["indicator_id"] for row in DECLARED})
    of = {row["indicator_id"]: row["of"] for row in DECLARED if row["role"] == "denominator"}
    return {
        "indicator_values": values_of(rows),
        "counts": counts(*DECLARED),
        "relations": relations(*related),
        "indicators": pl.DataFrame(
            {
                "indicator_id": indicators,
                "counts": [of[name] for name in indicators],
                "estimated_from": [ESTIMATES.get(name, "") for name in indicators],
            }
        ),
        "districts": pl.DataFrame({"code": ["a", "b"], "minimum_n": [10, 15]}),
        "comparisons": pairs([]),
        "verdicts": VERDICTS,
        **others,
    }


SIDES = ("district", "school_year", "subgroup", "instrument", "administration")
PAIR_TEXTS = (
    *("comparison", "indicator_id", *SIDES, *(f"other_{name}" for name in SIDES)),
    *("school_level", "school_set", "grade", "course", "respondent", "audience", "program_id", "cohort", "category", "statistic"),
    *("unit", "verdict", "finding", "reason", "remedy"),
)
PAIR_NUMBERS = ("value", "other_value", "difference", "standard_error", "lower", "upper", "z")
GONE = (*PAIR_NUMBERS, "n_in_family", "finding", "p_value", "q_value")


def pair(other: str = "b", **given: Any) -> Row:
    row: Row = dict.fromkeys((*PAIR_TEXTS, *PAIR_NUMBERS, "n_in_family"))
    row |= {"comparison": "districts", "indicator_id": "OC1", "district": "a", "other_district": other, "unit": "share"}
    row |= {"school_year": "2024-25", "other_school_year": "2024-25", "subgroup": "all", "other_subgroup": "all"}
    row |= {"verdict": "directly_comparable", "finding": "higher", "reason": "why", "remedy": "what", "n_in_family": 3}
    return row | dict.fromkeys(PAIR_NUMBERS, 0.5) | {"z": 2.0} | given


def pairs(rows: Sequence[Row]) -> pl.DataFrame:
    schema: dict[str, Any] = (
        dict.fromkeys(PAIR_TEXTS, pl.String) | dict.fromkeys(PAIR_NUMBERS, pl.Float64) | {"n_in_family": pl.Int32}
    )
    return pl.DataFrame(list(rows), schema=schema)


def protect(rows: Sequence[Row], earlier: Sequence[Mapping[str, pl.DataFrame]] = (), **others: Any) -> ProtectedTables:
    return protected_tables(tables(rows, **others), 10, earlier, deadline_seconds=60.0)


def symbols(found: ProtectedTables) -> list[str | None]:
    return found.tables["indicator_values"]["symbol"].to_list()


# --- One release -------------------------------------------------------------------------------------------------------------


def test_a_hidden_value_says_nothing_and_a_range_how_many_there_are() -> None:
    rows = [share(40, 100) | {"response_rate": 0.5}, share(5, 9, grade="3") | {"response_rate": 0.1}, share(4, 110, grade="4")]
    shown, hidden, ranged = protect(rows).tables["indicator_values"].to_dicts()
    assert {name: shown[name] for name in NUMBERS} == {name: rows[0][name] for name in NUMBERS}
    assert (shown["symbol"], shown["at_least"], shown["at_most"]) == (None, None, None)
    assert {name: hidden[name] for name in (*NUMBERS, "at_least", "at_most")} == dict.fromkeys((*NUMBERS, "at_least", "at_most"))
    assert hidden["symbol"] == "c"
    assert (ranged["symbol"], ranged["at_least"], ranged["at_most"]) == ("r", 0.0, 0.1)
    assert (ranged["denominator"], ranged["n"], ranged["n_schools"]) == (110, 110, 20)
    gone = ("numerator", "value", "standard_error", "lower", "upper", "response_rate")
    assert {name: ranged[name] for name in gone} == dict.fromkeys(gone)


def test_values_of_schools_never_leave() -> None:
    rows = [share(40, 100), share(40, 100) | {"unit_type": "school", "unit_id": "s1"}]
    assert protect(rows).tables["indicator_values"]["unit_type"].to_list() == ["district"]


def test_every_district_has_its_own_minimum_and_never_less_than_the_project_s() -> None:
    rows = [mean(12), mean(12, district="b"), mean(12, district="not_listed")]
    assert symbols(protect(rows)) == [None, "c", "c"]
    assert [row["symbol"] for row in protected_tables(tables(rows), 13).tables["indicator_values"].to_dicts()] == ["c", "c", "c"]


@pytest.mark.parametrize(("part", "expected"), [(40, [None, None, None]), (4, [None, "r", "c"]), (97, [None, "r", "c"])])
def test_a_difference_falls_with_a_share_that_it_would_give_back(part: int, expected: list[str | None]) -> None:
    gap = share(1, 1, subgroup="english_learner") | {
        "unit": "difference_of_shares",
        "numerator": None,
        "denominator": None,
        "n": 100,
    }
    rows = [share(500, 1000), share(part, 100, subgroup="english_learner"), gap]
    assert symbols(protect(rows, related=())) == expected


def _estimate(indicator: str, unit: str = "state SD", **given: Any) -> Row:
    return mean(90, indicator, unit=unit, value=0.123456789) | {"numerator": None, "denominator": None} | given


def _levels(*people: int, **given: Any) -> list[Row]:
    return [share(n, sum(people), "OC4", category=f"level_{k}", **given) for k, n in enumerate(people, 1)]


def test_an_estimate_falls_with_a_hidden_count_behind_it() -> None:
    rows = [
        *_levels(40, 50, grade="3"),
        *_levels(4, 86, grade="4"),
        _estimate("OC5", grade="3"),
        _estimate("OC5", grade="4"),
        _estimate("OC5", grade="5"),
    ]
    assert symbols(protect(rows, related=()))[4:] == [None, "c", "c"], "grade 5 has no counts that could be looked at"


@pytest.mark.parametrize(("reference", "expected"), [(40, None), (4, "c")])
def test_a_gap_needs_both_groups(reference: int, expected: str | None) -> None:
    rows = [
        *_levels(400, 500),
        *_levels(40, 50, subgroup="english_learner"),
        *_levels(reference, 400, subgroup="not_english_learner"),
        _estimate("OC8", "SD", subgroup="english_learner"),
    ]
    assert (
        symbols(protect(rows, related=[relation("subgroup", "english_learner+other", "english_learner", "not_english_learner")]))[
            -1
        ]
        == expected
    )


@pytest.mark.parametrize(("people", "expected"), [(40, None), (4, "c")])
def test_the_spread_between_networks_falls_with_a_network(people: int, expected: str | None) -> None:
    """The category names the indicator whose networks are spread out."""
    rows = [
        share(40, 100, network_id="p"),
        share(people, 100, network_id="q"),
        _estimate("SS5", "difference_of_shares", category="OC1", statistic="p90_minus_p10"),
        _estimate("SS5", "difference_of_shares", category="HR1", statistic="p90_minus_p10"),
    ]
    assert symbols(protect(rows, related=()))[2:] == [expected, None]


def test_estimates_that_rest_on_counts_of_schools_are_told_in_few_decimals() -> None:
    rows = [*_levels(40, 50), _estimate("SS4", "share of variance")]
    value = protect(rows).tables["indicator_values"]["value"].to_list()[-1]
    assert value == round(0.123456789, DECIMALS_OF_EVENNESS)


@pytest.mark.parametrize(("rate", "told"), [(0.95, False), (0.5, True), (1.0, False), (0.909, True), (0.92, False)])
def test_few_who_did_not_answer_are_not_told(rate: float, told: bool) -> None:
    """Of 100 who answered at 95 % five did not; at 92 % nine; at 90.9 % ten; at 100 % nobody."""
    (row,) = protect([mean(100) | {"response_rate": rate, "flags": "clustered"}]).tables["indicator_values"].to_dicts()
    assert (row["response_rate"], row["flags"]) == ((rate, "clustered") if told else (None, f"clustered; {RESPONSE_HIDDEN}"))
    assert (row["symbol"], row["n"]) == (None, 100)


def test_a_sender_s_withheld_value_is_told_from_one_of_the_release() -> None:
    first, second, third = (
        protect([withheld(share(3, 50)), share(3, 9, grade="3"), withheld(mean(3), "x")]).tables["indicator_values"].to_dicts()
    )
    assert (first["symbol"], first["flags"]) == ("c", WITHHELD)
    assert (second["symbol"], second["flags"]) == ("c", None)
    assert (third["symbol"], third["flags"]) == ("x", None)


def _context(*rows: tuple[str, int | None, int | None, int | None]) -> pl.DataFrame:
    """School level, enrolled, low income, English learners."""
    schema = {"school_level": pl.String, "n_enrolled": pl.Int64, "n_low_income": pl.Int64, "n_english_learner": pl.Int64}
    table = pl.DataFrame(list(rows), schema=schema, orient="row")
    return table.with_columns(
        pl.lit("a").alias("district"), pl.lit("2024-25").alias("school_year"), pl.lit(2, dtype=pl.Int64).alias("n_schools")
    )


def test_counts_beside_the_values_are_protected() -> None:
    context = _context(("middle", 500, 250, 4), ("high", 9, 5, None), ("combined", None, None, None))
    table = protect([share(40, 100)], district_context=context).tables["district_context"]
    assert table.columns == context.columns
    assert table["n_schools"].to_list() == [2, 2, 2]
    assert table["n_enrolled"].to_list() == [500, None, None]
    assert table["n_low_income"].to_list() == [250, None, None]
    assert table["n_english_learner"].to_list() == [None, None, None]


def test_levels_of_schools_add_up_beside_the_values_too() -> None:
    """205 enrolled less 98 and 102 are the five of the third level: one of the others may not be told."""
    context = _context((None, 205, 100, 100), ("high", 98, 50, 48), ("middle", 102, 47, 50), ("elementary", 5, 3, 2))  # type: ignore[arg-type]
    table = protect([share(40, 100)], related=[relation("school_level", None)], district_context=context).tables[
        "district_context"
    ]
    assert table["n_enrolled"][0] == 205
    assert table["n_enrolled"][3] is None
    assert table["n_enrolled"][1:3].null_count() == 1


def test_students_of_schools_that_opened_or_closed() -> None:
    changes = pl.DataFrame(
        {
            "district": ["a", "a", "b", "a"],
            "school_year": ["2024-25"] * 4,
            "change": ["closed", "opened", "closed", "split"],
            "n_schools": [1, 1, 1, 2],
            "n_enrolled": [9, 10, 14, 0],
        }
    )
    table = protect([share(40, 100)], school_changes=changes).tables["school_changes"]
    assert table.columns == changes.columns
    assert table["n_schools"].to_list() == [1, 1, 1, 2]
    assert table["n_enrolled"].to_list() == [None, 10, None, 0]


def test_the_back_test_falls_where_counts_behind_it_are_hidden() -> None:
    backtest = pl.DataFrame(
        {
            "district": ["a", "a"],
            "school_year": ["2024-25"] * 2,
            "grade": ["4", "8"],
            "n": [90, 90],
            "linked_mean": [230.0, 260.0],
            "standard_error": [2.0, 2.0],
            "lower": [226.0, 256.0],
            "upper": [234.0, 264.0],
            "naep_mean": [231.0, 262.0],
            "difference": [-1.0, -2.0],
        }
    )
    table = protect([*_levels(40, 50, grade="4"), *_levels(4, 86, grade="8")], related=(), link_backtest=backtest).tables[
        "link_backtest"
    ]
    first, second = table.to_dicts()
    assert first == backtest.row(0, named=True)
    hidden = ("n", "linked_mean", "standard_error", "lower", "upper", "difference")
    assert second == backtest.row(1, named=True) | dict.fromkeys(hidden)


@pytest.mark.parametrize(("part", "size"), [(4, 100), (4, 9)])
@pytest.mark.parametrize("hidden_side", ["a", "b"])
def test_a_pair_with_a_hidden_side_shows_no_number(hidden_side: str, part: int, size: int) -> None:
    """Hidden wholly or shown as a range, first or second."""
    rows = [share(*((part, size) if district == hidden_side else (40, 100)), district=district) for district in ("a", "b")]
    rows += [share(40, 100, grade="3"), share(45, 100, grade="3", district="b"), share(40, 100, district="c")]
    missing = pair(other="b", verdict="no_data", z=None, school_level="high")
    found = protect(rows, comparisons=pairs([pair(), pair(grade="3"), missing]))
    first, second, third = found.tables["comparisons"].to_dicts()
    assert {name: first[name] for name in GONE} == dict.fromkeys(GONE)
    assert (first["verdict"], first["reason"], first["remedy"]) == ("suppressed", "A small group.", "Nothing.")
    assert (second["verdict"], second["difference"], second["reason"]) == ("directly_comparable", 0.5, "why")
    # z = 2: twice the upper tail of the normal distribution, .0455; the only test of the release.
    assert second["p_value"] == pytest.approx(0.0455, abs=1e-4) and second["q_value"] == second["p_value"]
    assert (third["verdict"], third["reason"]) == ("no_data", "why")


def test_a_reason_tells_no_number_of_a_place_where_something_is_hidden() -> None:
    rows = [share(n, 100, grade=grade, district=district) for grade, n in [("3", 40), ("4", 4)] for district in ("a", "b")]
    rows += [mean(500, grade=grade, district=district) for grade in ("3", "4") for district in ("a", "b")]
    compared = [
        pair(indicator_id="HR1", grade=grade, verdict="not_comparable_coverage", reason="93 % and 51 % were tested", z=None)
        for grade in ("3", "4")
    ]
    assert protect(rows, related=(), comparisons=pairs(compared)).tables["comparisons"]["reason"].to_list() == [
        "93 % and 51 % were tested",
        "Coverage differs.",
    ]


def test_the_summary_adds_up() -> None:
    rows = [mean(n, grade=grade) for n, grade in [(98, "3"), (102, "4"), (5, "5"), (205, "3_5")]]
    rows += [share(4, 100), withheld(share(4, 100, grade="3"))]
    found = protect(rows)
    said = found.summary
    published = symbols(found)
    assert said["n_values"] == 5
    assert (said["n_hidden"], said["n_ranges"]) == (published.count("c") - 1, published.count("r")) == (2, 1)
    assert not {"n_hidden_for_themselves", "n_hidden_for_others"} & set(said), "which values fell for themselves is not told"
    assert (said["share_hidden"], said["share_in_ranges"], said["n_held"]) == (0.4, 0.2, 0)
    # Students behind a value: 98 + 102 + 5 + 205 + 100; hidden are 5 and one of the two others.
    assert said["share_of_students_hidden"] in (round(103 / 510, 2), round(107 / 510, 2))
    assert (said["n_blocks_at_the_deadline"], said["n_hidden_with_their_block"]) == (0, 0)


def test_no_time_at_all_hides_more() -> None:
    rows = [mean(n, grade=grade) for n, grade in [(98, "3"), (102, "4"), (5, "5"), (205, "3_5")]]
    found = protected_tables(tables(rows), 10, deadline_seconds=0.0)
    assert symbols(found) == ["c"] * 4
    assert (found.summary["n_blocks_at_the_deadline"], found.summary["n_hidden_with_their_block"]) == (1, 3)


# --- Earlier releases --------------------------------------------------------------------------------------------------------


def of_grades(*people: int, **given: Any) -> list[Row]:
    return [mean(n, grade=grade, **given) for n, grade in zip((*people, sum(people)), ("3", "4", "5", "3_5"), strict=True)]


def as_published(found: ProtectedTables) -> pl.DataFrame:
    table = found.tables["indicator_values"]
    return table.select(sorted(table.columns)).sort(
        "indicator_id", "grade", "subgroup", "category", "network_id", nulls_last=True
    )


def test_an_unchanged_republication_is_the_same() -> None:
    rows = [*of_grades(98, 102, 5), *_levels(4, 86, 50), *_levels(40, 86, 50, subgroup="english_learner"), withheld(share(1, 50))]
    first = protect(rows)
    second = protect(rows, [first.tables])
    third = protect(rows[::-1], [first.tables, second.tables])
    assert as_published(second).equals(as_published(first))
    assert as_published(third).equals(as_published(first))
    assert second.summary["n_held"] == 0


def test_a_small_change_holds_the_whole_table() -> None:
    """100 = 96 + 4 before and 102 = 96 + 6 now: totals less totals are the two who came. Other tables and years go on."""
    then = [*of_grades(55, 41, 4), *of_grades(300, 300, 300, school_year="2023-24"), share(40, 100)]
    now = [*of_grades(55, 41, 6), *of_grades(300, 300, 350, school_year="2023-24"), share(60, 150)]
    first = protect(then)
    second = protect(now, [first.tables])
    old, new = (found.tables["indicator_values"].filter(indicator_id="HR1", school_year="2024-25") for found in (first, second))
    assert new.select(sorted(new.columns)).sort("grade").equals(old.select(sorted(new.columns)).sort("grade"))
    assert second.summary["n_held"] == 4
    assert second.summary["held"] == [{"district": "a", "school_year": "2024-25", "indicators": ["HR1"]}]
    moved_on = second.tables["indicator_values"].filter(pl.col("indicator_id") == "OC1")["denominator"].to_list()
    assert moved_on == [150]
    later = second.tables["indicator_values"].filter(school_year="2023-24", grade="3_5")["n"].to_list()
    assert later == [950]


def test_a_few_more_who_are_counted_hold_the_table_too() -> None:
    """40 of 100 before and 42 of 100 now: nobody came, and two changed sides."""
    first = protect([share(40, 100), share(30, 100, grade="3")])
    second = protect([share(42, 100), share(30, 100, grade="3")], [first.tables])
    told = second.tables["indicator_values"]["numerator"].to_list()
    assert told[0] in (40, None)


def test_releases_in_a_row_cannot_add_up_small_changes() -> None:
    """Each submission brings two more: held until ten have come together, and then all at once."""
    earlier: list[Mapping[str, pl.DataFrame]] = [protect(of_grades(100, 100, 100)).tables]
    totals = []
    for k in range(1, 7):
        found = protect(of_grades(100, 100, 100 + 2 * k), earlier)
        earlier.append(found.tables)
        shown = found.tables["indicator_values"].filter(grade="3_5")
        totals.append(None if shown["symbol"][0] else shown["n"][0])
        if totals[-1] is not None:
            assert totals[-1] == 300 or totals[-1] >= 310
    assert totals[0] == 300


def test_one_value_that_moved_a_little_among_others_that_moved_much_is_hidden() -> None:
    first = protect(of_grades(100, 200, 300))
    second = protect(of_grades(101, 250, 350), [first.tables])
    table = second.tables["indicator_values"]
    assert table.filter(grade="3")["symbol"].to_list() == ["c"]
    assert table.filter(grade="3_5")["n"].to_list() == [701]
    assert table.filter(pl.col("grade").is_in(["4", "5"]))["symbol"].to_list().count("c") == 1, "one more, or it is 701 less 600"
    assert second.summary["n_held"] == 0


def test_what_was_hidden_stays_hidden() -> None:
    """Grade 5 grew past the minimum, and the total and the other grades with it by far."""
    first = protect(of_grades(98, 102, 5))
    second = protect(of_grades(198, 202, 60), [first.tables])
    before = first.tables["indicator_values"].filter(symbol="c")["grade"].to_list()
    after = second.tables["indicator_values"].filter(symbol="c")["grade"].to_list()
    assert "5" in before and len(before) == 2
    assert set(before) <= set(after)


def test_what_was_hidden_wholly_does_not_come_back_as_a_range() -> None:
    """4 of 18 was hidden with its number of people; 4 of 60 would be a range that tells it."""
    first = protect([share(4, 18), share(200, 500, grade="3")])
    second = protect([share(4, 60), share(300, 700, grade="3")], [first.tables])
    assert symbols(first) == ["c", None]
    assert symbols(second) == ["c", None]


def test_a_range_does_not_become_a_number() -> None:
    first = protect([share(10, 100), share(200, 500, grade="3")])
    second = protect([share(90, 200), share(300, 700, grade="3")], [first.tables])
    assert (symbols(first)[0], symbols(second)[0]) == ("r", "c")


def _beside(n: int) -> dict[str, pl.DataFrame]:
    place = {"district": "a", "school_year": "2024-25"}
    students = {"n_schools": 5, "n_enrolled": 1000 + n, "n_low_income": 500 + n}
    context = pl.DataFrame([place | {"school_level": None} | students], schema_overrides={"school_level": pl.String})
    return {
        "district_context": context,
        "school_changes": pl.DataFrame([place | {"change": "opened", "n_schools": 2, "n_enrolled": 200 + n}]),
    }


@pytest.mark.parametrize(("n", "is_held"), [(1, True), (9, True), (-3, True), (10, False), (40, False)])
def test_tables_beside_the_values_hold_a_few_back_too(n: int, is_held: bool) -> None:
    first = protect([share(500, 1000)], **_beside(0))
    second = protect([share(600, 1200)], [first.tables], **_beside(n)).tables
    for name, table in _beside(0 if is_held else n).items():
        assert_frame_equal(second[name], table, check_column_order=False)


def test_the_people_beside_a_range_are_known_from_it() -> None:
    """One more among those of whom two releases show ranges only: held as it was."""
    rows = [share(2, n, subgroup=group) for n, group in ((1100, "all"), (500, "english_learner"), (600, "not_english_learner"))]
    more = [share(2, n, subgroup=group) for n, group in ((1101, "all"), (501, "english_learner"), (600, "not_english_learner"))]
    first = protect(rows)
    second = protect(more, [first.tables])
    assert second.summary["n_held"] == 3
    assert_frame_equal(second.tables["indicator_values"], first.tables["indicator_values"], check_row_order=False)


def test_what_its_sender_withheld_may_be_sent_later() -> None:
    first = protect([withheld(share(40, 100)), share(200, 500, grade="3")])
    second = protect([share(40, 100), share(200, 500, grade="3")], [first.tables])
    assert symbols(first) == ["c", None]
    assert symbols(second) == [None, None]


def test_a_pair_of_values_that_are_held_stays_as_it_was() -> None:
    """The held value of district a is the published one; the pair with c, which moved on, has no number that belongs to both."""
    groups = [(district, n) for district, n in (("a", 100), ("b", 120), ("c", 500))]
    then = [share(n * 0.4, n, district=district) for district, n in groups]
    same = {"value": 0.4, "other_value": 0.4}
    compared = pairs([pair(other="b", **same), pair(other="c", **same), pair(district="b", other="c", **same)])
    first = protect(then, comparisons=compared)
    assert first.tables["comparisons"]["verdict"].to_list() == ["directly_comparable"] * 3
    now = [share(42, 102, district="a"), then[1], share(260, 600, district="c")]
    changed = pairs(
        [pair(other="b", difference=0.41), pair(other="c", difference=0.6), pair(district="b", other="c", difference=0.7)]
    )
    second = protect(now, [first.tables], comparisons=changed)
    rows = {(row["district"], row["other_district"]): row for row in second.tables["comparisons"].to_dicts()}
    assert second.summary["n_held"] == 1
    assert (rows["a", "b"]["difference"], rows["a", "b"]["verdict"]) == (0.5, "directly_comparable")
    assert {name: rows["a", "c"][name] for name in GONE} == dict.fromkeys(GONE)
    assert rows["a", "c"]["verdict"] == "suppressed"
    assert (rows["b", "c"]["difference"], rows["b", "c"]["verdict"]) == (0.7, "directly_comparable")
    assert len(rows) == 3


def test_indicators_that_share_a_count_are_one_table() -> None:
    found = dict(families(counts(*counted("OC1", denominator="x"), *only_people("HR1", "x"), *only_people("HR2"))).rows())
    assert found["OC1"] == found["HR1"] != found["HR2"]
