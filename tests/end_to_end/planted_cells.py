"""Two districts with small groups whose numbers are unmistakable, the places where they may be, and a search for them elsewhere.

What is planted is written down here by hand; what the warehouse derives from it (intervals, standard errors, values of the
planted schools) is read from its own unprotected tables, so that the search looks for what is really there.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tests.deliveries import DIRECTORY, levels_csv

YEAR = "2024-25"
N_ORDINARY = 8


@dataclass(frozen=True)
class Plant:
    """What is planted in one district.

    `small`: students of a small group at the four levels in grade 4, all in the planted school. `few_below`: those of a large
    group in grade 5, of whom only the first two numbers are few, so that the number of all the others must not be told either.
    """

    district: str
    instrument: str
    school: str
    small: tuple[int, int, int, int]
    few_below: tuple[int, int, int, int]

    @property
    def n_all_but_few(self) -> int:
        return sum(self.few_below[2:])


PLANTS = (
    Plant("chicago", "il_iar_math_2025", "ZQX-0417", (7, 3, 2, 1), (1, 2, 803, 791)),
    Plant("houston", "tx_staar_math_2023", "QVK-0932", (8, 3, 5, 1), (2, 1, 701, 593)),
)
SMALL, LARGE = "american_indian", "english_learner"


def directory(plant: Plant) -> bytes:
    """A school directory: eight ordinary schools and the planted one."""
    places = [
        (f"{i:03d}", *(("north", "elementary", "5") if i % 2 else ("south", "elementary_middle", "8")))
        for i in range(1, N_ORDINARY + 1)
    ]
    places.append((plant.school, "north", "elementary", "5"))
    rows = [
        f"{school},,School {school},{level},K,{last},false,true,{network},,9000,9000,4000,3000,900"
        for school, network, level, last in places
    ]
    return "\n".join([DIRECTORY, *rows, ""]).encode()


def levels(plant: Plant, more: int = 0) -> bytes:
    """Students at levels; `more` students at the lowest level of every ordinary group make a second delivery."""
    counts: dict[tuple[str, str, str], tuple[int, ...]] = {}
    for i in range(1, N_ORDINARY + 1):
        for grade, n in (("3", 61), ("4", 67), ("5", 71)):
            counts[f"{i:03d}", grade, "all"] = (n + i + more, 83 - i, 59 + 2 * i, 43)
    counts[plant.school, "4", "all"] = (157, 149, 139, 131)
    counts[plant.school, "4", SMALL] = plant.small
    counts[plant.school, "5", "all"] = tuple(n + 211 for n in plant.few_below)
    counts[plant.school, "5", LARGE] = plant.few_below
    return levels_csv(counts, plant.instrument, n_enrolled_extra=40)


def faulty_levels(plant: Plant) -> bytes:
    """The same with small groups that do not add up: every finding is about a planted number."""
    header, *rows = list(csv.reader(io.StringIO(levels(plant).decode())))
    n_tested = header.index("n_tested")
    for row in rows:
        if row[header.index("subgroup")] in (SMALL, LARGE):
            row[n_tested] = str(int(row[n_tested]) + 1)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


# --- what the warehouse derives from them ---

_NUMBERS = ("value", "standard_error", "lower", "upper")


def is_planted(plant: Plant) -> pl.Expr:
    """The values of the district that rest on its small group, or that count the few of its large one or all the others."""
    few = [*plant.few_below[:2], sum(plant.few_below[:2]), plant.n_all_but_few]
    is_few = pl.col("numerator").is_in([float(n) for n in few])
    return (
        (pl.col("indicator_id") == "OC4")
        & (pl.col("district") == plant.district)
        & (
            ((pl.col("subgroup") == SMALL) & (pl.col("grade") == "4"))
            | ((pl.col("subgroup") == LARGE) & (pl.col("grade") == "5") & is_few)
        )
    )


def derived(marts: pl.DataFrame, plant: Plant) -> list[float]:
    """Shares, intervals and errors of what is planted, and of its school, that belong to nothing that may be shown.

    `marts`: every value of the warehouse, before protection. Only numbers of many digits: they cannot be met by chance.
    """
    of_school = (pl.col("unit_type") == "school") & (pl.col("unit_id") == plant.school)
    is_ours = is_planted(plant) | of_school
    ours, others = (
        {float(x) for name in _NUMBERS for x in part[name].drop_nulls() if _is_long(x)}
        for part in (marts.filter(is_ours), marts.filter(~is_ours & (pl.col("unit_type") == "district")))
    )
    return sorted(ours - others)


def _is_long(number: float) -> bool:
    return len(repr(abs(number)).replace(".", "").lstrip("0")) >= 10


# --- the search ---

_SPACE = "[\\s\u00a0\u202f\u2009]?"
# Ids and digests are random and long: what is in them means nothing.
_RANDOM = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|(?<![\w.])[0-9a-f]{12,}\b|\bpid:? ?\d+")


class Needles:
    """What is planted in one district, as it would look wherever it turned up. `numbers`: what `derived` gives."""

    def __init__(self, plant: Plant, numbers: list[float] | None = None) -> None:
        n, groups = sum(plant.small), [(x, sum(plant.small)) for x in plant.small[:2]]
        of_few = [(x, sum(plant.few_below)) for x in (*plant.few_below[:2], plant.n_all_but_few)]
        self.numbers = pl.Series([x / m for x, m in (*groups, *of_few)] + (numbers or []), dtype=pl.Float64)
        self.counts = [plant.n_all_but_few]
        pairs, percent = (*groups, *of_few), 100 * plant.small[0] / n
        # Each with a part that it must hold, which is looked for first: large files are searched for many numbers.
        spelled = {re.escape(plant.school): plant.school[-4:]}
        for x, m in pairs:
            spelled[rf"(?<![\w.]){_whole(x)}{_SPACE}(?:of|out of|/){_SPACE}{_whole(m)}(?!\w)"] = f"{m % 1000}"
        spelled |= {rf"(?<![\w.,]){_whole(x)}(?![\w%])": f"{x % 1000:03d}" for x in self.counts}
        # The largest level of the small group in percent, to one digit or two.
        spelled |= {rf"(?<![\w.]){said}{_SPACE}%": said for said in (f"{percent:.1f}", f"{percent:.2f}")}
        long = [_seven_digits(scale * x) for x in self.numbers if _is_long(x) for scale in (1, 100)]
        spelled |= {rf"(?<![\w.]){re.escape(said)}\d*": said for said in long}
        self._spelled = [(part, re.compile(pattern, re.IGNORECASE)) for pattern, part in spelled.items()]

    def in_text(self, text: str) -> list[str]:
        """Everything planted that a text says."""
        if not any(part in text for part, _ in self._spelled):
            return []
        told = _RANDOM.sub("#", text)
        return [found.group() for part, pattern in self._spelled if part in told for found in pattern.finditer(told)]

    def in_table(self, table: pl.DataFrame) -> list[str]:
        """Everything planted that a table holds: numbers as numbers (as shares or in percent), everything else as text."""
        found = []
        for column in table.iter_columns():
            if column.dtype.is_float():
                for scale in (1.0, 100.0):
                    near = column.cast(pl.Float64).round(9).is_in((self.numbers * scale).round(9).implode())
                    found += [f"{column.name}: {x}" for x in column.filter(near)]
            if column.dtype.is_numeric():
                same = column.cast(pl.Float64).is_in([float(x) for x in self.counts])
                found += [f"{column.name}: {x}" for x in column.filter(same)]
            else:
                is_text = not column.dtype.is_nested() and column.dtype not in (pl.Binary, pl.Object)
                texts = column.cast(pl.String).drop_nulls().unique() if is_text else map(_as_json, column.to_list())
                found += [f"{column.name}: {said}" for text in texts for said in self.in_text(text)]
        return found

    def in_file(self, path: Path) -> list[str]:
        """Everything planted that a file says, whatever it is: table, database, archive or text."""
        content = path.read_bytes()
        if path.suffix == ".parquet":
            return self.in_table(pl.read_parquet(path, hive_partitioning=False))
        if content.startswith(b"SQLite format 3\0"):
            return [said for text in _rows_of(path) for said in self.in_text(text)]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                texts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
            return [said for text in texts for said in self.in_text(text)]
        return self.in_text(content.decode("utf-8", "replace"))


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _whole(number: int) -> str:
    """A whole number as it may be written, with or without a sign between the thousands."""
    return str(number) if number < 1000 else rf"{number // 1000}(?:,|{_SPACE}){number % 1000:03d}"


def _seven_digits(number: float) -> str:
    """The beginning of a number as any program would write it out: seven significant digits, cut and not rounded."""
    text = f"{abs(number):.15f}"
    first = next(i for i, c in enumerate(text) if c not in "0.")
    return text[: first + 7 + ("." in text[first : first + 7])]


def _rows_of(path: Path) -> Iterator[str]:
    """Every row of every table of an SQLite database, as text."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        database.text_factory = lambda content: content.decode("utf-8", "replace")
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):
                yield " ".join(c.decode("utf-8", "replace") if isinstance(c, bytes) else str(c) for c in row)
