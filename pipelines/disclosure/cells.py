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
# The category of a value that is not split by it; no category means the same.
ALL = "all"
# Counts declared apart are taken for one by a reader who sees them agree in so many places, of so many different amounts.
LOOKALIKE_PLACES, LOOKALIKE_AMOUNTS, LOOKALIKE_SHARE = 20, 5, 0.95
# A count may be the denominator of another, which is that of a third.
DEPTH_OF_COUNTS = 4
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

    `values`: one row a value with PLACE, SPLIT, indicator_id, unit, symbol, numerator, denominator, n. `counts`: the declared
    counts (indicator_id, statistic, role, count, by, of). `relations`: the declared relations (relation, column, total, part,
    is_whole, indicator_id, instrument). `minimum`: `district`, `minimum_n`. An equation that the numbers contradict is left out
    and counted.
    """
    rows = values.with_row_index("row").filter(pl.col("symbol").is_null())
    named = _named(rows, counts).join(minimum.select("district", "minimum_n"), on="district", how="left", nulls_equal=True)
    named = named.with_columns(pl.col("minimum_n").fill_null(minimum["minimum_n"].max()))
    cells = named.group_by(_CELL, maintain_order=True).agg(
        pl.col("amount").first(),
        pl.col("minimum_n").first(),
        pl.col("of").is_in(PEOPLE).any().alias("is_people"),
        pl.col("indicator_id").unique().alias("indicators"),
        pl.col("declared").first(),
    )
    cells = cells.with_row_index("cell")
    keys = cells.select("cell", *_CELL)
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
    same = _same(cells)
    book.add(*same)
    book.one_of_all(same[1], same[2])
    cells = pl.concat([cells, _rest_cells(cells, part, rest)], how="diagonal_relaxed")
    for relation in relations.partition_by("relation", "indicator_id", "instrument", maintain_order=True):
        if relation["column"][0] == "count":
            book.add(*_within(cells, relation))
        elif relation["column"][0] == "category" and relation["total"][0] != ALL:
            book.add(*_categories(values, relation, size, part))
        else:
            book.add(*_breakdown(cells, relation))
    return book.system(size, part, rest, keys)


def _named(rows: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """One line for each count that a value rests on: row, role, its name and place, its amount."""
    lines = []
    for role, amount in (
        ("numerator", pl.col("numerator")),
        ("denominator", pl.coalesce("denominator", pl.col("n").cast(pl.Float64))),
    ):
        told = [name for name in ("count", "by", "of", "of_cohort") if name in counts.columns]
        declared = counts.filter(role=role).select("indicator_id", "statistic", *told)
        everywhere = declared.filter(pl.col("statistic").is_null()).drop("statistic")
        one = declared.filter(pl.col("statistic").is_not_null())
        found = (
            rows.join(one, on=["indicator_id", "statistic"], how="left")
            .join(everywhere, on="indicator_id", how="left", suffix="_general")
            .with_columns(pl.coalesce(name, f"{name}_general").alias(name) for name in told)
            .with_columns(amount.alias("amount"), pl.lit(role).alias("role"), pl.col("statistic").alias("of_statistic"))
            .filter(pl.col("amount").is_not_null() & (pl.col("of") != "nothing"))
        )
        split = [
            pl.when(pl.col("by").str.contains(name) & (pl.col(name) != ALL)).then(pl.col(name)).alias(name) for name in SPLIT
        ]
        if "of_cohort" in found.columns:
            split.append(pl.coalesce("cohort", pl.col("of_cohort").replace("", None)).alias("cohort"))
        lines.append(found.with_columns(split).select("row", "role", "indicator_id", "of_statistic", "of", "amount", *_CELL))
    named = _with_lookalikes(pl.concat(lines))
    # Where values do not agree on what should be one count, each indicator's is its own in that district and year.
    table = ["count", "district", "school_year"]
    apart = named.group_by(_CELL).agg(pl.col("amount").n_unique().alias("amounts")).filter(pl.col("amounts") > 1)
    apart = apart.select(table).unique().with_columns(pl.lit(value=True).alias("differs"))
    differs = named.join(apart, on=table, how="left", nulls_equal=True).with_columns(pl.col("count").alias("declared"))
    own = pl.format("{}/{}/{}/{}", "count", "indicator_id", "role", pl.col("of_statistic").fill_null(""))
    return differs.with_columns(pl.when(pl.col("differs")).then(own).otherwise(pl.col("count")).alias("count")).drop(
        "differs", "of_statistic"
    )


def _with_lookalikes(named: pl.DataFrame) -> pl.DataFrame:
    """One name for counts declared apart that are nearly always equal in a district: a reader would take one for the other."""
    places = [name for name in _CELL if name != "count"]
    cells = named.filter(pl.col("of").is_in(PEOPLE)).unique(_CELL, maintain_order=True).select(*_CELL, "amount")
    other = cells.rename({"count": "like", "amount": "like_amount"})
    pairs = cells.join(other, on=places, how="inner", nulls_equal=True).filter(pl.col("count") < pl.col("like"))
    agreeing = (
        pairs.group_by("district", "count", "like")
        .agg(
            pl.len().alias("places"),
            (pl.col("amount") == pl.col("like_amount")).mean().alias("share"),
            pl.col("amount").n_unique().alias("different"),
        )
        .filter(
            pl.col("places") >= LOOKALIKE_PLACES, pl.col("different") >= LOOKALIKE_AMOUNTS, pl.col("share") >= LOOKALIKE_SHARE
        )
        .sort("district", "count", "like", nulls_last=False)
    )
    if agreeing.is_empty():
        return named
    name: dict[tuple[str | None, str], str] = {}
    for district, one, like in agreeing.select("district", "count", "like").rows():
        name[district, like] = name.get((district, one), one)
    renamed = pl.DataFrame(
        [(district, count, to) for (district, count), to in name.items()],
        schema={"district": pl.String, "count": pl.String, "to": pl.String},
        orient="row",
    )
    found = named.join(renamed, on=["district", "count"], how="left", nulls_equal=True, maintain_order="left")
    return found.with_columns(pl.coalesce("to", "count").alias("count")).drop("to")


Entries = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int | None]


def _same(cells: pl.DataFrame) -> Entries:
    """Counts of one declared name that are kept apart, where they are equal nevertheless."""
    place = ["declared", *(name for name in _CELL if name != "count"), "amount"]
    groups = cells.with_columns(pl.col("cell").first().over(place, mapping_strategy="group_to_rows").alias("total"))
    twins = groups.filter(pl.col("cell") != pl.col("total"))
    # One equation a pair: a total and its only part.
    number = np.arange(twins.height, dtype=np.int64)
    total, part = twins["total"].cast(pl.Int64).to_numpy(), twins["cell"].cast(pl.Int64).to_numpy()
    return number, total, part, np.full(twins.height, np.nan), 1


def _rest_cells(cells: pl.DataFrame, part: NDArray[np.int64], rest: NDArray[np.int64]) -> pl.DataFrame:
    """The cells of what is left beside numerators, with the place of their numerator, so that they add up as it does."""
    pairs = pl.DataFrame({"numerator": part, "rest": rest}).filter(pl.col("rest") >= 0).unique("rest", maintain_order=True)
    keyed = pairs.join(cells.select(pl.col("cell").cast(pl.Int64).alias("numerator"), *_CELL, "indicators"), on="numerator")
    return keyed.select(
        pl.col("rest").cast(pl.UInt32).alias("cell"),
        pl.format("{}/rest", "count").alias("count"),
        *(name for name in _CELL if name != "count"),
        "indicators",
    )


def _breakdown(cells: pl.DataFrame, relation: pl.DataFrame) -> Entries:
    """Totals and their parts along one breakdown: equation number, total's cell, part's cell and its place, one entry a part."""
    column, total = relation["column"][0], relation["total"][0]
    if column == "category":
        total = None
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
    return _entries(
        totals.join(parts, on=others, how="inner", nulls_equal=True).select("total", "part"), None, _n_parts(relation)
    )


def _within(cells: pl.DataFrame, relation: pl.DataFrame) -> Entries:
    """A count and another that holds all of its people, under whatever names the two are kept."""
    place = [name for name in _CELL if name != "count"]
    totals = cells.filter(declared=relation["total"][0]).select(pl.col("cell").alias("total"), *place)
    parts = cells.filter(pl.col("declared").is_in(relation["part"].drop_nulls().implode()))
    pairs = totals.join(parts.select(pl.col("cell").alias("part"), *place), on=place, how="inner", nulls_equal=True)
    # Kept under several names each pair is an equation of its own.
    unique = pairs.select("total", "part").unique(maintain_order=True).cast(pl.Int64)
    number = np.arange(unique.height, dtype=np.int64)
    return number, unique["total"].to_numpy(), unique["part"].to_numpy(), np.full(unique.height, np.nan), None


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
    if not places.height:
        occurring = rows["category"].drop_nulls().unique().sort()
        places = occurring.filter(~occurring.is_in([total, ALL])).to_frame("category").with_row_index("place")
    parts = rows.join(places, on="category", how="inner").select(*key, pl.col("_part").alias("part"), "place")
    if total is None:
        totals = rows.filter(pl.col("_size") >= 0).unique(key).select(*key, pl.col("_size").alias("total"))
    else:
        totals = rows.filter(category=total).select(*key, pl.col("_part").alias("total"))
    return _entries(
        totals.join(parts, on=key, how="inner", nulls_equal=True).select("total", "part", "place"), "place", _n_parts(relation)
    )


def _n_parts(relation: pl.DataFrame) -> int | None:
    """How many parts make up the total by definition; None where others may be left, or 0 where the parts are whichever occur."""
    return relation["part"].drop_nulls().len() if relation["is_whole"].all() else None


def _entries(pairs: pl.DataFrame, place: str | None, n_parts: int | None) -> Entries:
    unique = pairs.unique(("total", "part"), maintain_order=True)
    number = unique["total"].rank("dense").cast(pl.Int64) - 1
    position = unique[place].cast(pl.Float64).to_numpy() if place else np.full(unique.height, np.nan)
    total, part = unique["total"].cast(pl.Int64).to_numpy(), unique["part"].cast(pl.Int64).to_numpy()
    return number.to_numpy(), total, part, position, n_parts


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
        self._size_of = np.full(len(value), -1, dtype=np.int64)
        self._one = np.arange(len(value))

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
        self._size_of = np.concatenate([self._size_of, np.full(len(cells), -1, dtype=np.int64)])
        self._size_of[pairs[1]], self._size_of[cells] = pairs[0], pairs[0]
        self._counted = (np.concatenate(self._value), np.concatenate(self._minimum), np.concatenate(self._is_people))
        return rest

    def one_of_all(self, first: NDArray[np.int64], like: NDArray[np.int64]) -> None:
        """The same count under several names has the same denominator, whichever of them says it."""
        self._one = np.arange(len(self._size_of))
        self._one[like] = first
        known = np.flatnonzero(self._size_of >= 0)
        self._size_of[self._one[known]] = self._size_of[known]

    def add(
        self,
        number: NDArray[np.int64],
        total: NDArray[np.int64],
        part: NDArray[np.int64],
        position: NDArray[np.float64],
        n_parts: int | None,
    ) -> None:
        """Equations total = sum of parts + a rest, where the parts do not exceed their total.

        `n_parts`: the number of parts that make up the whole by definition; 0 where they are whichever occur, None where others
        may be left. Where all listed parts are there the rest is of people whose status nobody recorded, and no group; elsewhere
        it is a group like any other.
        """
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
        # Nobody among people who are left over says something of them; and so for those counted among these.
        size = self._size_of[self._one[of_equation]]
        size = np.where(size >= 0, self._one[size], -1)
        # Where a part is nobody, the counts within it may have no cell of their own, and then are in the rest.
        with_nobody = np.zeros(len(self._size_of), dtype=bool)
        is_empty = np.bincount(number, weights=value[part] == 0, minlength=n) > 0
        with_nobody[self._one[of_equation[is_empty]]] = True
        has_rest |= holds & (size >= 0) & with_nobody[size]
        for _ in range(DEPTH_OF_COUNTS):
            somebody = np.zeros(len(self._size_of), dtype=bool)
            somebody[self._one[of_equation[has_rest]]] = True
            has_rest |= holds & ((size >= 0) & somebody[size] | somebody[self._one[of_equation]])
        n_listed = np.inf if n_parts is None else n_parts
        is_group = np.bincount(number, minlength=n) < n_listed if n_listed else left > 1e-9
        of_people = is_people[of_equation] & is_group
        rest = self._new_cells(left[has_rest], minimum[of_equation[has_rest]], of_people[has_rest])
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
