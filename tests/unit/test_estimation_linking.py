"""The link to NAEP: oracle numbers, errors by simulation, and which grades and years are linked."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from pipelines.estimation import (
    NaepMoments,
    interpolate_grades,
    interpolate_years,
    link_to_naep,
    naep_sd_from_shares,
    naep_years_for,
    variance_of_linked_difference,
)

SEED = Path(__file__).parents[2] / "dbt_project" / "seeds" / "naep_results.csv"
CUTS = {"4": (214, 249), "8": (262, 299)}
STATE = {"naep_mean": 235.0, "naep_sd": 31.0, "se_naep_mean": 0.9, "se_naep_sd": 0.7, "reliability": 0.9}
MOMENTS = ("mean", "sd", "var_mean", "var_sd")


def test_a_published_link() -> None:
    linked = link_to_naep(-0.30, 0.01, 0.85, **STATE, linking_sd=4 / 31)
    assert linked.mean == pytest.approx(225.1969, abs=5e-5)
    assert linked.se_without_linking == pytest.approx(0.98277, abs=5e-6)
    assert linked.se == pytest.approx(4.119, abs=5e-4)
    assert linked.sd / 31 == pytest.approx(0.831665, abs=5e-7)


def test_the_usual_error_of_the_link_is_an_eighth_of_a_standard_deviation() -> None:
    linked = link_to_naep(-0.30, 0.01, **STATE)
    assert linked.se**2 - linked.se_without_linking**2 == pytest.approx(0.0144 * 31**2, rel=1e-12)
    assert np.isnan(linked.sd)


def test_the_error_of_a_link_is_the_spread_of_simulated_links() -> None:
    """A million draws of the district's mean, the state's two moments and the link: a standard deviation is known to 0.1 %."""
    rng = np.random.default_rng(1)
    size = 1_000_000
    drawn = rng.normal(235, 0.9, size) + rng.normal(-0.3, 0.05, size) / np.sqrt(0.9) * rng.normal(31, 3, size)
    drawn += rng.normal(0, 0.12 * 31, size)
    assert drawn.std() == pytest.approx(float(link_to_naep(-0.3, 0.05, **{**STATE, "se_naep_sd": 3}).se), rel=0.005)


def test_many_districts_at_once_and_what_is_missing_stays_missing() -> None:
    linked = link_to_naep(
        [0.1, np.nan, 0.1, 0.1],
        [0.01, 0.01, np.nan, 0.01],
        [0.9, 0.9, 0.9, 0.3],
        naep_mean=[240, 240, 240, 230],
        naep_sd=30,
        se_naep_mean=1,
        se_naep_sd=0.5,
        reliability=0.9,
    )
    assert np.isnan(linked.mean).tolist() == [False, True, False, False]
    assert np.isnan(linked.se).tolist() == [False, True, True, False]
    # A spread of .3 is smaller than what errors of measurement alone make.
    assert np.isnan(linked.sd).tolist() == [False, False, False, True]
    assert np.isnan(link_to_naep(0, 0, np.sqrt(0.1), **STATE).sd)


DISTRICTS = {
    "mu": (2, 2),
    "var_mu": (0.0025, 0.0025),
    "naep_sd": (1, 1),
    "var_naep_sd": (0.0004,) * 2,
    "var_naep_mean": (0.001,) * 2,
}


def test_published_variances_of_differences() -> None:
    assert variance_of_linked_difference(**DISTRICTS, same_state=True, linking_sd=0.06) == pytest.approx(0.0122, abs=1e-12)
    assert variance_of_linked_difference(**DISTRICTS, same_state=False, linking_sd=0.06) == pytest.approx(0.0174, abs=1e-12)
    both = variance_of_linked_difference(**DISTRICTS, same_state=[True, False], linking_sd=0.06)
    np.testing.assert_allclose(both, [0.0122, 0.0174])


@pytest.mark.parametrize("same_state", [True, False])
def test_the_variance_of_a_difference_is_that_of_simulated_ones(same_state: bool) -> None:
    rng = np.random.default_rng(2)
    size = 1_000_000
    mu, var_mu = (-0.8, 0.6), (0.004, 0.001)
    sd = (30.0, 30.0) if same_state else (30.0, 33.0)
    means, spreads = rng.normal(0, 0.9, (2, size)), np.array(sd)[:, None] + rng.normal(0, 0.8, (2, size))
    if same_state:
        means[1], spreads[1] = means[0], spreads[0]
    linked = [
        means[i] + rng.normal(mu[i], np.sqrt(var_mu[i]), size) * spreads[i] + rng.normal(0, 0.12 * sd[i], size) for i in (0, 1)
    ]
    expected = variance_of_linked_difference(
        mu=mu, var_mu=var_mu, naep_sd=sd, var_naep_sd=(0.64, 0.64), var_naep_mean=(0.81, 0.81), same_state=same_state
    )
    assert np.var(linked[0] - linked[1]) == pytest.approx(float(expected), rel=0.01)


def test_one_state_has_one_set_of_numbers() -> None:
    with pytest.raises(ValueError, match="two districts of the same state have one naep_sd"):
        variance_of_linked_difference(**{**DISTRICTS, "naep_sd": (30, 31)}, same_state=True)


def test_grades_lie_on_the_line_between_four_and_eight() -> None:
    state = {
        "mean_4": 240,
        "mean_8": 280,
        "sd_4": 30,
        "sd_8": 38,
        "var_mean_4": 1,
        "var_mean_8": 4,
        "var_sd_4": 0.5,
        "var_sd_8": 0.9,
    }
    found = interpolate_grades([3, 4, 5, 6, 8, 9], **state)
    np.testing.assert_allclose(found.mean, [np.nan, 240, 250, 260, 280, np.nan])
    np.testing.assert_allclose(found.sd, [np.nan, 30, 32, 34, 38, np.nan])
    np.testing.assert_allclose(found.var_mean, [np.nan, 1, (9 + 4) / 16, 5 / 4, 4, np.nan])
    np.testing.assert_allclose(found.var_sd, [np.nan, 0.5, (9 * 0.5 + 0.9) / 16, 1.4 / 4, 0.9, np.nan])
    without_8 = interpolate_grades([4, 5, 8], **{**state, "mean_8": np.nan})
    np.testing.assert_allclose(without_8.mean, [240, np.nan, np.nan])


@pytest.mark.parametrize(
    ("year", "years"),
    [
        (2019, (2019,)),
        (2014, (2013, 2015)),
        (2018, (2017, 2019)),
        (2023, (2022, 2024)),
        (2020, ()),
        (2021, ()),
        (2025, ()),
        (2012, ()),
    ],
)
def test_years_between_naep_years(year: int, years: tuple[int, ...]) -> None:
    assert naep_years_for(year, [2013, 2015, 2017, 2019, 2022, 2024]) == years


def test_a_year_between_two_is_their_mean() -> None:
    before = NaepMoments(*(np.asarray(value) for value in (238.0, 31.0, 0.8, 0.4)))
    after = NaepMoments(*(np.asarray(value) for value in (240.0, 32.0, 1.2, 0.8)))
    middle = interpolate_years(before, after)
    assert [float(getattr(middle, name)) for name in MOMENTS] == pytest.approx([239, 31.5, 0.5, 0.3])


@pytest.mark.parametrize(
    ("unit_id", "year", "grade", "sd"),
    [
        ("TX", "2022", "4", 32.5),
        ("TX", "2022", "8", 37.5),
        ("PA", "2019", "4", 36.7),
        ("PA", "2019", "8", 46.0),
        ("US", "2022", "4", 34.0),
        ("US", "2022", "8", 41.3),
    ],
)
def test_standard_deviations_of_the_states_profiles(unit_id: str, year: str, grade: str, sd: float) -> None:
    with SEED.open(encoding="utf-8", newline="") as file:
        wanted = {"unit_id": unit_id, "year": year, "grade": grade, "schools": "public"}
        (row,) = [row for row in csv.DictReader(file) if wanted.items() <= row.items()]
    found = naep_sd_from_shares(float(row["share_basic"]), float(row["share_proficient"]), *CUTS[grade])
    assert found.sd == pytest.approx(sd, abs=0.05)
    assert 0.2 < found.se < 0.7


def test_the_error_of_rounding_is_the_spread_of_unrounded_shares() -> None:
    """Shares drawn evenly from all that round to the given ones."""
    rng = np.random.default_rng(3)
    basic, proficient = rng.uniform(0.775, 0.785, 100_000), rng.uniform(0.375, 0.385, 100_000)
    drawn = naep_sd_from_shares(basic, proficient, 214, 249).sd
    found = naep_sd_from_shares(0.78, 0.38, 214, 249)
    assert np.std(drawn) == pytest.approx(float(found.se), rel=0.01)
    assert np.mean(drawn) == pytest.approx(float(found.sd), abs=0.01)


def test_exact_shares_of_a_normal_state_give_its_standard_deviation() -> None:
    shares = norm.sf([214, 249], 236, 31)
    assert naep_sd_from_shares(shares[0], shares[1], 214, 249).sd == pytest.approx(31, rel=1e-12)
    missing = naep_sd_from_shares([0.78, np.nan], [0.38, 0.38], 214, 249)
    assert np.isnan(missing.sd).tolist() == [False, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: link_to_naep(0, 0.01, **{**STATE, "reliability": 0}), "reliability must be above 0 and at most 1"),
        (lambda: link_to_naep(0, 0.01, **{**STATE, "reliability": 1.1}), "reliability must be above 0"),
        (lambda: link_to_naep(0, -0.01, **STATE), "se_mu must not be negative"),
        (lambda: link_to_naep(0, 0.01, **{**STATE, "naep_sd": 0}), "naep_sd must be above zero"),
        (lambda: link_to_naep("high", 0.01, **STATE), "mu must be numbers"),
        (lambda: link_to_naep(0, 0.01, **STATE, linking_sd=-1), "linking_sd must not be negative"),
        (lambda: naep_sd_from_shares(0.3, 0.4, 214, 249), "share_proficient below share_basic"),
        (lambda: naep_sd_from_shares(0.7, 0.0, 214, 249), "shares must lie between 0 and 1"),
        (lambda: naep_sd_from_shares(0.7, 0.3, 249, 214), "cut_basic must lie below"),
        (
            lambda: variance_of_linked_difference(**{**DISTRICTS, "var_mu": (-1, 0)}, same_state=False),
            "var_mu must not be negative",
        ),
    ],
)
def test_bad_input_is_told_in_one_sentence(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
