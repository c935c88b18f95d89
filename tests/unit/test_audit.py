"""The auditor finds every kind of leak that is planted in a small release, and passes the twin of it that holds tight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from pipelines.disclosure.audit.attack import Clock, Problem, interval
from pipelines.disclosure.audit.audit import AuditReport, Leak, Published, audit_release
from pipelines.disclosure.audit.published import FLOATS, KEY, WHOLE_NUMBERS
from pipelines.disclosure.audit.routes import numbers_behind
from pipelines.disclosure.audit.system import build_system

Row = dict[str, Any]
MEASURES = (*FLOATS, *WHOLE_NUMBERS)
ORACLE = {
    "w": {"a": 30, "b": 47, "c": 64, "d": 89},
    "x": {"a": 90, "b": 124, "c": 5, "d": 31},
    "y": {"a": 92, "b": 100, "c": 59, "d": 85},
    "z": {"a": 800, "b": 991, "c": 651, "d": 685},
}
PRIMARIES = {("w", "a"), ("w", "b"), ("w", "c"), ("x", "a"), ("x", "c"), ("y", "b"), ("y", "d"), ("z", "b"), ("z", "d")}


def value(indicator: str = "OC1", **parts: Any) -> Row:
    """A row of `indicator_values`; `x` of `n` is a shown share, `symbol` hides it, everything else stands in its column."""
    row: Row = dict.fromkeys((*KEY, *MEASURES, "unit", "flags", "symbol", "sources"))
    row |= {"indicator_id": indicator, "district": "chicago", "school_year": "2024-25", "unit_type": "district", "unit": "share"}
    row["sources"] = "chicago/one/2024-25/001"
    x, n = parts.pop("x", None), parts.pop("n", None)
    if n is not None:
        row |= {"denominator": float(n), "n": n}
    if x is not None:
        row |= {"numerator": float(x), "value": x / n}
    return row | parts


def count_of(n: int | None, indicator: str = "OC1", **parts: Any) -> Row:
    """A row whose only count is its denominator; hidden where `n` is None."""
    if n is None:
        return value(indicator, symbol="c", unit="points", **parts)
    return value(indicator, n=n, unit="points", value=1.5, **parts)


def declared_counts(*rows: tuple[str, str, str, str, str]) -> pl.DataFrame:
    """(indicator, role, count, by, of) rows of the table `counts`, of every statistic."""
    names = ("indicator_id", "role", "count", "by", "of")
    schema = dict.fromkeys((*names, "statistic"), pl.String)
    return pl.DataFrame([dict(zip(names, row, strict=True)) | {"statistic": None} for row in rows], schema=schema)


SHARE = (("OC1", "numerator", "OC1.numerator", "", "students"), ("OC1", "denominator", "OC1.denominator", "", "students"))
SCHEMA = {"relation": pl.String, "column": pl.String, "total": pl.String, "part": pl.String, "is_whole": pl.Boolean}


def declared_relations(*rows: tuple[str, str, str | None, str | None, bool]) -> pl.DataFrame:
    """(relation, column, total, part, is_whole) rows of the table `relations`, for all indicators and instruments."""
    frame = pl.DataFrame([dict(zip(SCHEMA, row, strict=True)) for row in rows], schema=SCHEMA)
    return frame.with_columns(pl.lit(None, pl.String).alias("indicator_id"), pl.lit(None, pl.String).alias("instrument"))


ENGLISH = (
    ("english", "subgroup", "all", "english_learner", True),
    ("english", "subgroup", "all", "not_english_learner", True),
)
DISTRICT = (("network", "district", None, None, True),)
NETWORKS = (("networks", "network_id", None, None, True),)


def release(
    rows: Sequence[Row],
    *,
    counts: Sequence[tuple[str, str, str, str, str]] = SHARE,
    relations: Sequence[tuple[str, str, str | None, str | None, bool]] = ENGLISH,
    minimum: int = 10,
    manifest: Mapping[str, Any] | None = None,
    estimated: Mapping[str, str] | None = None,
    release_id: str = "0002-b",
    **tables: pl.DataFrame,
) -> Published:
    kinds = dict.fromkeys((*KEY, "indicator_id", "unit", "flags", "symbol", "sources"), pl.String)
    kinds |= dict.fromkeys(FLOATS, pl.Float64) | dict.fromkeys(WHOLE_NUMBERS, pl.Int64)  # type: ignore[arg-type]
    of = {row[0]: row[4] for row in counts}
    ids = sorted({row["indicator_id"] for row in rows})
    indicators = pl.DataFrame(
        {
            "indicator_id": ids,
            "counts": [of.get(i, "nothing") for i in ids],
            "estimated_from": [(estimated or {}).get(i, "") for i in ids],
        },
        schema={"indicator_id": pl.String, "counts": pl.String, "estimated_from": pl.String},
    )
    codes = sorted({row["district"] for row in rows if row["district"]})
    districts = pl.DataFrame({"code": codes, "label": codes, "state": ["IL"] * len(codes), "minimum_n": [minimum] * len(codes)})
    made = {
        "indicator_values": pl.DataFrame(rows, schema=kinds),
        "indicators": indicators,
        "districts": districts,
        "counts": declared_counts(*counts),
        "relations": declared_relations(*relations),
    }
    return Published(release_id, {"release_id": release_id, "minimum_n": minimum, **(manifest or {})}, made | tables)


def found(report: AuditReport, attack: str) -> list[Leak]:
    return [leak for leak in report.leaks if leak.attack == attack]


# --- sums ------------------------------------------------------------------------------------------------------------------


def oracle(hidden: set[tuple[str, str]], minimum: int) -> Published:
    """The table of the design note: rows as grades, columns as student groups, margins published."""
    rows = []
    for grade, line in ORACLE.items():
        rows += [count_of(None if (grade, group) in hidden else n, grade=grade, subgroup=group) for group, n in line.items()]
        rows.append(count_of(sum(line.values()), grade=grade, subgroup="all"))
    for group in "abcd":
        rows.append(count_of(sum(line[group] for line in ORACLE.values()), grade="w_z", subgroup=group))
    rows.append(count_of(sum(sum(line.values()) for line in ORACLE.values()), grade="w_z", subgroup="all"))
    relations = [("groups", "subgroup", "all", group, True) for group in "abcd"] + [
        ("grades", "grade", "w_z", grade, True) for grade in "wxyz"
    ]
    counts = [("OC1", "denominator", "OC1.denominator", "", "students")]
    return release(rows, counts=counts, relations=relations, minimum=minimum)


def test_a_table_with_two_hidden_cells_in_every_row_and_column_gives_one_back_exactly() -> None:
    leaks = {leak.cell: leak for leak in audit_release(oracle(PRIMARIES, 50)).leaks if leak.attack == "alone"}
    leak = leaks["OC1 denominator, chicago, 2024-25, grade w, subgroup b"]
    assert (leak.lower, leak.upper) == (47, 47)


def cell_interval(published: Published, **key: str) -> tuple[int, int] | None:
    system = build_system([published])
    e = system.equations
    problem = Problem(e.rows, e.cells, e.signs, e.lower, e.upper, e.strength, system.lower, system.upper)
    at = pl.all_horizontal(pl.col(name) == part for name, part in key.items())
    return interval(problem, int(system.cells.with_row_index("at").filter(at)["at"][0]))


def test_intervals_of_the_table_of_the_design_note() -> None:
    assert cell_interval(oracle(PRIMARIES, 10), grade="w", subgroup="b") == (47, 47)
    assert cell_interval(oracle(PRIMARIES | {("x", "d")}, 10), grade="w", subgroup="b") == (0, 78)


def test_one_more_hidden_cell_protects_it() -> None:
    report = audit_release(oracle(PRIMARIES | {("x", "d")}, 50))
    assert not [leak for leak in found(report, "alone") if leak.cell.endswith("grade w, subgroup b")]


def groups(n_english: int | None, n_other: int | None, n_all: int | None = 100, **parts: Any) -> list[Row]:
    return [
        count_of(n_all, subgroup="all", **parts),
        count_of(n_english, subgroup="english_learner", **parts),
        count_of(n_other, subgroup="not_english_learner", **parts),
    ]


DENOMINATOR = (("OC1", "denominator", "OC1.denominator", "", "students"),)


def test_a_group_less_its_complement() -> None:
    report = audit_release(release(groups(None, 96), counts=DENOMINATOR))
    (leak,) = found(report, "alone")
    assert (leak.lower, leak.upper) == (4, 4)
    assert "english_learner" in leak.cell
    assert "subgroup: all = english_learner + not_english_learner" in leak.relation
    assert not report.passed
    assert audit_release(release(groups(None, None), counts=DENOMINATOR)).passed


def test_a_message_names_cell_and_relation_and_no_number() -> None:
    (leak,) = audit_release(release(groups(None, 96), counts=DENOMINATOR)).leaks
    assert "between" not in leak.message()
    assert "chicago, 2024-25, subgroup english_learner" in leak.message()
    assert "all = english_learner" in leak.message()
    assert leak.message(with_numbers=True).endswith("It lies between 4 and 4.")


def test_a_hidden_zero_that_follows_is_given_back_and_a_large_number_is_not() -> None:
    zero = audit_release(release(groups(None, 100), counts=DENOMINATOR))
    assert [(leak.lower, leak.upper) for leak in zero.leaks] == [(0, 0)]
    assert audit_release(release(groups(None, 40), counts=DENOMINATOR)).passed


def test_a_rest_may_exist_where_parts_are_not_the_whole() -> None:
    parts = [("set", "school_set", None, "continuing", False)]
    assert audit_release(
        release([count_of(100), count_of(None, school_set="continuing")], counts=DENOMINATOR, relations=parts)
    ).passed
    report = audit_release(
        release([count_of(None), count_of(None, school_set="continuing")], counts=DENOMINATOR, relations=parts)
    )
    assert report.passed


def test_a_whole_that_does_not_add_up_elsewhere_has_a_rest() -> None:
    named = [count_of(n, network_id=f"network-{k}") for k, n in enumerate((30, 40))]
    other = [
        count_of(90, grade="3"),
        count_of(None, grade="3", network_id="network-0"),
        count_of(86, grade="3", network_id="network-1"),
    ]
    adds_up = release([count_of(70), *named, *other], counts=DENOMINATOR, relations=NETWORKS)
    assert [leak.upper for leak in audit_release(adds_up).leaks] == [4]
    has_rest = release([count_of(85), *named, *other], counts=DENOMINATOR, relations=NETWORKS)
    assert [(leak.lower, leak.upper) for leak in audit_release(has_rest).leaks] == [(0, 4)]
    wide = [
        count_of(99, grade="3"),
        count_of(None, grade="3", network_id="network-0"),
        count_of(86, grade="3", network_id="network-1"),
    ]
    assert audit_release(release([count_of(85), *named, *wide], counts=DENOMINATOR, relations=NETWORKS)).passed


def test_a_rest_of_a_share_is_a_count_too() -> None:
    rows = [
        value(x=50, n=100, subgroup="all"),
        value(symbol="c", subgroup="english_learner"),
        value(x=46, n=60, subgroup="not_english_learner"),
    ]
    report = audit_release(release(rows))
    assert {leak.cell.split(",")[0] for leak in found(report, "alone")} == {"OC1 numerator"}
    assert {(leak.lower, leak.upper) for leak in found(report, "alone")} == {(4, 4)}
    rows = [
        value(x=56, n=100, subgroup="all"),
        value(symbol="c", subgroup="english_learner"),
        value(x=20, n=60, subgroup="not_english_learner"),
    ]
    report = audit_release(release(rows))
    assert {leak.cell.split(",")[0] for leak in found(report, "alone")} == {"OC1 people outside the numerator"}


LEVELS = (
    ("OC4", "numerator", "OC4.numerator", "category", "students"),
    ("OC4", "denominator", "OC4.denominator", "", "students"),
)


def levels(told: Mapping[str, int | None], n: int) -> list[Row]:
    ranges = {"symbol": "r", "at_least": 0.0, "at_most": 0.1}
    return [
        value("OC4", n=n, x=x, category=name) if x is not None else value("OC4", n=n, category=name, **ranges)
        for name, x in told.items()
    ]


def test_levels_that_add_up_to_the_number_tested() -> None:
    relations = [("levels", "category", None, f"level_{k}", True) for k in (1, 2, 3)]
    three = release(levels({"level_1": 40, "level_2": 67, "level_3": None}, 110), counts=LEVELS, relations=relations)
    assert [(leak.attack, leak.lower, leak.upper) for leak in audit_release(three).leaks] == [("alone", 3, 3)]
    five = [("levels", "category", None, f"level_{k}", True) for k in (1, 2, 3, 4, 5)]
    small = dict.fromkeys(("level_3", "level_4", "level_5"))
    fine = release(levels({"level_1": 40, "level_2": 58, **small}, 110), counts=LEVELS, relations=five)
    assert audit_release(fine).passed
    low = release(levels({"level_1": 40, "level_2": 65, **small}, 110), counts=LEVELS, relations=five)
    assert {(leak.lower, leak.upper) for leak in found(audit_release(low), "alone")} == {(0, 5)}
    # 26 people in three ranges that end at eleven: each holds at least four.
    high = release(levels({"level_1": 40, "level_2": 44, **small}, 110), counts=LEVELS, relations=five)
    assert {(leak.lower, leak.upper) for leak in found(audit_release(high), "alone")} == {(4, 11)}


@pytest.mark.parametrize("whole", [count_of(70, "EC3"), count_of(70, "SS6", category="all")])
def test_categories_add_up_to_the_count_without_one(whole: Row) -> None:
    """Whether the total is a row of its own category "all", or the same count under an indicator that has no categories."""
    counts = [("EC3", "denominator", "taught", "", "students"), ("SS6", "denominator", "taught", "category", "students")]
    sizes = ("small", "medium", "large")
    relations = [("sizes", "category", "all", size, True) for size in sizes]

    def parts(*told: int | None) -> list[Row]:
        return [count_of(n, "SS6", category=size) for n, size in zip(told, sizes, strict=True)]

    leaks = audit_release(release([whole, *parts(40, 27, None)], counts=counts, relations=relations)).leaks
    assert [(leak.attack, leak.lower, leak.upper) for leak in leaks] == [("alone", 3, 3)]
    assert audit_release(release([whole, *parts(40, None, None)], counts=counts, relations=relations)).passed


def test_two_indicators_of_the_same_counts_have_their_own_categories() -> None:
    """CM11 rests on the counts of CM1 and comes before it: what is declared of CM1 alone holds nevertheless."""
    counts = [
        (indicator, role, f"OC4.{role}", by, "students")
        for indicator in ("AA1", "OC4")
        for role, by in (("numerator", "category"), ("denominator", ""))
    ]
    relations = [("levels", "category", None, f"level_{k}", True) for k in (1, 2, 3)]
    leaky = release(levels({"level_1": 40, "level_2": 67, "level_3": None}, 110), counts=counts, relations=relations)
    own = leaky.tables["relations"].with_columns(pl.lit("OC4").alias("indicator_id"))
    leaks = audit_release(Published("1", leaky.manifest, leaky.tables | {"relations": own})).leaks
    assert [(leak.lower, leak.upper) for leak in leaks] == [(3, 3)]


@pytest.mark.parametrize(("x", "most"), [(108, 3), (100, None)])
def test_people_outside_a_numerator_add_up_too(x: int, most: int | None) -> None:
    """Networks that may not be all: still no more people are outside their numerators than outside the district's."""
    networks = [("networks", "network_id", None, None, False)]
    rows = [value(x=x, n=128), value(x=83 if most else 85, n=100, network_id="one"), value(symbol="c", network_id="two")]
    report = audit_release(release(rows, relations=networks))
    told = [(leak.attack, leak.lower, leak.upper) for leak in report.leaks if "outside the numerator" in leak.cell]
    assert told == ([("alone", 0, most)] if most else [])
    assert report.passed is (most is None)


def test_the_only_network_of_a_group_is_the_group() -> None:
    """Whoever is the only one outside the numerator there is so in the district: those are not two counts."""
    rows = [value(subgroup="two_or_more", symbol="c"), value(subgroup="two_or_more", network_id="one", symbol="c")]
    rows += [value(x=40 + k, n=90 + 2 * k, subgroup=f"group_{k}", network_id=place) for k in range(4) for place in (None, "one")]
    assert audit_release(release(rows, relations=NETWORKS)).passed


@pytest.mark.parametrize(("other", "total", "interval"), [(100, 100, (4, 4)), (101, 100, (4, 4))])
def test_names_that_clash_somewhere_keep_what_adds_up(other: int, total: int, interval: tuple[int, int]) -> None:
    """Two indicators say one count and differ: each has its own in that district and year, and its sums still hold."""
    counts = [(indicator, "denominator", "enrolled", "", "students") for indicator in ("OC1", "OC2")]
    rows = [count_of(n, "OC1", subgroup=group) for n, group in ((total, "all"), (None, "english_learner"), (total - 4, NOT))]
    rows += [count_of(n, "OC2", subgroup=group) for n, group in ((other, "all"), (None, "english_learner"), (total - 4, NOT))]
    told = {
        leak.cell.split()[0]: (leak.lower, leak.upper) for leak in found(audit_release(release(rows, counts=counts)), "alone")
    }
    assert told["OC1"] == interval
    assert ("OC2" in told) is (other != total)


NOT = "not_english_learner"


@pytest.mark.parametrize(
    ("parts", "is_found"),
    [
        ({None: 100, "one": 60, "two": 36}, True),
        ({None: 100, "one": 60, "two": 40}, False),
        ({None: 100, "one": 60, "two": 20}, False),
        ({None: 100, "one": 60, "two": None}, False),
    ],
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_people_of_a_total_who_are_in_none_of_its_parts(
    parts: dict[str | None, int | None], is_found: bool, is_whole: bool
) -> None:
    rows = [count_of(n, network_id=network) for network, n in parts.items()]
    report = audit_release(release(rows, counts=DENOMINATOR, relations=[("networks", "network_id", None, None, is_whole)]))
    assert [leak.attack for leak in report.leaks] == (["left out"] if is_found else [])
    assert report.passed is not is_found


def test_a_group_that_has_no_row_is_left_out_of_those_that_have_one() -> None:
    rows = [count_of(100, subgroup="all"), count_of(96, subgroup=NOT)]
    assert [leak.attack for leak in audit_release(release(rows, counts=DENOMINATOR)).leaks] == ["left out"]
    status_unknown = [*rows[:1], count_of(48, subgroup=NOT), count_of(48, subgroup="english_learner")]
    assert audit_release(release(status_unknown, counts=DENOMINATOR)).passed, "those whose status nobody knows are no group"


def test_one_count_under_two_indicators() -> None:
    counts = [*DENOMINATOR, ("OC2", "denominator", "OC1.denominator", "", "students")]
    rows = [count_of(None), count_of(5, "OC2")]
    report = audit_release(release(rows, counts=counts))
    assert [(leak.lower, leak.upper) for leak in found(report, "alone")] == [(5, 5)]
    apart = [*DENOMINATOR, ("OC2", "denominator", "OC2.denominator", "", "students")]
    assert not found(audit_release(release(rows, counts=apart)), "alone")


@pytest.mark.parametrize(("n_places", "is_found"), [(25, True), (12, False)])
def test_counts_that_agree_everywhere_are_taken_as_one(n_places: int, is_found: bool) -> None:
    counts = [*DENOMINATOR, ("OC2", "denominator", "OC2.denominator", "", "students")]
    rows = [count_of(50 + k, name, grade=str(k)) for k in range(n_places) for name in ("OC1", "OC2")]
    rows += [count_of(None, grade="pooled"), count_of(5, "OC2", grade="pooled")]
    report = audit_release(release(rows, counts=counts))
    assert bool(found(report, "alone")) is is_found


@pytest.mark.parametrize(("in_chicago", "is_found"), [(0, True), (1, False)])
def test_counts_that_agree_everywhere_in_a_district_are_one_there(in_chicago: int, is_found: bool) -> None:
    """What another district's numbers do says nothing of this one's."""
    counts = [*DENOMINATOR, ("OC2", "denominator", "OC2.denominator", "", "students")]
    both = [(k, name, name == "OC2") for k in range(25) for name in ("OC1", "OC2")]
    rows = [count_of(50 + k + (k > 3) * in_chicago * more, name, grade=str(k)) for k, name, more in both]
    rows += [count_of(70 + k + more, name, grade=str(k), district="houston") for k, name, more in both]
    rows += [count_of(None, grade="pooled"), count_of(5, "OC2", grade="pooled")]
    assert bool(found(audit_release(release(rows, counts=counts)), "alone")) is is_found


@pytest.mark.parametrize(("with_levels", "is_found"), [(398, True), (380, False)])
def test_a_count_within_another_bounds_who_is_left(with_levels: int, is_found: bool) -> None:
    """Of 400 enrolled at most 2 were not tested where 398 of those tested are known."""
    counts = [
        ("OC9", "numerator", "OC9.numerator", "", "students"),
        ("OC9", "denominator", "OC9.denominator", "", "students"),
        ("OC4", "denominator", "students_at_levels", "", "students"),
    ]
    rows = [
        value("OC9", n=400, symbol="r", at_least=0.95, at_most=1.0, value=None, numerator=None),
        count_of(with_levels, "OC4"),
    ]
    within = (("count/students_at_levels", "count", "OC9.numerator", "students_at_levels", False),)
    assert audit_release(release(rows, counts=counts, relations=())).passed
    report = audit_release(release(rows, counts=counts, relations=within))
    assert bool(found(report, "alone")) is is_found
    assert report.passed is not is_found


def test_numbers_that_contradict_a_relation_are_no_leak_and_are_counted() -> None:
    report = audit_release(release(groups(None, 130), counts=DENOMINATOR))
    assert report.n_contradictions == 1
    assert not report.leaks


def test_a_sum_of_hours_is_no_count_of_people() -> None:
    counts = [("EC1", "numerator", "EC1.hours", "", "nothing"), ("EC1", "denominator", "EC1.denominator", "", "adults")]
    rows = [
        value("EC1", unit="hours", numerator=12.5, denominator=50.0, n=50, value=0.25),
        value("EC1", unit="hours", symbol="c", grade="3"),
    ]
    report = audit_release(release(rows, counts=counts))
    assert report.n_cells_attacked == 1
    assert report.passed


# --- those who know more ---------------------------------------------------------------------------------------------------


def across(told: Mapping[str, int | None], total: int, release_id: str = "0002-b") -> Published:
    rows = [count_of(n, district=name, sources=f"{name}/one") for name, n in told.items()]
    rows.append(count_of(total, district=None))
    return release(rows, counts=DENOMINATOR, relations=DISTRICT, release_id=release_id)


def test_a_district_takes_its_own_number_from_the_total_of_all() -> None:
    two = audit_release(across({"chicago": None, "houston": None, "miami": 60}, 120))
    assert {leak.attack for leak in two.leaks} == {"insider"}
    assert "know of themselves" in two.leaks[0].relation
    three = audit_release(across({"chicago": None, "houston": None, "miami": None, "boston": 30}, 150))
    assert {leak.attack for leak in three.leaks} == {"coalition"}
    four = audit_release(across({"chicago": None, "houston": None, "miami": None, "boston": None, "austin": 30}, 170))
    assert four.passed
    assert four.n_attacks_by_kind["insider"] == 12
    assert four.n_attacks_by_kind["coalition"] == 12


def test_the_one_person_of_a_count_knows_it() -> None:
    tight = audit_release(release(groups(None, None, 10), counts=DENOMINATOR))
    assert {leak.attack for leak in tight.leaks} == {"singleton"}
    assert {(leak.lower, leak.upper) for leak in tight.leaks} == {(9, 9)}
    assert audit_release(release(groups(None, None, 11), counts=DENOMINATOR)).passed


# --- earlier releases ------------------------------------------------------------------------------------------------------


def test_what_an_earlier_release_showed_is_taken_from_the_total() -> None:
    now = release(groups(None, None), counts=DENOMINATOR)
    before = release(groups(None, 93), counts=DENOMINATOR, release_id="0001-a")
    wide = release(groups(None, None), counts=DENOMINATOR, release_id="0001-a")
    assert audit_release(now, [wide]).passed
    # The earlier release gave the group back by itself: the new one is not at fault.
    assert not found(audit_release(now, [before]), "earlier")
    three = [("groups", "subgroup", "all", name, True) for name in ("one", "two", "three")]

    def split(one: int | None, two: int | None, third: int | None, name: str) -> Published:
        told = {"all": 100, "one": one, "two": two, "three": third}
        return release(
            [count_of(n, subgroup=group) for group, n in told.items()], counts=DENOMINATOR, relations=three, release_id=name
        )

    fine = split(60, None, None, "0002-b")
    other = split(None, 35, None, "0001-a")
    report = audit_release(fine, [other])
    assert {(leak.attack, leak.lower, leak.upper) for leak in report.leaks} == {("earlier", 5, 5)}
    assert "0001-a" in report.leaks[0].relation
    assert audit_release(fine).passed
    assert audit_release(other).passed
    assert audit_release(fine, [split(60, None, None, "0001-a")]).passed


def test_an_old_number_that_no_longer_fits_is_not_believed() -> None:
    now = release(
        [
            count_of(None, subgroup="english_learner", sources="new"),
            count_of(None, subgroup="not_english_learner", sources="new"),
            count_of(30, subgroup="all", sources="new"),
        ],
        counts=DENOMINATOR,
    )
    before = release(groups(None, 93), counts=DENOMINATOR, release_id="0001-a")
    assert audit_release(now, [before]).passed


def test_an_old_total_is_believed_beside_new_parts() -> None:
    """94 of one group now, and a hundred of both before: the other group is six."""

    def both(everybody: int | None, one: int | None, sources: str, name: str) -> Published:
        told = {"all": everybody, "english_learner": None, "not_english_learner": one}
        rows = [count_of(n, subgroup=group, sources=sources) for group, n in told.items()]
        return release(rows, counts=DENOMINATOR, release_id=name)

    now, before = both(None, 94, "new", "0002-b"), both(100, None, "old", "0001-a")
    assert audit_release(now).passed
    assert {(leak.attack, leak.lower, leak.upper) for leak in audit_release(now, [before]).leaks} == {("earlier", 6, 6)}


def test_an_old_number_beside_a_changed_total_gives_few_people_back_too() -> None:
    """Of 100, 60 were of one group; of 65 now they may still be 60, and the others five."""

    def both(told: Mapping[str, int | None], sources: str, name: str) -> Published:
        rows = [count_of(n, subgroup=group, sources=sources) for group, n in told.items()]
        return release(rows, counts=DENOMINATOR, release_id=name)

    before = both({"all": 100, "english_learner": None, "not_english_learner": 60}, "old", "0001-a")
    now = both({"all": 65, "english_learner": None, "not_english_learner": None}, "new", "0002-b")
    assert audit_release(now).passed
    assert ("earlier", 5, 5) in {(leak.attack, leak.lower, leak.upper) for leak in audit_release(now, [before]).leaks}


def test_two_earlier_releases_tell_more_than_each() -> None:
    parts = [("groups", "subgroup", "all", name, True) for name in ("one", "two", "three", "four")]

    def split(told: Mapping[str, int], name: str) -> Published:
        rows = [count_of(told.get(group), subgroup=group) for group in ("one", "two", "three", "four")]
        return release([*rows, count_of(100, subgroup="all")], counts=DENOMINATOR, relations=parts, release_id=name)

    now, a, b = split({"one": 40}, "0003-c"), split({"two": 30}, "0001-a"), split({"three": 25}, "0002-b")
    assert audit_release(now, [a]).passed
    assert audit_release(now, [b]).passed
    report = audit_release(now, [a, b])
    assert {(leak.lower, leak.upper) for leak in found(report, "earlier")} == {(5, 5)}


def test_districts_that_pool_what_they_know_have_earlier_releases_too() -> None:
    hidden = dict.fromkeys(("chicago", "houston", "miami"))
    now = across({**hidden, "boston": None, "austin": 30}, 170)
    before = across({**hidden, "boston": 25, "austin": None}, 170, release_id="0001-a")
    assert audit_release(now).passed
    assert audit_release(before).passed
    report = audit_release(now, [before])
    assert {leak.attack for leak in report.leaks} == {"coalition"}
    assert all("0001-a" in leak.relation for leak in report.leaks)
    assert audit_release(now, [across({**hidden, "boston": None, "austin": 30}, 170, release_id="0001-a")]).passed


def test_the_one_person_of_a_count_has_earlier_releases_too() -> None:
    parts = [("groups", "subgroup", "all", name, True) for name in ("one", "two", "three", "four")]

    def split(told: Mapping[str, int], name: str) -> Published:
        rows = [count_of(told.get(group), subgroup=group) for group in ("one", "two", "three", "four")]
        return release([*rows, count_of(50, subgroup="all")], counts=DENOMINATOR, relations=parts, release_id=name)

    now, before = split({"four": 20}, "0002-b"), split({"three": 20}, "0001-a")
    assert audit_release(now).passed
    assert audit_release(before).passed
    report = audit_release(now, [before])
    assert {leak.attack for leak in report.leaks} == {"singleton"}
    assert {(leak.lower, leak.upper) for leak in report.leaks} == {(9, 9)}


def test_what_an_earlier_release_told_its_districts_is_not_the_fault_of_the_new_one() -> None:
    before = across({"chicago": None, "houston": None, "miami": 60}, 120, release_id="0001-a")
    now = across({"chicago": None, "houston": None, "miami": None}, 120)
    assert {leak.attack for leak in audit_release(before).leaks} == {"insider"}
    assert {leak.attack for leak in audit_release(now).leaks} == {"coalition"}
    beside = audit_release(now, [before])
    assert {leak.attack for leak in beside.leaks} == {"coalition"}


def test_a_share_whose_people_changed_by_a_few() -> None:
    before = release([value(x=50, n=100)], release_id="0001-a")
    for few in (value(x=52, n=104), value(x=52, n=100), value(x=52, n=115), value(x=62, n=115)):
        (leak,) = audit_release(release([few]), [before]).leaks
        assert leak.attack == "earlier"
    assert audit_release(release([value(x=50, n=100)]), [before]).passed
    assert audit_release(release([value(x=62, n=125)]), [before]).passed


@pytest.mark.parametrize(("more", "is_found"), [(4, True), (0, False), (15, False)])
def test_people_whom_nobody_sends_and_who_changed_by_a_few(more: int, is_found: bool) -> None:
    """All students and one of two groups grow by many; the other group, which is withheld, by the difference."""
    before = release([count_of(200, subgroup="all"), count_of(100, subgroup=NOT)], counts=DENOMINATOR, release_id="0001-a")
    now = release([count_of(240 + more, subgroup="all"), count_of(140, subgroup=NOT)], counts=DENOMINATOR)
    assert [leak.attack for leak in audit_release(now, [before]).leaks] == (["earlier"] if is_found else [])


def test_people_of_a_mean_or_beside_a_range_that_changed_by_a_few() -> None:
    for then, now in ((count_of(100), count_of(104)), (ranged(110), ranged(111))):
        before = release([then], counts=SHARE, release_id="0001-a")
        assert {leak.attack for leak in audit_release(release([now]), [before]).leaks} == {"earlier"}
        assert audit_release(release([then]), [before]).passed


def ranged(n: int) -> Row:
    return value(symbol="r", n=n, at_least=0.0, at_most=0.1)


@pytest.mark.parametrize("n", [1001, 991])
def test_students_beside_the_values_that_changed_by_a_few(n: int) -> None:
    """Who enrolled, and what became of schools: each table told twice."""

    def with_enrolled(n: int, release_id: str) -> Published:
        place = {"district": "chicago", "school_year": "2024-25"}
        context = pl.DataFrame([{**place, "school_level": None, "n_enrolled": n}], schema_overrides={"school_level": pl.String})
        changes = pl.DataFrame([{**place, "change": "same", "n_schools": 5, "n_enrolled": n}])
        return release([value(x=50, n=100)], release_id=release_id, district_context=context, school_changes=changes)

    before = with_enrolled(1000, "0001-a")
    told = [leak.cell for leak in audit_release(with_enrolled(n, "0002-b"), [before]).leaks]
    assert len(told) == 2, told
    assert audit_release(with_enrolled(1000, "0002-b"), [before]).passed
    assert audit_release(with_enrolled(1020, "0002-b"), [before]).passed


@pytest.mark.parametrize("symbol", ["z", "x", "u", "low"])
def test_no_number_stands_beside_a_symbol(symbol: str) -> None:
    told = audit_release(release([value(x=30, n=60, symbol=symbol)])).leaks
    assert told, "a number beside a symbol is a number that was to be kept"
    assert audit_release(release([value(symbol=symbol)])).passed


# --- further routes --------------------------------------------------------------------------------------------------------


def only(report: AuditReport, attack: str, words: str) -> None:
    assert {leak.attack for leak in report.leaks} == {attack}, [leak.message() for leak in report.leaks]
    assert any(words in leak.message() for leak in report.leaks), [leak.message() for leak in report.leaks]


@pytest.mark.parametrize(
    ("column", "attack"),
    [
        ("lower", "interval"),
        ("standard_error", "interval"),
        ("response_rate", "interval"),
        ("value", "estimate"),
        ("n_schools", "count"),
        ("at_least", "range"),
    ],
)
def test_a_hidden_row_shows_no_number(column: str, attack: str) -> None:
    shown = value(x=50, n=100, grade="4")
    only(audit_release(release([shown, value(symbol="c", grade="3", **{column: 1})])), attack, "symbol c")
    assert audit_release(release([shown, value(symbol="c", grade="3")])).passed


def test_a_range_shows_its_people_and_no_share() -> None:
    ranged = {"symbol": "r", "n": 110, "at_least": 0.0, "at_most": 0.1, "n_schools": 4}
    assert audit_release(release([value(**ranged)])).passed
    only(audit_release(release([value(**ranged, lower=0.01)])), "interval", "symbol r")


@pytest.mark.parametrize(
    ("n", "low", "high", "is_fine"),
    [
        (110, 0.0, 0.1, True),
        (110, 0.9, 1.0, True),
        (110, 0.0, 0.05, False),
        (110, 0.0, 0.2, False),
        (110, 0.05, 0.1, False),
        (109, 0.0, 0.2, True),
        (109, 0.0, 0.1, False),
        (22, 0.5, 1.0, True),
        (21, 0.0, 0.5, False),
    ],
)
def test_ranges_are_the_fixed_ones(n: int, low: float, high: float, is_fine: bool) -> None:
    report = audit_release(release([value(symbol="r", n=n, at_least=low, at_most=high)]))
    assert bool([leak for leak in report.leaks if "not the fixed one" in leak.relation]) is not is_fine
    assert report.passed is is_fine


@pytest.mark.parametrize(
    ("x", "n", "is_fine"),
    [(50, 100, True), (9, 100, False), (91, 100, False), (0, 100, False), (100, 100, False), (10, 19, False)],
)
def test_shown_shares_stand_on_enough_people_on_both_sides(x: int, n: int, is_fine: bool) -> None:
    report = audit_release(release([value(x=x, n=n)]))
    assert report.passed is is_fine
    assert {leak.attack for leak in report.leaks} == (set() if is_fine else {"range"})


def test_people_who_did_not_answer() -> None:
    only(audit_release(release([value(x=50, n=100, response_rate=100 / 104)])), "count", "did not answer")
    assert audit_release(release([value(x=50, n=100, response_rate=100 / 125)])).passed
    assert audit_release(release([value(x=50, n=100, response_rate=1.0)])).passed


def test_adults_are_ten_in_three_schools() -> None:
    adults = [(i, role, name, by, "adults") for i, role, name, by, _ in SHARE]
    only(audit_release(release([value(x=15, n=30, n_schools=2)], counts=adults)), "count", "adults of")
    assert audit_release(release([value(x=15, n=30, n_schools=3)], counts=adults)).passed
    assert audit_release(release([value(x=15, n=30)], counts=adults)).passed
    assert audit_release(release([value(x=15, n=30, n_schools=2)])).passed
    low = audit_release(release([value(n=7, unit="points", value=2.0)], counts=adults[1:], minimum=6))
    only(low, "count", "adults of")


def test_small_shown_counts() -> None:
    only(audit_release(release([count_of(7)], counts=DENOMINATOR)), "count", "fewer than the minimum")
    assert audit_release(release([count_of(12)], counts=DENOMINATOR)).passed
    counts = [("PR2", "numerator", "PR2.numerator", "", "adults"), ("PR2", "denominator", "PR2.denominator", "", "adults")]
    only(audit_release(release([value("PR2", x=4, n=20, unit="teachers per leader")], counts=counts)), "count", "numerator of")


def estimate(base: Row, *, group: str = "all", extra: Sequence[Row] = ()) -> Published:
    score = value("OC5", unit="state SD", value=0.2, standard_error=0.05, grade="3", subgroup=group)
    return release([score, base, *extra], estimated={"OC5": "OC1"}, relations=ENGLISH)


def test_estimates_of_hidden_counts() -> None:
    fine = value(x=50, n=100, grade="3", subgroup="all")
    assert audit_release(estimate(fine)).passed
    only(
        audit_release(estimate(value(n=110, symbol="r", at_least=0.0, at_most=0.1, grade="3", subgroup="all"))), "estimate", "OC1"
    )
    assert audit_release(estimate(fine, extra=[value(symbol="c", grade="4", subgroup="all")])).passed


def test_a_gap_needs_both_groups() -> None:
    rows = {name: value(x=50, n=100, grade="3", subgroup=name) for name in ("english_learner", "not_english_learner")}
    hidden = value(n=110, symbol="r", at_least=0.0, at_most=0.1, grade="3", subgroup="not_english_learner")
    fine = estimate(rows["english_learner"], group="english_learner", extra=[rows["not_english_learner"]])
    assert audit_release(fine).passed
    only(audit_release(estimate(rows["english_learner"], group="english_learner", extra=[hidden])), "estimate", "english_learner")


def test_a_difference_beside_a_hidden_share() -> None:
    both = [value(x=50, n=100, statistic="math"), value(unit="difference_of_shares", statistic="difference", value=0.1, n=200)]
    shown, hidden = value(x=40, n=100, statistic="ela"), value(n=110, symbol="r", at_least=0.0, at_most=0.1, statistic="ela")
    counts = [(i, role, name, "statistic", of) for i, role, name, _, of in SHARE]
    assert audit_release(release([*both, shown], counts=counts)).passed
    only(audit_release(release([*both, hidden], counts=counts)), "estimate", "difference")


def test_an_interval_gives_n_back() -> None:
    # Wilson 1927: 3 of 14 gives 7.6 % to 47.6 %.
    assert numbers_behind({"value": 3 / 14, "lower": 0.0757, "upper": 0.4759}) == ((3, 14),)
    bare = value(value=0.4, lower=0.24588, upper=0.57677)
    only(audit_release(release([bare, value(x=50, n=100, grade="3")])), "interval", "n and the numerator follow")
    assert audit_release(release([value(value=0.4), value(x=50, n=100, grade="3")])).passed


def test_quantiles_of_two_networks() -> None:
    counts = [("SS5", "denominator", "SS5.denominator", "", "schools")]

    def spread(n_networks: float) -> Published:
        rows = [
            value("SS5", unit="networks", statistic="networks", value=n_networks),
            value("SS5", unit="difference_of_shares", statistic="p90_minus_p10", value=0.2, n=40),
        ]
        return release(rows, counts=counts)

    only(audit_release(spread(2.0)), "estimate", "fewer than three")
    assert audit_release(spread(3.0)).passed


def pair(**parts: Any) -> pl.DataFrame:
    row: Row = {
        "comparison": "districts",
        "indicator_id": "OC1",
        "district": "chicago",
        "other_district": "houston",
        "school_year": "2024-25",
        "other_school_year": "2024-25",
        "unit": "share",
        "verdict": "suppressed",
        "reason": "One of the two values is hidden because a small group stands behind it.",
        "remedy": "Nothing.",
    }
    row |= dict.fromkeys(("value", "other_value", "difference", "p_value", "q_value", "finding"))
    kinds = dict.fromkeys(row, pl.String) | dict.fromkeys(
        ("value", "other_value", "difference", "p_value", "q_value"), pl.Float64
    )
    return pl.DataFrame([row | parts], schema=kinds)


@pytest.mark.parametrize(
    ("parts", "attack"),
    [
        ({}, None),
        ({"verdict": "no_data"}, None),
        ({"difference": 0.1}, "comparison"),
        ({"p_value": 0.04}, "comparison"),
        ({"q_value": 0.04}, "comparison"),
        ({"value": 0.5}, "comparison"),
        ({"verdict": "too_close_to_call"}, "comparison"),
        ({"finding": "higher"}, "comparison"),
        ({"reason": "Of the people asked 48.1 % answered in 2024-25."}, "text"),
        ({"reason": "The cuts changed between 2023-24 and 2024-25."}, None),
    ],
)
def test_pairs_with_a_hidden_side(parts: Row, attack: str | None) -> None:
    rows = [value(x=50, n=100), value(symbol="c", district="houston")]
    report = audit_release(release(rows, comparisons=pair(**parts)))
    assert {leak.attack for leak in report.leaks} == ({attack} if attack else set())


def test_a_pair_that_says_more_than_the_table_of_values() -> None:
    rows = [value(x=50, n=100), value(x=40, n=100, district="houston")]
    fine = pair(value=0.5, other_value=0.4, difference=0.1, verdict="directly_comparable")
    assert audit_release(release(rows, comparisons=fine)).passed
    only(
        audit_release(release([rows[0], value(x=40, n=100, district="houston", grade="3")], comparisons=fine)),
        "comparison",
        "does not show",
    )


def context(**counts: int | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"district": "chicago", "school_year": "2024-25", "school_level": None, "n_schools": 3, **counts},
        schema_overrides={"school_level": pl.String, **dict.fromkeys(counts, pl.Int64)},
    )


def test_students_in_other_tables() -> None:
    rows = [value(x=50, n=100)]
    assert audit_release(release(rows, district_context=context(n_enrolled=400, n_low_income=300))).passed
    only(
        audit_release(release(rows, district_context=context(n_enrolled=400, n_low_income=395))),
        "table",
        "those not in n_low_income",
    )
    only(audit_release(release(rows, district_context=context(n_enrolled=400, n_disability=5))), "table", "n_disability")
    changes = {"district": "chicago", "school_year": "2024-25", "change": "closed", "n_schools": 1}
    only(audit_release(release(rows, school_changes=pl.DataFrame({**changes, "n_enrolled": 8}))), "table", "school_changes")
    assert audit_release(release(rows, school_changes=pl.DataFrame({**changes, "n_enrolled": 80}))).passed


def test_levels_of_the_context_that_give_one_back() -> None:
    level = [("level", "school_level", None, None, True)]

    def table(middle: int | None, high: int | None) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "district": ["chicago"] * 3,
                "school_year": ["2024-25"] * 3,
                "school_level": [None, "middle", "high"],
                "n_enrolled": [100, middle, high],
            }
        )

    rows = [value(x=50, n=100)]
    report = audit_release(release(rows, relations=level, district_context=table(None, 95)))
    assert [(leak.attack, leak.upper) for leak in report.leaks] == [("alone", 5)]
    assert audit_release(release(rows, relations=level, district_context=table(None, None))).passed


def test_the_number_tested_of_the_back_test() -> None:
    place = {"district": "chicago", "school_year": "2024-25", "grade": "4", "instrument": "test"}
    tests = pl.DataFrame({**place, "n": 400})
    here = {"grade": "4", "instrument": "test", "subgroup": "all"}
    only(audit_release(release([value(symbol="c", **here)], link_backtest=tests)), "table", "link_backtest")
    assert audit_release(release([value(x=200, n=400, **here)], link_backtest=tests)).passed


def test_texts_and_digests() -> None:
    shown = value(x=50, n=100, grade="4")
    only(audit_release(release([shown, value(symbol="c", flags="n=7")])), "text", "flags")
    assert audit_release(release([shown, value(symbol="c", flags="low_response")])).passed
    plain = {"inputs": [{"submission_id": "a", "delivery_sha256": "ab" * 32}]}
    keyed = {"inputs": [{"submission_id": "a", "keyed_digest": "ab" * 32}], "tables": {"codes": {"sha256": "ab" * 32}}}
    only(audit_release(release([shown], manifest=plain)), "manifest", "delivery_sha256")
    only(audit_release(release([shown], manifest={"inputs": {"a": "ab" * 32}})), "manifest", "inputs.a")
    assert audit_release(release([shown], manifest=keyed)).passed


def test_what_nobody_asked_about_is_told() -> None:
    shown = value(x=50, n=100)
    report = audit_release(release([shown], survey_answers=pl.DataFrame({"n_answers": [3]})))
    assert report.not_asked == ("table survey_answers, column n_answers: not known to the audit",)
    assert not report.passed
    assert audit_release(release([shown], codes=pl.DataFrame({"sort_order": [3]}))).passed
    extra = release([shown])
    values = extra.tables["indicator_values"].with_columns(pl.lit(4).alias("n_teachers"))
    report = audit_release(Published("0002-b", extra.manifest, {**extra.tables, "indicator_values": values}))
    assert report.not_asked == ("table indicator_values, column n_teachers: not known to the audit",)


def test_a_strange_column_is_told_in_whichever_table_it_stands() -> None:
    shown = value(x=50, n=100)
    for name in ("submissions", "codes", "naep_results"):
        report = audit_release(release([shown], **{name: pl.DataFrame({"n_hidden": [3]})}))
        assert report.not_asked == (f"table {name}, column n_hidden: not known to the audit",)


def test_a_strange_number_in_the_manifest_is_told() -> None:
    shown = value(x=50, n=100)
    cells = {"cells": [{"district": "chicago", "count": 3}]}
    assert audit_release(release([shown], manifest=cells)).not_asked == ("manifest.cells: not known to the audit",)
    inner = {"protection": {"share_hidden": 0.1, "smallest": 3}, "code_version": "1.0"}
    assert audit_release(release([shown], manifest=inner)).not_asked == ("manifest.protection.smallest: not known to the audit",)


def test_an_indicator_that_nobody_declared_is_told() -> None:
    whole = release([value(x=50, n=100), value("XX1", x=3, n=4)])
    undeclared = whole.tables["indicators"].filter(pl.col("indicator_id") != "XX1")
    report = audit_release(Published("0002-b", whole.manifest, {**whole.tables, "indicators": undeclared}))
    assert report.not_asked == ("indicator XX1: the release does not say what it counts",)
    people = whole.tables["indicators"].with_columns(pl.lit("students").alias("counts"))
    report = audit_release(Published("0002-b", whole.manifest, {**whole.tables, "indicators": people}))
    assert "indicator XX1: it counts students, and the release does not say by which numbers" in report.not_asked


def test_no_district_goes_below_the_minimum_of_the_project() -> None:
    rows = [value(x=15, n=42)]
    assert audit_release(release(rows, minimum=10)).passed
    assert not audit_release(release(rows, minimum=10, manifest={"project_minimum_n": 20})).passed


def test_a_release_without_declarations_does_not_pass() -> None:
    whole = release([value(x=50, n=100)])
    bare = Published(
        "0002-b", whole.manifest, {name: table for name, table in whole.tables.items() if name not in ("counts", "relations")}
    )
    report = audit_release(bare)
    assert not report.passed
    assert {text.split(":")[0] for text in report.not_asked} == {"table counts", "table relations"}


def test_a_release_without_a_minimum_is_refused() -> None:
    whole = release([value(x=50, n=100)], minimum=0)
    with pytest.raises(ValueError, match="minimum_n"):
        audit_release(whole)


def test_what_is_not_finished_in_time_is_told() -> None:
    # A deadline that is over before it begins; only blocks with cycles need time.
    report = audit_release(oracle(PRIMARIES | {("x", "d")}, 10), deadline_seconds=0.0)
    assert not report.passed
    assert any("not decided in time" in text for text in report.not_asked)


def test_an_empty_release_passes_and_says_what_it_asked() -> None:
    report = audit_release(release([value(x=50, n=100)]))
    assert report.passed
    assert report.n_hidden == 0
    assert {"alone", "insider", "coalition", "singleton", "comparisons", "manifest"} <= set(report.n_attacks_by_kind)


def test_a_clock_without_a_deadline_never_ends() -> None:
    assert not Clock().is_over
    assert Clock(0.0).is_over


def test_what_nothing_in_the_release_explains_is_not_passed_over() -> None:
    shown = count_of(50, subgroup="all")
    codes = pl.DataFrame({"list": ["subgroups"], "code": ["all"], "label": ["All"], "sort_order": [1]})
    submissions = pl.DataFrame({"submission_id": [shown["sources"]], "district": ["chicago"]})
    known = {"codes": codes, "submissions": submissions}
    assert audit_release(release([shown], **known)).passed
    plants: list[tuple[Row, str]] = [
        (count_of(49, subgroup="ever_english_learner"), "subgroup: 'ever_english_learner'"),
        (count_of(None, subgroup="all", grade="3") | {"symbol": "c6"}, "symbol: 'c6'"),
        (count_of(None, subgroup="all", grade="3") | {"sources": "chicago/one/2024-25/001 (3/6)"}, "(3/6)"),
    ]
    for row, said in plants:
        report = audit_release(release([shown, row], **known))
        assert not report.passed and any(said in question for question in report.not_asked), said
    marked = release([shown], **known)
    table = marked.tables["indicator_values"].with_columns(pl.lit(value=True).alias("is_small"))
    flagged = audit_release(Published("0002-b", marked.manifest, {**marked.tables, "indicator_values": table}))
    assert flagged.not_asked == ("table indicator_values, column is_small: not known to the audit",)
    said_in_text = audit_release(release([shown], manifest={"note": "chicago grade 4: 3 of 6"}))
    assert said_in_text.not_asked == ("manifest.note: not known to the audit",)
    promised = audit_release(release([shown], manifest={"minimum_n": 3}))
    assert promised.not_asked == ("manifest.minimum_n: 3, and the strictest district has 10",)
