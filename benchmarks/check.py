"""Checking 400,000 rows of assessment levels: NMIP, a bare DuckDB script of the same rules, and pandera."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from pipelines.contracts.codes import code_list, codes
from pipelines.contracts.column_rules import identifier, typed_expression
from pipelines.contracts.contract import load_contract
from pipelines.intake.checking import load_check_tables, rules_of
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.screening import screen
from pipelines.settings import PROJECT_ROOT

CONTRACTS = PROJECT_ROOT / "data_contracts"
PLACE = ("chicago", "assessment_levels", "2024-25")
INSTRUMENT = "il_iar_math_2025"
ROWS = 400_000
REPEATS = 5


def make_file(path: Path, n_rows: int) -> None:
    """A csv in the contract's columns in which nothing is wrong."""
    rng = np.random.default_rng(7)
    grades, groups = ["3", "4", "5", "6", "7", "8"], list(codes(CONTRACTS, "subgroups"))
    index = np.arange(n_rows)
    levels = [rng.integers(10, 60, n_rows) for _ in range(4)]
    tested = np.sum(levels, axis=0)
    columns: dict[str, object] = {
        "unit_type": ["school"] * n_rows,
        "unit_id": [f"{i:05d}" for i in index // (len(grades) * len(groups))],
        "grade": np.array(grades)[index % len(grades)],
        "subgroup": np.array(groups)[(index // len(grades)) % len(groups)],
        "instrument": [INSTRUMENT] * n_rows,
        "administration": ["spring"] * n_rows,
        "n_enrolled": tested + 5,
        "n_tested": tested,
    }
    columns |= {f"n_level_{k}": levels[k - 1] for k in range(1, 5)}
    for k in (5, 6):
        columns |= {f"n_level_{k}": [None] * n_rows, f"n_level_{k}_symbol": ["z"] * n_rows}
    pl.DataFrame(columns).write_csv(path)


def check_with_nmip(path: Path) -> int:
    """Read, map and check as `nmip check` does; returns the number of findings."""
    return screen([DeliveredFile(path.name, path.read_bytes())], CONTRACTS, *PLACE).findings.height


def check_with_bare_duckdb(path: Path) -> int:
    """DuckDB's own csv reader and the same rule queries, counted; no lines, no messages, no findings table."""
    contract = load_contract(CONTRACTS, "assessment_levels")
    with duckdb.connect() as connection:
        no_rows = pl.DataFrame(schema={"row_id": pl.Int64, "delivered_file": pl.String, "delivered_line": pl.Int64})
        load_check_tables(connection, no_rows, contract, CONTRACTS, PLACE[0], PLACE[2])
        connection.execute("DROP TABLE extract; DROP TABLE extract_text")
        connection.execute(f"CREATE VIEW source AS SELECT * FROM read_csv('{path}', all_varchar = true)")
        present = {row[0] for row in connection.execute("DESCRIBE source").fetchall()}
        text = ", ".join(identifier(n) if n in present else f"NULL::VARCHAR AS {n}" for n in contract.column_names)
        connection.execute("CREATE TABLE numbered AS SELECT row_number() OVER () AS row_id, * FROM source")
        connection.execute(
            "CREATE TABLE extract_text AS SELECT row_id, 'levels.csv' AS delivered_file, row_id + 1 AS delivered_line, "
            f"{text} FROM numbered"
        )
        typed = ", ".join(f"{typed_expression(column)} AS {identifier(column.name)}" for column in contract.columns)
        connection.execute(f"CREATE TABLE extract AS SELECT row_id, {typed} FROM extract_text")
        counts = [
            connection.execute(f"SELECT count(*) FROM ({rule.query})").fetchall()[0][0] for rule in rules_of(CONTRACTS, contract)
        ]
        return sum(counts)


def check_with_pandera(path: Path) -> int:
    """The same promises as far as a general validator can say them; returns the number of failure cases."""
    import pandera.polars as pa

    instruments = code_list(CONTRACTS, "instruments").select("code", pl.col("n_levels").cast(pl.Int64))
    count = {"checks": pa.Check.ge(0), "nullable": True, "coerce": True}
    schema = pa.DataFrameSchema(
        {
            "unit_type": pa.Column(str, pa.Check.isin(codes(CONTRACTS, "unit_types"))),
            "unit_id": pa.Column(str, pa.Check.str_matches(r"^[A-Za-z0-9._-]{1,32}$")),
            "grade": pa.Column(str, pa.Check.isin(codes(CONTRACTS, "grades"))),
            "subgroup": pa.Column(str, pa.Check.isin(codes(CONTRACTS, "subgroups"))),
            "instrument": pa.Column(str, pa.Check.isin(codes(CONTRACTS, "instruments"))),
            "administration": pa.Column(str, pa.Check.isin(codes(CONTRACTS, "administrations"))),
            **{name: pa.Column(pl.Int64, **count) for name in ("n_enrolled", "n_tested")},
            **{f"n_level_{k}": pa.Column(pl.Int64, **count) for k in range(1, 7)},
            **{f"n_level_{k}_symbol": pa.Column(str, pa.Check.isin(codes(CONTRACTS, "symbols")), nullable=True) for k in (5, 6)},
        },
        checks=[
            pa.Check(lambda data: data.lazyframe.select(pl.col("n_tested") <= pl.col("n_enrolled"))),
            pa.Check(
                lambda data: data.lazyframe.select(pl.sum_horizontal([f"n_level_{k}" for k in range(1, 7)]) == pl.col("n_tested"))
            ),
            pa.Check(
                lambda data: data.lazyframe.join(instruments.lazy(), left_on="instrument", right_on="code", how="left").select(
                    (pl.col("n_levels") >= 5) | pl.col("n_level_5").is_null()
                )
            ),
        ],
        unique=["unit_type", "unit_id", "grade", "subgroup", "instrument", "administration"],
    )
    try:
        schema.validate(pl.read_csv(path, infer_schema=False), lazy=True)
    except pa.errors.SchemaErrors as errors:
        return len(errors.failure_cases)
    return 0


def _median_seconds(function: Callable[[Path], int], path: Path, repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = function(path)
        seconds.append(time.perf_counter() - start)
        if found:
            raise RuntimeError(f"{function.__name__} found {found} faults in a file without any")
    return statistics.median(seconds)


def main() -> None:
    """Print seconds and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "levels.csv"
        make_file(path, ROWS)
        print(f"{ROWS:,} rows, {path.stat().st_size / 1e6:.1f} MB, median of {REPEATS} warm runs")
        for function in (check_with_nmip, check_with_bare_duckdb, check_with_pandera):
            function(path)
        bare = _median_seconds(check_with_bare_duckdb, path, REPEATS)
        nmip = _median_seconds(check_with_nmip, path, REPEATS)
        pandera = _median_seconds(check_with_pandera, path, REPEATS)
        print(f"bare DuckDB   {bare:6.2f} s   1.0 x")
        print(f"nmip          {nmip:6.2f} s   {nmip / bare:.1f} x of bare DuckDB")
        print(f"pandera       {pandera:6.2f} s   {pandera / bare:.1f} x of bare DuckDB")
        print(f"nmip takes {nmip / pandera:.2f} x of pandera")
        million = Path(folder) / "million.csv"
        make_file(million, 1_000_000)
        start = time.perf_counter()
        check_with_nmip(million)
        print(f"nmip, 1,000,000 rows: {time.perf_counter() - start:.2f} s")
