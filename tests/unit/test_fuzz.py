"""Thousands of damaged files through reading, mapping and checking: always findings in words, never an exception or a trace.

Files are damaged by hypothesis, the same on every run. An example holds several files, which are screened side by side,
because workbooks and Parquet files are read in processes of their own.
"""

from __future__ import annotations

import io
import random
import re
import shutil
import time
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.intake.checking import FINDING_SCHEMA
from pipelines.intake.reading import DeliveredFile, ReadingLimits
from pipelines.intake.screening import Screening, screen
from pipelines.intake.states import ACKNOWLEDGEMENTS_NEEDED, CORRECTIONS_NEEDED, READY, UNREADABLE
from pipelines.settings import PROJECT_ROOT
from tests.deliveries import directory_csv, levels_csv

CONTRACTS = PROJECT_ROOT / "data_contracts"
LIMITS = ReadingLimits(max_bytes=2_000_000, max_rows=2_000, max_columns=200, max_expanded_bytes=20_000_000, max_sheets=10)
SECONDS = 30.0
# What a terminal obeys or nobody can see: control, format, surrogate, line and paragraph separators.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
Damage = Callable[[random.Random, bytes], bytes]


@dataclass(frozen=True)
class Delivery:
    """Bytes under a name, for one contract."""

    name: str
    content: bytes
    district: str
    extract: str
    school_year: str

    def __repr__(self) -> str:
        return f"Delivery({self.name!r}, {self.content[:3_000]!r} of {len(self.content)}, {self.district!r}, {self.extract!r})"


NATIVE = (
    "DBN,Grade,Year,Category,Number Tested,Mean Scale Score,Level 1 #,Level 1 %,Level 2 #,Level 2 %,Level 3 #,Level 3 %,"
    "Level 4 #,Level 4 %,Level 3+4 #,Level 3+4 %\n"
    "01M015,3,2011,All Students,39,667,2,5.1,11,28.2,20,51.3,6,15.4,26,66.7\n"
    '01M015,4,2011,All Students,"1,031",672,2,6.5,3,9.7,22,71,4,12.9,26,83.9\n'
    "01M019,All Grades,2011,All Students,4,s,s,s,s,s,s,s,s,s,s,s\n"
)
LEVELS = levels_csv(
    {("001", "3", "all"): (4, 11, 20, 6), ("001", "3", "female"): (2, 5, 9, 3), ("002", "8", "all"): (9, 8, 7, 5)},
    "pa_pssa_math_2015",
)
TEXTS = (
    Delivery("directory.csv", directory_csv(6), "philadelphia", "school_directory", "2024-25"),
    Delivery("levels.csv", LEVELS, "philadelphia", "assessment_levels", "2024-25"),
    Delivery("native.csv", NATIVE.encode(), "new_york_city", "assessment_levels", "2010-11"),
)

# --- damage ---

ODD = [
    *["\x00", '"', '""', ",", ";", "\t", "|", "\n", "\r", "\r\n", "\x1a", "\x1b[31m", "\u202e", "\u2028", "\x07", "\ufeff"],
    *["=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+1", "-", "<script>alert(1)</script>", "<html><table>", "{{7*7}}", "'; --"],
    *["1e308", "-1e999", "9" * 400, "0.1" * 30, "NaN", "Infinity", "0x1F", "１２", "-1", "1,138", "12.0", "<10", "≥95", "†", "*"],
    *["ñ", "名", "🙂", "e\u0301", "\x85", "../../etc/passwd", "C:\\x", "$school_year", "%s%n", "A" * 70_000, " " * 500, "NA"],
    *["school_id", "delivered_row", "*", "^.*$", "row_id", "district", "school_year", "2024-25", "true", "null", "sep=;\n"],
]


def flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def insert(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.randint(1, 3)):
        place = rng.randint(0, len(data))
        data = data[:place] + rng.choice(ODD).encode() + data[place:]
    return data


def cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def delete(rng: random.Random, data: bytes) -> bytes:
    first = rng.randint(0, len(data))
    return data[:first] + data[first + rng.randint(0, 60) :]


def repeat(rng: random.Random, data: bytes) -> bytes:
    first = rng.randint(0, len(data))
    return data[:first] + data[first : first + rng.randint(1, 200)] * rng.randint(2, 40) + data[first:]


def swap_cell(rng: random.Random, data: bytes) -> bytes:
    """One field replaced by something odd."""
    cells = re.split(rb"([,\n])", data)
    cells[rng.randrange(0, len(cells), 2)] = rng.choice(ODD).encode()
    return b"".join(cells)


def spoil_header(rng: random.Random, data: bytes) -> bytes:
    header, end, rest = data.partition(b"\n")
    names = header.split(b",")
    place = rng.randrange(len(names))
    names[place] = rng.choice(
        [b"", names[0], names[place].upper(), b" " + names[place], names[place][:3], rng.choice(ODD).encode()]
    )
    if rng.random() < 0.3:
        rng.shuffle(names)
    return b",".join(names) + end + rest


def retype(rng: random.Random, data: bytes) -> bytes:
    """Another character set, separator, line end or title."""
    text = data.decode("utf-8", "replace")
    change = rng.randrange(6)
    if change == 0:
        return text.encode("utf-16")
    if change == 1:
        return text.encode("cp1252", "replace")
    if change == 2:
        return text.encode("utf-8-sig")
    if change == 3:
        return text.replace(",", rng.choice(";\t|^~: ")).encode()
    if change == 4:
        return text.replace("\n", rng.choice(["\r\n", "\r", "\n\n"])).encode()
    return (rng.choice(ODD) + "\nA title, with a comma\n\n").encode() + data


TEXT_DAMAGE: list[Damage] = [flip, insert, cut, delete, repeat, swap_cell, swap_cell, spoil_header, retype]
RAW_DAMAGE: list[Damage] = [flip, insert, cut, delete, repeat]
ENDINGS = ["csv", "tsv", "txt", "xlsx", "xls", "parquet", "zip", "pdf", "", "csv\x1b[2J", "c\u202esv"]


def renamed(rng: random.Random, delivery: Delivery) -> Delivery:
    if rng.random() < 0.2:
        return replace(delivery, name=f"{delivery.name.partition('.')[0]}.{rng.choice(ENDINGS)}")
    return delivery


def damaged_text(rng: random.Random) -> Delivery:
    delivery = rng.choice(TEXTS)
    content = delivery.content
    for damage in rng.choices(TEXT_DAMAGE, k=rng.choice([1, 1, 2, 3])):
        content = damage(rng, content)
    return renamed(rng, replace(delivery, content=content))


def cells_of(delivery: Delivery) -> list[list[str]]:
    return [line.split(",") for line in delivery.content.decode().splitlines()]


def odd_rows(rng: random.Random, delivery: Delivery) -> list[list[str]]:
    """The cells of a small text, a few of them replaced, sometimes below titles."""
    rows = cells_of(delivery)
    for _ in range(rng.randint(0, 3)):
        row = rng.choice(rows)
        row[rng.randrange(len(row))] = rng.choice(ODD)
    return [["A title"], [], *rows] if rng.random() < 0.2 else rows


def new_workbook(rng: random.Random, rows: Sequence[Sequence[str]]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": rng.random() < 0.5}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for _ in range(rng.choice([1, 1, 1, 3])):
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if rng.random() < 0.01:
                        sheet.write_formula(number, column, "=1/0", None, rng.choice(["#DIV/0!", "x", 7]))
                    elif rng.random() < 0.01:
                        sheet.write_number(number, column, rng.choice([-1e307, 1e-307, 45_000.5, 2.0**53]), day)
                    elif cell:
                        sheet.write(number, column, cell[:32_000])
    return buffer.getvalue()


def operated(rng: random.Random, content: bytes) -> bytes:
    """A workbook with a part dropped, doubled, renamed, emptied or damaged, packed again so that its sums are right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        likely = [name for name in names if "sheet" in name or "workbook.xml" in name or "haredStrings" in name]
        victim = rng.choice(likely if rng.random() < 0.8 else names)
        change = rng.randrange(8)
        for name in names:
            part = old.read(name)
            if name == victim and change < 5:
                part = rng.choice(RAW_DAMAGE)(rng, part)
            elif name == victim and change == 5:
                part = re.sub(rb'(<v>|t="|r="|s=")\d*', rb"\g<1>" + str(rng.choice([-1, 10**9, "", "XFD1048577"])).encode(), part)
            elif name == victim and change == 6:
                continue
            elif name == victim:
                name = rng.choice([name.upper(), f"../{name}", f"/{name}", name + "\x00x", "x" * 300])  # noqa: PLW2901
            new.writestr(name, part)
    return buffer.getvalue()


def old_workbook(rows: Sequence[Sequence[str]]) -> bytes:
    buffer, book = io.BytesIO(), xlwt.Workbook()
    sheet = book.add_sheet("S")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell:
                sheet.write(number, column, cell[:1_000])
    book.save(buffer)
    return buffer.getvalue()


def parquet(rng: random.Random, rows: Sequence[Sequence[str]]) -> bytes:
    header, *body = rows
    columns = []
    for position in range(len(header)):
        values = [row[position] if position < len(row) else None for row in body]
        numbers = [float(value) if value and re.fullmatch(r"\d{1,15}", value) else None for value in values]
        columns.append(pa.array(rng.choice([values, values, numbers, [None] * len(values), [[1]] * len(values)])))
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, names=list(header)), buffer, compression=rng.choice(["snappy", "zstd", "none"]))
    return buffer.getvalue()


def damaged_table(rng: random.Random) -> Delivery:
    """A workbook or Parquet file: odd cells, parts operated on, bytes damaged, a name that lies."""
    delivery = rng.choice(TEXTS)
    rows = odd_rows(rng, delivery)
    kind = rng.choice(["xlsx", "xlsx", "xls", "parquet"])
    if kind == "xlsx":
        content = new_workbook(rng, rows)
        content = operated(rng, content) if rng.random() < 0.6 else content
    elif kind == "xls":
        content = old_workbook(rows)
    else:
        content = parquet(rng, [row for row in rows if len(row) > 1])
    if rng.random() < (0.2 if kind == "xlsx" else 0.6):
        content = rng.choice(RAW_DAMAGE)(rng, content)
    return renamed(rng, replace(delivery, name=f"a.{kind}", content=content))


# --- what always holds ---


class Place(NamedTuple):
    """An empty home and working folder beside the contracts, and what came of the files that were screened."""

    folder: Path
    contracts: Path
    outcomes: Counter[str]
    rules: Counter[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("fuzz")
    contracts = tmp_path_factory.mktemp("contracts") / "data_contracts"
    shutil.copytree(CONTRACTS, contracts)
    before = contents(contracts)
    with pytest.MonkeyPatch.context() as patch:
        (folder / "working").mkdir()
        patch.chdir(folder / "working")
        patch.setenv("NMIP_HOME", str(folder / "home"))
        yield Place(folder, contracts, Counter(), Counter())
    assert contents(contracts) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def screened(delivery: Delivery, contracts: Path) -> tuple[Screening, float]:
    file, started = DeliveredFile(delivery.name, delivery.content), time.monotonic()
    screening = screen([file], contracts, delivery.district, delivery.extract, delivery.school_year, LIMITS)
    return screening, time.monotonic() - started


def require_sound(screenings: Sequence[tuple[Screening, float]], place: Place) -> None:
    for screening, seconds in screenings:
        assert seconds < SECONDS
        findings = screening.findings
        assert dict(findings.schema) == FINDING_SCHEMA
        tiers = set(findings["tier"])
        assert tiers <= {"S", "V", "Q", "M"}
        if screening.outcome == UNREADABLE:
            assert findings.height == 1
            assert findings["rule_id"][0].startswith("READ-")
            assert screening.rows.is_empty()
        elif screening.outcome == CORRECTIONS_NEEDED:
            assert tiers & {"S", "V"}
        elif screening.outcome == ACKNOWLEDGEMENTS_NEEDED:
            assert tiers
            assert not tiers & {"S", "V"}
        else:
            assert screening.outcome == READY
            assert not tiers
        for finding in findings.head(300).iter_rows(named=True):
            assert finding["file"]
            for words in (finding["message"], finding["how_to_fix"]):
                assert words
                assert words.strip() == words
                assert not any(unicodedata.category(c) in UNSEEN for c in words), words
                assert len(words) < 3_000
        for account in (screening.lines, screening.row_counts):
            assert account["in"] == account["used"] + sum(account["dropped"].values())
        assert all(isinstance(note, str) and note for note in screening.notes)
        place.outcomes[screening.outcome] += 1
        place.rules.update(set(findings["rule_id"]))
    assert list(place.folder.rglob("*")) == [place.folder / "working"]


SETTINGS = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def several(make: Callable[[random.Random], Delivery], count: int) -> st.SearchStrategy[list[Delivery]]:
    return st.randoms(use_true_random=True).map(lambda rng: [make(rng) for _ in range(count)])


@settings(SETTINGS, max_examples=60)
@given(deliveries=several(damaged_text, 8))
def test_damaged_texts(place: Place, deliveries: list[Delivery]) -> None:
    with ThreadPoolExecutor(2) as pool:
        require_sound(list(pool.map(screened, deliveries, [place.contracts] * len(deliveries))), place)


@settings(SETTINGS, max_examples=12)
@given(deliveries=several(damaged_table, 6))
def test_damaged_workbooks_and_parquet_files(place: Place, deliveries: list[Delivery]) -> None:
    with ThreadPoolExecutor(2) as pool:
        require_sound(list(pool.map(screened, deliveries, [place.contracts] * len(deliveries))), place)


def test_the_damage_reached_every_part(place: Place) -> None:
    """The tests above would pass if every file were refused at the door."""
    assert sum(place.outcomes.values()) >= 552
    assert set(place.outcomes) >= {UNREADABLE, CORRECTIONS_NEEDED}
    assert place.outcomes[UNREADABLE] < 0.8 * sum(place.outcomes.values())
    assert len([rule for rule in place.rules if rule.startswith("READ-")]) >= 12
    assert len([rule for rule in place.rules if not rule.startswith("READ-")]) >= 20
