"""What a reader may add up: the counts behind indicators, one name each, and how the values of a breakdown make up a total.

Both are tables that a release publishes and that its protection and its audit start from. They are read from what is declared:
the yml of each indicator, and the code lists. Which numbers are hidden does not belong here, and no indicator is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import polars as pl

from pipelines.contracts.codes import code_list, codes
from pipelines.warehouse.catalogue import ADDS_UP, COUNTED, PARTS_OF_A_SHARE, CatalogueError, Indicator

COUNTS_SCHEMA = {name: pl.String() for name in ("indicator_id", "statistic", "role", "count", "by", "of", "of_cohort")}
RELATIONS_SCHEMA = {
    "relation": pl.String(),
    "column": pl.String(),
    "total": pl.String(),
    "part": pl.String(),
    "is_whole": pl.Boolean(),
    "indicator_id": pl.String(),
    "instrument": pl.String(),
}
ALL = "all"
NOTHING = COUNTED[-1]
WHOLE, PARTS, _ = ADDS_UP
Row = dict[str, str | bool | None]


def counts_table(indicators: Sequence[Indicator]) -> pl.DataFrame:
    """Every count behind the indicators: `indicator_id, statistic, role, count, by, of, of_cohort`.

    * `statistic`: null for every one that has no row of its own.
    * `role`: `numerator`, or `denominator`, which is `n` where a value has no denominator.
    * `count`: its name. Counts of one name, place and `by` are of the same people, but for schools that sent the number for one
      value and not for the other: two such numbers may differ, and the one still tells what the other is.
    * `by`: what tells its instances apart, of category and statistic, joined by commas. The category `all` and no category are
      the same instance.
    * `of`: `students`, `adults`, `schools` or `nothing`.
    * `of_cohort`: the cohort that the count is of where its values carry none, else blank.

    Raises CatalogueError where one name is declared of different things.
    """
    rows = [row for indicator in indicators for role in ("numerator", "denominator") for row in _counts(indicator, role)]
    table = pl.DataFrame(rows, schema=COUNTS_SCHEMA)
    unlike = table.group_by("count").agg(pl.col("of").unique().sort()).filter(pl.col("of").list.len() > 1).sort("count")
    for name, kinds in unlike.rows():
        whose = ", ".join(table.filter(count=name)["indicator_id"].unique(maintain_order=True))
        raise CatalogueError(f"the count {name} is of {' and of '.join(kinds)}, as {whose} declare it")
    return table


def _counts(indicator: Indicator, role: str) -> Iterator[Row]:
    is_numerator = role == "numerator"
    if not set(indicator.measures) & ({role} if is_numerator else {role, "n"}):
        return
    names: Mapping[str | None, str] = indicator.numerator_count if is_numerator else indicator.denominator_count
    kinds: Mapping[str | None, str] = indicator.numerator_of if is_numerator else indicator.denominator_of
    is_of_statistics = "statistic" in indicator.breakdowns and ("unit" in indicator.measures or is_numerator)
    for statistic in sorted({*names, *kinds, None}, key=lambda name: name or ""):
        name = names.get(statistic, names.get(None))
        kind = kinds.get(statistic, kinds.get(None, indicator.counts))
        wanted = {"category"} if is_numerator else set(indicator.denominator_by)
        if name is None and is_of_statistics:
            # Numbers of several units never count the same.
            wanted.add("statistic")
        by = [one for one in PARTS_OF_A_SHARE if one in wanted and one in indicator.breakdowns]
        default = f"{indicator.indicator_id}.{role}" if kind == indicator.counts else f"{indicator.indicator_id}.{role}.{kind}"
        yield {
            "indicator_id": indicator.indicator_id,
            "statistic": statistic,
            "role": role,
            "count": name if name is not None and kind != NOTHING else default,
            "by": ",".join(by),
            "of": kind,
            "of_cohort": indicator.of_cohort,
        }


def relations_table(contracts: Path, indicators: Sequence[Indicator]) -> pl.DataFrame:
    """Every way in which published counts add up, one row a part: the columns of RELATIONS_SCHEMA.

    Everything else equal, counts of the total are the sum of those of its parts, and of a rest, which is nobody where `is_whole`.
    Numerators and denominators add up alike; along `category` only counts that categories tell apart.

    * `total`: null is the row that is not split by `column`. For `category` null is the denominator, and the code `all` is the
      row that is not split, which may also carry no category.
    * `part`: null is every code that occurs but the total's own.
    * `column` is `count` where total and part are names of counts: the people of the part are among those of the total.
    * `indicator_id`, `instrument`: null is every one.

    Raises CatalogueError where a count is said to be within one that nobody declares.
    """
    rows = [
        *_of_breakdowns(contracts, indicators),
        *_of_grades(contracts),
        *_of_subgroups(contracts),
        *_relation("district", "district", None, codes(contracts, "districts"), is_whole=True),
        *_of_categories(contracts, indicators),
        *_of_counts(indicators),
    ]
    return pl.DataFrame(rows, schema=RELATIONS_SCHEMA)


def _relation(
    relation: str,
    column: str,
    total: str | None,
    parts: Iterable[str | None],
    *,
    is_whole: bool,
    indicator_id: str | None = None,
    instrument: str | None = None,
) -> Iterator[Row]:
    for part in parts:
        yield {
            "relation": relation,
            "column": column,
            "total": total,
            "part": part,
            "is_whole": is_whole,
            "indicator_id": indicator_id,
            "instrument": instrument,
        }


def _of_breakdowns(contracts: Path, indicators: Sequence[Indicator]) -> Iterator[Row]:
    """What `codes/breakdowns.csv` says of a breakdown as a whole; one relation an indicator where some differ from it."""
    for code, adds_up in code_list(contracts, "breakdowns").select("code", "adds_up").rows():
        said = {i.indicator_id: i.adds_up.get(code, adds_up) for i in indicators if code in i.breakdowns}
        if set(said.values()) == {adds_up} and adds_up in (WHOLE, PARTS):
            yield from _relation(code, code, None, [None], is_whole=adds_up == WHOLE)
        elif len(set(said.values())) > 1:
            for indicator_id, how in sorted(said.items()):
                if how in (WHOLE, PARTS):
                    relation = f"{code}/{indicator_id}"
                    yield from _relation(relation, code, None, [None], is_whole=how == WHOLE, indicator_id=indicator_id)


def _of_grades(contracts: Path) -> Iterator[Row]:
    """Pooled grades of single ones, and of smaller pools where these make them up with what single grades are left."""
    grades = code_list(contracts, "grades").to_dicts()
    members = {row["code"]: tuple(row["members"].split(";")) for row in grades}
    pools = sorted((row["code"] for row in grades if row["is_pooled"] == "true"), key=lambda code: (-len(members[code]), code))
    for pool in pools:
        yield from _relation(f"grade/{pool}", "grade", pool, members[pool], is_whole=True)
        left, parts = set(members[pool]), []
        for other in pools:
            if other != pool and set(members[other]) <= left:
                parts.append(other)
                left -= set(members[other])
        if parts:
            parts += [grade for grade in members[pool] if grade in left]
            yield from _relation(f"grade/{pool}/pooled", "grade", pool, parts, is_whole=True)
    bands = [band for band in codes(contracts, "grade_bands") if band != ALL]
    yield from _relation("grade/bands", "grade", ALL, bands, is_whole=False)


def _of_subgroups(contracts: Path) -> Iterator[Row]:
    """All students of each dimension's groups: the whole where every group has its complement."""
    groups = code_list(contracts, "subgroups").filter(pl.col("code") != ALL).sort("dimension", maintain_order=True).to_dicts()
    for dimension, rows in groupby(groups, key=lambda row: str(row["dimension"])):
        listed = list(rows)
        is_whole = all(row["complement_of"] for row in listed)
        yield from _relation(f"subgroup/{dimension}", "subgroup", ALL, [row["code"] for row in listed], is_whole=is_whole)


def _of_categories(contracts: Path, indicators: Sequence[Indicator]) -> Iterator[Row]:
    by_codes: dict[tuple[str, ...], list[Indicator]] = {}
    for indicator in indicators:
        if indicator.categories_add_up and {"instrument", "category"} <= set(indicator.breakdowns):
            yield from _of_levels(contracts, indicator)
        elif indicator.categories_add_up:
            parts = indicator.categories or (None,)
            relation = f"category/{indicator.indicator_id}"
            yield from _relation(relation, "category", None, parts, is_whole=True, indicator_id=indicator.indicator_id)
        elif indicator.category_total and indicator.categories:
            by_codes.setdefault(indicator.categories, []).append(indicator)
        elif indicator.category_total:
            relation, is_whole = f"category/{indicator.indicator_id}", indicator.category_total == WHOLE
            yield from _relation(relation, "category", ALL, [None], is_whole=is_whole, indicator_id=indicator.indicator_id)
    # One indicator may have the parts and another, with the same count, the total.
    for parts, alike in by_codes.items():
        is_whole = all(indicator.category_total == WHOLE for indicator in alike)
        yield from _relation(f"category/{'+'.join(parts)}", "category", ALL, parts, is_whole=is_whole)


def _of_levels(contracts: Path, indicator: Indicator) -> Iterator[Row]:
    """The levels of each test, which are those of its students, and the levels from its cut on."""
    tests = code_list(contracts, "instruments").filter(pl.col("n_levels").is_not_null())
    for code, n_levels, proficient in tests.select("code", "n_levels", "proficient_level").rows():
        levels = [f"level_{level}" for level in range(1, int(n_levels) + 1)]
        where = {"indicator_id": indicator.indicator_id, "instrument": code}
        relation = f"category/{indicator.indicator_id}/{code}"
        yield from _relation(f"{relation}/levels", "category", None, levels, is_whole=True, **where)
        from_cut = levels[int(proficient) - 1 :]
        yield from _relation(f"{relation}/proficient", "category", "proficient_or_above", from_cut, is_whole=True, **where)


def _of_counts(indicators: Sequence[Indicator]) -> Iterator[Row]:
    """Counts that are declared to be within others."""
    known = set(counts_table(indicators)["count"])
    within = sorted({pair for indicator in indicators for pair in indicator.counts_within.items()})
    for part, total in within:
        unknown = {part, total} - known
        if unknown:
            raise CatalogueError(f"counts_within names {unknown.pop()}, and no indicator counts that")
        yield from _relation(f"count/{part}", "count", total, [part], is_whole=False)
