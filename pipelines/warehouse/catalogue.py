"""The catalogue of indicators, read from the yml that stands beside each indicator model.

Adding an indicator is one SQL file and its yml; nothing here names one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
import yaml

# Every breakdown that a value may have, in the order of the table of values.
BREAKDOWNS = (
    "unit_type",
    "unit_id",
    "network_id",
    "school_level",
    "school_set",
    "grade",
    "subgroup",
    "course",
    "respondent",
    "audience",
    "program_id",
    "cohort",
    "category",
    "statistic",
    "instrument",
    "administration",
)
# In a yml, `schools` stands for what the SQL macros over schools return.
SCHOOLS = "schools"
SCHOOL_GROUPS = ("unit_type", "unit_id", "network_id", "school_level", "school_set")
MEASURES = (
    "numerator",
    "denominator",
    "value",
    "standard_error",
    "lower",
    "upper",
    "n",
    "n_schools",
    "response_rate",
    "flags",
    "unit",
)
# What must be the same on both sides of a comparison before its numbers are looked at: columns of int_comparison_facts, the state
# (whose rules differ), and the flags of the values themselves, where a definition travels with them.
FACTS = ("charter_scope", "pass_rule", "walkthrough_tool", "state", "flags")
COUNTED = ("people", "schools", "nothing")
INTERVALS = (None, "wilson", "clustered", "standard_error", "given")


class CatalogueError(Exception):
    """An indicator's yml is missing or incomplete; the message names the file and what it lacks."""


@dataclass(frozen=True)
class Indicator:
    """One indicator's definition, as its yml gives it.

    `counts` says what its counts are of, which decides their protection. `interval` is how its 95 % interval is made: `wilson` (a
    share of a count), `clustered` (answers, clustered by school), `standard_error` (value and standard error), `given` (its SQL
    returns `lower` and `upper`), or none (a census). `breakdowns` and `measures`: what its SQL returns beside district, school
    year, symbol and sources. `must_match`: what must be the same on both sides of a comparison, of FACTS. `response_floor`: the
    threshold of the response rate below which it is not compared.
    """

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
    breakdowns: tuple[str, ...] = ()
    measures: tuple[str, ...] = ("numerator", "denominator")
    must_match: tuple[str, ...] = ()
    response_floor: str = "response_floor"


LISTED = ("breakdowns", "measures", "must_match")
OPTIONAL = (*LISTED, "response_floor")
NULLABLE = ("direction", "interval")


def read_indicators(dbt_project: Path) -> list[Indicator]:
    """All indicators of `models/indicators/`, sorted by model. Raises CatalogueError."""
    folder = dbt_project / "models" / "indicators"
    indicators = []
    for sql in sorted(folder.rglob("*.sql")):
        document = sql.with_suffix(".yml")
        if not document.is_file():
            raise CatalogueError(f"{sql.name} has no {document.name} beside it")
        indicators.append(_indicator(sql.stem, yaml.load(document.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)))
    ids = [indicator.indicator_id for indicator in indicators]
    twice = sorted({indicator_id for indicator_id in ids if ids.count(indicator_id) > 1})
    if twice:
        raise CatalogueError(f"two models claim the indicator {', '.join(twice)}")
    return indicators


def _indicator(model: str, document: dict[str, Any]) -> Indicator:
    entry = next((entry for entry in document.get("models", []) if entry["name"] == model), None)
    meta = dict(((entry or {}).get("config") or {}).get("meta", {}).get("indicator") or {})
    meta["indicator_id"] = meta.pop("id", None)
    wanted = [field.name for field in fields(Indicator) if field.name not in ("model", *OPTIONAL)]
    missing = [name for name in wanted if name not in meta or (meta[name] is None and name not in NULLABLE)]
    unknown = sorted(set(meta) - {*wanted, *OPTIONAL})
    if missing or unknown:
        problem = f"lacks {', '.join(missing)}" if missing else f"does not know {', '.join(unknown)}"
        raise CatalogueError(f"{model}.yml: config.meta.indicator {problem}")
    if meta["counts"] not in COUNTED:
        raise CatalogueError(f"{model}.yml: counts is {meta['counts']!r}; say {', '.join(COUNTED[:-1])} or {COUNTED[-1]}")
    if meta["interval"] not in INTERVALS:
        known = ", ".join(name for name in INTERVALS if name)
        raise CatalogueError(f"{model}.yml: interval is {meta['interval']!r}; say {known}, or null for a census")
    meta["breakdowns"] = _listed(model, "breakdowns", meta.get("breakdowns", []), (SCHOOLS, *BREAKDOWNS))
    meta["measures"] = _listed(model, "measures", meta.get("measures", MEASURES[:2]), MEASURES)
    meta["must_match"] = _listed(model, "must_match", meta.get("must_match", []), FACTS)
    return Indicator(model=model, **meta)


def _listed(model: str, name: str, listed: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """What a yml lists, with `schools` written out. Raises CatalogueError for a name that means nothing."""
    unknown = sorted(set(listed) - set(known))
    if unknown:
        raise CatalogueError(f"{model}.yml: {name} does not know {', '.join(unknown)}; it knows {', '.join(known)}")
    return tuple(part for one in listed for part in (SCHOOL_GROUPS if one == SCHOOLS else (one,)))


def catalogue_table(indicators: list[Indicator]) -> pl.DataFrame:
    """The catalogue as the table that dbt reads: one row an indicator, without the model's name."""
    schema = {field.name: pl.Boolean() if field.name.startswith("is_") else pl.String() for field in fields(Indicator)}
    rows = [asdict(indicator) | {name: ", ".join(getattr(indicator, name)) for name in LISTED} for indicator in indicators]
    return pl.DataFrame(rows, schema=schema).drop("model", "measures")
