"""The chart of a challenge's page as a picture: one panel a district, points with intervals, a line that ends at every break.

Where districts may not be compared each panel has an axis of its own and says so. Charts that people edit in a deck are native
ones and made there (`deck`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.wording.look import GRID, INK, QUIET, district_colours

NOT_ON_A_COMMON_SCALE = "Not on a common scale: read each panel by itself."
FONT = "Source Sans Pro"
COLUMNS = 3


def svg_of(chart: Mapping[str, Any], width: int = 232, height: int = 128) -> str:
    """The panels of a `years_chart` as an SVG picture."""
    # The converter brings a browser's script engine along: only who draws pays for it.
    import vl_convert  # type: ignore[import-not-found, unused-ignore]

    picture: str = vl_convert.vegalite_to_svg(_spec(chart, width, height), vl_version="6.1")
    return picture


def bounds_of(chart: Mapping[str, Any], panel: Mapping[str, Any]) -> tuple[float, float] | None:
    """The ends of a panel's axis: of all panels where they may be compared, else its own; None where it has no number."""
    panels = chart["panels"] if chart["is_shared_axis"] else [panel]
    ends = [
        point[name]
        for one in panels
        for point in one["points"]
        for name in ("value", "lower", "upper")
        if point[name] is not None
    ]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    room = 0.2 * (high - low) or max(abs(high), 1.0) * 0.1
    low, high = low - room, high + room
    if chart["mark"] == " %":
        low, high = max(0.0, low), min(100.0, high)
    step = _step(high - low)
    return step * (low // step), step * -(-high // step)


def _step(length: float) -> float:
    """A round step of which about four make up the length."""
    raw = length / 4
    size = 10.0 ** (len(str(int(raw))) - 1) if raw >= 1 else 0.01
    return next((size * factor for factor in (1, 2, 5, 10, 20, 50) if size * factor >= raw), size * 100)


def segments(points: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The points of a panel in runs between which no line is drawn: at a break in the trend, and where a number is missing."""
    runs: list[list[Mapping[str, Any]]] = []
    goes_on = False
    for point in points:
        if point["value"] is None:
            goes_on = False
            continue
        if goes_on and not point["starts_anew"]:
            runs[-1].append(point)
        else:
            runs.append([point])
        goes_on = True
    return runs


def _spec(chart: Mapping[str, Any], width: int, height: int) -> dict[str, Any]:
    colours = district_colours([panel["district"] for panel in chart["panels"]])
    panels = [_panel(chart, panel, colours[panel["district"]], width, height) for panel in chart["panels"]]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "white",
        "concat": panels,
        "columns": COLUMNS,
        "spacing": 18,
        "config": {
            "font": FONT,
            # The whole picture has one text for screen readers; marks would tell raw numbers.
            "aria": False,
            "view": {"stroke": None},
            "axis": {"labelColor": QUIET, "labelFontSize": 11, "gridColor": GRID, "domain": False, "ticks": False},
            "title": {"color": INK, "fontSize": 13, "fontWeight": 600, "anchor": "start", "subtitleColor": QUIET},
        },
    }


def _panel(chart: Mapping[str, Any], panel: Mapping[str, Any], colour: str, width: int, height: int) -> dict[str, Any]:
    rows = [
        {
            **{name: point[name] for name in ("school_year", "value", "lower", "upper", "said")},
            "run": number,
            "top": point["value"] if point["upper"] is None else point["upper"],
        }
        for number, run in enumerate(segments(panel["points"]))
        for point in run
    ]
    gaps = [
        {"school_year": point["school_year"], "why": point["said"] or point["why"]}
        for point in panel["points"]
        if point["value"] is None
    ]
    years = [point["school_year"] for point in panel["points"]]
    bounds = bounds_of(chart, panel)
    x = {
        "field": "school_year",
        "type": "ordinal",
        "scale": {"domain": years, "padding": 0.4},
        "axis": {"title": None, "labelAngle": 0},
    }
    base = {"width": width, "height": height, "title": panel["label"]}
    missing = {
        "data": {"values": gaps},
        "mark": {"type": "text", "color": QUIET, "fontSize": 10, "fontStyle": "italic", "baseline": "bottom"},
        "encoding": {"x": x, "y": {"value": height - 4}, "text": {"field": "why"}},
    }
    if bounds is None:
        return {**base, "layer": [missing]}
    axis = {"title": None, "tickCount": 4, "labelExpr": f"format(datum.value, ',~f') + '{chart['mark']}'"}
    y = {"field": "value", "type": "quantitative", "scale": {"domain": list(bounds), "zero": False, "nice": False}, "axis": axis}
    drawn = {"data": {"values": rows}}
    layers: list[dict[str, Any]] = [
        {
            **drawn,
            "transform": [{"filter": "datum.lower != null"}],
            "mark": {"type": "rule", "color": colour, "strokeWidth": 2, "opacity": 0.55},
            "encoding": {"x": x, "y": {**y, "field": "lower"}, "y2": {"field": "upper"}},
        },
        {
            **drawn,
            "mark": {"type": "line", "color": colour, "strokeWidth": 1.5},
            "encoding": {"x": x, "y": y, "detail": {"field": "run"}},
        },
        {
            **drawn,
            "mark": {"type": "point", "filled": True, "size": 55, "color": colour, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
        {
            **drawn,
            "mark": {"type": "text", "dy": -9, "fontSize": 11, "color": INK},
            "encoding": {"x": x, "y": {**y, "field": "top"}, "text": {"field": "said"}},
        },
    ]
    return {**base, "layer": [*layers, *([missing] if gaps else [])]}
