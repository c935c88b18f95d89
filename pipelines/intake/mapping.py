"""A district's native export becomes the extract's columns: one SELECT over the table `delivered`.

The SELECT lies in `data_contracts/mappings/<district>/<extract>.sql`. It returns the contract's columns, `delivered_rows`
(the list of delivered rows that each row came from), `drop_reason` (null = used) and may return `school_year`. DuckDB runs
it with external access off and its configuration locked. A delivery in the contract's own columns, of today's version or an
older one, needs no SELECT. Rules about values do not belong here.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts.contract import Contract
from pipelines.contracts.versions import ColumnReading, follows_contract, read_columns
from pipelines.frames import query
from pipelines.intake.exports import without_annotations
from pipelines.intake.reading import Delivered, ReadingOptions
from pipelines.storage import sha256

OTHER_YEAR = "other_year"
OTHER_DISTRICT = "other_district"
UNACCOUNTED = "unaccounted"
ABOVE_HEADER = "above_header"
PLACE = ("district", "school_year")
PROVENANCE = ("delivered_rows", "drop_reason", "school_year", "district")
_DIRECTIVE = re.compile(r"^--\s*reading:\s*(header|sheet)\s*=\s*(.+?)\s*$", re.MULTILINE)
_NOTE = re.compile(r"^--\s*note:\s*(.+(?:\n--\s{3,}\S.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class MappingLimits:
    """What one mapping may use."""

    memory: str = "4GB"
    threads: int = 2
    seconds: float = 120.0


@dataclass(frozen=True)
class DistrictMapping:
    """One mapping file: its SELECT and how the files it reads are laid out."""

    sql: str
    reading: ReadingOptions
    digest: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapped:
    """A delivery in the contract's columns, for one school year.

    `rows`: row_id, delivered_file, delivered_line (first line it came from), then the contract's columns that the delivery
    has, all text. `lines` and `row_counts` account for everything: used + dropped by reason = delivered (mapped); lines above
    the header count as delivered and dropped. `unaccounted`: delivered_file, delivered_line of lines that the mapping neither
    used nor dropped. `older_version`: the version of the contract that the delivery's columns follow, None for today's.
    """

    rows: pl.DataFrame
    columns: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    lines: dict[str, Any]
    row_counts: dict[str, Any]
    school_years: tuple[str, ...]
    unaccounted: pl.DataFrame
    mapping_digest: str | None = None
    notes: tuple[str, ...] = ()
    older_version: str | None = None


class MappingFailed(Exception):
    """The mapping cannot read this delivery; carries a rule id, a message and how to fix it."""

    def __init__(self, rule_id: str, message: str, how_to_fix: str) -> None:
        # A column may be called anything; what a terminal would obey, or nobody could see, is a blank here.
        shown = "".join(c if c.isprintable() else " " for c in message)
        super().__init__(shown)
        self.rule_id, self.message, self.how_to_fix = rule_id, shown, how_to_fix


MAPPING_RULES = {
    "MAP-COLUMN": "The delivery lacks a column that the district's mapping reads.",
    "MAP-LIMIT": "The mapping used more time or memory than it may.",
    "MAP-FAILED": "The mapping could not be run on this delivery.",
    "MAP-UNSAFE": "The mapping is not a single SELECT over the delivered rows.",
    "MAP-LINE-UNACCOUNTED": "A delivered line was neither used nor dropped with a reason.",
    "MAP-YEAR-ABSENT": "The delivery holds no row for the school year of the submission.",
    "MAP-NOTHING-USED": "Every row of the delivery was dropped.",
}


def parse_mapping(text: str) -> DistrictMapping:
    """A mapping from the text of its file.

    `-- reading: header=none` and `-- reading: sheet=NAME` say how the file is laid out; `-- note: …` (continued on lines that
    begin with `--` and three spaces) says what a reader of the numbers must know, such as a rounding rule.
    """
    directives = dict(_DIRECTIVE.findall(text))
    header = directives.get("header", "first_row")
    if header not in ("first_row", "none"):
        raise MappingFailed("MAP-FAILED", f"the mapping says header={header}", "Write header=none or header=first_row.")
    options = ReadingOptions(header="none" if header == "none" else "first_row", sheet=directives.get("sheet"))
    notes = tuple(" ".join(re.sub(r"\n--\s+", " ", note).split()) for note in _NOTE.findall(text))
    return DistrictMapping(sql=text, reading=options, digest=sha256(text.encode()), notes=notes)


def find_mapping(contracts_folder: Path, district: str, extract: str) -> DistrictMapping | None:
    """The mapping of one district for one extract, or None where there is none."""
    path = contracts_folder / "mappings" / district / f"{extract}.sql"
    return parse_mapping(path.read_text(encoding="utf-8")) if path.is_file() else None


def has_contract_columns(names: tuple[str, ...], contract: Contract) -> bool:
    """Whether a delivery is meant in the contract's own columns: at least half of the needed ones are there by name.

    Names of older versions count too. Upper and lower case count as equal here, so that a misspelled header is found for
    what it is.
    """
    return follows_contract(names, contract)


def map_contract_columns(delivered: Delivered, contract: Contract, district: str, school_year: str) -> Mapped:
    """A delivery that has the contract's own columns: taken as it is, but for rows of another year or district.

    Columns of an older version of the contract are read in today's. A row that leaves its own district or school year blank
    is in nobody's year: it is told as unaccounted.
    """
    delivered = without_annotations(delivered)
    read = read_columns([name for name in delivered.columns if name not in PLACE or name in contract.by_name], contract)
    place = [name for name in PLACE if name in delivered.columns]
    table = delivered.table.with_columns(pl.col(place).str.strip_chars())
    reason = pl.lit(None, dtype=pl.String)
    if "district" in place:
        reason = pl.when(pl.col("district") != district).then(pl.lit(OTHER_DISTRICT)).otherwise(reason)
    years: tuple[str, ...] = (school_year,)
    if "school_year" in place:
        reason = pl.when(reason.is_null() & (pl.col("school_year") != school_year)).then(pl.lit(OTHER_YEAR)).otherwise(reason)
        of_district = table.filter(pl.col("district") == district) if "district" in place else table
        years = tuple(of_district["school_year"].drop_nulls().unique().sort())
    is_blank = pl.any_horizontal([pl.col(name).is_null() for name in place] or [pl.lit(False)])
    reason = pl.when(is_blank).then(pl.lit(UNACCOUNTED)).otherwise(reason)
    known = [name for name in contract.column_names if name in read.sources or name in read.filled]
    table = table.with_columns(reason.alias("drop_reason"))
    rows = table.filter(pl.col("drop_reason").is_null()).select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row_id"),
        "delivered_file",
        "delivered_line",
        *[_read_column(name, read) for name in known],
    )
    counts = _counts(table["drop_reason"], delivered.lines_above_header)
    unknown = {*delivered.columns}.difference(read.sources.values(), read.dropped, PLACE)
    return Mapped(
        rows=rows,
        columns=tuple(known),
        unknown_columns=tuple(name for name in delivered.columns if name in unknown),
        lines=counts,
        row_counts=counts,
        school_years=years,
        unaccounted=table.filter(pl.col("drop_reason") == UNACCOUNTED).select("delivered_file", "delivered_line"),
        notes=(*delivered.notes, *_version_notes(read)),
        older_version=read.older_version,
    )


def _read_column(name: str, read: ColumnReading) -> pl.Expr:
    if name in read.sources:
        return _as_text(read.sources[name]).alias(name)
    return pl.lit(read.filled[name], dtype=pl.String).alias(name)


def _version_notes(read: ColumnReading) -> tuple[str, ...]:
    return tuple(
        f"This file follows version {read.older_version} of the contract; since then ({change.version}): {change.note}"
        for change in read.crossed
    )


def map_delivery(
    delivered: Delivered,
    contract: Contract,
    mapping: DistrictMapping,
    district: str,
    school_year: str,
    limits: MappingLimits | None = None,
) -> Mapped:
    """Run a district's mapping on a delivery. Raises MappingFailed with what is wrong in the district's own words."""
    delivered = without_annotations(delivered)
    result = run_select(mapping.sql, delivered.table, {"district": district, "school_year": school_year}, limits)
    missing = [name for name in ("delivered_rows", "drop_reason") if name not in result.columns]
    if missing:
        raise MappingFailed(
            "MAP-FAILED", f"the mapping does not return {' and '.join(missing)}", "Add the column to the mapping's SELECT."
        )
    try:
        result = result.with_columns(
            pl.col("delivered_rows").cast(pl.List(pl.Int64)),
            pl.col(name for name in ("drop_reason", "school_year") if name in result.columns).cast(pl.String),
        )
    except pl.exceptions.PolarsError as error:
        raise MappingFailed(
            "MAP-FAILED",
            "the mapping returns a delivered_rows, drop_reason or school_year of a type that does not fit",
            "Return delivered_rows as a list of whole numbers, drop_reason and school_year as text.",
        ) from error
    if "district" in result.columns:
        is_other = pl.col("drop_reason").is_null() & pl.col("district").cast(pl.String).ne_missing(pl.lit(district))
        reason = pl.when(is_other).then(pl.lit(OTHER_DISTRICT)).otherwise(pl.col("drop_reason"))
        result = result.with_columns(reason.alias("drop_reason"))
    years: tuple[str, ...] = (school_year,)
    if "school_year" in result.columns:
        used_years = result.filter(pl.col("drop_reason").is_null())["school_year"]
        years = tuple(used_years.drop_nulls().unique().sort())
        result = result.with_columns(
            pl.when(pl.col("drop_reason").is_null() & (pl.col("school_year").fill_null("") != school_year))
            .then(pl.lit(OTHER_YEAR))
            .otherwise(pl.col("drop_reason"))
            .alias("drop_reason")
        )
    result = result.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row_id"))
    origin = (
        result.select("row_id", "drop_reason", pl.col("delivered_rows").alias("delivered_row"))
        .explode("delivered_row")
        .join(
            delivered.table.select("delivered_row", "delivered_file", "delivered_line"),
            on="delivered_row",
            how="inner",
            maintain_order="left",
        )
    )
    by_line = origin.group_by("delivered_row").agg(
        pl.col("drop_reason").is_null().any().alias("is_used"), pl.col("drop_reason").min().alias("drop_reason")
    )
    every_line = delivered.table.select("delivered_row", "delivered_file", "delivered_line").join(
        by_line, on="delivered_row", how="left", maintain_order="left"
    )
    unaccounted = every_line.filter(pl.col("is_used").is_null()).select("delivered_file", "delivered_line")
    line_reason = every_line.select(
        pl.when(pl.col("is_used").is_null())
        .then(pl.lit(UNACCOUNTED))
        .when(pl.col("is_used"))
        .then(pl.lit(None, dtype=pl.String))
        .otherwise(pl.col("drop_reason"))
        .alias("drop_reason")
    )["drop_reason"]
    known = [name for name in contract.column_names if name in result.columns]
    first_line = origin.group_by("row_id").agg(
        pl.col("delivered_file").sort_by("delivered_row").first(), pl.col("delivered_line").sort_by("delivered_row").first()
    )
    rows = (
        result.filter(pl.col("drop_reason").is_null())
        .join(first_line, on="row_id", how="left", maintain_order="left")
        .select(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row_id"),
            "delivered_file",
            "delivered_line",
            *[_as_text(name) for name in known],
        )
    )
    n_without_line = rows["delivered_line"].null_count()
    if n_without_line:
        raise MappingFailed(
            "MAP-FAILED",
            f"the mapping returns {n_without_line:,} rows that come from no delivered line",
            "Return in delivered_rows the delivered_row of every line that a row is made from.",
        )
    return Mapped(
        rows=rows,
        columns=tuple(known),
        unknown_columns=tuple(name for name in result.columns if name not in (*known, *PROVENANCE, "row_id")),
        lines=_counts(line_reason, delivered.lines_above_header),
        row_counts=_counts(result["drop_reason"]),
        school_years=years,
        unaccounted=unaccounted,
        mapping_digest=mapping.digest,
        notes=(*delivered.notes, *mapping.notes),
    )


def _as_text(name: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.when(text == "").then(None).otherwise(text).alias(name)


def _counts(reasons: pl.Series, n_above_header: int = 0) -> dict[str, Any]:
    tally = reasons.drop_nulls().value_counts().sort(reasons.name)
    above = {ABOVE_HEADER: n_above_header} if n_above_header else {}
    return {
        "in": len(reasons) + n_above_header,
        "used": int(reasons.is_null().sum()),
        "dropped": above | dict(zip(tally[reasons.name].to_list(), tally["count"].to_list(), strict=True)),
    }


def run_select(
    sql: str, delivered: pl.DataFrame, parameters: Mapping[str, str], limits: MappingLimits | None = None
) -> pl.DataFrame:
    """The result of one SELECT over `delivered`, without access to anything else. Raises MappingFailed."""
    limits = limits or MappingLimits()
    connection = duckdb.connect(
        config={
            "memory_limit": limits.memory,
            "threads": limits.threads,
            "temp_directory": "",
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    timer = threading.Timer(limits.seconds, connection.interrupt)
    try:
        connection.register("delivered_frame", delivered)
        connection.execute("CREATE TABLE delivered AS SELECT * FROM delivered_frame")
        connection.unregister("delivered_frame")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or not _is_select(statements[0]):
            raise MappingFailed(
                "MAP-UNSAFE",
                "the mapping must be one SELECT statement",
                "Put nothing but a single SELECT over delivered into the mapping file.",
            )
        bound = {name: value for name, value in parameters.items() if name in statements[0].named_parameters}
        timer.start()
        # Kept by DuckDB first: a result that went straight to Python would not count against the memory limit.
        connection.execute(f"CREATE TEMP TABLE mapped AS\n{sql}", bound)
        return query(connection, "SELECT * FROM mapped")
    except duckdb.BinderException as error:
        raise MappingFailed(
            "MAP-COLUMN",
            "the mapping of this district does not fit the file: "
            f"{_missing_column(error, delivered.columns)}; the file has {_listed(delivered.columns[3:])}",
            "Send the file with the columns of earlier deliveries, or have the mapping changed with the new layout.",
        ) from error
    except (duckdb.InterruptException, duckdb.OutOfMemoryException) as error:
        raise MappingFailed(
            "MAP-LIMIT",
            f"the mapping used more than {limits.seconds:g} seconds or the memory it may have",
            "Split the delivery into smaller files, or simplify the mapping.",
        ) from error
    except duckdb.PermissionException as error:
        # DuckDB's own words would show paths of this machine.
        raise MappingFailed(
            "MAP-FAILED",
            "the mapping could not be run: it asks for something outside the delivery",
            "Have the mapping corrected: it may read nothing but the table delivered.",
        ) from error
    except (duckdb.Error, pl.exceptions.PolarsError) as error:
        raise MappingFailed(
            "MAP-FAILED",
            f"the mapping could not be run: {_first_line(error)}",
            "Check that the file has the layout of earlier deliveries; otherwise have the mapping corrected.",
        ) from error
    finally:
        timer.cancel()
        connection.close()


def _is_select(statement: duckdb.Statement) -> bool:
    try:
        return statement.type == duckdb.StatementType.SELECT
    except ValueError:  # a kind of statement that the Python client has no name for, such as UPDATE EXTENSIONS
        return False


def _missing_column(error: duckdb.BinderException, present: Sequence[str]) -> str:
    named = [name for name in re.findall(r'"([^"]+)"', _first_line(error)) if name not in present]
    return f'it reads the column "{named[0]}", which the file lacks' if named else _first_line(error)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:12])
    return shown + (f" and {len(names) - 12} more columns" if len(names) > 12 else "")


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:300]
