"""Every chart of the dashboard, in one style: one panel describes one district.

A chart is a Vega-Lite specification, kept because building one costs more than drawing it. None puts two districts on one axis.
Colours are fixed by the districts' alphabetical order; what a chart shows is also said in words beside it.
Choosing the rows belongs to the sections, queries to `release_data`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl
import streamlit as st

INK, QUIET, GRID = "#1B2430", "#56616F", "#E3E7EC"
FONT = '"Source Sans", "Source Sans Pro", sans-serif'
# Distinguishable with the common kinds of colour blindness and at least 3.5:1 against white (after Okabe & Ito, and P. Tol).
PALETTE = ("#0072B2", "#C44E00", "#117733", "#882255", "#8F6B00", "#332288", "#AA4499", "#3F6F73")
PANEL_WIDTH, WIDE_PANEL_WIDTH = 340, 520
_LABEL_WIDTH = 118
_AXIS_HEIGHT = 40
_LABELS_BROKEN = "split(datum.label, '\\n')"
_LINE_HEIGHT = 12


def district_colours(codes: Sequence[str]) -> dict[str, str]:
    """A fixed colour for each district: by alphabetical order of the codes, whatever is shown."""
    return {code: PALETTE[place % len(PALETTE)] for place, code in enumerate(sorted(codes))}


@st.cache_data(show_spinner=False, max_entries=1024)
def bars(rows: pl.DataFrame, colour: str, top: float, axis_title: str, mark: str) -> dict[str, Any]:
    """Horizontal bars with intervals, in the order of the rows.

    `rows` has `label` (lines broken by a newline), `value`, `lower`, `upper` (in the axis' unit; bounds may be null), `said`
    (text at the bar) and `strong` (whether the bar is drawn in full colour). `top` is the last value that the axis must hold,
    `mark` what follows a number on the axis, such as ` %`.
    """
    data = _data(rows.select("label", "value", "lower", "upper", "said", "strong", end=pl.max_horizontal("value", "upper")))
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
    room = top * 1.3
    x = alt.X(
        "value:Q",
        title=axis_title,
        scale=alt.Scale(domain=[0, room], nice=False),
        axis=alt.Axis(values=_ticks(top), labelExpr=f"datum.value + '{mark}'"),
    )
    base = alt.Chart(data)
    bar = base.mark_bar(height=16).encode(
        x=x,
        y=y,
        color=alt.Color("strong:N", scale=alt.Scale(domain=[True, False], range=[colour, _tint(colour)]), legend=None),
    )
    interval = base.mark_rule(color=INK, strokeWidth=1.6).encode(x="lower:Q", x2="upper:Q", y=y)
    text = base.mark_text(align="left", dx=5, color=INK, fontSize=12).encode(x="end:Q", y=y, text="said:N")
    lines = sum(label.count("\n") + 1 for label in rows["label"])
    return _styled(alt.layer(bar, interval, text), height=max(26 * rows.height, 16 * lines + 8 * rows.height) + _AXIS_HEIGHT)


@st.cache_data(show_spinner=False, max_entries=1024)
def trend(rows: pl.DataFrame, breaks: Sequence[float], colour: str, axis_title: str, mark: str) -> dict[str, Any]:
    """One district's values over the years, joined only within a run.

    `rows` has `start` (year in which the school year starts), `value`, `lower`, `upper` (bounds may be null), `run`
    (values of one run may be joined) and `said`. `breaks` are positions between years where the test changed.
    """
    ends = pl.concat([rows["value"], rows["lower"], rows["upper"]]).drop_nulls().sort()
    room = 0.12 * (ends[-1] - ends[0]) or 1.0
    data = _data(rows.select("start", "value", "lower", "upper", "run", "said", end=pl.max_horizontal("value", "upper")))
    years = list(range(int(rows["start"].min()), int(rows["start"].max()) + 1))  # type: ignore[arg-type]
    shown = years if len(years) <= 5 else years[:: -(-len(years) // 5)]
    x = alt.X(
        "start:Q",
        title=None,
        scale=alt.Scale(domain=[years[0] - 0.5, years[-1] + 0.5], nice=False),
        axis=alt.Axis(
            values=shown,
            grid=False,
            labelExpr="datum.value + '-' + slice(toString(datum.value + 1), 2)",
        ),
    )
    y = alt.Y(
        "value:Q",
        title=axis_title,
        scale=alt.Scale(domain=[ends[0] - room, ends[-1] + 2 * room], zero=False, nice=False),
        axis=alt.Axis(tickCount=4, labelExpr=f"datum.value + '{mark}'"),
    )
    base = alt.Chart(data)
    line = base.mark_line(color=colour, strokeWidth=2).encode(x=x, y=y, detail="run:N")
    interval = base.mark_rule(color=INK, strokeWidth=1.6).encode(x=x, y="lower:Q", y2="upper:Q")
    point = base.mark_point(color=colour, filled=True, size=55, opacity=1).encode(x=x, y=y)
    text = base.mark_text(dy=-9, color=INK, fontSize=11).encode(x=x, y="end:Q", text="said:N")
    layers: list[alt.Chart] = [line, interval, point, *([text] if rows.height <= 6 else [])]
    if breaks:
        marks = alt.Chart(_data(pl.DataFrame({"start": list(breaks)})))
        layers.insert(0, marks.mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=x))
    return _styled(alt.layer(*layers), height=190)


def _tint(colour: str) -> str:
    """A `#RRGGBB` colour half way to white."""
    return "#" + "".join(f"{(int(colour[place : place + 2], 16) + 255) // 2:02X}" for place in (1, 3, 5))


def _middle_of_lines() -> dict[str, Any]:
    """A label of several lines starts higher, so that its middle stands at its bar."""
    lines = f"length({_LABELS_BROKEN})"
    conditions = [{"test": f"{lines} == {count}", "value": -_LINE_HEIGHT * (count - 1) / 2} for count in (2, 3, 4, 5)]
    return {"condition": conditions, "value": 0}


def _ticks(top: float) -> list[float]:
    """About four round steps from 0 to `top`."""
    magnitude = 10.0 ** math.floor(math.log10(top))
    step = next(magnitude * part for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.5) if top / (magnitude * part) <= 4.5)
    return [round(step * place, 6) for place in range(int(top / step + 1e-9) + 1)]


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
