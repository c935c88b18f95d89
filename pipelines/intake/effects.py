"""What a signature would do to every indicator of one district: the project's own SQL, run beside what is in force.

The SQL comes as a file (`indicator_sql.json`, written by the warehouse whenever it is built) and runs over tables in memory,
once as they are and once as they would be; the lake and the warehouse are not touched. The numbers are a district's
own, before disclosure protection: they are for that district's signer, and nothing here logs them. Which rows change stands
in `differences`; writing the SQL file does not belong here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.contracts.codes import code_list, code_list_names
from pipelines.contracts.column_rules import identifier
from pipelines.contracts.contract import load_contract
from pipelines.contracts.typed_table import partition_schema
from pipelines.frames import query
from pipelines.intake.submission import SubmissionRefused
from pipelines.storage import sha256

# Counted up whenever this module reads something new from the file, so that an older file is not taken for a current one.
FORMAT = 2
APPEARS, DISAPPEARS, CHANGES = "appears", "disappears", "changes"
MEASURES = ("value", "numerator", "denominator", "symbol")
CATALOGUE = ("indicator_id", "title", "counts", "direction")
SHOWN_ERROR_LENGTH = 300
SEED_TYPES = {"varchar": pl.String(), "double": pl.Float64(), "integer": pl.Int64(), "date": pl.Date(), "boolean": pl.Boolean()}

Tables = Mapping[tuple[str, str], pl.DataFrame]


class EffectsUnavailable(SubmissionRefused):
    """What a signature does to the indicators cannot be said now; the message says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """What one calculation may use. One thread, so that sums of fractions come out the same both times."""

    memory: str = "4GB"
    threads: int = 1
    seconds: float = 60.0


def effect_label(row: Mapping[str, Any]) -> str:
    """One row of `IndicatorEffects.changed` in words, such as `OC4 Level distribution · 2024-25 · Grade 4 · All students ·
    Level 3 · Spring: 31.2 % → 31.8 % (1,204 → 1,228 of 3,860 people)`.
    """
    return f"{row['about']}: {row['said']}"


@dataclass(frozen=True)
class IndicatorEffects:
    """Indicator values of one district before and after a signature.

    `changed`: one row for each value that differs: indicator_id, title, unit, school_year, the breakdowns of
    `fct_indicator_values`, change (`appears`, `disappears` or `changes`), then value, numerator, denominator and symbol, each
    `_before` and `_after` (shares from 0 to 1), and in words `about` (which value it is) and `said` (what becomes of it).
    `n_same`: values that stay. `indicators_changed`, `indicators_same`: ids. `left_out`: ids of indicators that cannot be
    computed from a district's own files alone.
    """

    changed: pl.DataFrame
    n_same: int
    indicators_changed: tuple[str, ...]
    indicators_same: tuple[str, ...]
    left_out: tuple[str, ...]

    def summary(self) -> str:
        """All of it in one plain sentence, and a second one where indicators are left out."""
        n_indicators = len(self.indicators_changed) + len(self.indicators_same)
        stay = f"{self.n_same:,} {_plural('value', self.n_same)} as before"
        if not self.indicators_changed:
            text = f"No indicator changes: {stay}."
        else:
            n = dict(self.changed.group_by("change").len().iter_rows())
            kinds = [(CHANGES, "change"), (APPEARS, "appear"), (DISAPPEARS, "disappear")]
            parts = [f"{n[kind]:,} {_plural('value', n[kind])} {verb}{'s' * (n[kind] == 1)}" for kind, verb in kinds if kind in n]
            text = f"{len(self.indicators_changed)} of {n_indicators} {_plural('indicator', n_indicators)} affected: "
            text += f"{', '.join(parts)}, {stay}."
        return text if not self.left_out else f"{text} Known with the next release only: {', '.join(self.left_out)}."


def _plural(noun: str, n: int) -> str:
    return noun if n == 1 else f"{noun}s"


def project_files(dbt_project: Path) -> list[Path]:
    """Every file that decides what dbt builds, sorted."""
    found = (path for path in dbt_project.rglob("*") if path.suffix in (".sql", ".yml", ".csv"))
    return sorted(path for path in found if "target" not in path.relative_to(dbt_project).parts)


def indicator_sql_version(dbt_project: Path, contracts_folder: Path) -> str:
    """A digest of everything that decides the SQL of the indicators: dbt's project, the contracts, the form of the file."""
    paths = [*project_files(dbt_project), *sorted((contracts_folder / "extracts").glob("*.odcs.yaml"))]
    files = [f"{path.name} {sha256(path.read_bytes())}" for path in paths]
    return sha256("\n".join([str(FORMAT), *files]).encode())


def holds_for(indicator_sql: Path, dbt_project: Path, contracts_folder: Path) -> bool:
    """Whether the SQL file is there, whole, and the SQL of this project and these contracts as they are now."""
    try:
        document = _current_document(indicator_sql, contracts_folder)
    except EffectsUnavailable:
        return False
    return bool(document["dbt_project"] == str(dbt_project))


def _current_document(indicator_sql: Path, contracts_folder: Path) -> dict[str, Any]:
    """The SQL file's content. Raises EffectsUnavailable where it is missing, damaged or of an earlier state of its project."""
    why = "indicators or contracts were changed since the SQL of the indicators was made"
    try:
        document: dict[str, Any] = json.loads(indicator_sql.read_text(encoding="utf-8"))
        if document["version"] == indicator_sql_version(Path(document["dbt_project"]), contracts_folder):
            return document
    except FileNotFoundError:
        why = "the SQL of the indicators was not made here yet"
    except (ValueError, KeyError, TypeError):
        why = f"{indicator_sql.name} is damaged"
    raise EffectsUnavailable(f"What this does to the indicators cannot be said: {why}. Run nmip run, then ask again.")


def indicator_effects(
    indicator_sql: Path,
    contracts_folder: Path,
    district: str,
    before: Tables,
    after: Tables,
    include_schools: bool = False,
    limits: Limits | None = None,
) -> IndicatorEffects:
    """What becomes of the district's indicator values when `after` is in force instead of `before`.

    `before` and `after` map (extract, school_year) to the typed table (`typed_table.typed_rows`) of everything in force in the
    district; a table that is the same object in both is known not to change. Rows must have passed the blocking rules.
    Values of single schools are left out unless `include_schools`. Raises EffectsUnavailable.
    """
    document = _current_document(indicator_sql, contracts_folder)
    limits = limits or Limits()
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
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    overlay = _Overlay(connection, document, contracts_folder)
    timer = threading.Timer(limits.seconds, connection.interrupt)
    timer.start()
    try:
        overlay.hold(before, set(document["sources"]))
        old = overlay.values(district, include_schools)
        overlay.hold(after, overlay.touched(before, after))
        new = overlay.values(district, include_schools)
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise EffectsUnavailable(
            f"What this does to the indicators cannot be said: it took more than {limits.seconds:g} seconds or the memory that "
            "it may have. The rows can be signed without it."
        ) from None
    except duckdb.Error as error:
        # What DuckDB says of SQL names columns; what it says of data may hold a district's numbers, so it goes nowhere.
        is_about_sql = isinstance(error, (duckdb.ProgrammingError, duckdb.PermissionException))
        why = f" ({str(error).splitlines()[0][:SHOWN_ERROR_LENGTH]})" if is_about_sql else ""
        raise EffectsUnavailable(
            f"What this does to the indicators cannot be said: the model {overlay.at} cannot be computed{why}. Tell the people "
            "who run NMIP; the rows can be signed without it."
        ) from None
    finally:
        timer.cancel()
        connection.close()
    return _compared(old, new, document, contracts_folder)


class _Overlay:
    """The models of one SQL file as tables in memory; `at` names the one that is being made."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, document: Mapping[str, Any], contracts_folder: Path) -> None:
        self._connection, self._document, self._contracts = connection, document, contracts_folder
        self._made: set[str] = set()
        self.at = ""

    def touched(self, before: Tables, after: Tables) -> set[str]:
        """Sources whose tables are not the same before and after."""
        extracts = {key[0] for key in before.keys() | after.keys() if not _is_same(before.get(key), after.get(key))}
        sources = self._document["sources"].items()
        return {name for name, source in sources if source["kind"] == "lake" and source["name"] in extracts}

    def hold(self, tables: Tables, sources: set[str]) -> None:
        """Put `tables` into the named sources, and make every model that is not made yet or that reads one of them."""
        stale = set(sources)
        for name in sorted(sources):
            self._connection.register(name, self._source_table(self._document["sources"][name], tables))
        for model in self._document["models"]:
            if model["name"] not in self._made or not stale.isdisjoint(model["reads"]):
                self.at = model["name"]
                self._connection.execute(f"CREATE OR REPLACE {model['kind']} {identifier(self.at)} AS\n{model['sql']}")
                stale.add(self.at)
                self._made.add(self.at)

    def _source_table(self, source: Mapping[str, Any], tables: Tables) -> pl.DataFrame:
        if source["kind"] == "codes":
            return code_list(self._contracts, source["name"])
        if source["kind"] == "seed":
            path = Path(self._document["dbt_project"]) / source["path"]
            return pl.read_csv(path, schema={name: SEED_TYPES[kind] for name, kind in source["columns"].items()})
        schema = partition_schema(load_contract(self._contracts, source["name"]))
        held = [table for (extract, _), table in sorted(tables.items()) if extract == source["name"]]
        return pl.concat([pl.DataFrame(schema=schema), *held])

    def values(self, district: str, include_schools: bool) -> pl.DataFrame:
        """The district's indicator values: indicator_id, school_year, breakdowns, unit, measures."""
        columns = ", ".join(
            identifier(name) for name in ("indicator_id", "school_year", *self._document["breakdowns"], "unit", *MEASURES)
        )
        relation = identifier(self._document["models"][-1]["name"])
        schools = "" if include_schools else "AND unit_type IS DISTINCT FROM 'school'"
        return query(
            self._connection, f"SELECT {columns} FROM {relation} WHERE district = $district {schools}", {"district": district}
        )


def _is_same(before: pl.DataFrame | None, after: pl.DataFrame | None) -> bool:
    return before is after or (before is not None and after is not None and before.equals(after))


def _compared(old: pl.DataFrame, new: pl.DataFrame, document: Mapping[str, Any], contracts_folder: Path) -> IndicatorEffects:
    breakdowns: list[str] = document["breakdowns"]
    key = ["indicator_id", "school_year", *breakdowns, "unit"]

    def side(values: pl.DataFrame, name: str) -> pl.DataFrame:
        return values.select(*key, pl.lit(True).alias(f"is_{name}"), *(pl.col(m).alias(f"{m}_{name}") for m in MEASURES))

    both = side(old, "before").join(side(new, "after"), on=key, how="full", coalesce=True, nulls_equal=True)
    differs = pl.any_horizontal(pl.col(f"{m}_before").ne_missing(pl.col(f"{m}_after")) for m in MEASURES)
    change = (
        pl.when(pl.col("is_before").is_null())
        .then(pl.lit(APPEARS))
        .when(pl.col("is_after").is_null())
        .then(pl.lit(DISAPPEARS))
        .when(differs)
        .then(pl.lit(CHANGES))
    )
    both = both.with_columns(change.alias("change"))
    changed = both.filter(pl.col("change").is_not_null())
    ids = set(changed["indicator_id"])
    catalogue = pl.DataFrame(
        document["indicators"], schema={name: pl.String() for name in CATALOGUE} | {"is_computed": pl.Boolean()}
    )
    return IndicatorEffects(
        changed=_in_words(changed, breakdowns, catalogue, contracts_folder),
        n_same=both.height - changed.height,
        indicators_changed=tuple(sorted(ids)),
        indicators_same=tuple(sorted(set(both["indicator_id"]) - ids)),
        left_out=tuple(catalogue.filter(~pl.col("is_computed"))["indicator_id"].sort()),
    )


def _in_words(changed: pl.DataFrame, breakdowns: list[str], catalogue: pl.DataFrame, contracts_folder: Path) -> pl.DataFrame:
    """The changed values with title, unit, `about` and `said`, in the order of indicator, school year and code lists."""
    rows = changed.join(catalogue, on="indicator_id", how="left", maintain_order="left")
    labels = {name: _labels(contracts_folder, f"{name}s") for name in breakdowns}
    of_unit = pl.col("unit_type") != "district"
    parts = [
        pl.when(of_unit).then(_word(name, labels[name])) if name.startswith("unit_") else _word(name, labels[name])
        for name in breakdowns
    ]
    about = pl.concat_str(
        pl.col("indicator_id") + " " + pl.col("title"), "school_year", *parts, separator=" · ", ignore_nulls=True
    )
    places = [
        pl.col(name).replace_strict({code: i for i, code in enumerate(labels[name])}, default=None, return_dtype=pl.Int64)
        for name in breakdowns
    ]
    measures = [f"{measure}_{side}" for measure in MEASURES for side in ("before", "after")]
    return (
        rows.with_columns(about=about, said=_said(_labels(contracts_folder, "symbols")))
        .sort("indicator_id", "school_year", of_unit, *places, *breakdowns)
        .select("indicator_id", "title", "unit", "school_year", *breakdowns, "change", *measures, "about", "said")
    )


def _labels(contracts_folder: Path, name: str) -> dict[str, str]:
    """Labels by code, in the order of the list; a breakdown without a code list has none."""
    if name not in code_list_names(contracts_folder):
        return {}
    known = code_list(contracts_folder, name)
    return dict(zip(known["code"], known["label"], strict=True))


def _word(name: str, labels: dict[str, str]) -> pl.Expr:
    spaced = pl.col(name).str.replace_all("_", " ", literal=True)
    humanised = spaced.str.slice(0, 1).str.to_uppercase() + spaced.str.slice(1)
    return pl.coalesce(pl.col(name).replace_strict(labels, default=None, return_dtype=pl.String), humanised)


def _said(symbols: dict[str, str]) -> pl.Expr:
    """`31.2 % → 31.8 % (1,204 → 1,230 of 3,860 people)`, with more decimals where one would hide the change."""

    def number(side: str, digits: int) -> pl.Expr:
        value, is_share = pl.col(f"value_{side}"), pl.col("unit").is_in(["share", "difference_of_shares"])
        mark = pl.when(pl.col("unit") == "share").then(pl.lit(" %")).otherwise(pl.lit(" percentage points"))
        share = (100 * value).round(digits).cast(pl.String) + mark
        other = value.round(digits + 1).cast(pl.String) + " " + pl.col("unit")
        reason = pl.col(f"symbol_{side}").replace_strict(symbols, default="no reason given", return_dtype=pl.String)
        missing = "no number (" + reason.fill_null("no reason given").str.to_lowercase() + ")"
        return pl.when(value.is_null()).then(missing).when(is_share).then(share).otherwise(other)

    def counts(side: str) -> pl.Expr:
        return _grouped(f"numerator_{side}") + " of " + _grouped(f"denominator_{side}")

    old, new = number("before", 1), number("after", 1)
    is_hidden = (old == new) & (pl.col("value_before") != pl.col("value_after"))
    old, new = (pl.when(is_hidden).then(number(side, 4)).otherwise(number(side, 1)) for side in ("before", "after"))
    same_total = pl.col("denominator_before") == pl.col("denominator_after")
    start = pl.when(same_total).then(_grouped("numerator_before")).otherwise(counts("before"))
    both = start + " → " + counts("after")
    # A side without counts is null, and so is what is joined to it.
    of_what = pl.when(pl.col("counts") == "nothing").then(pl.lit("")).otherwise(" " + pl.col("counts"))
    stood, stands, moved = (" (" + text + of_what + ")" for text in (counts("before"), counts("after"), both))
    is_same_value = pl.col("value_before") == pl.col("value_after")
    return (
        pl.when(pl.col("change") == APPEARS)
        .then("new: " + new + stands.fill_null(""))
        .when(pl.col("change") == DISAPPEARS)
        .then("gone: " + old + stood.fill_null(""))
        .when(is_same_value)
        .then(old + " as before" + moved.fill_null(""))
        .otherwise(old + " → " + new + pl.coalesce(moved, stood, stands, pl.lit("")))
    )


def _grouped(column: str) -> pl.Expr:
    """A count as text, thousands set apart: `1,204`; a number that is no whole one keeps two decimals."""
    number = pl.col(column)
    whole = number.cast(pl.Int64, strict=False)
    sign = pl.when(whole < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    digits = whole.abs().cast(pl.String).str.reverse().str.replace_all(r"(\d{3})", "$1,").str.strip_suffix(",").str.reverse()
    return pl.when(number == whole).then(sign + digits).otherwise(number.round(2).cast(pl.String))
