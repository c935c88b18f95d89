"""Cases of the rules that stand in the contracts of what offices of the district and of programmes send.

Lines, fields, values and messages are written by hand. `BASE`: extract to its row in which nothing is wrong; `ROWS`: extracts
of which one row alone is not right, to the rows (differences from the base row) that are; `CASES`: rule id to case.
"""

from __future__ import annotations

from tests.contracts.rule_cases import YEAR_BEFORE, Case, Delivery, Found, Row

BASE: dict[str, Row] = {
    "stakeholder_communication": {
        "audience": "families", "topic": "Mathematics priorities", "term": "fall", "n_audience": "1200",
        "n_audience_symbol": None, "n_reached": "900", "n_reached_symbol": None, "n_engaged": "300", "n_engaged_symbol": None,
        "n_respondents": "200", "n_respondents_symbol": None, "n_naming_priorities": "120", "n_naming_priorities_symbol": None,
    },
    "district_priorities": {
        "term": "fall", "pl_hours_math": "120", "pl_hours_all": "900", "n_initiatives": "12", "n_initiatives_symbol": None,
        "n_math_initiatives": "3", "n_math_initiatives_symbol": None, "focus_challenge": "materials", "shares_with_peers": "true",
    },
    "policy_register": {
        "policy": "Algebra I for all by grade 9", "adopted_date": "2022-08-15", "funded_until": "2026-06-30",
        "status": "in_force", "challenge": "size_and_scale",
    },
    "commitments": {
        "convening": "2024", "commitment_id": "C-01", "challenge": "educator_capacity",
        "text": "Ten hours of learning for every new teacher.", "due_date": "2025-06-30", "status": "in_progress",
    },
    "algebra_outcomes": {
        "school_id": "101", "cohort": "first_time_grade_9", "subgroup": "all", "pathway": "traditional", "pass_rule": "D or more",
        "n_cohort": "240", "n_cohort_symbol": None, "n_proficient_grade_7": "110", "n_proficient_grade_7_symbol": None,
        "n_enrolled_by_grade_8": "60", "n_enrolled_by_grade_8_symbol": None,
        "n_completed_by_grade_9": "180", "n_completed_by_grade_9_symbol": None,
        "n_first_attempt": "170", "n_first_attempt_symbol": None,
        "n_passed_first_attempt": "140", "n_passed_first_attempt_symbol": None,
        "n_passed_next_course": "115", "n_passed_next_course_symbol": None, "n_eoc_taken": "165", "n_eoc_taken_symbol": None,
        "n_eoc_passed": "100", "n_eoc_passed_symbol": None, "n_failed_core_math": "36", "n_failed_core_math_symbol": None,
    },
    "tutoring_dosage": {
        "school_id": "101", "program": "After-school tutoring", "n_scheduled": "80", "n_scheduled_symbol": None,
        "n_adequate": "52", "n_adequate_symbol": None, "sessions_per_week": "3", "minutes_per_session": "30", "group_size": "4",
    },
    "program_reach": {
        "program_id": "mathematics_learning_community", "cohort": "2023-fall", "n_leaders_trained": "20",
        "n_leaders_trained_symbol": None, "training_cost_usd": "30000", "n_teachers_supported": "300",
        "n_teachers_supported_symbol": None, "n_students_reached": "8100", "n_students_reached_symbol": None,
        "immersion_hours": "2400", "n_mathematician_sessions": "10", "n_mathematician_sessions_symbol": None,
        "n_study_group_sessions": "16", "n_study_group_sessions_symbol": None, "n_participants": "40",
        "n_participants_symbol": None, "n_now_facilitating": "12", "n_now_facilitating_symbol": None,
    },
    "program_rubric": {
        "program_id": "mathematics_learning_community", "principle": "A", "rater": "reviewer", "rating": "accomplished",
        "evidence": "A survey of all teachers.",
    },
    "habits_of_mind": {
        "program_id": "focus_on_mathematics", "cohort": "2023-fall", "habit": "seeking_underlying_structure", "occasion": "after",
        "instrument": "Form 2", "n_teachers": "32", "n_teachers_symbol": None, "mean_score": "2.6", "sd_score": "0.75",
        "n_paired": "28", "n_paired_symbol": None, "mean_change": "0.35", "sd_change": "0.5",
    },
}  # fmt: skip
ROWS: dict[str, list[Row]] = {"program_rubric": [{"principle": principle} for principle in "ABCDEFGHIJ"]}


def rated(ratings: str, rater: str = "self", principles: str = "ABCDEFGHIJ", **more: str | None) -> list[Row]:
    """One row for each principle, with the rating that its letter stands for."""
    words = {"a": "accomplished", "d": "developing", "u": "undeveloped"}
    return [
        {"principle": principle, "rater": rater, "rating": words[letter], **more}
        for principle, letter in zip(principles, ratings, strict=True)
    ]


GRADE_8: Row = {
    "cohort": "grade_8", "n_completed_by_grade_9": None, "n_completed_by_grade_9_symbol": "z", "n_first_attempt": "60",
    "n_passed_first_attempt": "50", "n_passed_next_course": "40",
}  # fmt: skip
FOCUS: Row = {"program_id": "focus_on_mathematics"}
BEFORE: Row = {
    "occasion": "before", "mean_score": "2.3", "n_paired": None, "n_paired_symbol": "z", "mean_change": None, "sd_change": None,
}  # fmt: skip
SAME_TEACHERS: Row = {"n_paired": "32", "mean_change": "0.3"}

CASES: dict[str, Case] = {
    "SC-V-TERM-OVER-YEAR": Case(
        Delivery([{}, {"term": "spring", "n_reached": "901"}, {"term": "full_year"}]),
        [Found(3, "n_reached", "901", "n_reached is 901 in spring but 900 in the full year")],
        [
            Delivery([{}, {"term": "spring"}, {"term": "full_year"}]),
            Delivery([{"n_reached": "1000"}, {"term": "full_year", "topic": "Another topic"}]),
            Delivery([{"n_reached": "1000"}, {"term": "full_year", "audience": "teachers"}]),
            Delivery([{}, {"term": "full_year", "n_reached": None, "n_reached_symbol": "x"}]),
            Delivery([{"term": "spring"}, {}]),
        ],
    ),
    "SC-Q-AUDIENCE-SIZES": Case(
        Delivery(
            [
                {},
                {"topic": "Materials", "n_audience": "1440"},
                {"topic": "Coaching", "n_audience": "1441"},
                {"topic": "Coaching", "term": "spring", "n_audience": "5000"},
            ]
        ),
        [Found(2, "n_audience", "1200", "n_audience of families in fall is 1200 here and 1441 at another topic", 3)],
        [
            Delivery([{}, {"topic": "Materials", "n_audience": "1440"}]),
            Delivery([{}, {"topic": "Materials", "n_audience": "9000", "term": "spring"}]),
            Delivery([{}, {"topic": "Materials", "n_audience": "9000", "audience": "community"}]),
            Delivery([{}, {"topic": "Materials", "n_audience": None, "n_audience_symbol": "x"}]),
            Delivery([{"audience": None}, {"audience": None, "n_audience": "9000"}]),
        ],
    ),
    "SC-Q-EVERYBODY-REACHED": Case(
        Delivery([{"n_reached": "1200"}, {"topic": "Materials", "n_audience": "1000", "n_reached": "1000"}]),
        [
            Found(2, "n_reached", "1200", "n_reached and n_audience are both 1200"),
            Found(3, "n_reached", "1000", "n_reached and n_audience are both 1000"),
        ],
        [
            Delivery([{"n_reached": "1199"}, {"audience": "board", "n_audience": "999", "n_reached": "999"}]),
            Delivery([{"n_reached": None, "n_reached_symbol": "x"}]),
        ],
    ),
    "SC-Q-PRIORITIES-INCOMPLETE": Case(
        Delivery(
            [
                {"n_naming_priorities": None, "n_naming_priorities_symbol": "x"},
                {"topic": "Materials", "n_naming_priorities": None, "n_naming_priorities_symbol": "z"},
                {"topic": "Coaching", "n_respondents": None, "n_respondents_symbol": "c"},
            ]
        ),
        [
            Found(2, "n_naming_priorities", None, "n_respondents is 200 but n_naming_priorities is blank"),
            Found(3, "n_naming_priorities", None, "n_respondents is 200 but n_naming_priorities is blank"),
            Found(4, "n_naming_priorities", "120", "n_naming_priorities is 120 but n_respondents is blank"),
        ],
        [
            Delivery([{"n_naming_priorities": None, "n_naming_priorities_symbol": symbol}]) for symbol in ("c", "low", "u")
        ]
        + [
            Delivery([{"n_respondents": "0", "n_naming_priorities": None, "n_naming_priorities_symbol": "z"}]),
            Delivery([{"n_naming_priorities": "0"}]),
            Delivery(
                [
                    {
                        "n_respondents": None, "n_respondents_symbol": "x",
                        "n_naming_priorities": None, "n_naming_priorities_symbol": "x",
                    }
                ]
            ),
        ],
    ),
    "DP-V-TERMS-OVER-YEAR": Case(
        Delivery(
            [
                {"pl_hours_math": "120.5", "pl_hours_all": "900"},
                {"term": "spring", "pl_hours_math": "130.5", "pl_hours_all": "950.5"},
                {"term": "full_year", "pl_hours_math": "250", "pl_hours_all": "1849.75"},
            ]
        ),
        [
            Found(4, "pl_hours_all", "1849.75", "pl_hours_all is 1849.8 for the full year but 1850.5 for its terms together"),
            Found(4, "pl_hours_math", "250.0", "pl_hours_math is 250.0 for the full year but 251.0 for its terms together"),
        ],
        [
            Delivery([{}, {"term": "spring"}, {"term": "full_year", "pl_hours_math": "239.5", "pl_hours_all": "1800"}]),
            Delivery([{}, {"term": "spring"}]),
            Delivery([{"term": "full_year"}]),
            Delivery([{}, {"term": "full_year", "pl_hours_math": None, "pl_hours_all": None}]),
        ],
    ),
    "DP-Q-NEARLY-ALL-MATH": Case(
        Delivery([{"pl_hours_math": "825"}]),
        [Found(2, "pl_hours_math", "825.0", "91.7 % of the hours are mathematics: 825.0 of 900.0")],
        [
            Delivery([{"pl_hours_math": "810"}, {"term": "spring", "pl_hours_math": "0", "pl_hours_all": "0"}]),
            Delivery([{"pl_hours_all": None}, {"term": "spring", "pl_hours_math": None}]),
        ],
    ),
    "DP-Q-HOURS-MISSING": Case(
        Delivery([{"pl_hours_math": None}, {"term": "winter"}, {"term": "spring", "pl_hours_math": None, "pl_hours_all": None}]),
        [
            Found(2, "pl_hours_math", None, "pl_hours_math is blank"),
            Found(4, "pl_hours_all", None, "pl_hours_all is blank"),
            Found(4, "pl_hours_math", None, "pl_hours_math is blank"),
        ],
        [Delivery([{"pl_hours_math": "0"}, {"term": "spring", "pl_hours_math": "0", "pl_hours_all": "0"}])],
    ),
    "DP-Q-CHALLENGE-MISSING": Case(
        Delivery([{}, {"term": "spring", "focus_challenge": None}]),
        [Found(3, "focus_challenge", None, "focus_challenge is blank in spring")],
        [Delivery([{}, {"term": "spring", "focus_challenge": "mindset"}])],
    ),
    "PO-V-FUNDED-BEFORE-ADOPTED": Case(
        Delivery([{"funded_until": "2022-08-14"}]),
        [Found(2, "funded_until", "2022-08-14", "funded_until is 2022-08-14, before adopted_date 2022-08-15")],
        [Delivery([{"funded_until": "2022-08-15"}, {"policy": "Coaching", "funded_until": None}])],
    ),
    "PO-V-ADOPTED-LATER": Case(
        Delivery([{}, {"policy": "Coaching", "adopted_date": "2024-07-01"}]),
        [
            Found(
                3, "adopted_date", "2024-07-01",
                "adopted_date is 2024-07-01, after the school year 2023-24 ended on 2024-06-30",
            )
        ],
        [Delivery([{"adopted_date": "2024-06-30"}, {"policy": "Coaching", "adopted_date": "2023-07-01"}])],
    ),
    "PO-Q-ENDED-FUNDED": Case(
        Delivery([{"status": "ended", "funded_until": "2024-07-01"}]),
        [
            Found(
                2, "funded_until", "2024-07-01", "status is ended but funded_until is 2024-07-01, after the school year 2023-24"
            )
        ],
        [
            Delivery([{"status": "ended", "funded_until": "2024-06-30"}]),
            Delivery([{"status": "ended", "funded_until": None}, {"policy": "Coaching", "status": "suspended"}]),
        ],
    ),
    "PO-Q-ADOPTED-LONG-AGO": Case(
        Delivery([{"adopted_date": "1979-12-31"}, {"policy": "Coaching", "adopted_date": "0022-08-15"}]),
        [
            Found(2, "adopted_date", "1979-12-31", "adopted_date is 1979-12-31, before 1980"),
            Found(3, "adopted_date", "0022-08-15", "adopted_date is 0022-08-15, before 1980"),
        ],
        [Delivery([{"adopted_date": "1980-01-01"}])],
    ),
    "PO-M-POLICY-GONE": Case(
        Delivery([{}], past=[{}, {"policy": "Coaching in every school"}]),
        [
            Found(
                None, "policy", "Coaching in every school",
                'the policy "Coaching in every school" stands in school year 2022-23 and not in this delivery',
            )
        ],
        [
            Delivery([{}, {"policy": " coaching in every School"}], past=[{}, {"policy": "Coaching in every school"}]),
            Delivery([{"policy": "Coaching", "status": "ended"}], past=[{"policy": "Coaching"}]),
            Delivery([{}, {"policy": "New"}], past=[{}]),
            Delivery([], past=[{}]),
        ],
    ),
    "CO-V-DUE-BEFORE-CONVENING": Case(
        Delivery([{"due_date": "2024-07-15"}, {"convening": "2025", "due_date": "2025-07-14"}]),
        [
            Found(
                2, "due_date", "2024-07-15", "due_date is 2024-07-15, before the convening 2024 was held on 2024-07-16"
            ),
            Found(
                3, "due_date", "2025-07-14", "due_date is 2025-07-14, before the convening 2025 was held on 2025-07-15"
            ),
        ],
        [
            Delivery([{"due_date": "2024-07-16"}, {"commitment_id": "C-02", "due_date": None}]),
            Delivery([{"convening": "2019", "due_date": "2001-01-01"}]),
        ],
    ),
    "CO-V-CONVENING-LATER": Case(
        Delivery([{}, {"convening": "2025"}]),
        [Found(3, "convening", "2025", "the convening 2025 belongs to 2024-25, and this submission is for 2023-24")],
        [Delivery([{}, {"commitment_id": "C-02"}]), Delivery([{"convening": "2019"}])],
    ),
    "CO-Q-DUE-DATE-MISSING": Case(
        Delivery([{"due_date": None, "status": "done"}, {"commitment_id": "C-02", "due_date": None}]),
        [
            Found(2, "due_date", None, "status is done but due_date is blank"),
            Found(3, "due_date", None, "status is in_progress but due_date is blank"),
        ],
        [Delivery([{"status": "done"}, {"commitment_id": "C-02", "due_date": None, "status": "dropped"}])],
    ),
    "CO-Q-STATUS-BACK": Case(
        Delivery(
            [{}, {"commitment_id": "C-02", "status": "not_started"}],
            past=[{"status": "done"}, {"commitment_id": "C-02", "status": "done"}],
        ),
        [
            Found(2, "status", "in_progress", "status is in_progress; in school year 2022-23 it is done"),
            Found(3, "status", "not_started", "status is not_started; in school year 2022-23 it is done"),
        ],
        [
            Delivery([{"status": "done"}, {"commitment_id": "C-02", "status": "dropped"}], past=[{"status": "done"}]),
            Delivery([{"status": "dropped"}], past=[{"status": "done"}]),
            Delivery([{}], past=[{"commitment_id": "C-02", "status": "done"}]),
            Delivery([{"status": "not_started"}], past=[{}]),
        ],
    ),
    "CO-Q-TEXT-TWICE": Case(
        Delivery(
            [
                {},
                {"commitment_id": "C-02", "text": "Another one."},
                {"commitment_id": "C-03", "text": "ten hours of learning for every new teacher. "},
                {"commitment_id": "C-04"},
            ]
        ),
        [
            Found(
                4, "text", "ten hours of learning for every new teacher. ",
                "commitments of the convening 2024 with this text: 3; the first is C-01", 3,
            )
        ],
        [Delivery([{}, {"convening": "2025"}, {"commitment_id": "C-02", "text": "Ten hours of learning for teachers."}])],
    ),
    "CO-M-COMMITMENT-GONE": Case(
        Delivery([{}], past=[{}, {"commitment_id": "C-02", "status": "not_started"}, {"convening": "2025"}]),
        [
            Found(
                None, "commitment_id", "C-01",
                "the commitment C-01 of the convening 2025 is in_progress in school year 2022-23 and not in this delivery",
            ),
            Found(
                None, "commitment_id", "C-02",
                "the commitment C-02 of the convening 2024 is not_started in school year 2022-23 and not in this delivery",
            ),
        ],
        [
            Delivery([{"status": "dropped"}], past=[{}]),
            Delivery([{}], past=[{}, {"commitment_id": "C-02", "status": "done"}, {"commitment_id": "C-3", "status": "dropped"}]),
            Delivery([], past=[{}]),
        ],
    ),
    "AO-V-SUBGROUP-OVER-ALL": Case(
        Delivery(
            [
                {},
                {"subgroup": "female", "n_cohort": "241", "n_failed_core_math": "37"},
                {"cohort": "grade_8", "subgroup": "female", "n_cohort": "500"},
                {"school_id": "102", "n_eoc_passed": None, "n_eoc_passed_symbol": "c"},
                {"school_id": "102", "subgroup": "male", "n_passed_next_course": "116", "n_eoc_passed": "101"},
            ]
        ),
        [
            Found(3, "n_cohort", "241", "n_cohort is 241 for female but 240 for all students"),
            Found(3, "n_failed_core_math", "37", "n_failed_core_math is 37 for female but 36 for all students"),
            Found(6, "n_passed_next_course", "116", "n_passed_next_course is 116 for male but 115 for all students"),
        ],
        [
            Delivery([{}, {"subgroup": "female"}, {"subgroup": "male", "n_cohort": "0"}]),
            Delivery([{}, {"school_id": "102", "subgroup": "female", "n_cohort": "999"}]),
            Delivery([{}, {"subgroup": "female", "n_cohort": None, "n_cohort_symbol": "c"}]),
            Delivery([{"school_id": None}, {"school_id": None, "subgroup": "female", "n_cohort": "999"}]),
        ],
    ),
    "AO-V-ALL-MISSING": Case(
        Delivery(
            [{}, {"subgroup": "female"}, {"cohort": "grade_8", "subgroup": "female"}, {"cohort": "grade_8", "subgroup": "male"}]
        ),
        [Found(4, "subgroup", None, "school 101 has no row of all students for the cohort grade_8", 2)],
        [
            Delivery([{"subgroup": "female"}, {}]),
            Delivery([{"n_cohort": None, "n_cohort_symbol": "c"}, {"subgroup": "female"}]),
            Delivery([{"subgroup": None}]),
        ],
    ),
    "AO-V-PATHWAY-DIFFERS": Case(
        Delivery([{}, {"subgroup": "female", "pathway": "integrated"}, {"subgroup": "male"}]),
        [
            Found(
                2, "pathway", "integrated",
                "the rows of school 101 and cohort first_time_grade_9 name integrated and traditional", 3,
            )
        ],
        [
            Delivery([{}, {"cohort": "grade_8", "pathway": "integrated"}, {"school_id": "102", "pathway": "integrated"}]),
            Delivery([{"pathway": "integrated"}, {"subgroup": "female", "pathway": None}]),
        ],
    ),
    "AO-V-ATTEMPTS-OVER-ENROLLED": Case(
        Delivery([{}, GRADE_8 | {"n_first_attempt": "61"}]),
        [Found(3, "n_first_attempt", "61", "n_first_attempt is 61 but n_enrolled_by_grade_8 is 60")],
        [
            Delivery([{}, GRADE_8]),
            Delivery([GRADE_8 | {"n_enrolled_by_grade_8": None, "n_enrolled_by_grade_8_symbol": "c"}]),
        ],
    ),
    "AO-V-COMPLETED-TOO-EARLY": Case(
        Delivery([{}, GRADE_8 | {"n_completed_by_grade_9": "0", "n_completed_by_grade_9_symbol": None}]),
        [Found(3, "n_completed_by_grade_9", "0", "n_completed_by_grade_9 is 0 for students who are in grade 8")],
        [Delivery([{}, GRADE_8])],
    ),
    "AO-Q-ALL-PASSED": Case(
        Delivery([{"n_first_attempt": "50", "n_passed_first_attempt": "50"}]),
        [Found(2, "n_passed_first_attempt", "50", "n_passed_first_attempt and n_first_attempt are both 50")],
        [
            Delivery([{"n_passed_first_attempt": "169"}]),
            Delivery([{"n_first_attempt": "49", "n_passed_first_attempt": "49"}]),
            Delivery([{"n_passed_first_attempt": None, "n_passed_first_attempt_symbol": "c"}]),
        ],
    ),
    "AO-Q-PASSED-OVER-COMPLETED": Case(
        Delivery([{"n_completed_by_grade_9": "139"}]),
        [Found(2, "n_completed_by_grade_9", "139", "n_completed_by_grade_9 is 139 but n_passed_first_attempt is 140")],
        [
            Delivery([{"n_completed_by_grade_9": "140"}, {"cohort": "grade_8", "n_completed_by_grade_9": "0"}]),
            Delivery([{"n_completed_by_grade_9": None, "n_completed_by_grade_9_symbol": "x"}]),
        ],
    ),
    "AO-Q-PASS-RULE-MISSING": Case(
        Delivery([{}, {"subgroup": "female", "pass_rule": None}, {"school_id": "102", "pass_rule": None}]),
        [Found(3, "pass_rule", None, "pass_rule is blank in rows with n_passed_first_attempt: 2", 2)],
        [Delivery([{"pass_rule": None, "n_passed_first_attempt": None, "n_passed_first_attempt_symbol": "x"}])],
    ),
    "AO-Q-PASS-RATE-JUMP": Case(
        Delivery(
            [{}, {"subgroup": "female"}, {"school_id": "102", "n_first_attempt": "50", "n_passed_first_attempt": "19"}],
            past=[
                {"n_first_attempt": "50", "n_passed_first_attempt": "20"},
                {"subgroup": "female", "n_first_attempt": "50", "n_passed_first_attempt": "1"},
                {"school_id": "102", "n_first_attempt": "100", "n_passed_first_attempt": "70"},
            ],
        ),
        [
            Found(
                2, "n_passed_first_attempt", "140",
                "passed at the first attempt: 140 of 170; in school year 2022-23: 20 of 50",
            ),
            Found(
                4, "n_passed_first_attempt", "19",
                "passed at the first attempt: 19 of 50; in school year 2022-23: 70 of 100",
            ),
        ],
        [
            # 70 % and 40 %: exactly 30 points.
            Delivery(
                [{"n_first_attempt": "50", "n_passed_first_attempt": "20"}],
                past=[{"n_first_attempt": "100", "n_passed_first_attempt": "70"}],
            ),
            Delivery([{}], past=[{"n_first_attempt": "49", "n_passed_first_attempt": "1"}]),
            Delivery([{"n_first_attempt": "49", "n_passed_first_attempt": "1"}], past=[{}]),
            Delivery([{}], past=[{"cohort": "grade_8", "n_passed_first_attempt": "1"}]),
            Delivery([{}], past=[{"n_passed_first_attempt": None, "n_passed_first_attempt_symbol": "c"}]),
        ],
    ),
    "AO-M-OVER-ENROLLED": Case(
        Delivery([{"n_cohort": "481"}, GRADE_8 | {"n_cohort": "482"}], directory=[{"n_enrolled": "480"}]),
        [Found(3, "n_cohort", "482", "n_cohort is 482 and the school directory has 480 students enrolled at school 101", 2)],
        [
            Delivery([{"n_cohort": "480"}], directory=[{"n_enrolled": "480"}]),
            Delivery([{"n_cohort": "481", "subgroup": "female"}], directory=[{"n_enrolled": "480"}]),
            Delivery([{"n_cohort": "481"}], directory=[{"n_enrolled": "480"}], directory_year=YEAR_BEFORE),
            Delivery([{"n_cohort": "481"}], directory=[{"n_enrolled": None}]),
        ],
    ),
    "TD-Q-WEEKLY-MINUTES": Case(
        Delivery([{"sessions_per_week": "20", "minutes_per_session": "75.5"}]),
        [Found(2, "minutes_per_session", "75.5", "1510.0 minutes a week: 20.0 sessions of 75.5 minutes")],
        [
            Delivery([{"sessions_per_week": "20", "minutes_per_session": "75"}]),
            Delivery([{"sessions_per_week": None, "minutes_per_session": "1501"}]),
        ],
    ),
    "TD-Q-SESSION-LENGTH": Case(
        Delivery([{"minutes_per_session": "0.5"}, {"school_id": "102", "minutes_per_session": "181"}]),
        [
            Found(2, "minutes_per_session", "0.5", "minutes_per_session is 0.5"),
            Found(3, "minutes_per_session", "181.0", "minutes_per_session is 181.0"),
        ],
        [
            Delivery([{"minutes_per_session": "10"}, {"school_id": "102", "minutes_per_session": "180"}]),
            Delivery([{"minutes_per_session": None}]),
        ],
    ),
    "TD-Q-GROUP-LARGE": Case(
        Delivery([{"group_size": "12.5"}]),
        [Found(2, "group_size", "12.5", "group_size is 12.5")],
        [Delivery([{"group_size": "12"}, {"school_id": "102", "group_size": None}])],
    ),
    "TD-Q-DEFINITION-MISSING": Case(
        Delivery(
            [
                {"sessions_per_week": None},
                {"school_id": "102", "minutes_per_session": None},
                {"school_id": "103", "sessions_per_week": None, "minutes_per_session": None},
            ]
        ),
        [
            Found(2, "sessions_per_week", None, "n_adequate is 52 but sessions_per_week is blank"),
            Found(3, "minutes_per_session", None, "n_adequate is 52 but minutes_per_session is blank"),
            Found(4, "sessions_per_week", None, "n_adequate is 52 but sessions_per_week and minutes_per_session are blank"),
        ],
        [
            Delivery([{"group_size": None}]),
            Delivery([{"n_adequate": None, "n_adequate_symbol": "x", "sessions_per_week": None, "minutes_per_session": None}]),
        ],
    ),
    "TD-Q-ALL-ADEQUATE": Case(
        Delivery([{"n_scheduled": "100", "n_adequate": "100"}]),
        [Found(2, "n_adequate", "100", "n_adequate and n_scheduled are both 100")],
        [Delivery([{"n_scheduled": "99", "n_adequate": "99"}, {"school_id": "102", "n_scheduled": "100", "n_adequate": "99"}])],
    ),
    "TD-M-OVER-ENROLLED": Case(
        Delivery([{"n_scheduled": "481"}, {"program": "Saturday school", "n_scheduled": "9"}], directory=[{"n_enrolled": "480"}]),
        [Found(2, "n_scheduled", "481", "n_scheduled is 481 and the school directory has 480 students enrolled at school 101")],
        [
            Delivery([{"n_scheduled": "480"}], directory=[{"n_enrolled": "480"}]),
            Delivery([{"n_scheduled": "481"}], directory=[{"n_enrolled": "480"}], directory_year=YEAR_BEFORE),
            Delivery([{"n_scheduled": "481"}], directory=[{"n_enrolled": None}]),
        ],
    ),
    "RE-Q-COST-PER-LEADER": Case(
        Delivery(
            [
                {"training_cost_usd": "30"},
                {"cohort": "B", "training_cost_usd": "410000"},
                {"cohort": "C", "n_leaders_trained": "0"},
            ]
        ),
        [
            Found(2, "training_cost_usd", "30.0", "training one leader cost 1.5 USD: 30.0 USD for 20 leaders"),
            Found(3, "training_cost_usd", "410000.0", "training one leader cost 20500.0 USD: 410000.0 USD for 20 leaders"),
            Found(4, "training_cost_usd", "30000.0", "training cost 30000.0 USD but n_leaders_trained is 0"),
        ],
        [
            Delivery([{"training_cost_usd": "2000"}, {"cohort": "B", "training_cost_usd": "400000"}]),
            Delivery([{"training_cost_usd": "0", "n_leaders_trained": "0"}, {"cohort": "B", "training_cost_usd": None}]),
            Delivery([{"n_leaders_trained": None, "n_leaders_trained_symbol": "z"}]),
        ],
    ),
    "RE-Q-COST-MISSING": Case(
        Delivery([{"training_cost_usd": None}]),
        [Found(2, "training_cost_usd", None, "n_leaders_trained is 20 but training_cost_usd is blank")],
        [
            Delivery([{"training_cost_usd": "0"}, {"cohort": "B", "training_cost_usd": None, "n_leaders_trained": "0"}]),
            Delivery([{"training_cost_usd": None, "n_leaders_trained": None, "n_leaders_trained_symbol": "z"}]),
        ],
    ),
    "RE-Q-TEACHERS-PER-LEADER": Case(
        Delivery([{"n_teachers_supported": "159"}, {"cohort": "B", "n_teachers_supported": "501"}]),
        [
            Found(
                2, "n_teachers_supported", "159",
                "8.0 teachers per trained leader: 159 for 20; Mathematics Learning Community names 8 to 25",
            ),
            Found(
                3, "n_teachers_supported", "501",
                "25.1 teachers per trained leader: 501 for 20; Mathematics Learning Community names 8 to 25",
            ),
        ],
        [
            Delivery([{"n_teachers_supported": "160"}, {"cohort": "B", "n_teachers_supported": "500"}]),
            Delivery([FOCUS | {"n_teachers_supported": "20"}, {"n_leaders_trained": "0"}]),
            Delivery([{"n_teachers_supported": None, "n_teachers_supported_symbol": "x"}]),
        ],
    ),
    "RE-Q-STUDENTS-PER-TEACHER": Case(
        Delivery([{"n_students_reached": "60001"}, {"cohort": "B", "n_teachers_supported": "0"}]),
        [
            Found(2, "n_students_reached", "60001", "200.0 students per supported teacher: 60001 for 300"),
            Found(3, "n_students_reached", "8100", "n_students_reached is 8100 but n_teachers_supported is 0"),
        ],
        [
            Delivery([{"n_students_reached": "60000"}, {"cohort": "B", "n_students_reached": "0", "n_teachers_supported": "0"}]),
            Delivery([{"n_teachers_supported": None, "n_teachers_supported_symbol": "x"}]),
        ],
    ),
    "RE-Q-IMMERSION-HOURS": Case(
        Delivery([{"immersion_hours": "16100"}, {"cohort": "B", "n_participants": "0"}]),
        [
            Found(
                2, "immersion_hours", "16100.0", "402.5 hours of immersion for each participant: 16100.0 hours for 40"
            ),
            Found(3, "immersion_hours", "2400.0", "immersion_hours is 2400.0 but n_participants is 0"),
        ],
        [
            Delivery([{"immersion_hours": "16000"}, {"cohort": "B", "immersion_hours": "0", "n_participants": "0"}]),
            Delivery([{"immersion_hours": None}, {"cohort": "B", "n_participants": None, "n_participants_symbol": "x"}]),
        ],
    ),
    "RE-Q-IMMERSION-HOURS-MISSING": Case(
        Delivery([FOCUS | {"immersion_hours": None}]),
        [Found(2, "immersion_hours", None, "n_participants is 40 but immersion_hours is blank")],
        [
            Delivery([{"immersion_hours": None}, FOCUS | {"immersion_hours": "0"}]),
            Delivery([FOCUS | {"immersion_hours": None, "n_participants": "0"}]),
        ],
    ),
    "RU-Q-EVIDENCE-MISSING": Case(
        Delivery([{}, {"principle": "B", "evidence": None}]),
        [Found(3, "evidence", None, "rating is accomplished but evidence is blank, principle B")],
        [Delivery([{}, {"principle": "B", "rating": "developing", "evidence": None}])],
    ),
    "RU-Q-SELF-ALL-SAME": Case(
        Delivery([*rated("d" * 10), *rated("d" * 10, rater="reviewer")]),
        [Found(2, "rating", "developing", "mathematics_learning_community rates itself developing on all 10 principles", 10)],
        [
            Delivery(rated("ddddddddda")),
            Delivery(rated("d" * 10, rater="reviewer")),
            Delivery(rated("d" * 9, principles="ABCDEFGHI")),
        ],
    ),
    "RU-M-PRINCIPLE-MISSING": Case(
        Delivery([*rated("aaaaaddu", principles="ABCDFGHI"), *rated("aaaaadddad", rater="reviewer"), FOCUS]),
        [
            Found(2, "principle", "E, J", "the rating of mathematics_learning_community by self lacks E, J", 8),
            Found(
                20, "principle", "B, C, D, E, F, G, H, I, J",
                "the rating of focus_on_mathematics by reviewer lacks B, C, D, E, F, G, H, I, J",
            ),
        ],
        [
            Delivery([*rated("aaaaadddad"), *rated("aaaaadddad", rater="reviewer")]),
            Delivery([{"rater": None}, {"program_id": None}]),
        ],
    ),
    "HM-V-GROUP-TOO-SMALL": Case(
        Delivery([{"n_teachers": "9", "n_paired": "9"}, BEFORE | {"n_teachers": "9"}, {"cohort": "B", "n_paired": "9"}]),
        [
            Found(2, "n_paired", "9", "n_paired is 9, and a change is of at least 10 teachers"),
            Found(2, "n_teachers", "9", "n_teachers is 9, and a group has at least 10"),
            Found(3, "n_teachers", "9", "n_teachers is 9, and a group has at least 10"),
            Found(4, "n_paired", "9", "n_paired is 9, and a change is of at least 10 teachers"),
        ],
        [
            Delivery([{"n_teachers": "10", "n_paired": "10"}, BEFORE]),
            Delivery([{"n_paired": "9", "mean_change": None, "sd_change": None}]),
            Delivery([{"n_teachers": None, "n_teachers_symbol": "c"}]),
        ],
    ),
    "HM-V-SIZE-UNKNOWN": Case(
        Delivery(
            [
                {"n_teachers": None, "n_teachers_symbol": "c"},
                {"cohort": "B", "n_teachers": None, "n_teachers_symbol": "c", "mean_score": None},
            ]
        ),
        [
            Found(2, "n_teachers", None, "mean_score is given but n_teachers is blank"),
            Found(3, "n_teachers", None, "sd_score is given but n_teachers is blank"),
        ],
        [Delivery([{}, {"cohort": "B", "n_teachers": None, "n_teachers_symbol": "c", "mean_score": None, "sd_score": None}])],
    ),
    "HM-V-CHANGE-BEFORE": Case(
        Delivery(
            [
                BEFORE | {"n_paired": "28", "n_paired_symbol": None},
                BEFORE | {"cohort": "B", "mean_change": "0", "sd_change": "0.5"},
            ]
        ),
        [
            Found(2, "n_paired", "28", "n_paired is given on the row before"),
            Found(3, "mean_change", "0.0", "mean_change is given on the row before"),
            Found(3, "sd_change", "0.5", "sd_change is given on the row before"),
        ],
        [Delivery([BEFORE, {}])],
    ),
    "HM-V-CHANGE-INCOMPLETE": Case(
        Delivery([{"mean_change": None}, {"cohort": "B", "n_paired": None, "n_paired_symbol": "x"}]),
        [
            Found(2, "mean_change", None, "n_paired is 28 but mean_change is blank"),
            Found(3, "n_paired", None, "mean_change is given but n_paired is blank"),
        ],
        [
            Delivery([{}, BEFORE | {"n_paired": "28"}]),
            Delivery([{"n_paired": "9", "mean_change": None}]),
            Delivery([{"n_paired": None, "n_paired_symbol": "x", "mean_change": None}]),
        ],
    ),
    "HM-V-PAIRED-OVER-BEFORE": Case(
        Delivery([{}, BEFORE | {"n_teachers": "27"}]),
        [Found(2, "n_paired", "28", "n_paired is 28 but n_teachers is 27 on the row before")],
        [
            Delivery([{}, BEFORE | {"n_teachers": "28"}]),
            Delivery([{}, BEFORE | {"n_teachers": "20", "cohort": "B"}]),
            Delivery([{}, BEFORE | {"n_teachers": "20", "habit": "applying_mathematical_reasoning"}]),
            Delivery([{"n_paired": None, "n_paired_symbol": "x"}, BEFORE | {"n_teachers": "20"}]),
            Delivery([{"cohort": None}, BEFORE | {"n_teachers": "20", "cohort": None}]),
        ],
    ),
    "HM-V-INSTRUMENT-DIFFERS": Case(
        Delivery([{}, BEFORE | {"instrument": "Form 1"}]),
        [Found(2, "instrument", "Form 2", 'instrument is "Form 2" after and "Form 1" before')],
        [
            Delivery([{}, BEFORE]),
            Delivery([{}, BEFORE | {"instrument": "Form 1", "cohort": "B"}]),
            Delivery([{}, BEFORE | {"instrument": None}]),
        ],
    ),
    "HM-Q-CHANGE-INCONSISTENT": Case(
        Delivery(
            [
                SAME_TEACHERS | {"mean_change": "-0.3"},
                BEFORE,
                SAME_TEACHERS | {"cohort": "B", "mean_change": "0.33", "sd_score": None},
                BEFORE | {"cohort": "B"},
            ]
        ),
        [
            Found(
                2, "mean_change", "-0.3",
                "mean_change is -0.3 but the means are 2.3 before and 2.6 after, of the same 32 teachers",
            ),
            Found(
                4, "mean_change", "0.33",
                "mean_change is 0.33 but the means are 2.3 before and 2.6 after, of the same 32 teachers",
            ),
        ],
        [
            # A tenth of the standard deviation of 0.75 is 0.075; without one 0.02 is left.
            Delivery([SAME_TEACHERS | {"mean_change": "0.375"}, BEFORE]),
            Delivery([SAME_TEACHERS | {"mean_change": "0.32", "sd_score": None}, BEFORE]),
            Delivery([SAME_TEACHERS | {"n_paired": "31", "mean_change": "-2"}, BEFORE]),
            Delivery([SAME_TEACHERS | {"mean_change": "-2"}, BEFORE | {"n_teachers": "33"}]),
            Delivery([SAME_TEACHERS | {"mean_change": "-2"}, BEFORE | {"mean_score": None}]),
            Delivery([SAME_TEACHERS | {"mean_change": "-2"}]),
        ],
    ),
    "HM-Q-SD-ZERO": Case(
        Delivery([{"sd_score": "0", "sd_change": "0.0"}, BEFORE | {"sd_score": "0"}]),
        [
            Found(2, "sd_change", "0.0", "sd_change is 0"),
            Found(2, "sd_score", "0.0", "sd_score is 0"),
            Found(3, "sd_score", "0.0", "sd_score is 0"),
        ],
        [Delivery([{"sd_score": "0.01", "sd_change": "0.01"}, BEFORE | {"sd_score": None}])],
    ),
    "HM-Q-SD-MISSING": Case(
        Delivery([{"sd_score": None, "sd_change": None}]),
        [
            Found(2, "sd_change", None, "mean_change is 0.35 but sd_change is blank"),
            Found(2, "sd_score", None, "mean_score is 2.6 but sd_score is blank"),
        ],
        [Delivery([{}, BEFORE]), Delivery([BEFORE | {"mean_score": None, "sd_score": None}])],
    ),
}  # fmt: skip
