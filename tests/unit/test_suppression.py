"""What a value may show by itself, and what else is hidden for its sake: small tables whose answer is worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from pipelines.disclosure.bands import range_width
from pipelines.disclosure.search import ABSENT, HIDDEN, RANGE, SHOWN
from pipelines.disclosure.suppression import Told, first_states, suppress
from tests.suppression_fixture import (
    Row,
    count,
    counted,
    counts,
    mean,
    minimum_of,
    only_people,
    relation,
    relations,
    run,
    share,
    values_of,
    withheld,
)

GRADES = relation("grade", "3_5", "3", "4", "5")
LANGUAGE = relation("subgroup", "all", "english_learner", "not_english_learner")
GENDER = relation("subgroup", "all", "female", "male", "nonbinary", whole=False)
NETWORKS = relation("network_id", None)
HOURS = only_people("HR1")


def states(*args: Any, **given: Any) -> list[int]:
    return [int(state) for state in run(*args, **given).state]


def first(rows: list[Row], declared: list[Row], minimum: int = 10) -> list[int]:
    found, _, _ = first_states(values_of(rows), counts(*declared), minimum_of(a=minimum))
    return [int(state) for state in found]


def test_large_counts_stay() -> None:
    assert states([share(40, 100), share(50, 100, grade="3")], counted("OC1")) == [SHOWN, SHOWN]


@pytest.mark.parametrize(("people", "expected"), [(0, HIDDEN), (1, HIDDEN), (9, HIDDEN), (10, SHOWN), (11, SHOWN)], ids=str)
def test_a_mean_needs_the_minimum_of_students(people: int, expected: int) -> None:
    assert first([mean(people)], HOURS) == [expected]


@pytest.mark.parametrize(
    ("people", "schools", "expected"), [(9, 5, HIDDEN), (10, 2, HIDDEN), (10, 3, SHOWN), (500, 2, HIDDEN), (500, 0, HIDDEN)]
)
def test_adults_need_three_schools_too(people: int, schools: int, expected: int) -> None:
    assert first([mean(people, n_schools=schools)], only_people("HR1", of="adults")) == [expected]


def test_adults_of_few_schools_are_not_given_back_by_subtraction_however_many_they_are() -> None:
    """Fifty in two schools beside two hundred and three hundred in many: another number falls with theirs."""
    rows = [mean(n, grade=grade, n_schools=k) for n, grade, k in [(50, "3", 2), (200, "4", 9), (300, "5", 9), (550, "3_5", 20)]]
    found = states(rows, only_people("HR1", of="adults"), [GRADES])
    assert found[0] == HIDDEN
    assert found.count(HIDDEN) == 2
    assert states(rows, HOURS, [GRADES]) == [SHOWN] * 4


def test_students_of_one_school_are_not_adults() -> None:
    assert first([mean(10, n_schools=1)], HOURS) == [SHOWN]


def test_schools_are_no_people_and_are_counted_in_the_denominator_only() -> None:
    assert first([share(3, 100), share(97, 100), share(3, 9)], counted("OC1", of="schools")) == [SHOWN, SHOWN, HIDDEN]


def test_hours_and_dollars_are_not_counts() -> None:
    declared = [count("OC1", role, role, "nothing") for role in ("numerator", "denominator")]
    assert first([share(3, 9, unit="USD"), mean(1, "OC1")], declared) == [SHOWN, SHOWN]


@pytest.mark.parametrize(("part", "size", "expected"), [(9, 100, HIDDEN), (10, 100, SHOWN), (95, 100, SHOWN), (100, 9, HIDDEN)])
def test_of_a_ratio_both_counts_are_people_and_nothing_is_left_of_one(part: int, size: int, expected: int) -> None:
    assert first([share(part, size, unit="ratio")], counted("OC1", of="adults")) == [expected]


def test_a_value_that_does_not_say_how_many_stand_behind_it_falls() -> None:
    unknown = dict.fromkeys(("numerator", "denominator", "n"))
    rows = [mean(50) | unknown, mean(50) | unknown | {"n": 40}, mean(50) | unknown | {"n": 9}, mean(50, "FTE") | unknown]
    declared = [*HOURS, *[count("FTE", role, f"FTE.{role}", "nothing") for role in ("numerator", "denominator")]]
    assert first(rows, declared) == [HIDDEN, SHOWN, HIDDEN, SHOWN]


@pytest.mark.parametrize("symbol", ["c", "z", "x", "low", "u"])
def test_a_sender_s_symbol_is_left_alone(symbol: str) -> None:
    rows = [withheld(share(3, 100), symbol), share(50, 100, grade="3")]
    found = run(rows, counted("OC1"))
    assert found.state.tolist() == [ABSENT, SHOWN]
    assert np.isnan(found.at_least).all()


# By hand from the rule: the smallest listed width of which n people make more than the minimum.
WIDTHS = [
    (10, 21, None),
    (10, 22, 0.5),
    (10, 43, 0.5),
    (10, 44, 0.25),
    (10, 54, 0.25),
    (10, 55, 0.2),
    (10, 109, 0.2),
    (10, 110, 0.1),
    (10, 219, 0.1),
    (10, 220, 0.05),
    (10, 549, 0.05),
    (10, 550, 0.02),
    (10, 1099, 0.02),
    (10, 1100, 0.01),
    (10, 2199, 0.01),
    (10, 2200, 0.005),
    (10, 5499, 0.005),
    (10, 5500, 0.002),
    (10, 10999, 0.002),
    (10, 11000, 0.001),
    (10, 10**7, 0.001),
    (3, 7, None),
    (3, 8, 0.5),
    (3, 16, 0.25),
    (3, 20, 0.2),
    (30, 62, 0.5),
    (30, 619, 0.1),
    (30, 620, 0.05),
]


def test_the_width_of_a_range() -> None:
    minimum, people, expected = (np.array(column, dtype=float) for column in zip(*WIDTHS, strict=True))
    np.testing.assert_array_equal(range_width(people, minimum), expected)


@pytest.mark.parametrize(
    ("part", "size", "ends"),
    [
        (0, 110, (0, 0.1)),
        (11, 110, (0, 0.1)),
        (12, 110, None),
        (98, 110, None),
        (99, 110, (0.9, 1)),
        (110, 110, (0.9, 1)),
        (11, 45, (0, 0.25)),
        (12, 45, None),
        (33, 45, None),
        (34, 45, (0.75, 1)),
        (11, 22, (0, 0.5)),
        (12, 22, (0.5, 1)),
        (1, 1100, (0, 0.01)),
        (11, 1100, (0, 0.01)),
        (12, 1100, None),
        (1099, 1100, (0.99, 1)),
    ],
)
def test_low_and_high_shares_are_ranges(part: int, size: int, ends: tuple[float, float] | None) -> None:
    """Boundaries belong to the range; nobody and everybody look like their neighbours."""
    found = run([share(part, size)], counted("OC1"))
    if ends is None:
        assert (found.state.tolist(), np.isnan(found.at_least[0]), np.isnan(found.at_most[0])) == ([SHOWN], True, True)
    else:
        assert (found.state.tolist(), found.at_least[0], found.at_most[0]) == ([RANGE], ends[0], pytest.approx(ends[1]))


@pytest.mark.parametrize(("part", "size"), [(9, 19), (0, 19), (21, 21), (10, 20), (10, 21), (5, 9), (0, 0)])
def test_a_share_is_hidden_where_no_range_holds_more_than_the_minimum(part: int, size: int) -> None:
    found = run([share(part, size)], counted("OC1"))
    assert (found.state.tolist(), np.isnan(found.at_least[0])) == ([HIDDEN], True)


@pytest.mark.parametrize(("parts", "n_hidden"), [((100, 100, 5), 2), ((100, 100, 50), 0), ((5, 4, 100), 3), ((6, 8, 100), 2)])
def test_subtraction_from_a_pooled_grade_gives_nothing_back(parts: tuple[int, int, int], n_hidden: int) -> None:
    """5 + 4 are still below the minimum together, so a third falls; 6 + 8 are not, and each may be nobody or the ten and more."""
    rows = [mean(n, grade=grade) for n, grade in zip(parts, "345", strict=True)] + [mean(sum(parts), grade="3_5")]
    found = states(rows, HOURS, [GRADES])
    assert sum(state == HIDDEN for state in found[:3]) == n_hidden
    assert [state for state, n in zip(found, parts, strict=False) if n < 10] == [HIDDEN] * sum(n < 10 for n in parts)


@pytest.mark.parametrize("column", ["subgroup", "network_id", "school_level", "school_set", "course", "cohort"])
def test_every_breakdown_adds_up(column: str) -> None:
    total = "all" if column == "subgroup" else None
    rows = [mean(n) | {column: code} for n, code in [(205, total), (98, "p"), (102, "q"), (5, "r")]]
    found = states(rows, HOURS, [relation(column, total, "p", "q", "r")])
    assert found[3] == HIDDEN
    assert [found[1], found[2]].count(HIDDEN) == 1, "one of the two others, and the total stays"
    assert found[0] == SHOWN
    assert states(rows, HOURS) == [SHOWN, SHOWN, SHOWN, HIDDEN], "without the relation nothing has to fall with it"


def test_districts_add_up_to_all_of_them() -> None:
    rows = [mean(n, district=district) for n, district in [(205, None), (98, "a"), (102, "b"), (5, "c")]]
    found = states(rows, HOURS, [relation("district", None, "a", "b", "c")])
    assert (found[3], [found[1], found[2]].count(HIDDEN)) == (HIDDEN, 1)


def test_categories_add_up_to_the_denominator() -> None:
    """Level 3 may be shown as a range, and then one of the others would give it back."""
    rows = [share(n, 205, category=f"level_{k}") for k, n in enumerate((98, 102, 5), 1)]
    declared = counted("OC1", by="category")
    levels = relation("category", None, "level_1", "level_2", "level_3", indicator="OC1")
    found = states(rows, declared, [levels])
    assert found[2] == RANGE
    assert found[:2].count(HIDDEN) == 1
    assert states(rows, declared) == [SHOWN, SHOWN, RANGE]


def test_a_hidden_count_between_ranges_is_not_known_to_be_somebody() -> None:
    """12, 12 and 5 of 29: two ranges from nobody to 14 each leave at least one of the 29 at a level that is hidden."""
    rows = [share(n, 29, category=f"level_{k}") for k, n in enumerate((12, 12, 5), 1)] + [mean(29, "HR1")]
    declared = [*counted("OC1", denominator="tested", by="category"), *only_people("HR1", "tested")]
    found = states(rows, declared, [relation("category", None, "level_1", "level_2", "level_3", indicator="OC1")])
    assert found != [RANGE, HIDDEN, RANGE, SHOWN]
    assert found != [HIDDEN, RANGE, RANGE, SHOWN]


def test_categories_add_up_to_another_category() -> None:
    """Proficient is levels 3 and 4; level 4 less than ten, given back as proficient less level 3."""
    rows = [share(n, 400, category=code) for code, n in [("proficient_or_above", 105), ("level_3", 100), ("level_4", 5)]]
    declared = counted("OC1", by="category")
    proficient = relation("category", "proficient_or_above", "level_3", "level_4", indicator="OC1")
    found = states(rows, declared, [proficient])
    assert (found[2], found[:2].count(HIDDEN)) == (RANGE, 1)
    assert states(rows, declared, [relation("category", "proficient_or_above", "level_3", "level_4", indicator="OC9")])[:2] == [
        SHOWN,
        SHOWN,
    ], "a relation of another indicator says nothing here"


def test_the_category_all_is_the_sum_of_its_parts() -> None:
    rows = [mean(n, category=code) for code, n in [("all", 205), ("small", 98), ("medium", 102), ("large", 5)]]
    declared = [count("HR1", "numerator", "x", "nothing"), count("HR1", "denominator", "people", by="category")]
    found = states(rows, declared, [relation("category", "all", "small", "medium", "large")])
    assert (found[0], found[3], found[1:3].count(HIDDEN)) == (SHOWN, HIDDEN, 1)


USERS = [
    share(105, 400, "CM3"),
    share(100, 200, "CM3", subgroup="english_learner"),
    share(5, 200, "CM3", subgroup="not_english_learner"),
]


def test_one_count_under_two_names_falls_with_both() -> None:
    """Five users among the others are a range; 105 users less 100 learners would tell them, whoever publishes the 100."""
    rows = [*USERS, mean(100, "CM4", subgroup="english_learner")]
    apart = [*counted("CM3", numerator="users"), *only_people("CM4", "others")]
    together = [*counted("CM3", numerator="users"), *only_people("CM4", "users")]
    assert states(rows, apart, [LANGUAGE]) == [SHOWN, HIDDEN, RANGE, SHOWN]
    assert states(rows, together, [LANGUAGE]) == [SHOWN, HIDDEN, RANGE, HIDDEN]


def test_a_count_that_has_two_numbers_is_each_indicator_s_own() -> None:
    rows = [*USERS, mean(101, "CM4", subgroup="english_learner")]
    found = run(rows, [*counted("CM3", numerator="users"), *only_people("CM4", "users")], [LANGUAGE])
    assert found.state.tolist() == [SHOWN, HIDDEN, RANGE, SHOWN]


def test_a_count_of_a_cohort_is_one_with_the_same_cohort_elsewhere() -> None:
    rows = [*USERS, mean(100, "CM4", subgroup="english_learner", cohort="2021")]
    apart = [*counted("CM3", numerator="users"), *only_people("CM4", "users")]
    assert states(rows, apart, [LANGUAGE]) == [SHOWN, HIDDEN, RANGE, SHOWN]
    of_cohort = [row | {"of_cohort": "2021"} for row in counted("CM3", numerator="users")]
    together = [*of_cohort, *only_people("CM4", "users")]
    assert states(rows, together, [LANGUAGE]) == [SHOWN, HIDDEN, RANGE, HIDDEN]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("total", "n_hidden"), [(200, 0), (204, 1), (209, 1), (211, 0), (260, 0)])
def test_a_small_rest_is_protected(total: int, n_hidden: int, whole: bool) -> None:
    """98 and 102 make 200: of 204 four are left who are neither, and nobody sent them."""
    rows = [mean(total), mean(98, subgroup="female"), mean(102, subgroup="male")]
    found = states(rows, HOURS, [relation("subgroup", "all", "female", "male", "nonbinary", whole=whole)])
    assert found.count(HIDDEN) == n_hidden
    assert found[0] == SHOWN


def test_an_unsent_complement_is_protected() -> None:
    rows = [share(120, 200), share(115, 195, subgroup="english_learner")]
    assert states(rows, counted("OC1"), [LANGUAGE]) == [SHOWN, HIDDEN]


@pytest.mark.parametrize(("part", "expected"), [(12, HIDDEN), (30, SHOWN), (48, HIDDEN), (10, HIDDEN), (50, HIDDEN)])
def test_the_share_of_an_unsent_complement_is_protected_at_both_ends(part: int, expected: int) -> None:
    """All: 50 of 100; learners: 60. Of the 40 others 38, 20, 2, all or nobody are counted: with 38, two are not."""
    rows = [share(50, 100), share(part, 60, subgroup="english_learner")]
    found = states(rows, counted("OC1"), [LANGUAGE])
    assert (HIDDEN in found, SHOWN in found) == (expected == HIDDEN, True)


def test_what_the_sender_withheld_is_not_given_back() -> None:
    rows = [mean(n, grade=grade) for n, grade in [(205, "3_5"), (98, "3"), (102, "4")]] + [withheld(mean(5, grade="5"))]
    found = states(rows, HOURS, [GRADES])
    assert (found[0], found[1:3].count(HIDDEN), found[3]) == (SHOWN, 1, ABSENT)


def test_each_district_has_its_own_minimum() -> None:
    rows = [mean(12), mean(12, district="b"), share(12, 110), share(12, 110, district="b")]
    found = suppress(values_of(rows), counts(*HOURS, *counted("OC1")), relations(), minimum_of(a=10, b=15))
    assert found.state.tolist() == [SHOWN, HIDDEN, SHOWN, RANGE]


def test_a_district_without_a_minimum_has_the_strictest() -> None:
    rows = [mean(12), mean(12, district="b"), mean(12, district=None), mean(15, district=None, grade="3")]
    found = suppress(values_of(rows), counts(*HOURS), relations(), minimum_of(a=10, z=15))
    assert found.state.tolist() == [SHOWN, HIDDEN, HIDDEN, SHOWN]


PARTS = [mean(n, grade=grade) for n, grade in [(98, "3"), (102, "4"), (5, "5"), (205, "3_5")]]


def told(rows: Sequence[Row], where: NDArray[np.bool_], more: float = 0.0) -> list[Told]:
    """One earlier release that tells the sizes of some values, by `more` people apart from what they are now."""
    size = values_of(rows).select(pl.coalesce("denominator", pl.col("n").cast(pl.Float64))).to_series().to_numpy()
    return [(np.where(where, size + more, np.nan), np.full(len(rows), np.nan))]


@pytest.mark.parametrize("known", [0, 1])
def test_what_readers_know_protects_nothing(known: int) -> None:
    shown = np.arange(4) == known
    found = run(PARTS, HOURS, [GRADES], told_before=told(PARTS, shown)).state.tolist()
    assert (found[known], found[1 - known], found[2]) == (SHOWN, HIDDEN, HIDDEN)


def test_what_nothing_opens_hides_the_rest_of_its_block_that_is_not_known() -> None:
    """Readers know everything but grade 5, so that nothing leaves it open: it is said. What they know need not fall."""
    other = mean(50, grade="3", school_year="2025-26")
    rows = [*PARTS, other]
    found = run(rows, HOURS, [GRADES], told_before=told(rows, np.array([True, True, False, True, False])))
    assert found.state.tolist() == [SHOWN, SHOWN, HIDDEN, SHOWN, SHOWN]
    assert found.n_not_open >= 1
    assert found.n_hidden_whole == 0
    late = run(rows, HOURS, [GRADES], told_before=told(rows, np.arange(5) == 0), deadline_seconds=-1.0)
    assert late.state.tolist() == [SHOWN, HIDDEN, HIDDEN, HIDDEN, SHOWN]
    assert late.n_hidden_whole == 2


def test_what_was_hidden_stays_hidden() -> None:
    """Grade 3 was hidden to protect grade 5, and protects it again: nothing more falls."""
    found = run(PARTS, HOURS, [GRADES], hidden_before=np.arange(4) == 0)
    assert found.state.tolist() == [HIDDEN, SHOWN, HIDDEN, SHOWN]
    found = run([share(50, 100)], counted("OC1"), hidden_before=np.array([True]))
    assert (found.state.tolist(), found.first.tolist()) == ([HIDDEN], [HIDDEN])


def test_a_value_that_moved_a_little_is_hidden_and_left_open() -> None:
    rows = [mean(n, grade=grade) for n, grade in [(98, "3"), (102, "4"), (50, "5"), (250, "3_5")]]
    first = np.arange(4) == 0
    found = run(rows, HOURS, [GRADES], moved=first, told_before=told(rows, first, more=2)).state.tolist()
    assert (found[0], found[1:3].count(HIDDEN), found[3]) == (HIDDEN, 1, SHOWN)
    assert run([mean(98)], HOURS, moved=np.array([True])).state.tolist() == [HIDDEN]
    found = run([withheld(mean(98)), mean(50, grade="3")], HOURS, moved=np.array([True, False]))
    assert found.state.tolist() == [ABSENT, SHOWN]


def test_a_large_count_that_moved_a_little_need_not_be_nobody() -> None:
    """Of 800 readers know 400 and 302; the 98 were 96. Ten more or fewer they can be, if the total falls."""
    rows = [mean(n, grade=grade) for n, grade in [(98, "3"), (400, "4"), (302, "5"), (800, "3_5")]]
    before = [(np.array([96.0, 400.0, 302.0, np.nan]), np.full(4, np.nan))]
    found = run(rows, HOURS, [GRADES], moved=np.arange(4) == 0, told_before=before)
    assert found.state.tolist() == [HIDDEN, SHOWN, SHOWN, HIDDEN]
    assert found.n_not_open == 0


def test_those_left_over_who_moved_a_little_are_left_open() -> None:
    """Beside the grades 20 of 300 are of none, and were 17 of 280: everything changed by enough, but for the three."""
    rows = [mean(n, grade=grade) for n, grade in [(100, "3"), (180, "4"), (300, None)]]
    some = [relation("grade", None, "3", "4", "5")]
    assert run(rows, HOURS, some).state.tolist() == [SHOWN] * 3
    before = [(np.array([83.0, 180.0, 280.0]), np.full(3, np.nan))]
    found = run(rows, HOURS, some, told_before=before)
    assert found.state.tolist().count(HIDDEN) == 1
    assert found.state[1] == SHOWN, "grade 4 is known from before, and hiding it would protect nothing"
    enough = [(np.array([70.0, 180.0, 260.0]), np.full(3, np.nan))]
    assert run(rows, HOURS, some, told_before=enough).state.tolist() == [SHOWN] * 3


def test_a_range_that_readers_have_stays() -> None:
    """Where 5 of 100 may not be told by subtraction, another share falls, not the range that is known anyway."""
    rows = [share(n, size, grade=grade) for n, size, grade in [(5, 100, "3"), (6, 100, "4"), (60, 200, "5"), (71, 400, "3_5")]]
    known = np.array([True, True, False, False])
    found = run(rows, counted("OC1"), [GRADES], ranges_known=known, hidden_before=np.array([False, False, False, True]))
    assert found.state.tolist()[:2] == [RANGE, RANGE]
    late = run(rows, counted("OC1"), [GRADES], ranges_known=known, deadline_seconds=-1.0)
    assert late.state.tolist()[:2] == [RANGE, RANGE]


def test_a_hidden_count_far_above_the_minimum_needs_no_nobody() -> None:
    """One of 300 falls for the sake of 5; that somebody is there may be known of so many."""
    rows = [mean(n, grade=grade) for n, grade in [(5, "3"), (300, "4"), (400, "5"), (705, "3_5")]]
    before = [(np.array([np.nan, np.nan, 400.0, np.nan]), np.full(4, np.nan))]
    found = run(rows, HOURS, [GRADES], told_before=before)
    assert found.state.tolist().count(HIDDEN) == 2
    assert found.n_not_open == 0


def _crossed(seed: int = 5) -> tuple[list[Row], list[Row], list[list[Row]]]:
    """Two years of grades by language, with some small groups."""
    draw = np.random.default_rng(seed)
    rows = []
    for year in ("2023-24", "2024-25"):
        cells = {
            (g, s): int(draw.choice([40, 61, 83, 97, 120])) for g in "345" for s in ("english_learner", "not_english_learner")
        }
        cells |= {("4", "english_learner"): 3, ("5", "english_learner"): 8}
        for grade in ("3", "4", "5", "3_5"):
            for group in ("english_learner", "not_english_learner", "all"):
                n = sum(v for (g, s), v in cells.items() if grade in (g, "3_5") and group in (s, "all"))
                rows.append(mean(n, grade=grade, subgroup=group, school_year=year))
    return rows, HOURS, [GRADES, LANGUAGE]


def test_at_the_deadline_more_is_hidden_and_never_less() -> None:
    rows, declared, related = _crossed()
    alone = [mean(60, district="b"), mean(5, district="b", grade="3")]
    searched = run([*rows, *alone], declared, related)
    late = run([*rows, *alone], declared, related, deadline_seconds=0.0)
    assert searched.n_late_blocks == 0
    assert SHOWN in searched.state[:24].tolist()
    assert late.n_late_blocks == 3, "each year, and the small group of the other district"
    assert late.state.tolist() == [HIDDEN] * 24 + [SHOWN, HIDDEN]
    assert late.n_hidden_whole == 24 - int((late.first[:24] == HIDDEN).sum())
    assert late.first.tolist() == searched.first.tolist()


def test_the_same_table_gives_the_same_answer() -> None:
    rows, declared, related = _crossed()
    assert run(rows, declared, related).state.tolist() == run(rows, declared, related).state.tolist()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    rows, declared, related = _crossed()
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    expected = run(rows, declared, related).state
    found = run([rows[k] for k in order], declared[::-1], [part[::-1] for part in related[::-1]]).state
    assert {rows_key(rows[k]): int(found[at]) for at, k in enumerate(order)} == {
        rows_key(row): int(state) for row, state in zip(rows, expected, strict=True)
    }


def rows_key(row: Row) -> tuple[str, str, str]:
    return row["school_year"], row["grade"], row["subgroup"]


def test_a_table_of_which_every_value_is_withheld() -> None:
    assert states([withheld(mean(98)), withheld(share(3, 50), "x")], [*HOURS, *counted("OC1")], [GRADES]) == [ABSENT, ABSENT]


def test_a_table_without_rows() -> None:
    found = suppress(values_of([]), counts(*HOURS), relations(GRADES), minimum_of(a=10))
    assert (found.state.tolist(), found.n_cells, found.n_blocks) == ([], 0, 0)


@pytest.mark.parametrize(("at_levels", "is_told"), [(398, False), (370, True)])
def test_a_count_that_holds_another_may_not_bound_the_people_left(at_levels: int, is_told: bool) -> None:
    """Of 400 enrolled 398 or 399 were tested: beside 398 of these who stand at levels, "at least 95 %" tells of two at most."""
    rows = [share(399, 400, "OC9"), mean(at_levels, "OC4")]
    declared = [*counted("OC9"), *only_people("OC4", "students_at_levels")]
    within = relation("count", "OC9.numerator", "students_at_levels", whole=False)
    assert run(rows, declared).state.tolist() == [RANGE, SHOWN]
    state = run(rows, declared, [within]).state.tolist()
    assert (state == [RANGE, SHOWN]) is is_told
    assert is_told or HIDDEN in state


def test_counts_that_agree_in_one_district_are_one_there_alone() -> None:
    """A reader who sees two counts agree in every grade of a district takes the shown one for the other behind a range."""
    of_grades = [
        row
        for district, more in (("a", 0), ("b", 7))
        for k in range(25)
        for row in (
            share(200 + k, 400, "OC9", grade=f"g{k}", district=district),
            mean(200 + k - more, "OC4", grade=f"g{k}", district=district),
        )
    ]
    last = [row for d in "ab" for row in (share(398, 400, "OC9", grade="x", district=d), mean(398, "OC4", grade="x", district=d))]
    state = run([*of_grades, *last], [*counted("OC9"), *only_people("OC4")]).state[-4:].tolist()
    assert HIDDEN in state[:2]
    assert state[2:] == [RANGE, SHOWN]
