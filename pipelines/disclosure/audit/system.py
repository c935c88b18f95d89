"""Published tables as cells and linear equations over whole numbers.

A cell is one count of one group of people; a cell that is published is a constant, a hidden one an unknown. Every equation is
`lower <= total - parts <= upper`, so that +1 marks what contains and -1 what is contained. Several releases may be laid over
one another: the release is then one more column of the key (`layer`, 0 is the newest).
Belongs here: what the numbers of a release say about one another. Does not belong here: what can be concluded from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from pipelines.disclosure.audit.published import KEY, PEOPLE, Published, declared, minimum_expression, values_of

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

UNBOUNDED = 10**9  # more people than any district has
PUBLISHED, HIDDEN_CELL, UNKNOWN = 1, 2, 0
GUESS, SAME_EVERYWHERE, WHOLE, CERTAIN = 0, 1, 2, 3  # how sure an attacker is of an equation; contradictions fall weakest first
IDENTITY_PLACES, IDENTITY_VALUES = 20, 5
CLOSING_SUMS = 3
COLUMNS = ("layer", "count", *KEY)
_CONTEXT_GROUPS = {
    "n_enrolled": "all",
    "n_low_income": "low_income",
    "n_english_learner": "english_learner",
    "n_disability": "disability",
}
_ALL = "all"
_ROUND = 1e-6
RESTS = "numerator + rest = denominator"


@dataclass(frozen=True)
class Equations:
    """Equations in long form: entry k says that cell `cells[k]` stands in equation `rows[k]` with sign `signs[k]`."""

    rows: Ints
    cells: Ints
    signs: Ints
    lower: Ints
    upper: Ints
    strength: Ints
    names: tuple[str, ...]
    name_of: Ints

    @property
    def matrix(self) -> tuple[Ints, Ints, Ints]:
        return self.rows, self.cells, self.signs

    @property
    def n(self) -> int:
        return len(self.lower)


@dataclass(frozen=True)
class System:
    """Cells and equations of one release, or of several laid over one another."""

    cells: pl.DataFrame  # the key as text, one row a cell, in the order of the arrays
    codes: Ints  # the key as numbers (cells x COLUMNS), 0 for null
    state: Ints
    lower: Ints
    upper: Ints
    minimum: Ints
    is_people: Flags
    equations: Equations
    n_contradictions: int
    not_asked: tuple[str, ...]
    left_out: tuple[tuple[int, str, int], ...]  # total, relation, people of it in none of its parts

    @cached_property
    def layer(self) -> Ints:
        return self.codes[:, 0] - 1

    @property
    def targets(self) -> Flags:
        """Hidden counts of people: what must not be given back."""
        found: Flags = (self.state == HIDDEN_CELL) & self.is_people
        return found


def build_system(releases: Sequence[Published]) -> System:
    """Cells and equations of `releases` (the newest first; its declarations hold for all of them)."""
    counts, relations = declared(releases[0], "counts"), declared(releases[0], "relations")
    not_asked = [
        f"table {name}: the release has none, or not all of its columns"
        for name, table in (("counts", counts), ("relations", relations))
        if table is None
    ]
    counts = _no_counts() if counts is None else counts
    if "of_cohort" not in counts.columns:
        counts = counts.with_columns(pl.lit("").alias("of_cohort"))
    relations = _no_relations() if relations is None else relations
    roles = pl.concat(
        [
            _rows_and_counts(release, counts).with_columns(pl.lit(layer).cast(pl.Int64).alias("layer"))
            for layer, release in enumerate(releases)
        ],
        how="vertical_relaxed",
    )
    other = pl.concat([_context_counts(release, layer) for layer, release in enumerate(releases)], how="vertical_relaxed")
    found = _Cells(roles, other, counts)
    builder = _Builder(found, counts)
    builder.rests()
    builder.relations(relations, not_asked)
    builder.identities()
    return System(
        cells=found.frame,
        codes=found.codes,
        state=found.state,
        lower=found.lower,
        upper=found.upper,
        minimum=found.minimum,
        is_people=found.is_people,
        equations=builder.equations(),
        n_contradictions=found.n_contradictions + builder.n_contradictions,
        not_asked=(*not_asked, *found.not_asked),
        left_out=tuple(builder.left_out),
    )


def _no_counts() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(("indicator_id", "statistic", "role", "count", "by", "of", "of_cohort"), pl.String))


def _no_relations() -> pl.DataFrame:
    names = ("relation", "column", "total", "part", "indicator_id", "instrument")
    return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), "is_whole": pl.Boolean})


def _rows_and_counts(release: Published, counts: pl.DataFrame) -> pl.DataFrame:
    """One row for each value and role: the count that stands there, its key, and what is published of it."""
    values = values_of(release).with_columns(minimum_expression(release).alias("minimum"))
    is_share = pl.col("unit") == "share"
    values = values.with_columns(
        pl.when(pl.col("numerator").is_null() & is_share)
        .then((pl.col("value") * pl.col("denominator")).round(0))
        .otherwise(pl.col("numerator"))
        .alias("numerator"),
        pl.coalesce("denominator", pl.col("n").cast(pl.Float64)).alias("denominator"),
    )
    general = counts.filter(pl.col("statistic").is_null()).drop("statistic")
    special = counts.filter(pl.col("statistic").is_not_null())
    parts = []
    for role in ("numerator", "denominator"):
        base = values.with_columns(pl.lit(role).alias("role"), pl.col(role).alias("number"))
        named = base.join(special.filter(pl.col("role") == role).drop("role"), on=["indicator_id", "statistic"], how="inner")
        rest = base.join(named.select("row"), on="row", how="anti")
        parts += [named, rest.join(general.filter(pl.col("role") == role).drop("role"), on="indicator_id", how="inner")]
    roles = pl.concat([part.select(sorted(part.columns)) for part in parts])
    # A kind of row that shows no such number anywhere has none to hide (a difference of two shares has no numerator).
    kind = ["indicator_id", "statistic", "unit", "role"]
    seen = (pl.col("symbol").is_null().sum().over(kind) > 0) & (pl.col("number").is_not_null().sum().over(kind) == 0)
    unlikely = pl.col("unit").str.contains(r"^difference|^SD$|^state SD$").fill_null(False) & (
        pl.col("number").is_not_null().sum().over(kind) == 0
    )
    return roles.filter(~seen & ~unlikely)


def _context_counts(release: Published, layer: int) -> pl.DataFrame:
    """Students of the table `district_context` as counts of their own: enrolled, and of three groups."""
    table = release.tables.get("district_context")
    schema = {**dict.fromkeys((*KEY, "count"), pl.String), "layer": pl.Int64, "number": pl.Float64, "minimum": pl.Int64}
    if table is None or not {"district", "school_year", "school_level"} <= {*table.columns}:
        return pl.DataFrame(schema=schema)
    parts = []
    for column, group in _CONTEXT_GROUPS.items():
        if column in table.columns:
            parts.append(
                table.select(
                    *(
                        pl.col(name).cast(pl.String)
                        if name in ("district", "school_year", "school_level")
                        else pl.lit(None, pl.String).alias(name)
                        for name in KEY
                        if name != "subgroup"
                    ),
                    pl.lit(group).alias("subgroup"),
                    pl.lit("students enrolled (district_context)").alias("count"),
                    pl.lit(layer).cast(pl.Int64).alias("layer"),
                    pl.col(column).cast(pl.Float64).alias("number"),
                    minimum_expression(release).alias("minimum"),
                ).select(*schema)
            )
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


class _Cells:
    """The cells: one for each layer, count and key; what several rows say about one cell is put together."""

    def __init__(self, roles: pl.DataFrame, other: pl.DataFrame, counts: pl.DataFrame) -> None:
        self.not_asked: list[str] = []
        # The declared count behind a name that is not one: of people outside a numerator, and of one indicator's own.
        self.alias: dict[str, str] = {}
        people = {*counts.filter(pl.col("of").is_in(PEOPLE))["count"].to_list(), *other["count"].to_list()}
        roles = _without_fractions(roles, people, self.not_asked)
        by = pl.col("by").fill_null("")
        keyed = roles.with_columns(
            pl.when(by.str.contains("category") & (pl.col("category") != _ALL)).then("category").alias("category"),
            pl.coalesce("cohort", pl.when(pl.col("of_cohort") != "").then("of_cohort")).alias("cohort"),
            pl.when(by.str.contains("statistic")).then("statistic").alias("statistic"),
            pl.col("row").alias("source_row"),
        )
        least, most = _range_of()
        told = keyed.select(
            *COLUMNS,
            "indicator_id",
            "role",
            "source_row",
            "sources",
            "minimum",
            pl.when(pl.col("symbol").is_null()).then("number").alias("number"),
            least.alias("least"),
            most.alias("most"),
            pl.col("is_hidden"),
        )
        # The denominator beside a range is published although its row is hidden.
        beside = (keyed["role"] == "denominator") & (keyed["symbol"] == "r").fill_null(False)
        told = told.with_columns(pl.when(beside).then(keyed["number"]).otherwise("number").alias("number"))
        context = other.with_columns(
            pl.lit("district_context").alias("indicator_id"),
            pl.lit("denominator").alias("role"),
            pl.lit(None, pl.Int64).alias("source_row"),
            pl.lit("").alias("sources"),
            pl.lit(0.0).alias("least"),
            pl.lit(float(UNBOUNDED)).alias("most"),
            pl.col("number").is_null().alias("is_hidden"),
        ).select(told.columns)
        told = pl.concat([told, context])
        # Two published numbers for one count: the declared sameness does not hold there, and each indicator has a count of its
        # own in that district and year; where one indicator contradicts itself, each row.
        told = told.with_columns(pl.col("count").alias("declared"))
        place = ["layer", "count", "district", "school_year"]
        differs = (pl.col("number").drop_nulls().n_unique().over(COLUMNS) > 1).any().over(place)
        told = told.with_columns(differs.alias("differs"))
        self.n_contradictions = int(told.filter("differs").select(place).n_unique()) if told["differs"].any() else 0
        own = pl.format("{} as in {} {}", "count", "indicator_id", "role")
        told = told.with_columns(pl.when("differs").then(own).otherwise("count").alias("count")).drop("differs")
        self.alias.update(told.filter(pl.col("count") != pl.col("declared")).select("count", "declared").unique().iter_rows())
        clash = pl.col("number").drop_nulls().n_unique().over(COLUMNS) > 1
        told = told.with_columns(clash.alias("clash"))
        told = told.with_columns(
            pl.when("clash")
            .then(pl.format("{} (row {} of {})", "count", "source_row", "layer"))
            .otherwise("count")
            .alias("count"),
        )
        encoded, names = _encoded(told)
        ids = group_ids(encoded)
        _, first, cell_of = np.unique(ids, return_index=True, return_inverse=True)
        told = told.with_columns(pl.Series("cell", cell_of.astype(np.int64)))
        facts = (
            told.group_by("cell")
            .agg(
                pl.col("number").drop_nulls().first(),
                pl.col("least").max(),
                pl.col("most").min(),
                pl.col("is_hidden").any(),
                pl.col("minimum").first(),
                pl.col("clash").first(),
                pl.col("indicator_id").first(),
                pl.col("role").first(),
                pl.col("sources").drop_nulls().unique().sort(),
            )
            .sort("cell")
        )
        self.names = names
        self.codes: Ints = encoded[first]
        self.frame = told.select(*COLUMNS, "declared")[first].with_columns(facts["indicator_id"], facts["role"], facts["sources"])
        number = facts["number"].fill_null(-1.0).to_numpy()
        published = facts["number"].is_not_null().to_numpy()
        rounded = np.rint(number).astype(np.int64)
        self.state: Ints = np.where(published, PUBLISHED, np.where(facts["is_hidden"].to_numpy(), HIDDEN_CELL, UNKNOWN)).astype(
            np.int64
        )
        self.hidden_somewhere: Flags = facts["is_hidden"].to_numpy()
        self.lower: Ints = np.where(published, rounded, facts["least"].to_numpy().astype(np.int64))
        self.upper: Ints = np.where(published, rounded, facts["most"].to_numpy().astype(np.int64))
        self.minimum: Ints = facts["minimum"].to_numpy().astype(np.int64)
        self.is_people: Flags = self.frame["declared"].is_in(list(people)).to_numpy()
        self.is_split: Flags = facts["clash"].to_numpy()
        # A count that one row publishes and another hides is hidden from nobody: it stays a target, with one value left.
        self.state = np.where(published & self.hidden_somewhere, HIDDEN_CELL, self.state)
        by_role = told.filter(pl.col("source_row").is_not_null()).select("layer", "source_row", "role", "cell")
        wide = by_role.pivot(on="role", index=["layer", "source_row"], values="cell", aggregate_function="first")
        for role in ("numerator", "denominator"):
            if role not in wide.columns:
                wide = wide.with_columns(pl.lit(None, pl.Int64).alias(role))
        self.pairs = wide.join(
            keyed.select("layer", pl.col("row").alias("source_row"), "unit", "is_hidden", "symbol").unique(),
            on=["layer", "source_row"],
        )

    def find(self, wanted: Ints, among: Ints) -> Ints:
        """The cell of `among` with each of these keys; -1 where there is none."""
        both = group_ids(np.concatenate([self.codes[among], wanted]))
        have, want = both[: len(among)], both[len(among) :]
        order = np.argsort(have, kind="stable")
        at = np.searchsorted(have[order], want)
        at = np.minimum(at, max(len(order) - 1, 0))
        if not len(order):
            return np.full(len(want), -1, dtype=np.int64)
        return np.where(have[order][at] == want, among[order[at]], -1)

    def add_rests(self, numerator: Ints, denominator: Ints, is_hidden: Flags) -> Ints:
        """New cells for the people of each denominator who are not of the numerator; their numbers in the system."""
        start = len(self.state)
        told = (self.lower[numerator] == self.upper[numerator]) & (self.lower[denominator] == self.upper[denominator])
        told &= self.lower[numerator] <= self.lower[denominator]
        left = self.lower[denominator] - self.lower[numerator]
        self.alias.update(
            zip(
                (self.frame["count"].gather(denominator) + " less " + self.frame["count"].gather(numerator)).to_list(),
                self.frame["declared"].gather(numerator).to_list(),
                strict=True,
            )
        )
        self.codes = np.concatenate([self.codes, self.codes[numerator]])
        frame = self.frame[numerator].with_columns(
            pl.format("{} less {}", pl.Series(self.frame["count"].to_numpy()[denominator]), "count").alias("count"),
            pl.lit("rest").alias("role"),
        )
        # A count of its own, with a code of its own: the numerator and its rest share everything else of the key.
        known = frame["count"].unique().sort()
        code = frame["count"].cast(pl.Enum(known)).to_physical().cast(pl.Int64).to_numpy() + len(self.names["count"]) + 1
        self.names["count"] = [*self.names["count"], *known.to_list()]
        self.codes[start:, COLUMNS.index("count")] = code
        self.frame = pl.concat([self.frame, frame.select(self.frame.columns)])
        n = len(numerator)
        self.state = np.concatenate([self.state, np.where(told, PUBLISHED, np.where(is_hidden, HIDDEN_CELL, UNKNOWN))])
        self.lower = np.concatenate([self.lower, np.where(told, left, 0)])
        self.upper = np.concatenate([self.upper, np.where(told, left, UNBOUNDED)])
        self.minimum = np.concatenate([self.minimum, self.minimum[denominator]])
        self.is_people = np.concatenate([self.is_people, np.ones(n, dtype=np.bool_)])
        self.is_split = np.concatenate([self.is_split, self.is_split[numerator] | self.is_split[denominator]])
        return np.arange(start, start + n)


def _without_fractions(roles: pl.DataFrame, people: set[Any], not_asked: list[str]) -> pl.DataFrame:
    """Roles whose counts are whole numbers; a count of people that is none is told, other sums are left out."""
    off = (pl.col("number") - pl.col("number").round(0)).abs() > _ROUND
    fractional = {*roles.filter(off)["count"].to_list()}
    not_asked += [f"count {name}: published numbers of people are not whole numbers" for name in sorted(fractional & people)]
    return roles.filter(~pl.col("count").is_in(list(fractional)))


def _range_of() -> tuple[pl.Expr, pl.Expr]:
    is_range = (pl.col("symbol") == "r") & (pl.col("role") == "numerator") & pl.col("denominator").is_not_null()
    least = (pl.col("at_least").fill_null(0.0) * pl.col("denominator") - _ROUND).ceil()
    most = (pl.col("at_most").fill_null(1.0) * pl.col("denominator") + _ROUND).floor()
    return pl.when(is_range).then(least).otherwise(0.0), pl.when(is_range).then(most).otherwise(float(UNBOUNDED))


def _encoded(told: pl.DataFrame) -> tuple[Ints, dict[str, list[str]]]:
    columns, names = [told["layer"].to_numpy().astype(np.int64) + 1], {}
    for name in COLUMNS[1:]:
        known = told[name].drop_nulls().unique().sort()
        names[name] = known.to_list()
        if known.is_empty():
            columns.append(np.zeros(told.height, dtype=np.int64))
            continue
        code = told[name].cast(pl.Enum(known)).to_physical().cast(pl.Int64) + 1
        columns.append(code.fill_null(0).to_numpy())
    return np.stack(columns, axis=1), names


def group_ids(codes: Ints) -> Ints:
    """One number for each different row of `codes` (numbers from 0), exact however many columns there are."""
    ids = np.zeros(len(codes), dtype=np.int64)
    size = 1
    for column in codes.T:
        width = int(column.max(initial=0)) + 1
        if width == 1:
            continue
        if size > 2**62 // width:
            _, ids = np.unique(ids, return_inverse=True)
            ids = ids.astype(np.int64)
            size = int(ids.max(initial=0)) + 1
        ids = ids * width + column
        size *= width
    return ids


class _Builder:
    """Collects equations over the cells."""

    def __init__(self, cells: _Cells, counts: pl.DataFrame) -> None:
        self.cells = cells
        self.counts = counts
        self.n_contradictions = 0
        self._parts: list[tuple[Ints, Ints, Ints]] = []
        self._lower: list[Ints] = []
        self._upper: list[Ints] = []
        self._strength: list[Ints] = []
        self._name_of: list[Ints] = []
        self._names: dict[str, int] = {}
        self._n = 0
        # Totals that leave people out, how many, known to the last unit, and by which relation.
        self.left_out: list[tuple[int, str, int]] = []

    def equations(self) -> Equations:
        def joined(arrays: list[Ints]) -> Ints:
            return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)

        return Equations(
            rows=joined([part[0] for part in self._parts]),
            cells=joined([part[1] for part in self._parts]),
            signs=joined([part[2] for part in self._parts]),
            lower=joined(self._lower),
            upper=joined(self._upper),
            strength=joined(self._strength),
            names=tuple(self._names),
            name_of=joined(self._name_of),
        )

    def add(self, rows: Ints, cells: Ints, signs: Ints, lower: Ints, upper: Ints, strength: Ints, name: str) -> None:
        self._parts.append((rows + self._n, cells, signs))
        self._lower.append(lower)
        self._upper.append(upper)
        self._strength.append(strength)
        self._name_of.append(np.full(len(lower), self._names.setdefault(name, len(self._names)), dtype=np.int64))
        self._n += len(lower)

    def rests(self) -> None:
        """Of each share of people: numerator + rest = denominator."""
        people = self.cells.is_people
        pairs = self.cells.pairs.filter(
            (pl.col("unit") == "share") & pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null()
        ).select(pl.col("numerator").cast(pl.Int64), pl.col("denominator").cast(pl.Int64), "is_hidden")
        both = pairs.group_by("numerator", "denominator", maintain_order=True).agg(pl.col("is_hidden").any().cast(pl.Int64))
        shares = both.to_numpy().astype(np.int64).reshape(-1, 3)
        shares = shares[people[shares[:, 0]] & people[shares[:, 1]]]
        numerator, denominator = shares[:, 0], shares[:, 1]
        rest = self.cells.add_rests(numerator, denominator, shares[:, 2] > 0)
        is_open = self.cells.lower[rest] < self.cells.upper[rest]
        numerator, denominator, rest = numerator[is_open], denominator[is_open], rest[is_open]
        n = len(numerator)
        rows = np.tile(np.arange(n), 3)
        zero = np.zeros(n, dtype=np.int64)
        signs = np.repeat(np.array([1, -1, -1], dtype=np.int64), n)
        self.add(
            rows,
            np.concatenate([denominator, numerator, rest]),
            signs,
            zero,
            zero,
            np.full(n, CERTAIN),
            RESTS,
        )

    def relations(self, relations: pl.DataFrame, not_asked: list[str]) -> None:
        """The declared relations, for every group of which there is a total and a part."""
        by = ["relation", "column", "total", "indicator_id", "instrument", "is_whole"]
        groups = relations.group_by(by, maintain_order=True).agg(pl.col("part")).to_dicts()
        for group in groups:
            if group["column"] == "count":
                self._contained(group)
            elif group["column"] not in KEY:
                not_asked.append(f"relation {group['relation']}: no column {group['column']} is known")
            elif group["column"] == "category" and group["total"] is None:
                self._category(group, not_asked)
            else:
                self._along(group)

    def _eligible(self, group: dict[str, Any]) -> Flags:
        cells, column = self.cells, COLUMNS.index("count")
        names = cells.names["count"]
        fits = np.ones(len(names) + 1, dtype=np.bool_)
        if group["indicator_id"] is not None:
            own = {*self.counts.filter(pl.col("indicator_id") == group["indicator_id"])["count"].to_list()}
            fits = np.array([False, *(cells.alias.get(name, name) in own for name in names)])
        found: Flags = fits[cells.codes[:, column]] & ~cells.is_split
        if group["column"] in ("category", "statistic"):
            # One denominator stands under all the parts: the people outside them do not add up.
            found &= (cells.frame["role"] != "rest").to_numpy()
        if group["instrument"] is not None:
            found &= cells.codes[:, COLUMNS.index("instrument")] == self._code("instrument", group["instrument"])
        return found

    def _code(self, column: str, value: str | None) -> int:
        if value is None:
            return 0
        known = self.cells.names[column]
        return known.index(value) + 1 if value in known else -1

    def _part_cells(self, group: dict[str, Any], column: str, eligible: Flags, total: int) -> tuple[Ints, int | None]:
        """Cells that may be parts, and how many parts are named (None: every code that occurs)."""
        at = self.cells.codes[:, COLUMNS.index(column)]
        if None in group["part"]:
            return np.flatnonzero(eligible & (at != 0) & (at != total)), None
        codes = [self._code(column, part) for part in group["part"]]
        return np.flatnonzero(eligible & np.isin(at, [code for code in codes if code > 0])), len(codes)

    def _along(self, group: dict[str, Any]) -> None:
        column, at = group["column"], COLUMNS.index(group["column"])
        # A count that is not split by category has no category in its key, whether the row says "all" or nothing.
        is_unsplit = column == "category" and group["total"] == _ALL
        total = 0 if is_unsplit else self._code(column, group["total"])
        if total < 0:
            return
        eligible = self._eligible(group)
        parts, n_named = self._part_cells(group, column, eligible, total)
        if not len(parts):
            return
        shared = self.cells.codes[parts].copy()
        shared[:, at] = total
        totals = np.flatnonzero(eligible & (self.cells.codes[:, at] == total))
        self._sums(group, parts, self.cells.find(shared, totals), n_named)

    def _contained(self, group: dict[str, Any]) -> None:
        """One count holds all the people of another, whatever each is called where its numbers differ."""
        cells = self.cells
        own = (cells.frame["role"] != "rest").to_numpy() & ~cells.is_split
        declared = cells.frame["declared"]
        totals = np.flatnonzero(own & (declared == group["total"]).fill_null(value=False).to_numpy())
        parts = np.flatnonzero(own & declared.is_in([part for part in group["part"] if part]).fill_null(value=False).to_numpy())
        if not len(totals) or not len(parts):
            return
        place = group_ids(np.delete(cells.codes[np.concatenate([totals, parts])], COLUMNS.index("count"), axis=1))
        left = pl.DataFrame({"place": place[: len(totals)], "total": totals})
        pairs = left.join(pl.DataFrame({"place": place[len(totals) :], "part": parts}), on="place").sort("total", "part")
        # One equation a pair, so that no two parts are added up.
        one, two = pairs["total"].to_numpy(), pairs["part"].to_numpy()
        told = cells.lower == cells.upper
        impossible = told[one] & told[two] & (cells.lower[one] < cells.lower[two])
        self.n_contradictions += int(impossible.sum())
        keep = ~impossible & ~(told[one] & told[two])
        one, two = one[keep], two[keep]
        n = len(one)
        self.add(
            np.tile(np.arange(n), 2),
            np.concatenate([one, two]),
            np.repeat(np.array([1, -1], dtype=np.int64), n),
            np.zeros(n, dtype=np.int64),
            np.full(n, UNBOUNDED, dtype=np.int64),
            np.full(n, CERTAIN, dtype=np.int64),
            f"count: {group['total']} holds {group['part'][0]}",
        )

    def _category(self, group: dict[str, Any], not_asked: list[str]) -> None:
        """The categories of a distribution add up to its denominator."""
        eligible = self._eligible(group)
        declared = self.counts.select("indicator_id", "statistic", "role", "count", "by").unique(maintain_order=True)
        numerators = declared.filter((pl.col("role") == "numerator") & pl.col("by").fill_null("").str.contains("category"))
        denominators = declared.filter(pl.col("role") == "denominator")
        pairs = numerators.join(denominators, on=["indicator_id", "statistic"], how="inner", suffix="_below", nulls_equal=True)
        if group["indicator_id"] is not None:
            pairs = pairs.filter(pl.col("indicator_id") == group["indicator_id"])
        names = self.cells.names["count"]
        c, k, s = (COLUMNS.index(name) for name in ("count", "category", "statistic"))
        for pair in pairs.unique(["count", "count_below"], maintain_order=True).to_dicts():
            if pair["count"] not in names or pair["count_below"] not in names:
                continue
            below = pair["by_below"] or ""
            if "category" in below:
                not_asked.append(
                    f"relation {group['relation']}: the denominator of {pair['indicator_id']} depends on the category"
                )
                continue
            upper_code, lower_code = names.index(pair["count"]) + 1, names.index(pair["count_below"]) + 1
            parts, n_named = self._part_cells(group, "category", eligible & (self.cells.codes[:, c] == upper_code), -1)
            if not len(parts):
                continue
            wanted = self.cells.codes[parts].copy()
            wanted[:, c], wanted[:, k] = lower_code, 0
            spread = self.cells.codes[parts, s]
            if "statistic" not in below:
                wanted[:, s] = 0
            totals = np.flatnonzero(~self.cells.is_split & (self.cells.codes[:, c] == lower_code))
            self._sums(group, parts, self.cells.find(wanted, totals), n_named, spread)

    def _sums(self, group: dict[str, Any], parts: Ints, totals: Ints, n_named: int | None, spread: Ints | None = None) -> None:
        """Equations total = parts (+ rest), one for each different total (and `spread`)."""
        known = totals >= 0
        parts, totals = parts[known], totals[known]
        if not len(parts):
            return
        marks = totals[:, None] if spread is None else np.stack([totals, spread[known]], axis=1)
        _, first, row = np.unique(group_ids(marks), return_index=True, return_inverse=True)
        row = row.astype(np.int64)
        total = totals[first]
        n = len(total)
        cells = self.cells
        is_told = cells.lower == cells.upper
        all_told = is_told[total] & (np.bincount(row, ~is_told[parts], n) == 0)
        residual = cells.lower[total] - np.bincount(row, np.where(is_told[parts], cells.lower[parts], 0), n).astype(np.int64)
        impossible = residual < 0
        self.n_contradictions += int((impossible & is_told[total]).sum())
        complete = np.ones(n, dtype=np.bool_) if n_named is None else np.bincount(row, minlength=n) == n_named
        whole = np.zeros(n, dtype=np.bool_)
        if group["is_whole"]:
            places = [COLUMNS.index(name) for name in ("count", "district", "school_year")]
            if group["column"] == "district":
                places.remove(COLUMNS.index("district"))
            place = np.column_stack([cells.codes[total][:, places], complete.astype(np.int64)])
            _, place_of = np.unique(group_ids(place), return_inverse=True)
            broken = np.bincount(place_of, all_told & (residual != 0)) > 0
            # Parts that a release does not name may be nobody: only sums of some people that close say so, and not one alone.
            proved = np.bincount(place_of, all_told & (residual == 0) & (cells.lower[total] > 0)) >= CLOSING_SUMS
            # Sums of other counts that do not close show that the district has people in none of the parts.
            places.remove(COLUMNS.index("count"))
            _, near = np.unique(group_ids(cells.codes[total][:, places]), return_inverse=True)
            left_over = np.bincount(near, all_told & (residual != 0)) > 0
            whole = ~broken[place_of] & (proved[place_of] | (complete & ~left_over[near]))
        # Where a sum holds of a numerator and of its denominator, that of the people outside it says nothing new, except that
        # a total of one part is the same people.
        repeats = whole & (cells.frame["role"].gather(total) == "rest").to_numpy() & (np.bincount(row, minlength=n) > 1)
        keep = ~(impossible & is_told[total]) & ~all_told & ~repeats
        nobody_named = (n_named is None) | ~complete
        told = np.flatnonzero(all_told & nobody_named & cells.is_people[total] & (residual >= 0))
        self.left_out += [(int(total[k]), _relation_text(group), int(residual[k])) for k in told]
        number = np.cumsum(keep) - 1
        used = keep[row]
        m = int(keep.sum())
        self.add(
            np.concatenate([number[keep], number[row[used]]]).astype(np.int64),
            np.concatenate([total[keep], parts[used]]),
            np.concatenate([np.ones(m, dtype=np.int64), -np.ones(int(used.sum()), dtype=np.int64)]),
            np.zeros(m, dtype=np.int64),
            np.where(whole[keep], 0, UNBOUNDED),
            np.where(whole[keep], WHOLE, CERTAIN),
            _relation_text(group),
        )

    def identities(self) -> None:
        """Counts with two names that agree wherever a district publishes both: one count there, as an attacker takes it."""
        cells = self.cells
        usable = np.flatnonzero(~cells.is_split & (cells.frame["role"] != "rest").to_numpy())
        c, of_district = COLUMNS.index("count"), cells.codes[usable, COLUMNS.index("district")]
        for district in np.unique(of_district):
            own = usable[of_district == district]
            elsewhere = group_ids(np.delete(cells.codes[own], c, axis=1))
            _, place, n_there = np.unique(elsewhere, return_inverse=True, return_counts=True)
            own = own[n_there[place] > 1]
            if len(own):
                self._identities_of(own, group_ids(np.delete(cells.codes[own], c, axis=1)))

    def _identities_of(self, usable: Ints, elsewhere: Ints) -> None:
        """The same of one district: its cells and, for each, the number of its place but for its count."""
        cells, c = self.cells, COLUMNS.index("count")
        _, place = np.unique(elsewhere, return_inverse=True)
        known, name = np.unique(cells.codes[usable, c], return_inverse=True)
        where = np.full((len(known), int(place.max()) + 1), -1, dtype=np.int64)
        where[name, place] = usable
        told = (where >= 0) & (cells.lower == cells.upper)[where]
        number = np.where(told, cells.lower[where], -1)
        marks = sparse.csr_array(told.astype(np.int32))
        common = (marks @ marks.T).toarray()
        firsts, seconds = np.nonzero(np.triu(common >= IDENTITY_PLACES, 1))
        for a, b in zip(firsts.tolist(), seconds.tolist(), strict=True):
            both = told[a] & told[b]
            if (number[a][both] != number[b][both]).any() or len(np.unique(number[a][both])) < IDENTITY_VALUES:
                continue
            open_here = (where[a] >= 0) & (where[b] >= 0) & ~both
            one, two = where[a][open_here], where[b][open_here]
            m = len(one)
            if not m:
                continue
            zero = np.zeros(m, dtype=np.int64)
            names = cells.names["count"]
            self.add(
                np.tile(np.arange(m), 2),
                np.concatenate([one, two]),
                np.repeat(np.array([1, -1], dtype=np.int64), m),
                zero,
                zero,
                np.full(m, SAME_EVERYWHERE),
                f"{names[known[a] - 1]} and {names[known[b] - 1]} agree wherever a district publishes both",
            )


def _relation_text(group: dict[str, Any]) -> str:
    parts = group["part"]
    total = (
        group["total"] if group["total"] is not None else ("the denominator" if group["column"] == "category" else "not split")
    )
    listed = "every part that occurs" if None in parts else " + ".join(parts)
    return f"{group['column']}: {total} = {listed}"
