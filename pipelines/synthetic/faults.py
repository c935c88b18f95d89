"""Faults put into deliveries on purpose: which file, what is spoiled in it, and the rule that must find it.

A spoiled file is delivered before the right one, so that every number arrives in the end. Faults that are no errors, only
unusual, stay as they are and are acknowledged. Which file of which district has which fault stands in
`data_contracts/synthetic_faults.csv`. The right rows come from the parts; how a file looks does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl

from pipelines.synthetic.model import SCHOOL_YEARS, SyntheticNetworkError

Key = tuple[str, str, str]
FIRST_LINE_OF_ROWS = 2
CUT_SHORT = 0.15
# Whole-file rules ask for this many rows before they say that a column was copied.
ROWS_FOR_COPY = 20
# Numbers of tutoring below this may change as they like.
STEADY_FROM = 50
ABOUT = (
    "planted_faults: one entry for each fault in a delivered file: lines are the lines of that file which the rule must name "
    "(none where it speaks of the whole file), n the rows that are spoiled; is_corrected says that a right file follows."
)


@dataclass(frozen=True)
class Spoiled:
    """Rows with a fault: positions of the rows that a rule must name (None: of the file as a whole), rows spoiled."""

    rows: pl.DataFrame
    positions: tuple[int, ...] | None
    n: int


# From the right rows of the file and those of the year before (none in the first year).
Spoil = Callable[[pl.DataFrame, pl.DataFrame], Spoiled | None]


@dataclass(frozen=True)
class Fault:
    """A kind of fault of one extract; `spoil` gives None where the rows are too few for it."""

    rule_id: str
    what: str
    spoil: Spoil


def _alone(function: Callable[..., Spoiled | None], *arguments: Any) -> Spoil:
    """A way to spoil rows that looks at nothing beside them."""
    return lambda rows, _: function(*arguments, rows)


def _spread(rows: pl.DataFrame, n: int, condition: pl.Expr) -> list[int]:
    """Up to `n` positions of rows that fulfil `condition`, spread over the file."""
    fitting = rows.select(pl.arg_where(condition)).to_series().to_list()
    step = max(1, len(fitting) // n)
    return [int(position) for position in fitting[step // 2 :: step][:n]]


def _at(positions: list[int]) -> pl.Expr:
    return pl.int_range(pl.len()).is_in(positions)


def _change(condition: pl.Expr, n: int, changed: Mapping[str, pl.Expr], rows: pl.DataFrame) -> Spoiled | None:
    """Put other values into a few rows."""
    positions = _spread(rows, n, condition)
    if not positions:
        return None
    new = [pl.when(_at(positions)).then(value).otherwise(name).alias(name) for name, value in changed.items()]
    return Spoiled(rows.with_columns(new), tuple(positions), len(positions))


def _repeat_row(part: str, rows: pl.DataFrame) -> Spoiled | None:
    """One row twice, the second time with another number."""
    positions = _spread(rows, 1, pl.col(part) >= 1)
    if not positions:
        return None
    at = positions[0]
    again = rows[at : at + 1].with_columns(pl.col(part) + 1)
    return Spoiled(pl.concat([rows[: at + 1], again, rows[at + 1 :]]), (at, at + 1), 1)


def _lose_zeros(rows: pl.DataFrame) -> Spoiled | None:
    """School ids without their leading zeros, as a workbook leaves them."""
    bare = rows.with_columns(pl.col("school_id").str.strip_chars_start("0"))
    altered = (bare["school_id"] != rows["school_id"]).arg_true()
    return Spoiled(bare, (int(altered[0]),), len(altered)) if len(altered) else None


def _add_total(rows: pl.DataFrame) -> Spoiled | None:
    """The district's own total below the schools."""
    total = rows.select(
        pl.lit("TOTAL").alias("school_id"),
        *[pl.col(n).sum() for n in rows.columns if n.startswith("n_") and not n.endswith("_symbol")],
    )
    return Spoiled(pl.concat([rows, total], how="diagonal"), (rows.height,), 1)


def _send_school_twice(rows: pl.DataFrame) -> Spoiled | None:
    """A school under a second id."""
    again = rows[:1].with_columns(pl.col("school_id") + "B", pl.lit(None, pl.String).alias("nces_school_id"))
    return Spoiled(pl.concat([rows, again]), (rows.height,), 1)


def _copy_whole(part: str, whole: str, rows: pl.DataFrame) -> Spoiled | None:
    """The column of the whole in the place of a part."""
    n = rows.filter(pl.col(whole) > 0).height
    return Spoiled(rows.with_columns(pl.col(whole).alias(part)), None, rows.height) if n >= ROWS_FOR_COPY else None


def _cut_short(rows: pl.DataFrame) -> Spoiled | None:
    """A file without its last rows."""
    kept = int(rows.height * (1 - CUT_SHORT))
    return Spoiled(rows[:kept], None, rows.height - kept) if rows.height >= ROWS_FOR_COPY else None


def _empty_column(name: str, rows: pl.DataFrame) -> Spoiled | None:
    """A column without any value."""
    return Spoiled(rows.with_columns(pl.lit(None, rows.schema[name]).alias(name)), None, rows.height)


def _rename_column(name: str, wrong: str, rows: pl.DataFrame) -> Spoiled | None:
    """A column under a misspelled name; the header is what the rule names."""
    return Spoiled(rows.rename({name: wrong}), (1 - FIRST_LINE_OF_ROWS,), rows.height)


def _write_thousands(name: str, rows: pl.DataFrame) -> Spoiled | None:
    """Numbers written with a comma, as a workbook shows them."""
    text = pl.col(name).cast(pl.String)
    with_comma = rows.with_columns(text.str.replace(r"^(\d+)(\d{3})$", "$1,$2").alias(name))
    positions = rows.select(pl.arg_where(pl.col(name) >= 1000)).to_series().to_list()
    return Spoiled(with_comma, tuple(positions), len(positions)) if positions else None


def _cut_to_a_third(name: str, part: str, key: Sequence[str], rows: pl.DataFrame, before: pl.DataFrame) -> Spoiled | None:
    """A third of the number in some rows that had enough in the year before."""
    past = before.select(*key, pl.col(name).alias("past"))
    with_past = rows.join(past, on=key, how="left", maintain_order="left")
    is_noticed = (pl.col("past") >= STEADY_FROM) & (2 * (pl.col(name) // 3) < pl.col("past"))
    thirds = {name: pl.col(name) // 3, part: pl.col(part) // 3}
    spoiled = _change(is_noticed, 4, thirds, with_past)
    return spoiled and replace(spoiled, rows=spoiled.rows.drop("past"))


FAULTS: Mapping[str, Fault] = {
    "misspelled_code": Fault(
        "MS-S-CODE",
        "the coach model is written scool",
        _alone(_change, pl.col("coach_model") == "school", 3, {"coach_model": pl.lit("scool")}),
    ),
    "cut_to_a_third": Fault(
        "TD-Q-COUNT-CHANGED",
        "students of one term of three alone are counted",
        partial(_cut_to_a_third, "n_scheduled", "n_adequate", ("school_id", "program")),
    ),
    "lost_zeros": Fault("TD-M-ZEROS-LOST", "school ids lost their leading zeros", _alone(_lose_zeros)),
    "part_over_whole": Fault(
        "SL-V-PART-OVER-WHOLE",
        "more leaders completed learning than there are",
        _alone(_change, pl.col("n_leaders") > 0, 2, {"n_leaders_math_learning": pl.col("n_leaders") + 1}),
    ),
    "misnamed_column": Fault(
        "OB-S-COLUMN-MISSING",
        "the column n_lessons is called n_lesson",
        _alone(_rename_column, "n_lessons", "n_lesson"),
    ),
    "repeated_row": Fault(
        "MU-V-KEY-DUPLICATE",
        "one row stands there twice, with two numbers",
        _alone(_repeat_row, "n_eligible"),
    ),
    "emptied_column": Fault(
        "AO-M-COLUMN-EMPTIED",
        "the passing rule is blank throughout",
        _alone(_empty_column, "pass_rule"),
    ),
    "cut_short": Fault(
        "MI-M-ROWS-FEWER",
        "the last 15 % of the rows are missing",
        _alone(_cut_short),
    ),
    "levels_off": Fault(
        "AL-V-LEVELS-SUM",
        "ten students too many at level 1",
        _alone(_change, pl.col("n_level_1").is_not_null(), 3, {"n_level_1": pl.col("n_level_1") + 10}),
    ),
    "total_row": Fault("SL-M-SCHOOL-UNKNOWN", "a row of totals below the schools", _alone(_add_total)),
    "missing_symbol": Fault(
        "PL-S-SYMBOL-MISSING",
        "numbers are blank without a reason",
        _alone(_change, pl.col("n_teachers_10h").is_not_null(), 5, {"n_teachers_10h": pl.lit(None, pl.Int64)}),
    ),
    "thousands_comma": Fault(
        "SC-S-TYPE",
        "thousands are written with a comma",
        _alone(_write_thousands, "n_audience"),
    ),
    "copied_column": Fault(
        "TD-M-PART-COPIED",
        "students scheduled stand in the column of adequate ones",
        _alone(_copy_whole, "n_adequate", "n_scheduled"),
    ),
    "more_rated_than_seen": Fault(
        "OB-V-PART-OVER-WHOLE",
        "more lessons are rated 3 or 4 than were seen",
        _alone(_change, pl.col("n_lessons") > 0, 3, {"n_rated_3_4": pl.col("n_lessons") + 2}),
    ),
    "school_sent_twice": Fault(
        "SD-Q-NAME-TWICE",
        "one school stands there under two ids",
        _alone(_send_school_twice),
    ),
}


def file_stem(district: str, extract: str, school_year: str) -> str:
    """The first part of the name of a delivered file."""
    return f"{district}_{extract}_{school_year}"


def spoil(extracts: Mapping[Key, pl.DataFrame], planted: pl.DataFrame) -> tuple[dict[Key, pl.DataFrame], list[dict[str, Any]]]:
    """The rows as they are first delivered, by district, extract and year, and what the truth says about them.

    `planted`: district, extract, school_year, fault (a key of FAULTS). Raises SyntheticNetworkError for an unknown fault.
    """
    faulty, entries = {}, []
    for row in planted.iter_rows(named=True):
        key, fault = (row["district"], row["extract"], row["school_year"]), FAULTS.get(row["fault"])
        if fault is None:
            raise SyntheticNetworkError(f"there is no fault {row['fault']!r}; the faults are {', '.join(FAULTS)}")
        rows = extracts.get(key)
        spoiled = None if rows is None else fault.spoil(rows, _year_before(extracts, key))
        if spoiled is not None:
            faulty[key] = spoiled.rows
            entries.append(_entry(key, fault.rule_id, fault.what, spoiled.positions or (), spoiled.n, True))
    return faulty, entries


def _year_before(extracts: Mapping[Key, pl.DataFrame], key: Key) -> pl.DataFrame:
    """The rows of the same extract in the year before; none where there is no such year."""
    district, extract, school_year = key
    earlier = SCHOOL_YEARS[max(0, SCHOOL_YEARS.index(school_year) - 1)]
    return extracts[key].clear() if earlier == school_year else extracts.get((district, extract, earlier), extracts[key].clear())


def unusual(extracts: Mapping[Key, pl.DataFrame], programs: pl.DataFrame) -> list[dict[str, Any]]:
    """Entries of what is planted and right, only unusual: cohorts outside the band of teachers per leader of `programs`."""
    band = programs.select(
        pl.col("code").alias("program_id"),
        pl.col("teachers_per_leader_low").cast(pl.Float64).alias("low"),
        pl.col("teachers_per_leader_high").cast(pl.Float64).alias("high"),
    )
    entries = []
    for key, rows in extracts.items():
        if key[1] != "program_reach":
            continue
        ratio = pl.col("n_teachers_supported") / pl.col("n_leaders_trained")
        of_band = rows.join(band, on="program_id", how="left", maintain_order="left")
        outside = of_band.select(pl.arg_where(~ratio.is_between("low", "high") & (pl.col("n_leaders_trained") > 0))).to_series()
        if len(outside):
            what = "a leader supports fewer or more teachers than the programme's band says"
            entries.append(_entry(key, "RE-Q-TEACHERS-PER-LEADER", what, tuple(outside.to_list()), len(outside), False))
    return entries


def _entry(key: Key, rule_id: str, what: str, positions: tuple[int, ...], n: int, is_corrected: bool) -> dict[str, Any]:
    district, extract, school_year = key
    return {
        "district": district,
        "extract": extract,
        "school_year": school_year,
        "file": f"{file_stem(*key)}.csv",
        "rule_id": rule_id,
        "what": what,
        "n": n,
        "lines": [int(position) + FIRST_LINE_OF_ROWS for position in positions],
        "is_corrected": is_corrected,
    }
