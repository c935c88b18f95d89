"""The invented list of titles, with their publishers and reviews.

Every name says that it is invented. Which schools use a title, and how, does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BANDS = ("elementary grades", "middle grades", "traditional pathway", "integrated pathway")


@dataclass(frozen=True)
class Title:
    """One invented title. `band` is an index of BANDS; none for a title that is never core."""

    title: str
    publisher: str
    edition: str | None
    status: str
    reviewer: str | None
    review_year: int | None
    band: int | None = None
    is_digital: bool = False


MEETS, PARTLY, NOT_MET, UNREVIEWED = STATUSES = ("meets", "partially_meets", "does_not_meet", "not_reviewed")
BOARD, COUNCIL = "Example Review Board", "Sample Materials Council"
EXAMPLE, SAMPLE, PLACEHOLDER = "Example Press", "Sample & Daughters", "Placeholder House"
INVENTED, FICTIONAL, PRETEND = "Invented Books", "Fictional Learning", "Pretend Software"
TITLES = (
    Title("Example Mathematics K-5", EXAMPLE, "2021", MEETS, BOARD, 2022, 0),
    Title("Sample Number Stories", SAMPLE, "2023", MEETS, BOARD, 2023, 0, is_digital=True),
    Title("Placeholder Math Workshop", PLACEHOLDER, "2nd", PARTLY, BOARD, 2020, 0),
    Title("Counting, Together (Example)", INVENTED, "2012", NOT_MET, COUNCIL, 2016, 0),
    Title("Invented Everyday Sums", INVENTED, None, UNREVIEWED, None, None, 0),
    Title("Example Mathematics 6-8", EXAMPLE, "2021", MEETS, BOARD, 2022, 1),
    Title("Sample Ratios and Reasoning", SAMPLE, "2022", MEETS, COUNCIL, 2023, 1, is_digital=True),
    Title("Placeholder Middle Math", PLACEHOLDER, "3rd", PARTLY, BOARD, 2019, 1),
    Title('Invented "Math Now"', INVENTED, "2010", NOT_MET, COUNCIL, 2015, 1),
    Title("Fictional Middle Grades Binder", FICTIONAL, "2018", UNREVIEWED, None, None, 1),
    Title("Example Algebra-Geometry-Algebra", EXAMPLE, "2020", MEETS, BOARD, 2021, 2),
    Title("Sample Pathways Traditional", SAMPLE, "2024", MEETS, BOARD, 2024, 2, is_digital=True),
    Title("Placeholder High School Math", PLACEHOLDER, "5th", PARTLY, BOARD, 2018, 2),
    Title("Fictional Algebra Drill", FICTIONAL, "1998", NOT_MET, COUNCIL, 2014, 2),
    Title("Invented Course Packet", INVENTED, "2019", UNREVIEWED, None, None, 2),
    Title("Example Integrated Mathematics", EXAMPLE, "2022", MEETS, BOARD, 2023, 3),
    Title("Sample Pathways Integrated", SAMPLE, "2024", MEETS, COUNCIL, 2025, 3, is_digital=True),
    Title("Placeholder Integrated Math", PLACEHOLDER, "1st", PARTLY, BOARD, 2019, 3),
    Title("Fictional Integrated Reader", FICTIONAL, "2011", NOT_MET, COUNCIL, 2015, 3),
    Title("Invented Integrated Notes", INVENTED, "2016", UNREVIEWED, None, None, 3),
    Title("Example Practice Online", EXAMPLE, "2024", UNREVIEWED, None, None, is_digital=True),
    Title("Pretend Fluency Game", PRETEND, "7.2", UNREVIEWED, None, None, is_digital=True),
    Title("Sample Problem Cards", SAMPLE, "2017", UNREVIEWED, None, None),
    Title("Placeholder Bridge Lessons", PLACEHOLDER, "2nd", PARTLY, BOARD, 2021),
    Title("Pretend Adaptive Tutor", PRETEND, "3.0", UNREVIEWED, None, None, is_digital=True),
    Title("Fictional Catch-Up Kit", FICTIONAL, "2015", NOT_MET, COUNCIL, 2017),
    Title("Invented After-Hours Math Club", INVENTED, "2020", UNREVIEWED, None, None),
    Title("Example Tutoring Guide", EXAMPLE, "2022", MEETS, BOARD, 2023),
)
STATUS_OF_TITLE = np.array([STATUSES.index(title.status) for title in TITLES])
IS_GOOD = np.array([title.status == MEETS for title in TITLES])
