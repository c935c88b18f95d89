"""The catalogue of indicators, read from the yml that stands beside each indicator model.

Adding an indicator is one SQL file and its yml; nothing here names one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
import yaml


class CatalogueError(Exception):
    """An indicator's yml is missing or incomplete; the message names the file and what it lacks."""


@dataclass(frozen=True)
class Indicator:
    """One indicator's definition, as its yml gives it. `counts` says what its counts are of, which decides their protection."""

    indicator_id: str
    model: str
    name: str
    challenge: str
    definition: str
    numerator: str
    denominator: str
    unit: str
    counts: str
    direction: str | None
    basis: str
    is_describe_only: bool
    interval: str | None
    caveats: str
    definition_version: str


def read_indicators(dbt_project: Path) -> list[Indicator]:
    """All indicators of `models/indicators/`, sorted by model. Raises CatalogueError."""
    folder = dbt_project / "models" / "indicators"
    indicators = []
    for sql in sorted(folder.rglob("*.sql")):
        document = sql.with_suffix(".yml")
        if not document.is_file():
            raise CatalogueError(f"{sql.name} has no {document.name} beside it")
        indicators.append(_indicator(sql.stem, yaml.safe_load(document.read_text(encoding="utf-8"))))
    ids = [indicator.indicator_id for indicator in indicators]
    twice = sorted({indicator_id for indicator_id in ids if ids.count(indicator_id) > 1})
    if twice:
        raise CatalogueError(f"two models claim the indicator {', '.join(twice)}")
    return indicators


def _indicator(model: str, document: dict[str, Any]) -> Indicator:
    entry = next((entry for entry in document.get("models", []) if entry["name"] == model), None)
    meta = dict(((entry or {}).get("config") or {}).get("meta", {}).get("indicator") or {})
    meta["indicator_id"] = meta.pop("id", None)
    wanted = [field.name for field in fields(Indicator) if field.name != "model"]
    missing = [name for name in wanted if name not in meta or (meta[name] is None and name not in ("direction", "interval"))]
    unknown = sorted(set(meta) - set(wanted))
    if meta.get("counts") not in (None, "people", "schools"):
        raise CatalogueError(f"{model}.yml: counts is {meta['counts']!r}; say people or schools")
    if missing or unknown:
        problem = f"lacks {', '.join(missing)}" if missing else f"does not know {', '.join(unknown)}"
        raise CatalogueError(f"{model}.yml: config.meta.indicator {problem}")
    return Indicator(model=model, **meta)


def catalogue_table(indicators: list[Indicator]) -> pl.DataFrame:
    """The catalogue as the table that dbt reads: one row an indicator, without the model's name."""
    schema = {field.name: pl.Boolean() if field.name.startswith("is_") else pl.String() for field in fields(Indicator)}
    return pl.DataFrame([asdict(indicator) for indicator in indicators], schema=schema).drop("model")
