"""Making and checking a convening's briefing in every format: nothing is handed out that its own linter refuses.

Pure: bytes come in and go out. Where they are kept belongs to `flow`, words of the command line to `cli`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pipelines.briefing.changes import ROOT
from pipelines.briefing.content import SECTIONS, briefing_document
from pipelines.briefing.extraction import texts_of_file
from pipelines.briefing.lint import Problem, document_problems, text_problems
from pipelines.release.folder import ReleaseFolder

PPTX, HTML, PDF = "pptx", "html", "pdf"
FORMATS = (PPTX, HTML, PDF)
DOCUMENT = "briefing.json"
# The folder of what somebody asked for in part, beside the whole briefing.
CHOSEN = "chosen"


class BriefingRefused(Exception):
    """A briefing says more than its verdicts allow, so it was not made; `problems` say what and where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.message() for problem in problems[:10]))
        self.problems = tuple(problems)


def briefing_key(release_id: str, convening_id: str, name: str) -> str:
    """Where a file of a convening's briefing lies below the home."""
    return f"{ROOT}/{release_id}/{convening_id}/{name}"


def built_briefing(
    release: ReleaseFolder,
    convening_id: str,
    before: ReleaseFolder | None = None,
    formats: Sequence[str] = FORMATS,
    sections: Sequence[str] = tuple(SECTIONS),
    master: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, bytes]:
    """The files of a briefing by name, `briefing.json` last: the same releases and sections give the same bytes.

    Raises NoBriefing, UnusableMaster, and BriefingRefused where a text says more than its verdict allows.
    """
    document = briefing_document(release, convening_id, before, sections)
    checked(document)
    _passes(document_problems(document, release, before))
    made = {}
    for name in formats:
        progress(f"briefing of convening {convening_id}: {name}")
        content = rendered(document, name, master)
        _passes(text_problems(texts_of_file(f"briefing.{name}", content), document))
        made[f"briefing.{name}"] = content
    made[DOCUMENT] = as_json(document)
    return made


def rendered(document: Mapping[str, Any], name: str, master: Path | None = None) -> bytes:
    """A document in one format. Raises UnusableMaster."""
    if name == PPTX:
        from pipelines.briefing.deck import pptx_of

        return pptx_of(document, master)
    if name == HTML:
        from pipelines.briefing.web import html_of

        return html_of(document)
    from pipelines.briefing.printed import pdf_of

    return pdf_of(document)


def checked(document: Mapping[str, Any]) -> None:
    """See that a document has the form that `briefing.schema.json` promises. Raises jsonschema.ValidationError."""
    import jsonschema

    schema = resources.files("pipelines.briefing").joinpath("templates", "briefing.schema.json").read_text(encoding="utf-8")
    jsonschema.Draft202012Validator(json.loads(schema)).validate(document)


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document as it is kept."""
    return (json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def _passes(problems: Sequence[Problem]) -> None:
    if problems:
        raise BriefingRefused(problems)
