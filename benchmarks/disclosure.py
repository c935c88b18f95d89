"""Suppression and audit of invented level tables: seconds, growth up to 100 times a districts' cube, distance from the least.

One cube is what the demonstration publishes of whole districts: districts x years x grades, each with five student groups and
four levels. Then the same number of counts in ever larger blocks, as groups of schools are added to each table.
"""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from pipelines.disclosure.audit.audit import Published, audit_release
from pipelines.disclosure.cells import BREAKDOWNS
from pipelines.disclosure.suppression import HIDDEN, RANGE, suppress
from pipelines.release.comparisons import NUMBERS, SIDED
from pipelines.release.folder import VALUE_KEY
from pipelines.release.protection import protected_tables

N_TABLES = 108
TIMES = (1, 10, 100)
GROUPS = (1, 4, 16)
MINIMUM = 10
LEVELS = tuple(f"level_{k}" for k in range(1, 5))
SHARES = (0.30, 0.35, 0.27, 0.08)


def make_values(n_tables: int, n_groups: int) -> pl.DataFrame:
    """`n_tables` places: all students and two pairs of groups, of the district and of `n_groups` networks of schools."""
    rng = np.random.default_rng(11)
    size = rng.integers(30, 1200, (n_tables, n_groups))
    counts = np.stack([rng.multinomial(size, SHARES)]).reshape(n_tables, n_groups, len(SHARES))
    halves = {"all": counts}
    for one, other, share in (("english_learner", "not_english_learner", 0.2), ("low_income", "not_low_income", 0.7)):
        halves[one] = rng.binomial(counts, share)
        halves[other] = counts - halves[one]
    frames = []
    for subgroup, part in halves.items():
        for network, block in [(None, part.sum(axis=1)), *((f"n{k}", part[:, k]) for k in range(n_groups))]:
            total = block.sum(axis=1).astype(float)
            for place, level in enumerate(LEVELS):
                frames.append(
                    pl.DataFrame({"table": np.arange(n_tables), "numerator": block[:, place].astype(float), "denominator": total})
                    .with_columns(pl.lit(subgroup).alias("subgroup"), pl.lit(network, dtype=pl.String).alias("network_id"))
                    .with_columns(pl.lit(level).alias("category"))
                )
    values = pl.concat(frames).with_columns(
        pl.format("d{}", pl.col("table") // 18).alias("district"),
        pl.format("{}", pl.col("table") % 18).alias("grade"),
        pl.lit("2024-25").alias("school_year"),
        pl.lit("L").alias("indicator_id"),
        pl.lit("district").alias("unit_type"),
        pl.lit("share").alias("unit"),
        pl.lit("test").alias("instrument"),
        pl.col("denominator").cast(pl.Int64).alias("n"),
        (pl.col("numerator") / pl.col("denominator")).alias("value"),
    )
    text = [name for name in (*BREAKDOWNS, "unit_id", "statistic", "symbol", "flags", "sources") if name not in values.columns]
    numbers = ("standard_error", "lower", "upper", "n_schools", "response_rate")
    return values.drop("table").with_columns(
        *(pl.lit(None, dtype=pl.String).alias(name) for name in text),
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in numbers),
    )


def declared() -> tuple[pl.DataFrame, pl.DataFrame]:
    """The counts behind these values, and how they add up."""
    texts = ("indicator_id", "statistic", "role", "count", "by", "of")
    counts = [("L", None, "numerator", "L.numerator", "category", "students"), ("L", None, "denominator", "L.n", "", "students")]
    relations = [
        *(("levels", "category", None, level, True, "L", None) for level in LEVELS),
        *(("language", "subgroup", "all", part, True, None, None) for part in ("english_learner", "not_english_learner")),
        *(("income", "subgroup", "all", part, True, None, None) for part in ("low_income", "not_low_income")),
        ("network", "network_id", None, None, True, None, None),
    ]
    kinds = dict.fromkeys(("relation", "column", "total", "part", "indicator_id", "instrument"), pl.String)
    names = ("relation", "column", "total", "part", "is_whole", "indicator_id", "instrument")
    schema = {name: kinds.get(name, pl.Boolean) for name in names}
    return (
        pl.DataFrame(counts, schema=dict.fromkeys(texts, pl.String), orient="row"),
        pl.DataFrame(relations, schema=schema, orient="row"),
    )


def _line(n_tables: int, n_groups: int, before: float | None) -> float:
    values = make_values(n_tables, n_groups)
    counts, relations = declared()
    districts = values["district"].unique().sort()
    minimum = pl.DataFrame({"district": districts, "minimum_n": [MINIMUM] * len(districts)})
    start = time.perf_counter()
    found = suppress(values, counts, relations, minimum, deadline_seconds=3600)
    seconds = time.perf_counter() - start
    hidden, ranged = int((found.state == HIDDEN).sum()), int((found.state == RANGE).sum())
    growth = "" if before is None else f"  {seconds / before:5.1f} x the line before"
    proved = ""
    if found.bound:
        over = found.weight_bounded / found.bound - 1
        proved = f"{found.weight_bounded / found.weight:.0%} of it proved, {over:.0%} over what small counts alone cost"
    print(
        f"{found.n_cells:>9,} counts, {n_groups:>2} networks  {seconds:7.1f} s  {hidden / values.height:6.1%} hidden"
        f" {ranged / values.height:6.1%} in ranges  {found.n_programs:>7,} programs{growth}  {proved}",
        flush=True,
    )
    return seconds


def _audit(n_tables: int) -> None:
    values = make_values(n_tables, 4)
    counts, relations = declared()
    districts = pl.DataFrame({"code": values["district"].unique().sort()}).with_columns(pl.lit(MINIMUM).alias("minimum_n"))
    indicators = pl.DataFrame(
        {"indicator_id": ["L"], "counts": ["students"], "unit": ["share"], "estimated_from": [""]},
    )
    columns = {*VALUE_KEY, *(f"other_{name}" for name in SIDED), "comparison", "verdict", "reason", "remedy"}
    pairs = pl.DataFrame(schema=dict.fromkeys(sorted(columns), pl.String) | dict.fromkeys(NUMBERS, pl.Float64))
    words = pl.DataFrame({"verdict": ["suppressed"], "meaning": ["A small group."], "remedy": ["Nothing."]})
    tables = {"indicator_values": values, "counts": counts, "relations": relations, "districts": districts}
    tables |= {"indicators": indicators}
    start = time.perf_counter()
    protected = protected_tables(tables | {"comparisons": pairs, "verdicts": words}, MINIMUM, deadline_seconds=3600)
    seconds = time.perf_counter() - start
    published = {name: table for name, table in protected.tables.items() if name in tables}
    start = time.perf_counter()
    report = audit_release(Published("bench", {"minimum_n": MINIMUM}, published))
    audit = time.perf_counter() - start
    print(
        f"{report.n_cells_attacked:>9,} counts attacked, {report.n_hidden:,} hidden  audit {audit:6.1f} s"
        f"  {audit / seconds:4.1f} x the suppression; passed: {report.passed}",
        flush=True,
    )


def main() -> None:
    """Print the curve over more tables, over larger tables, and what an audit takes beside it."""
    print(f"districts' cube ({N_TABLES} tables of 5 student groups and 4 levels), then 10 and 100 times as many tables")
    before: float | None = None
    for times in TIMES:
        before = _line(N_TABLES * times, 0 + 1, before)
    print("the same number of tables, each with more networks of schools")
    before = None
    for n_groups in GROUPS:
        before = _line(N_TABLES, n_groups, before)
    print("audit of a protected release")
    for times in TIMES[:2]:
        _audit(N_TABLES * times)


if __name__ == "__main__":
    main()
