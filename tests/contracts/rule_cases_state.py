"""Cases of the rules that stand in the contract of what a district passes on about its state.

Lines, fields, values and messages are written by hand. `BASE`: the extract to its row in which nothing is wrong; `CASES`: rule id
to case.
"""

from __future__ import annotations

from tests.contracts.rule_cases import Case, Delivery, Found, Row

BASE: dict[str, Row] = {
    "state_level_distribution": {
        "grade": "4", "instrument": "pa_pssa_math_2015", "administration": "spring",
        "n_enrolled": "120000", "n_enrolled_symbol": None, "n_tested": "117000", "n_tested_symbol": None,
        "n_level_1": "36000", "n_level_1_symbol": None, "n_level_2": "31000", "n_level_2_symbol": None,
        "n_level_3": "30000", "n_level_3_symbol": None, "n_level_4": "20000", "n_level_4_symbol": None,
        "n_level_5": None, "n_level_5_symbol": "z", "n_level_6": None, "n_level_6_symbol": "z",
        "publication": "Department of Education, results of the state test, 12 November 2024",
    },
}  # fmt: skip


def levels(*by_level: int, more_enrolled: int = 500) -> Row:
    """Counts at the four levels of the base row's test, with the number tested that they add up to."""
    n = sum(by_level)
    counts: Row = {f"n_level_{level}": str(count) for level, count in enumerate(by_level, start=1)}
    return {"n_tested": str(n), "n_enrolled": str(n + more_enrolled), **counts}


def own(n_tested: int | None, **more: str | None) -> Row:
    """A row of the district's own results; without a number tested it says that this is withheld."""
    counted: Row = {"n_tested": None, "n_tested_symbol": "c"} if n_tested is None else {"n_tested": str(n_tested)}
    return {"grade": "4", **counted, **more}


WITHHELD: Row = {
    "n_tested": None, "n_tested_symbol": "c", **{f"n_level_{level}": None for level in range(1, 5)},
    **{f"n_level_{level}_symbol": "c" for level in range(1, 5)},
}  # fmt: skip
WHOLE_DISTRICT: Row = {"unit_type": "district", "unit_id": "4218990"}

CASES: dict[str, Case] = {
    "ST-V-LEVELS-SUM": Case(
        Delivery([{}, {"grade": "5", "n_level_4": "20001"}, {"grade": "6", "n_tested": "116999"}]),
        [
            Found(3, "n_tested", "117000", "the levels add up to 117001 but n_tested is 117000"),
            Found(4, "n_tested", "116999", "the levels add up to 117000 but n_tested is 116999"),
        ],
        [Delivery([{}, {"grade": "5", "n_level_4": None, "n_level_4_symbol": "x"}, {"grade": "6", **WITHHELD}])],
    ),
    "ST-V-LEVELS-OF-TEST": Case(
        Delivery(
            [
                {"n_level_5": "0", "n_level_5_symbol": None},
                {"grade": "5", "n_level_6_symbol": "x"},
                {"grade": "6", "n_level_2": None, "n_level_2_symbol": "z"},
            ]
        ),
        [
            Found(2, "n_level_5", "0", "this test has 4 levels, so level 5 must be blank with symbol z"),
            Found(3, "n_level_6", None, "this test has 4 levels, so level 6 must be blank with symbol z"),
            Found(4, "n_level_2", None, "this test has 4 levels, so level 2 is never not applicable"),
        ],
        [Delivery([{}, {"grade": "5", "n_level_2": None, "n_level_2_symbol": "x"}])],
    ),
    "ST-V-INSTRUMENT-YEAR": Case(
        Delivery([{}] + [{"instrument": name} for name in ("pa_pssa_math_2026", "ny_nystp_math_2023", "pa_pssa_math_2026")]),
        [
            Found(
                3, "instrument", "pa_pssa_math_2026",
                "pa_pssa_math_2026 was in use from 2025-26 on, and this submission is for 2023-24; the instrument of this state "
                "and year is pa_pssa_math_2015", 2,
            ),
            Found(
                4, "instrument", "ny_nystp_math_2023",
                "ny_nystp_math_2023 is a test of NY, and this district is in PA; the instrument of this state and year is "
                "pa_pssa_math_2015",
            ),
        ],
        [Delivery([{}, {"grade": "5"}])],
    ),
    "ST-Q-ONE-LEVEL": Case(
        Delivery([levels(0, 30, 0, 0), {"grade": "5", **levels(0, 0, 0, 98000)}]),
        [
            Found(2, "n_level_2", "30", "all 30 students tested are at level 2"),
            Found(3, "n_level_4", "98000", "all 98000 students tested are at level 4"),
        ],
        [Delivery([levels(0, 29, 0, 0), {"grade": "5", **levels(0, 1, 0, 98000)}, {"grade": "6", **WITHHELD}])],
    ),
    "ST-Q-NOBODY-TESTED": Case(
        Delivery([levels(0, 0, 0, 0, more_enrolled=30)]),
        [Found(2, "n_tested", "0", "n_tested is 0 and n_enrolled is 30")],
        [
            Delivery(
                [
                    levels(0, 0, 0, 0, more_enrolled=29),
                    {"grade": "5", **levels(1, 0, 0, 0)},
                    {"grade": "6", **WITHHELD},
                    {"grade": "7", **levels(0, 0, 0, 0), "n_enrolled": None, "n_enrolled_symbol": "x"},
                ]
            )
        ],
    ),
    "ST-Q-SAME-COUNTS": Case(
        Delivery([{}, {"grade": "5", "n_enrolled": "119000"}, {"grade": "6", **levels(40, 30, 20, 10)}]),
        [Found(3, "n_tested", "117000", "grade 5 has the same counts as grade 4 at every level")],
        [
            Delivery([levels(39, 30, 20, 10), {"grade": "5", **levels(39, 30, 20, 10)}]),
            Delivery([levels(40, 30, 20, 10), {"grade": "5", **levels(40, 30, 19, 11)}]),
            Delivery([{}, {"administration": "fall", "grade": "5"}]),
            # A state that tests one grade has the same counts in its pooled row, and withheld levels are no counts.
            Delivery([{}, {"grade": "3_8"}]),
            Delivery([{**WITHHELD, "n_tested": "117000"}, {"grade": "5", **WITHHELD, "n_tested": "117000"}]),
        ],
    ),
    "ST-Q-SHARE-JUMP": Case(
        Delivery(
            [levels(30, 29, 30, 11), {"grade": "5", **levels(50, 31, 9, 10)}],
            past=[levels(50, 30, 10, 10), {"grade": "5", **levels(30, 30, 30, 10)}],
        ),
        [
            Found(
                2, "n_level_4", "41",
                "students at the two highest levels: 41 of 100 tested; in school year 2022-23: 20 of 100",
            ),
            Found(
                3, "n_level_4", "19",
                "students at the two highest levels: 19 of 100 tested; in school year 2022-23: 40 of 100",
            ),
        ],
        [
            Delivery([levels(30, 30, 30, 10)], past=[levels(50, 30, 10, 10)]),
            Delivery([levels(0, 0, 20, 29)], past=[levels(40, 10, 0, 0)]),
            Delivery([levels(0, 0, 40, 20)], past=[levels(49, 0, 0, 0)]),
            Delivery([levels(0, 0, 40, 20)], past=[{"instrument": "pa_pssa_math_2006", **levels(60, 0, 0, 0)}]),
            Delivery([levels(0, 0, 40, 20)], past=[{"administration": "fall", **levels(60, 0, 0, 0)}]),
            Delivery([levels(0, 0, 40, 20)], past=[{**levels(60, 0, 0, 0), "n_level_3": None, "n_level_3_symbol": "x"}]),
        ],
    ),
    "ST-M-STATE-TOTAL": Case(
        Delivery(
            [
                levels(100, 200, 300, 200),
                {"grade": "5", **levels(25, 25, 25, 24)},
                {"administration": "fall", **levels(1, 1, 1, 1)},
            ],
            past=[levels(200, 200, 100, 100), {"grade": "5", **levels(100, 100, 100, 100)}],
        ),
        [Found(None, "n_tested", "899", "students of the state tested (spring): 899; in school year 2022-23: 1000", 2)],
        [
            Delivery([levels(300, 200, 200, 200)], past=[levels(300, 300, 200, 200)]),
            Delivery([levels(300, 300, 300, 200)], past=[levels(300, 300, 200, 200)]),
            # The pooled row stands beside its grades and is not added to them.
            Delivery(
                [levels(300, 300, 200, 200), {"grade": "3_8", **levels(300, 300, 200, 200)}],
                past=[levels(300, 300, 200, 200)],
            ),
            Delivery([{"administration": "fall", **levels(1, 1, 1, 1)}], past=[levels(300, 300, 200, 200)]),
            Delivery([levels(1, 1, 1, 1), {"grade": "5", **WITHHELD}], past=[levels(300, 300, 200, 200)]),
            Delivery([levels(1, 1, 1, 1)], past=[levels(300, 300, 200, 200), {"grade": "5", **WITHHELD}]),
        ],
    ),
    "ST-M-DISTRICT-LARGER": Case(
        Delivery(
            [levels(100, 200, 300, 200), {"grade": "5", **levels(100, 100, 100, 100)}],
            results=[
                own(500),
                own(300, unit_id="102"),
                # The district's own row counts where no school has one; of a student group nothing is asked.
                own(9999, subgroup="female"),
                WHOLE_DISTRICT | own(401, grade="5"),
            ],
        ),
        [
            Found(2, "n_tested", "800", "n_tested of the state is 800 in grade 4; in the results of the district it is 800"),
            Found(3, "n_tested", "400", "n_tested of the state is 400 in grade 5; in the results of the district it is 401"),
        ],
        [
            Delivery([levels(100, 200, 300, 200)], results=[own(500), own(299, unit_id="102")]),
            Delivery([levels(100, 200, 300, 200)], results=[own(500), WHOLE_DISTRICT | own(900)]),
            Delivery([levels(100, 200, 300, 200)], results=[own(900, grade="5"), own(900, administration="fall")]),
            Delivery([levels(100, 200, 300, 200)], results=[own(None)]),
            Delivery([levels(0, 0, 0, 0)], results=[own(0)]),
            Delivery([{"grade": "4", **WITHHELD}], results=[own(900)]),
            Delivery([levels(1, 1, 1, 1)]),
        ],
    ),
}  # fmt: skip
