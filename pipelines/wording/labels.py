"""How codes, flags and gaps are said in words.

Pure functions; labels that a release carries (districts, levels, indicators, codes) come from the release and go first. Numbers
and their units are said by `amounts`; how a page keeps text from being anything but text does not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

CHALLENGES = {
    "size_and_scale": "Size & Scale",
    "materials": "Core & Supplemental Materials",
    "educator_capacity": "Educator Capacity",
    "leader_capacity": "Leader Capacity",
    "mindset": "Math Mindset",
    "outcomes": "Outcomes",
    "programs": "Programmes",
}
SYMBOLS = {
    "z": ("not applicable", "The number cannot exist here: there is no such level, grade or course."),
    "x": ("not available", "The number exists in principle, but was not collected or not delivered."),
    "c": ("confidential", "Withheld to protect people in small groups."),
    "r": (
        "protected range",
        "The share lies somewhere within the range shown; where in it is withheld to protect people in small groups.",
    ),
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
    "proficient_or_above": "Proficient or above",
    "meets": "Meets expectations",
    "partially_meets": "Partially meets expectations",
    "does_not_meet": "Does not meet expectations",
    "not_reviewed": "Not reviewed",
    "verified": "Verified",
    "self": "Rated by itself",
    "reviewer": "Rated by a reviewer",
    "exploration": "Exploration",
    "installation": "Installation",
    "initial": "Initial implementation",
    "full": "Full implementation",
    "not_rated": "Not rated",
    "survey": "Survey answers",
    "log": "Logs of use",
}
_PEOPLE = {
    "teacher": "Teachers",
    "leader": "School leaders",
    "student": "Students",
    "family": "Families",
    "families": "Families",
    "teachers": "Teachers",
    "school_leaders": "School leaders",
    "students": "Students",
    "board": "School board",
    "community": "Community members",
}
_COHORTS = {"grade_8": "Students of grade 8", "first_time_grade_9": "First-time students of grade 9"}
_ADMINISTRATIONS = ("fall", "winter", "spring", "summer", "full_year")
_SCHOOL_LEVELS = {
    "elementary": "Elementary schools",
    "elementary_middle": "Elementary and middle grades (K-8)",
    "middle": "Middle schools",
    "middle_high": "Middle and high school grades (6-12)",
    "high": "High schools",
    "combined": "Elementary to high school grades (K-12)",
    "other": "Other span of grades",
}
# Of whom a breakdown's missing code speaks: the whole.
_WHOLES = {
    "grade": "All grades",
    "course": "All courses",
    "subgroup": "All students",
    "respondent": "All respondents",
    "audience": "All audiences",
    "program_id": "All programmes",
    "cohort": "All cohorts",
    "category": "All",
    "statistic": "Main measure",
    "administration": "Whole year",
    "school_level": "All schools",
    "network_id": "All schools",
    "school_set": "All schools",
    "instrument": "Instrument not named",
}
FIELDS = {
    "grade": "Grade",
    "course": "Course",
    "subgroup": "Student group",
    "respondent": "Who answered",
    "audience": "Audience",
    "program_id": "Programme",
    "cohort": "Cohort",
    "category": "Result",
    "statistic": "Measure",
    "administration": "Wave or term",
    "school_level": "School level",
    "network_id": "Network",
    "school_set": "Schools",
}
# What a value's flags mean: the short mark beside the number, and the sentence below it.
FLAGS = {
    "low_response": ("low response", "Few of those asked answered: those who did may differ from those who did not."),
    "response_below_floor": (
        "response too low to compare",
        "So few of those asked answered that this may not be compared with anything.",
    ),
    "response_unknown": ("response rate unknown", "How many were asked was not delivered, so the response rate is unknown."),
    "low_alpha": ("scale of low reliability", "The answers to the scale's questions do not go together well enough."),
    "alpha_unknown": ("reliability unknown", "The reliability of the scale (alpha) was not delivered."),
    "purposive_sample": ("chosen sample", "The lessons were chosen for a purpose: they do not stand for the district."),
    "self_rated": ("rated by itself", "Rated by those it is about; nobody else has verified it."),
    "alignment_unrated": (
        "alignment not rated",
        "Some titles beside the core are not rated for alignment, so they count as not aligned.",
    ),
    "definition_varies": ("definition varies", "What is counted differs between the parts that are added up here."),
    "tools_differ": ("tools differ", "Schools used different tools, so this may not be compared with others."),
    "standard_error_unknown": (
        "error unknown",
        "The standard error was not published, so no interval is drawn and nothing is tested.",
    ),
    "no_state_distribution": (
        "state's distribution missing",
        "The state's own distribution of this test, grade and year has not been sent.",
    ),
    "no_naep_anchor": (
        "no NAEP result",
        "NAEP has no published result for this grade and year in the state, so nothing holds the link.",
    ),
    "grade_not_linked": ("grade not linked", "NAEP tests grades 4 and 8; grade 3 lies outside and is not linked."),
    "between_grades": ("between grades", "NAEP tests grades 4 and 8; this grade lies on a straight line between the two."),
    "between_years": ("between years", "NAEP tested in the years before and after; this year is taken as the mean of both."),
    "group_too_small": ("group too small", "Too few students stand behind it for an estimate."),
    "groups_incomplete": ("groups incomplete", "The two groups together leave out too many of the students tested."),
    "levels_incomplete": ("levels incomplete", "The counts at the levels leave out too many of the students tested."),
    "no_school_levels": ("no results of schools", "The counts at the levels were not sent by school."),
    "too_few_schools": ("too few schools", "Too few schools stand behind it for an estimate."),
    "too_few_levels": ("too few levels", "The students stand at too few levels for an estimate."),
    "closures": ("schools closed", "Schools closed between the two dates, which moves this number by itself."),
    "below_band": ("below the band", "Fewer teachers a leader than the programme's founding documents plan for."),
    "above_band": ("above the band", "More teachers a leader than the programme's founding documents plan for."),
    "undeveloped_principle": ("a principle is undeveloped", "Not accomplished, because a principle is rated undeveloped."),
    "more_than_three_developing": (
        "more than three developing",
        "Not accomplished, because more than three principles are rated developing.",
    ),
    "A_not_accomplished": ("principle A not accomplished", "Not accomplished, because principle A (need) is not."),
    "none_of_G_H_I": (
        "none of G, H and I accomplished",
        "Not accomplished, because none of the principles G (content), H (STEM practices) and I (inspiration) is.",
    ),
    "all_rules_met": ("every rule is met", "Accomplished: no rule stands against it."),
    "principle_missing": ("a principle is not rated", "Not decided, because at least one principle has no rating."),
}
# Flags that say which rule decided a rating: said with the decision, and no reason to read a number with care.
RULES = (
    "undeveloped_principle",
    "more_than_three_developing",
    "A_not_accomplished",
    "none_of_G_H_I",
    "all_rules_met",
    "principle_missing",
)
RATINGS = ("undeveloped", "developing", "accomplished")
CHANGES = {
    "same": "Same school as the year before",
    "opened": "Opened",
    "closed": "Closed since the year before",
    "merged": "Made of schools that merged",
    "id_changed": "Went on under another id",
    "came_into_scope": "Began to take part",
    "left_scope": "Stopped taking part",
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


def split_label(field: str, code: str | None, labels: Mapping[tuple[str, str], str] | None = None) -> str:
    """The label of one value of a breakdown, a field of `FIELDS`; `labels` are a release's own, by field and code."""
    if code is not None and labels and (field, code) in labels:
        return labels[field, code]
    if field == "grade":
        return grade_label(code)
    if field == "course":
        return course_label(code)
    if code is None or (code == "all" and field != "category"):
        return _WHOLES.get(field, "All")
    known: Mapping[str, str] = _LABELS.get(field, {})
    if code in known:
        return known[code]
    # A network's own name or number says nothing by itself.
    return f"Network {code}" if field == "network_id" and not code.lower().startswith("network") else humanised(code)


_LABELS = {
    "subgroup": _SUBGROUPS,
    "category": _CATEGORIES,
    "respondent": _PEOPLE,
    "audience": _PEOPLE,
    "cohort": _COHORTS,
    "school_level": _SCHOOL_LEVELS,
    "school_set": {"continuing": "Schools followed through all years"},
    "statistic": {
        "all_or_random": "All lessons, or a random sample",
        "purposive": "Lessons chosen for a purpose",
        "scale_mean": "Mean of the scale",
        "share_of_fte": "Share of FTE",
        "teachers_per_fte": "Teachers per FTE",
        "math": "Mathematics",
        "ela": "ELA",
        "p90_minus_p10": "90th less 10th percentile",
        "sd": "SD",
        "iqr": "Interquartile range",
        "p25": "25th percentile",
        "p75": "75th percentile",
    },
}
_ORDERS: dict[str, Sequence[str]] = {
    "category": tuple(_CATEGORIES),
    "course": tuple(_COURSES),
    "administration": _ADMINISTRATIONS,
    "respondent": tuple(_PEOPLE),
    "audience": tuple(_PEOPLE),
    "school_level": tuple(_SCHOOL_LEVELS),
}


def split_order(field: str, code: str | None) -> tuple[int, int, str]:
    """A sort key for the values of a breakdown: the whole first, then in the order of schooling or of the code list."""
    if code is None or code in ("all", "ALL"):
        return (0, 0, "")
    if field in ("grade", "course"):
        if code in ("PK", "K"):
            return (1, -2 if code == "PK" else -1, code)
        if code.isdigit():
            return (1, int(code), code)
    order = _ORDERS.get(field, ())
    first = re.match(r"\d+", code)
    if code in order:
        return (2, order.index(code), code)
    return (3, int(first[0]) if first else 10**6, code)


def flag_words(flags: str | None) -> list[str]:
    """The short marks of a value's flags (`; `-joined codes), in words; an unknown flag is humanised."""
    return [_mark(code) for code in flag_codes(flags)]


def _mark(code: str) -> str:
    """A flag in a few words; `name=value` is what a definition travels with, such as `sessions_per_week=3.0`."""
    if code in FLAGS:
        return FLAGS[code][0]
    name, _, value = code.partition("=")
    said = humanised(name).lower()
    return f"{said}: {value.removesuffix('.0')}" if value else said


def flag_codes(flags: str | None) -> list[str]:
    """What has to be known to read a value, as codes, each once; a rating said again, or the rule that decided one, is not."""
    return [code for code in _codes(flags) if code not in RATINGS and code not in RULES]


def rule_codes(flags: str | None) -> list[str]:
    """The rules that decided a rating, among a value's flags."""
    return [code for code in _codes(flags) if code in RULES]


def _codes(flags: str | None) -> list[str]:
    return [code for code in dict.fromkeys(part.strip() for part in (flags or "").split(";")) if code]


def flag_sentence(code: str) -> str:
    """What a flag means, in a sentence."""
    if code in FLAGS:
        return FLAGS[code][1]
    return "What the district counts by; it travels with the number." if "=" in code else "Read the caveats of the indicator."


def gap_sentence(symbol: str | None) -> str:
    """Why there is no number, in a sentence."""
    if symbol in SYMBOLS:
        word, sentence = SYMBOLS[symbol]
        return f"{humanised(word)}: {sentence[:1].lower()}{sentence[1:]}"
    return "The release gives no number and no reason."


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


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
