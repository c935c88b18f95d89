"""What readers of earlier releases already know, and what a new release may therefore change.

A value that an earlier release shows, unchanged, is known whatever is hidden now; what an earlier release hides stays hidden.
Where counts changed by fewer people than the minimum, two releases together would show these few: a whole table that changed so
little is held as it was published; a value that did so in a table that changed more is hidden. Suppression itself does not
belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipelines.release.folder import VALUE_KEY

CONFIDENTIAL, IN_RANGE = "c", "r"
PROTECTED = (CONFIDENTIAL, IN_RANGE)
# On a value that the sender withheld; without it `c` means that the release hides it.
WITHHELD = "withheld_by_sender"
_EVIDENCE = ("numerator", "denominator", "n")
# Counts are whole people, hours and positions are not: two sums of the same may differ in their last digits.
_CLOSE = 1e-6
# Values that are published or held together.
_TABLE = ("district", "school_year", "family")


@dataclass(frozen=True)
class Known:
    """About each value, in the order of the table: shape (values,).

    `hidden`: an earlier release hides it. `ranged`: one shows it as a range, `same_range`: of as many people as now. `same`: an
    earlier release tells what would be told now, so that hiding it protects nothing. `moved`: an earlier release shows it with a
    count of people that differs by fewer than the minimum. `held`: it belongs to a table that stays as it was published last.
    `told`: by release the number of people and the numerator that it tells, nan where it does not.
    """

    hidden: NDArray[np.bool_]
    ranged: NDArray[np.bool_]
    same_range: NDArray[np.bool_]
    same: NDArray[np.bool_]
    moved: NDArray[np.bool_]
    held: NDArray[np.bool_]
    told: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]


def families(counts: pl.DataFrame) -> pl.DataFrame:
    """Indicators that share a count, directly or through others: indicator_id, family (a number)."""
    pairs = counts.filter(pl.col("of") != "nothing").select("indicator_id", "count").unique(maintain_order=True)
    every = counts["indicator_id"].unique(maintain_order=True).to_frame().with_row_index("place")
    named = pairs.join(every, on="indicator_id").with_columns((pl.col("count").rank("dense") - 1).alias("number"))
    n = every.height + int(named["number"].max() or 0) + 1  # type: ignore[arg-type]
    rows, columns = named["place"].to_numpy(), named["number"].to_numpy() + every.height
    _, label = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n)), directed=False)
    return every.select("indicator_id", pl.Series("family", label[: every.height].astype(np.int64)))


def known_from(values: pl.DataFrame, counts: pl.DataFrame, minimum: pl.DataFrame, earlier: Sequence[pl.DataFrame]) -> Known:
    """What the indicator values of earlier releases (oldest first) tell about `values`, which are not protected yet.

    `minimum`: `district`, `minimum_n`.
    """
    n = values.height
    hidden, ranged, same_range, same, moved, held = (np.zeros(n, bool) for _ in range(6))
    if not earlier:
        return Known(hidden, ranged, same_range, same, moved, held, ())
    numbers = []
    least = values.join(minimum, on="district", how="left", maintain_order="left", nulls_equal=True)["minimum_n"]
    m = least.fill_null(minimum["minimum_n"].max()).to_numpy()
    people = counts.filter(role="denominator").group_by("indicator_id").agg(pl.col("of").is_in(["students", "adults"]).any())
    of_people = values.join(people, on="indicator_id", how="left", maintain_order="left")["of"].fill_null(value=False).to_numpy()
    of_parts = (values["unit"] == "share").fill_null(value=False).to_numpy()
    for published in earlier:
        was = _was(values, published)
        told = was["known"].fill_null(value=False).to_numpy()
        is_hidden = was["symbol_then"].is_in(PROTECTED).fill_null(value=False).to_numpy()
        withheld = was["flags_then"].str.contains(WITHHELD, literal=True).fill_null(value=False).to_numpy()
        was_shown = told & was["symbol_then"].is_null().to_numpy()
        is_ranged = (was["symbol_then"] == IN_RANGE).fill_null(value=False).to_numpy()
        # A range tells how many people there are, so their number is known from it too.
        tells_size = was_shown | is_ranged
        (size, size_then), (part, part_then) = _sizes_and_parts(was)
        numbers.append((np.where(tells_size, size_then, np.nan), np.where(was_shown, part_then, np.nan)))
        with np.errstate(invalid="ignore"):
            change = np.stack([np.abs(now - then) for now, then in _counts_of(was, of_parts)])
            few = tells_size & of_people & ((change > _CLOSE) & (change < m)).any(axis=0)
            much = tells_size & of_people & (change >= m).any(axis=0)
        hidden |= is_hidden & ~is_ranged & ~withheld
        ranged |= is_ranged
        with np.errstate(invalid="ignore"):
            is_size, is_part = np.abs(size - size_then) < _CLOSE, np.abs(part - part_then) < _CLOSE
        same_range |= is_ranged & is_size
        same |= same_range | (was_shown & is_size & is_part)
        moved |= few
    # The last one in the loop is the latest: what it says decides whether a table is held.
    latest = earlier[-1]
    is_new = ~told & values["symbol"].is_null().to_numpy()
    came = told & was["symbol_then"].is_not_null().to_numpy() & ~is_hidden & values["symbol"].is_null().to_numpy()
    table = values.join(families(counts), on="indicator_id", how="left", maintain_order="left").select(*_TABLE)
    judged = table.with_columns(pl.Series("few", few), pl.Series("much", much | is_new | came | _lost(values, latest, table)))
    verdict = judged.select((pl.col("few").any() & ~pl.col("much").any()).over(_TABLE, mapping_strategy="group_to_rows"))
    held = verdict.to_series().fill_null(value=False).to_numpy()
    return Known(hidden, ranged, same_range, same, moved, held, tuple(numbers))


def _counts_of(was: pl.DataFrame, of_parts: NDArray[np.bool_]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Sizes now and then; numerators, and people outside them, where they are counts of people."""
    sizes, (part, part_then) = _sizes_and_parts(was)
    parts = np.where(of_parts, part, np.nan), np.where(of_parts, part_then, np.nan)
    return [sizes, parts, (sizes[0] - parts[0], sizes[1] - parts[1])]


def _sizes_and_parts(was: pl.DataFrame) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Denominators (or n) and numerators, each now and then; nan where there is none."""
    size, part = (
        [was.select(one).to_series().cast(pl.Float64).to_numpy() for one in both]
        for both in (
            [pl.coalesce(f"denominator{end}", pl.col(f"n{end}").cast(pl.Float64)) for end in ("", "_then")],
            [pl.col(f"numerator{end}") for end in ("", "_then")],
        )
    )
    return [(size[0], size[1]), (part[0], part[1])]


def _was(values: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """Every value with what a release says of it, under names ending in `_then`."""
    then = published.select(
        *VALUE_KEY,
        *(pl.col(name).alias(f"{name}_then") for name in (*_EVIDENCE, "symbol", "flags")),
        pl.lit(value=True).alias("known"),
    )
    return values.join(then, on=list(VALUE_KEY), how="left", nulls_equal=True, maintain_order="left")


def _lost(values: pl.DataFrame, published: pl.DataFrame, table: pl.DataFrame) -> NDArray[np.bool_]:
    """Values of a table (district, year, family) from which a value that was published is gone."""
    gone = published.filter(pl.col("symbol").is_null()).join(values, on=list(VALUE_KEY), how="anti", nulls_equal=True)
    by_indicator = values.select("indicator_id", "district", "school_year").hstack(table.select("family"))
    of = (
        gone.select("indicator_id", "district", "school_year")
        .unique()
        .join(by_indicator.unique(), on=["indicator_id", "district", "school_year"], how="inner")
    )
    marked = table.join(
        of.select(*_TABLE).unique().with_columns(pl.lit(value=True).alias("lost")),
        on=list(_TABLE),
        how="left",
        maintain_order="left",
    )
    return marked["lost"].fill_null(value=False).to_numpy()


def held_rows(
    table: pl.DataFrame | None, latest: pl.DataFrame | None, key: Sequence[str], minimum: pl.DataFrame
) -> pl.DataFrame | None:
    """A table beside the values, with the rows of the latest release where a number of people changed by fewer than the minimum.

    Also where nothing changed in number and something else did: then a few people are not the same.
    """
    if table is None or latest is None or not {*table.columns} <= {*latest.columns} or not table.height:
        return table
    people = [name for name in table.columns if (name == "n" or name.startswith("n_")) and "schools" not in name]
    numbers = [name for name in table.columns if name not in key]
    then = latest.select(*key, *(pl.col(name).cast(table.schema[name]).alias(f"{name}_then") for name in numbers))
    # A folder that was altered may tell a row twice; it must not make two of one here.
    then = then.unique(list(key), keep="first", maintain_order=True)
    both = table.join(then, on=list(key), how="left", nulls_equal=True, maintain_order="left")
    both = both.join(minimum, on="district", how="left", nulls_equal=True, maintain_order="left")
    least = pl.col("minimum_n").fill_null(minimum["minimum_n"].max())
    change = [(pl.col(name) - pl.col(f"{name}_then")).abs() for name in people]
    few = pl.any_horizontal(((one > 0) & (one < least)).fill_null(value=False) for one in change)
    none = pl.all_horizontal((one == 0).fill_null(value=False) for one in change)
    other = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_then")) for name in numbers)
    is_held = few | (none & other)
    return both.select(
        pl.when(is_held).then(pl.col(f"{name}_then")).otherwise(pl.col(name)).alias(name) if name in numbers else pl.col(name)
        for name in table.columns
    )


def held_values(values: pl.DataFrame, held: NDArray[np.bool_], counts: pl.DataFrame, latest: pl.DataFrame) -> pl.DataFrame:
    """The rows of the latest release for the tables that are held."""
    family = families(counts)
    tables = values.filter(pl.Series(held)).join(family, on="indicator_id", how="left").select(*_TABLE).unique()
    return latest.join(family, on="indicator_id", how="left").join(tables, on=list(_TABLE), how="semi").select(latest.columns)
