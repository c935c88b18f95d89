"""The synthetic network through the whole flow: values against the truth that the generator kept beside it.

Every number of the marts is what was drawn, whatever layout it came in; intervals hold what the model expects as often as they
say; planted effects are found, and where nothing was planted nothing is; every planted fault is a finding of its rule. The
release holds no small group.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.settings import PROJECT_ROOT
from pipelines.warehouse.catalogue import BREAKDOWNS, read_indicators
from pipelines.warehouse.relations import counts_table, relations_table
from tests import declared_counts

SCALE = "0.1"
# The command, but that Great Expectations records one submission in five and those with acknowledged findings, not all.
DEMO = """
from pipelines import flow
from pipelines.cli import main

every = flow.unrecorded
flow.unrecorded = lambda home: [s for n, s in enumerate(every(home)) if n % 5 == 0 or s.screened["findings"]]
main()
"""
# What is sent again goes into the second release without being recorded.
RUN = """
from pipelines import flow
from pipelines.cli import main

flow.unrecorded = lambda home: []
main()
"""
# Unusual, and right: what the model draws now and then, at a school that goes back a stage or grows fast.
WITH_REASON = {"IS-Q-STAGE-BACK", "IS-Q-START-MOVED", "PL-Q-COUNT-CHANGED"}
KEY = ["indicator_id", "district", "school_year", *(name for name in BREAKDOWNS if not name.startswith("unit_"))]
# An interval that holds less often than this by chance alone would be one in ten thousand.
RARE = 1e-4


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, no_dbt_log: None) -> Path:
    home = tmp_path_factory.mktemp("synthetic") / "home"
    done = subprocess.run(
        [sys.executable, "-c", DEMO, "demo", "--scale", SCALE, "--no-serve"],
        env={**os.environ, "NMIP_HOME": str(home), "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def values(home: Path) -> pl.DataFrame:
    pointer = json.loads((home / "releases/current.json").read_text())
    return pl.read_parquet(home / pointer["path"] / "indicator_values.parquet")


@pytest.fixture(scope="module")
def truth(home: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((home / "synthetic/truth.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def marts(home: Path) -> pl.DataFrame:
    """Every value of the warehouse, before protection."""
    [path] = home.glob("**/exchange/fct_indicator_values.parquet")
    return pl.read_parquet(path)


@pytest.fixture(scope="module")
def recovered(marts: pl.DataFrame, truth: dict[str, Any]) -> pl.DataFrame:
    """Every entry of the truth (`value`, `expected`) with the value of the marts (`found`, its bounds and symbol)."""
    known = pl.DataFrame(truth["indicators"], infer_schema_length=None)
    known = known.with_columns(
        pl.col(name).cast(pl.String) if name in known.columns else pl.lit(None, pl.String).alias(name) for name in KEY
    ).select(*KEY, "value", "expected")
    of_districts = marts.filter(unit_type="district").select(
        *KEY, pl.col("value").alias("found"), "standard_error", "numerator", "denominator", "lower", "upper", "symbol", "sources"
    )
    return known.join(of_districts, on=KEY, how="left", nulls_equal=True)


def test_every_known_value_has_its_row_and_is_found_exactly(recovered: pl.DataFrame) -> None:
    lost = recovered.filter(pl.col("sources").is_null() & pl.col("value").is_not_null())
    assert lost.is_empty(), lost.group_by("indicator_id").len()
    both = recovered.filter(pl.col("value").is_not_null() & pl.col("found").is_not_null())
    wrong = both.filter((pl.col("found") - pl.col("value")).abs() > 1e-9 * (1 + pl.col("value").abs()))
    assert wrong.is_empty(), wrong.select(*KEY, "value", "found")
    assert both.height > 4000
    without = recovered.filter(pl.col("value").is_not_null() & pl.col("found").is_null())
    assert without.height < 0.06 * recovered.height, without.group_by("indicator_id", "symbol").len()
    assert without["symbol"].null_count() == 0, "a number that is not there always says why"


def test_intervals_hold_what_the_model_expects(recovered: pl.DataFrame) -> None:
    """95 % intervals of single indicators hold at least about that often (a census has none; clustered ones may hold more)."""
    rows = recovered.filter(pl.col("expected").is_not_null() & pl.col("lower").is_not_null())
    held = rows.with_columns(((pl.col("lower") <= pl.col("expected")) & (pl.col("expected") <= pl.col("upper"))).alias("holds"))
    assert held.height > 2000
    assert 0.94 <= held["holds"].mean() <= 0.995  # type: ignore[operator]
    for indicator_id, n, n_held in held.group_by("indicator_id").agg(pl.len(), pl.col("holds").sum()).rows():
        assert stats.binom.cdf(n_held, n, 0.95) > RARE, f"{indicator_id}: {n_held} of {n}"


def _change(recovered: pl.DataFrame, indicator_id: str, district: str) -> pl.DataFrame:
    """Values of the first and the last year, side by side, of everything that an indicator is split by."""
    rows = recovered.filter(pl.col("indicator_id") == indicator_id, pl.col("district") == district, pl.col("found").is_not_null())
    first, last = (rows.filter(school_year=year) for year in ("2023-24", "2025-26"))
    on = [name for name in KEY if name != "school_year"]
    return first.join(last, on=on, nulls_equal=True, suffix="_last")


def _half_width(rows: pl.DataFrame, suffix: str = "") -> pl.Expr:
    return (pl.col(f"upper{suffix}") - pl.col(f"lower{suffix}")) / 2


SIZED = ("full_cycle_changes", "regular_use_changes", "retained_changes", "early_career_changes", "has_coach_changes")


@pytest.mark.parametrize("effect", SIZED)
def test_planted_changes_are_found(recovered: pl.DataFrame, truth: dict[str, Any], effect: str) -> None:
    """The change of a value between the first and the last year lies within its interval around the planted size."""
    [planted] = [entry for entry in truth["planted_effects"] if entry["effect"] == effect]
    for district in planted["districts"]:
        for indicator_id in planted["indicator_ids"]:
            rows = _change(recovered, indicator_id, district)
            rows = rows.filter(pl.col("category").is_null() | pl.col("category").is_in(["all", "survey"]))
            assert rows.height, indicator_id
            row = rows.row(0, named=True)
            change = row["found_last"] - row["found"]
            # Schools that open and close move the expectation a little beside what was planted.
            expected = row["expected_last"] - row["expected"] if row["expected"] is not None else planted["size"]
            assert expected == pytest.approx(planted["size"], abs=0.05), indicator_id
            width = np.hypot(*((row[f"upper{s}"] or 1.0) - (row[f"lower{s}"] or 0.0) for s in ("", "_last"))) / 2
            assert abs(change - expected) <= 1.3 * width, indicator_id


def test_where_nothing_changes_a_change_is_seldom_found(recovered: pl.DataFrame, truth: dict[str, Any]) -> None:
    """Two years apart, and two districts apart, with the same true rates: a difference beyond its 95 % interval is rare."""
    n, n_false = 0, 0
    for effect in ("nothing_changes", "equal_districts"):
        [planted] = [entry for entry in truth["planted_effects"] if entry["effect"] == effect]
        for indicator_id in planted["indicator_ids"]:
            if effect == "nothing_changes":
                rows = pl.concat([_change(recovered, indicator_id, district) for district in planted["districts"]])
            else:
                on = [name for name in KEY if name not in ("district", "instrument")]
                one, other = (recovered.filter(district=d, indicator_id=indicator_id) for d in planted["districts"])
                rows = one.join(other, on=on, nulls_equal=True, suffix="_last")
            rows = rows.filter(pl.all_horizontal(pl.col(c).is_not_null() for c in ("lower", "upper", "lower_last", "upper_last")))
            half = (_half_width(rows).pow(2) + _half_width(rows, "_last").pow(2)).sqrt()
            differs = rows.select(((pl.col("found_last") - pl.col("found")).abs() > half).alias("differs"))["differs"]
            n, n_false = n + len(differs), n_false + int(differs.sum())
    assert n > 250
    assert n_false / n <= 0.075, f"{n_false} of {n} differences where there is none"


@pytest.fixture(scope="module")
def comparisons(home: Path) -> pl.DataFrame:
    pointer = json.loads((home / "releases/current.json").read_text())
    return pl.read_parquet(home / pointer["path"] / "comparisons.parquet")


CELL = ["district", "school_year", "grade", "subgroup"]
ESTIMATED = {
    # Indicator: list of the truth, what it is called there, least cells.
    "OC5": ("linked", "state_position", 100),
    "OC6": ("linked", "naep_mean_true", 25),
    "OC8": ("gaps", "gap_v", 200),
    "SS4": ("assessment", "between_school_share", 100),
}


@pytest.mark.parametrize("indicator_id", ESTIMATED)
def test_estimates_hold_what_is_true(marts: pl.DataFrame, truth: dict[str, Any], indicator_id: str) -> None:
    """Intervals of positions, linked means, gaps and evenness hold the latent truth that the counts were drawn from."""
    part, name, least = ESTIMATED[indicator_id]
    true = pl.DataFrame(
        [{column: entry.get(column, "all") for column in CELL} | {"true": entry[name]} for entry in truth[part]],
        infer_schema_length=None,
    ).drop_nulls("true")
    found = marts.filter(pl.col("indicator_id") == indicator_id, pl.col("value").is_not_null())
    both = found.join(true, on=CELL)
    assert both.height >= least
    held = both.filter((pl.col("lower") <= pl.col("true")) & (pl.col("true") <= pl.col("upper"))).height
    assert stats.binom.cdf(held, both.height, 0.95) > RARE, f"{held} of {both.height}"
    off = ((both["value"] - both["true"]) / both["standard_error"]).mean()
    assert abs(off) < 4 / np.sqrt(both.height) + 0.25  # type: ignore[arg-type]


def test_equal_districts_are_seldom_called_different(comparisons: pl.DataFrame, truth: dict[str, Any]) -> None:
    """Holm over the pairs of a family: of equal districts at most about one pair in 20 families gets a higher or lower."""
    [planted] = [entry for entry in truth["planted_effects"] if entry["effect"] == "equal_districts"]
    one, other = sorted(planted["districts"])
    pairs = comparisons.filter(
        pl.col("comparison") == "districts",
        pl.col("district") == one,
        pl.col("other_district") == other,
        pl.col("indicator_id").is_in(planted["indicator_ids"]),
        pl.col("z").is_not_null(),
    )
    n_false = pairs.filter(pl.col("finding").is_not_null()).height
    assert pairs.height > 100
    assert n_false / pairs.height <= 0.05, f"{n_false} of {pairs.height}"


@pytest.mark.parametrize(
    ("indicator_id", "district", "finding"), [("EC3", "houston", "higher"), ("EC5", "los_angeles", "higher")]
)
def test_planted_changes_get_their_verdict(comparisons: pl.DataFrame, indicator_id: str, district: str, finding: str) -> None:
    rows = comparisons.filter(comparison="years", indicator_id=indicator_id, district=district)
    row = rows.filter(
        pl.col("school_year") == "2025-26",
        pl.col("other_school_year") == "2023-24",
        pl.all_horizontal(pl.col(name).is_null() for name in ("school_level", "school_set")),
    ).row(0, named=True)
    assert (row["verdict"], row["finding"]) == ("directly_comparable", finding)
    assert row["lower"] > 0


def test_no_comparison_that_does_not_hold_is_released(comparisons: pl.DataFrame) -> None:
    across = comparisons.filter(comparison="districts")
    own_test = across.filter(pl.col("indicator_id").is_in(["OC4", "OC5", "OC11"]))
    assert set(own_test["verdict"]) <= {"no_data", "suppressed", "within_state_only", "not_comparable_definition"}
    assert set(across.filter(indicator_id="SS4")["verdict"]) <= {"no_data", "suppressed", "describe_only"}
    refused = comparisons.filter(
        pl.col("verdict").is_in(["too_close_to_call", "comparable_with_linking_error", "directly_comparable"]).not_()
    )
    for name in ("finding", "difference", "standard_error", "lower", "upper", "z", "p_value", "q_value"):
        assert refused[name].null_count() == refused.height, name
    assert comparisons.filter((pl.col("finding") == "higher") & (pl.col("difference") <= 0)).is_empty()
    recut = comparisons.filter(comparison="years", indicator_id="OC4", district="chicago", other_school_year="2023-24")
    assert set(recut["verdict"]) <= {"trend_break", "not_comparable_coverage", "no_data", "suppressed"}
    assert "trend_break" in recut["verdict"].to_list()


def test_every_pair_of_districts_has_its_verdict(comparisons: pl.DataFrame, values: pl.DataFrame) -> None:
    shown = values.filter(pl.col("network_id").is_null(), indicator_id="EC1")
    shared = ["school_level", "school_set", "school_year"]
    pairs = comparisons.filter(comparison="districts", indicator_id="EC1")
    assert pairs.height == 15 * shown.select(shared).n_unique()


def test_a_hidden_value_has_no_verdict(comparisons: pl.DataFrame, values: pl.DataFrame) -> None:
    hidden = values.filter(pl.col("symbol") == "c", pl.col("network_id").is_null())
    assert hidden.height > 100
    breakdowns = [name for name in BREAKDOWNS if name not in ("unit_type", "unit_id", "network_id")]
    key = ["indicator_id", "district", "school_year", *breakdowns]
    sided = ["district", "school_year", "subgroup", "instrument", "administration"]
    for side in ("", "other_"):
        on = [side + name if name in sided else name for name in key]
        touched = comparisons.join(hidden.select(key), left_on=on, right_on=key, nulls_equal=True, how="semi")
        assert touched.height > 100
        assert set(touched["verdict"]) <= {"suppressed", "no_data"}
        assert touched["value"].null_count() == touched["other_value"].null_count() == touched.height


def test_every_planted_fault_is_a_finding_of_its_rule(home: Path, truth: dict[str, Any]) -> None:
    assert len({fault["rule_id"] for fault in truth["planted_faults"]}) >= 10
    assert {fault["district"] for fault in truth["planted_faults"]} == {entry["district"] for entry in truth["districts"]}
    for fault in truth["planted_faults"]:
        place = home / "outbox" / fault["district"] / fault["extract"] / fault["school_year"]
        rules = {
            rule_id
            for path in place.glob("*/findings.csv")
            for rule_id in pl.read_csv(path, infer_schema=False)["rule_id"].to_list()
        }
        assert fault["rule_id"] in rules, fault


def test_nothing_is_found_but_what_was_planted(home: Path, truth: dict[str, Any]) -> None:
    """Every file as it was screened, beside the files before it: of those without a fault a few have something unusual."""
    planted = {(fault["district"], fault["extract"], fault["school_year"], "001") for fault in truth["planted_faults"]}
    found: dict[tuple[str, ...], set[str]] = {}
    for path in home.glob("submissions/*/*/*/*/events/*.json"):
        event = json.loads(path.read_text())
        if event["type"] == "screened":
            found.setdefault(path.parts[-6:-2], set()).update(event["findings"])
    assert len(found) >= 380
    assert planted <= found.keys()
    others = {place: rules for place, rules in found.items() if rules and place not in planted}
    assert set().union(*others.values()) <= WITH_REASON, others
    assert len(others) < 0.03 * len(found), others


def test_great_expectations_agrees(home: Path) -> None:
    """On files of every extract, and on every one that is in force with findings; shared out among processes."""
    records = {path.parts[-5:-1]: json.loads(path.read_text()) for path in home.glob("submissions/*/*/*/*/validation.json")}
    assert len(records) >= 75
    assert len({extract for _, extract, *_ in records}) == 21
    for place, record in records.items():
        assert record["disagreements"] == [], place
        assert record["great_expectations"]["statistics"]["evaluated_expectations"] > 5, place


def _shown(values: pl.DataFrame, indicator_id: str) -> pl.DataFrame:
    return values.filter(pl.col("indicator_id") == indicator_id, pl.col("symbol").is_null())


def _of_all_schools(values: pl.DataFrame) -> pl.DataFrame:
    return values.filter(pl.all_horizontal(pl.col(name).is_null() for name in ("network_id", "school_level", "school_set")))


def test_everything_that_was_sent_is_in_force_in_the_end(home: Path, truth: dict[str, Any]) -> None:
    """Every district, extract and year that has files has one in force; the others are faulty files before their correction."""
    pointer = json.loads((home / "releases/current.json").read_text())
    submissions = pl.read_parquet(home / pointer["path"] / "submissions.parquet")
    place = ["district", "extract", "school_year"]
    certified = submissions.filter(state="certified")
    assert certified.select(place).is_unique().all()
    assert certified.select(place).n_unique() == submissions.select(place).n_unique() >= 340
    assert certified["extract"].n_unique() == 21
    corrected = {(f["district"], f["extract"], f["school_year"]) for f in truth["planted_faults"] if f["is_corrected"]}
    replaced = submissions.filter(pl.col("state") != "certified")
    assert set(replaced.select(place).rows()) <= corrected
    manifest = json.loads((home / pointer["path"] / "manifest.json").read_text())
    assert manifest["kind"] == "synthetic"


def test_every_indicator_has_released_values_in_every_district(values: pl.DataFrame, marts: pl.DataFrame) -> None:
    shown = values.filter(pl.col("value").is_not_null()).group_by("indicator_id").agg(pl.col("district").n_unique())
    by_indicator = dict(shown.rows())
    assert set(by_indicator) == set(marts["indicator_id"].unique())
    # A programme or a test that a district does not have leaves it without values.
    few = {name for name, n in by_indicator.items() if n < 4}
    # Programmes that a few leaders lead: fewer than ten of them, and nothing about them is shown.
    assert few <= {"PR1", "PR2", "PR6"}


def test_schools_never_leave_the_marts(values: pl.DataFrame, marts: pl.DataFrame) -> None:
    assert marts.filter(unit_type="school").height > 10_000
    assert values["unit_type"].unique().to_list() == ["district"]
    assert values["unit_id"].null_count() == values.height


def test_level_shares_are_the_known_ones(values: pl.DataFrame, truth: dict[str, Any]) -> None:
    known = {
        (a["district"], a["school_year"], a["grade"], a["subgroup"], f"level_{level}"): n
        for a in truth["assessment"]
        for level, n in enumerate(a["n_levels_delivered"], start=1)
    }
    rows = _of_all_schools(_shown(values, "OC4")).filter(pl.col("category") != "proficient_or_above").to_dicts()
    assert len(rows) > 0.5 * len(known)
    for row in rows:
        assert row["numerator"] == known[row["district"], row["school_year"], row["grade"], row["subgroup"], row["category"]]
        assert row["lower"] <= row["value"] <= row["upper"]


def test_participation_is_the_known_one(values: pl.DataFrame, truth: dict[str, Any]) -> None:
    known = {(a["district"], a["school_year"], a["grade"], a["subgroup"]): a for a in truth["assessment"]}
    rows = _of_all_schools(_shown(values, "OC9")).to_dicts()
    assert len(rows) > 0.5 * len(known)
    for row in rows:
        cell = known[row["district"], row["school_year"], row["grade"], row["subgroup"]]
        assert (row["numerator"], row["denominator"]) == (cell["n_tested"], cell["n_enrolled"])


def test_materials_coverage_is_the_known_one(values: pl.DataFrame, truth: dict[str, Any]) -> None:
    known = {
        (m["district"], m["school_year"], m["course"], m["subgroup"], status): n
        for m in truth["materials_coverage"]
        if m["scope"] == "in_scope"
        for status, n in m["n_students_by_review_status"].items()
    }
    rows = _of_all_schools(_shown(values, "CM1")).to_dicts()
    assert len(rows) > 0.3 * len(known)
    for row in rows:
        assert row["numerator"] == known[row["district"], row["school_year"], row["course"], row["subgroup"], row["category"]]


def test_one_core_title_is_the_known_one(values: pl.DataFrame, truth: dict[str, Any]) -> None:
    known = {
        (m["district"], m["school_year"], m["course"]): (m["n_schools_with_one"], m["n_schools"])
        for m in truth["one_core_title"]
        if m["scope"] == "in_scope"
    }
    rows = _of_all_schools(_shown(values, "CM2")).to_dicts()
    assert {row["district"] for row in rows} == {m["district"] for m in truth["one_core_title"]}
    for row in rows:
        assert (row["numerator"], row["denominator"]) == known[row["district"], row["school_year"], row["course"]]


def test_no_small_group_is_in_the_release(home: Path, values: pl.DataFrame) -> None:
    pointer = json.loads((home / "releases/current.json").read_text())
    counts = pl.read_parquet(home / pointer["path"] / "indicators.parquet").select("indicator_id", "counts")
    shown = values.filter(pl.col("symbol").is_null()).join(counts, on="indicator_id", how="left")
    assert shown.filter(pl.col("counts") != "nothing", pl.col("n") < 10).is_empty()
    people = shown.filter(
        pl.col("counts").is_in(["students", "adults"]), pl.col("unit") == "share", pl.col("numerator").is_not_null()
    )
    # Schools are no people, and how many of them have a coach is no group of them.
    people = people.filter((pl.col("statistic") != "schools_with_coach").fill_null(True))
    for count in (people["numerator"], people["denominator"] - people["numerator"]):
        assert not ((count > 0) & (count < 10)).any()
    hidden = values.filter(pl.col("symbol") != "r")
    numbers = pl.col("numerator", "denominator", "value", "standard_error", "lower", "upper", "n", "n_schools", "response_rate")
    assert set(hidden.select(numbers.is_null().all()).row(0)) == {True}


# Counts that agree nearly everywhere in the invented network and are not the same people by definition.
NOT_THE_SAME = {
    frozenset({"students_asked_about_mindset", "students_with_a_scale_mean"}): "a school need not send the mean of a scale",
    frozenset({"staff_asked_about_mindset", "staff_with_a_scale_mean"}): "a school need not send the mean of a scale",
    frozenset({"algebra_by_grade_8", "OC2.denominator"}): "a student who is enrolled need not finish a first attempt in the year",
    frozenset({"leaders_asked_about_use", "fewer_of_leaders_and_teachers"}): "teachers may be the fewer",
    frozenset({"students_at_levels", "OC9.numerator"}): "a unit may say how many it tested and not at which levels",
}


@pytest.fixture(scope="module")
def declared() -> pl.DataFrame:
    return counts_table(read_indicators(PROJECT_ROOT / "dbt_project"))


@pytest.fixture(scope="module")
def counted(marts: pl.DataFrame, declared: pl.DataFrame) -> pl.DataFrame:
    """Every count of the unprotected values with the name that it is declared under."""
    return declared_counts.counted(marts, declared)


def test_every_number_is_declared(counted: pl.DataFrame) -> None:
    assert counted["count"].null_count() == counted["of"].null_count() == 0


def test_counts_of_one_name_are_one_number(counted: pl.DataFrame) -> None:
    """What shares a name, and the denominators that categories or statistics are said to share."""
    shared = declared_counts.shared_but_unequal(counted)
    assert shared.filter(pl.col("n_unequal") > 0).is_empty(), shared.filter(pl.col("n_unequal") > 0)
    assert {"math_teachers", "students_at_levels", "passed_first_attempt", "program_teachers"} <= set(shared["count"])


def test_counts_that_are_one_number_have_one_name(counted: pl.DataFrame) -> None:
    pairs = declared_counts.equal_but_not_shared(counted)
    assert declared_counts.without_reason(pairs, NOT_THE_SAME) == []


def test_what_is_declared_to_add_up_does(counted: pl.DataFrame, declared: pl.DataFrame) -> None:
    indicators = read_indicators(PROJECT_ROOT / "dbt_project")
    sums = declared_counts.sums(counted, relations_table(PROJECT_ROOT / "data_contracts", indicators))
    assert sums.filter(pl.col("parts") > pl.col("total")).is_empty()
    whole = sums.filter(
        pl.col("relation").str.starts_with("category/") | pl.col("relation").str.starts_with("cohort/"), pl.col("is_whole")
    )
    assert whole.filter(pl.col("parts") != pl.col("total")).is_empty()
    assert {"category/CM1", "category/LC3", "category/SS7", "category/small+medium+large"} <= set(whole["relation"])
    for relation in ("network_id", "school_level", "subgroup/income", "subgroup/language"):
        of = sums.filter(relation=relation)
        assert of.filter(pl.col("parts") == pl.col("total")).height > 100, relation


def test_counts_are_whole_numbers_and_sums_are_not(counted: pl.DataFrame, marts: pl.DataFrame, declared: pl.DataFrame) -> None:
    people = counted.filter(pl.col("of") != "nothing")
    assert people.filter(pl.col("amount") % 1 != 0).is_empty()
    numbers = counted.pivot(
        on="role", index=[*declared_counts.PLACE, "indicator_id", *declared_counts.SPLIT, "unit"], values=["amount", "of"]
    )
    part, size = pl.col("amount_numerator"), pl.col("amount_denominator")
    assert numbers.filter(pl.col("unit") == "share", part > size).is_empty()
    # A numerator that is said to count nobody beside a denominator that counts people could not be a part of them.
    sums = numbers.filter(pl.col("of_numerator") == "nothing", pl.col("of_denominator") != "nothing")
    is_no_count = ((part % 1 != 0) | (part > size)).any().alias("is_no_count")
    found = sums.group_by("indicator_id", "statistic").agg(is_no_count)
    assert found.filter(~pl.col("is_no_count")).is_empty(), found
    assert found.height >= 10


# --- a second release ------------------------------------------------------------------------------------------------------

PEOPLE = ("numerator", "denominator", "n")


def _more_students(path: Path, n_more: int, n_schools: int) -> None:
    """So many students more at level 2 of every grade of the first schools, of those who are in no group."""
    table = pl.read_csv(path, infer_schema=False)
    schools = table["unit_id"].unique().sort().head(n_schools).implode()
    here = pl.col("unit_id").is_in(schools) & pl.col("subgroup").is_in(["all", "not_english_learner", "not_low_income"])
    table.with_columns(
        pl.when(here & pl.col("n_level_2").is_not_null())
        .then((pl.col(name).cast(pl.Int64) + n_more).cast(pl.String))
        .otherwise(name)
        .alias(name)
        for name in ("n_enrolled", "n_tested", "n_level_2")
    ).write_csv(path)


@pytest.fixture(scope="module")
def sent_again(home: Path, tmp_path_factory: pytest.TempPathFactory, no_dbt_log: None) -> Path:
    """The home after Houston sent its levels again, with 14 students more in five schools, and Chicago with one."""
    again = tmp_path_factory.mktemp("again") / "home"
    shutil.copytree(home, again)
    levels = "{0}/assessment_levels/2025-26/{0}_assessment_levels_2025-26.csv"
    for district, n_more, n_schools in (("houston", 14, 5), ("chicago", 1, 1)):
        _more_students(again / "inbox" / levels.format(district), n_more, n_schools)
    done = subprocess.run(
        [sys.executable, "-c", RUN, "run"],
        env={**os.environ, "NMIP_HOME": str(again), "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return again


@pytest.fixture(scope="module")
def both_releases(sent_again: Path) -> pl.DataFrame:
    """Every value of the second release beside the first, whose columns end in `_then`."""
    first, second = (pl.read_parquet(folder / "indicator_values.parquet") for folder in sorted(sent_again.glob("releases/0*")))
    keys = [*KEY, "statistic"] if "statistic" not in KEY else KEY
    joined = second.join(first, on=keys, how="left", nulls_equal=True, suffix="_then")
    assert joined.height == second.height
    return joined


def test_what_is_sent_again_makes_a_second_release(sent_again: Path, both_releases: pl.DataFrame) -> None:
    pointer = json.loads((sent_again / "releases/current.json").read_text())
    assert pointer["release_id"].startswith("0002-")
    manifest = json.loads((sent_again / pointer["path"] / "manifest.json").read_text())
    assert manifest["audit"]["passed"]
    assert len(manifest["audit"]["earlier_releases"]) == 1
    levels = both_releases.filter(pl.col("indicator_id").is_in(["OC4", "OC9"]), school_year="2025-26")
    changed = pl.any_horizontal(pl.col(name).is_not_null() & (pl.col(name) != pl.col(f"{name}_then")) for name in PEOPLE)
    assert levels.filter(changed, district="houston").height > 20, "what changed by many is shown as it is now"
    assert levels.filter(changed, district="chicago").is_empty(), "one student waits for the next larger change"
    others = both_releases.filter(~pl.col("district").is_in(["houston", "chicago"]))
    assert others.filter(pl.col("symbol").ne_missing(pl.col("symbol_then"))).is_empty()


def test_two_releases_do_not_show_by_difference_the_few_who_came(both_releases: pl.DataFrame) -> None:
    told = both_releases.filter(pl.col("symbol").is_null() | (pl.col("symbol") == "r"))
    sizes = told.filter((pl.col("denominator") - pl.col("denominator_then")).abs().is_between(0.5, 9.5))
    of_people = {"students", "adults"}
    counts = counts_table(read_indicators(PROJECT_ROOT / "dbt_project"))
    people = counts.filter(pl.col("of").is_in(of_people), role="denominator")["indicator_id"].unique().implode()
    assert sizes.filter(pl.col("indicator_id").is_in(people)).is_empty()
    levels = told.filter(pl.col("indicator_id").is_in(["OC4", "OC9"]))
    for name in ("numerator", "outside"):
        now, then = (
            pl.col(f"numerator{end}") if name == "numerator" else pl.col(f"denominator{end}") - pl.col(f"numerator{end}")
            for end in ("", "_then")
        )
        assert levels.filter((now - then).abs().is_between(0.5, 9.5)).is_empty(), name


def test_what_readers_know_already_is_not_hidden(both_releases: pl.DataFrame, sent_again: Path) -> None:
    """Hiding an unchanged number protects nothing; nearly all of them stay."""
    now = pl.read_parquet(sent_again / "work/exchange/fct_indicator_values.parquet")
    facts = both_releases.join(
        now.select(*KEY, *(pl.col(name).alias(f"{name}_true") for name in PEOPLE)), on=KEY, how="left", nulls_equal=True
    )
    same = facts.filter(
        pl.col("symbol_then").is_null(),
        pl.all_horizontal(pl.col(f"{name}_true").eq_missing(pl.col(f"{name}_then")) for name in ("numerator", "denominator")),
        pl.col("denominator_then").is_not_null(),
    )
    assert same.height > 5_000
    assert same.filter(pl.col("symbol") == "c").height < 0.01 * same.height
