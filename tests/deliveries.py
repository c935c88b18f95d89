"""Small contract-shaped files for tests, written by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path

DIRECTORY = (
    "school_id,nces_school_id,school_name,school_level,low_grade,high_grade,is_charter,in_scope,network_id,n_enrolled,"
    "n_enrolled_in_scope,n_low_income,n_english_learner,n_disability"
)


def directory_csv(n_schools: int = 3, n_enrolled: int = 300) -> bytes:
    """A school directory in which nothing is wrong."""
    rows = [
        f"{i:03d},,School {i},elementary,K,5,false,true,north,{n_enrolled + i},{n_enrolled},{n_enrolled // 2},40,30"
        for i in range(1, n_schools + 1)
    ]
    return "\n".join([DIRECTORY, *rows, ""]).encode()


LEVELS = [
    *["unit_type", "unit_id", "grade", "subgroup", "instrument", "administration", "n_enrolled", "n_enrolled_symbol", "n_tested"],
    *[name for level in range(1, 7) for name in (f"n_level_{level}", f"n_level_{level}_symbol")],
]


def levels_csv(counts: dict[tuple[str, str, str], tuple[int, ...]], instrument: str, n_enrolled_extra: int = 10) -> bytes:
    """Assessment levels; `counts` maps (unit_id, grade, subgroup) to the counts at the levels of the instrument."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LEVELS)
    for (unit_id, grade, subgroup), by_level in counts.items():
        cells = [str(n) for n in by_level] + [""] * (6 - len(by_level))
        symbols = [""] * len(by_level) + ["z"] * (6 - len(by_level))
        n = sum(by_level)
        pairs = [cell for pair in zip(cells, symbols, strict=True) for cell in pair]
        writer.writerow(["school", unit_id, grade, subgroup, instrument, "spring", n + n_enrolled_extra, "", n, *pairs])
    return text.getvalue().encode()


def drop(inbox: Path, district: str, extract: str, school_year: str, name: str, content: bytes) -> Path:
    """Put a file into the inbox."""
    path = inbox / district / extract / school_year / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
