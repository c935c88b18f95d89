"""Builds the network: districts, their schools, each year's extracts, and the truth beside them.

What is drawn and how is decided in the modules that are joined here, one line of PARTS each. Only the list of
districts with their sizes, and the tests of their states, are real; they come from the code lists. What a file looks like on disk
does not belong here, nor does any indicator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import Contract, load_contract
from pipelines.synthetic import faults
from pipelines.synthetic.algebra import algebra_outcomes
from pipelines.synthetic.conditions import draw_conditions
from pipelines.synthetic.districts import draw_districts
from pipelines.synthetic.implementation import draw_path
from pipelines.synthetic.layouts import planned_layouts
from pipelines.synthetic.leaders import leader_rows, observation_rows
from pipelines.synthetic.materials import Materials
from pipelines.synthetic.model import SCHOOL_YEARS, SyntheticNetwork, SyntheticNetworkError
from pipelines.synthetic.offices import (
    commitments,
    district_priorities,
    message_tests,
    policy_register,
    stakeholder_communication,
)
from pipelines.synthetic.programmes import habits_of_mind, program_reach, program_rubric
from pipelines.synthetic.ratings import rating_rows
from pipelines.synthetic.results import Results, add_gaps, instrument_of
from pipelines.synthetic.schools import Enrolment, directory_rows, draw_enrolment, draw_schools
from pipelines.synthetic.setting import Part, Setting, YearRows
from pipelines.synthetic.staff import learning_rows, staff_rows
from pipelines.synthetic.states import add_truth, draw_states, naep_results
from pipelines.synthetic.surveys import mindset_rows, use_rows
from pipelines.synthetic.truth import new_truth
from pipelines.synthetic.tutoring import tutoring_rows
from pipelines.synthetic.workforce import draw_workforce

__all__ = ["SyntheticNetwork", "SyntheticNetworkError", "build_network"]


def _results(setting: Setting) -> YearRows:
    results = Results(setting.seed, setting.district, setting.schools)

    def rows(enrolment: Enrolment, truth: dict[str, Any]) -> pl.DataFrame:
        instrument = instrument_of(setting.instruments, setting.district.state, SCHOOL_YEARS[enrolment.year])
        return results.rows(enrolment, instrument, truth)

    return rows


def _state_levels(setting: Setting) -> YearRows:
    def rows(enrolment: Enrolment, _: dict[str, Any]) -> pl.DataFrame:
        instrument = instrument_of(setting.instruments, setting.district.state, SCHOOL_YEARS[enrolment.year])
        return setting.state.rows(setting.seed, enrolment.year, instrument)

    return rows


PARTS: Mapping[str, Part] = {
    "algebra_outcomes": algebra_outcomes,
    "district_priorities": district_priorities,
    "habits_of_mind": habits_of_mind,
    "message_tests": message_tests,
    "policy_register": policy_register,
    "program_reach": program_reach,
    "program_rubric": program_rubric,
    "stakeholder_communication": stakeholder_communication,
    "assessment_levels": _results,
    "commitments": commitments,
    "curriculum_adoption": lambda s: Materials(s.seed, s.district, s.schools).rows,
    "implementation_stage": rating_rows,
    "materials_use": use_rows,
    "math_staff": staff_rows,
    "mindset_survey": mindset_rows,
    "observations": observation_rows,
    "professional_learning": learning_rows,
    "school_directory": lambda s: partial(directory_rows, s.seed, s.district, s.schools),
    "school_leaders": leader_rows,
    "state_level_distribution": _state_levels,
    "tutoring_dosage": tutoring_rows,
}
EXTRACTS = tuple(PARTS)
LARGEST_SCALE = 50.0
DTYPES = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}


def build_network(contracts_folder: Path, seed: int = 20260801, scale: float = 1.0) -> SyntheticNetwork:
    """An invented network: all districts of the code list, three school years, every extract of PARTS, its truth.

    The same seed and scale give the same network. `scale` multiplies the number of schools (at least 12 a
    district) and the students with it. Raises SyntheticNetworkError for a seed or scale that cannot be
    used, and where the code list names no single test of a district's state for a year.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SyntheticNetworkError(f"the seed is {seed!r}; give a whole number, 0 or more")
    if not (math.isfinite(scale) and 0 < scale <= LARGEST_SCALE):
        raise SyntheticNetworkError(f"the scale is {scale}; give a number above 0 and up to {LARGEST_SCALE:g}")
    contracts = {extract: load_contract(contracts_folder, extract) for extract in EXTRACTS}
    instruments = code_list(contracts_folder, "instruments")
    programs = code_list(contracts_folder, "programs")
    districts = draw_districts(code_list(contracts_folder, "districts"), seed, scale)
    conditions = draw_conditions(seed, [district.code for district in districts])
    extracts: dict[tuple[str, str, str], pl.DataFrame] = {}
    truth = new_truth(seed, scale, districts, instruments, conditions)
    schools_of = {district.code: draw_schools(seed, district) for district in districts}
    years_of = {
        district.code: tuple(draw_enrolment(seed, district, schools_of[district.code], year) for year in range(len(SCHOOL_YEARS)))
        for district in districts
    }
    states = draw_states(seed, districts, years_of)
    for district in districts:
        schools, years, held = schools_of[district.code], years_of[district.code], conditions[district.code]
        path = draw_path(seed, held, schools)
        workforce = draw_workforce(seed, held, schools, years, path)
        state = states[district.state]
        setting = Setting(seed, district, schools, years, instruments, programs, held, path, workforce, state)
        parts = {extract: part(setting) for extract, part in PARTS.items()}
        for enrolment in years:
            for extract, rows in parts.items():
                made = _as_extract(contracts[extract], rows(enrolment, truth))
                # A district that has nothing of a kind, such as a programme, sends no file of it.
                if made.height:
                    extracts[district.code, extract, SCHOOL_YEARS[enrolment.year]] = made
    faulty, entries = faults.spoil(extracts, pl.read_csv(contracts_folder / "synthetic_faults.csv", infer_schema=False))
    layouts = planned_layouts(pl.read_csv(contracts_folder / "synthetic_layouts.csv", infer_schema=False))
    truth["planted_faults"] = [*entries, *faults.unusual(extracts, programs)]
    add_gaps(truth)
    add_truth(truth, districts, states, instruments)
    return SyntheticNetwork(seed, scale, extracts, truth, faulty, layouts, naep_results(seed, states, truth))


def _as_extract(contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` as the contract has them, sorted by key; a symbol column that is absent is blank."""
    blank = [
        pl.lit(None, pl.String).alias(column.name)
        for column in contract.columns
        if column.symbol_for is not None and column.name not in rows.columns
    ]
    typed = [pl.col(column.name).cast(DTYPES[column.kind]) for column in contract.columns]
    return rows.with_columns(blank).select(typed).sort(contract.key)
