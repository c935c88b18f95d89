"""How the Submit pages say things: text from files kept from being anything but text, counts, times, states, next steps.

Pure. What a rule or a state means comes from the rule book and from `states`; only the next steps are said anew here, since
those of `states` name commands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dashboards.components.words import WORD_JOINER, plain
from pipelines.intake import expected, states
from pipelines.wording.labels import humanised, listed

# Streamlit turns these into pictures, arrows and mail links even where Markdown is escaped.
_MADE_UP = re.compile(r"(?<=:)(?=[\w+-])|(?<=[-<>~=])(?=[-<>=])|(?=@)")
BLANK = "(blank)"

NEXT_STEPS = {
    states.RECEIVED: "Open this page again in a moment. If nothing changes, tell the people who run NMIP.",
    states.READING: "Open this page again in a moment. If nothing changes, tell the people who run NMIP.",
    states.UNREADABLE: "Read the finding, mend the file and send it again.",
    states.CORRECTIONS_NEEDED: "Correct what is listed below in your file and send it again.",
    states.ACKNOWLEDGEMENTS_NEEDED: "Say below why it is right, or correct your file and send it again.",
    states.READY: "Look at what signing changes, then sign it.",
    states.CERTIFIED: "Nothing to do. Keep the receipt with your files.",
    states.SUPERSEDED: "Nothing to do.",
    states.WITHDRAWN: "Nothing to do. The same file can be sent again.",
    states.DAMAGED: "Tell the people who run NMIP. Nothing of it is published meanwhile.",
}
STATE_WORDS = {
    states.RECEIVED: "Received",
    states.READING: "Being checked",
    states.UNREADABLE: "Cannot be read",
    states.CORRECTIONS_NEEDED: "To correct",
    states.ACKNOWLEDGEMENTS_NEEDED: "To acknowledge",
    states.READY: "Ready to sign",
    states.CERTIFIED: "Certified",
    states.SUPERSEDED: "Replaced",
    states.WITHDRAWN: "Withdrawn",
    states.DAMAGED: "Record damaged",
}
EXPECTED_WORDS = {
    expected.MISSING: "Missing",
    expected.LATE: "Late",
    expected.IN_WORK: "In work",
    expected.AWAITED: "Awaited",
    expected.IN_FORCE: "Certified",
    expected.IN_FORCE_LATE: "Certified late",
    expected.NOT_PROVIDED: "Not provided",
    expected.NOT_APPLICABLE: "Not applicable",
}
TIER_WORDS = {
    "S": "structure, must be corrected",
    "V": "validity, must be corrected",
    "Q": "plausibility, correct it or acknowledge it",
    "M": "whole file, correct it or acknowledge it",
}


def said(text: object) -> str:
    """Text from outside as it may stand in Markdown: letter by letter, on one line; no link, picture, colour or formula."""
    return plain(_MADE_UP.sub(WORD_JOINER, str(text)))


def exact(value: object) -> str:
    """A delivered value, or a person's name, as inline code: shown, and copied, exactly as it is."""
    text = re.sub(r"[\r\n\t]", " ", str(value)).replace(":material/", f":{WORD_JOINER}material/")
    if not text:
        return BLANK
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    pad = " " if text[0] in " `" or text[-1] in " `" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 finding`, `8 findings`, `1,200 findings`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def moment(at: str) -> str:
    """The time of an event (UTC, ISO) for people: `2026-11-22 03:48 UTC`."""
    return f"{at[:10]} {at[11:16]} UTC"


def size(n_bytes: int) -> str:
    """`820 bytes`, `3.2 MB`."""
    if n_bytes < 1_000:
        return counted(n_bytes, "byte")
    return f"{n_bytes / 1_000:.0f} kB" if n_bytes < 1_000_000 else f"{n_bytes / 1_000_000:.1f} MB"


def accounting(noun: str, counts: Mapping[str, Any]) -> str:
    """`1,240 lines in = 1,200 used + 40 dropped (40 other district)`; what does not add up says so."""
    if not counts or "in" not in counts:
        return f"The {noun}s were not counted."
    dropped: Mapping[str, int] = counts.get("dropped") or {}
    text = f"{counted(counts['in'], noun)} in = {counts['used']:,} used"
    if dropped:
        reasons = listed([f"{n:,} {humanised(reason).lower()}" for reason, n in dropped.items()])
        text += f" + {sum(dropped.values()):,} dropped ({reasons})"
    missing = counts["in"] - counts["used"] - sum(dropped.values())
    return f"{text}." if not missing else f"{text}. {counted(abs(missing), noun)} {'missing' if missing > 0 else 'too many'}."
