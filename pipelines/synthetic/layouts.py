"""Native layouts: how some districts export an extract in columns, codes and files of their own.

Which district has which stands in `data_contracts/synthetic_layouts.csv`. Each layout is the counterpart of the mapping in
`data_contracts/mappings/<district>/<extract>.sql`, which reads the files back into exactly the contract's rows. A district
without a layout for an extract sends the contract's own columns. What the numbers are, and what is spoiled in them on
purpose, does not belong here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.synthetic.model import SyntheticNetworkError

Files = tuple[tuple[str, bytes], ...]
Write = Callable[[pl.DataFrame, str], Files]
MADE_ON = datetime(2026, 1, 1)


@dataclass(frozen=True)
class Layout:
    """How a district writes one extract: rows in the contract's columns and `school_year`, a stem for names, files.

    `spans_years`: one delivery holds all school years. Several files are one delivery.
    """

    write: Write
    spans_years: bool = False


def _cells(name: str, marks: Mapping[str, str]) -> pl.Expr:
    """A count as text, or the district's mark for why it is missing."""
    symbol = pl.col(f"{name}_symbol").replace_strict(dict(marks), default=None, return_dtype=pl.String)
    return pl.coalesce(pl.col(name).cast(pl.String), symbol)


def _percent(part: str, whole: str, marks: Mapping[str, str]) -> pl.Expr:
    """The percent that `part` is of `whole`, with two decimals; blank where there is nothing to divide by."""
    share = (100 * pl.col(part) / pl.col(whole)).round(2)
    symbol = pl.col(f"{part}_symbol").replace_strict(dict(marks), default=None, return_dtype=pl.String)
    text = pl.when(pl.col(whole) > 0).then(share.cast(pl.String))
    return pl.coalesce(text, symbol)


def _coded(name: str, codes: Mapping[str, str]) -> pl.Expr:
    return pl.col(name).replace_strict(dict(codes), return_dtype=pl.String)


def _csv(table: pl.DataFrame, separator: str = ",", encoding: str = "utf-8") -> bytes:
    return table.write_csv(None, separator=separator).encode(encoding)


def _workbook(table: pl.DataFrame, sheet: str, title: Sequence[str]) -> bytes:
    """One sheet with title lines, a blank row, the header, the rows; numbers and dates as such, ids as text."""
    import xlsxwriter

    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    # Otherwise the day on which the file is made would make other bytes of the same rows.
    workbook.set_properties({"created": MADE_ON})
    day = workbook.add_format({"num_format": "yyyy-mm-dd"})
    page = workbook.add_worksheet(sheet)
    page.write_column(0, 0, title)
    for position, column in enumerate(table.iter_columns()):
        page.write_string(len(title) + 1, position, column.name)
        page.write_column(len(title) + 2, position, column.to_list(), day if column.dtype == pl.Date else None)
    workbook.close()
    return buffer.getvalue()


# --- blocks of student groups, lists of schools ---

MARKS_IN_LETTERS = {"z": "N/A", "x": "NR", "c": "*"}
CATEGORIES = {
    "elementary": "ES",
    "middle": "MS",
    "high": "HS",
    "elementary_middle": "K8",
    "middle_high": "6-12",
    "combined": "K-12",
    "other": "OTHER",
}
GROUP_PREFIXES = {
    "all": "All",
    "english_learner": "EL",
    "not_english_learner": "Non-EL",
    "low_income": "FRL",
    "not_low_income": "Non-FRL",
}
ALGEBRA_COLUMNS = {
    "n_cohort": "Students",
    "n_proficient_grade_7": "Proficient Gr 7",
    "n_enrolled_by_grade_8": "Alg by Gr 8",
    "n_completed_by_grade_9": "Completed by Gr 9",
    "n_first_attempt": "First Attempts",
    "n_passed_first_attempt": "First Attempts Passed",
    "n_passed_next_course": "Next Course Passed",
    "n_eoc_taken": "EOC Taken",
    "n_eoc_passed": "EOC Passed",
    "n_failed_core_math": "Failed Math",
}


def _school_profiles(rows: pl.DataFrame, stem: str) -> Files:
    """A list of schools by name, as a public portal has it: grades in one column, the NCES id in two, a byte order mark."""
    yes_or_no = {True: "Y", False: "N"}
    table = rows.sort("school_name").select(
        pl.col("school_id").alias("School_ID"),
        pl.col("school_name").alias("Long_Name"),
        pl.col("predecessor_school_ids").str.replace_all(";", " & ").alias("Legacy_School_IDs"),
        pl.col("nces_school_id").str.slice(0, 7).alias("NCES_Agency"),
        pl.col("nces_school_id").str.slice(7).alias("NCES_School"),
        _coded("school_level", CATEGORIES).alias("Primary_Category"),
        pl.format("{}-{}", "low_grade", "high_grade").alias("Grades"),
        pl.when("is_charter").then(pl.lit("Charter")).otherwise(pl.lit("District")).alias("Governance"),
        pl.col("in_scope").replace_strict(yes_or_no, return_dtype=pl.String).alias("NMIP_Participant"),
        pl.col("network_id").str.replace("network-", "Network ").alias("Network"),
        _cells("n_enrolled", MARKS_IN_LETTERS).alias("Enrollment_Total"),
        _cells("n_enrolled_in_scope", MARKS_IN_LETTERS).alias("Enrollment_K12_Participating"),
        _cells("n_low_income", MARKS_IN_LETTERS).alias("Enrollment_Low_Income"),
        _cells("n_english_learner", MARKS_IN_LETTERS).alias("Enrollment_English_Learners"),
        _cells("n_disability", MARKS_IN_LETTERS).alias("Enrollment_Special_Education"),
    )
    return ((f"{stem}_school_profiles.csv", b"\xef\xbb\xbf" + _csv(table)),)


def _algebra_by_group(rows: pl.DataFrame, stem: str) -> Files:
    """One row a school and cohort, one block of columns a student group, and a row of the whole city below each cohort."""
    key = ["school_id", "cohort"]
    head = rows.filter(pl.col("subgroup") == "all").select(*key, "pathway", "pass_rule")
    for group, prefix in GROUP_PREFIXES.items():
        block = rows.filter(pl.col("subgroup") == group).select(
            *key, *[_cells(name, MARKS_IN_LETTERS).alias(f"{prefix}: {label}") for name, label in ALGEBRA_COLUMNS.items()]
        )
        head = head.join(block, on=key, how="left", maintain_order="left")
    numbers = pl.all().exclude(*key, "pathway", "pass_rule").str.to_integer(strict=False)
    totals = head.group_by("cohort", maintain_order=True).agg(
        pl.lit("CITYWIDE").first().alias("school_id"), pl.lit("").first().alias("pathway"), numbers.sum().cast(pl.String)
    )
    table = pl.concat([head, totals], how="diagonal").select(
        pl.col("school_id").alias("School"),
        _coded("cohort", {"grade_8": "8", "first_time_grade_9": "9"}).alias("Cohort"),
        pl.col("pathway").alias("Course Sequence"),
        pl.col("pass_rule").alias("Passing Rule"),
        pl.all().exclude(*key, "pathway", "pass_rule"),
    )
    return ((f"{stem}.csv", _csv(table)),)


# --- percents, letters ---

MARKS_NA = {"z": "NA", "x": "--", "c": "*"}
COACH_TYPES = {"school": "C", "network": "A", "district": "D", "none": "0"}
RESPONDENT_LETTERS = {"teacher": "T", "leader": "L", "student": "S", "family": "F", "community": "C"}


def _staff_with_percents(rows: pl.DataFrame, stem: str) -> Files:
    """Tab-separated; parts of a whole stand as percents with two decimals."""
    table = rows.select(
        pl.col("school_id").alias("Campus"),
        _cells("n_math_teachers", MARKS_NA).alias("Math Teachers"),
        _percent("n_early_career", "n_math_teachers", MARKS_NA).alias("% in Years 1-2"),
        _percent("n_k5_teachers", "n_math_teachers", MARKS_NA).alias("% K-5"),
        _cells("n_last_year", MARKS_NA).alias("Math Teachers Last Year"),
        _percent("n_retained", "n_last_year", MARKS_NA).alias("% Returned"),
        _cells("n_sections_6_12", MARKS_NA).alias("Sections 6-12"),
        _percent("n_sections_certified", "n_sections_6_12", MARKS_NA).alias("% Certified"),
        _cells("n_new_hires", MARKS_NA).alias("New Hires"),
        _percent("n_new_hires_content_prepared", "n_new_hires", MARKS_NA).alias("% Prepared"),
        _coded("coach_model", COACH_TYPES).alias("Coach"),
        pl.col("coach_fte").alias("Coach FTE"),
        _cells("n_cycles", MARKS_NA).alias("Cycles"),
        pl.col("budgeted_fte").alias("Budgeted"),
        pl.col("vacant_fte").alias("Vacant"),
    )
    return ((f"{stem}.txt", _csv(table, "\t")),)


def _use_with_letters(rows: pl.DataFrame, stem: str) -> Files:
    """Separated by bars; who answered and when as letters."""
    table = rows.select(
        pl.col("school_id").alias("campus"),
        _coded("respondent", RESPONDENT_LETTERS).alias("who"),
        _coded("wave", {"fall": "F", "winter": "W", "spring": "S", "summer": "U", "full_year": "Y"}).alias("window"),
        _coded("source", {"survey": "Q", "log": "L"}).alias("kind"),
        pl.col("instrument").alias("form"),
        _cells("n_eligible", MARKS_NA).alias("asked"),
        _cells("n_respondents", MARKS_NA).alias("answered"),
        _cells("n_regular_use", MARKS_NA).alias("4_or_5_days"),
        _cells("n_modifying", MARKS_NA).alias("replace_half"),
        _cells("n_supplemental_titles", MARKS_NA).alias("other_titles"),
        _cells("n_would_keep", MARKS_NA).alias("keep"),
    )
    return ((f"{stem}.psv", _csv(table, "|")),)


# --- blocks of kinds, titles above and sources below ---

KIND_PREFIXES = {
    "ALL": "Any",
    "curriculum_based": "Curriculum",
    "learning_community": "PLC",
    "mathematics_immersion": "Immersion",
    "diverse_learners": "EL/SWD",
    "other": "Other",
}
LEARNING_COLUMNS = {
    "n_teachers": "teachers",
    "n_teachers_10h": "10+ hours",
    "n_teachers_full_cycle": "full cycle",
    "n_k5_teachers_content": "K-5 content",
    "n_teachers_sequenced_job_embedded": "sequence",
    "n_leaders": "leaders",
}
HOURS_COLUMNS = {"contact_hours": "hours", "job_embedded_hours": "hours on the job"}
STAGE_NAMES = {
    "exploration": "1 - Exploration",
    "installation": "2 - Installation",
    "initial": "3 - Initial Implementation",
    "full": "4 - Full Implementation",
}


def _learning_by_kind(rows: pl.DataFrame, stem: str) -> Files:
    """One row a school, one block of columns a kind of learning; a kind that a school did not have is blank."""
    table = rows.select(pl.col("school_id").alias("Location")).unique(maintain_order=True)
    for kind, prefix in KIND_PREFIXES.items():
        block = rows.filter(pl.col("kind") == kind).select(
            pl.col("school_id").alias("Location"),
            *[_cells(name, MARKS_NA).alias(f"{prefix} {label}") for name, label in LEARNING_COLUMNS.items()],
            *[pl.col(name).alias(f"{prefix} {label}") for name, label in HOURS_COLUMNS.items()],
        )
        table = table.join(block, on="Location", how="left", maintain_order="left")
    return ((f"{stem}_wide.csv", _csv(table)),)


def _stages_with_title(rows: pl.DataFrame, stem: str) -> Files:
    """Title lines above the header and a source below the rows; days as month/day/year, stages by number and name."""
    table = rows.select(
        pl.col("school_id").alias("Loc Code"),
        pl.col("rating_date").dt.strftime("%m/%d/%Y").alias("Date Rated"),
        pl.col("rater").alias("Rated By"),
        _coded("stage", STAGE_NAMES).alias("Stage"),
        _coded("rating_type", {"self": "Self", "verified": "External"}).alias("Type"),
        pl.col("start_date").dt.strftime("%m/%d/%Y").alias("In Stage Since"),
    )
    blank = "," * (table.width - 1)
    year = rows["school_year"][0]
    above = f"Example Stage Ratings{blank}\nSchool year {year}{blank}\n\n"
    below = f"Source: invented for a demonstration{blank}\n"
    return ((f"{stem}.csv", (above + table.write_csv(None) + below).encode()),)


# --- workbooks, two files ---


def _lessons_by_action(rows: pl.DataFrame, stem: str) -> Files:
    """A workbook: one row a school and tool, core actions side by side, a row of totals."""
    key = ["school_id", "tool", "sampling"]
    table = rows.select(key).unique(maintain_order=True)
    for action in ("1", "2", "3"):
        counts = [pl.col(name).alias(f"CA{action} {label}") for name, label in (("n_lessons", "Lessons"), ("n_rated_3_4", "3-4"))]
        block = rows.filter(pl.col("core_action") == action).select(*key, *counts)
        table = table.join(block, on=key, how="left", maintain_order="left")
    total = table.select(pl.lit("TOTAL").alias("school_id"), pl.col(pl.Int64).sum())
    table = pl.concat([table, total], how="diagonal").rename({"school_id": "School", "tool": "Tool", "sampling": "Sample"})
    title = ("Example Lesson Observations", f"School year {rows['school_year'][0]}")
    return ((f"{stem}.xlsx", _workbook(table, "Observations", title)),)


def _staff_in_two_files(rows: pl.DataFrame, _: str) -> Files:
    """Two files of one delivery: who teaches, and coaches with positions."""
    marks = MARKS_IN_LETTERS
    teachers = rows.select(
        pl.col("school_id").alias("SCHOOL_NUMBER"),
        *[
            _cells(name, marks).alias(label)
            for name, label in (
                ("n_math_teachers", "TCH"),
                ("n_early_career", "TCH_YR_1_2"),
                ("n_k5_teachers", "TCH_K_5"),
                ("n_last_year", "TCH_LAST"),
                ("n_retained", "TCH_BACK"),
                ("n_sections_6_12", "SECT"),
                ("n_sections_certified", "SECT_CERT"),
                ("n_new_hires", "HIRED"),
                ("n_new_hires_content_prepared", "HIRED_PREP"),
            )
        ],
    )
    positions = rows.select(
        pl.col("school_id").alias("SCHOOL_NUMBER"),
        _coded("coach_model", {"school": "SCH", "network": "REG", "district": "DIST", "none": "NONE"}).alias("COACH"),
        pl.col("coach_fte").alias("COACH_FTE"),
        _cells("n_cycles", marks).alias("CYCLES"),
        pl.col("budgeted_fte").alias("POSITIONS"),
        pl.col("vacant_fte").alias("VACANT"),
    )
    return (
        ("teachers.csv", _csv(teachers)),
        ("positions.csv", _csv(positions)),
    )


# --- names of their own, all years in one file ---

MARKS_S = {"z": "n/a", "x": "-", "c": "s", "u": "low n"}
SCALE_LETTERS = {
    "self_efficacy": "SE",
    "belonging": "BEL",
    "growth_mindset": "GM",
    "educator_belief": "EB",
    "math_matters": "MM",
    "change_readiness": "CR",
}
BAND_NAMES = {"3_5": "3-5", "6_8": "6-8", "9_12": "9-12", "all": "Adults"}


def _survey_with_percents(rows: pl.DataFrame, stem: str) -> Files:
    """Scales and grade bands under names of their own, favorable answers as percents."""
    table = rows.select(
        pl.col("school_id").alias("School Code"),
        pl.col("respondent").str.to_titlecase().alias("Group"),
        _coded("grade_band", BAND_NAMES).alias("Grades"),
        _coded("scale", SCALE_LETTERS).alias("Construct"),
        pl.col("instrument").alias("Survey"),
        _cells("n_eligible", MARKS_S).alias("Eligible"),
        _cells("n_respondents", MARKS_S).alias("Responses"),
        _percent("n_favorable", "n_respondents", MARKS_S).alias("% Favorable"),
        pl.col("scale_mean").alias("Mean"),
        pl.col("scale_sd").alias("SD"),
        pl.col("alpha").alias("Alpha"),
    )
    return ((f"{stem}.csv", _csv(table)),)


def _leaders_of_all_years(rows: pl.DataFrame, stem: str) -> Files:
    """All school years in one file, named by the year in which they end."""
    table = rows.select(
        (pl.col("school_year").str.slice(0, 4).cast(pl.Int64) + 1).alias("Year Ending"),
        pl.col("school_id").alias("School Code"),
        _cells("n_leaders", MARKS_S).alias("Leaders"),
        _cells("n_leaders_math_learning", MARKS_S).alias("Completed Math Learning"),
        _coded("principal_tenure", {"0_1": "0-1 yrs", "2_3": "2-3 yrs", "4_plus": "4+ yrs"}).alias("Principal Tenure"),
        pl.when("monthly_math_data_cycle").then(pl.lit("Monthly")).when(~pl.col("monthly_math_data_cycle"))
        .then(pl.lit("Less often")).alias("Data Cycle"),
        _cells("n_walkthroughs_fall", MARKS_S).alias("Walkthroughs Sem 1"),
        _cells("n_walkthroughs_spring", MARKS_S).alias("Walkthroughs Sem 2"),
        pl.col("walkthrough_tool").alias("Tool"),
        _cells("n_respondents", MARKS_S).alias("Survey Responses"),
        _cells("n_confident_math", MARKS_S).alias("Confident in Math"),
        _cells("n_confident_ela", MARKS_S).alias("Confident in ELA"),
    )  # fmt: skip
    return ((f"{stem}_all_years.csv", _csv(table)),)


# --- semicolons, terms side by side, real dates ---

AUDIENCE_NAMES = {
    "families": "Families",
    "teachers": "Teachers",
    "school_leaders": "School leaders",
    "board": "Board of Education",
    "community": "Community, general",
    "students": "Students",
}
COMMUNICATION_COLUMNS = {
    "n_audience": "Audience",
    "n_reached": "Reached",
    "n_engaged": "Engaged",
    "n_respondents": "Answered",
    "n_naming_priorities": "Named the priorities",
}
POLICY_STATES = {"in_force": "Active", "amended": "Active (amended)", "suspended": "On hold", "ended": "Sunset"}


def _tutoring_with_commas(rows: pl.DataFrame, stem: str) -> Files:
    """Semicolons, decimal commas, Western European characters, a row of totals."""
    table = rows.select(
        pl.col("school_id").alias("École/School"),
        pl.col("program").alias("Program"),
        _cells("n_scheduled", MARKS_NA).alias("N° scheduled"),
        _cells("n_adequate", MARKS_NA).alias("N° adequate"),
        *[
            pl.col(name).cast(pl.String).str.replace(".", ",", literal=True).alias(label)
            for name, label in (
                ("sessions_per_week", "Sessions/week"),
                ("minutes_per_session", "Minutes"),
                ("group_size", "Group (max.)"),
            )
        ],
    )
    total = pl.DataFrame(
        {
            "École/School": ["Total"],
            "N° scheduled": [str(rows["n_scheduled"].sum())],
            "N° adequate": [str(rows["n_adequate"].sum())],
        }
    )
    return ((f"{stem}.csv", _csv(pl.concat([table, total], how="diagonal"), ";", "latin-1")),)


def _communication_by_term(rows: pl.DataFrame, stem: str) -> Files:
    """One row an audience and topic, terms side by side, thousands with commas."""
    key = ["audience", "topic"]
    table = rows.select(key).unique(maintain_order=True)
    for term, label in (("fall", "Fall"), ("spring", "Spring")):
        block = rows.filter(pl.col("term") == term).select(
            *key,
            *[
                _cells(name, MARKS_S).str.replace(r"^(\d+)(\d{3})$", "$1,$2").str.replace(r"^(\d+)(\d{3}),", "$1,$2,")
                .alias(f"{label} - {column}")
                for name, column in COMMUNICATION_COLUMNS.items()
            ],
        )  # fmt: skip
        table = table.join(block, on=key, how="left", maintain_order="left")
    table = table.with_columns(_coded("audience", AUDIENCE_NAMES)).rename({"audience": "Who", "topic": "About"})
    return ((f"{stem}.csv", _csv(table)),)


def _policies_in_a_workbook(rows: pl.DataFrame, stem: str) -> Files:
    """A workbook with real dates and a title line."""
    table = rows.select(
        pl.col("policy").alias("Policy / resolution"),
        pl.col("challenge").str.replace_all("_", " ").alias("Area"),
        pl.col("adopted_date").alias("Adopted"),
        pl.col("funded_until").alias("Funded through"),
        _coded("status", POLICY_STATES).alias("State of play"),
    )
    return ((f"{stem}.xlsx", _workbook(table, "Register", ("Example Policy Register",))),)


LAYOUTS: Mapping[str, Layout] = {
    "algebra_by_group": Layout(_algebra_by_group),
    "school_profiles": Layout(_school_profiles),
    "use_with_letters": Layout(_use_with_letters),
    "staff_with_percents": Layout(_staff_with_percents),
    "stages_with_title": Layout(_stages_with_title),
    "learning_by_kind": Layout(_learning_by_kind),
    "staff_in_two_files": Layout(_staff_in_two_files),
    "lessons_by_action": Layout(_lessons_by_action),
    "survey_with_percents": Layout(_survey_with_percents),
    "leaders_of_all_years": Layout(_leaders_of_all_years, spans_years=True),
    "policies_in_a_workbook": Layout(_policies_in_a_workbook),
    "communication_by_term": Layout(_communication_by_term),
    "tutoring_with_commas": Layout(_tutoring_with_commas),
}


def contract_file(rows: pl.DataFrame, stem: str) -> Files:
    """The file of a district without a layout of its own: a csv of the contract's columns, blank where there is no value."""
    return ((f"{stem}.csv", _csv(rows.drop("school_year", strict=False))),)


def native_files(layout: str | None, rows: Mapping[str, pl.DataFrame], stem: str) -> Files:
    """The files of one delivery that holds `rows` by school year, in a layout of LAYOUTS or, for None, the contract's columns."""
    together = pl.concat([frame.with_columns(pl.lit(year).alias("school_year")) for year, frame in rows.items()])
    return LAYOUTS[layout].write(together, stem) if layout else contract_file(together, stem)


def planned_layouts(listed: pl.DataFrame) -> dict[tuple[str, str], str]:
    """Layouts by district and extract from the list of them. Raises SyntheticNetworkError for one that does not exist."""
    unknown = sorted(set(listed["layout"]) - set(LAYOUTS))
    if unknown:
        raise SyntheticNetworkError(f"there is no layout {unknown[0]!r}; the layouts are {', '.join(LAYOUTS)}")
    return {(row["district"], row["extract"]): row["layout"] for row in listed.iter_rows(named=True)}
