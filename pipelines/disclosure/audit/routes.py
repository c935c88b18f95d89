"""Ways around a hidden number that are no sum: intervals, estimates, comparisons, ranges, other tables, texts, digests.

Each route is a function of a release that says how many rows it looked at, what it found, and what it could not look at. A
finding is (attack, cell, relation) in words and never holds a number that the release hides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipelines.disclosure.audit.published import (
    FLOATS,
    KEY,
    PEOPLE,
    WHOLE_NUMBERS,
    Published,
    declared,
    minimum_expression,
    range_parts,
    values_of,
)
from pipelines.disclosure.audit.shapes import COMPARISON_NUMBERS, COMPARISON_SIDES, not_known

_SPREAD = r"^p\d{1,2}(_minus_p\d{1,2})?$"
_DIFFERENCE = r"^difference"
_FEW_UNITS = 3
_FEW_SCHOOLS = 3
_FEW_ADULTS = 10
_CLOSE = 1e-6
_Z95 = 1.959963984540054
_LARGEST_N = 20_000
_DIGITS = r"[0-9]"
_TELLING_FLAG = (
    r"(?i)(?:^|[;,\s])[a-z_]*(?:n|rate|share|count|percent|response|students|teachers|people|numerator|denominator)\s*=\s*[0-9.]+"
)
_PLAIN_DIGEST = re.compile(r"(?i)^(?!.*keyed).*(sha\d+|md5|digest|checksum|hash)")
_HEX = re.compile(r"^[0-9a-fA-F]{32,128}$")


@dataclass(frozen=True)
class Looked:
    """What one route looked at and found."""

    name: str
    n_asked: int
    leaks: tuple[tuple[str, str, str], ...] = ()
    not_asked: tuple[str, ...] = ()


def hidden_rows_with_numbers(release: Published) -> Looked:
    """A row with a symbol shows none of its numbers; a range shows its range, its people and its schools."""
    values = values_of(release).filter(pl.col("symbol").is_not_null())
    leaks = []
    numbers = (*FLOATS, *WHOLE_NUMBERS)
    allowed = {symbol: set[str]() for symbol in sorted(values["symbol"].unique().to_list())}
    allowed["r"] = {"at_least", "at_most", "denominator", "n", "n_schools"}
    kinds = {"standard_error": "interval", "lower": "interval", "upper": "interval", "response_rate": "interval"}
    kinds |= {"value": "estimate", "at_least": "range", "at_most": "range"}
    for symbol, may in allowed.items():
        rows = values.filter(pl.col("symbol") == symbol)
        for name in numbers:
            if name not in may:
                told = rows.filter(pl.col(name).is_not_null())
                leaks += [
                    (kinds.get(name, "count"), _said(row), f"{name} is there beside symbol {symbol}") for row in told.to_dicts()
                ]
    shown = values_of(release).filter(~pl.col("is_hidden") & pl.col("symbol").is_null())
    for name in ("at_least", "at_most"):
        told = shown.filter(pl.col(name).is_not_null())
        leaks += [("range", _said(row), f"{name} is there beside a shown value") for row in told.to_dicts()]
    told = values.filter(pl.col("flags").fill_null("").str.contains(_TELLING_FLAG))
    leaks += [("text", _said(row), "a number in flags") for row in told.to_dicts()]
    return Looked("hidden rows", values.height, tuple(leaks))


def non_respondents(release: Published) -> Looked:
    """People asked who did not answer are a count too: n and the response rate give it."""
    rows = _measured(release).filter(_is_people & pl.col("n").is_not_null() & (pl.col("response_rate") > 0))
    silent = (pl.col("n") / pl.col("response_rate")).round(0) - pl.col("n")
    few = rows.filter((silent >= 1) & (silent < pl.col("minimum")))
    return Looked(
        "non-respondents",
        rows.height,
        tuple(("count", f"people who did not answer: {_said(row)}", "n and response_rate") for row in few.to_dicts()),
    )


def shown_counts(release: Published) -> Looked:
    """Shown counts of people are no small groups; adults are at least ten, in three schools."""
    rows = _measured(release).filter(pl.col("symbol").is_null())
    few = rows.filter(_is_people & pl.col("people").is_between(1, pl.col("minimum") - 1))
    leaks = [("count", f"people of {_said(row)}", "they are shown and fewer than the minimum") for row in few.to_dicts()]
    top = rows.filter(
        pl.col("numerator_of").is_in(PEOPLE)
        & (pl.col("unit") != "share")
        & pl.col("numerator").is_between(1, pl.col("minimum") - 1)
    )
    leaks += [("count", f"numerator of {_said(row)}", "it is shown and fewer than the minimum") for row in top.to_dicts()]
    adults = rows.filter(pl.col("of") == "adults")
    thin = adults.filter((pl.col("people") >= 1) & ((pl.col("people") < _FEW_ADULTS) | (pl.col("n_schools") < _FEW_SCHOOLS)))
    leaks += [
        ("count", f"adults of {_said(row)}", "fewer than ten adults or than three schools are shown") for row in thin.to_dicts()
    ]
    return Looked("shown counts", rows.height, tuple(dict.fromkeys(leaks)))


def shown_shares(release: Published) -> Looked:
    """A share of people is shown only where those above and those below are no small group."""
    rows = _measured(release).filter(
        pl.col("symbol").is_null()
        & (pl.col("unit") == "share")
        & pl.col("of").is_in(PEOPLE)
        & pl.col("numerator_of").is_in(PEOPLE)
    )
    top = pl.coalesce("numerator", (pl.col("value") * pl.col("people")).round(0))
    below = pl.col("people") - top
    few = rows.filter(
        (pl.col("people") > 0)
        & ((pl.col("people") < 2 * (pl.col("minimum") + 1)) | (top < pl.col("minimum")) | (below < pl.col("minimum")))
        & top.is_not_null()
    )
    return Looked(
        "shown shares",
        rows.height,
        tuple(("range", _said(row), "a share is shown where a range or nothing was due") for row in few.to_dicts()),
    )


def ranges(release: Published) -> Looked:
    """A range is the one fixed range for its number of people, and never narrower than the minimum."""
    rows = values_of(release).filter(pl.col("symbol") == "r").with_columns(minimum_expression(release).alias("minimum"))
    if rows.is_empty():
        return Looked("ranges", 0)
    n = pl.coalesce("denominator", pl.col("n").cast(pl.Float64))
    rows = rows.with_columns(n.alias("people"))
    parts = range_parts(rows["people"].fill_null(0).to_numpy().astype(np.int64), rows["minimum"].to_numpy().astype(np.int64))
    rows = rows.with_columns(pl.Series("k", parts))
    width = 1 / pl.col("k")
    low = ((pl.col("at_least").abs() < _CLOSE) & ((pl.col("at_most") - width).abs() < _CLOSE)).fill_null(False)
    high = (((pl.col("at_least") - 1 + width).abs() < _CLOSE) & ((pl.col("at_most") - 1).abs() < _CLOSE)).fill_null(False)
    odd = rows.filter((pl.col("k") == 0) | pl.col("people").is_null() | ~(low | high))
    return Looked(
        "ranges",
        rows.height,
        tuple(("range", _said(row), "its range is not the fixed one for its number of people") for row in odd.to_dicts()),
    )


def estimates(release: Published) -> Looked:
    """An estimate is shown only where every count that it is fitted to is shown exactly."""
    table = release.tables.get("indicators")
    if table is None or "estimated_from" not in table.columns:
        return Looked(
            "estimates", 0, (), ("indicators.estimated_from: the release does not say what its estimates are fitted to",)
        )
    source = table.select("indicator_id", pl.col("estimated_from").fill_null("").alias("from")).filter(pl.col("from") != "")
    values = values_of(release)
    known = {*table["indicator_id"].to_list()}
    told = pl.any_horizontal(pl.col(name).is_not_null() for name in ("value", "standard_error", "lower", "upper"))
    # How many groups a spread is over is no estimate of people.
    is_number_of_groups = (pl.col("unit") == "networks").fill_null(value=False)
    shown = values.filter(told & ~pl.col("is_hidden") & ~is_number_of_groups).join(source, on="indicator_id")
    shown = shown.with_columns(pl.when(pl.col("from") == "category").then("category").otherwise("from").alias("base"))
    lost = [
        f"estimates of {i}: no indicator {b}"
        for i, b in shown.select("indicator_id", "base").unique().sort("indicator_id", "base").rows()
        if b not in known
    ]
    shown = shown.filter(pl.col("base").is_in(list(known)))
    group = pl.col("subgroup").fill_null("all")
    exact = (
        pl.col("symbol").is_null()
        & pl.coalesce("numerator", "value").is_not_null()
        & pl.coalesce("denominator", "n").is_not_null()
    )
    bases = values.filter(pl.col("indicator_id").is_in(shown["base"].unique().to_list()))
    bases = bases.select(
        pl.col("indicator_id").alias("base"),
        "district",
        "school_year",
        "grade",
        group.alias("group"),
        *_PARTS,
        "course",
        "is_hidden",
        "symbol",
        exact.alias("exact"),
    )
    reference, unknown = _references(release, shown)
    lost += unknown
    spread = pl.col("statistic").fill_null("").str.contains(_SPREAD)
    leaks: list[tuple[str, str, str]] = []
    own = shown.with_columns(group.alias("group")).with_columns(spread.alias("is_spread"))
    both = pl.concat([own, own.drop("group").join(reference, on=["indicator_id", "subgroup"], how="inner").select(own.columns)])
    on = ["base", "district", "school_year", "grade", "group", *_PARTS]
    totals = both.filter(~pl.col("is_spread"))
    state = bases.group_by(on).agg(
        pl.col("is_hidden").any().alias("any_hidden"), (pl.col("exact") | ~pl.col("is_hidden")).all().alias("all_exact")
    )
    matched = totals.join(state, on=on, how="left", nulls_equal=True)
    anywhere = bases.select("base", "district", "school_year").unique()
    bad = matched.filter(pl.col("any_hidden").fill_null(False))
    leaks += [("estimate", _said(row), f"counts of {row['base']} behind it are not all shown") for row in bad.to_dicts()]
    absent = matched.filter(pl.col("any_hidden").is_null()).join(anywhere, on=["base", "district", "school_year"], how="semi")
    absent = absent.filter(pl.col("grade").is_not_null() & pl.col("unit").str.contains("SD|points|variance").fill_null(False))
    leaks += [("estimate", _said(row), f"counts of {row['base']} behind it are not published") for row in absent.to_dicts()]
    spreads = both.filter(pl.col("is_spread"))
    networks = bases.filter(pl.col("network_id").is_not_null() & pl.col("course").is_null()).group_by(
        "base", "district", "school_year", "group"
    )
    hidden = networks.agg(pl.col("is_hidden").any().alias("any_hidden"))
    bad = spreads.join(hidden, on=["base", "district", "school_year", "group"], how="inner", nulls_equal=True).filter(
        "any_hidden"
    )
    leaks += [
        ("estimate", _said(row), f"values of {row['base']} that it spreads over are not all shown") for row in bad.to_dicts()
    ]
    return Looked("estimates", shown.height, tuple(dict.fromkeys(leaks)), tuple(lost))


_PARTS = ("network_id", "school_level", "school_set")


def _references(release: Published, shown: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """The group that a gap is measured against: the other part of the whole that the declared relations name."""
    schema = {"indicator_id": pl.String, "subgroup": pl.String, "group": pl.String}
    gaps = shown.group_by("indicator_id").agg(
        (pl.col("subgroup").fill_null("all") == "all").any().alias("has_all"), pl.col("subgroup").unique()
    )
    gaps = gaps.filter(~pl.col("has_all")).explode("subgroup").drop("has_all").drop_nulls()
    relations = declared(release, "relations")
    if gaps.is_empty() or relations is None:
        return pl.DataFrame(schema=schema), []
    parts = relations.filter(pl.col("column") == "subgroup").select("relation", "part").drop_nulls()
    twos = parts.filter(pl.len().over("relation") == 2)
    pairs = twos.join(twos, on="relation", suffix="_other").filter(pl.col("part") != pl.col("part_other"))
    made = gaps.join(
        pairs.select(pl.col("part").alias("subgroup"), pl.col("part_other").alias("group")).unique(), on="subgroup", how="left"
    )
    lost = made.filter(pl.col("group").is_null())
    return made.drop_nulls().select(*schema), [
        f"gaps of {i}, {g}: no relation names its reference group" for i, g in lost.select("indicator_id", "subgroup").rows()
    ]


def differences(release: Published) -> Looked:
    """A difference of two shares beside one of them gives the other: none is shown where a share of the same place is hidden."""
    values = values_of(release)
    told = pl.any_horizontal(pl.col(name).is_not_null() for name in ("value", "lower", "upper", "standard_error"))
    rows = values.filter(pl.col("unit").str.contains(_DIFFERENCE).fill_null(False) & told & ~pl.col("is_hidden"))
    rows = rows.filter(~pl.col("statistic").fill_null("").str.contains(_SPREAD))
    place = ["indicator_id", *(name for name in KEY if name != "statistic")]
    shares = values.filter(pl.col("is_hidden") & (pl.col("unit") == "share")).select(place).unique()
    whole = shares.filter(pl.col("subgroup") == "all").drop("subgroup")
    bad = pl.concat(
        [
            rows.join(shares, on=place, how="semi", nulls_equal=True),
            rows.join(whole, on=[name for name in place if name != "subgroup"], how="semi", nulls_equal=True),
        ]
    ).unique("row", maintain_order=True)
    return Looked(
        "differences",
        rows.height,
        tuple(("estimate", _said(row), "a share that the difference is made of is hidden") for row in bad.to_dicts()),
    )


def intervals_without_n(release: Published) -> Looked:
    """A shown share without its n: the interval or the standard error gives n back."""
    rows = _measured(release).filter(
        pl.col("symbol").is_null()
        & (pl.col("unit") == "share")
        & _is_people
        & pl.col("people").is_null()
        & pl.col("value").is_not_null()
    )
    rows = rows.filter((pl.col("lower").is_not_null() & pl.col("upper").is_not_null()) | pl.col("standard_error").is_not_null())
    leaks = [
        ("interval", _said(row), "n and the numerator follow from its interval or standard error")
        for row in rows.to_dicts()
        if numbers_behind(row)
    ]
    return Looked("intervals", rows.height, tuple(leaks))


def numbers_behind(row: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Every (numerator, n) that gives this share and this Wilson interval of 95 % or standard error (Wilson 1927)."""
    n = np.arange(1, _LARGEST_N + 1, dtype=np.float64)
    share = float(row["value"])
    numerator = np.rint(share * n)
    fits = np.abs(numerator / n - share) < _CLOSE
    p = numerator / n
    if row.get("lower") is not None and row.get("upper") is not None:
        centre = (p + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
        half = _Z95 * np.sqrt(p * (1 - p) / n + _Z95**2 / (4 * n * n)) / (1 + _Z95**2 / n)
        fits &= (np.abs(centre - half - row["lower"]) < 1e-4) & (np.abs(centre + half - row["upper"]) < 1e-4)
    elif row.get("standard_error") is not None:
        error = float(row["standard_error"])
        fits &= (np.abs(np.sqrt(p * (1 - p) / n) - error) < 1e-5) | (
            np.abs(np.sqrt(p * (1 - p) / np.maximum(n - 1, 1)) - error) < 1e-5
        )
    return tuple(zip(numerator[fits].astype(int).tolist(), n[fits].astype(int).tolist(), strict=True))


def spreads_of_few(release: Published) -> Looked:
    """Quantiles of one or two schools or networks are those schools' and networks' own numbers."""
    values = values_of(release)
    rows = values.filter(
        pl.col("statistic").fill_null("").str.contains(_SPREAD) & pl.col("value").is_not_null() & ~pl.col("is_hidden")
    )
    place = ["indicator_id", *(name for name in KEY if name != "statistic")]
    units = values.filter((pl.col("unit") == "networks") & pl.col("value").is_not_null()).select(
        *place, pl.col("value").alias("n_units")
    )
    rows = rows.join(units.unique(place), on=place, how="left", nulls_equal=True)
    few = rows.filter((pl.col("n_units") < _FEW_UNITS) | (pl.col("n_units").is_null() & (pl.col("n") < _FEW_UNITS)))
    return Looked(
        "spreads", rows.height, tuple(("estimate", _said(row), "quantiles of fewer than three units") for row in few.to_dicts())
    )


def comparisons(release: Published) -> Looked:
    """A pair with a hidden side shows no number, no finding and no verdict of its own, and its text names no number."""
    table = release.tables.get("comparisons")
    if table is None or table.is_empty():
        return Looked("comparisons", 0)
    known = values_of(release).filter(pl.all_horizontal(pl.col(name).is_null() for name in ("network_id", "unit_id")))
    key = [name for name in KEY if name not in ("unit_type", "unit_id", "network_id")]
    sides = ["indicator_id", "unit", *key]
    table = table.with_columns(pl.lit(None, pl.String).alias(name) for name in key if name not in table.columns)
    facts = known.select(*sides, "is_hidden", pl.col("symbol").is_null().alias("is_shown"), pl.col("value").alias("told_value"))
    facts = facts.group_by(sides).agg(
        pl.col("is_hidden").any(), pl.col("is_shown").any(), pl.col("told_value").drop_nulls().unique()
    )
    pairs = table.with_row_index("pair").with_columns(pl.col(name).cast(pl.String) for name in sides if name in table.columns)
    # A unit of measure that the table of comparisons does not carry cannot tell rows apart.
    if "unit" not in table.columns:
        sides = [name for name in sides if name != "unit"]
        facts = facts.group_by(sides).agg(
            pl.col("is_hidden").any(), pl.col("is_shown").any(), pl.col("told_value").list.explode()
        )
    first = pairs.select("pair", *sides).join(facts, on=sides, how="left", nulls_equal=True)
    second = pairs.select(
        "pair",
        *(
            pl.col(f"other_{name}").cast(pl.String).alias(name)
            if name in COMPARISON_SIDES and f"other_{name}" in pairs.columns
            else name
            for name in sides
        ),
    ).join(facts, on=sides, how="left", nulls_equal=True)
    districts = known["district"].drop_nulls().unique().to_list()
    is_district = second["district"].is_in(districts).fill_null(False)
    pairs = pairs.with_columns(
        first["is_hidden"].fill_null(False).alias("hidden_1"),
        second["is_hidden"].fill_null(False).alias("hidden_2"),
        first["is_shown"].fill_null(False).alias("shown_1"),
        (second["is_shown"].fill_null(False) | ~is_district).alias("shown_2"),
        first["told_value"].alias("told_1"),
        second["told_value"].alias("told_2"),
    )
    numbers = [name for name in COMPARISON_NUMBERS if name in pairs.columns]
    has_number = pl.any_horizontal(pl.col(name).is_not_null() for name in numbers)
    is_hidden = pl.col("hidden_1") | pl.col("hidden_2")
    leaks = [
        ("comparison", _pair(row), "numbers beside a hidden side") for row in pairs.filter(is_hidden & has_number).to_dicts()
    ]
    spoken = is_hidden & ~has_number & (~pl.col("verdict").is_in(["suppressed", "no_data"]) | pl.col("finding").is_not_null())
    leaks += [
        ("comparison", _pair(row), "a verdict or a finding beside a hidden side") for row in pairs.filter(spoken).to_dicts()
    ]
    unheard = ~is_hidden & (
        (pl.col("value").is_not_null() & ~pl.col("shown_1")) | (pl.col("other_value").is_not_null() & ~pl.col("shown_2"))
    )
    leaks += [
        ("comparison", _pair(row), "a number that the table of values does not show") for row in pairs.filter(unheard).to_dicts()
    ]
    texts = [name for name in ("reason", "remedy", "flags") if name in pairs.columns]
    grades = r"\b(?:19|20)\d\d-\d\d\b|(?i)\bgrades? [\dA-Z_, -]+|algebra [12]"
    said = (
        pl.any_horizontal(pl.col(name).fill_null("").str.replace_all(grades, "").str.contains(_DIGITS) for name in texts)
        if texts
        else pl.lit(False)
    )
    leaks += [
        ("text", _pair(row), "a number in the text beside a hidden side") for row in pairs.filter(is_hidden & said).to_dicts()
    ]
    return Looked("comparisons", pairs.height, tuple(dict.fromkeys(leaks)))


def other_tables(release: Published) -> Looked:
    """Counts of students in the tables that are no table of values."""
    leaks: list[tuple[str, str, str]] = []
    n = 0
    for name in ("school_changes", "district_context"):
        table = release.tables.get(name)
        if table is None:
            continue
        counts = [c for c in table.columns if c.startswith("n_") and "schools" not in c and table.schema[c].is_numeric()]
        table = table.with_columns(minimum_expression(release).alias("minimum"))
        n += table.height * len(counts)
        for column in counts:
            few = table.filter(pl.col(column).is_between(1, pl.col("minimum") - 1))
            leaks += [
                ("table", f"{name}.{column}, {_place(row)}", "it is shown and fewer than the minimum") for row in few.to_dicts()
            ]
            if name == "district_context" and column != "n_enrolled" and "n_enrolled" in counts:
                rest = table.filter((pl.col("n_enrolled") - pl.col(column)).is_between(1, pl.col("minimum") - 1))
                leaks += [
                    ("table", f"{name}, those not in {column}, {_place(row)}", f"n_enrolled less {column}")
                    for row in rest.to_dicts()
                ]
    tests = release.tables.get("link_backtest")
    if tests is not None and {"district", "school_year", "grade", "instrument", "n"} <= {*tests.columns}:
        rows = tests.with_columns(minimum_expression(release).alias("minimum")).filter(pl.col("n").is_not_null())
        n += rows.height
        few = rows.filter(pl.col("n").is_between(1, pl.col("minimum") - 1))
        leaks += [
            ("table", f"link_backtest.n, {_place(row)}", "it is shown and fewer than the minimum") for row in few.to_dicts()
        ]
        place = ["district", "school_year", "grade", "instrument"]
        whole = pl.all_horizontal(pl.col(part).is_null() for part in _PARTS) & (pl.col("subgroup").fill_null("all") == "all")
        roles = declared(release, "counts")
        tested = (
            roles.filter((pl.col("role") == "denominator") & pl.col("of").is_in(PEOPLE))["indicator_id"].to_list()
            if roles is not None
            else []
        )
        values = values_of(release).filter(whole & pl.col("instrument").is_not_null() & pl.col("indicator_id").is_in(tested))
        state = values.group_by(place).agg(
            pl.col("is_hidden").any().alias("any_hidden"),
            (pl.col("denominator").is_not_null() | pl.col("n").is_not_null()).any().alias("any_n"),
        )
        hidden = rows.join(state.filter(pl.col("any_hidden") & ~pl.col("any_n")), on=place, how="semi", nulls_equal=True)
        leaks += [
            ("table", f"link_backtest.n, {_place(row)}", "the number tested is hidden in the table of values")
            for row in hidden.to_dicts()
        ]
    return Looked("other tables", n, tuple(dict.fromkeys(leaks)))


def manifest(release: Published) -> Looked:
    """A plain digest of what was delivered lets anybody test a guess of it."""
    found: list[str] = []
    seen = 0

    def walk(node: Any, path: str, in_inputs: bool) -> None:
        nonlocal seen
        if isinstance(node, Mapping):
            for key, child in node.items():
                seen += 1
                name = str(key)
                is_plain = name == "delivery_sha256" or (in_inputs and bool(_PLAIN_DIGEST.match(name)))
                is_bare = in_inputs and isinstance(child, str) and bool(_HEX.match(child)) and "keyed" not in name
                if (is_plain or is_bare) and child is not None:
                    found.append(f"{path}{name}")
                walk(child, f"{path}{name}.", in_inputs or name == "inputs")
        elif isinstance(node, list | tuple):
            for child in node:
                if in_inputs and isinstance(child, str) and _HEX.match(child):
                    found.append(path.rstrip("."))
                walk(child, path, in_inputs)

    walk(release.manifest, "", False)
    return Looked(
        "manifest",
        seen,
        tuple(("manifest", f"manifest {path}", "a digest without a key of what was delivered") for path in dict.fromkeys(found)),
    )


def unknown_shapes(release: Published) -> Looked:
    """Numbers that no route and no attack knows: told, because nobody asked about them."""
    return Looked("unknown shapes", len(release.tables), (), not_known(release))


def changed_by_few(release: Published, earlier: Published) -> Looked:
    """The same count of people shown in two releases: when it changed by a few, the difference tells of those few."""
    on = ["indicator_id", "unit", *KEY]
    now, before = (
        _measured(release),
        _measured(earlier.__class__(earlier.release_id, earlier.manifest, {**earlier.tables, **_declarations(release)})),
    )
    facts = (pl.col("symbol").is_null() | (pl.col("symbol") == "r")) & _is_people & pl.col("people").is_not_null()
    of_parts = (pl.col("unit") == "share") & pl.col("numerator_of").is_in(PEOPLE)
    counts = [
        pl.col("people").alias("count_all"),
        pl.when(of_parts).then("numerator").alias("count_part"),
        pl.when(of_parts).then(pl.col("people") - pl.col("numerator")).alias("count_rest"),
    ]
    names = ("count_all", "count_part", "count_rest")
    both = (
        now.filter(facts)
        .with_columns(counts)
        .join(before.filter(facts).with_columns(counts).select(*on, *names), on=on, nulls_equal=True, suffix="_before")
    )
    changed = ((pl.col(name) - pl.col(f"{name}_before")).abs() for name in names)
    few = both.filter(pl.any_horizontal(one.is_between(0.5, pl.col("minimum") - 0.5).fill_null(False) for one in changed))
    leaks = [
        ("earlier", f"the people that differ: {_said(row)}", f"its counts here and in release {earlier.release_id}")
        for row in few.to_dicts()
    ]
    n = both.height
    for name in ("district_context", "link_backtest", "school_changes"):
        beside = _changed_beside(release, earlier, name)
        n += beside.n_asked
        leaks += beside.leaks
    return Looked("earlier: changed by few", n, tuple(leaks))


def _changed_beside(release: Published, earlier: Published, name: str) -> Looked:
    """The same for numbers of people in the tables that are no table of values."""
    table, before = release.tables.get(name), earlier.tables.get(name)
    if table is None or before is None:
        return Looked(name, 0)
    on = [c for c in ("district", "school_year", "school_level", "grade", "instrument", "change") if c in table.columns]
    counts = [c for c in table.columns if (c == "n" or c.startswith("n_")) and "schools" not in c and c in before.columns]
    if not {*on} <= {*before.columns} or not on:
        return Looked(name, 0)
    told = before.select(*on, *(pl.col(c).alias(f"{c}_before") for c in counts))
    both = table.with_columns(minimum_expression(release).alias("minimum")).join(told, on=on, nulls_equal=True)
    leaks: list[tuple[str, str, str]] = []
    for c in counts:
        apart = (pl.col(c) - pl.col(f"{c}_before")).abs()
        leaks += [
            ("earlier", f"the people that differ: {name}.{c}, {_place(row)}", f"it here and in release {earlier.release_id}")
            for row in both.filter(apart.is_between(1, pl.col("minimum") - 1)).to_dicts()
        ]
    return Looked(name, both.height * len(counts), tuple(leaks))


def _declarations(release: Published) -> dict[str, pl.DataFrame]:
    return {name: release.tables[name] for name in ("counts", "indicators", "districts") if name in release.tables}


ROUTES: tuple[Callable[[Published], Looked], ...] = (
    hidden_rows_with_numbers,
    non_respondents,
    shown_counts,
    shown_shares,
    ranges,
    estimates,
    differences,
    intervals_without_n,
    spreads_of_few,
    comparisons,
    other_tables,
    manifest,
    unknown_shapes,
)


_is_people = pl.col("of").is_in(PEOPLE).fill_null(False)


def _measured(release: Published) -> pl.DataFrame:
    """Values with what they count: `of` (denominator or n), `numerator_of`, `people` (denominator, else n), `minimum`."""
    values = values_of(release).with_columns(minimum_expression(release).alias("minimum"))
    counts = declared(release, "counts")
    schema = {"indicator_id": pl.String, "statistic": pl.String, "of": pl.String, "role": pl.String}
    counts = pl.DataFrame(schema=schema) if counts is None else counts.select(*schema)
    for role, name in (("denominator", "declared_of"), ("numerator", "numerator_of")):
        own = counts.filter(pl.col("role") == role).drop("role").unique(["indicator_id", "statistic"])
        values = values.join(
            own.filter(pl.col("statistic").is_not_null()).rename({"of": "of_special"}),
            on=["indicator_id", "statistic"],
            how="left",
        )
        general = own.filter(pl.col("statistic").is_null()).drop("statistic").rename({"of": "of_general"})
        values = values.join(general, on="indicator_id", how="left").with_columns(
            pl.coalesce("of_special", "of_general").alias(name)
        )
        values = values.drop("of_special", "of_general")
    table = release.tables.get("indicators")
    if table is not None and "counts" in table.columns:
        values = values.join(
            table.select("indicator_id", pl.col("counts").alias("counted")).unique("indicator_id"), on="indicator_id", how="left"
        )
    else:
        values = values.with_columns(pl.lit(None, pl.String).alias("counted"))
    return values.with_columns(
        pl.coalesce("declared_of", "counted").alias("of"),
        pl.coalesce("denominator", pl.col("n").cast(pl.Float64)).alias("people"),
    )


def _said(row: Mapping[str, Any]) -> str:
    split = [
        f"{name} {row[name]}" for name in KEY[2:] if row.get(name) is not None and (name, row[name]) != ("unit_type", "district")
    ]
    return ", ".join(
        [str(row["indicator_id"]), row.get("district") or "all districts", row.get("school_year") or "no year", *split]
    )


def _pair(row: Mapping[str, Any]) -> str:
    sides = [
        f"{row.get(name)} and {row.get('other_' + name)}"
        for name in ("district", "school_year", "subgroup")
        if row.get(name) != row.get("other_" + name)
    ]
    kind = row.get("comparison") or "pair"
    return f"{kind}: {_said(row)}" + (f" ({'; '.join(sides)})" if sides else "")


def _place(row: Mapping[str, Any]) -> str:
    names: Iterable[str] = ("district", "school_year", "school_level", "change", "grade", "instrument")
    return ", ".join(str(row[name]) for name in names if row.get(name) is not None)
