"""What DuckDB gives, as Polars frames: results of queries, and files that dbt wrote. Nothing else belongs here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl


def query(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, str] | None = None) -> pl.DataFrame:
    """The result of one SELECT, without a copy through Python. Raises duckdb.Error."""
    relation = connection.sql(sql, params=dict(parameters)) if parameters else connection.sql(sql)
    return pl.DataFrame(relation.to_arrow_table())


def read_external(path: Path) -> pl.DataFrame:
    """A table that dbt left. One without rows has a row of nulls there, because dbt's adapter cannot write none."""
    return pl.read_parquet(path).filter(~pl.all_horizontal(pl.all().is_null()))
