"""A home as the warehouse leaves it, made by hand and in a moment: what a release is built from, without dbt.

Protection and audit are stood in for: the life of a release must not depend on what they find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines import flow
from pipelines.intake.deliveries import deliver
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.signing import certify
from pipelines.intake.submission import all_submissions, in_force
from pipelines.release import auditing, candidate
from pipelines.release.folder import VALUE_KEY, ReleaseFolder
from pipelines.settings import Settings
from pipelines.storage import Storage, canonical_json
from pipelines.warehouse.catalogue import read_indicators
from tests.deliveries import directory_csv

PLACE = ("chicago", "school_directory", "2024-25")
DAY = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
_TEXTS = (*VALUE_KEY, "definition_version", "unit", "flags", "symbol", "sources")
_FLOATS = ("numerator", "denominator", "value", "standard_error", "lower", "upper", "response_rate", "at_least", "at_most")
VALUES_SCHEMA: dict[str, Any] = (
    dict.fromkeys(_TEXTS, pl.String) | dict.fromkeys(_FLOATS, pl.Float64) | {"n": pl.Int64, "n_schools": pl.Int64}
)


@dataclass(frozen=True)
class Leak:
    """A leak as the auditor names it, with its secret."""

    cell: str
    relation: str = "all = english_learner + not_english_learner"
    attack: str = "alone"
    lower: int = 3
    upper: int = 3
    places: tuple[tuple[tuple[str, str], ...], ...] = ()

    def message(self, with_numbers: bool = False) -> str:
        return f"{self.cell}: {self.relation}" + (f" [{self.lower}, {self.upper}]" if with_numbers else "")


@dataclass(frozen=True)
class Report:
    """What the auditor answers."""

    release_id: str
    leaks: tuple[Leak, ...] = ()
    not_asked: tuple[str, ...] = ()
    n_cells_attacked: int = 40
    n_hidden: int = 4
    n_components: int = 2
    n_attacks_by_kind: Mapping[str, int] = field(default_factory=lambda: {"alone": 4, "earlier": 0})
    seconds: float = 1.5

    @property
    def passed(self) -> bool:
        return not self.leaks and not self.not_asked


@dataclass
class Auditor:
    """Stands in for the auditor: answers with `leaks` (the first `n_times` only) and `not_asked`; remembers what it was asked."""

    leaks: tuple[Leak, ...] = ()
    not_asked: tuple[str, ...] = ()
    n_times: int | None = None
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def attack(
        self,
        release: ReleaseFolder,
        earlier: Sequence[ReleaseFolder],
        deadline_seconds: float | None,
        progress: Callable[[str], None],
    ) -> Report:
        self.asked.append((release.release_id, tuple(entry.release_id for entry in earlier)))
        is_found = self.n_times is None or len(self.asked) <= self.n_times
        return Report(release.release_id, self.leaks if is_found else (), self.not_asked)


@dataclass(frozen=True)
class Protected:
    tables: dict[str, pl.DataFrame]
    summary: dict[str, Any]


def protect(
    tables: Mapping[str, pl.DataFrame],
    minimum_n: int,
    earlier: Sequence[Mapping[str, pl.DataFrame]],
    deadline_seconds: float | None,
    progress: Callable[[str], None],
    hidden_places: Sequence[Mapping[str, str]] = (),
    memory: object = None,
) -> Protected:
    """Stands in for protection: hides what rests on fewer than `minimum_n`, and says what it was told of earlier releases."""
    values = tables["indicator_values"].with_columns(
        pl.lit(None, dtype=pl.Float64).alias(name) for name in ("at_least", "at_most")
    )
    is_small = pl.col("denominator") < minimum_n
    hidden = values.with_columns(
        *(pl.when(is_small).then(None).otherwise(pl.col(name)).alias(name) for name in (*_FLOATS, "n", "n_schools")),
        pl.when(is_small).then(pl.lit("c")).otherwise(pl.col("symbol")).alias("symbol"),
    )
    summary = {"share_hidden": 0.125, "share_of_students_hidden": 0.004, "n_earlier": len(earlier)}
    summary |= {"n_hidden_places": len(hidden_places)} if hidden_places else {}
    return Protected({**tables, "indicator_values": hidden}, summary)


# What is published is written table by table: fewer tables are fewer places to be killed at, of the same kinds.
TABLES = ("indicator_values", "comparisons", "indicators", "districts")
_indicators = cache(read_indicators)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Auditor:
    """Put the stand-ins in their places; returns the auditor."""
    auditor = Auditor()
    monkeypatch.setattr(candidate, "TABLES", {name: candidate.TABLES[name] for name in TABLES})
    monkeypatch.setattr(flow, "read_indicators", _indicators)
    monkeypatch.setattr(flow.Home, "code_digest", "the code")
    monkeypatch.setattr(candidate, "protect", protect)
    monkeypatch.setattr(auditing, "attack", auditor.attack)
    return auditor


def value(indicator: str, district: str, counts: tuple[int, int], sources: str = "", **split: str) -> dict[str, Any]:
    """One row of the table of values."""
    row: dict[str, Any] = dict.fromkeys(VALUES_SCHEMA)
    numerator, denominator = counts
    row |= {"indicator_id": indicator, "district": district, "school_year": "2024-25", "unit_type": "district", "unit": "share"}
    row |= {"numerator": numerator, "denominator": denominator, "value": numerator / denominator, "n": denominator}
    return row | {"definition_version": "1", "sources": sources or None} | split


def values_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as the table of values."""
    return pl.DataFrame(list(rows), schema=VALUES_SCHEMA)


def a_home(folder: Path, **environment: str) -> flow.Home:
    """A home with one certified submission; the key of its digests is given."""
    home = flow.Home(Settings.from_environment({"NMIP_HOME": str(folder), **environment}))
    home.storage.create("digest.key", b"a key")
    if not in_force(home.store):
        submit(home)
    return home


def submit(home: flow.Home, n_enrolled: int = 300) -> str:
    """Deliver and sign a directory of schools; returns the submission's id."""
    files = [DeliveredFile("d.csv", directory_csv(n_enrolled=n_enrolled))]
    (submission,) = deliver(home.store, home.settings.contracts, *PLACE, files, "command line", "ana")
    certify(home.store, submission, "ana", "Counted on 1 October.", "signed", "New figures.")
    return submission.key.submission_id


def build(home: flow.Home, rows: Sequence[Mapping[str, Any]], folder: Path | None = None) -> None:
    """Leave what dbt would leave of `rows`, made from what is in force now."""
    exchange = Storage(folder or home.settings.exchange)
    for name, model in candidate.TABLES.items():
        exchange.write(f"{model}.parquet", candidate.as_parquet(_table(name, rows)))
    submissions = all_submissions(home.store)
    built_from = {
        "fingerprint": flow.fingerprint(home, submissions),
        "as_of": flow.latest_event(submissions, pl.DataFrame({"as_of": ["2026-11-01"]})),
        "submissions": {s.key.submission_id: s.received["delivery_sha256"] for s in in_force(home.store)},
    }
    exchange.write(flow.BUILT_FROM, canonical_json(built_from))


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    if name == "indicator_values":
        return values_of(rows).drop("at_least", "at_most")
    if name == "districts":
        return pl.DataFrame({"code": ["chicago", "houston"], "label": ["Chicago", "Houston"], "minimum_n": [10, 12]})
    if name == "indicators":
        ids = ["CM1", "OC4"]
        shown = {"indicator_id": ids, "name": ["Materials | coverage", "Level <b>distribution</b>"], "unit": ["share"] * 2}
        return pl.DataFrame({**shown, "counts": ["students"] * 2, "estimated_from": [""] * 2})
    return pl.DataFrame({"code": ["a"], "n": [1]})


def everything_below(root: Path, *places: str) -> dict[str, bytes]:
    """Every file below some places of a home, by name."""
    files = (path for place in places for path in (root / place).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(files)}
