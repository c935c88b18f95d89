"""The deck: PPTX with native charts, tables and texts that facilitators edit, alt text, and verdict and source in the notes.

It is laid out on a master of the facilitators' own where they bring one. What it says does not belong here.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.briefing.charts import COLUMNS, NOT_ON_A_COMMON_SCALE, bounds_of, segments
from pipelines.briefing.layout import cover_lines, footer, title_of, widths_of
from pipelines.briefing.reproducible import stamped
from pipelines.wording.look import INK, QUIET, district_colours

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide

ACCENT, PANEL, WARNING = "#0B5394", "#EEF3F8", "#FFF4DB"
FONT = "Calibri"
IDENTIFIER = "nmip-briefing"
# Inches: a slide of 16:9 and what is kept free around its content.
WIDTH, HEIGHT, MARGIN, TOP, FOOT = 13.333, 7.5, 0.6, 1.3, 0.45
_LINE = 1.22
_MANY_BLOCKS = 12
# Of the widest typeface that a machine without Calibri may put in its place.
_LETTERS_PER_INCH_AT_10_POINT = 13.2


class UnusableMaster(Exception):
    """A facilitator's own master cannot be used; the message says why."""


def pptx_of(document: Mapping[str, Any], master: Path | None = None) -> bytes:
    """The document as PPTX; the same document and master give the same bytes. Raises UnusableMaster."""
    deck = _opened(master)
    _cover(deck, document)
    for page in document["pages"]:
        _Slide(deck, document, page).draw()
    properties = deck.core_properties
    properties.title, properties.author = title_of(document), "National Math Improvement Project"
    properties.identifier = IDENTIFIER
    properties.subject = f"{document['release_id']} {document['convening']['convening']} {document['release_digest']}"
    when = datetime.fromisoformat(f"{document['as_of'] or document['convening']['held_on']}T00:00:00")
    properties.created = properties.modified = when
    properties.last_modified_by, properties.revision = "NMIP", 1
    held = io.BytesIO()
    deck.save(held)
    return stamped(held.getvalue(), when)


def _opened(master: Path | None) -> Presentation:
    import pptx
    from pptx.util import Inches

    if master is None:
        deck: Presentation = pptx.Presentation()
        deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
        return deck
    try:
        deck = pptx.Presentation(str(master))
    except Exception as problem:
        raise UnusableMaster(
            f"{master.name} cannot be opened as a presentation ({type(problem).__name__}). Save it as .pptx."
        ) from problem
    if not deck.slide_layouts:
        raise UnusableMaster(f"{master.name} has no slide layouts to lay slides out on.")
    for slide in list(deck.slides._sldIdLst):
        deck.part.drop_rel(slide.rId)
        deck.slides._sldIdLst.remove(slide)
    return deck


def _titled(deck: Presentation) -> Slide:
    """A new slide on the layout that has a title and the fewest places besides."""
    layouts = [
        layout for layout in deck.slide_layouts if any(place.placeholder_format.type in (1, 3) for place in layout.placeholders)
    ]
    layout = min(layouts or list(deck.slide_layouts), key=lambda one: (one.name != "Title Only", len(one.placeholders)))
    slide = deck.slides.add_slide(layout)
    for place in list(slide.placeholders):
        if place.placeholder_format.type not in (1, 3):
            place._element.getparent().remove(place._element)
    return slide


def _scaled(deck: Presentation) -> tuple[float, float]:
    return deck.slide_width / (WIDTH * 914400), deck.slide_height / (HEIGHT * 914400)


def _cover(deck: Presentation, document: Mapping[str, Any]) -> None:
    slide = _titled(deck)
    box = _Box(slide, deck)
    box.title(document["convening"]["label"], 2.4, 40)
    box.text(MARGIN, 1.9, WIDTH - 2 * MARGIN, 0.5, "National Math Improvement Project", 18, QUIET)
    for number, line in enumerate(cover_lines(document)):
        box.text(MARGIN, 3.6 + 0.42 * number, WIDTH - 2 * MARGIN, 0.42, line, 18, INK)
    if document["kind_said"]:
        box.text(MARGIN, 5.2, 9.0, 0.5, document["kind_said"], 14, INK, fill=WARNING)
    box.text(MARGIN, HEIGHT - FOOT, WIDTH - 2 * MARGIN, 0.3, footer(document), 9, QUIET)


class _Slide:
    """One page of the document on one slide."""

    def __init__(self, deck: Presentation, document: Mapping[str, Any], page: Mapping[str, Any]) -> None:
        self._page, self._document = page, document
        self._slide = _titled(deck)
        self._box = _Box(self._slide, deck)
        self._at = TOP

    def draw(self) -> None:
        page = self._page
        self._box.title(page["title"], 0.35, 24)
        blocks = list(page["blocks"])
        if any(block["type"] == "years_chart" for block in blocks):
            self._draw_challenge(blocks)
        else:
            for block in blocks:
                self._draw(block, 14 if len(blocks) < _MANY_BLOCKS else 12)
        self._box.text(MARGIN, HEIGHT - FOOT, WIDTH - 2 * MARGIN, 0.3, footer(self._document), 9, QUIET)
        if page["notes"]:
            self._slide.notes_slide.notes_text_frame.text = "\n".join(page["notes"])

    def _draw(self, block: Mapping[str, Any], size: int) -> None:
        width = WIDTH - 2 * MARGIN
        kind = block["type"]
        if kind == "table":
            self._at += self._box.table(MARGIN, self._at, width, block) + 0.15
        elif kind == "bullets":
            for item in block["items"]:
                self._at += self._box.text(MARGIN + 0.15, self._at, width - 0.15, 0, f"• {item}", size, INK) + 0.03
        elif kind == "heading":
            self._at += self._box.text(MARGIN, self._at + 0.05, width, 0, block["text"], size + 1, ACCENT, is_bold=True) + 0.05
        else:
            is_statement = kind == "statement"
            self._at += self._box.text(MARGIN, self._at, width, 0, block["text"], size, INK, is_bold=is_statement) + 0.08

    def _draw_challenge(self, blocks: Sequence[Mapping[str, Any]]) -> None:
        by_kind = {block["type"]: block for block in blocks}
        chart = by_kind["years_chart"]
        first = blocks[0]
        width = WIDTH - 2 * MARGIN
        used = self._box.text(MARGIN, 1.05, width, 0, first["text"], 16, INK, is_bold=first["type"] == "statement")
        top = 1.05 + used + 0.1
        left_width = 8.6
        self._box.text(MARGIN, top, left_width, 0.3, chart["title"], 11, INK, is_bold=True)
        bottom = HEIGHT - FOOT - 0.1
        scale_note = None if chart["is_shared_axis"] else NOT_ON_A_COMMON_SCALE
        if scale_note:
            bottom -= 0.3
            self._box.text(MARGIN, bottom, left_width, 0.3, scale_note, 11, QUIET)
        self._panels(chart, MARGIN, top + 0.3, left_width, bottom - top - 0.35)
        left, right_width = MARGIN + left_width + 0.3, width - left_width - 0.3
        at = top + 0.1
        question = by_kind.get("question")
        if question:
            at += self._box.text(left, at, right_width, 0, f"To discuss: {question['text']}", 15, INK, fill=PANEL) + 0.2
        chips = by_kind.get("chips")
        if chips:
            at += self._box.text(left, at, right_width, 0, chips["title"], 12, QUIET, is_bold=True) + 0.05
            for chip in chips["chips"]:
                colour = ACCENT if chip["is_comparable"] else QUIET
                at += self._box.text(left, at, right_width, 0, f"{chip['label']}: {chip['n']}", 12, colour, edge=colour) + 0.08
            at += 0.15
        for block in blocks:
            if block["type"] == "quote":
                at += self._box.text(left, at, right_width, 0, f"{block['title']}: {block['text']}", 11, QUIET) + 0.1

    def _panels(self, chart: Mapping[str, Any], left: float, top: float, width: float, height: float) -> None:
        colours = district_colours([panel["district"] for panel in chart["panels"]])
        rows = -(-len(chart["panels"]) // COLUMNS)
        for place, panel in enumerate(chart["panels"]):
            x = left + (place % COLUMNS) * width / COLUMNS
            y = top + (place // COLUMNS) * height / rows
            self._box.panel(x, y, width / COLUMNS - 0.1, height / rows - 0.05, chart, panel, colours[panel["district"]])


class _Box:
    """Places texts, tables and charts on one slide; all lengths in inches of the slide that NMIP lays out for."""

    def __init__(self, slide: Slide, deck: Presentation) -> None:
        self._slide = slide
        self._x, self._y = _scaled(deck)

    def _length(self, value: float, is_across: bool) -> Any:
        from pptx.util import Inches

        return Inches(value * (self._x if is_across else self._y))

    def _frame(self, left: float, top: float, width: float, height: float) -> tuple[Any, Any, Any, Any]:
        return (
            self._length(left, is_across=True),
            self._length(top, is_across=False),
            self._length(width, is_across=True),
            self._length(height, is_across=False),
        )

    def title(self, words: str, top: float, size: int) -> None:
        """The slide's own title, so that outlines and screen readers find it."""
        shape = self._slide.shapes.title
        if shape is None:
            self.text(MARGIN, top, WIDTH - 2 * MARGIN, 0.7, words, size, INK, is_bold=True)
            return
        shape.left, shape.top, shape.width, shape.height = self._frame(MARGIN, top, WIDTH - 2 * MARGIN, 0.7)
        shape.text_frame.margin_left = shape.text_frame.margin_right = 0
        self._write(shape.text_frame, words, size, INK, is_bold=True)

    def text(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        words: str,
        size: int,
        colour: str,
        *,
        is_bold: bool = False,
        fill: str | None = None,
        edge: str | None = None,
    ) -> float:
        """A text box; returns how high it is, which is estimated from its words where `height` is 0."""
        from pptx.util import Pt

        room = 0.1 if fill or edge else 0.0
        lines = _n_lines(words, width - 2 * room, size)
        used = height or lines * size * _LINE / 72 + 2 * room
        shape = self._slide.shapes.add_textbox(*self._frame(left, top, width, used))
        if fill:
            shape.fill.solid()
            shape.fill.fore_color.rgb = _rgb(fill)
        if edge:
            shape.line.color.rgb = _rgb(edge)
            shape.line.width = Pt(0.75)
        inset = self._length(room, is_across=True)
        frame = shape.text_frame
        frame.margin_left = frame.margin_right = inset
        frame.margin_top = frame.margin_bottom = self._length(room, is_across=False)
        self._write(frame, words, size, colour, is_bold=is_bold)
        return used

    def _write(self, frame: Any, words: str, size: int, colour: str, *, is_bold: bool) -> None:
        from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
        from pptx.util import Pt

        frame.word_wrap = True
        frame.vertical_anchor = MSO_ANCHOR.TOP
        frame.text = words
        for paragraph in frame.paragraphs:
            paragraph.alignment = PP_ALIGN.LEFT
            for run in paragraph.runs:
                run.font.size, run.font.bold, run.font.name = Pt(size), is_bold, FONT
                run.font.color.rgb = _rgb(colour)

    def table(self, left: float, top: float, width: float, block: Mapping[str, Any]) -> float:
        """A native table; returns how high it is."""
        from pptx.util import Pt

        heads, rows = block["columns"], block["rows"]
        shares = widths_of(block)
        widths = [width * share / sum(shares) for share in shares]
        size = 10 if len(rows) > 9 else 11
        heights = [
            max(_n_lines(cell, across - 0.15, size) for cell, across in zip(row, widths, strict=True)) * size * _LINE / 72 + 0.09
            for row in [heads, *rows]
        ]
        graphic = self._slide.shapes.add_table(len(rows) + 1, len(heads), *self._frame(left, top, width, sum(heights)))
        _described(graphic, block["caption"])
        table = graphic.table
        # The plain style of tables: lines below rows, no colours that would have to be told.
        table._tbl.tblPr[0].text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
        table.horz_banding = False
        for place, across in enumerate(widths):
            table.columns[place].width = self._length(across, is_across=True)
        for number, row in enumerate([heads, *rows]):
            table.rows[number].height = self._length(heights[number], is_across=False)
            for place, cell in enumerate(row):
                target = table.cell(number, place)
                target.margin_left = target.margin_right = Pt(5)
                target.margin_top = target.margin_bottom = Pt(2)
                self._write(target.text_frame, cell, size, INK, is_bold=number == 0)
                _line_below(target, INK if number == 0 else "#CBD2DB", 1.0 if number == 0 else 0.5)
        return sum(heights)

    def panel(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        chart: Mapping[str, Any],
        panel: Mapping[str, Any],
        colour: str,
    ) -> None:
        """One district's native line chart with error bars; a series for each run without a break."""
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_MARKER_STYLE
        from pptx.util import Pt

        points = panel["points"]
        bounds = bounds_of(chart, panel)
        gaps = [f"{point['school_year']}: {point['said'] or point['why']}" for point in points if point["value"] is None]
        gaps_high = 0.22 * len(gaps)
        said = ", ".join(f"{point['school_year']} {point['said'] or point['why']}" for point in points)
        if bounds is None:
            self.text(left, top, width, 0.3, panel["label"], 12, INK, is_bold=True)
            self.text(left, top + 0.3, width, 0, "\n".join(gaps), 10, QUIET)
            return
        data = CategoryChartData(number_format="0.0")
        data.categories = [point["school_year"] for point in points]
        runs = segments(points)
        for number, run in enumerate(runs):
            there = {point["school_year"]: point["value"] for point in run}
            name = panel["label"] if len(runs) == 1 else f"{panel['label']}, part {number + 1}"
            data.add_series(name, [there.get(point["school_year"]) for point in points])
        frame = self._frame(left, top, width, height - gaps_high)
        graphic = self._slide.shapes.add_chart(XL_CHART_TYPE.LINE_MARKERS, *frame, data)
        _described(graphic, f"{panel['label']}, {chart['title']}: {said}")
        drawn = graphic.chart
        drawn.has_legend, drawn.has_title = False, True
        drawn.font.size, drawn.font.name = Pt(10), FONT
        drawn.font.color.rgb = _rgb(QUIET)
        self._write_chart_title(drawn, panel["label"])
        axis = drawn.value_axis
        axis.minimum_scale, axis.maximum_scale = bounds
        axis.has_major_gridlines = True
        axis.major_gridlines.format.line.color.rgb = _rgb("#E3E7EC")
        axis.format.line.fill.background()
        axis.tick_labels.number_format = '0.##"%"' if chart["mark"] == " %" else "General"
        axis.tick_labels.number_format_is_linked = False
        drawn.category_axis.format.line.color.rgb = _rgb("#CBD2DB")
        for series, run in zip(drawn.plots[0].series, runs, strict=True):
            series.smooth = False
            series.format.line.color.rgb = _rgb(colour)
            series.format.line.width = Pt(1.5)
            series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 6
            series.marker.format.fill.solid()
            series.marker.format.fill.fore_color.rgb = _rgb(colour)
            series.marker.format.line.color.rgb = _rgb(colour)
            labels = series.data_labels
            labels.show_value, labels.position = True, XL_LABEL_POSITION.RIGHT
            labels.number_format, labels.number_format_is_linked = "0.0", False
            labels.font.size, labels.font.name = Pt(9), FONT
            labels.font.color.rgb = _rgb(INK)
            _error_bars(series, points, run, colour)
        if gaps:
            self.text(left + 0.1, top + height - gaps_high, width - 0.1, gaps_high, "\n".join(gaps), 9, QUIET)

    def _write_chart_title(self, drawn: Any, words: str) -> None:
        from pptx.util import Pt

        frame = drawn.chart_title.text_frame
        frame.text = words
        run = frame.paragraphs[0].runs[0]
        run.font.size, run.font.bold, run.font.name = Pt(12), True, FONT
        run.font.color.rgb = _rgb(INK)


def _n_lines(words: str, width: float, size: int) -> int:
    letters = max(1.0, width * _LETTERS_PER_INCH_AT_10_POINT * 10 / size)
    return sum(max(1, -(-len(line) // int(letters))) for line in words.split("\n"))


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(colour.lstrip("#"))


def _described(graphic: Any, words: str) -> None:
    """Alt text."""
    graphic._element.nvGraphicFramePr.cNvPr.set("descr", words)


def _line_below(cell: Any, colour: str, points: float) -> None:
    from lxml import etree

    namespace = "http://schemas.openxmlformats.org/drawingml/2006/main"
    properties = cell._tc.get_or_add_tcPr()
    line = etree.SubElement(properties, f"{{{namespace}}}lnB", w=str(int(points * 12700)))
    etree.SubElement(etree.SubElement(line, f"{{{namespace}}}solidFill"), f"{{{namespace}}}srgbClr", val=colour.lstrip("#"))


def _error_bars(series: Any, points: Sequence[Mapping[str, Any]], run: Sequence[Mapping[str, Any]], colour: str) -> None:
    """Intervals, as error bars with lengths of their own up and down; python-pptx has no name for them."""
    from lxml import etree
    from pptx.oxml.ns import qn

    there = {point["school_year"] for point in run}
    lengths: dict[str, list[float | None]] = {"plus": [], "minus": []}
    for point in points:
        has = point["school_year"] in there and point["lower"] is not None and point["upper"] is not None
        lengths["plus"].append(point["upper"] - point["value"] if has else None)
        lengths["minus"].append(point["value"] - point["lower"] if has else None)
    if not any(length is not None for length in lengths["plus"]):
        return
    bars = etree.Element(qn("c:errBars"))
    for name, value in (("errDir", "y"), ("errBarType", "both"), ("errValType", "cust"), ("noEndCap", "1")):
        etree.SubElement(bars, qn(f"c:{name}"), val=value)
    for name, numbers in lengths.items():
        held = etree.SubElement(etree.SubElement(bars, qn(f"c:{name}")), qn("c:numLit"))
        etree.SubElement(held, qn("c:formatCode")).text = "General"
        etree.SubElement(held, qn("c:ptCount"), val=str(len(numbers)))
        for place, length in enumerate(numbers):
            if length is not None:
                etree.SubElement(etree.SubElement(held, qn("c:pt"), idx=str(place)), qn("c:v")).text = repr(round(length, 6))
    shape = etree.SubElement(bars, qn("c:spPr"))
    line = etree.SubElement(shape, qn("a:ln"), w="19050")
    etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr"), val=colour.lstrip("#"))
    # The schema wants them before the categories; a line chart has no direction to tell.
    bars.remove(bars[0])
    series._element.find(qn("c:cat")).addprevious(bars)
