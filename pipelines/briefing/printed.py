"""The printed briefing: PDF, set by Typst, with the charts' texts for screen readers. What it says does not belong here."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pipelines.briefing.charts import NOT_ON_A_COMMON_SCALE, svg_of
from pipelines.briefing.layout import cover_lines, footer, title_of, widths_of


def pdf_of(document: Mapping[str, Any]) -> bytes:
    """The document as PDF; the same document gives the same bytes."""
    # Both bring compiled libraries along: only who prints pays for them.
    import font_source_sans_pro  # type: ignore[import-untyped, unused-ignore]
    import typst

    fonts = Path(font_source_sans_pro.__file__).parent / "files"
    template = resources.files("pipelines.briefing").joinpath("templates", "briefing.typ").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        told = _with_pictures(document, root)
        root.joinpath("briefing.json").write_text(json.dumps(told), encoding="utf-8")
        root.joinpath("briefing.typ").write_text(template, encoding="utf-8")
        printed: bytes = typst.compile(
            str(root / "briefing.typ"),
            root=str(root),
            format="pdf",
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            timestamp=0,
        )
    return printed


def _with_pictures(document: Mapping[str, Any], root: Path) -> dict[str, Any]:
    pages = []
    for place, page in enumerate(document["pages"]):
        blocks = []
        for number, block in enumerate(page["blocks"]):
            if block["type"] == "years_chart":
                name = f"chart-{place}-{number}.svg"
                root.joinpath(name).write_text(svg_of(block), encoding="utf-8")
                note = None if block["is_shared_axis"] else NOT_ON_A_COMMON_SCALE
                blocks.append({**block, "picture": name, "scale_note": note})
            elif block["type"] == "table":
                blocks.append({**block, "widths": widths_of(block)})
            else:
                blocks.append(block)
        pages.append({**page, "blocks": blocks})
    return {
        **document,
        "pages": pages,
        "title": title_of(document),
        "footer": footer(document),
        "cover": cover_lines(document),
    }
