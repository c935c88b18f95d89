"""Integrity of the code lists in `data_contracts/codes/`.

Checks what every list promises (encoding, header, unique codes) and what the lists promise each other:
instruments cover the districts' years without overlap, levels are named, references point at codes that
exist. How code lists are read or used in rules does not belong here.
"""

from __future__ import annotations

import csv
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from pipelines.briefing.language import flagged
from pipelines.warehouse.catalogue import read_indicators

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "data_contracts" / "codes"
NCES_DIRECTORY = PROJECT.parent / "shared" / "data" / "nces" / "ccd_lea_2023_24.csv"

INSTRUMENT_COLUMNS = [
    "code", "label", "state", "test", "subject", "first_school_year", "last_school_year",
    "n_levels", "proficient_level",
    "level_1_label", "level_2_label", "level_3_label", "level_4_label", "level_5_label", "level_6_label",
    "grades", "cut_version", "scale_version", "mode", "course_test_replaces", "note", "source",
]  # fmt: skip
COLUMNS: dict[str, list[str]] = {
    "administrations": ["code", "label"],
    "adoption_statuses": ["code", "label"],
    "algebra_cohorts": ["code", "label"],
    "alignments": ["code", "label"],
    "audiences": ["code", "label"],
    "breakdowns": ["code", "label", "adds_up", "meaning"],
    "challenges": ["code", "label"],
    "coach_models": ["code", "label"],
    "commitment_statuses": ["code", "label"],
    "convenings": ["code", "label", "held_on", "school_year", "audience", "source"],
    "core_actions": ["code", "label"],
    "courses": ["code", "label", "sort_order"],
    "districts": [
        "code", "label", "state", "nces_lea_id", "n_students", "n_schools",
        "auto_certify", "minimum_n", "source",
    ],
    "focal_questions": ["code", "label", "convening", "challenge", "indicator_id", "source"],
    "grade_bands": ["code", "label"],
    "grades": ["code", "label", "sort_order", "is_pooled", "low_grade", "high_grade", "members"],
    "habits": ["code", "label"],
    "implementation_stages": ["code", "label", "sort_order"],
    "instruments": INSTRUMENT_COLUMNS,
    "learning_kinds": ["code", "label"],
    "mindset_scales": ["code", "label"],
    "occasions": ["code", "label"],
    "pathways": ["code", "label"],
    "policy_statuses": ["code", "label"],
    "principal_tenures": ["code", "label"],
    "principles": ["code", "label", "sort_order"],
    "programs": [
        "code", "label", "kind", "low_grade", "high_grade", "leader_training_cost_usd", "teachers_per_leader_low",
        "teachers_per_leader_high", "leaders_per_year_low", "leaders_per_year_high", "description", "source",
    ],
    "rating_types": ["code", "label"],
    "respondents": ["code", "label"],
    "review_statuses": ["code", "label"],
    "rubric_raters": ["code", "label"],
    "rubric_ratings": ["code", "label", "sort_order"],
    "samplings": ["code", "label"],
    "school_levels": ["code", "label"],
    "school_years": ["code", "label", "first_date", "last_date"],
    "states": ["code", "label", "minimum_n", "source"],
    "subgroups": ["code", "label", "dimension", "complement_of", "gap_reference"],
    "symbols": ["code", "label", "meaning"],
    "title_roles": ["code", "label"],
    "unit_types": ["code", "label"],
    "use_sources": ["code", "label"],
}  # fmt: skip
CODES: dict[str, set[str]] = {
    "administrations": {"fall", "winter", "spring", "summer", "full_year"},
    "adoption_statuses": {"legacy", "piloting", "adopted"},
    "algebra_cohorts": {"grade_8", "first_time_grade_9"},
    "alignments": {"aligned", "partial", "none", "unknown"},
    "audiences": {"families", "teachers", "school_leaders", "board", "community", "students"},
    "challenges": {"size_and_scale", "materials", "educator_capacity", "leader_capacity", "mindset"},
    "coach_models": {"school", "network", "district", "none"},
    "commitment_statuses": {"not_started", "in_progress", "done", "dropped"},
    "convenings": {"2024", "2025", "2026"},
    "core_actions": {"1", "2", "3"},
    "courses": {"K", "1", "2", "3", "4", "5", "6", "7", "8", "ALG1", "GEO", "ALG2", "INT1", "INT2", "INT3"},
    "grade_bands": {"all", "3_5", "6_8", "9_12"},
    "habits": {
        "applying_mathematical_reasoning", "performing_purposeful_experiments", "seeking_underlying_structure",
        "using_precise_mathematical_language",
    },
    "implementation_stages": {"exploration", "installation", "initial", "full"},
    "learning_kinds": {
        "ALL", "curriculum_based", "learning_community", "mathematics_immersion", "diverse_learners", "other",
    },
    "mindset_scales": {
        "self_efficacy", "belonging", "growth_mindset", "educator_belief", "math_matters", "change_readiness",
    },
    "occasions": {"before", "after"},
    "pathways": {"traditional", "integrated"},
    "policy_statuses": {"in_force", "amended", "suspended", "ended"},
    "principal_tenures": {"0_1", "2_3", "4_plus"},
    "principles": set("ABCDEFGHIJ"),
    "programs": {"mathematics_learning_community", "focus_on_mathematics"},
    "rating_types": {"self", "verified"},
    "respondents": {"teacher", "leader", "student", "family", "community"},
    "review_statuses": {"meets", "partially_meets", "does_not_meet", "not_reviewed"},
    "rubric_raters": {"self", "reviewer"},
    "rubric_ratings": {"accomplished", "developing", "undeveloped"},
    "samplings": {"all", "random", "purposive"},
    "states": {"CA", "FL", "IL", "NY", "PA", "TX"},
    "symbols": {"z", "x", "c", "low", "u"},
    "title_roles": {"core", "supplemental", "intervention", "after_school", "tutoring"},
    "unit_types": {"school", "district"},
    "use_sources": {"survey", "log"},
}  # fmt: skip
MAY_BE_BLANK: dict[str, set[str]] = {
    # What one programme plans, another need not.
    "programs": {
        "leader_training_cost_usd", "teachers_per_leader_low", "teachers_per_leader_high", "leaders_per_year_low",
        "leaders_per_year_high",
    },
    "instruments": {"last_school_year", "course_test_replaces"} | {f"level_{level}_label" for level in range(1, 7)},
    "subgroups": {"complement_of", "gap_reference"},
}  # fmt: skip
FOUNDING_DISTRICTS = {"chicago", "houston", "los_angeles", "miami_dade", "new_york_city", "philadelphia"}
NEW_YORK_CITY = "3620580"
MODES = {"paper", "online", "mixed", "adaptive_online"}
COURSE_TESTS = {"", "none", "algebra_1_in_grade_8"}


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def codes(name: str) -> list[str]:
    return [row["code"] for row in rows(name)]


def years_of(instrument: dict[str, str]) -> set[str]:
    """School years in which the instrument is valid; a blank last year means up to the end of the list."""
    every = codes("school_years")
    last = instrument["last_school_year"] or every[-1]
    return set(every[every.index(instrument["first_school_year"]) : every.index(last) + 1])


def grades_of(instrument: dict[str, str]) -> set[str]:
    """Tested grades of a span such as `3-8` or `3-8;11`."""
    grades: set[str] = set()
    for part in instrument["grades"].split(";"):
        low, _, high = part.partition("-")
        grades |= {str(grade) for grade in range(int(low), int(high or low) + 1)}
    return grades


def test_the_lists_are_exactly_these() -> None:
    assert {path.stem for path in FOLDER.glob("*.csv")} == set(COLUMNS)


@pytest.mark.parametrize("name", sorted(COLUMNS))
class TestEveryList:
    def test_bytes(self, name: str) -> None:
        data = (FOLDER / f"{name}.csv").read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in data
        assert data.endswith(b"\n")
        data.decode("utf-8")

    def test_header_and_width(self, name: str) -> None:
        with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, strict=True))
        assert lines[0] == COLUMNS[name]
        assert {len(line) for line in lines} == {len(COLUMNS[name])}
        assert len(lines) > 1

    def test_codes_are_unique(self, name: str) -> None:
        assert len(codes(name)) == len(set(codes(name)))

    def test_labels_are_unique(self, name: str) -> None:
        labels = [row["label"] for row in rows(name)]
        assert len(labels) == len(set(labels))

    def test_cells_are_trimmed_and_filled(self, name: str) -> None:
        cells = [(row["code"], column, text) for row in rows(name) for column, text in row.items()]
        assert [cell for cell in cells if cell[2] != cell[2].strip()] == []
        optional = MAY_BE_BLANK.get(name, set())
        assert [cell for cell in cells if not cell[2] and cell[1] not in optional] == []


@pytest.mark.parametrize("name", sorted(CODES))
def test_codes_that_the_design_names(name: str) -> None:
    assert set(codes(name)) == CODES[name]


def test_school_years_follow_each_other_without_a_gap() -> None:
    years = rows("school_years")
    assert (years[0]["code"], years[-1]["code"]) == ("2005-06", "2026-27")
    for year in years:
        first, last = date.fromisoformat(year["first_date"]), date.fromisoformat(year["last_date"])
        assert year["code"] == year["label"] == f"{first.year}-{last.year % 100:02d}"
        assert (first.month, first.day, last.month, last.day) == (7, 1, 6, 30)
    for before, after in pairwise(years):
        gap = date.fromisoformat(after["first_date"]) - date.fromisoformat(before["last_date"])
        assert gap.days == 1


def test_grades_are_ordered_and_pools_span_single_grades() -> None:
    grades = rows("grades")
    order = [int(row["sort_order"]) for row in grades]
    assert order == sorted(set(order))
    single = {row["code"]: int(row["sort_order"]) for row in grades if row["is_pooled"] == "false"}
    assert list(single) == ["PK", "K", *(str(grade) for grade in range(1, 13))]
    for row in grades:
        members = row["members"].split(";")
        places = [single[member] for member in members]
        assert places == sorted(set(places))
        assert (members[0], members[-1]) == (row["low_grade"], row["high_grade"])
        if row["is_pooled"] == "true":
            assert single[row["low_grade"]] < single[row["high_grade"]]
            assert row["code"].startswith(f"{row['low_grade']}_")
            assert row["code"].endswith(f"_{row['high_grade']}")
        else:
            assert row["is_pooled"] == "false"
            assert row["low_grade"] == row["high_grade"] == row["code"]


def test_courses_are_in_their_order() -> None:
    courses = rows("courses")
    assert [int(row["sort_order"]) for row in courses] == list(range(len(courses)))


@pytest.mark.parametrize(
    ("name", "first_to_last"),
    [
        ("implementation_stages", ["exploration", "installation", "initial", "full"]),
        ("principles", list("ABCDEFGHIJ")),
        ("rubric_ratings", ["undeveloped", "developing", "accomplished"]),
    ],
)
def test_lists_with_an_order_are_in_it(name: str, first_to_last: list[str]) -> None:
    order = {row["code"]: int(row["sort_order"]) for row in rows(name)}
    assert sorted(order, key=lambda code: order[code]) == first_to_last
    assert sorted(order.values()) == list(range(1, len(order) + 1))


def test_convenings_are_held_in_their_school_year_or_the_summer_after() -> None:
    years = {row["code"]: row for row in rows("school_years")}
    for convening in rows("convenings"):
        held, year = date.fromisoformat(convening["held_on"]), years[convening["school_year"]]
        assert convening["code"] == str(held.year)
        assert 0 <= (held - date.fromisoformat(year["last_date"])).days <= 62


def test_every_convening_has_a_question_for_each_challenge_and_an_indicator_that_is_of_it() -> None:
    """A briefing shows one indicator a challenge; outcomes are a sixth beside the five core challenges."""
    indicators = {one.indicator_id: one for one in read_indicators(PROJECT / "dbt_project")}
    challenges = {row["code"] for row in rows("challenges")} | {"outcomes"}
    questions = rows("focal_questions")
    assert {(row["convening"], row["challenge"]) for row in questions} == {
        (convening["code"], challenge) for convening in rows("convenings") for challenge in challenges
    }
    for row in questions:
        assert row["code"] == f"{row['convening']}-{row['challenge']}"
        assert indicators[row["indicator_id"]].challenge == row["challenge"]
        assert row["label"].endswith("?")
        assert flagged(row["label"]) == []


def test_programmes_have_the_numbers_of_the_founding_documents() -> None:
    """One trained leader costs about 1,500 dollars and supports 8 to 25 teachers; 20 to 100 leaders a year are planned."""
    programmes = {row["code"]: row for row in rows("programs")}
    community, focus = programmes["mathematics_learning_community"], programmes["focus_on_mathematics"]
    numbers = COLUMNS["programs"][5:10]
    assert [community[name] for name in numbers] == ["1500", "8", "25", "20", "100"]
    assert [focus[name] for name in numbers] == [""] * 5
    single = {row["code"]: int(row["sort_order"]) for row in rows("grades") if row["is_pooled"] == "false"}
    for row in programmes.values():
        assert single[row["low_grade"]] < single[row["high_grade"]]
        assert row["kind"] in ("learning_community", "immersion")


def test_complements_point_at_each_other() -> None:
    subgroups = {row["code"]: row for row in rows("subgroups")}
    paired = {code: row["complement_of"] for code, row in subgroups.items() if row["complement_of"]}
    assert {frozenset(pair) for pair in paired.items()} == {
        frozenset({"low_income", "not_low_income"}),
        frozenset({"english_learner", "not_english_learner"}),
        frozenset({"disability", "no_disability"}),
    }
    for code, complement in paired.items():
        assert paired[complement] == code
        assert subgroups[complement]["dimension"] == subgroups[code]["dimension"]


def test_gaps_are_measured_against_a_group_of_the_same_kind() -> None:
    """Within a pair one group is the reference of the other, of several groups one is that of all; nobody is its own."""
    subgroups = {row["code"]: row for row in rows("subgroups")}
    references = {code: row["gap_reference"] for code, row in subgroups.items() if row["gap_reference"]}
    assert set(references.values()) == {"male", "not_low_income", "not_english_learner", "no_disability", "white"}
    for code, reference in references.items():
        assert reference not in references
        assert subgroups[reference]["dimension"] == subgroups[code]["dimension"]
        assert subgroups[code]["complement_of"] in ("", reference)


def test_dimensions_of_subgroups() -> None:
    sizes: dict[str, int] = {}
    for row in rows("subgroups"):
        sizes[row["dimension"]] = sizes.get(row["dimension"], 0) + 1
    assert sizes == {"all": 1, "gender": 3, "income": 2, "language": 2, "disability": 2, "race_ethnicity": 7}


def test_pooled_grades_hold_what_their_code_says() -> None:
    members = {row["code"]: row["members"].split(";") for row in rows("grades") if row["is_pooled"] == "true"}
    assert members["3_8"] == members["3_5"] + members["6_8"]
    assert members["3_8_and_11"] == [*members["3_8"], "11"]
    assert members["9_12"] == ["9", "10", "11", "12"]


def test_every_state_of_a_district_has_its_minimum_with_a_source() -> None:
    states = {row["code"]: row for row in rows("states")}
    assert {row["state"] for row in rows("districts")} <= set(states)
    assert {row["state"] for row in rows("instruments")} <= set(states)
    for row in states.values():
        assert 5 <= int(row["minimum_n"]) <= 30
        assert len(row["source"]) > 40
    assert {code: int(row["minimum_n"]) for code, row in states.items()} == {
        "CA": 11, "FL": 10, "IL": 10, "NY": 5, "PA": 10, "TX": 5,
    }  # fmt: skip


def test_districts_are_well_formed() -> None:
    assert set(codes("districts")) >= FOUNDING_DISTRICTS
    for row in rows("districts"):
        assert len(row["nces_lea_id"]) == 7
        assert row["nces_lea_id"].isdecimal()
        assert row["auto_certify"] == "true"
        assert row["minimum_n"] == "10"
        # Schools hold a few hundred students on average: catches swapped or mistyped sizes.
        assert 100 < int(row["n_students"]) / int(row["n_schools"]) < 2000


def test_districts_agree_with_the_federal_directory() -> None:
    with NCES_DIRECTORY.open(encoding="utf-8-sig", newline="") as file:
        directory = {line["district_id"].zfill(7): line for line in csv.DictReader(file)}
    districts = rows("districts")
    # The directory has no row for New York City: it lists the 32 geographic districts instead.
    assert {row["nces_lea_id"] for row in districts} - set(directory) == {NEW_YORK_CITY}
    for row in districts:
        if row["nces_lea_id"] in directory:
            line = directory[row["nces_lea_id"]]
            assert line["state"] == row["state"]
            assert abs(float(line["enrollment"]) - int(row["n_students"])) <= 50
        else:
            assert row["state"] == "NY"


class TestInstruments:
    def test_codes_start_with_their_state_and_end_with_their_first_spring(self) -> None:
        for row in rows("instruments"):
            assert row["code"].startswith(f"{row['state'].lower()}_")
            assert row["code"].endswith(f"_math_{int(row['first_school_year'][:4]) + 1}")
            assert row["subject"] == "mathematics"

    def test_school_years_exist_and_are_in_order(self) -> None:
        every = codes("school_years")
        for row in rows("instruments"):
            last = row["last_school_year"] or every[-1]
            assert every.index(row["first_school_year"]) <= every.index(last)

    def test_stretches_of_a_state_do_not_overlap(self) -> None:
        overlaps = [
            (one["code"], other["code"], sorted(years_of(one) & years_of(other)))
            for one, other in combinations(rows("instruments"), 2)
            if one["state"] == other["state"] and years_of(one) & years_of(other)
        ]
        assert overlaps == []

    def test_stretches_of_a_state_are_in_the_order_of_years(self) -> None:
        for state in {row["state"] for row in rows("instruments")}:
            first = [row["first_school_year"] for row in rows("instruments") if row["state"] == state]
            assert first == sorted(first)

    @pytest.mark.parametrize("school_year", ["2022-23", "2023-24", "2024-25", "2025-26"])
    def test_every_district_has_one_instrument_in_a_recent_year(self, school_year: str) -> None:
        for state in {row["state"] for row in rows("districts")}:
            valid = [r for r in rows("instruments") if r["state"] == state and school_year in years_of(r)]
            assert len(valid) == 1, (state, school_year)
            assert {str(grade) for grade in range(3, 9)} <= grades_of(valid[0])

    def test_years_between_the_stretches_of_a_state_are_only_the_known_one(self) -> None:
        tested: dict[str, set[str]] = {}
        for row in rows("instruments"):
            tested.setdefault(row["state"], set()).update(years_of(row))
        missing = {
            (state, year)
            for state, years in tested.items()
            for year in codes("school_years")
            if min(years) < year and year not in years
        }
        assert missing == {("CA", "2013-14")}

    def test_a_stretch_over_the_year_without_tests_says_so(self) -> None:
        spanning = [row for row in rows("instruments") if "2019-20" in years_of(row)]
        assert {row["state"] for row in spanning} >= {"CA", "FL", "IL", "NY", "PA", "TX"}
        for row in spanning:
            assert "2019-20" in row["note"], row["code"]

    def test_levels_are_named_exactly_up_to_their_number(self) -> None:
        for row in rows("instruments"):
            named = [bool(row[f"level_{level}_label"]) for level in range(1, 7)]
            n_levels = int(row["n_levels"])
            assert named == [level <= n_levels for level in range(1, 7)], row["code"]
            labels = [row[f"level_{level}_label"] for level in range(1, n_levels + 1)]
            assert len(set(labels)) == n_levels
            assert 2 <= int(row["proficient_level"]) <= n_levels

    def test_modes_course_tests_and_grades_are_known(self) -> None:
        known = {row["code"] for row in rows("grades") if row["is_pooled"] == "false"}
        for row in rows("instruments"):
            assert row["mode"] in MODES
            assert row["course_test_replaces"] in COURSE_TESTS
            assert grades_of(row) <= known

    def test_neighbouring_stretches_differ_in_what_breaks_a_trend(self) -> None:
        """Two stretches that nothing tells apart would be one stretch."""
        for one, other in pairwise(rows("instruments")):
            if one["state"] == other["state"]:
                what = ("test", "n_levels", "cut_version", "scale_version", "mode")
                assert [one[column] for column in what] != [other[column] for column in what], other["code"]

    def test_one_cut_version_means_one_set_of_levels(self) -> None:
        meaning: dict[str, set[tuple[str, str, str]]] = {}
        for row in rows("instruments"):
            meaning.setdefault(row["cut_version"], set()).add((row["state"], row["n_levels"], row["proficient_level"]))
        assert {version: uses for version, uses in meaning.items() if len(uses) > 1} == {}

    def test_documented_breaks_are_there(self) -> None:
        """First school years of the breaks that the states announced."""
        first = {(row["state"], row["first_school_year"]) for row in rows("instruments")}
        announced = {
            "NY": ["2009-10", "2012-13", "2017-18", "2022-23"],
            "TX": ["2011-12", "2022-23"],
            "FL": ["2014-15", "2022-23", "2023-24"],
            "IL": ["2012-13", "2014-15", "2018-19", "2024-25"],
            "CA": ["2014-15"],
            "PA": ["2014-15", "2025-26"],
        }
        assert {(state, year) for state, years in announced.items() for year in years} <= first

    def test_level_numbers_that_published_files_use(self) -> None:
        """Levels and the proficient one, as the agencies' own result files show them."""
        levels = {row["code"]: (int(row["n_levels"]), int(row["proficient_level"])) for row in rows("instruments")}
        assert levels["ny_nystp_math_2006"] == (4, 3)
        assert levels["tx_staar_math_2023"] == (4, 3)
        assert levels["fl_fast_math_2023"] == (5, 3)
        assert levels["il_iar_math_2019"] == (5, 4)
        assert levels["il_iar_math_2025"] == (4, 3)
        assert levels["ca_smarter_balanced_math_2015"] == (4, 3)

    @pytest.mark.parametrize("code", ["tx_staar_math_2017", "tx_staar_math_2023", "fl_fast_math_2023"])
    def test_tests_with_a_short_grade_8_name_the_course_test(self, code: str) -> None:
        """Counts of students tested are published for these: grade 8 is well short of grade 6."""
        row = next(row for row in rows("instruments") if row["code"] == code)
        assert row["course_test_replaces"] == "algebra_1_in_grade_8"

    def test_an_unknown_course_rule_is_marked_for_checking(self) -> None:
        for row in rows("instruments"):
            if not row["course_test_replaces"]:
                assert "verify with the agency" in row["note"], row["code"]
