"""What only pages need to say, and how text from outside is kept from being anything but text in Streamlit's Markdown.

How codes, flags and numbers are said belongs to `pipelines.wording`.
"""

from __future__ import annotations

import re
import textwrap

from pipelines.wording.labels import CHALLENGES

# The page of each challenge, as the name of its script.
PAGES = {code: "programmes" if code == "programs" else code for code in CHALLENGES}
# What a page says where districts stand beside each other.
SIDE_BY_SIDE = "Side by side is not compared: what may be said of two districts, or of two years, is said by a verdict."
NO_VERDICTS = "This release holds no verdicts, so nothing here says that one district or year is higher or lower than another."
# All are read by Python's and by Polars' regular expressions. A word joiner keeps an address from becoming a link.
LINK = r"(?i)(:|www)(//|\.)"
WORD_JOINER = "\u2060"
MARKUP = r"[\\`*_{}\[\]()<>#|~:$&!^=]"
LINE_START = r"^(\d+)([.)])|^()([-+])"
# Streamlit turns these into pictures, arrows and mail links even where Markdown is escaped; a word joiner goes between.
ICON, ARROW, MAIL = r"(:)([\w+-])", r"([-<>~=])([-<>=])", f"([^{WORD_JOINER}]|^)(@)"


def plain(text: str) -> str:
    """Text from outside as it may stand in Markdown: shown letter by letter, on one line; no link, picture or arrow."""
    said = " ".join(text.split())
    # Twice, because the end of one arrow may be the start of the next.
    for pattern in (ICON, ARROW, ARROW, MAIL, LINK):
        said = re.sub(pattern, rf"\1{WORD_JOINER}\2", said)
    return re.sub(LINE_START, r"\1\3\\\2\4", re.sub(MARKUP, r"\\\g<0>", said))


def side_by_side(*, has_verdicts: bool) -> str:
    """What a page says where districts stand beside each other."""
    return SIDE_BY_SIDE if has_verdicts else NO_VERDICTS


def wrapped(text: str, width: int) -> str:
    """Text broken into lines of at most `width` letters where words allow it."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=False)) or text
