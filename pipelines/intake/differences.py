"""What a submission changes, row by row: added, removed and changed against the rows in force. Pure.

Rows are matched by the contract's key and compared by value, not by spelling: `01138` is `1138` where the contract says a whole
number. What the rows do to indicators stands in `effects`; how either is shown does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from pipelines.contracts.column_rules import identifier, typed_expression
from pipelines.contracts.contract import Column, Contract
from pipelines.frames import query

ORIGIN = ("delivered_file", "delivered_line")
NTH = "nth row of the match"


@dataclass(frozen=True)
class RowDifferences:
    """Rows before and after a signature, matched by key. All values are text as delivered.

    `added` (rows of after) and `removed` (rows of before): delivered_file, delivered_line, the key columns, then all other
    columns. `changed`: one row for each changed field: the key columns, field, before, after, and delivered_file,
    delivered_line of the new row. Added and changed stand in the order of after, removed in the order of before.
    `is_first`: nothing was in force before.
    """

    n_before: int
    n_after: int
    added: pl.DataFrame
    removed: pl.DataFrame
    changed: pl.DataFrame
    n_changed_rows: int
    n_same: int
    is_first: bool

    def summary(self) -> str:
        """All of it in one plain sentence, such as `12 rows added, 3 removed, 40 changed (55 values), 12,000 as before.`."""
        if self.is_first:
            return f"{_n(self.n_after, 'row')}, all new: nothing is in force here yet."
        if not (self.added.height or self.removed.height or self.n_changed_rows):
            return f"Nothing changes: {_n(self.n_same, 'row')} as before."
        return (
            f"{_n(self.added.height, 'row')} added, {self.removed.height:,} removed, "
            f"{self.n_changed_rows:,} changed ({_n(self.changed.height, 'value')}), {self.n_same:,} as before."
        )


def _n(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def row_differences(before: pl.DataFrame | None, after: pl.DataFrame, contract: Contract) -> RowDifferences:
    """What `after` changes in `before`; None where nothing is in force.

    Both are mapped rows: row_id, delivered_file, delivered_line and contract columns as text; absent columns are null. A blank
    key equals a blank key. Where several rows share a key (which blocks a signature), rows that are equal in everything are
    matched first; of the others the first of before is matched with the first of after, and so on.
    """
    key, rest = list(contract.key), [name for name in contract.column_names if name not in contract.key]
    old_rows, new_rows = _complete(before, contract), _complete(after, contract)
    old, new = _values(old_rows, contract).with_row_index("old"), _values(new_rows, contract).with_row_index("new")
    same = _matched(old, new, [*key, *rest])
    old, new = _without(old, same, "old"), _without(new, same, "new")
    pairs = _matched(old, new, key)
    shown = [*ORIGIN, *key, *rest]
    return RowDifferences(
        n_before=old_rows.height,
        n_after=new_rows.height,
        added=new_rows[_without(new, pairs, "new")["new"]].select(shown),
        removed=old_rows[_without(old, pairs, "old")["old"]].select(shown),
        changed=_changed_fields(old, new, pairs, old_rows, new_rows, key, rest),
        n_changed_rows=pairs.height,
        n_same=same.height,
        is_first=before is None,
    )


def _complete(rows: pl.DataFrame | None, contract: Contract) -> pl.DataFrame:
    """The rows with every column of the contract, in the order delivered."""
    if rows is None:
        origin = {"delivered_file": pl.String(), "delivered_line": pl.Int64()}
        return pl.DataFrame(schema=origin | dict.fromkeys(contract.column_names, pl.String()))
    absent = [name for name in contract.column_names if name not in rows.columns]
    complete = rows.sort("row_id").with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    return complete.select(*ORIGIN, *contract.column_names)


def _values(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The contract's columns as texts that are equal where the values are; row by row as in `rows`."""
    columns = ", ".join(f"{_value(column)} AS {identifier(column.name)}" for column in contract.columns)
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        connection.register("mapped_rows", rows)
        return query(connection, f"SELECT {columns} FROM mapped_rows")


def _value(column: Column) -> str:
    name, typed = identifier(column.name), typed_expression(column)
    if column.kind == "text":
        return name
    # Adding zero makes -0.0 and 0.0 one. What cannot be read as its type equals only itself.
    plus_zero = " + 0.0" if column.kind == "number" else ""
    return f"coalesce('=' || CAST({typed}{plus_zero} AS VARCHAR), '?' || {name})"


def _matched(old: pl.DataFrame, new: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """Row numbers (old, new) of rows equal in `on`, blanks being equal, the nth of such rows with the nth: never n times n."""
    nth = pl.int_range(pl.len()).over(on).alias(NTH)
    return (
        old.select("old", *on, nth)
        .join(new.select("new", *on, nth), on=[*on, NTH], nulls_equal=True)
        .select("old", "new")
        .sort("new")
    )


def _without(rows: pl.DataFrame, matched: pl.DataFrame, index: str) -> pl.DataFrame:
    return rows.join(matched, on=index, how="anti", maintain_order="left")


def _changed_fields(
    old: pl.DataFrame,
    new: pl.DataFrame,
    pairs: pl.DataFrame,
    old_rows: pl.DataFrame,
    new_rows: pl.DataFrame,
    key: list[str],
    fields: list[str],
) -> pl.DataFrame:
    """One row for each field whose value differs, in the order of the new rows, then of the columns."""
    old_values = pairs.join(old, on="old", how="left", maintain_order="left")
    new_values = pairs.join(new, on="new", how="left", maintain_order="left")
    before, after = old_rows[pairs["old"]], new_rows[pairs["new"]]

    def of_field(field: str, differs: pl.Series) -> pl.DataFrame:
        columns = (pl.lit(field).alias("field"), before[field].alias("before"), after[field].alias("after"))
        return after.select(*key, *columns, *ORIGIN, pairs["new"].alias(NTH)).filter(differs)

    # Where every column is part of the key nothing can change, and the empty table has its columns from the key.
    found = [of_field(field, old_values[field].ne_missing(new_values[field])) for field in fields or key]
    return pl.concat(found).sort(NTH, maintain_order=True).drop(NTH)
