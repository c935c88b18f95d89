"""Places at which more is hidden, because an audit got a count back there: which values they mean, and where to go on.

A place is an indicator and the columns of a breakdown by name; a column that it does not name holds nothing, or, where the place
says WHATEVER_ELSE, anything. A place that says which count was given back (`role`) has it opened down to nobody. Why something
is hidden there does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Place = tuple[tuple[str, str], ...]
WHATEVER_ELSE = "*"
_TABLE = ("district", "school_year", "grade", "course", "cohort", "instrument", "administration", "respondent", "program_id")
_YEAR = ("district", "school_year")


def places_of_a_leak(places: Sequence[Place]) -> list[Place]:
    """Where to hide more against one leak, one after the other until it is gone.

    Its own place, the total that gives it back, its table with all groups, networks and levels, and everything of its year.
    """
    wider = [
        (*(part for part in places[0] if part[0] in ("indicator_id", *names)), (WHATEVER_ELSE, "")) for names in (_TABLE, _YEAR)
    ]
    return [*places[:2], *wider]


def roles_at_places(values: pl.DataFrame, places: Sequence[Mapping[str, str]], kin: pl.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """By role the values at places whose count of that role was given back; of one category where the place names it."""
    found: dict[str, NDArray[np.bool_]] = {}
    for place in places:
        if "role" not in place:
            continue
        rows = at_places(values, [place], kin)
        if "category" in place:
            rows &= (values["category"] == place["category"]).fill_null(value=False).to_numpy()
        found[place["role"]] = rows | found.get(place["role"], False)
    return found


def at_places(values: pl.DataFrame, places: Sequence[Mapping[str, str]], kin: pl.DataFrame) -> NDArray[np.bool_]:
    """Which values lie at one of the places, of the indicator named there or of one of its `kin` (indicator_id, family)."""
    from pipelines.disclosure.cells import PLACE

    is_there = np.zeros(values.height, dtype=bool)
    rows = values.with_row_index("row").join(kin, on="indicator_id", how="left")
    by_columns: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for place in places:
        named = tuple(name for name in PLACE if name in place or WHATEVER_ELSE not in place)
        by_columns.setdefault(named, []).append(place)
    for named, alike in by_columns.items():
        schema = dict.fromkeys(("indicator_id", *named), pl.String)
        wanted = pl.DataFrame([{name: place.get(name) for name in schema} for place in alike], schema=schema)
        wanted = wanted.join(kin, on="indicator_id", how="inner").select("family", *named).unique()
        is_there[rows.join(wanted, on=["family", *named], how="semi", nulls_equal=True)["row"].to_numpy()] = True
    return is_there
