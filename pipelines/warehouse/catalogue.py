"""The catalogue of indicators, read from the yml that stands beside each indicator model.

Adding an indicator is one SQL file and its yml; nothing here names one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import polars as pl
import yaml

# Every breakdown that a value may have, in the order of the table of values. What each means and whether its values add up
# stands in `data_contracts/codes/breakdowns.csv`, and a test holds the two together.
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
COUNTED = ("students", "adults", "schools", "nothing")
PARTS_OF_A_SHARE = ("category", "statistic")
# How the values of a breakdown stand to the row that is not split by it: they are all of it, some of it, or no sum at all.
ADDS_UP = ("whole", "parts", "no")
# In `estimated_from`: the indicator that the category of a value names.
CATEGORY = "category"
INTERVALS = (None, "wilson", "clustered", "standard_error", "given")


class CatalogueError(Exception):
    """An indicator's yml is missing or incomplete; the message names the file and what it lacks."""


@dataclass(frozen=True)
class Indicator:
    """One indicator's definition, as its yml gives it.

    `counts` says whom its counts are of, which decides their protection. `interval` is how its 95 % interval is made: `wilson` (a
    share of a count), `clustered` (answers, clustered by school), `standard_error` (value and standard error), `given` (its SQL
    returns `lower` and `upper`), or none (a census). `breakdowns` and `measures`: what its SQL returns beside district, school
    year, symbol and sources. `must_match`: what must be the same on both sides of a comparison, of FACTS. `response_floor`: the
    threshold of the response rate below which it is not compared.

    The rest says what its counts have to do with other counts, so that one that is hidden here is not shown elsewhere. What may
    differ by statistic is a mapping, with None for the statistics that are not in it:

    * `numerator_count`, `denominator_count`: the name of a count, the same under every indicator that counts the same people;
    * `numerator_of`, `denominator_of`: what they count where that is not `counts`. A numerator that is a sum (hours, answers
      times their mean) counts `nothing`;
    * `counts_within`: by the name of one of its counts, the count of another indicator that holds all these people and others;
    * `denominator_by`: what tells denominators apart, of PARTS_OF_A_SHARE;
    * `of_cohort`: the cohort that all its counts are of, where its values do not carry one;
    * `categories_add_up`: the numerators of the categories make up the denominator;
    * `category_total`: how the categories stand to the category `all`, or to the value without one, of ADDS_UP;
    * `categories`: which these are; all that occur where it is left out;
    * `adds_up`: how the values of a breakdown stand to the one that is not split by it, where this indicator differs from the
      list of breakdowns;
    * `estimated_from`: the indicator whose counts its values are fitted to, or CATEGORY.
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
    estimated_from: str = ""
    numerator_count: Mapping[str | None, str] = field(default_factory=dict)
    denominator_count: Mapping[str | None, str] = field(default_factory=dict)
    numerator_of: Mapping[str | None, str] = field(default_factory=dict)
    denominator_of: Mapping[str | None, str] = field(default_factory=dict)
    counts_within: Mapping[str, str] = field(default_factory=dict)
    denominator_by: tuple[str, ...] = ()
    of_cohort: str = ""
    categories_add_up: bool = False
    category_total: str = ""
    categories: tuple[str, ...] = ()
    adds_up: Mapping[str, str] = field(default_factory=dict)


LISTED = ("breakdowns", "measures", "must_match")
# What says how counts are related; it becomes tables of its own (`warehouse.relations`).
RELATED = (
    "numerator_count",
    "denominator_count",
    "numerator_of",
    "denominator_of",
    "counts_within",
    "denominator_by",
    "of_cohort",
    "categories_add_up",
    "category_total",
    "categories",
    "adds_up",
)
OPTIONAL = (*LISTED, "response_floor", "estimated_from", "sums", *RELATED)
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
    for indicator in indicators:
        if indicator.estimated_from not in ("", CATEGORY, *ids):
            raise CatalogueError(f"{indicator.model}.yml: estimated_from is {indicator.estimated_from}, which is no indicator")
    return indicators


def _indicator(model: str, document: dict[str, Any]) -> Indicator:
    entry = next((entry for entry in document.get("models", []) if entry["name"] == model), None)
    meta = dict(((entry or {}).get("config") or {}).get("meta", {}).get("indicator") or {})
    meta["indicator_id"] = meta.pop("id", None)
    wanted = [one.name for one in fields(Indicator) if one.name not in ("model", *OPTIONAL)]
    missing = [name for name in wanted if name not in meta or (meta[name] is None and name not in NULLABLE)]
    unknown = sorted(set(meta) - {*wanted, *OPTIONAL})
    if missing or unknown:
        problem = f"lacks {', '.join(missing)}" if missing else f"does not know {', '.join(unknown)}"
        raise CatalogueError(f"{model}.yml: config.meta.indicator {problem}")
    if meta["counts"] not in COUNTED:
        raise CatalogueError(f"{model}.yml: counts is {meta['counts']!r}; say {_one_of(COUNTED)}")
    if meta["interval"] not in INTERVALS:
        known = ", ".join(name for name in INTERVALS if name)
        raise CatalogueError(f"{model}.yml: interval is {meta['interval']!r}; say {known}, or null for a census")
    meta["breakdowns"] = _listed(model, "breakdowns", meta.get("breakdowns", []), (SCHOOLS, *BREAKDOWNS))
    meta["measures"] = _listed(model, "measures", meta.get("measures", MEASURES[:2]), MEASURES)
    meta["must_match"] = _listed(model, "must_match", meta.get("must_match", []), FACTS)
    return Indicator(model=model, **meta | _related(model, meta))


def _related(model: str, meta: dict[str, Any]) -> dict[str, Any]:
    """The keys of RELATED as an Indicator holds them; takes `sums` out of `meta`. Raises CatalogueError."""
    breakdowns = meta["breakdowns"]
    found: dict[str, Any] = {
        name: _by_statistic(model, name, meta, breakdowns)
        for name in ("numerator_count", "denominator_count", "numerator_of", "denominator_of")
    }
    for role in ("numerator", "denominator"):
        for name in found[f"{role}_count"].values():
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise CatalogueError(f"{model}.yml: {role}_count is {name!r}; a count's name is small letters, digits and _")
        for kind in found[f"{role}_of"].values():
            if kind not in COUNTED:
                raise CatalogueError(f"{model}.yml: {role}_of is {kind!r}; say {_one_of(COUNTED)}")
    within = meta.get("counts_within", {})
    if not isinstance(within, dict) or not all(isinstance(name, str) for pair in within.items() for name in pair):
        raise CatalogueError(f"{model}.yml: counts_within is {within!r}; say which count is within which, as a mapping")
    found["counts_within"] = within
    found["numerator_of"] |= dict.fromkeys(_sums(model, meta.pop("sums", False), breakdowns), COUNTED[-1])
    found["denominator_by"] = _listed(model, "denominator_by", meta.get("denominator_by", []), PARTS_OF_A_SHARE)
    for name in found["denominator_by"]:
        _need(model, "denominator_by", name, breakdowns)
    if meta.get("estimated_from") == CATEGORY:
        _need(model, "estimated_from: category", CATEGORY, breakdowns)
    if meta.get("of_cohort") and "cohort" in breakdowns:
        raise CatalogueError(f"{model}.yml: of_cohort is for indicators whose values carry no cohort")
    return found | _adding_up(model, meta, breakdowns)


def _sums(model: str, sums: Any, breakdowns: Sequence[str]) -> list[Any]:
    """The statistics whose numerators are sums; None stands for every one."""
    if isinstance(sums, bool):
        return [None] * sums
    _need(model, "sums by statistic", "statistic", breakdowns)
    return _names(model, "sums", sums)


def _adding_up(model: str, meta: Mapping[str, Any], breakdowns: Sequence[str]) -> dict[str, Any]:
    """How values add up, as the yml says it."""
    adds_up, add_up, total = meta.get("adds_up", {}), meta.get("categories_add_up", False), meta.get("category_total", "")
    if not isinstance(adds_up, dict) or not all(how in ADDS_UP for how in adds_up.values()):
        raise CatalogueError(f"{model}.yml: adds_up is {adds_up!r}; say {_one_of(ADDS_UP)} for each breakdown")
    for name in adds_up:
        _need(model, "adds_up", name, breakdowns)
    if not isinstance(add_up, bool):
        raise CatalogueError(f"{model}.yml: categories_add_up is {add_up!r}; say true or false")
    if total not in ("", *ADDS_UP[:2]):
        raise CatalogueError(f"{model}.yml: category_total is {total!r}; say {_one_of(ADDS_UP[:2])}")
    categories = tuple(_names(model, "categories", meta.get("categories", [])))
    if categories and not (add_up or total):
        raise CatalogueError(f"{model}.yml: categories say nothing without categories_add_up or category_total")
    if add_up or total:
        _need(model, "categories_add_up" if add_up else "category_total", CATEGORY, breakdowns)
    return {"adds_up": adds_up, "categories_add_up": add_up, "category_total": total, "categories": categories}


def _one_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _need(model: str, name: str, breakdown: str, breakdowns: Sequence[str]) -> None:
    if breakdown not in breakdowns:
        raise CatalogueError(f"{model}.yml: {name} needs the breakdown {breakdown}, which the indicator does not have")


def _names(model: str, name: str, listed: Any) -> list[str]:
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise CatalogueError(f"{model}.yml: {name} is {listed!r}; it is a list of names")
    return listed


def _by_statistic(model: str, name: str, meta: Mapping[str, Any], breakdowns: Sequence[str]) -> dict[str | None, str]:
    """What a yml says once (the key None) or for each statistic. Raises CatalogueError."""
    said = meta.get(name, {})
    if isinstance(said, str):
        return {None: said}
    if not isinstance(said, dict) or not all(isinstance(text, str) for pair in said.items() for text in pair):
        raise CatalogueError(f"{model}.yml: {name} is {said!r}; say one name, or one for each statistic")
    if said:
        _need(model, f"{name} by statistic", "statistic", breakdowns)
    return dict(said)


def _listed(model: str, name: str, listed: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """What a yml lists, with `schools` written out. Raises CatalogueError for a name that means nothing."""
    unknown = sorted(set(listed) - set(known))
    if unknown:
        raise CatalogueError(f"{model}.yml: {name} does not know {', '.join(unknown)}; it knows {', '.join(known)}")
    return tuple(part for one in listed for part in (SCHOOL_GROUPS if one == SCHOOLS else (one,)))


def catalogue_table(indicators: list[Indicator]) -> pl.DataFrame:
    """The catalogue as the table that dbt reads: one row an indicator, without the model's name."""
    told = [one.name for one in fields(Indicator) if one.name not in ("model", "measures", *RELATED)]
    schema = {name: pl.Boolean() if name.startswith("is_") else pl.String() for name in told}
    rows = [asdict(indicator) | {name: ", ".join(getattr(indicator, name)) for name in LISTED} for indicator in indicators]
    return pl.DataFrame([{name: row[name] for name in told} for row in rows], schema=schema)
