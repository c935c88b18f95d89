"""Mapped rows, all text, as the typed table of their contract: the one shape that the lake keeps and indicators are made of.

How one text becomes a value stands in `column_rules`. Files and where they lie do not belong here.
"""

from __future__ import annotations

import duckdb
import polars as pl

from pipelines.contracts.column_rules import identifier, typed_expression
from pipelines.contracts.contract import Contract
from pipelines.frames import query

POLARS_TYPES = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}


def partition_schema(contract: Contract) -> pl.Schema:
    """Columns and types of a typed table: district, school_year, submission_id, then the contract's columns."""
    columns: dict[str, pl.DataType] = {"district": pl.String(), "school_year": pl.String(), "submission_id": pl.String()}
    columns.update({column.name: POLARS_TYPES[column.kind] for column in contract.columns})
    return pl.Schema(columns)


def typed_rows(rows: pl.DataFrame, contract: Contract, district: str, school_year: str, submission_id: str) -> pl.DataFrame:
    """Mapped rows (text) as a table of `partition_schema`, sorted by the contract's key; absent columns are null."""
    absent = [name for name in contract.column_names if name not in rows.columns]
    text = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    columns = ", ".join(f"{typed_expression(column)} AS {identifier(column.name)}" for column in contract.columns)
    order = ", ".join(identifier(name) for name in contract.key)
    with duckdb.connect() as connection:
        connection.register("mapped_rows", text)
        typed = query(connection, f"SELECT {columns} FROM mapped_rows ORDER BY {order}")
    return typed.select(
        pl.lit(district).alias("district"),
        pl.lit(school_year).alias("school_year"),
        pl.lit(submission_id).alias("submission_id"),
        *contract.column_names,
    ).cast(partition_schema(contract))
