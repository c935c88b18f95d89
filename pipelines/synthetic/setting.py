"""What every part of one district is drawn from: its traits, its schools, their students and people of all years.

A part is a function of a setting that gives the rows of one year at a time (see `PARTS` in `network`). What a
part draws does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.conditions import Conditions
from pipelines.synthetic.districts import District
from pipelines.synthetic.implementation import Path
from pipelines.synthetic.model import SCHOOL_YEARS, Ints, generator
from pipelines.synthetic.schools import Enrolment, Schools
from pipelines.synthetic.states import State
from pipelines.synthetic.workforce import Workforce


@dataclass(frozen=True)
class Setting:
    """One district with everything that its parts share; `years` holds the enrolment of each of SCHOOL_YEARS."""

    seed: int
    district: District
    schools: Schools
    years: tuple[Enrolment, ...]
    instruments: pl.DataFrame
    programs: pl.DataFrame
    conditions: Conditions
    path: Path
    workforce: Workforce
    state: State

    def generator(self, part: str, enrolment: Enrolment | None = None) -> np.random.Generator:
        """The generator of one part in this district: of one year, or of what stays with the schools."""
        when = "schools" if enrolment is None else SCHOOL_YEARS[enrolment.year]
        return generator(self.seed, self.district.code, part, when)

    def school_ids(self, enrolment: Enrolment, places: Ints | None = None) -> pl.Series:
        """Ids of the open schools, or of those at `places` among them (repeats allowed), as they are in that year."""
        here = enrolment.open_schools
        return self.schools.ids_of(enrolment.year).gather(here if places is None else here[places])


# The rows of one year with the contract's columns (symbols that are blank throughout may be left out), in any order;
# it adds to the truth what is true of them.
YearRows = Callable[[Enrolment, dict[str, Any]], pl.DataFrame]
Part = Callable[[Setting], YearRows]
