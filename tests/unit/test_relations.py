"""What the catalogue declares about counts, and the two tables that a release's protection starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.contracts.codes import code_list
from pipelines.settings import PROJECT_ROOT
from pipelines.warehouse.catalogue import BREAKDOWNS, COUNTED, CatalogueError, Indicator, catalogue_table, read_indicators
from pipelines.warehouse.relations import COUNTS_SCHEMA, RELATIONS_SCHEMA, counts_table, relations_table

CONTRACTS = PROJECT_ROOT / "data_contracts"
PEOPLE = ("students", "adults")

ENTRY: dict[str, Any] = {
    "id": "XX1",
    "name": "Example",
    "challenge": "materials",
    "definition": "An example.",
    "numerator": "Some",
    "denominator": "All",
    "unit": "share",
    "counts": "students",
    "direction": None,
    "basis": "administrative",
    "is_describe_only": False,
    "interval": "wilson",
    "caveats": "None.",
    "definition_version": "1.0.0",
}


def project(tmp_path: Path, *entries: Mapping[str, Any]) -> Path:
    """A dbt project with one indicator for each entry, which is added to ENTRY."""
    folder = tmp_path / "models" / "indicators"
    folder.mkdir(parents=True, exist_ok=True)
    for place, entry in enumerate(entries, 1):
        (folder / f"xx{place}.sql").write_text("select 1")
        meta = {**ENTRY, "id": f"XX{place}", **entry}
        document = {"models": [{"name": f"xx{place}", "config": {"meta": {"indicator": meta}}}]}
        (folder / f"xx{place}.yml").write_text(yaml.safe_dump(document))
    return tmp_path


def counts_of(tmp_path: Path, *entries: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Statistic, role, count, by and of, of every row of the table."""
    table = counts_table(read_indicators(project(tmp_path, *entries)))
    return table.select("statistic", "role", "count", "by", "of").rows()


@pytest.fixture(scope="module")
def indicators() -> list[Indicator]:
    return read_indicators(PROJECT_ROOT / "dbt_project")


class TestCounts:
    def test_a_plain_share_has_two_counts_of_its_own(self, tmp_path: Path) -> None:
        assert counts_of(tmp_path, {}) == [
            (None, "numerator", "XX1.numerator", "", "students"),
            (None, "denominator", "XX1.denominator", "", "students"),
        ]

    def test_categories_split_the_numerator_and_share_the_denominator(self, tmp_path: Path) -> None:
        assert counts_of(
            tmp_path, {"breakdowns": ["category"]}, {"breakdowns": ["category"], "denominator_by": ["category"]}
        ) == [
            (None, "numerator", "XX1.numerator", "category", "students"),
            (None, "denominator", "XX1.denominator", "", "students"),
            (None, "numerator", "XX2.numerator", "category", "students"),
            (None, "denominator", "XX2.denominator", "category", "students"),
        ]

    def test_statistics_of_several_units_never_share_a_count(self, tmp_path: Path) -> None:
        found = counts_of(tmp_path, {"breakdowns": ["statistic"], "measures": ["numerator", "denominator", "unit"]})
        assert found == [
            (None, "numerator", "XX1.numerator", "statistic", "students"),
            (None, "denominator", "XX1.denominator", "statistic", "students"),
        ]

    def test_names_by_statistic_and_what_is_a_sum(self, tmp_path: Path) -> None:
        entry = {
            "breakdowns": ["statistic"],
            "measures": ["numerator", "denominator", "unit"],
            "counts": "adults",
            "numerator_count": {"share": "trained"},
            "denominator_count": {"share": "teachers", "hours": "trained"},
            "sums": ["hours"],
        }
        assert counts_of(tmp_path, entry)[1:3] == [
            ("hours", "numerator", "XX1.numerator.nothing", "statistic", "nothing"),
            ("share", "numerator", "trained", "", "adults"),
        ]
        assert counts_of(tmp_path, entry)[4:] == [
            ("hours", "denominator", "trained", "", "adults"),
            ("share", "denominator", "teachers", "", "adults"),
        ]

    def test_where_there_is_no_denominator_n_is_the_count(self, tmp_path: Path) -> None:
        assert counts_of(tmp_path, {"measures": ["value", "n"], "denominator_count": "reached"}) == [
            (None, "denominator", "reached", "", "students")
        ]
        assert counts_of(tmp_path, {"measures": ["value"]}) == []

    def test_one_name_is_of_one_kind(self, tmp_path: Path) -> None:
        one = {"denominator_count": "reached"}
        with pytest.raises(CatalogueError, match="the count reached is of adults and of students, as XX1, XX2 declare it"):
            counts_of(tmp_path, one, one | {"counts": "adults"})
        counts_of(tmp_path, one, one | {"counts": "adults", "denominator_of": "students"})

    def test_every_indicator_has_its_rows(self, indicators: list[Indicator]) -> None:
        table = counts_table(indicators)
        assert table.schema == COUNTS_SCHEMA
        assert table.select("indicator_id", "statistic", "role").is_duplicated().sum() == 0
        assert set(table["of"]) <= set(COUNTED)
        for indicator in indicators:
            rows = table.filter(indicator_id=indicator.indicator_id)
            roles = {"numerator"} & set(indicator.measures) | (
                {"denominator"} if {"denominator", "n"} & set(indicator.measures) else set()
            )
            assert set(rows.filter(pl.col("statistic").is_null())["role"]) == roles
            assert set(",".join(rows["by"]).split(",")) <= {"", *indicator.breakdowns}
            if indicator.counts == "nothing":
                assert set(rows["of"]) <= {"nothing"}, indicator.indicator_id

    def test_what_is_called_people_counts_some(self, indicators: list[Indicator]) -> None:
        table = counts_table(indicators)
        for indicator in indicators:
            kinds = set(table.filter(indicator_id=indicator.indicator_id)["of"])
            assert bool(kinds & set(PEOPLE)) == (indicator.counts in PEOPLE), indicator.indicator_id

    def test_a_numerator_under_another_name_is_somebodys_denominator(self, indicators: list[Indicator]) -> None:
        """Some of the counts that stand under two names: as the definitions say them."""
        table = counts_table(indicators)

        def count(indicator_id: str, role: str, statistic: str | None = None) -> tuple[Any, ...]:
            rows = table.filter(pl.col("statistic").eq_missing(pl.lit(statistic)), indicator_id=indicator_id, role=role)
            return rows.select("count", "of").row(0)

        assert count("EC10", "numerator", "share") == count("EC10", "denominator", "hours_per_teacher")
        assert count("EC2", "numerator") == count("EC3", "denominator") == count("LC7", "denominator", "cycles_per_teacher")
        assert count("CM3", "numerator") == count("CM4", "denominator") == ("regular_users", "adults")
        assert count("OC2", "numerator") == count("OC12", "denominator")
        assert count("OC3", "numerator") == count("OC11", "numerator")
        assert count("OC4", "denominator") == count("OC5", "denominator") == count("OC6", "denominator")
        assert count("PR1", "denominator", "student") == count("PR3", "denominator") == ("program_students", "students")
        assert count("PR1", "denominator", "teacher") == count("PR2", "numerator") == ("program_teachers", "adults")
        assert table.filter(indicator_id="OC12")["of_cohort"].unique().to_list() == ["first_time_grade_9"]


class TestErrors:
    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ({"counts": "people"}, r"xx1.yml: counts is 'people'; say students, adults, schools or nothing"),
            ({"numerator_count": "Big Name"}, r"numerator_count is 'Big Name'; a count's name is small letters"),
            ({"numerator_count": {"share": "x"}}, r"numerator_count by statistic needs the breakdown statistic"),
            ({"denominator_count": ["x"]}, r"denominator_count is \['x'\]; say one name, or one for each statistic"),
            ({"denominator_of": "people"}, r"denominator_of is 'people'; say students"),
            ({"denominator_by": ["grade"], "breakdowns": ["grade"]}, r"denominator_by does not know grade"),
            ({"denominator_by": ["category"]}, r"denominator_by needs the breakdown category"),
            ({"sums": ["hours"]}, r"sums by statistic needs the breakdown statistic"),
            ({"sums": "hours", "breakdowns": ["statistic"]}, r"sums is 'hours'; it is a list of names"),
            ({"categories_add_up": True}, r"categories_add_up needs the breakdown category"),
            ({"categories_add_up": "yes", "breakdowns": ["category"]}, r"categories_add_up is 'yes'; say true or false"),
            ({"category_total": "most", "breakdowns": ["category"]}, r"category_total is 'most'; say whole or parts"),
            ({"categories": ["a"], "breakdowns": ["category"]}, r"categories say nothing without"),
            ({"adds_up": {"course": "no"}}, r"adds_up needs the breakdown course"),
            ({"adds_up": {"course": False}, "breakdowns": ["course"]}, r"adds_up is {'course': False}; say whole, parts or no"),
            ({"adds_up": {"course": ["no"]}, "breakdowns": ["course"]}, r"adds_up is {'course': \['no'\]}; say whole"),
            ({"estimated_from": "XX9"}, r"xx1.yml: estimated_from is XX9, which is no indicator"),
            ({"estimated_from": "category"}, r"estimated_from: category needs the breakdown category"),
            ({"of_cohort": "grade_8", "breakdowns": ["cohort"]}, r"of_cohort is for indicators whose values carry no cohort"),
        ],
    )
    def test_says_what_is_wrong_and_what_to_say(self, tmp_path: Path, entry: dict[str, Any], message: str) -> None:
        with pytest.raises(CatalogueError, match=message):
            read_indicators(project(tmp_path, entry))


class TestCatalogue:
    def test_the_table_says_what_an_estimate_comes_from(self, tmp_path: Path) -> None:
        table = catalogue_table(read_indicators(project(tmp_path, {}, {"estimated_from": "XX1"})))
        assert table.select("indicator_id", "counts", "estimated_from").rows() == [
            ("XX1", "students", ""),
            ("XX2", "students", "XX1"),
        ]
        assert not {"numerator_count", "denominator_by", "categories"} & set(table.columns)

    def test_estimates_are_those_that_numbers_are_fitted_to(self, indicators: list[Indicator]) -> None:
        said = {i.indicator_id: i.estimated_from for i in indicators if i.estimated_from}
        assert said == {"OC5": "OC4", "OC6": "OC4", "OC8": "OC4", "SS4": "OC4", "SS5": "category"}


def relation(table: pl.DataFrame, name: str) -> tuple[Any, ...]:
    """Column, total, parts, whether they are the whole, indicator and instrument of one relation."""
    rows = table.filter(relation=name)
    [one] = rows.select("column", "total", "is_whole", "indicator_id", "instrument").unique().rows()
    return (*one[:2], rows["part"].to_list(), *one[2:])


@pytest.fixture(scope="module")
def relations(indicators: list[Indicator]) -> pl.DataFrame:
    return relations_table(CONTRACTS, indicators)


class TestRelations:
    def test_the_list_of_breakdowns_is_that_of_the_values(self) -> None:
        rows = code_list(CONTRACTS, "breakdowns")
        assert tuple(rows["code"]) == BREAKDOWNS
        assert set(rows["adds_up"]) == {"whole", "parts", "by list", "no"}
        assert rows.filter(adds_up="by list")["code"].to_list() == ["grade", "subgroup"]

    def test_shape(self, relations: pl.DataFrame) -> None:
        assert relations.schema == RELATIONS_SCHEMA
        assert relations.is_duplicated().sum() == 0
        assert relations.select("relation", "column", "is_whole").null_count().row(0) == (0, 0, 0)
        assert set(relations["column"]) <= {"district", "count", *BREAKDOWNS}
        one = relations.group_by("relation").agg(
            pl.struct("column", "total", "is_whole", "indicator_id", "instrument").n_unique()
        )
        assert set(one.to_series(1)) == {1}

    def test_counts_within_others(self, relations: pl.DataFrame) -> None:
        assert relation(relations, "count/students_at_levels") == (
            *("count", "OC9.numerator", ["students_at_levels"], False),
            *(None, None),
        )
        assert relation(relations, "count/students_with_a_scale_mean")[1] == "students_asked_about_mindset"

    def test_a_count_within_one_that_nobody_declares(self, indicators: list[Indicator]) -> None:
        odd = replace(indicators[0], counts_within={"no_such_count": "OC9.numerator"})
        with pytest.raises(CatalogueError, match="no_such_count"):
            relations_table(CONTRACTS, [odd, *indicators[1:]])

    def test_groups_of_schools(self, relations: pl.DataFrame) -> None:
        for column, is_whole in {"network_id": True, "school_level": True, "school_set": False}.items():
            assert relation(relations, column) == (column, None, [None], is_whole, None, None)

    def test_districts_make_up_the_network(self, relations: pl.DataFrame) -> None:
        districts = code_list(CONTRACTS, "districts")["code"].to_list()
        assert relation(relations, "district") == ("district", None, districts, True, None, None)

    def test_cohorts_of_programmes_and_not_those_of_students(self, relations: pl.DataFrame) -> None:
        of = relations.filter(column="cohort")
        assert set(of["indicator_id"]) == {"EC11", "PR1", "PR2", "PR3", "PR4", "PR6"}
        assert of.select("total", "part", "is_whole").unique().rows() == [(None, None, True)]

    def test_courses_but_for_an_indicator_whose_schools_have_several(self, relations: pl.DataFrame) -> None:
        of = relations.filter(column="course")
        assert set(of["indicator_id"]) == {"CM1", "CM6", "OC1", "OC2", "OC12"}
        assert of.select("total", "part", "instrument").unique().rows() == [(None, None, None)]

    def test_pooled_grades(self, relations: pl.DataFrame) -> None:
        assert relation(relations, "grade/3_5") == ("grade", "3_5", ["3", "4", "5"], True, None, None)
        assert relation(relations, "grade/3_8/pooled")[2] == ["3_5", "6_8"]
        assert relation(relations, "grade/3_8_and_11")[2] == ["3", "4", "5", "6", "7", "8", "11"]
        assert relation(relations, "grade/3_8_and_11/pooled")[2] == ["3_8", "11"]
        assert relation(relations, "grade/bands") == ("grade", "all", ["3_5", "6_8", "9_12"], False, None, None)

    def test_student_groups_are_the_whole_where_each_has_its_complement(self, relations: pl.DataFrame) -> None:
        assert relation(relations, "subgroup/language") == (
            "subgroup", "all", ["english_learner", "not_english_learner"], True, None, None,
        )  # fmt: skip
        assert relation(relations, "subgroup/gender") == ("subgroup", "all", ["female", "male", "nonbinary"], False, None, None)
        of = relations.filter(column="subgroup")
        assert set(of["part"]) | {"all"} == set(code_list(CONTRACTS, "subgroups")["code"])

    def test_levels_of_a_test(self, relations: pl.DataFrame) -> None:
        """Counted again from the list of tests: levels, and those from the proficient one on."""
        for test in code_list(CONTRACTS, "instruments").to_dicts():
            of = relations.filter(instrument=test["code"], indicator_id="OC4")
            n, cut = int(test["n_levels"]), int(test["proficient_level"])
            assert of.filter(pl.col("total").is_null())["part"].to_list() == [f"level_{i + 1}" for i in range(n)]
            assert of.filter(total="proficient_or_above")["part"].to_list() == [
                f"level_{i + 1}" for i in range(n) if i + 1 >= cut
            ]
            assert of["is_whole"].all()

    def test_categories(self, relations: pl.DataFrame) -> None:
        meets = ["meets", "partially_meets", "does_not_meet", "not_reviewed"]
        assert relation(relations, "category/CM1") == ("category", None, meets, True, "CM1", None)
        assert set(meets) == set(code_list(CONTRACTS, "review_statuses")["code"])
        assert relation(relations, "category/LC3")[2] == code_list(CONTRACTS, "principal_tenures")["code"].to_list()
        coaches = relation(relations, "category/school+network+district")
        assert coaches == ("category", "all", ["school", "network", "district"], False, None, None)
        assert relation(relations, "category/small+medium+large") == (
            "category",
            "all",
            ["small", "medium", "large"],
            True,
            None,
            None,
        )
        assert relation(relations, "category/SS7") == ("category", "all", [None], True, "SS7", None)

    def test_where_two_disagree_a_rest_may_exist(self, indicators: list[Indicator]) -> None:
        whole = next(i for i in indicators if i.categories == ("small", "medium", "large"))
        both = [whole, replace(whole, indicator_id="XX1", category_total="parts")]
        [is_whole] = set(relations_table(CONTRACTS, both).filter(relation="category/small+medium+large")["is_whole"])
        assert not is_whole
