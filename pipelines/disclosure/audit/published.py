"""What a release publishes, as the auditor reads it: folder already read, columns made sure of, rules of the format.

Belongs here: the names of keys and measures, the fixed ranges, the minimum of each district.
Does not belong here: attacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

KEY = (
    "district",
    "school_year",
    "unit_type",
    "unit_id",
    "network_id",
    "school_level",
    "school_set",
    "grade",
    "subgroup",
    "course",
    "respondent",
    "audience",
    "program_id",
    "cohort",
    "instrument",
    "administration",
    "category",
    "statistic",
)
FLOATS = ("numerator", "denominator", "value", "standard_error", "lower", "upper", "response_rate", "at_least", "at_most")
WHOLE_NUMBERS = ("n", "n_schools")
TEXTS = ("indicator_id", "unit", "symbol", "flags", "sources", "definition_version")
HIDDEN = ("c", "r")
PEOPLE = ("students", "adults")
_RANGE_PARTS = (2, 4, 5, 10, 20, 50, 100, 200, 500, 1000)
_DECLARED = {
    "counts": ("indicator_id", "statistic", "role", "count", "by", "of"),
    "relations": ("relation", "column", "total", "part", "indicator_id", "instrument"),
}


@dataclass(frozen=True)
class Published:
    """A release as its readers have it: its manifest and its tables, nothing else."""

    release_id: str
    manifest: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]


def values_of(release: Published) -> pl.DataFrame:
    """`indicator_values` with every known column (null where the release has none) and the row's number as `row`."""
    table = release.tables.get("indicator_values", pl.DataFrame({"indicator_id": pl.Series([], dtype=pl.String)}))
    kinds = dict.fromkeys((*KEY, *TEXTS), pl.String) | dict.fromkeys(FLOATS, pl.Float64) | dict.fromkeys(WHOLE_NUMBERS, pl.Int64)
    columns = [
        (pl.col(name).cast(kind) if name in table.columns else pl.lit(None, kind).alias(name)) for name, kind in kinds.items()
    ]
    return table.select(columns).with_row_index("row").with_columns(_is_hidden.alias("is_hidden"), pl.col("row").cast(pl.Int64))


_is_hidden = pl.col("symbol").is_in(HIDDEN).fill_null(False)


def declared(release: Published, name: str) -> pl.DataFrame | None:
    """The table `counts` or `relations` with all its columns as text; None where the release has none."""
    table = release.tables.get(name)
    if table is None or not set(_DECLARED[name]) <= {*table.columns}:
        return None
    return table.with_columns(pl.col(column).cast(pl.String) for column in _DECLARED[name])


def minimum_of(release: Published) -> tuple[dict[str, int], int]:
    """The least number of people by district, and the number that holds where no district is named (the manifest's).

    No district's own is less than the project's.
    """
    project = int(release.manifest.get("project_minimum_n") or 0)
    general = int(release.manifest.get("minimum_n") or 0)
    districts = release.tables.get("districts")
    if districts is None or "minimum_n" not in districts.columns:
        return {}, max(general, project)
    told = {str(code): max(int(n), project) for code, n in districts.select("code", "minimum_n").drop_nulls().iter_rows()}
    return told, max([general, project, *told.values()])


def minimum_expression(release: Published) -> pl.Expr:
    """The least number of people of the column `district`."""
    told, general = minimum_of(release)
    return pl.col("district").replace_strict(told, default=general, return_dtype=pl.Int64)


def range_parts(n: npt.NDArray[np.int64], minimum: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """k of the fixed range 1/k for n people: the finest of which a k-th part is more than `minimum` people; 0 for none."""
    parts = np.zeros(n.shape, dtype=np.int64)
    for k in _RANGE_PARTS:
        parts = np.where(n >= k * (minimum + 1), k, parts)
    return parts
