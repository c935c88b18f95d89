"""Small tables of values made by hand, with declared counts and relations, for the tests of protection.

What must come out of them is computed in the tests; nothing here knows how values are protected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.disclosure.suppression import Suppressed, suppress
from pipelines.release.folder import VALUE_KEY

SCHEMA: dict[str, Any] = (
    dict.fromkeys((*VALUE_KEY, "unit", "flags", "symbol", "sources"), pl.String)
    | dict.fromkeys(
        ("numerator", "denominator", "value", "standard_error", "lower", "upper", "response_rate"),
        pl.Float64,
    )
    | dict.fromkeys(("n", "n_schools"), pl.Int64)
)
COUNTS = dict.fromkeys(("indicator_id", "statistic", "role", "count", "by", "of", "of_cohort"), pl.String)
RELATIONS: dict[str, Any] = dict.fromkeys(("relation", "column", "total", "part"), pl.String) | {
    "is_whole": pl.Boolean,
    "indicator_id": pl.String,
    "instrument": pl.String,
}
Row = dict[str, Any]


def share(numerator: float, denominator: float, indicator: str = "OC1", **given: Any) -> Row:
    """A share of students, with everything that is published beside one."""
    row: Row = dict.fromkeys(SCHEMA)
    row |= {"indicator_id": indicator, "district": "a", "school_year": "2024-25", "unit_type": "district", "unit": "share"}
    row |= {"subgroup": "all", "numerator": numerator, "denominator": denominator, "n": int(denominator), "n_schools": 20}
    value = numerator / denominator if denominator else None
    return row | {"value": value, "standard_error": 0.01, "lower": 0.0, "upper": 1.0} | given


def mean(n: float, indicator: str = "HR1", **given: Any) -> Row:
    """A mean of so many people: only their number is a count."""
    return share(2 * n, n, indicator, **({"unit": "hours", "value": 2.0} | given))


def withheld(row: Row, symbol: str = "c") -> Row:
    """A row that its sender sent without numbers."""
    numbers = ("numerator", "denominator", "value", "standard_error", "lower", "upper", "n", "n_schools")
    return row | dict.fromkeys(numbers) | {"symbol": symbol}


def count(indicator: str, role: str, name: str, of: str = "students", by: str = "", **given: str | None) -> Row:
    """One declared count."""
    row: Row = {"indicator_id": indicator, "statistic": None, "role": role, "count": name, "by": by, "of": of, "of_cohort": ""}
    return row | given


def counts(*rows: Row) -> pl.DataFrame:
    """Declared counts as a table."""
    return pl.DataFrame(list(rows), schema=COUNTS)


def counted(indicator: str, of: str = "students", numerator: str = "", denominator: str = "", by: str = "") -> list[Row]:
    """Both counts of an indicator, under names of its own where none are given."""
    return [
        count(indicator, "numerator", numerator or f"{indicator}.numerator", of, by),
        count(indicator, "denominator", denominator or f"{indicator}.denominator", of),
    ]


def only_people(indicator: str, name: str = "", of: str = "students") -> list[Row]:
    """An indicator of which the denominator alone is a count."""
    return [
        count(indicator, "numerator", f"{indicator}.amount", "nothing"),
        count(indicator, "denominator", name or f"{indicator}.people", of),
    ]


def relation(column: str, total: str | None, *parts: str, whole: bool = True, indicator: str | None = None) -> list[Row]:
    """One declared relation, named for its column and total; without parts every code that occurs."""
    row = {"relation": f"{column}/{total}/{'+'.join(parts)}", "column": column, "total": total, "is_whole": whole}
    row |= {"indicator_id": indicator, "instrument": None}
    return [row | {"part": part} for part in (parts or (None,))]


def relations(*each: Sequence[Row]) -> pl.DataFrame:
    """Declared relations as a table."""
    return pl.DataFrame([row for rows in each for row in rows], schema=RELATIONS)


def values_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a table of values."""
    return pl.DataFrame(list(rows), schema=SCHEMA)


def minimum_of(**by_district: int) -> pl.DataFrame:
    """The minimum of each district."""
    return pl.DataFrame(
        {"district": list(by_district), "minimum_n": list(by_district.values())},
        schema={"district": pl.String, "minimum_n": pl.Int64},
    )


def run(
    rows: Sequence[Row], declared: Sequence[Row], related: Sequence[Sequence[Row]] = (), minimum: int = 10, **given: Any
) -> Suppressed:
    """Suppress rows whose districts all have one minimum."""
    districts = {row["district"] for row in rows if row["district"]}
    return suppress(
        values_of(rows), counts(*declared), relations(*related), minimum_of(**dict.fromkeys(sorted(districts), minimum)), **given
    )
