"""Small contract-shaped files for tests, written by hand."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import yaml

from pipelines.settings import PROJECT_ROOT

DIRECTORY = (
    "school_id,nces_school_id,school_name,school_level,low_grade,high_grade,is_charter,in_scope,network_id,predecessor_school_ids,n_enrolled,"
    "n_enrolled_in_scope,n_low_income,n_english_learner,n_disability"
)


def directory_csv(n_schools: int = 3, n_enrolled: int = 300, school_year: str | None = None) -> bytes:
    """A school directory in which nothing is wrong; with `school_year` every row says its year."""
    year = f",{school_year}" if school_year else ""
    rows = [
        f"{i:03d},,School {i},elementary,K,5,false,true,north,,{n_enrolled + i},{n_enrolled},{n_enrolled // 2},40,30{year}"
        for i in range(1, n_schools + 1)
    ]
    return "\n".join([DIRECTORY + (",school_year" if school_year else ""), *rows, ""]).encode()


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


SMALL, LARGE = "SD-Q-SMALL", "SD-M-LARGE"
RULES = {
    SMALL: (
        "Q",
        "SELECT row_id, 'n_enrolled' AS field, CAST(n_enrolled AS VARCHAR) AS value, 'only ' || n_enrolled AS message "
        "FROM extract WHERE n_enrolled < 50",
    ),
    LARGE: (
        "M",
        "SELECT NULL AS row_id, 'n_enrolled' AS field, CAST(n AS VARCHAR) AS value, 'in all ' || n AS message "
        "FROM (SELECT CAST(SUM(n_enrolled) AS BIGINT) AS n FROM extract) AS total WHERE n > 5000",
    ),
}


def contracts_with_own_rules(parent: Path) -> Path:
    """The project's contracts, with two rules of one's own in place of the plausibility rules that the directory has today."""
    folder = parent / "data_contracts"
    shutil.copytree(PROJECT_ROOT / "data_contracts", folder)
    path = folder / "extracts" / "school_directory.odcs.yaml"
    document = yaml.safe_load(path.read_text())
    quality = document["schema"][0]["quality"]
    kept = [entry for entry in quality if "-Q-" not in entry["id"] and "-M-" not in entry["id"]]
    for rule_id, (tier, query) in RULES.items():
        kept.append(
            {
                **{"id": rule_id, "name": rule_id, "description": "Unusual.", "businessImpact": "It may be a slip."},
                "implementation": {"kwargs": {"unexpected_rows_query": query}},
                "customProperties": [
                    {"property": "tier", "value": tier},
                    {"property": "version", "value": "1.0.0"},
                    {"property": "fields", "value": ["n_enrolled"]},
                    {"property": "howToFix", "value": "Look again."},
                ],
            }
        )
    document["schema"][0]["quality"] = kept
    path.write_text(yaml.safe_dump(document))
    return folder


def sized(*sizes: int) -> bytes:
    """A directory whose schools have these numbers of students."""
    header, *rows = directory_csv(len(sizes), 4).decode().splitlines()
    cells = [row.split(",") for row in rows]
    return "\n".join(
        [header, *(",".join([*c[:10], str(n), "4", "2", "0", "0"]) for c, n in zip(cells, sizes, strict=True)), ""]
    ).encode()
