"""DuckDB results as Polars frames. Nothing else belongs here."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl


def query(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, str] | None = None) -> pl.DataFrame:
    """The result of one SELECT, without a copy through Python. Raises duckdb.Error."""
    relation = connection.sql(sql, params=dict(parameters)) if parameters else connection.sql(sql)
    return pl.DataFrame(relation.to_arrow_table())
