"""Reading, mapping and checking in one call: the one code path of dry run, command line, inbox and page.

Pure: bytes in, a screening out; nothing is stored. The life of a submission does not belong here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts.codes import codes
from pipelines.contracts.contract import Contract, load_contract
from pipelines.intake.checking import (
    FINDING_SCHEMA,
    RuleFailed,
    RulesTookTooLong,
    column_findings,
    load_check_tables,
    rules_of,
    run_rules,
    whole_file_finding,
)
from pipelines.intake.context import BESIDE_RESULTS, DIRECTORY, NO_CONTEXT, Context
from pipelines.intake.mapping import (
    Mapped,
    MappingFailed,
    find_mapping,
    has_contract_columns,
    map_contract_columns,
    map_delivery,
)
from pipelines.intake.personal_data import (
    PERSONAL_FIX,
    READ_PERSONAL,
    PersonalColumn,
    personal_data,
    personal_data_in,
    personal_message,
)
from pipelines.intake.reading import (
    Delivered,
    DeliveredFile,
    ReadingLimits,
    ReadingOptions,
    UnreadableDelivery,
    read_delivery,
)
from pipelines.intake.rule_book import CHECK_FAILED, CHECK_TIME
from pipelines.intake.states import ACKNOWLEDGEMENTS_NEEDED, CORRECTIONS_NEEDED, READY, UNREADABLE

HEADER_ROWS = 30
SHOWN_YEARS = 12
SHOWN_YEAR_LENGTH = 40


@dataclass(frozen=True)
class Opened:
    """A delivery as it was read, before anything of it is kept: the table, or why there is none.

    `personal`: columns that make it look like data about single people; such a delivery is never kept.
    """

    delivered: Delivered | None
    refusal: UnreadableDelivery | None = None
    personal: tuple[PersonalColumn, ...] = ()


@dataclass(frozen=True)
class Screening:
    """What NMIP has to say about one delivery for one school year.

    `rows`: mapped rows as text (see `mapping.Mapped`). `lines` and `row_counts`: {"in", "used", "dropped": {reason: n}}.
    `notes` are the mapping's and travel to the data quality page; `remarks` say to the district what was recognised in its files
    and what could not be looked at. `counts`: findings by rule, also those beyond what `findings` lists. `context`: ids of the
    submissions looked at, by role.
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
    remarks: tuple[str, ...] = ()
    rule_versions: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    context: dict[str, str] = field(default_factory=dict)
    is_personal: bool = False

    @property
    def is_blocked(self) -> bool:
        return self.outcome in (UNREADABLE, CORRECTIONS_NEEDED)


Progress = Callable[[str], None]


def open_delivery(
    files: Sequence[DeliveredFile], contracts_folder: Path, district: str, extract: str, limits: ReadingLimits | None = None
) -> Opened:
    """Read a delivery, in the layout of the district's mapping or in the contract's own columns. Nothing is kept."""
    contract = load_contract(contracts_folder, extract)
    limits = limits or ReadingLimits()
    needed = tuple(c.name for c in contract.columns if c.symbol_for is None)
    own_columns = ReadingOptions(expected_columns=needed)
    try:
        mapping = find_mapping(contracts_folder, district, extract)
        options = replace(mapping.reading, expected_columns=needed) if mapping else own_columns
        delivered = read_delivery(files, options, limits)
        if options.header == "none" and _has_own_header(delivered, contract):
            delivered = read_delivery(files, own_columns, limits)
        return Opened(delivered, personal=personal_data(delivered))
    except UnreadableDelivery as error:
        return Opened(None, refusal=error, personal=personal_data_in(files, limits))


def years_held(opened: Opened, contracts_folder: Path, district: str, extract: str, school_year: str) -> tuple[str, ...]:
    """School years that NMIP knows and that a delivery has rows of, in order; empty where it cannot be mapped."""
    if opened.delivered is None or opened.personal:
        return ()
    try:
        mapped = _map(opened.delivered, contracts_folder, load_contract(contracts_folder, extract), district, school_year)
    except MappingFailed:
        return ()
    known = codes(contracts_folder, "school_years")
    return tuple(year for year in known if year in mapped.school_years)


def screen(
    files: Sequence[DeliveredFile],
    contracts_folder: Path,
    district: str,
    extract: str,
    school_year: str,
    limits: ReadingLimits | None = None,
    progress: Progress = lambda _: None,
    context: Context = NO_CONTEXT,
    opened: Opened | None = None,
) -> Screening:
    """Screen one delivery of one extract by one district for one school year.

    `context` is what its rules may look at beside it; `opened` spares reading the files again. Raises ContractError when the
    extract has no contract. Everything that is wrong with the files is a finding.
    """
    contract = load_contract(contracts_folder, extract)
    first_name = _shown_name(files[0].name) if files else ""
    try:
        progress("reading")
        opened = opened or open_delivery(files, contracts_folder, district, extract, limits)
        if opened.personal:
            personal = (personal_message(opened.personal), PERSONAL_FIX)
            return replace(_refused(contract, READ_PERSONAL, first_name, None, *personal, UNREADABLE), is_personal=True)
        if opened.delivered is None:
            raise opened.refusal or UnreadableDelivery("READ-EMPTY", first_name, None, "there is no file", "Name a file.")
        delivered = opened.delivered
        mapped = _map(delivered, contracts_folder, contract, district, school_year)
    except UnreadableDelivery as error:
        return _refused(contract, error.rule_id, error.file, error.line, error.message, error.how_to_fix, UNREADABLE)
    except MappingFailed as error:
        return _refused(contract, error.rule_id, first_name, None, error.message, error.how_to_fix, CORRECTIONS_NEEDED)
    progress("checking")
    structure = _structure_findings(contract, delivered, mapped, school_year)
    rules = rules_of(contracts_folder, contract)
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        load_check_tables(connection, mapped.rows, contract, contracts_folder, district, school_year, context)
        try:
            found, counts = run_rules(connection, contract, rules, mapped.columns)
        except RulesTookTooLong as error:
            fix = "Split the delivery into smaller files, or mend first what repeats in it most, such as rows of the same key."
            found, counts = _unchecked(contract, CHECK_TIME, str(error), fix, first_name, mapped), {}
        except RuleFailed as error:
            fix = "Tell the operator of NMIP which file and rule it was; nothing in your file needs to be wrong."
            found, counts = _unchecked(contract, CHECK_FAILED, str(error), fix, first_name, mapped), {}
    findings = pl.concat([structure, found])
    tiers = set(findings["tier"])
    return Screening(
        outcome=CORRECTIONS_NEEDED if tiers & {"S", "V"} else ACKNOWLEDGEMENTS_NEEDED if tiers else READY,
        findings=findings,
        rows=mapped.rows,
        lines=mapped.lines,
        row_counts=mapped.row_counts,
        school_years=_shown_years(mapped.school_years, codes(contracts_folder, "school_years")),
        contract_version=contract.version,
        mapping_digest=mapped.mapping_digest,
        notes=_published_notes(mapped, contracts_folder, district, extract),
        remarks=(
            *_years_remark(mapped, contracts_folder, school_year),
            *_remarks(mapped, contracts_folder, district, extract),
            *_context_remarks(contract, school_year, context),
        ),
        rule_versions={rule.rule_id: rule.version for rule in rules},
        counts={**dict(Counter(structure["rule_id"].to_list())), **counts, **_counted(found, counts)},
        context=dict(context.submissions),
    )


def _years_remark(mapped: Mapped, contracts_folder: Path, school_year: str) -> tuple[str, ...]:
    others = [y for y in codes(contracts_folder, "school_years") if y in mapped.school_years and y != school_year]
    if not others or school_year not in mapped.school_years:
        return ()
    return (f"The delivery also holds rows of {', '.join(others)}: submitting it opens a submission for each year.",)


def _published_notes(mapped: Mapped, contracts_folder: Path, district: str, extract: str) -> tuple[str, ...]:
    mapping = find_mapping(contracts_folder, district, extract)
    return mapping.notes if mapping is not None and mapped.mapping_digest is not None else ()


def _remarks(mapped: Mapped, contracts_folder: Path, district: str, extract: str) -> tuple[str, ...]:
    published = _published_notes(mapped, contracts_folder, district, extract)
    return tuple(note for note in mapped.notes if note not in published)


def _counted(found: pl.DataFrame, counts: Mapping[str, int]) -> dict[str, int]:
    return {rule_id: n for rule_id, n in Counter(found["rule_id"].to_list()).items() if rule_id not in counts}


def _shown_name(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _context_remarks(contract: Contract, school_year: str, context: Context) -> list[str]:
    """What the rules could not look at: a rule that had nothing to compare with has found nothing, and says so."""
    notes = []
    if contract.extract != DIRECTORY and context.directory is None:
        notes.append(f"No school directory up to {school_year} is in force, so schools were not looked up in it.")
    elif context.directory_year not in (None, school_year):
        notes.append(f"Schools were looked up in the school directory of {context.directory_year}, the latest in force.")
    if contract.extract in BESIDE_RESULTS and context.results is None:
        notes.append(f"No results of the district for {school_year} are in force, so these rows were not compared with them.")
    if context.in_force is None and not context.earlier_years:
        notes.append("Nothing earlier of this extract is in force, so nothing was compared with it.")
    return notes


def _unchecked(contract: Contract, rule_id: str, message: str, fix: str, file: str, mapped: Mapped) -> pl.DataFrame:
    """The finding that stands for everything that the rules could not say."""
    return whole_file_finding(
        rule_id, message, fix, version=contract.version, file=file, line=None, field=None, n_rows=mapped.row_counts["used"]
    )


def _map(delivered: Delivered, contracts_folder: Path, contract: Contract, district: str, school_year: str) -> Mapped:
    mapping = find_mapping(contracts_folder, district, contract.extract)
    if mapping is None or has_contract_columns(delivered.columns, contract):
        return map_contract_columns(delivered, contract, district, school_year)
    return map_delivery(delivered, contract, mapping, district, school_year)


def _has_own_header(delivered: Delivered, contract: Contract) -> bool:
    """Whether one of the first rows of a delivery that was read without a header names the contract's own columns."""
    first_rows = delivered.table.head(HEADER_ROWS).rows()
    return any(has_contract_columns(tuple(str(v).strip() for v in row if v is not None), contract) for row in first_rows)


def _structure_findings(contract: Contract, delivered: Delivered, mapped: Mapped, school_year: str) -> pl.DataFrame:
    n_rows, file = mapped.row_counts["used"], str(delivered.table["delivered_file"][0])
    is_first_line = mapped.mapping_digest is None and not delivered.lines_above_header
    header_line = 1 if is_first_line else None
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
    return Screening(
        outcome,
        finding,
        no_rows,
        lines=empty,
        row_counts=dict(empty),
        contract_version=contract.version,
        counts={rule_id: 1},
    )
