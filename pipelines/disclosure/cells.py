"""The counts behind a table of indicator values and the equations between them, from what the indicators declare.

A cell is one count: of a name, a district, a school year and a breakdown, however many values rest on it. Equations come from the
declared relations (grades, student groups, groups of schools, categories), from counts of one name under several indicators, and
from what is left of a denominator beside a numerator. Which cells are hidden, and who may know what, does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

BREAKDOWNS = (
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
)
PLACE = ("district", "school_year", *BREAKDOWNS)
SPLIT = ("category", "statistic")
PEOPLE = ("students", "adults")
SHARE = "share"
_CELL = ("count", *PLACE, *SPLIT)


@dataclass(frozen=True)
class System:
    """Cells, the equations between them and the values that rest on them.

    `value`: the true count of each cell, shape (cells,). `equation`, `cell`, `sign`: the entries of the equations, each a sum of
    signed cells that is zero; `position`: the place of an entry among the parts of its equation, nan where parts have no order.
    `is_people`: counts of people. `minimum`: below it a count of people is small. `row_size`,
    `row_part`: for each value the cells of its denominator and of its numerator, -1 for none. `row_rest`: of what is left, -1 for
    none. `keys`: for each counted cell its name and place (cells of rests come after them and have none).
    """

    value: NDArray[np.float64]
    minimum: NDArray[np.float64]
    is_people: NDArray[np.bool_]
    equation: NDArray[np.int64]
    cell: NDArray[np.int64]
    sign: NDArray[np.float64]
    position: NDArray[np.float64]
    row_size: NDArray[np.int64]
    row_part: NDArray[np.int64]
    row_rest: NDArray[np.int64]
    keys: pl.DataFrame
    n_contradicted: int

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return len(self.value)


def system_of(values: pl.DataFrame, counts: pl.DataFrame, relations: pl.DataFrame, minimum: pl.DataFrame) -> System:
    """The cells behind `values` and how they add up.

    `values`: one row a value with PLACE, SPLIT, indicator_id, unit, symbol, numerator, denominator, n. `counts`: the declared counts
    (indicator_id, statistic, role, count, by, of). `relations`: the declared relations (relation, column, total, part, is_whole,
    indicator_id, instrument). `minimum`: `district`, `minimum_n`. An equation that the numbers contradict is left out and counted.
    """
    rows = values.with_row_index("row").filter(pl.col("symbol").is_null())
    named = _named(rows, counts).join(minimum.select("district", "minimum_n"), on="district", how="left", nulls_equal=True)
    named = named.with_columns(pl.col("minimum_n").fill_null(int(minimum["minimum_n"].max() or 0)))  # type: ignore[call-overload]
    cells = named.group_by(_CELL, maintain_order=True).agg(
        pl.col("amount").first(),
        pl.col("minimum_n").first(),
        pl.col("of").is_in(PEOPLE).any().alias("is_people"),
        pl.col("indicator_id").unique().alias("indicators"),
    )
    cells = cells.with_row_index("cell")
    placed = named.join(cells.select("cell", *_CELL), on=_CELL, how="left", nulls_equal=True)
    by_row = placed.pivot(on="role", index="row", values="cell", aggregate_function="first")
    for role in ("numerator", "denominator"):
        if role not in by_row.columns:
            by_row = by_row.with_columns(pl.lit(None, dtype=pl.UInt32).alias(role))
    joined = values.with_row_index("row").select("row", "unit").join(by_row, on="row", how="left", maintain_order="left")
    size = joined["denominator"].cast(pl.Int64).fill_null(-1).to_numpy()
    part = joined["numerator"].cast(pl.Int64).fill_null(-1).to_numpy()
    book = _Book(cells["amount"].to_numpy(), cells["minimum_n"].to_numpy().astype(float), cells["is_people"].to_numpy())
    rest = book.rests(size, part, (joined["unit"] == SHARE).to_numpy())
    for relation in relations.partition_by("relation", "indicator_id", "instrument", maintain_order=True):
        if relation["column"][0] == "category":
            book.add(*_categories(values, relation, size, part))
        else:
            book.add(*_breakdown(cells, relation))
    return book.system(size, part, rest, cells.select("cell", *_CELL))


def _named(rows: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """One line for each count that a value rests on: row, role, its name and place, its amount."""
    lines = []
    for role, amount in (
        ("numerator", pl.col("numerator")),
        ("denominator", pl.coalesce("denominator", pl.col("n").cast(pl.Float64))),
    ):
        declared = counts.filter(role=role).select("indicator_id", "statistic", "count", "by", "of")
        everywhere = declared.filter(pl.col("statistic").is_null()).drop("statistic")
        one = declared.filter(pl.col("statistic").is_not_null())
        found = (
            rows.join(one, on=["indicator_id", "statistic"], how="left")
            .join(everywhere, on="indicator_id", how="left", suffix="_general")
            .with_columns(pl.coalesce(name, f"{name}_general").alias(name) for name in ("count", "by", "of"))
            .with_columns(amount.alias("amount"), pl.lit(role).alias("role"))
            .filter(pl.col("amount").is_not_null() & (pl.col("of") != "nothing"))
        )
        split = [pl.when(pl.col("by").str.contains(name)).then(pl.col(name)).alias(name) for name in SPLIT]
        lines.append(found.with_columns(split).select("row", "role", "indicator_id", "of", "amount", *_CELL))
    named = pl.concat(lines)
    # Where two values do not agree on what should be one count, each indicator's is its own.
    apart = named.group_by(_CELL).agg(pl.col("amount").n_unique().alias("amounts")).filter(pl.col("amounts") > 1)
    differs = named.join(apart.with_columns(pl.lit(value=True).alias("differs")), on=_CELL, how="left", nulls_equal=True)
    own = pl.format("{}/{}/{}/{}", "count", "indicator_id", "role", "row")
    return differs.with_columns(pl.when(pl.col("differs")).then(own).otherwise(pl.col("count")).alias("count")).drop(
        "amounts", "differs"
    )


Entries = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _breakdown(cells: pl.DataFrame, relation: pl.DataFrame) -> Entries:
    """Totals and their parts along one breakdown: equation number, total's cell, part's cell and its place, one entry a part."""
    column, total = relation["column"][0], relation["total"][0]
    listed = relation["part"].drop_nulls()
    others = [name for name in _CELL if name != column]
    within = cells
    if relation["indicator_id"][0] is not None:
        within = within.filter(pl.col("indicators").list.contains(relation["indicator_id"][0]))
    if relation["instrument"][0] is not None:
        within = within.filter(instrument=relation["instrument"][0])
    is_part = pl.col(column).is_in(listed.implode()) if listed.len() else pl.col(column).is_not_null()
    totals = within.filter(pl.col(column).eq_missing(pl.lit(total))).select(pl.col("cell").alias("total"), *others)
    parts = within.filter(is_part).select(pl.col("cell").alias("part"), *others)
    return _entries(totals.join(parts, on=others, how="inner", nulls_equal=True).select("total", "part"), None)


def _categories(values: pl.DataFrame, relation: pl.DataFrame, size: NDArray[np.int64], part: NDArray[np.int64]) -> Entries:
    """Categories that add up to the denominator (a total of null) or to another category."""
    total = relation["total"][0]
    rows = values.with_columns(pl.Series("_size", size), pl.Series("_part", part)).filter(pl.col("_part") >= 0)
    if relation["indicator_id"][0] is not None:
        rows = rows.filter(indicator_id=relation["indicator_id"][0])
    if relation["instrument"][0] is not None:
        rows = rows.filter(instrument=relation["instrument"][0])
    key = ["indicator_id", *PLACE, "statistic"]
    places = relation.select(pl.col("part").alias("category")).drop_nulls().with_row_index("place")
    parts = rows.join(places, on="category", how="inner").select(*key, pl.col("_part").alias("part"), "place")
    if total is None:
        totals = rows.filter(pl.col("_size") >= 0).unique(key).select(*key, pl.col("_size").alias("total"))
    else:
        totals = rows.filter(category=total).select(*key, pl.col("_part").alias("total"))
    return _entries(totals.join(parts, on=key, how="inner", nulls_equal=True).select("total", "part", "place"), "place")


def _entries(pairs: pl.DataFrame, place: str | None) -> Entries:
    unique = pairs.unique(("total", "part"), maintain_order=True)
    number = unique["total"].rank("dense").cast(pl.Int64) - 1
    position = unique[place].cast(pl.Float64).to_numpy() if place else np.full(unique.height, np.nan)
    return number.to_numpy(), unique["total"].cast(pl.Int64).to_numpy(), unique["part"].cast(pl.Int64).to_numpy(), position


class _Book:
    """Cells and equations while they are put together."""

    def __init__(self, value: NDArray[np.float64], minimum: NDArray[np.float64], is_people: NDArray[np.bool_]) -> None:
        self._value, self._minimum, self._is_people = [value], [minimum], [is_people]
        self._n_cells, self._n_equations, self._n_contradicted = len(value), 0, 0
        self._equation: list[NDArray[np.int64]] = []
        self._cell: list[NDArray[np.int64]] = []
        self._sign: list[NDArray[np.float64]] = []
        self._position: list[NDArray[np.float64]] = []
        self._counted = (value, minimum, is_people)

    def rests(self, size: NDArray[np.int64], part: NDArray[np.int64], is_share: NDArray[np.bool_]) -> NDArray[np.int64]:
        """A cell for what is left of each denominator beside a numerator; returns it for each row, -1 for none."""
        value, minimum, is_people = self._counted
        has = is_share & (size >= 0) & (part >= 0)
        has[has] &= value[part[has]] <= value[size[has]]
        pairs, place = np.unique(np.stack([size[has], part[has]]), axis=1, return_inverse=True)
        cells = self._new_cells(value[pairs[0]] - value[pairs[1]], minimum[pairs[0]], is_people[pairs[0]])
        number = np.arange(len(cells))
        self._equations(
            np.concatenate([number, number, number]),
            np.concatenate([pairs[0], pairs[1], cells]),
            np.repeat([1.0, -1.0, -1.0], len(cells)),
            np.full(3 * len(cells), np.nan),
        )
        rest = np.full(len(size), -1, dtype=np.int64)
        rest[has] = cells[place.ravel()]
        return rest

    def add(
        self, number: NDArray[np.int64], total: NDArray[np.int64], part: NDArray[np.int64], position: NDArray[np.float64]
    ) -> None:
        """Equations total = sum of parts + a rest, where the parts do not exceed their total."""
        if not len(number):
            return
        value, minimum, is_people = self._counted
        n = int(number.max()) + 1
        of_equation = np.zeros(n, dtype=np.int64)
        of_equation[number] = total
        left = value[of_equation] - np.bincount(number, weights=value[part], minlength=n)
        holds = left >= -1e-9
        self._n_contradicted += int((~holds).sum())
        renumbered = np.cumsum(holds) - 1
        kept = holds[number]
        has_rest = holds & (left > 1e-9)
        rest = self._new_cells(left[has_rest], minimum[of_equation[has_rest]], is_people[of_equation[has_rest]])
        numbers = [renumbered[holds.nonzero()[0]], renumbered[number[kept]], renumbered[has_rest.nonzero()[0]]]
        cells = [of_equation[holds], part[kept], rest]
        signs = [np.ones(int(holds.sum())), -np.ones(int(kept.sum())), -np.ones(len(rest))]
        places = [np.full(int(holds.sum()), np.nan), position[kept], np.full(len(rest), np.nan)]
        self._equations(np.concatenate(numbers), np.concatenate(cells), np.concatenate(signs), np.concatenate(places))

    def system(self, size: NDArray[np.int64], part: NDArray[np.int64], rest: NDArray[np.int64], keys: pl.DataFrame) -> System:
        """Everything that was put together."""
        empty = np.zeros(0, dtype=np.int64)
        return System(
            value=np.concatenate(self._value),
            minimum=np.concatenate(self._minimum),
            is_people=np.concatenate(self._is_people),
            equation=np.concatenate([empty, *self._equation]),
            cell=np.concatenate([empty, *self._cell]),
            sign=np.concatenate([empty.astype(float), *self._sign]),
            position=np.concatenate([empty.astype(float), *self._position]),
            row_size=size,
            row_part=part,
            row_rest=rest,
            keys=keys,
            n_contradicted=self._n_contradicted,
        )

    def _new_cells(
        self, value: NDArray[np.float64], minimum: NDArray[np.float64], is_people: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        cells = np.arange(self._n_cells, self._n_cells + len(value))
        self._n_cells += len(value)
        self._value.append(value)
        self._minimum.append(minimum)
        self._is_people.append(is_people)
        return cells

    def _equations(
        self, number: NDArray[np.int64], cell: NDArray[np.int64], sign: NDArray[np.float64], position: NDArray[np.float64]
    ) -> None:
        if not len(number):
            return
        self._equation.append(number + self._n_equations)
        self._cell.append(cell)
        self._sign.append(sign)
        self._position.append(position)
        self._n_equations += int(number.max()) + 1
