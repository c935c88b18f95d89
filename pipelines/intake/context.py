"""What a submission is looked at beside: the submission in force, earlier school years, the school directory.

Rules of tier M, and some of tier Q, compare a delivery with what the same district certified before. A context names the
submissions that it was made from, so that a screening can be repeated. Running rules does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True)
class Context:
    """Rows that the rules of one submission may look at, as mapped text (columns of the contract, no typed values).

    `in_force`: rows of the submission in force in the same place (district, extract, school year), None where there is none.
    `earlier_years`: rows in force of the same extract by earlier school year. `directory`: rows of the district's school
    directory in force, of `directory_year` (this school year, else the latest earlier one), None where there is none.
    `submissions`: the ids that all of this was made from, by role (`in_force`, `earlier:2023-24`, `directory`).
    """

    in_force: pl.DataFrame | None = None
    earlier_years: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    directory: pl.DataFrame | None = None
    directory_year: str | None = None
    submissions: Mapping[str, str] = field(default_factory=dict)


NO_CONTEXT = Context()
