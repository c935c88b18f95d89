"""Cases of the rules that stand in the contracts about schools, and of the directory's rules about predecessors.

Stages, use of materials, staff, learning, leaders, lessons, surveys and messages. Cases of rules that follow from columns are
made in `rule_cases`.
"""

from __future__ import annotations

from tests.contracts.rule_cases import Case, Delivery, Found, Row, schools

BASE: dict[str, Row] = {
    "implementation_stage": {
        "school_id": "101", "rating_date": "2024-03-15", "rater": "network_lead", "stage": "initial",
        "rating_type": "verified", "start_date": "2022-09-05",
    },
    "materials_use": {
        "school_id": "101", "respondent": "teacher", "wave": "spring", "source": "survey", "instrument": "Survey A",
        "n_eligible": "30", "n_eligible_symbol": None, "n_respondents": "24", "n_respondents_symbol": None,
        "n_regular_use": "18", "n_regular_use_symbol": None, "n_modifying": "5", "n_modifying_symbol": None,
        "n_supplemental_titles": "3", "n_supplemental_titles_symbol": None, "n_would_keep": "16", "n_would_keep_symbol": None,
    },
    "math_staff": {
        "school_id": "101", "n_math_teachers": "24", "n_math_teachers_symbol": None, "n_early_career": "5",
        "n_early_career_symbol": None, "n_k5_teachers": "10", "n_k5_teachers_symbol": None, "n_last_year": "23",
        "n_last_year_symbol": None, "n_retained": "19", "n_retained_symbol": None, "n_sections_6_12": "60",
        "n_sections_6_12_symbol": None, "n_sections_certified": "52", "n_sections_certified_symbol": None, "n_new_hires": "5",
        "n_new_hires_symbol": None, "n_new_hires_content_prepared": "3", "n_new_hires_content_prepared_symbol": None,
        "coach_model": "school", "coach_fte": "0.5", "n_cycles": "36", "n_cycles_symbol": None, "budgeted_fte": "22.5",
        "vacant_fte": "1.5",
    },
    "professional_learning": {
        "school_id": "101", "kind": "ALL", "n_teachers": "20", "n_teachers_symbol": None, "n_teachers_10h": "12",
        "n_teachers_10h_symbol": None, "n_teachers_full_cycle": "8", "n_teachers_full_cycle_symbol": None,
        "n_k5_teachers_content": "9", "n_k5_teachers_content_symbol": None, "n_teachers_sequenced_job_embedded": "6",
        "n_teachers_sequenced_job_embedded_symbol": None, "n_leaders": "2", "n_leaders_symbol": None, "contact_hours": "260",
        "job_embedded_hours": "120",
    },
    "school_leaders": {
        "school_id": "101", "n_leaders": "5", "n_leaders_symbol": None, "n_leaders_math_learning": "2",
        "n_leaders_math_learning_symbol": None, "principal_tenure": "2_3", "monthly_math_data_cycle": "true",
        "n_walkthroughs_fall": "4", "n_walkthroughs_fall_symbol": None, "n_walkthroughs_spring": "5",
        "n_walkthroughs_spring_symbol": None, "walkthrough_tool": "Tool 2.0", "n_respondents": "4",
        "n_respondents_symbol": None, "n_confident_math": "1", "n_confident_math_symbol": None, "n_confident_ela": "2",
        "n_confident_ela_symbol": None,
    },
    "observations": {
        "school_id": "101", "tool": "Tool 2.0", "core_action": "1", "n_lessons": "40", "n_lessons_symbol": None,
        "n_rated_3_4": "15", "n_rated_3_4_symbol": None, "sampling": "random",
    },
    "mindset_survey": {
        "school_id": "101", "respondent": "student", "grade_band": "6_8", "scale": "self_efficacy", "instrument": "Survey 2023",
        "n_eligible": "300", "n_eligible_symbol": None, "n_respondents": "240", "n_respondents_symbol": None,
        "n_favorable": "150", "n_favorable_symbol": None, "scale_mean": "3.4", "scale_sd": "0.8", "alpha": "0.84",
    },
    "message_tests": {
        "message_id": "welcome-2", "audience": "families", "wave": "spring", "instrument": "Test 2024",
        "comparison_message": None, "is_in_use": "true", "n_shown": "120", "n_shown_symbol": None, "n_resonated": "84",
        "n_resonated_symbol": None, "mean_rating": "3.9", "sd_rating": "0.9",
    },
}  # fmt: skip

PLAIN: Row = {"message_id": "plain-1"}
SELF: Row = {"rater": "principal", "rating_type": "self"}
VERIFIED_BEFORE: Row = {"rating_date": "2023-05-10"}
UNKNOWN_USE: Row = {"n_regular_use": None, "n_regular_use_symbol": "z"}
NOTHING_LEARNED: Row = {
    "n_teachers": "0", "n_teachers_10h": "0", "n_teachers_full_cycle": "0", "n_k5_teachers_content": "0",
    "n_teachers_sequenced_job_embedded": "0", "n_leaders": "0", "contact_hours": "0", "job_embedded_hours": "0",
}  # fmt: skip


def use(n_respondents: int, n_regular_use: int) -> Row:
    return {"n_eligible": str(n_respondents), "n_respondents": str(n_respondents), "n_regular_use": str(n_regular_use)}


def use_by_school(share: float, n_schools: int = 20, **more: str) -> list[Row]:
    """Schools with 10, 11 and more respondents of whom one and the same share use the title, rounded to whole people."""
    return [
        school | use(n, int(n * share + 0.5)) | more
        for n, school in enumerate(schools("materials_use", n_schools), start=10)
    ]  # fmt: skip


def kinds(*rows: Row, **all_kinds: str | None) -> list[Row]:
    """The row of kind ALL and rows of other kinds, in which all that is not said is nothing."""
    names = ("curriculum_based", "learning_community", "other")
    return [dict(all_kinds), *({"kind": name} | NOTHING_LEARNED | row for name, row in zip(names, rows, strict=False))]


def leaders(n: int, math: str, ela: str) -> list[Row]:
    return [row | {"n_confident_math": math, "n_confident_ela": ela} for row in schools("school_leaders", n)]


def lessons(*by_action: int | None) -> list[Row]:
    """Rows of one school and tool for the core actions, with their numbers of lessons."""
    return [
        {"core_action": str(action), "n_lessons": None if n is None else str(n), "n_rated_3_4": "1"}
        for action, n in enumerate(by_action, start=1)
    ]


def means(n: int, mean: str = "3.4", **more: str | None) -> list[Row]:
    return [row | {"scale_mean": mean} | more for row in schools("mindset_survey", n)]


CASES: dict[str, Case] = {
    # --- implementation_stage ---
    "IS-V-RATER-TWO-TYPES": Case(
        Delivery([{}, {"rating_date": "2023-10-02", "rating_type": "self"}, {"school_id": "102"}]),
        [
            Found(2, "rating_type", "verified", "rater network_lead of school 101 has 1 self and 1 verified ratings"),
            Found(3, "rating_type", "self", "rater network_lead of school 101 has 1 self and 1 verified ratings"),
        ],
        [
            Delivery([{}, SELF, {"rating_date": "2023-10-02"}]),
            Delivery([{}, {"school_id": "102", "rating_type": "self"}]),
            Delivery([{}, {"rating_type": "SELF"}, {"rater": None}, {"rater": None, "rating_type": "self"}]),
        ],
    ),
    "IS-V-START-AFTER-RATING": Case(
        Delivery([{"start_date": "2024-03-16"}]),
        [Found(2, "start_date", "2024-03-16", "start_date is 2024-03-16 but rating_date is 2024-03-15")],
        [Delivery([{"start_date": "2024-03-15"}, {"start_date": None}, {"start_date": "16 March 2024"}])],
    ),
    "IS-Q-STAGE-BACK": Case(
        Delivery(
            [
                {"stage": "installation"},
                {"school_id": "102", "rating_date": "2023-10-02", "stage": "full"},
                {"school_id": "102"},
                {"school_id": "102", "rating_date": "2024-05-20", "stage": "exploration"},
            ],
            past=[VERIFIED_BEFORE, VERIFIED_BEFORE | {"rating_date": "2022-10-01", "stage": "full"}],
        ),
        [
            Found(2, "stage", "installation", "stage is installation on 2024-03-15; on 2023-05-10 it was initial"),
            Found(4, "stage", "initial", "stage is initial on 2024-03-15; on 2023-10-02 it was full"),
            Found(5, "stage", "exploration", "stage is exploration on 2024-05-20; on 2024-03-15 it was initial"),
        ],
        [
            Delivery([{}], past=[VERIFIED_BEFORE]),
            # A lower stage once, then the same again: the step back was told when it was sent.
            Delivery([{}], past=[VERIFIED_BEFORE, VERIFIED_BEFORE | {"rating_date": "2022-10-01", "stage": "full"}]),
            Delivery([{}], past=[VERIFIED_BEFORE | SELF | {"stage": "full"}]),
            Delivery([{}], past=[VERIFIED_BEFORE | {"school_id": "102", "stage": "full"}]),
            Delivery([{}, {"rater": "district_lead", "stage": "full"}], past=[VERIFIED_BEFORE | {"stage": "full"}]),
            Delivery([{"stage": "gone"}, {"rating_date": None, "stage": "installation"}], past=[VERIFIED_BEFORE]),
            Delivery([{"stage": "installation"}], in_force=[{}]),
        ],
    ),
    "IS-Q-START-MOVED": Case(
        Delivery([{"start_date": "2023-01-09"}, {"start_date": "2023-01-09", "rater": "district_lead"}], past=[VERIFIED_BEFORE]),
        [
            Found(
                2, "start_date", "2023-01-09",
                "start_date of stage initial at school 101 is 2023-01-09; in school year 2022-23 it is 2022-09-05", 2,
            )
        ],
        [
            Delivery([{}, {"school_id": "102", "start_date": "2023-01-09"}], past=[VERIFIED_BEFORE]),
            Delivery([{"stage": "full", "start_date": "2024-01-09"}, {"start_date": None}], past=[VERIFIED_BEFORE]),
            Delivery([{"start_date": "2023-01-09"}], past=[VERIFIED_BEFORE | {"start_date": None}]),
            Delivery([{"start_date": "2023-01-09"}], past=[VERIFIED_BEFORE | SELF]),
        ],
    ),
    "IS-Q-DATE-OUTSIDE-YEAR": Case(
        Delivery(
            [{"rating_date": "2023-06-30"}, {"rating_date": "2024-09-29"}, {"rating_date": "2024-09-29", "school_id": "102"}]
        ),
        [
            Found(
                2, "rating_date", "2023-06-30",
                "rating_date is 2023-06-30; the school year 2023-24 lasts from 2023-07-01 to 2024-06-30",
            ),
            Found(
                3, "rating_date", "2024-09-29",
                "rating_date is 2024-09-29; the school year 2023-24 lasts from 2023-07-01 to 2024-06-30", 2,
            ),
        ],
        [Delivery([{"rating_date": "2023-07-01"}, {"rating_date": "2024-09-28"}, {"rating_date": None}])],
    ),
    "IS-M-ONE-STAGE": Case(
        Delivery([*schools("implementation_stage", 20), {"school_id": "001"} | SELF]),
        [Found(None, "stage", "initial", "schools rated: 20; stage in all 21 rows: initial", 21)],
        [
            Delivery(schools("implementation_stage", 19)),
            Delivery([*schools("implementation_stage", 19), {"school_id": "020", "stage": "full"}]),
            Delivery([*schools("implementation_stage", 20), {"school_id": "021", "stage": None}]),
            Delivery([{}] * 30),
        ],
    ),
    # --- materials_use ---
    "MU-V-LOG-RESPONDENT": Case(
        Delivery([{"source": "log"}, {"source": "log", "respondent": "family"}, {"respondent": "family"}]),
        [Found(3, "source", "log", "source is log and respondent is family; logs are of teachers or students")],
        [Delivery([{"source": "log", "respondent": "student"}, {"source": "log", "respondent": None}, {"respondent": "leader"}])],
    ),
    "MU-V-MODIFIERS-WITHOUT-USERS": Case(
        Delivery([UNKNOWN_USE, UNKNOWN_USE | {"n_regular_use_symbol": "low", "n_modifying": "1"}]),
        [
            Found(2, "n_modifying", "5", "n_modifying is 5 but n_regular_use is blank with symbol z"),
            Found(3, "n_modifying", "1", "n_modifying is 1 but n_regular_use is blank with symbol low"),
        ],
        [
            Delivery(
                [
                    UNKNOWN_USE | {"n_modifying": "0"},
                    UNKNOWN_USE | {"n_modifying": None, "n_modifying_symbol": "z"},
                    UNKNOWN_USE | {"n_regular_use_symbol": "c"},
                    {},
                ]
            )
        ],
    ),
    "MU-Q-TITLES-MANY": Case(
        Delivery([{"n_supplemental_titles": "51"}]),
        [Found(2, "n_supplemental_titles", "51", "n_supplemental_titles is 51, more than 50")],
        [Delivery([{"n_supplemental_titles": "50"}, {"n_supplemental_titles": None, "n_supplemental_titles_symbol": "x"}])],
    ),
    "MU-Q-EVERYBODY-KEEPS": Case(
        Delivery([{"n_respondents": "50", "n_would_keep": "50"}, {"n_respondents": "50", "n_would_keep": "0"}]),
        [
            Found(2, "n_would_keep", "50", "n_would_keep is 50 of 50 respondents"),
            Found(3, "n_would_keep", "0", "n_would_keep is 0 of 50 respondents"),
        ],
        [
            Delivery([{"n_respondents": "49", "n_would_keep": "49"}, {"n_respondents": "49", "n_would_keep": "0"}]),
            Delivery([{"n_respondents": "500", "n_would_keep": "499"}, {"n_respondents": "500", "n_would_keep": "1"}]),
            Delivery([{"n_respondents": "50", "n_would_keep": None, "n_would_keep_symbol": "z"}]),
        ],
    ),
    "MU-M-SAME-RATE": Case(
        Delivery([*use_by_school(0.75), use(9, 1)]),
        [
            Found(
                None, "n_regular_use", "75.6",
                "regular use of teacher (spring, survey) is 75.6 % in all 20 rows with 10 respondents or more", 20,
            )
        ],
        [
            Delivery(use_by_school(0.75, 19)),
            # One school that is two people away, another wave, everybody, and schools that did not say.
            Delivery([*use_by_school(0.75)[:-1], {"school_id": "020"} | use(29, 20)]),
            Delivery([*use_by_school(0.75, 10), *use_by_school(0.75, 10, wave="fall")]),
            Delivery(use_by_school(1)),
            Delivery([row | {"n_regular_use": None, "n_regular_use_symbol": "c"} for row in use_by_school(0.75)]),
        ],
    ),
    "MU-M-TWO-INSTRUMENTS": Case(
        Delivery([{}, {"school_id": "102", "instrument": "Survey B"}, {"school_id": "103"}, {"respondent": "family"}]),
        [
            Found(
                None, "instrument", "Survey B",
                'instruments of teacher (spring, survey): 2; the first is "Survey A", the last "Survey B"', 3,
            )
        ],
        [
            Delivery([{}, {"wave": "fall", "instrument": "Survey B"}, {"source": "log", "instrument": "Log B"}]),
            Delivery([{}, {"respondent": "family", "instrument": "Survey B"}, {"instrument": None}]),
        ],
    ),
    # --- math_staff ---
    "MS-V-COACH-MODEL": Case(
        Delivery([{"coach_model": "none"}, {"coach_model": "network", "coach_fte": "0"}]),
        [
            Found(2, "coach_fte", "0.5", "coach_model is none but coach_fte is 0.5"),
            Found(3, "coach_fte", "0.0", "coach_model is network but coach_fte is 0.0"),
        ],
        [
            Delivery(
                [
                    {"coach_model": "none", "coach_fte": "0"},
                    {"coach_model": "none", "coach_fte": None},
                    {"coach_model": "district", "coach_fte": None},
                    {"coach_model": "district", "coach_fte": "0.05"},
                ]
            )
        ],
    ),
    "MS-Q-CYCLES-WITHOUT-COACH": Case(
        Delivery([{"coach_model": "none", "coach_fte": "0", "n_cycles": "1"}]),
        [Found(2, "n_cycles", "1", "coach_model is none and n_cycles is 1")],
        [
            Delivery(
                [
                    {"coach_model": "none", "n_cycles": "0"},
                    {"coach_model": "none", "n_cycles": None, "n_cycles_symbol": "z"},
                    {"coach_model": "district"},
                ]
            )
        ],
    ),
    "MS-Q-FTE-OVER-TEACHERS": Case(
        Delivery([{"coach_fte": "50"}, {"n_math_teachers": "5", "budgeted_fte": "10.5"}]),
        [
            Found(2, "coach_fte", "50.0", "coach_fte is 50.0 and n_math_teachers is 24"),
            Found(3, "budgeted_fte", "10.5", "budgeted_fte is 10.5 and n_math_teachers is 5"),
        ],
        [
            Delivery(
                [
                    {"coach_fte": "24", "budgeted_fte": "48"},
                    {"n_math_teachers": "1", "coach_fte": "1", "budgeted_fte": "9.5"},
                    {"n_math_teachers": "0", "coach_fte": "1", "budgeted_fte": "12"},
                    {"n_math_teachers": None, "n_math_teachers_symbol": "x", "budgeted_fte": "900"},
                    {"coach_fte": None, "budgeted_fte": None},
                ]
            )
        ],
    ),
    "MS-Q-STAYED-AND-NEW": Case(
        Delivery(
            [
                {"n_math_teachers": "20", "n_retained": "19", "n_new_hires": "7"},
                {"n_math_teachers": "10", "n_retained": "4", "n_new_hires": "0"},
                {"n_math_teachers": "4", "n_retained": "8", "n_new_hires": "1"},
            ]
        ),
        [
            Found(2, "n_math_teachers", "20", "n_retained is 19 and n_new_hires is 7, together 26; n_math_teachers is 20"),
            Found(3, "n_math_teachers", "10", "n_retained is 4 and n_new_hires is 0, together 4; n_math_teachers is 10"),
            Found(4, "n_math_teachers", "4", "n_retained is 8 and n_new_hires is 1, together 9; n_math_teachers is 4"),
        ],
        [
            Delivery(
                [
                    {"n_math_teachers": "20", "n_retained": "19", "n_new_hires": "6"},
                    {"n_math_teachers": "4", "n_retained": "7", "n_new_hires": "1"},
                    {"n_math_teachers": "10", "n_retained": "4", "n_new_hires": "1"},
                    {"n_math_teachers": "9", "n_retained": "0", "n_new_hires": "0"},
                    {"n_math_teachers": "90", "n_retained": None, "n_retained_symbol": "z"},
                    {"n_math_teachers": None, "n_math_teachers_symbol": "x"},
                ]
            )
        ],
    ),
    "MS-Q-LAST-YEAR-DIFFERS": Case(
        Delivery(
            [{"n_last_year": "14"}, {"school_id": "102", "n_last_year": "26"}],
            past=[{"n_math_teachers": "20"}, {"school_id": "102", "n_math_teachers": "20"}],
        ),
        [
            Found(2, "n_last_year", "14", "n_last_year is 14; math teachers certified for 2022-23: 20"),
            Found(3, "n_last_year", "26", "n_last_year is 26; math teachers certified for 2022-23: 20"),
        ],
        [
            Delivery([{"n_last_year": "15"}], past=[{"n_math_teachers": "20"}]),
            Delivery([{"n_last_year": "25"}], past=[{"n_math_teachers": "20"}]),
            Delivery([{"n_last_year": "8"}], past=[{"n_math_teachers": "4"}]),
            Delivery([{"n_last_year": "90"}], past=[{"n_math_teachers": None, "n_math_teachers_symbol": "x"}]),
            Delivery([{"n_last_year": None, "n_last_year_symbol": "z"}], past=[{}]),
            Delivery([{"n_last_year": "90"}], in_force=[{"n_math_teachers": "20"}]),
            Delivery([{"n_last_year": "90"}], past=[{"school_id": "102"}]),
        ],
    ),
    "MS-Q-NOBODY-STAYED": Case(
        Delivery([{"n_last_year": "10", "n_retained": "0"}]),
        [Found(2, "n_retained", "0", "n_retained is 0 of 10 teachers of last year")],
        [
            Delivery(
                [
                    {"n_last_year": "9", "n_retained": "0"},
                    {"n_last_year": "10", "n_retained": "1"},
                    {"n_last_year": "10", "n_retained": None, "n_retained_symbol": "z"},
                ]
            )
        ],
    ),
    "MS-Q-ALL-CERTIFIED": Case(
        Delivery(
            [
                {"n_sections_6_12": "100", "n_sections_certified": "100"},
                {"n_sections_6_12": "100", "n_sections_certified": "0"},
            ]
        ),
        [
            Found(2, "n_sections_certified", "100", "n_sections_certified is 100 of 100"),
            Found(3, "n_sections_certified", "0", "n_sections_certified is 0 of 100"),
        ],
        [
            Delivery(
                [
                    {"n_sections_6_12": "99", "n_sections_certified": "99"},
                    {"n_sections_6_12": "99", "n_sections_certified": "0"},
                    {"n_sections_6_12": "100", "n_sections_certified": "99"},
                    {"n_sections_6_12": "100", "n_sections_certified": None, "n_sections_certified_symbol": "x"},
                ]
            )
        ],
    ),
    "MS-Q-ALL-VACANT": Case(
        Delivery([{"budgeted_fte": "5", "vacant_fte": "5.0"}]),
        [Found(2, "vacant_fte", "5.0", "vacant_fte and budgeted_fte are both 5.0")],
        [
            Delivery(
                [
                    {"budgeted_fte": "4.9", "vacant_fte": "4.9"},
                    {"budgeted_fte": "12", "vacant_fte": "11.5"},
                    {"budgeted_fte": None, "vacant_fte": "12"},
                    {"budgeted_fte": "12", "vacant_fte": None},
                ]
            )
        ],
    ),
    "MS-Q-ALL-EARLY-CAREER": Case(
        Delivery([{"n_math_teachers": "20", "n_early_career": "20"}]),
        [Found(2, "n_early_career", "20", "n_early_career and n_math_teachers are both 20")],
        [
            Delivery(
                [
                    {"n_math_teachers": "19", "n_early_career": "19"},
                    {"n_math_teachers": "20", "n_early_career": "19"},
                    {"n_math_teachers": "20", "n_early_career": None, "n_early_career_symbol": "c"},
                ]
            )
        ],
    ),
    # --- professional_learning ---
    "PL-V-ALL-MISSING": Case(
        Delivery([{}, {"school_id": "102", "kind": "other"}, {"school_id": "102", "kind": "curriculum_based"}]),
        [Found(3, "kind", "other", "school 102 has 2 rows of single kinds and no row of kind ALL", 2)],
        [Delivery([{}, {"kind": "other"}, {"school_id": None, "kind": "other"}])],
    ),
    "PL-V-ALL-AND-KINDS": Case(
        Delivery(
            [
                *kinds({"n_teachers": "21", "contact_hours": "30.5"}, {"n_teachers": "5"}, n_teachers="20", n_leaders="3"),
                {"school_id": "102", "kind": "ALL"} | NOTHING_LEARNED | {"n_teachers": "20", "contact_hours": "260.5"},
                {"school_id": "102", "kind": "other"} | NOTHING_LEARNED | {"n_teachers": "12", "contact_hours": "300"},
                {"school_id": "102", "kind": "curriculum_based"} | NOTHING_LEARNED | {"n_teachers": "7"},
            ]
        ),
        [
            Found(2, "contact_hours", "260.0", "contact_hours of kind ALL is 260.0 but the kinds add up to 30.5"),
            Found(2, "n_k5_teachers_content", "9", "n_k5_teachers_content of kind ALL is 9 but the kinds add up to 0"),
            Found(2, "n_leaders", "3", "n_leaders of kind ALL is 3 but the kinds add up to 0"),
            Found(2, "n_teachers", "20", "n_teachers of kind ALL is 20 but that of curriculum_based is 21"),
            Found(2, "n_teachers_full_cycle", "8", "n_teachers_full_cycle of kind ALL is 8 but the kinds add up to 0"),
            Found(5, "contact_hours", "260.5", "contact_hours of kind ALL is 260.5 but that of other is 300.0"),
            Found(5, "n_teachers", "20", "n_teachers of kind ALL is 20 but the kinds add up to 19"),
        ],
        [
            Delivery([{}]),
            Delivery([{}, {"kind": "other"}, {"kind": "curriculum_based"}]),
            # Ten hours in all, or a sequence in all, may come together from several kinds.
            Delivery([{}, {"kind": "other", "n_teachers_10h": "0", "n_teachers_sequenced_job_embedded": "0"}]),
            Delivery(
                [
                    {"n_teachers": "20"},
                    {"kind": "other", "n_teachers": "12"},
                    {"kind": "curriculum_based", "n_teachers": None, "n_teachers_symbol": "c"},
                ]
            ),
            Delivery([{"n_teachers": None, "n_teachers_symbol": "c"}, {"kind": "other", "n_teachers": "900"}]),
            Delivery([{}, {"school_id": "102", "kind": "other", "n_teachers": "900"}, {"kind": None, "n_teachers": "900"}]),
        ],
    ),
    "PL-V-TEN-HOURS": Case(
        Delivery([{"n_teachers_10h": "12", "contact_hours": "119"}]),
        [Found(2, "contact_hours", "119.0", "contact_hours is 119.0 but 12 teachers have at least 10 hours each")],
        [
            Delivery(
                [
                    {"n_teachers_10h": "12", "contact_hours": "120"},
                    {"n_teachers_10h": "0", "contact_hours": "0"},
                    {"n_teachers_10h": None, "n_teachers_10h_symbol": "c", "contact_hours": "1"},
                    {"contact_hours": None},
                ]
            )
        ],
    ),
    "PL-V-HOURS-WITHOUT-TEACHERS": Case(
        Delivery([NOTHING_LEARNED | {"contact_hours": "4"}]),
        [Found(2, "contact_hours", "4.0", "contact_hours is 4.0 but n_teachers is 0")],
        [
            Delivery(
                [NOTHING_LEARNED, NOTHING_LEARNED | {"contact_hours": None}, {"n_teachers": None, "n_teachers_symbol": "c"}, {}]
            )
        ],
    ),
    "PL-V-SEQUENCED-WITHOUT-HOURS": Case(
        Delivery([{"job_embedded_hours": "0"}]),
        [
            Found(
                2, "job_embedded_hours", "0.0",
                "job_embedded_hours is 0 but n_teachers_sequenced_job_embedded is 6",
            )
        ],
        [Delivery([{"job_embedded_hours": "0.5"}, {"job_embedded_hours": None}, NOTHING_LEARNED])],
    ),
    "PL-Q-HOURS-EACH": Case(
        Delivery([{"contact_hours": "8001"}]),
        [Found(2, "contact_hours", "8001.0", "contact_hours is 8001.0 for 20 teachers: 400 hours each")],
        [
            Delivery(
                [
                    {"contact_hours": "8000"},
                    NOTHING_LEARNED | {"contact_hours": "900"},
                    {"n_teachers": None, "n_teachers_symbol": "c", "contact_hours": "90000"},
                ]
            )
        ],
    ),
    # --- school_leaders ---
    "SL-V-CONFIDENT-WITHOUT-RESPONDENTS": Case(
        Delivery([{"n_respondents": None, "n_respondents_symbol": "x", "n_confident_ela": "0"}]),
        [
            Found(2, "n_confident_ela", "0", "n_confident_ela is 0 but n_respondents is blank with symbol x"),
            Found(2, "n_confident_math", "1", "n_confident_math is 1 but n_respondents is blank with symbol x"),
        ],
        [
            Delivery(
                [
                    {},
                    {"n_respondents": "two"},
                    {
                        "n_respondents": None, "n_respondents_symbol": "z", "n_confident_math": None,
                        "n_confident_math_symbol": "z", "n_confident_ela": None, "n_confident_ela_symbol": "z",
                    },
                ]
            )
        ],
    ),
    "SL-V-TOOL-MISSING": Case(
        Delivery(
            [
                {"walkthrough_tool": None, "n_walkthroughs_fall": "0"},
                {"walkthrough_tool": None, "n_walkthroughs_spring": None, "n_walkthroughs_spring_symbol": "x"},
            ]
        ),
        [
            Found(2, "walkthrough_tool", None, "walkthroughs: 0 in fall and 5 in spring, but walkthrough_tool is blank"),
            Found(3, "walkthrough_tool", None, "walkthroughs: 4 in fall and 0 in spring, but walkthrough_tool is blank"),
        ],
        [Delivery([{}, {"walkthrough_tool": None, "n_walkthroughs_fall": "0", "n_walkthroughs_spring": "0"}])],
    ),
    "SL-Q-WALKTHROUGHS-MANY": Case(
        Delivery([{"n_walkthroughs_fall": "201", "n_walkthroughs_spring": "900"}]),
        [
            Found(2, "n_walkthroughs_fall", "201", "n_walkthroughs_fall is 201, more than 200"),
            Found(2, "n_walkthroughs_spring", "900", "n_walkthroughs_spring is 900, more than 200"),
        ],
        [
            Delivery(
                [
                    {"n_walkthroughs_fall": "200", "n_walkthroughs_spring": "200"},
                    {"n_walkthroughs_fall": None, "n_walkthroughs_fall_symbol": "x"},
                ]
            )
        ],
    ),
    "SL-Q-LEADERS-MANY": Case(
        Delivery([{"n_leaders": "26"}]),
        [Found(2, "n_leaders", "26", "n_leaders is 26, more than 25")],
        [Delivery([{"n_leaders": "25"}, {"n_leaders": None, "n_leaders_symbol": "x"}])],
    ),
    "SL-Q-TENURE-JUMP": Case(
        Delivery(
            [{"principal_tenure": "4_plus"}, {"school_id": "102"}],
            past=[{"principal_tenure": "0_1"}, {"school_id": "102", "principal_tenure": "4_plus"}],
        ),
        [
            Found(2, "principal_tenure", "4_plus", "principal_tenure is 4_plus; in school year 2022-23 it is 0_1"),
            Found(3, "principal_tenure", "2_3", "principal_tenure is 2_3; in school year 2022-23 it is 4_plus"),
        ],
        [
            Delivery([{"principal_tenure": "0_1"}], past=[{"principal_tenure": "4_plus"}]),
            Delivery([{"principal_tenure": "4_plus"}], past=[{}]),
            Delivery([{}], past=[{"principal_tenure": "0_1"}]),
            Delivery([{"principal_tenure": None}], past=[{"principal_tenure": "4_plus"}]),
            Delivery([{}], past=[{"principal_tenure": None}]),
            Delivery([{}], in_force=[{"principal_tenure": "4_plus"}]),
        ],
    ),
    "SL-M-SAME-CONFIDENCE": Case(
        Delivery([*leaders(20, "2", "2"), {"n_confident_ela": None, "n_confident_ela_symbol": "c"}]),
        [
            Found(
                None, "n_confident_ela", None,
                "n_confident_math and n_confident_ela are equal in all rows that have both: 20", 20,
            )
        ],
        [
            Delivery(leaders(19, "2", "2")),
            Delivery([*leaders(20, "2", "2"), {}]),
            Delivery(leaders(20, "4", "4")),
            Delivery([row | {"n_respondents": "0"} for row in leaders(20, "0", "0")]),
        ],
    ),
    # --- observations ---
    "OB-V-SAMPLING-DIFFERS": Case(
        Delivery([{}, {"core_action": "2", "sampling": "purposive"}, {"school_id": "102", "sampling": "all"}]),
        [
            Found(2, "sampling", "random", "sampling is random; other lessons of school 101 with this tool are purposive"),
            Found(3, "sampling", "purposive", "sampling is purposive; other lessons of school 101 with this tool are random"),
        ],
        [
            Delivery([{}, {"core_action": "2"}, {"tool": "Tool 3.0", "sampling": "all"}]),
            Delivery([{}, {"core_action": "2", "sampling": None}, {"tool": None, "sampling": "all"}]),
        ],
    ),
    "OB-Q-LESSONS-DIFFER": Case(
        Delivery([*lessons(30, 19, 30), {"school_id": "102"}]),
        [Found(2, "n_lessons", "30", "lessons of school 101 with this tool: from 19 to 30 by core action", 3)],
        [
            Delivery(lessons(30, 20, 30)),
            Delivery(lessons(5, 1, 5)),
            Delivery(lessons(30, None, 30)),
            Delivery([*lessons(30, 30), {"tool": "Tool 3.0", "n_lessons": "6"}, {"school_id": None, "n_lessons": "1"}]),
        ],
    ),
    "OB-Q-ALL-ONE-SIDE": Case(
        Delivery([{"n_lessons": "30", "n_rated_3_4": "30"}, {"n_lessons": "30", "n_rated_3_4": "0"}]),
        [
            Found(2, "n_rated_3_4", "30", "n_rated_3_4 is 30 of 30 lessons"),
            Found(3, "n_rated_3_4", "0", "n_rated_3_4 is 0 of 30 lessons"),
        ],
        [
            Delivery(
                [
                    {"n_lessons": "29", "n_rated_3_4": "29"},
                    {"n_lessons": "29", "n_rated_3_4": "0"},
                    {"n_lessons": "30", "n_rated_3_4": "29"},
                    {"n_lessons": "30", "n_rated_3_4": None, "n_rated_3_4_symbol": "c"},
                ]
            )
        ],
    ),
    "OB-M-FEW-LESSONS": Case(
        Delivery([*lessons(14, 14, 13), {"school_id": "102", "n_lessons": "15"}, {"school_id": "103", "sampling": "purposive"}]),
        [
            Found(
                None, "n_lessons", "29",
                'lessons of all schools with tool "Tool 2.0" (sampling random): 29, fewer than 30', 4,
            )
        ],
        [
            Delivery([*lessons(14, 14, 13), {"school_id": "102", "n_lessons": "16"}]),
            Delivery([row | {"sampling": "purposive"} for row in lessons(1, 1, 1)]),
            Delivery([*lessons(14, 14, 13), {"school_id": "102", "n_lessons": None, "n_lessons_symbol": "c"}]),
        ],
    ),
    # --- mindset_survey ---
    "MI-V-GRADE-BAND": Case(
        Delivery([{}, {"grade_band": "all"}, {"respondent": "teacher"}]),
        [
            Found(3, "grade_band", "all", "respondent is student and grade_band is all"),
            Found(4, "grade_band", "6_8", "respondent is teacher and grade_band is 6_8"),
        ],
        [Delivery([{}, {"respondent": "community", "grade_band": "all"}, {"respondent": "pupil", "grade_band": "all"}])],
    ),
    "MI-V-MEAN-WITHOUT-SD": Case(
        Delivery([{"scale_sd": None}, {"scale_mean": None}]),
        [
            Found(2, "scale_sd", None, "scale_mean is 3.4 but scale_sd is blank"),
            Found(3, "scale_mean", None, "scale_sd is 0.8 but scale_mean is blank"),
        ],
        [Delivery([{}, {"scale_mean": None, "scale_sd": None}, {"scale_sd": "about 1"}])],
    ),
    "MI-V-MEAN-OF-NOBODY": Case(
        Delivery([{"n_respondents": "0", "n_favorable": "0"}]),
        [Found(2, "scale_mean", "3.4", "scale_mean is 3.4 but n_respondents is 0")],
        [
            Delivery(
                [
                    {"n_respondents": "0", "scale_mean": None, "scale_sd": None},
                    {"n_respondents": None, "n_respondents_symbol": "c"},
                    {"n_respondents": "1"},
                ]
            )
        ],
    ),
    "MI-Q-SCALE-RESPONDENT": Case(
        Delivery(
            [
                {"scale": "educator_belief"},
                {"scale": "educator_belief", "school_id": "102"},
                {"scale": "belonging", "respondent": "family", "grade_band": "all"},
            ]
        ),
        [
            Found(2, "scale", "educator_belief", "scale educator_belief is not asked of student; rows like this: 2", 2),
            Found(4, "scale", "belonging", "scale belonging is not asked of family; rows like this: 1"),
        ],
        [
            Delivery(
                [
                    {"scale": "educator_belief", "respondent": "leader", "grade_band": "all"},
                    {"scale": "change_readiness", "respondent": "teacher", "grade_band": "all"},
                    {"scale": "growth_mindset", "respondent": "family", "grade_band": "all"},
                    {"scale": "math_matters"},
                ]
            )
        ],
    ),
    "MI-Q-MEAN-UNLIKE-OTHERS": Case(
        Delivery([*means(9), {"scale_mean": "5.9", "scale_sd": "0.9"}]),
        [
            Found(
                11, "scale_mean", "5.9",
                "scale_mean is 5.9; the middle one of 10 rows is 3.4 with a standard deviation of 0.8",
            )
        ],
        [
            Delivery([*means(9), {"scale_mean": "5.7"}]),
            Delivery([*means(8), {"scale_mean": "68"}]),
            Delivery([*means(9), {"scale_mean": "68", "instrument": "Survey of 100 points"}]),
            Delivery([*means(9, scale_sd="0"), {"scale_mean": "68"}]),
            Delivery([*means(9), {"scale_mean": None, "scale_sd": None}, {"scale": "belonging", "scale_mean": "68"}]),
        ],
    ),
    "MI-Q-ALPHA-LOW": Case(
        Delivery([{"alpha": "0.49"}, {"school_id": "102", "alpha": "0.49"}, {"scale": "belonging", "alpha": "0"}]),
        [
            Found(2, "alpha", "0.49", "alpha of self_efficacy (student) is 0.49; rows like this: 2", 2),
            Found(4, "alpha", "0.0", "alpha of belonging (student) is 0.0; rows like this: 1"),
        ],
        [Delivery([{"alpha": "0.5"}, {"school_id": "102", "alpha": "0.9"}, {"alpha": None}])],
    ),
    "MI-Q-ALL-FAVORABLE": Case(
        Delivery([{"n_respondents": "50", "n_favorable": "50"}, {"n_respondents": "50", "n_favorable": "0"}]),
        [
            Found(2, "n_favorable", "50", "n_favorable is 50 of 50 respondents"),
            Found(3, "n_favorable", "0", "n_favorable is 0 of 50 respondents"),
        ],
        [
            Delivery(
                [
                    {"n_respondents": "49", "n_favorable": "49"},
                    {"n_respondents": "49", "n_favorable": "0"},
                    {"n_respondents": "50", "n_favorable": "49"},
                    {"n_respondents": "50", "n_favorable": None, "n_favorable_symbol": "c"},
                ]
            )
        ],
    ),
    # --- message_tests ---
    "MT-V-COMPARED-WITH-ITSELF": Case(
        Delivery([{"comparison_message": "welcome-2"}]),
        [Found(2, "comparison_message", "welcome-2", "comparison_message is the message itself: welcome-2")],
        [Delivery([{"comparison_message": "welcome-1"}, {}, {"message_id": None, "comparison_message": "welcome-2"}])],
    ),
    "MT-V-MEAN-WITHOUT-SD": Case(
        Delivery([{"sd_rating": None}, {"mean_rating": None}]),
        [
            Found(2, "sd_rating", None, "mean_rating is 3.9 but sd_rating is blank"),
            Found(3, "mean_rating", None, "sd_rating is 0.9 but mean_rating is blank"),
        ],
        [Delivery([{}, {"mean_rating": None, "sd_rating": None}, {"sd_rating": "n/a"}])],
    ),
    "MT-V-MEAN-OF-NOBODY": Case(
        Delivery([{"n_shown": "0", "n_resonated": "0"}]),
        [Found(2, "mean_rating", "3.9", "mean_rating is 3.9 but n_shown is 0")],
        [
            Delivery(
                [
                    {"n_shown": "0", "mean_rating": None, "sd_rating": None},
                    {"n_shown": "1"},
                    {"n_shown": None, "n_shown_symbol": "c"},
                ]
            )
        ],
    ),
    "MT-Q-COMPARISON-UNKNOWN": Case(
        Delivery(
            [
                {"comparison_message": "plain-1"},
                {"message_id": "welcome-3", "comparison_message": "plain-1"},
                PLAIN | {"audience": "teachers"},
                PLAIN | {"wave": "fall"},
            ]
        ),
        [
            Found(
                2, "comparison_message", "plain-1",
                'comparison_message "plain-1" is no message of the file for families in spring', 2,
            )
        ],
        [Delivery([{"comparison_message": "plain-1"}, PLAIN]), Delivery([{}, {"wave": None, "comparison_message": "plain-1"}])],
    ),
    "MT-Q-IN-USE-NEVER-SHOWN": Case(
        Delivery([{"n_shown": "0"}]),
        [Found(2, "n_shown", "0", "message welcome-2 is in use with families and n_shown is 0")],
        [
            Delivery(
                [
                    {"n_shown": "0", "is_in_use": "false"},
                    {"n_shown": "0", "is_in_use": None},
                    {"n_shown": None, "n_shown_symbol": "z"},
                    {"n_shown": "1"},
                ]
            )
        ],
    ),
    "MT-Q-ALL-RESONATED": Case(
        Delivery([{"n_shown": "50", "n_resonated": "50"}, {"n_shown": "50", "n_resonated": "0"}]),
        [
            Found(2, "n_resonated", "50", "n_resonated is 50 of 50 people"),
            Found(3, "n_resonated", "0", "n_resonated is 0 of 50 people"),
        ],
        [
            Delivery(
                [
                    {"n_shown": "49", "n_resonated": "49"},
                    {"n_shown": "49", "n_resonated": "0"},
                    {"n_shown": "50", "n_resonated": "49"},
                    {"n_shown": "50", "n_resonated": None, "n_resonated_symbol": "c"},
                ]
            )
        ],
    ),
    # --- school_directory ---
    "SD-V-OWN-PREDECESSOR": Case(
        Delivery([{"predecessor_school_ids": "099;101"}]),
        [Found(2, "predecessor_school_ids", "099;101", "predecessor_school_ids names the school itself: 101")],
        [Delivery([{"predecessor_school_ids": "1010;10;0101"}, {}, {"school_id": None, "predecessor_school_ids": "101"}])],
    ),
    "SD-Q-PREDECESSOR-OPEN": Case(
        Delivery([{}, {"school_id": "102", "predecessor_school_ids": "101;099;101"}]),
        [Found(3, "predecessor_school_ids", "101", "school 101 is a predecessor of school 102 and is still in the file")],
        [Delivery([{}, {"school_id": "102", "predecessor_school_ids": "099;0101"}, {"predecessor_school_ids": "101"}])],
    ),
    "SD-Q-PREDECESSOR-SHARED": Case(
        Delivery(
            [
                {"predecessor_school_ids": "099"},
                {"school_id": "102", "predecessor_school_ids": "098;099"},
                {"school_id": "103", "predecessor_school_ids": "099"},
            ]
        ),
        [
            Found(
                2, "predecessor_school_ids", "099",
                "school 099 is named as the predecessor of 3 schools; the first two are 101 and 102", 3,
            )
        ],
        [
            Delivery(
                [
                    {"predecessor_school_ids": "099;097;099"},
                    {"school_id": "102", "predecessor_school_ids": "098"},
                    {"school_id": None, "predecessor_school_ids": "099"},
                ]
            )
        ],
    ),
    "SD-Q-PREDECESSOR-UNKNOWN": Case(
        Delivery(
            [
                {"predecessor_school_ids": "98;099"},
                {"school_id": "102", "predecessor_school_ids": "98"},
                {"school_id": "103", "predecessor_school_ids": "090"},
            ],
            past=[{"school_id": "098"}, {"school_id": "099", "predecessor_school_ids": "090;091"}],
        ),
        [Found(2, "predecessor_school_ids", "98", "predecessor 98 of school 101 is in no earlier school directory", 2)],
        [
            Delivery([{"predecessor_school_ids": "098"}]),
            Delivery([{"predecessor_school_ids": "098"}], in_force=[{}]),
            Delivery([{"predecessor_school_ids": "098"}, {}], past=[{"school_id": "098"}]),
        ],
    ),
}  # fmt: skip
