"""Builds the network: districts, their schools, each year's three extracts, and the truth beside them.

What is drawn and how is decided in the modules that are joined here. Only the list of districts with their
sizes, and the tests of their states, are real; they come from the code lists. What a file looks like on disk
does not belong here, nor does any indicator.
"""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl

from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import Contract, load_contract
from pipelines.synthetic.districts import draw_districts
from pipelines.synthetic.materials import Materials
from pipelines.synthetic.model import SCHOOL_YEARS, SyntheticNetwork, SyntheticNetworkError
from pipelines.synthetic.results import Results, instrument_of
from pipelines.synthetic.schools import directory_rows, draw_enrolment, draw_schools
from pipelines.synthetic.truth import new_truth

__all__ = ["SyntheticNetwork", "SyntheticNetworkError", "build_network"]

EXTRACTS = ("assessment_levels", "curriculum_adoption", "school_directory")
LARGEST_SCALE = 50.0
DTYPES = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}


def build_network(contracts_folder: Path, seed: int = 20260801, scale: float = 1.0) -> SyntheticNetwork:
    """An invented network: all districts of the code list, three school years, three extracts, its truth.

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
    districts = draw_districts(code_list(contracts_folder, "districts"), seed, scale)
    extracts: dict[tuple[str, str, str], pl.DataFrame] = {}
    truth = new_truth(seed, scale, districts, instruments)
    for district in districts:
        schools = draw_schools(seed, district)
        years = [draw_enrolment(seed, district, schools, year) for year in range(len(SCHOOL_YEARS))]
        results = Results(seed, district, schools)
        materials = Materials(seed, district, schools)
        for enrolment in years:
            school_year = SCHOOL_YEARS[enrolment.year]
            instrument = instrument_of(instruments, district.state, school_year)
            made = {
                "assessment_levels": results.rows(enrolment, instrument, truth),
                "curriculum_adoption": materials.rows(enrolment, truth),
                "school_directory": directory_rows(seed, district, schools, enrolment, truth),
            }
            for extract, rows in made.items():
                extracts[district.code, extract, school_year] = _as_extract(contracts[extract], rows)
    return SyntheticNetwork(seed, scale, extracts, truth)


def _as_extract(contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` as the contract has them, sorted by key; a symbol column that is absent is blank."""
    blank = [
        pl.lit(None, pl.String).alias(column.name)
        for column in contract.columns
        if column.symbol_for is not None and column.name not in rows.columns
    ]
    typed = [pl.col(column.name).cast(DTYPES[column.kind]) for column in contract.columns]
    return rows.with_columns(blank).select(typed).sort(contract.key)
