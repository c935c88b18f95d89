"""How amounts are said: a number in its unit, in words and digits, with its interval.

A unit is what a release calls one (`share`, `USD`, `difference_of_shares`, `teachers per FTE`); an unknown one is said as it
stands. A share may be shown as a protected range instead of a number: it is then said by its ends, never by its middle. Which
number is shown where does not belong here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from pipelines.wording.labels import RATINGS, SYMBOLS, flag_words


@dataclass(frozen=True)
class Unit:
    """How a unit is said and drawn.

    `factor` turns the release's number into the one shown; `digits` after the point (None: as few as the size asks for);
    `before` and `after` stand around a number in a text, `mark` after one in a chart; `axis` names the axis. `is_difference`:
    below zero is as ordinary as above, and the sign is said. `has_zero`: the length from zero means something. `names`: numbers
    that are said as words instead.
    """

    factor: float = 1.0
    digits: int | None = None
    before: str = ""
    after: str = ""
    mark: str = ""
    axis: str = ""
    is_difference: bool = False
    has_zero: bool = True
    names: Mapping[float, str] = field(default_factory=dict)


_POINTS = Unit(100.0, 1, after=" percentage points", axis="percentage points", is_difference=True)
_DOLLARS = Unit(before="$", axis="US dollars")
_UNITS = {
    "share": Unit(100.0, 1, after=" %", mark=" %", axis="share"),
    "difference_of_shares": _POINTS,
    "percentage_points": Unit(1.0, 1, after=" percentage points", axis="percentage points", is_difference=True),
    "usd": _DOLLARS,
    "share_of_fte": Unit(100.0, 1, after=" %", mark=" %", axis="share of full-time equivalents (FTE)"),
    "ratio": Unit(digits=2, axis="ratio"),
    "naep_points": Unit(digits=1, after=" NAEP points", axis="NAEP points", has_zero=False),
    "accomplished": Unit(axis="rating", names={0.0: "not accomplished", 1.0: "accomplished"}),
    "rating": Unit(axis="rating", names={float(place): word for place, word in enumerate(RATINGS, 1)}),
    "months": Unit(digits=1, after=" months", axis="months"),
    "hours": Unit(digits=1, after=" hours", axis="hours"),
    "points": Unit(digits=2, after=" points", axis="points on the instrument's scale", has_zero=False),
    "state_sd": Unit(digits=2, after=" state SD", axis="state SD", is_difference=True),
    "share_of_variance": Unit(100.0, 1, after=" % of the variance", mark=" %", axis="share of the variance between students"),
    "sd": Unit(digits=2, after=" SD", axis="standard deviations (SD)", is_difference=True),
    "count": Unit(axis="number"),
    "fte": Unit(digits=1, after=" FTE", axis="full-time equivalents (FTE)"),
}
_ALIASES = {"pp": "percentage_points", "dollars": "usd", "number": "count", "difference": "difference_of_shares"}


def unit_of(code: str | None) -> Unit:
    """How a unit is said; no unit is a plain number."""
    if not code:
        return Unit(axis="number")
    known = code.strip().lower().replace(" ", "_")
    if known in _ALIASES or known in _UNITS:
        return _UNITS[_ALIASES.get(known, known)]
    spoken = code.replace("_", " ").strip()
    return Unit(after=f" {spoken}", axis=spoken)


def difference_of(code: str | None) -> Unit:
    """How the difference of two values of a unit is said: of two shares in percentage points, of two ratings in steps."""
    unit = unit_of(code)
    if unit.names:
        return Unit(digits=0, after=" steps of the rating", axis="steps of the rating", is_difference=True)
    return _POINTS if unit.mark == " %" else replace(unit, is_difference=True, has_zero=True)


def number(value: float, unit: Unit) -> str:
    """A number as digits, in the unit that is shown and without its words: `62.1`, `1,234`, `+3.2`."""
    if value in unit.names:
        return unit.names[value]
    shown = value * unit.factor
    digits = _digits(shown) if unit.digits is None else unit.digits
    if unit.before and digits:
        digits = 2
    text = f"{abs(shown):,.{digits}f}"
    is_zero = not text.strip("0.,")
    sign = "" if is_zero else "\u2212" if shown < 0 else "+" if unit.is_difference else ""
    return f"{sign}{unit.before}{text}"


def _digits(shown: float) -> int:
    if abs(shown) >= 100 or math.isclose(shown, round(shown), abs_tol=1e-9):
        return 0
    return 1 if abs(shown) >= 10 else 2


def said(value: float | None, unit: Unit) -> str | None:
    """A value in words and digits: `62.1 %`, `$1,234`, `4.5 months`; None where there is none."""
    if value is None:
        return None
    return number(value, unit) if value in unit.names else f"{number(value, unit)}{unit.after}"


def interval_said(lower: float | None, upper: float | None, unit: Unit) -> str | None:
    """Both ends of an interval: `60.0 to 64.2 %`; None where one is missing."""
    if lower is None or upper is None:
        return None
    return f"{number(lower, unit)} to {number(upper, unit)}{unit.after}"


def is_range() -> pl.Expr:
    """Whether a row shows a protected range in place of a number: it has no value, and both ends."""
    return pl.col("value").is_null() & pl.col("at_least").is_not_null() & pl.col("at_most").is_not_null()


def is_shown() -> pl.Expr:
    """Whether a row shows anything: a number or a protected range."""
    return pl.col("value").is_not_null() | is_range()


def range_said(at_least: float | None, at_most: float | None, unit: Unit) -> str | None:
    """A protected range: `at most 5 %`, `at least 95 %`; None where an end is missing."""
    if at_least is None or at_most is None:
        return None
    low, high = (f"{round(end * unit.factor, 6):g}" for end in (at_least, at_most))
    if at_least <= 0 < at_most < 1:
        return f"at most {high}{unit.after}"
    if 0 < at_least < 1 <= at_most:
        return f"at least {low}{unit.after}"
    return f"from {low} to {high}{unit.after}"


def with_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a few panels with what is said of each, and value, bounds and range in the unit that is shown.

    Adds `said`, `short` (as it stands at a mark in a chart), `interval_said`, `why` (neither number nor range: why), `marks` (the
    flags, in words) and `response_said`. A short text of a flagged value ends in ` *`.
    """
    known = {symbol: words[0] for symbol, words in SYMBOLS.items()}
    texts = [_texts(row, known) for row in rows.select(_SAID_FROM).iter_rows(named=True)]
    schema = dict.fromkeys(("said", "short", "interval_said", "why", "marks", "response_said"), pl.String)
    factors = {code: unit_of(code).factor for code in rows["unit"].drop_nulls().unique()}
    factor = pl.col("unit").replace_strict(factors, default=1.0, return_dtype=pl.Float64)
    return rows.with_columns(pl.col(name) * factor for name in ("value", "lower", "upper", "at_least", "at_most")).hstack(
        pl.DataFrame(texts, schema=schema, orient="row")
    )


def with_difference_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Pairs of values with what is said of their difference, and difference and bounds in the unit that is shown.

    `rows` has `difference`, `lower`, `upper` (each may be null) and `unit`, that of the two values. Adds `said`, `short` and
    `interval_said` (without the unit), and `value`, the difference, as a chart takes it.
    """
    texts, numbers = [], []
    for row in rows.select("difference", "lower", "upper", "unit").iter_rows(named=True):
        unit = difference_of(row["unit"])
        ends = [None if end is None else end * unit.factor for end in (row["difference"], row["lower"], row["upper"])]
        numbers.append(ends)
        short = None if row["difference"] is None else number(row["difference"], unit) + unit.mark
        texts.append((said(row["difference"], unit), short, interval_said(row["lower"], row["upper"], replace(unit, after=""))))
    added = pl.DataFrame(texts, schema=dict.fromkeys(("said", "short", "interval_said"), pl.String), orient="row")
    shown = pl.DataFrame(numbers, schema=dict.fromkeys(("value", "lower", "upper"), pl.Float64), orient="row")
    return rows.drop("value", "lower", "upper", strict=False).hstack(shown).hstack(added)


_SAID_FROM = ("value", "lower", "upper", "at_least", "at_most", "unit", "symbol", "flags", "response_rate")


def _texts(row: dict[str, object], known: dict[str, str]) -> tuple[str | None, ...]:
    value, lower, upper, rate = (_float(row[name]) for name in ("value", "lower", "upper", "response_rate"))
    code, flags = row["unit"], row["flags"]
    unit = unit_of(str(code) if code else None)
    marks = ", ".join(flag_words(str(flags) if flags else None)) or None
    response = None if rate is None else f"{100 * rate:.0f} %"
    if value is None:
        ends = range_said(_float(row["at_least"]), _float(row["at_most"]), unit)
        short = ends and f"{ends}{' *' if marks else ''}"
        return ends, short, None, None if ends else known.get(str(row["symbol"]), "no number"), marks, response
    short = f"{number(value, unit)}{unit.mark}{' *' if marks else ''}"
    return said(value, unit), short, interval_said(lower, upper, unit), None, marks, response


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
