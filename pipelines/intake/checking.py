"""Rules run over mapped rows: every failing field becomes a finding in the words and lines of the analyst's own file.

DuckDB runs each rule's query; the same queries are run by Great Expectations for the record (`contracts.expectations`).
What a finding means for the life of a submission does not belong here.
"""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from pipelines.contracts.codes import code_list, code_list_names
from pipelines.contracts.column_rules import DIRECTORY, all_rules, identifier, is_per_column, literal, typed_expression
from pipelines.contracts.contract import Contract, Rule, load_contract
from pipelines.frames import query
from pipelines.intake.context import NO_CONTEXT, RESULTS, Context

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
BLOCKING_TIERS = ("S", "V")
KEPT_FINDINGS = 100_000
SHOWN_VALUE_LENGTH = 120
SHOWN_KEY_LENGTH = 500
SHOWN_MESSAGE_LENGTH = 2_000
INTERRUPT_EVERY_SECONDS = 0.05


class RuleFailed(Exception):
    """A rule's query could not be run; what the database said may repeat delivered values and is not told."""

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"rule {rule_id} could not be run on this file")
        self.rule_id = rule_id


class RulesTookTooLong(Exception):
    """The rules did not finish in their time; `rule_id` is the one that was running."""

    def __init__(self, rule_id: str, seconds: float) -> None:
        super().__init__(f"checking stopped after {seconds:g} seconds, in rule {rule_id}")
        self.rule_id, self.seconds = rule_id, seconds


def empty_findings() -> pl.DataFrame:
    """A findings table without rows."""
    return pl.DataFrame(schema=FINDING_SCHEMA)


def whole_file_finding(
    rule_id: str, message: str, how_to_fix: str, *, version: str, file: str, line: int | None, field: str | None, n_rows: int
) -> pl.DataFrame:
    """One blocking finding about a file as a whole, such as a missing column."""
    shown, fix = ("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text) for text in (message, how_to_fix))
    row = [rule_id, version, "S", file, line, None, field, None, shown, fix, n_rows]
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
            message, fix = (
                f"the column {name} is missing",
                f"Add the column {name}; nmip dictionary {contract.extract} says what it holds.",
            )
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
    """Make the tables that a rule may read; what is not known is an empty table.

    `rows` are mapped rows (row_id, delivered_file, delivered_line, contract columns as text); absent columns are null, here
    and in the frames of `context`.

    * `extract_text`: row_id, delivered_file, delivered_line, the contract's columns as text; `extract`: row_id, the columns typed
    * `submission`, one row: district, state, nces_lea_id, school_year; `codes.<list>`: the code lists that a rule names, all text
    * `in_force`: the columns typed, rows in force in the same place; `earlier_years`: school_year, the columns typed
    * `last_certified`: school_year, origin (in words), the columns typed: `in_force`, or else the latest of `earlier_years`
    * `directory`: school_year, the columns of the school directory, typed
    * `own_results`: school_year, the columns of the district's own results, typed; empty for most extracts (see `Context`)
    """
    connection.register("mapped_rows", _text_columns(rows, contract, "row_id", "delivered_file", "delivered_line"))
    connection.execute("CREATE TABLE extract_text AS SELECT * FROM mapped_rows")
    connection.unregister("mapped_rows")
    connection.execute(f"CREATE TABLE extract AS SELECT row_id, {_typed(contract)} FROM extract_text")
    place = code_list(contracts_folder, "districts").filter(code=district)
    connection.execute(
        "CREATE TABLE submission AS SELECT ? AS district, ? AS state, ? AS nces_lea_id, ? AS school_year",
        [district, *(place[name][0] if place.height else None for name in ("state", "nces_lea_id")), school_year],
    )
    connection.execute("CREATE SCHEMA codes")
    named = {name for rule in rules_of(contracts_folder, contract) for name in re.findall(r'\bcodes\."?(\w+)', rule.query)}
    for name in named.intersection(code_list_names(contracts_folder)):
        connection.register("code_frame", code_list(contracts_folder, name))
        connection.execute(f"CREATE TABLE codes.{identifier(name)} AS SELECT * FROM code_frame")
        connection.unregister("code_frame")
    in_force = [] if context.in_force is None else [(school_year, context.in_force)]
    _create_typed(connection, "in_force_rows", contract, in_force)
    _create_typed(connection, "earlier_years", contract, context.earlier_years.items())
    names = ", ".join(identifier(name) for name in contract.column_names)
    connection.execute(f"CREATE VIEW in_force AS SELECT {names} FROM in_force_rows")
    connection.execute(
        f"""
        CREATE TABLE last_certified AS
        SELECT school_year, 'the submission in force' AS origin, {names} FROM in_force_rows
        UNION ALL
        SELECT school_year, 'school year ' || school_year AS origin, {names} FROM earlier_years
        WHERE NOT EXISTS (SELECT 1 FROM in_force_rows) AND school_year = (SELECT MAX(school_year) FROM earlier_years)
        """
    )
    directory = [] if context.directory is None else [(context.directory_year, context.directory)]
    _create_typed(connection, "directory", load_contract(contracts_folder, DIRECTORY), directory)
    results = [] if context.results is None else [(school_year, context.results)]
    _create_typed(connection, "own_results", load_contract(contracts_folder, RESULTS), results)


def _text_columns(rows: pl.DataFrame, contract: Contract, *beside: str) -> pl.DataFrame:
    """The columns `beside` and the contract's, as text; an absent one is null."""
    text = [
        (pl.col(name) if name in rows.columns else pl.lit(None, dtype=pl.String)).cast(pl.String).alias(name)
        for name in contract.column_names
    ]
    return rows.select(*beside, *text)


def _typed(contract: Contract) -> str:
    return ", ".join(f"{typed_expression(column)} AS {identifier(column.name)}" for column in contract.columns)


def _create_typed(
    connection: duckdb.DuckDBPyConnection, name: str, contract: Contract, by_year: Iterable[tuple[str | None, pl.DataFrame]]
) -> None:
    """Make a table of school_year and the contract's columns, typed, from text rows by school year."""
    nothing = pl.DataFrame(schema={"school_year": pl.String, **dict.fromkeys(contract.column_names, pl.String)})
    frames = [
        _text_columns(rows, contract).select(pl.lit(year, dtype=pl.String).alias("school_year"), pl.all())
        for year, rows in by_year
    ]
    connection.register("context_rows", pl.concat([nothing, *frames]))
    connection.execute(f"CREATE TABLE {name} AS SELECT school_year, {_typed(contract)} FROM context_rows")
    connection.unregister("context_rows")


def run_rules(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rules: Sequence[Rule],
    present: Sequence[str],
    seconds: float = 300.0,
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Findings of `rules` over the loaded check tables, ordered by rule, then line; and how many each rule really found.

    Of a blocking rule the first KEPT_FINDINGS are kept. Of a column that the delivery lacks nothing more is found, and a file
    that lacks one is not looked at as a whole: the missing column is the finding. A finding about the file as a whole has no
    line and no key. All rules together may take `seconds`; raises RulesTookTooLong.
    """
    # Key and order rules need all key columns: the duplicate-key query would otherwise call every row a duplicate.
    absent = {column.name for column in contract.columns if column.name not in present and column.symbol_for is None}
    frames: list[pl.DataFrame] = []
    counts: dict[str, int] = {}
    with _interrupted_after(connection, seconds) as is_over:
        for rule in rules:
            if absent and (rule.tier == "M" or absent.intersection(rule.fields)) and not is_per_column(contract, rule):
                continue
            found = f"SELECT * FROM ({rule.query}) AS of_rule"
            if absent:
                found += f" WHERE field IS NULL OR field NOT IN ({', '.join(map(literal, sorted(absent)))})"
            if is_over.is_set():
                raise RulesTookTooLong(rule.rule_id, seconds)
            try:
                # Counted first: a file in which nothing is wrong, the ordinary one, costs no message and no table.
                n_found = int(connection.execute(f"SELECT COUNT(*) FROM ({found}) AS counted").fetchall()[0][0])
                if n_found:
                    counts[rule.rule_id] = n_found
                    frames.append(_findings_of(connection, contract, rule, found))
            except duckdb.InterruptException as error:
                if not is_over.is_set():
                    raise
                raise RulesTookTooLong(rule.rule_id, seconds) from error
            except duckdb.Error as error:
                raise RuleFailed(rule.rule_id) from error
    return (pl.concat(frames).cast(pl.Schema(FINDING_SCHEMA)) if frames else empty_findings()), counts


def _findings_of(connection: duckdb.DuckDBPyConnection, contract: Contract, rule: Rule, found: str) -> pl.DataFrame:
    """The findings table of one rule whose failing fields `found` selects."""
    columns = connection.sql(f"{found} LIMIT 0").columns
    affected_rows = "COALESCE(f.affected_rows, 1)" if "affected_rows" in columns else "1"
    limit = f"LIMIT {KEPT_FINDINGS}" if rule.tier in BLOCKING_TIERS else ""
    key = " || ', ' || ".join(f"{literal(name + ' ')} || coalesce(t.{identifier(name)}, '(blank)')" for name in contract.key)
    return query(
        connection,
        f"""
        SELECT
          {literal(rule.rule_id)} AS rule_id, {literal(rule.version)} AS rule_version, {literal(rule.tier)} AS tier,
          COALESCE(t.delivered_file, whole.first_file) AS file, t.delivered_line AS line,
          CASE WHEN t.row_id IS NOT NULL THEN left({key}, {SHOWN_KEY_LENGTH}) END AS business_key,
          f.field, left(f.value, {SHOWN_VALUE_LENGTH}) AS value, {_visible("f.message")} AS message,
          {literal(rule.how_to_fix)} AS how_to_fix, CAST({affected_rows} AS BIGINT) AS affected_rows
        FROM ({found} ORDER BY row_id NULLS FIRST, field, value {limit}) AS f
        LEFT JOIN extract_text AS t ON t.row_id = f.row_id
        CROSS JOIN (SELECT arg_min(delivered_file, row_id) AS first_file FROM extract_text) AS whole
        ORDER BY f.row_id NULLS FIRST, f.field, f.value
        """,
    )


def _visible(text: str) -> str:
    """SQL: the text cut to its length; what a terminal or a page would obey instead of showing is replaced by a sign."""
    cut = f"regexp_replace(left({text}, {SHOWN_MESSAGE_LENGTH}), '\\p{{Zs}}', ' ', 'g')"
    return f"regexp_replace({cut}, '[\\p{{C}}\\p{{Zl}}\\p{{Zp}}]', '\N{REPLACEMENT CHARACTER}', 'g')"


@contextmanager
def _interrupted_after(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[threading.Event]:
    """Interrupt whatever `connection` runs once `seconds` have passed; the event says that they have."""
    is_done, is_over = threading.Event(), threading.Event()

    def watch() -> None:
        if is_done.wait(seconds):
            return
        is_over.set()
        # More than once: an interrupt between two queries stops neither.
        while not is_done.wait(INTERRUPT_EVERY_SECONDS):
            connection.interrupt()

    watcher = threading.Thread(target=watch, name="nmip-rules", daemon=True)
    watcher.start()
    try:
        yield is_over
    finally:
        is_done.set()
        watcher.join()
