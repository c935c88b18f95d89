"""Whether a briefing says more than its verdicts allow: over the document that formats are made from, and over finished text.

In the document every comparative sentence is made again from its claims, every claim is looked up in the release, and every quote
is looked for there. In a finished text every word that claims something must stand in such a sentence or quote, word for word.
How text comes out of a file belongs to `extraction`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.briefing.claims import LEARNING, YEARS, Overclaim, from_json, learning_sentence, years_sentence
from pipelines.briefing.language import WHY, flagged
from pipelines.release import changes
from pipelines.release.folder import ReleaseFolder
from pipelines.wording.labels import SYMBOLS, gap_sentence

# Where words that a briefing quotes may come from, and the columns that hold them.
_QUOTED = {
    "indicators": ("name", "definition", "caveats"),
    "verdicts": ("label", "meaning", "remedy"),
    "commitments": ("text",),
    "focal_questions": ("question",),
    "instruments": ("label", *(f"level_{k}_label" for k in range(1, 7))),
    "codes": ("label",),
    "districts": ("label",),
}
# The project's name, and the fixed sentences about symbols.
OWN_WORDS = ("National Math Improvement Project", *(gap_sentence(symbol) for symbol in SYMBOLS))
_MARK = "\N{REPLACEMENT CHARACTER}"
_AROUND = 60


@dataclass(frozen=True)
class Problem:
    """What is said without being allowed: where, the words around it, why it may not stand, and what to do."""

    place: str
    words: str
    why: str
    what_to_do: str

    def message(self) -> str:
        """In one line."""
        return f"{self.place}: “{self.words}” {self.why}. {self.what_to_do}"


def document_problems(document: Mapping[str, Any], release: ReleaseFolder, before: ReleaseFolder | None = None) -> list[Problem]:
    """What a document says that its release does not bear out. `before`: the release that it tells changes from."""
    known = _comparisons(release, document)
    problems: list[Problem] = []
    for page in document["pages"]:
        for block in page["blocks"]:
            if block["type"] == "statement":
                problems += _statement_problems(str(page["title"]), block, known)
    said = _said_in(release)
    if before is not None:
        told = changes.sentences(changes.as_json(changes.changes_between(before, release)))
        said += "".join(f"{_normal(sentence)}\n" for sentence in told)
    for quote in document["quotes"]:
        if not _is_from(quote, said):
            problems.append(
                Problem("quotes", _shortened(quote), "is called a quote, and the release does not hold it", "Take it out.")
            )
    return problems + text_problems(texts_of(document), document)


def text_problems(texts: Iterable[tuple[str, str]], document: Mapping[str, Any]) -> list[Problem]:
    """Claiming words in a finished text outside the sentences and quotes of its document. `texts`: place and text."""
    allowed = sorted({*statements_of(document), *document["quotes"], *OWN_WORDS}, key=len, reverse=True)
    patterns = [_loosely(passage) for passage in allowed if flagged(passage)]
    problems = []
    for place, text in texts:
        left = _normal(text)
        for pattern in patterns:
            left = pattern.sub(_MARK, left)
        for word in flagged(left):
            around = left[max(0, word.at - _AROUND) : word.at + len(word.word) + _AROUND].replace(_MARK, "…").strip()
            problems.append(
                Problem(
                    place,
                    around,
                    f"holds “{word.word}”, which {WHY[word.kind]}",
                    "Use the sentence that the briefing was built with, or leave the claim out.",
                )
            )
    return problems


def statements_of(document: Mapping[str, Any]) -> list[str]:
    """Every sentence of a document that was made from claims."""
    return [block["text"] for page in document["pages"] for block in page["blocks"] if block["type"] == "statement"]


def texts_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of a document with its page."""
    yield "cover", " ".join(str(document["convening"][name]) for name in ("label", "audience"))
    for page in document["pages"]:
        place = f"page “{page['title']}”"
        yield place, page["title"]
        for note in page["notes"]:
            yield f"{place}, notes", note
        for block in page["blocks"]:
            for text in _texts(block):
                yield place, text


def _texts(node: Any, name: str = "") -> Iterator[str]:
    if isinstance(node, str):
        if name not in ("type", "sentence", "district", "indicator_id"):
            yield node
    elif isinstance(node, Mapping):
        for key, child in node.items():
            # Claims are data; what is said of them is the sentence.
            if key not in ("claims", "beside"):
                yield from _texts(child, key)
    elif isinstance(node, Sequence):
        for child in node:
            yield from _texts(child, name)


def _statement_problems(place: str, block: Mapping[str, Any], known: set[tuple[Any, ...]]) -> list[Problem]:
    words = _shortened(str(block["text"]))
    try:
        claims = from_json(block["claims"])
        beside = [(str(subject), from_json([claim])[0]) for subject, claim in block["beside"]]
        if block["sentence"] == YEARS:
            again = years_sentence(block["subject"], claims)
        elif block["sentence"] == LEARNING:
            again = learning_sentence(block["subject"], claims[0], beside)
        else:
            return [
                Problem(place, words, f"is a sentence of an unknown kind, {block['sentence']!r}", "Build the briefing again.")
            ]
    except Overclaim as problem:
        return [Problem(place, words, f"says more than its verdict: {problem}", "Build the briefing again.")]
    except (KeyError, TypeError, IndexError) as problem:
        return [Problem(place, words, f"has no usable claims ({type(problem).__name__})", "Build the briefing again.")]
    found = []
    if again != block["text"]:
        found.append(Problem(place, words, "is not the sentence that its claims make", f"It would be: {again}"))
    for claim in (*claims, *(one for _, one in beside)):
        if _key(claim.__dict__) not in known:
            named = f"{claim.indicator_id}, {claim.district}, {claim.school_year} against {claim.other_school_year}"
            found.append(Problem(place, words, f"rests on a verdict that the release does not hold ({named})", "Build it again."))
    return found


_KEY = ("indicator_id", "district", "school_year", "other_school_year", "verdict", "is_comparable", "finding")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _comparisons(release: ReleaseFolder, document: Mapping[str, Any]) -> set[tuple[Any, ...]]:
    used = {claim["indicator_id"] for block in _blocks(document) for claim in _claims(block)}
    rows = release.tables["comparisons"].filter((pl.col("comparison") == "years") & pl.col("indicator_id").is_in(sorted(used)))
    rows = rows.join(release.tables["verdicts"].select("verdict", "is_comparable"), on="verdict", how="left")
    told = pl.when("is_comparable").then("finding").alias("finding")
    return {_key(row) for row in rows.with_columns(told).select(_KEY).unique().to_dicts()}


def _blocks(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (block for page in document["pages"] for block in page["blocks"] if block["type"] == "statement")


def _claims(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from block["claims"]
    yield from (claim for _, claim in block["beside"])


def _said_in(release: ReleaseFolder) -> str:
    """Everything that a briefing may quote from a release, in one text."""
    parts: list[str] = []
    for name, columns in _QUOTED.items():
        if name in release.tables:
            table = release.tables[name]
            for column in columns:
                if column in table.columns:
                    parts += [_normal(text) for text in table[column].cast(pl.String).drop_nulls().unique().sort().to_list()]
    return f"\n{chr(10).join(parts)}\n"


def _is_from(quote: str, said: str) -> bool:
    """Whether a quote stands in the release as a whole text, or as an indicator's name with its id."""
    whole = _normal(quote)
    named = re.sub(r" \([A-Z]{2}\d+\)$", "", whole)
    return f"\n{whole}\n" in said or (named != whole and f"\n{named}\n" in said)


def _normal(text: str) -> str:
    """A text as it is read: letters without a width, soft hyphens and other forms of a letter hide no word."""
    told = unicodedata.normalize("NFKC", text)
    return " ".join("".join(letter for letter in told if unicodedata.category(letter) != "Cf").split())


def _loosely(passage: str) -> re.Pattern[str]:
    """A passage with any white space between its words and after its hyphens: files break lines where they like."""
    words = [re.escape(word).replace(r"\-", r"\-\s*") for word in _normal(passage).split()]
    return re.compile(r"\s+".join(words))


def _shortened(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}…"
