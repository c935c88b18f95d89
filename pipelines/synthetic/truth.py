"""What the known truth says of the network as a whole: what its parts hold, and the effects put in on purpose.

Counts and shares do not belong here: each extract adds its own where it is made, from the same arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.synthetic import (
    algebra,
    faults,
    known,
    leaders,
    offices,
    programmes,
    ratings,
    results,
    staff,
    states,
    surveys,
    tutoring,
)
from pipelines.synthetic.conditions import Conditions, planted_effects
from pipelines.synthetic.districts import District
from pipelines.synthetic.materials import ADOPTION_RISE
from pipelines.synthetic.model import SCHOOL_YEARS
from pipelines.synthetic.results import MIDDLE_GRADES_GAIN, SUPPRESSED_BELOW, instrument_of

LISTS = (
    "districts",
    "cuts",
    "assessment",
    "materials_coverage",
    "one_core_title",
    "indicators",
    "linking_errors",
    "algebra_exemptions",
    "gaps",
    "states",
    "linked",
    "naep",
)
MAIN_PARTS = (
    "All of this is invented: schools, students, results, titles, publishers and reviewers. Only the "
    "list of districts with their sizes and the names of their states' tests are real. districts: "
    "schools and students of each district and year, and the traits it was given. cuts: where the "
    "levels of a test begin on the latent scale, lowest first. assessment: for each district, year, "
    "grade and subgroup, the counts of the whole population (n_levels before any suppression, "
    "n_levels_delivered without suppressed rows), their shares (level_shares, participation), the "
    "shares that the model expects of these students (expected_level_shares), and the mean and SD of "
    "the latent normal model over the students tested with the share of variance between schools; the "
    "latent scale has no unit but its own. materials_coverage (CM1): students by the review result of "
    "their core title, with the share whose title meets expectations; one_core_title (CM2): schools "
    "that have exactly one core title in the course, or, with course null, in every course that they "
    "teach; both for all schools and for the schools that take part (in_scope). CM5 (among indicators): different "
    "supplemental titles of each school that names a core or a supplemental title, their mean and quartiles. A share of nothing "
    "is null. planted_effects: what was put in on purpose, where, how large and in which indicators. planted_faults: what was "
    "spoiled on purpose in which file, and the rule that finds it."
)
# What the truth says of itself: of its main parts, then of what each module adds to it.
PARTS = (known, results, states, ratings, staff, leaders, surveys, tutoring, algebra, offices, programmes, faults)
ABOUT = " ".join((MAIN_PARTS, *(part.ABOUT for part in PARTS)))


def new_truth(
    seed: int,
    scale: float,
    districts: Sequence[District],
    instruments: pl.DataFrame,
    conditions: Mapping[str, Conditions],
) -> dict[str, Any]:
    """The truth before any district is made: what it is, and empty lists for the parts that each extract adds.

    Raises SyntheticNetworkError where `instruments` names no single test of a district's state for a year.
    """
    return {
        "about": ABOUT,
        "seed": seed,
        "scale": scale,
        "school_years": list(SCHOOL_YEARS),
        "planted_effects": [
            *_planted_effects(districts, instruments),
            *planted_effects(conditions),
            *algebra.planted_effects(districts),
            *offices.planted_effects(districts),
            *programmes.planted_effects(districts),
        ],
        "planted_faults": [],
        **{part: [] for part in LISTS},
    }


def _planted_effects(districts: Sequence[District], instruments: pl.DataFrame) -> list[dict[str, Any]]:
    """What was put in on purpose, in words, with the districts concerned."""

    def of(trait: str) -> list[str]:
        return [district.code for district in districts if getattr(district, trait)]

    recut = []
    for district in districts:
        cuts = [instrument_of(instruments, district.state, year)["cut_version"] for year in SCHOOL_YEARS]
        recut += [
            {"district": district.code, "first_school_year": SCHOOL_YEARS[year]}
            for year in range(1, len(cuts))
            if cuts[year] != cuts[year - 1]
        ]
    return [
        {
            "effect": "adoption_rises",
            "districts": [district.code for district in districts],
            "text": "The share of schools whose core title meets expectations rises by "
            f"{ADOPTION_RISE[1]:.2f} in {SCHOOL_YEARS[1]} and stands {ADOPTION_RISE[2]:.2f} above "
            f"{SCHOOL_YEARS[0]} in {SCHOOL_YEARS[2]}, in every district.",
        },
        {
            "effect": "access_gap",
            "districts": [district.code for district in districts],
            "text": "Schools with more low-income students adopt titles that meet expectations later, so "
            "coverage of low-income students tends to lie below coverage of all students.",
        },
        {
            "effect": "opt_out",
            "districts": of("opts_out"),
            "text": "Families opt out of the test: participation is about 0.8 instead of 0.97, and lower "
            "still among students who are not low income.",
        },
        {
            "effect": "middle_grades_gain",
            "districts": of("improves"),
            "text": f"In {SCHOOL_YEARS[-1]} the latent mean of grades 6-8 is {MIDDLE_GRADES_GAIN} higher than the trend.",
        },
        {
            "effect": "sender_suppresses",
            "districts": of("suppresses"),
            "text": f"Some schools withhold the levels of subgroups with fewer than {SUPPRESSED_BELOW} "
            "students tested (symbol c).",
        },
        {
            "effect": "school_choice_of_titles",
            "districts": of("lets_schools_choose"),
            "text": "Schools choose their titles: many have two core titles in a grade-course, and titles are more mixed.",
        },
        {
            "effect": "no_use_counts",
            "districts": of("lacks_use_counts"),
            "text": "Students at recommended use are not delivered (symbol x).",
        },
        {
            "effect": "new_cuts",
            "districts": [entry["district"] for entry in recut],
            "changes": recut,
            "text": "The test's cuts change in these years: shares at the levels jump although the students' "
            "latent mean does not.",
        },
    ]
