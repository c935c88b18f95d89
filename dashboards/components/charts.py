"""Every chart of the dashboard, in one style.

A chart is a Vega-Lite specification, kept because building one costs more than drawing it. Colours are fixed by the districts'
alphabetical order; what a chart shows is also said in words beside it. Choosing the rows belongs to the sections, queries to
`release_data`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl
import streamlit as st

from dashboards.components.amounts import Unit

INK, QUIET, GRID, BAND = "#1B2430", "#56616F", "#E3E7EC", "#DCE9D5"
FONT = '"Source Sans", "Source Sans Pro", sans-serif'
# Distinguishable with the common kinds of colour blindness and at least 3.5:1 against white (after Okabe & Ito, and P. Tol).
PALETTE = ("#0072B2", "#C44E00", "#117733", "#882255", "#8F6B00", "#332288", "#AA4499", "#3F6F73")
PANEL_WIDTH, WIDE_PANEL_WIDTH = 360, 520
_LABEL_WIDTH = 118
_AXIS_HEIGHT = 46
_LABELS_BROKEN = "split(datum.label, '\\n')"
_LINE_HEIGHT = 12


def district_colours(codes: Sequence[str]) -> dict[str, str]:
    """A fixed colour for each district: by alphabetical order of the codes, whatever is shown."""
    return {code: PALETTE[place % len(PALETTE)] for place, code in enumerate(sorted(codes))}


@dataclass(frozen=True)
class Axis:
    """The axis of values: its ends, its title, what stands around a number on it, and whether bars start at its zero.

    Without bars a value is a dot: where zero means nothing, and for differences, whose side of zero is what counts.
    """

    low: float
    high: float
    title: str
    before: str = ""
    mark: str = ""
    is_bars: bool = True

    @property
    def label(self) -> str:
        """The Vega expression for a number on the axis."""
        return f"replace('{self.before}' + format(datum.value, ',~f'), '$-', '-$') + '{self.mark}'"


def axis_for(rows: pl.DataFrame, unit: Unit, *, is_share: bool = False) -> Axis:
    """The axis that holds all values and intervals of `rows`, in the unit that is shown; a share's goes from 0 to 100 %."""
    ends = pl.concat([rows["value"], rows["lower"], rows["upper"]]).drop_nulls().to_list()
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    if is_share:
        low, high = 0.0, max(100.0, high)
    elif unit.has_zero:
        low, high = min(0.0, low), max(0.0, high)
    if low == high:
        low, high = (low, low + 1.0) if unit.has_zero else (low - 0.5, low + 0.5)
    margin = 0.0 if unit.has_zero and low == 0 and not unit.is_difference else 0.06 * (high - low)
    is_bars = unit.has_zero and not unit.is_difference
    return Axis(low - margin, high, unit.axis, unit.before, unit.mark, is_bars)


@st.cache_data(show_spinner=False, max_entries=1024)
def bars(
    rows: pl.DataFrame,
    axis: Axis,
    band: tuple[float, float] | None = None,
    lines: tuple[tuple[float, bool], ...] = (),
) -> dict[str, Any]:
    """Horizontal bars (or dots, where the axis has no zero that means anything) with intervals, in the order of the rows.

    `rows` has `label` (lines broken by a newline), `value`, `lower`, `upper` (in the axis' unit; each may be null), `short` (text
    at the bar) and `colour`. A row without a value shows its text alone. `band`: a stretch of the axis that is marked.
    `lines`: values that are marked across all rows, each with whether its line is dashed. Where `rows` has `other`, a
    second value stands in each row as an open diamond.
    """
    reach = pl.max_horizontal("value", "upper", 0.0 if axis.is_bars else "value").fill_null(max(axis.low, 0.0))
    is_missing = pl.col("value").is_null()
    kept = ["label", "value", "lower", "upper", "short", "colour", *(name for name in ("other",) if name in rows.columns)]
    data = _data(rows.select(*kept, end=reach, missing=is_missing, zero=0.0))
    y = alt.Y(
        "label:N",
        sort=rows["label"].to_list(),
        title=None,
        axis=alt.Axis(
            labelExpr=_LABELS_BROKEN,
            labelOffset=_middle_of_lines(),
            minExtent=_LABEL_WIDTH,
            maxExtent=_LABEL_WIDTH,
        ),
    )
    longest = max((len(text) for text in rows["short"].drop_nulls()), default=0)
    room = axis.high + (axis.high - axis.low) * (0.3 if longest <= 8 else 0.5)
    x = alt.X(
        "value:Q",
        title=axis.title,
        scale=alt.Scale(domain=[axis.low, room], nice=False, zero=False),
        axis=alt.Axis(values=_ticks(axis.low, axis.high), labelExpr=axis.label),
    )
    base = alt.Chart(data)
    paint = alt.Color("colour:N", scale=None, legend=None)
    if axis.is_bars:
        mark = base.mark_bar(height=16).encode(x=x, x2="zero:Q", y=y, color=paint)
    else:
        mark = base.mark_point(filled=True, size=80, opacity=1).encode(x=x, y=y, color=paint)
    interval = base.mark_rule(color=INK, strokeWidth=1.6).encode(x="lower:Q", x2="upper:Q", y=y)
    words = alt.condition("datum.missing", alt.value(QUIET), alt.value(INK))
    distance = 5 if axis.is_bars else 9
    text = base.mark_text(align="left", dx=distance, fontSize=12).encode(x="end:Q", y=y, text="short:N", color=words)
    layers: list[alt.Chart] = [mark, interval, text]
    if lines or axis.low < 0:
        # Numbers stay readable where a line runs through them.
        halo = base.mark_text(align="left", dx=distance, fontSize=12, stroke="white", strokeWidth=4, color="white")
        layers.insert(0, halo.encode(x="end:Q", y=y, text="short:N"))
    if "other" in rows.columns:
        diamond = base.mark_point(shape="diamond", filled=True, fill="white", stroke=INK, strokeWidth=2, size=110, opacity=1)
        layers.append(diamond.encode(x="other:Q", y=y))
    if axis.low < 0 <= axis.high:
        layers.insert(0, alt.Chart(_data(pl.DataFrame({"zero": [0.0]}))).mark_rule(color=QUIET).encode(x="zero:Q"))
    for place, is_dashed in lines:
        across = alt.Chart(_data(pl.DataFrame({"at": [place]})))
        layers.insert(0, across.mark_rule(color=QUIET, strokeDash=[5, 3] if is_dashed else [1, 0]).encode(x="at:Q"))
    if band:
        low, high = band
        marked = alt.Chart(_data(pl.DataFrame({"from": [low], "to": [high]})))
        layers.insert(0, marked.mark_rect(color=BAND).encode(x="from:Q", x2="to:Q"))
    n_lines = sum(label.count("\n") + 1 for label in rows["label"])
    return _styled(alt.layer(*layers), height=max(24 * rows.height, 14 * n_lines + 8 * rows.height) + _AXIS_HEIGHT)


@st.cache_data(show_spinner=False, max_entries=1024)
def trend(
    rows: pl.DataFrame,
    breaks: Sequence[float],
    axis: Axis,
    height: int = 190,
    years: tuple[int, int] | None = None,
    zero: bool = False,
) -> dict[str, Any]:
    """One district's values over the years, joined only within a run.

    `rows` has `start` (year in which the school year starts), `value`, `lower`, `upper` (bounds may be null), `run`
    (values of one run may be joined), `short` and `colour`. `breaks` are positions between years where the test or the instrument
    changed. `years`: the first and the last year that the axis holds, where panels share it. `zero`: a line at 0 is drawn.
    """
    reach = pl.max_horizontal("value", "upper")
    data = _data(rows.select("start", "value", "lower", "upper", "run", "short", "colour", end=reach))
    first, last = years or (int(rows["start"].min()), int(rows["start"].max()))  # type: ignore[arg-type]
    span = list(range(first, last + 1))
    shown = span if len(span) <= 5 else span[:: -(-len(span) // 5)]
    x = alt.X(
        "start:Q",
        title=None,
        scale=alt.Scale(domain=[first - 0.5, last + 0.5], nice=False),
        axis=alt.Axis(
            values=shown,
            grid=False,
            labelExpr="datum.value + '-' + slice(toString(datum.value + 1), 2)",
        ),
    )
    y = alt.Y(
        "value:Q",
        title=axis.title if height >= 190 else None,
        scale=alt.Scale(domain=[axis.low, axis.high], zero=False, nice=False),
        axis=alt.Axis(tickCount=4 if height >= 190 else 3, labelExpr=axis.label),
    )
    base = alt.Chart(data)
    paint = alt.Color("colour:N", scale=None, legend=None)
    line = base.mark_line(strokeWidth=2).encode(x=x, y=y, detail="run:N", color=paint)
    interval = base.mark_rule(color=INK, strokeWidth=1.6).encode(x=x, y="lower:Q", y2="upper:Q")
    point = base.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, color=paint)
    text = base.mark_text(dy=-9, color=INK, fontSize=11).encode(x=x, y="end:Q", text="short:N")
    layers: list[alt.Chart] = [line, interval, point, *([text] if rows.height <= 6 and rows["start"].is_unique().all() else [])]
    if zero:
        layers.insert(0, alt.Chart(_data(pl.DataFrame({"zero": [0.0]}))).mark_rule(color=QUIET).encode(y="zero:Q"))
    if breaks:
        marks = alt.Chart(_data(pl.DataFrame({"start": list(breaks)})))
        layers.insert(0, marks.mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=x))
    return _styled(alt.layer(*layers), height=height)


def trend_axis(rows: pl.DataFrame, unit: Unit) -> Axis:
    """The vertical axis of values over the years: it holds all values and intervals, and need not hold zero."""
    ends = pl.concat([rows["value"], rows["lower"], rows["upper"]]).drop_nulls().sort()
    low, high = (ends[0], ends[-1]) if len(ends) else (0.0, 1.0)
    room = 0.12 * (high - low) or (0.1 * abs(high) or 1.0)
    return Axis(low - room, high + 2 * room, unit.axis, unit.before, unit.mark, is_bars=False)


def tint(colour: str) -> str:
    """A `#RRGGBB` colour half way to white."""
    return "#" + "".join(f"{(int(colour[place : place + 2], 16) + 255) // 2:02X}" for place in (1, 3, 5))


def _middle_of_lines() -> dict[str, Any]:
    """A label of several lines starts higher, so that its middle stands at its bar."""
    lines = f"length({_LABELS_BROKEN})"
    conditions = [{"test": f"{lines} == {count}", "value": -_LINE_HEIGHT * (count - 1) / 2} for count in (2, 3, 4, 5)]
    return {"condition": conditions, "value": 0}


def _ticks(low: float, high: float) -> list[float]:
    """About four round steps between `low` and `high`."""
    span = high - low
    magnitude = 10.0 ** math.floor(math.log10(span))
    step = next(magnitude * part for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5) if span / (magnitude * part) <= 4.5)
    first = math.ceil(low / step - 1e-9)
    return [round(step * place, 6) for place in range(first, math.floor(high / step + 1e-9) + 1)]


def _data(rows: pl.DataFrame) -> alt.InlineData:
    return alt.InlineData(values=rows.to_dicts())


def _styled(chart: alt.LayerChart, height: int) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "labelColor": INK,
        "titleColor": QUIET,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": GRID,
        "domainColor": QUIET,
        "tickColor": QUIET,
        "labelLimit": 200,
        "labelFont": FONT,
        "titleFont": FONT,
    }
    styled: dict[str, Any] = (
        chart.properties(height=height, width="container")
        .configure(font=FONT, background="transparent", padding=2, aria=False)
        .configure_axis(**axis)
        .configure_axisY(grid=False, ticks=False)
        .configure_view(stroke=None)
        .to_dict()
    )
    return styled
