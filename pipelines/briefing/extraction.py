"""The texts of a finished briefing, whatever format it is in, with the place where each stands: what readers see, hear or print.

A file comes from people and may be anything: what cannot be read is said in one sentence. What a text may say belongs to `lint`.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any

# No deck of a convening comes near; an archive that grows beyond it is not opened.
MOST_BYTES = 200_000_000
MOST_PAGES = 500
_SILENT = frozenset({"style", "script", "template"})
_SPOKEN = ("aria-label", "alt", "title", "aria-description", "placeholder", "content")
_INLINE = frozenset({"strong", "em", "b", "i", "span", "a", "small", "sub", "sup", "mark", "u", "code", "tspan"})


class UnusableFile(Exception):
    """A file holds no briefing that can be read; the message says why."""


def texts_of_file(name: str, content: bytes) -> list[tuple[str, str]]:
    """Place and text of everything that a deck, page or print says. Raises UnusableFile."""
    readers = {".pptx": _of_pptx, ".html": _of_html, ".htm": _of_html, ".pdf": _of_pdf}
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in readers:
        raise UnusableFile(f"{name} is neither .pptx, .html nor .pdf.")
    try:
        return [(place, text) for place, text in readers[suffix](content) if text.strip()]
    except UnusableFile:
        raise
    except Exception as problem:  # a file that people made fails to open in as many ways as there are libraries
        raise UnusableFile(
            f"{name} cannot be read as {suffix[1:]} ({type(problem).__name__}). Save it again and try once more."
        ) from problem


def subject_of_deck(content: bytes) -> str | None:
    """What a deck's properties say it was made from: release, convening and digest; None where they do not."""
    import pptx

    try:
        _checked_archive(content)
        properties = pptx.Presentation(io.BytesIO(content)).core_properties
    except Exception as problem:
        raise UnusableFile(f"The deck cannot be opened ({type(problem).__name__}).") from problem
    return properties.subject or None


def _checked_archive(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
            raise UnusableFile(f"The deck is larger than {MOST_BYTES // 1_000_000} MB when it is opened.")


def _of_pptx(content: bytes) -> Iterator[tuple[str, str]]:
    import pptx

    _checked_archive(content)
    deck = pptx.Presentation(io.BytesIO(content))
    for master in deck.slide_masters:
        for place, source in (("master", master), *((f"layout {layout.name}", layout) for layout in master.slide_layouts)):
            for shape in _shapes(shape for shape in source.shapes if not shape.is_placeholder):
                yield from ((f"{place}, {where}" if where else place, text) for where, text in _of_shape(shape))
    for number, slide in enumerate(deck.slides, 1):
        place = f"slide {number}"
        for shape in _shapes(slide.shapes):
            yield from ((f"{place}, {where}" if where else place, text) for where, text in _of_shape(shape))
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            yield f"{place}, notes", slide.notes_slide.notes_text_frame.text


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        yield shape
        # A group holds shapes of its own.
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)


def _of_shape(shape: Any) -> Iterator[tuple[str, str]]:
    for element in shape._element.iter():
        if element.tag.endswith("}cNvPr"):
            yield "alt text", " ".join(filter(None, (element.get("descr"), element.get("title"))))
            break
    if getattr(shape, "has_text_frame", False) and shape.has_text_frame:
        yield "", shape.text_frame.text
    if getattr(shape, "has_table", False) and shape.has_table:
        for row in shape.table.rows:
            for cell in row.cells:
                yield "table", cell.text_frame.text
    if getattr(shape, "has_chart", False) and shape.has_chart:
        chart = shape.chart
        for element in chart._chartSpace.iter():
            if element.tag.endswith(("}t", "}v")) and element.text and not re.fullmatch(r"[-+0-9.eE]+", element.text):
                yield "chart", element.text
    elif shape._element.tag.endswith("}graphicFrame") and not getattr(shape, "has_table", False):
        # Diagrams and the like keep their words elsewhere in the package.
        yield from (("drawing", element.text) for element in shape._element.iter() if element.tag.endswith("}t") and element.text)


def _of_html(content: bytes) -> Iterator[tuple[str, str]]:
    reader = _Page()
    reader.feed(content.decode("utf-8"))
    reader.close()
    reader.end_of_text()
    yield from reader.found


class _Page(HTMLParser):
    """Texts by the nearest heading above them; words that only screen readers hear are texts too."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self._silent, self._words, self._place, self._is_heading = 0, "", "top", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.end_of_text()
        self._silent += tag in _SILENT
        self._is_heading = tag in ("h1", "h2")
        self.found += [(f"{self._place}, {name}", value) for name, value in attrs if name in _SPOKEN and value and tag != "meta"]

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.end_of_text()
        self._silent -= tag in _SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words += data

    def end_of_text(self) -> None:
        """What was read since the last element is one text."""
        words = " ".join(self._words.split())
        self._words = ""
        if not words:
            return
        if self._is_heading:
            self._place = f"page “{words}”"
            self._is_heading = False
        self.found.append((self._place, words))


def _of_pdf(content: bytes) -> Iterator[tuple[str, str]]:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(content))
    if len(reader.pages) > MOST_PAGES:
        raise UnusableFile(f"The print has more than {MOST_PAGES} pages.")
    for number, page in enumerate(reader.pages, 1):
        yield f"page {number}", page.extract_text()
