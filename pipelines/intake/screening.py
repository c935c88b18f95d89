"""Reading, mapping and checking in one call: the one code path of dry run, command line, inbox and page.

Pure: bytes in, a screening out; nothing is stored. The life of a submission does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts.codes import codes
from pipelines.contracts.contract import Contract, load_contract
from pipelines.intake.checking import (
    FINDING_SCHEMA,
    column_findings,
    load_check_tables,
    rules_of,
    run_rules,
    whole_file_finding,
)
from pipelines.intake.mapping import (
    Mapped,
    MappingFailed,
    find_mapping,
    has_contract_columns,
    map_contract_columns,
    map_delivery,
)
from pipelines.intake.reading import (
    Delivered,
    DeliveredFile,
    ReadingLimits,
    ReadingOptions,
    UnreadableDelivery,
    read_delivery,
)

UNREADABLE = "unreadable"
CORRECTIONS_NEEDED = "corrections_needed"
READY = "ready_to_sign"
SHOWN_YEARS = 12
SHOWN_YEAR_LENGTH = 40


@dataclass(frozen=True)
class Screening:
    """What NMIP has to say about one delivery for one school year.

    `rows`: mapped rows as text (see `mapping.Mapped`). `lines` and `row_counts`: {"in", "used", "dropped": {reason: n}}.
    `rules`: one entry a rule with findings, worst first.
    """

    outcome: str
    findings: pl.DataFrame
    rows: pl.DataFrame
    lines: dict[str, Any] = field(default_factory=dict)
    row_counts: dict[str, Any] = field(default_factory=dict)
    school_years: tuple[str, ...] = ()
    contract_version: str = ""
    mapping_digest: str | None = None
    notes: tuple[str, ...] = ()
    rule_versions: dict[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """Findings grouped by rule: id, tier, message of the first, fix, number of findings, first line."""
        if self.findings.is_empty():
            return []
        grouped = self.findings.group_by("rule_id", "tier", maintain_order=True).agg(
            pl.len().alias("n_findings"),
            pl.col("field").unique(maintain_order=True).alias("fields"),
            pl.col("file").first(),
            pl.col("line").first().alias("first_line"),
            pl.col("message").first().alias("first_message"),
            pl.col("how_to_fix").first(),
        )
        return grouped.to_dicts()

    @property
    def is_blocked(self) -> bool:
        return self.outcome in (UNREADABLE, CORRECTIONS_NEEDED)


Progress = Callable[[str], None]


def screen(
    files: Sequence[DeliveredFile],
    contracts_folder: Path,
    district: str,
    extract: str,
    school_year: str,
    limits: ReadingLimits | None = None,
    progress: Progress = lambda _: None,
) -> Screening:
    """Screen one delivery of one extract by one district for one school year.

    Raises ContractError when the extract has no contract. Everything that is wrong with the files is a finding.
    """
    contract = load_contract(contracts_folder, extract)
    try:
        progress("reading")
        delivered, mapped = _read_and_map(files, contracts_folder, contract, district, school_year, limits or ReadingLimits())
    except UnreadableDelivery as error:
        return _refused(contract, error.rule_id, error.file, error.line, error.message, error.how_to_fix, UNREADABLE)
    except MappingFailed as error:
        name = files[0].name.encode("utf-8", "replace").decode()
        return _refused(contract, error.rule_id, name, None, error.message, error.how_to_fix, CORRECTIONS_NEEDED)
    progress("checking")
    findings = _structure_findings(contract, delivered, mapped, school_year)
    rules = rules_of(contracts_folder, contract)
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        load_check_tables(connection, mapped.rows, contract, contracts_folder, district, school_year)
        findings = pl.concat([findings, run_rules(connection, contract, rules, mapped.columns)])
    blocking = findings["tier"].is_in(["S", "V"]).any()
    return Screening(
        outcome=CORRECTIONS_NEEDED if blocking else READY,
        findings=findings,
        rows=mapped.rows,
        lines=mapped.lines,
        row_counts=mapped.row_counts,
        school_years=_shown_years(mapped.school_years, codes(contracts_folder, "school_years")),
        contract_version=contract.version,
        mapping_digest=mapped.mapping_digest,
        notes=mapped.notes,
        rule_versions={rule.rule_id: rule.version for rule in rules},
    )


def _read_and_map(
    files: Sequence[DeliveredFile],
    contracts_folder: Path,
    contract: Contract,
    district: str,
    school_year: str,
    limits: ReadingLimits,
) -> tuple[Delivered, Mapped]:
    mapping = find_mapping(contracts_folder, district, contract.extract)
    options = mapping.reading if mapping else ReadingOptions()
    delivered = read_delivery(files, options, limits)
    if mapping is not None and not has_contract_columns(delivered.columns, contract):
        if options.header == "first_row" or not has_contract_columns(_first_row(delivered), contract):
            return delivered, map_delivery(delivered, contract, mapping, district, school_year)
        delivered = read_delivery(files, ReadingOptions(), limits)
    return delivered, map_contract_columns(delivered, contract, district, school_year)


def _first_row(delivered: Delivered) -> tuple[str, ...]:
    return tuple(str(value).strip() for value in delivered.table.row(0) if value is not None)


def _structure_findings(contract: Contract, delivered: Delivered, mapped: Mapped, school_year: str) -> pl.DataFrame:
    n_rows, file = mapped.row_counts["used"], str(delivered.table["delivered_file"][0])
    header_line = 1 if mapped.mapping_digest is None else None
    frames = [column_findings(mapped.columns, mapped.unknown_columns, contract, file, n_rows, header_line)]
    if mapped.unaccounted.height:
        frames.append(
            mapped.unaccounted.select(
                pl.lit("MAP-LINE-UNACCOUNTED").alias("rule_id"),
                pl.lit(contract.version).alias("rule_version"),
                pl.lit("S").alias("tier"),
                pl.col("delivered_file").alias("file"),
                pl.col("delivered_line").alias("line"),
                pl.lit(None, dtype=pl.String).alias("business_key"),
                pl.lit(None, dtype=pl.String).alias("field"),
                pl.lit(None, dtype=pl.String).alias("value"),
                pl.lit("this line is neither used nor dropped for a reason").alias("message"),
                pl.lit(
                    "Take the line out if it is not data, fill in a blank school year or district, or have the mapping corrected."
                ).alias("how_to_fix"),
                pl.lit(1, dtype=pl.Int64).alias("affected_rows"),
            ).cast(pl.Schema(FINDING_SCHEMA))
        )
    if n_rows == 0:
        frames.append(_nothing_used(contract, mapped, file, school_year))
    return pl.concat(frames)


def _shown_years(held: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """School years that a delivery names: all that are known, and a few of the others, which may be anything."""
    others = [year[:SHOWN_YEAR_LENGTH] for year in held if year not in known]
    return tuple(sorted([*(year for year in held if year in known), *others[:SHOWN_YEARS]]))


def _nothing_used(contract: Contract, mapped: Mapped, file: str, school_year: str) -> pl.DataFrame:
    reasons = ", ".join(f"{reason} {n}" for reason, n in mapped.row_counts["dropped"].items())
    if mapped.school_years and school_year not in mapped.school_years:
        rule_id = "MAP-YEAR-ABSENT"
        message = f"the delivery holds no row for {school_year}; it holds {', '.join(_shown_years(mapped.school_years, ()))}"
        fix = "Send the file for the school year that it holds."
    else:
        rule_id, fix = "MAP-NOTHING-USED", "Check that the file is of this district and of this extract."
        message = f"no row of the delivery can be used; dropped: {reasons}"
    return whole_file_finding(
        rule_id, message, fix, version=contract.version, file=file, line=None, field=None, n_rows=mapped.row_counts["in"]
    )


def _refused(contract: Contract, rule_id: str, file: str, line: int | None, message: str, fix: str, outcome: str) -> Screening:
    finding = whole_file_finding(rule_id, message, fix, version=contract.version, file=file, line=line, field=None, n_rows=0)
    no_rows = pl.DataFrame(schema={"row_id": pl.Int64, "delivered_file": pl.String, "delivered_line": pl.Int64})
    empty: dict[str, Any] = {"in": 0, "used": 0, "dropped": {}}
    return Screening(outcome, finding, no_rows, lines=empty, row_counts=dict(empty), contract_version=contract.version)
