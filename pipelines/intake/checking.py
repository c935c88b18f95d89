"""Rules run over mapped rows: every failing field becomes a finding in the words and lines of the analyst's own file.

DuckDB runs each rule's query; the same queries are run by Great Expectations for the record (`contracts.expectations`).
What a finding means for the life of a submission does not belong here.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from pipelines.contracts.codes import code_list, code_list_names
from pipelines.contracts.column_rules import all_rules, identifier, literal, typed_expression
from pipelines.contracts.contract import Contract, Rule
from pipelines.frames import query
from pipelines.intake.context import NO_CONTEXT, Context

FINDING_SCHEMA = {
    "rule_id": pl.String,
    "rule_version": pl.String,
    "tier": pl.String,
    "file": pl.String,
    "line": pl.Int64,
    "business_key": pl.String,
    "field": pl.String,
    "value": pl.String,
    "message": pl.String,
    "how_to_fix": pl.String,
    "affected_rows": pl.Int64,
}
SHOWN_VALUE_LENGTH = 120


class RulesTookTooLong(Exception):
    """The rules of a contract took longer than a delivery may take; the message names the rule."""


def empty_findings() -> pl.DataFrame:
    """A findings table without rows."""
    return pl.DataFrame(schema=FINDING_SCHEMA)


def whole_file_finding(
    rule_id: str, message: str, how_to_fix: str, *, version: str, file: str, line: int | None, field: str | None, n_rows: int
) -> pl.DataFrame:
    """One blocking finding about a file as a whole, such as a missing column."""
    row = [rule_id, version, "S", file, line, None, field, None, message, how_to_fix, n_rows]
    return pl.DataFrame([row], schema=FINDING_SCHEMA, orient="row")


def rules_of(contracts_folder: Path, contract: Contract) -> tuple[Rule, ...]:
    """All rules of an extract, structure first."""
    lists = {name: tuple(code_list(contracts_folder, name)["code"]) for name in _lists_of(contract)}
    return all_rules(contract, lists)


def _lists_of(contract: Contract) -> set[str]:
    return {column.code_list for column in contract.columns if column.code_list}


def column_findings(
    columns: Sequence[str], unknown: Sequence[str], contract: Contract, file: str, n_rows: int, header_line: int | None
) -> pl.DataFrame:
    """One finding for each column that is missing, misnamed or unknown; a misnamed column is one finding, not two.

    Symbol columns may be absent: a blank number then lacks its reason, which is a finding of its own.
    """
    missing = [c.name for c in contract.columns if c.name not in columns and c.symbol_for is None]
    unexplained = list(unknown)
    frames = []
    for name in missing:
        near = _nearest(name, unexplained, 0.7)
        if near is not None:
            unexplained.remove(near)
            shown = near[:SHOWN_VALUE_LENGTH]
            message = f'the column {name} is missing; the file has "{shown}", which looks like it'
            fix = f'Rename "{shown}" to {name}.'
        else:
            message, fix = f"the column {name} is missing", f"Add the column {name}; nmip dictionary says what it holds."
        frames.append(_column_finding(contract, "COLUMN-MISSING", message, fix, file, header_line, name, n_rows))
    for name in unexplained:
        near = _nearest(name, contract.column_names, 0.6)
        hint = f"; the nearest known column is {near}" if near is not None else ""
        message = f'the column "{name[:SHOWN_VALUE_LENGTH]}" is not part of this extract{hint}'
        fix = "Take the column out, or rename it to the column that it stands for."
        frames.append(_column_finding(contract, "COLUMN-UNKNOWN", message, fix, file, header_line, name, n_rows))
    return pl.concat(frames) if frames else empty_findings()


def _nearest(name: str, candidates: Sequence[str], cutoff: float) -> str | None:
    """The candidate whose spelling is nearest, upper and lower case counting as equal."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=cutoff)
    return by_lower[near[0]] if near else None


def _column_finding(
    contract: Contract, slug: str, message: str, fix: str, file: str, line: int | None, field: str, n_rows: int
) -> pl.DataFrame:
    return whole_file_finding(
        f"{contract.rule_prefix}-S-{slug}",
        message,
        fix,
        version=contract.version,
        file=file,
        line=line,
        field=field,
        n_rows=n_rows,
    )


def load_check_tables(
    connection: duckdb.DuckDBPyConnection,
    rows: pl.DataFrame,
    contract: Contract,
    contracts_folder: Path,
    district: str,
    school_year: str,
    context: Context = NO_CONTEXT,
) -> None:
    """Make the tables that a rule may read: extract_text, extract (typed), submission, codes.<list>.

    `rows` are mapped rows (row_id, delivered_file, delivered_line, contract columns as text); absent columns are null.
    """
    present = set(rows.columns)
    text_columns = ", ".join(
        identifier(name) if name in present else f"CAST(NULL AS VARCHAR) AS {identifier(name)}" for name in contract.column_names
    )
    typed = ", ".join(f"{typed_expression(column)} AS {identifier(column.name)}" for column in contract.columns)
    connection.register("mapped_rows", rows)
    connection.execute(
        f"CREATE TABLE extract_text AS SELECT row_id, delivered_file, delivered_line, {text_columns} FROM mapped_rows"
    )
    connection.unregister("mapped_rows")
    connection.execute(f"CREATE TABLE extract AS SELECT row_id, {typed} FROM extract_text")
    state = code_list(contracts_folder, "districts").filter(pl.col("code") == district)["state"].to_list()
    connection.execute(
        "CREATE TABLE submission AS SELECT ? AS district, ? AS state, ? AS school_year",
        [district, state[0] if state else None, school_year],
    )
    connection.execute("CREATE SCHEMA codes")
    for name in code_list_names(contracts_folder):
        connection.register("code_frame", code_list(contracts_folder, name))
        connection.execute(f"CREATE TABLE codes.{identifier(name)} AS SELECT * FROM code_frame")
        connection.unregister("code_frame")


def run_rules(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rules: Sequence[Rule], present: Sequence[str]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Findings of `rules` over the loaded check tables, ordered by rule, then line.

    Of a column that the delivery lacks nothing more is found: the missing column is the finding.
    """
    # Key and order rules need all key columns: the duplicate-key query would otherwise call every row a duplicate.
    absent = {column.name for column in contract.columns if column.name not in present and column.symbol_for is None}
    of_present = f"WHERE f.field NOT IN ({', '.join(map(literal, sorted(absent)))})" if absent else ""
    key_text = " || ', ' || ".join(f"{literal(name + ' ')} || coalesce({identifier(name)}, '(blank)')" for name in contract.key)
    frames = [
        query(
            connection,
            f"""
            SELECT
              {literal(rule.rule_id)} AS rule_id, {literal(rule.version)} AS rule_version, {literal(rule.tier)} AS tier,
              t.delivered_file AS file, t.delivered_line AS line, {key_text} AS business_key,
              f.field, left(f.value, {SHOWN_VALUE_LENGTH}) AS value, f.message, {literal(rule.how_to_fix)} AS how_to_fix,
              CAST(1 AS BIGINT) AS affected_rows
            FROM ({rule.query}) AS f
            INNER JOIN extract_text AS t ON t.row_id = f.row_id
            {of_present}
            ORDER BY t.row_id, f.field
            """,
        )
        for rule in rules
        if not absent.intersection(rule.fields) or _is_column_rule(contract, rule)
    ]
    found = [frame for frame in frames if frame.height]
    table = pl.concat(found).cast(pl.Schema(FINDING_SCHEMA)) if found else empty_findings()
    return table, {frame["rule_id"][0]: frame.height for frame in found}


def _is_column_rule(contract: Contract, rule: Rule) -> bool:
    return rule not in contract.rules and not rule.rule_id.endswith("KEY-DUPLICATE")
