"""Every chart of the dashboard, in one style.

A chart is a Vega-Lite specification, kept because building one costs more than drawing it. Colours are fixed by the districts'
alphabetical order; what a chart shows is also said in words beside it. Choosing the rows belongs to the sections, queries to
`release_data`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import polars as pl
import streamlit as st

from pipelines.wording.amounts import Unit, is_range
from pipelines.wording.look import BAND, GRID, INK, QUIET

FONT = '"Source Sans", "Source Sans Pro", sans-serif'
PANEL_WIDTH, WIDE_PANEL_WIDTH = 360, 520
_LABEL_WIDTH = 118
_AXIS_HEIGHT = 46
_LABELS_BROKEN = "split(datum.label, '\\n')"
_LINE_HEIGHT = 12
_RANGE_WIDTH, _RANGE_END = 5, 12


@dataclass(frozen=True)
class Axis:
    """The axis of values: its ends, its title, what stands around a number on it, and whether bars start at its zero.

    Without bars a value is a dot: where zero means nothing, and for differences, whose side of zero is what counts. `room`: how
    much of its length is left beside it for texts, the same for all panels that share it; None where each panel sees for itself.
    """

    low: float
    high: float
    title: str
    before: str = ""
    mark: str = ""
    is_bars: bool = True
    room: float | None = None

    @property
    def label(self) -> str:
        """The Vega expression for a number on the axis."""
        return f"replace('{self.before}' + format(datum.value, ',~f'), '$-', '-$') + '{self.mark}'"


def axis_for(rows: pl.DataFrame, unit: Unit, *, is_share: bool = False) -> Axis:
    """The axis that holds all values, intervals and ranges of `rows`, in the unit that is shown; a share's goes from 0 to 100 %.

    Where `rows` has `short`, the axis leaves room for these texts too.
    """
    ends = _ends(rows).to_list()
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    if is_share:
        low, high = 0.0, max(100.0, high)
    elif unit.has_zero:
        low, high = min(0.0, low), max(0.0, high)
    if low == high:
        low, high = (low, low + 1.0) if unit.has_zero else (low - 0.5, low + 0.5)
    margin = 0.0 if unit.has_zero and low == 0 and not unit.is_difference else 0.06 * (high - low)
    is_bars = unit.has_zero and not unit.is_difference
    axis = Axis(low - margin, high, unit.axis, unit.before, unit.mark, is_bars)
    return replace(axis, room=_room(rows, axis)) if "short" in rows.columns else axis


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
    second value stands in each row as an open diamond. Where it has `at_least` and `at_most`, a row with both and no value shows
    a protected range: a thin line between two end marks, and no point. `hover`: what is said of a row instead of its label and
    its text, where it has the column.
    """
    rows = _with_columns(rows, {"at_least": pl.Float64, "at_most": pl.Float64, "hover": pl.String})
    ranged = is_range()
    has_ranges = bool(rows.select(ranged.any()).item())
    reach = pl.max_horizontal("value", "upper", pl.when(ranged).then("at_most"), 0.0 if axis.is_bars else "value").fill_null(
        max(axis.low, 0.0)
    )
    is_missing = pl.col("value").is_null() & ~ranged
    kept = ["label", "value", "lower", "upper", "short", "colour", *(name for name in ("other",) if name in rows.columns)]
    if has_ranges:
        rows = rows.with_columns(inside=_is_said_inside(axis))
        kept += ["at_least", "at_most", "inside"]
    data = _data(rows.select(*kept, end=reach, missing=is_missing, zero=0.0, hover=_hover("label", ranged)))
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
    room = axis.high + (axis.high - axis.low) * (_room(rows, axis) if axis.room is None else axis.room)
    x = alt.X(
        "value:Q",
        title=axis.title,
        scale=alt.Scale(domain=[axis.low, room], nice=False, zero=False),
        axis=alt.Axis(values=_ticks(axis.low, axis.high), labelExpr=axis.label),
    )
    base = alt.Chart(data)
    paint = alt.Color("colour:N", scale=None, legend=None)
    hover = alt.Tooltip("hover:N")
    if axis.is_bars:
        mark = base.mark_bar(height=16).encode(x=x, x2="zero:Q", y=y, color=paint, tooltip=hover)
    else:
        mark = base.mark_point(filled=True, size=80, opacity=1).encode(x=x, y=y, color=paint, tooltip=hover)
    interval = base.mark_rule(color=INK, strokeWidth=1.6).encode(x="lower:Q", x2="upper:Q", y=y)
    words = alt.condition("datum.missing", alt.value(QUIET), alt.value(INK))
    distance = 5 if axis.is_bars else 9
    beside = base.transform_filter("!datum.inside") if has_ranges else base
    text = beside.mark_text(align="left", dx=distance, fontSize=12).encode(x="end:Q", y=y, text="short:N", color=words)
    layers: list[alt.Chart] = [mark, interval, text]
    if has_ranges:
        own = base.transform_filter("!datum.missing && datum.value === null")
        between = own.mark_rule(strokeWidth=_RANGE_WIDTH).encode(x="at_least:Q", x2="at_most:Q", y=y, color=paint, tooltip=hover)
        ends = own.mark_tick(orient="vertical", size=_RANGE_END, thickness=2, color=INK)
        before = base.transform_filter("datum.inside").mark_text(align="right", dx=-distance, fontSize=12, color=INK)
        layers.append(before.encode(x="at_least:Q", y=y, text="short:N"))
        layers[1:1] = [between, *(ends.encode(x=f"{end}:Q", y=y, tooltip=hover) for end in ("at_least", "at_most"))]
    if lines or axis.low < 0:
        # Numbers stay readable where a line runs through them.
        halo = beside.mark_text(align="left", dx=distance, fontSize=12, stroke="white", strokeWidth=4, color="white")
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
    ranges: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """One district's values over the years, joined only within a run.

    `rows` has `start` (year in which the school year starts), `value`, `lower`, `upper` (bounds may be null), `run`
    (values of one run may be joined), `short` and `colour`. `breaks` are positions between years where the test or the instrument
    changed. `years`: the first and the last year that the axis holds, where panels share it. `zero`: a line at 0 is drawn.
    `ranges`: years with a protected range in place of a value, with `start`, `at_least`, `at_most`, `school_year`, `short` and
    `colour`: each a thin line between two end marks, joined to nothing.
    """
    reach = pl.max_horizontal("value", "upper")
    data = _data(rows.select("start", "value", "lower", "upper", "run", "short", "colour", end=reach))
    has_ranges = ranges is not None and not ranges.is_empty()
    starts = pl.concat([rows["start"], ranges["start"]]) if ranges is not None else rows["start"]
    first, last = years or (int(starts.min()), int(starts.max()))  # type: ignore[arg-type]
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
    is_roomy = len(starts) <= 6 and starts.is_unique().all()
    layers: list[alt.Chart] = [line, interval, point, *([text] if is_roomy else [])]
    if ranges is not None and has_ranges:
        layers += _ranges_of_years(ranges, x, paint, is_roomy=is_roomy)
    if zero:
        layers.insert(0, alt.Chart(_data(pl.DataFrame({"zero": [0.0]}))).mark_rule(color=QUIET).encode(y="zero:Q"))
    if breaks:
        marks = alt.Chart(_data(pl.DataFrame({"start": list(breaks)})))
        layers.insert(0, marks.mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=x))
    return _styled(alt.layer(*layers), height=height)


def trend_axis(rows: pl.DataFrame, unit: Unit) -> Axis:
    """The vertical axis of values over the years: it holds all values, intervals and ranges, and need not hold zero."""
    ends = _ends(rows).sort()
    low, high = (ends[0], ends[-1]) if len(ends) else (0.0, 1.0)
    room = 0.12 * (high - low) or (0.1 * abs(high) or 1.0)
    return Axis(low - room, high + 2 * room, unit.axis, unit.before, unit.mark, is_bars=False)


def _ranges_of_years(ranges: pl.DataFrame, x: alt.X, paint: alt.Color, *, is_roomy: bool) -> list[alt.Chart]:
    named = ranges.select(
        "start",
        "at_least",
        "at_most",
        "colour",
        short=pl.col("short").str.replace("at most ", "\u2264\u00a0").str.replace("at least ", "\u2265\u00a0"),
        hover=pl.format("{}: {} (protected range)", "school_year", "short"),
    )
    base = alt.Chart(_data(named))
    hover = alt.Tooltip("hover:N")
    between = base.mark_rule(strokeWidth=_RANGE_WIDTH).encode(x=x, y="at_least:Q", y2="at_most:Q", color=paint, tooltip=hover)
    ends = base.mark_tick(orient="horizontal", size=_RANGE_END, thickness=2, color=INK)
    text = base.mark_text(dy=-9, color=INK, fontSize=11).encode(x=x, y="at_most:Q", text="short:N")
    marked = [ends.encode(x=x, y=f"{end}:Q", tooltip=hover) for end in ("at_least", "at_most")]
    return [between, *marked, *([text] if is_roomy else [])]


def _hover(name: str, ranged: pl.Expr) -> pl.Expr:
    """What is said of a row under the pointer."""
    said = pl.format(
        "{}: {}{}",
        pl.col(name).str.replace_all("\n", " "),
        "short",
        pl.when(ranged).then(pl.lit(" (protected range)")).otherwise(pl.lit("")),
    )
    return pl.coalesce("hover", said, name)


def _is_said_inside(axis: Axis) -> pl.Expr:
    """Whether a range lies so far to the right that its text stands at its left, where the row is empty."""
    return is_range() & ((pl.col("at_least") + pl.col("at_most")) / 2 > (axis.low + axis.high) / 2) & (pl.col("at_least") > 0)


def _room(rows: pl.DataFrame, axis: Axis) -> float:
    """How much of an axis' length the texts need beside it."""
    rows = _with_columns(rows, {"at_least": pl.Float64, "at_most": pl.Float64})
    # A range near the left end has the rest of its row for its text.
    is_near = is_range() & (pl.col("at_most") < (axis.low + axis.high) / 2)
    texts = rows.filter(~_is_said_inside(axis) & ~is_near)["short"].drop_nulls()
    return 0.3 if max(map(len, texts), default=0) <= 8 else 0.5


def _with_columns(rows: pl.DataFrame, columns: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    """The rows with those columns of the given that they lack, as nulls."""
    return rows.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in rows.columns)


def _ends(rows: pl.DataFrame) -> pl.Series:
    """All values, and the ends of all intervals and protected ranges."""
    names = [name for name in ("value", "lower", "upper", "at_least", "at_most") if name in rows.columns]
    return pl.concat([rows[name].cast(pl.Float64).alias("end") for name in names]).drop_nulls()


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
