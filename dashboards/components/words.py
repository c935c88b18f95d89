"""How codes, numbers and gaps are said in words, and how text from outside is kept from being anything but text.

Pure functions; labels that a release carries (districts, levels, indicators) come from the release, not from here.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

CHALLENGES = {
    "size_and_scale": "Size & Scale",
    "materials": "Core & Supplemental Materials",
    "educator_capacity": "Educator Capacity",
    "leader_capacity": "Leader Capacity",
    "mindset": "Math Mindset",
    "outcomes": "Outcomes",
}
NO_VERDICT = "Shown side by side; whether a difference holds is not yet decided by a verdict."
SYMBOLS = {
    "z": ("not applicable", "The number cannot exist here: there is no such level, grade or course."),
    "x": ("not available", "The number exists in principle, but was not collected or not delivered."),
    "c": ("confidential", "Withheld to protect people in small groups."),
    "low": ("rounds to 0", "The number is above zero, but rounds to zero at the precision delivered."),
    "u": ("low reliability", "Too little stands behind the number for it to be relied on."),
}
BASES = {
    "own_test": "the district's own test: read within one district, one test and one year",
    "state_relative": "position within the district's own state and year",
    "linked": "linked to a national scale, with the error of linking",
    "naep": "published national assessment results",
    "scale_free": "free of the test's scale",
    "survey": "survey answers: read with the instrument and the response rate",
    "observed": "classroom observation: read with the tool and the sampling",
    "administrative": "administrative records",
}
_SUBGROUPS = {
    "all": "All students",
    "disability": "Students with disabilities",
    "no_disability": "Students without disabilities",
    "english_learner": "English learners",
    "not_english_learner": "Not English learners",
    "american_indian": "American Indian or Alaska Native",
    "black": "Black or African American",
    "hispanic": "Hispanic or Latino",
    "pacific_islander": "Native Hawaiian or Pacific Islander",
}
_CATEGORIES = {
    "meets": "Meets expectations",
    "partially_meets": "Partially meets expectations",
    "does_not_meet": "Does not meet expectations",
    "not_reviewed": "Not reviewed",
}
_COURSES = {
    "K": "Kindergarten mathematics",
    "ALG1": "Algebra I",
    "GEO": "Geometry",
    "ALG2": "Algebra II",
    "INT1": "Integrated Mathematics I",
    "INT2": "Integrated Mathematics II",
    "INT3": "Integrated Mathematics III",
}
# All are read by Python's and by Polars' regular expressions. A word joiner keeps an address from becoming a link.
LINK = r"(?i)(:|www)(//|\.)"
WORD_JOINER = "\u2060"
MARKUP = r"[\\`*_{}\[\]()<>#|~:$&!^=]"
LINE_START = r"^(\d+)([.)])|^()([-+])"


def plain(text: str) -> str:
    """Text from outside as it may stand in Markdown: shown letter by letter, on one line, no address becoming a link."""
    without_links = re.sub(LINK, rf"\1{WORD_JOINER}\2", " ".join(text.split()))
    return re.sub(LINE_START, r"\1\3\\\2\4", re.sub(MARKUP, r"\\\g<0>", without_links))


def humanised(code: str) -> str:
    """A code as a label, for codes without a better one: `low_income` is `Low income`."""
    words = code.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def grade_label(code: str | None) -> str:
    """`3` is `Grade 3`, `3_8` is `Grades 3-8`; no code is all grades."""
    if code is None:
        return "All grades"
    if code in ("PK", "K"):
        return {"PK": "Prekindergarten", "K": "Kindergarten"}[code]
    if code.isdigit():
        return f"Grade {code}"
    return "Grades " + code.replace("_and_", " and ").replace("_", "-")


def course_label(code: str | None) -> str:
    """`ALG1` is `Algebra I`, `3` is `Grade 3 mathematics`; no code is all courses."""
    if code is None:
        return "All courses"
    return _COURSES.get(code) or (f"Grade {code} mathematics" if code.isdigit() else humanised(code))


def subgroup_label(code: str | None) -> str:
    """A student group's label; no code is everyone."""
    return _SUBGROUPS["all"] if code is None else _SUBGROUPS.get(code, humanised(code))


def category_label(code: str | None) -> str:
    """A category's label, for categories whose names do not depend on a test."""
    return "All" if code is None else _CATEGORIES.get(code, humanised(code))


def split_label(field: str, code: str | None) -> str:
    """The label of one value of a breakdown; `field` is `grade`, `course`, `subgroup` or `category`."""
    known = {
        "grade": grade_label,
        "course": course_label,
        "subgroup": subgroup_label,
        "category": category_label,
    }
    return known[field](code)


def split_order(field: str, code: str | None) -> tuple[int, int, str]:
    """A sort key for the values of a breakdown: the whole first, then in the order of schooling or of the code list."""
    if code is None or (field == "subgroup" and code == "all"):
        return (0, 0, "")
    listed: Iterable[str] = {"category": _CATEGORIES, "course": _COURSES}.get(field, ())
    if field in ("grade", "course"):
        if code in ("PK", "K"):
            return (1, -2 if code == "PK" else -1, code)
        if code.isdigit():
            return (1, int(code), code)
    place = list(listed).index(code) if code in listed else 99
    return (2, place, code)


def gap_sentence(symbol: str | None) -> str:
    """Why there is no number, in a sentence."""
    if symbol in SYMBOLS:
        word, sentence = SYMBOLS[symbol]
        return f"{humanised(word)}: {sentence[:1].lower()}{sentence[1:]}"
    return "The release gives no number and no reason."


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def wrapped(text: str, width: int) -> str:
    """Text broken into lines of at most `width` letters where words allow it."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=False)) or text


def year_start(school_year: str) -> int:
    """The calendar year in which a school year starts: 2024 of `2024-25`. Raises ValueError on anything else."""
    return int(school_year[:4])


def years_text(years: Sequence[str]) -> str:
    """School years as runs: `2018-19, 2021-22 to 2024-25`."""
    runs: list[list[str]] = []
    for year in sorted(years):
        if runs and year_start(year) == year_start(runs[-1][-1]) + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
