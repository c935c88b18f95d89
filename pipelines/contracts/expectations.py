"""The contract's rules as a Great Expectations suite, and a validation of it: the record beside NMIP's own findings.

The only module that imports Great Expectations, and only inside the function that needs it, because importing it takes
8 to 10 seconds. Deciding what a finding means does not belong here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.contracts.contract import Rule

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite


@dataclass(frozen=True)
class ValidationResult:
    """What Great Expectations found for one rule: rows that the rule's query returned, or why it could not run."""

    rule_id: str
    n_findings: int
    error: str | None = None


def expectation_suite(name: str, rules: Sequence[Rule]) -> ExpectationSuite:
    """A suite with one `UnexpectedRowsExpectation` for each rule, its id and tier in `meta`."""
    import great_expectations as gx

    # Great Expectations wants the batch named in every query; ours name the table, which is the whole batch.
    names_batch = "\n/* {batch} */"
    return gx.ExpectationSuite(
        name=name,
        expectations=[
            gx.expectations.UnexpectedRowsExpectation(
                unexpected_rows_query=rule.query.replace("{", "{{").replace("}", "}}") + names_batch,
                description=rule.meaning,
                meta={"rule_id": rule.rule_id, "rule_version": rule.version, "tier": rule.tier},
            )
            for rule in rules
        ],
    )


def _register_buffered_dialect() -> None:
    """A DuckDB dialect whose results outlive their connection.

    Great Expectations closes the connection before it fetches, and duckdb_engine then returns nothing; buffering the
    result as soon as the statement has run cures that.
    """
    from duckdb_engine import Dialect
    from sqlalchemy.dialects import registry
    from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

    class BufferedContext(Dialect.execution_ctx_cls):  # type: ignore[misc]
        def post_exec(self) -> None:
            super().post_exec()
            if self.cursor is not None and self.cursor.description:
                self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                    self.cursor, initial_buffer=self.cursor.fetchall(), alternate_description=self.cursor.description
                )

    class BufferedDialect(Dialect):  # type: ignore[misc]
        execution_ctx_cls = BufferedContext
        supports_statement_cache = False

    registry.impls["duckdb.nmip_buffered"] = lambda: BufferedDialect


def validate(database: Path, name: str, rules: Sequence[Rule]) -> tuple[list[ValidationResult], dict[str, Any]]:
    """Run the suite of `rules` on the check's tables in `database` (a DuckDB file nobody has open).

    Returns one result for each rule, in order, and Great Expectations' own validation result as JSON.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    for logger in ("great_expectations", "great_expectations.data_context.types.base"):
        logging.getLogger(logger).setLevel(logging.ERROR)

    _register_buffered_dialect()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_sql(name, connection_string=f"duckdb+nmip_buffered:///{database}")
    batch = source.add_table_asset("extract", table_name="extract").add_batch_definition_whole_table("submission")
    suite = context.suites.add(expectation_suite(name, rules))
    outcome = gx.ValidationDefinition(data=batch, suite=suite, name=name).run(result_format={"result_format": "BASIC"})
    by_rule: dict[str, ValidationResult] = {}
    for result in outcome.results:
        rule_id = result.expectation_config.meta["rule_id"]
        failure = result.exception_info or {}
        if failure.get("raised_exception") or "observed_value" not in (result.result or {}):
            message = str(failure.get("exception_message") or failure or "no result")
            by_rule[rule_id] = ValidationResult(rule_id, 0, message)
        else:
            by_rule[rule_id] = ValidationResult(rule_id, int(result.result["observed_value"]))
    source_engine = source.get_engine()
    source_engine.dispose()
    record = outcome.to_json_dict()
    for entry in record["results"]:
        entry["result"].pop("details", None)
    return [by_rule[rule.rule_id] for rule in rules], record
