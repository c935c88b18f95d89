"""The briefing as one HTML file that needs nothing else: styles and pictures stand in it. What it says does not belong here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pipelines.briefing.charts import NOT_ON_A_COMMON_SCALE, svg_of
from pipelines.briefing.layout import cover_lines, footer, title_of

_IDENTIFIERS = re.compile(r'(\bid="|url\(#|href="#)(clip|gradient_)')


def html_of(document: Mapping[str, Any]) -> bytes:
    """The document as HTML; every text is escaped, and only pictures that were drawn here are taken as they are."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    template = resources.files("pipelines.briefing").joinpath("templates", "briefing.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages = [
        {
            **page,
            "blocks": [
                # The picture's own texts come from the converter, which escapes them.
                {**block, "picture": Markup(_named_apart(svg_of(block), page["id"]))}  # noqa: S704
                if block["type"] == "years_chart"
                else block
                for block in page["blocks"]
            ],
        }
        for page in document["pages"]
    ]
    written = environment.from_string(template).render(
        **{**document, "pages": pages},
        title=title_of(document),
        cover=cover_lines(document),
        footer=footer(document),
        not_on_a_common_scale=NOT_ON_A_COMMON_SCALE,
    )
    return written.encode()


def _named_apart(picture: str, name: str) -> str:
    """Several pictures in one page must not share the names of their parts."""
    return _IDENTIFIERS.sub(rf"\g<1>{name}-\g<2>", picture)
