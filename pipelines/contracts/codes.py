"""Code lists: the values that districts, grades, subgroups, instruments and the like may take.

One list is one csv file in `data_contracts/codes/`, all text; its first column is `code`, its second `label`. What a rule
does with a code does not belong here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl


class UnknownCodeList(KeyError):
    """A contract names a code list that `data_contracts/codes/` does not hold."""


@cache
def _read(path: Path, _modified: int) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def code_list(contracts_folder: Path, name: str) -> pl.DataFrame:
    """The code list `name`, all columns text. Raises UnknownCodeList."""
    path = contracts_folder / "codes" / f"{name}.csv"
    if not path.is_file():
        raise UnknownCodeList(f"there is no code list {name!r} in {path.parent.name}/")
    return _read(path, path.stat().st_mtime_ns)


def codes(contracts_folder: Path, name: str) -> tuple[str, ...]:
    """The codes of one list in the order of the file. Raises UnknownCodeList."""
    return tuple(code_list(contracts_folder, name)["code"])


def labels_of_codes(contracts_folder: Path) -> pl.DataFrame:
    """Every code of every list (list, code, label, sort_order); the order of a list without one is that of its file."""
    lists = []
    for name in code_list_names(contracts_folder):
        table = code_list(contracts_folder, name).with_row_index("place", offset=1)
        order = pl.col("sort_order" if "sort_order" in table.columns else "place").cast(pl.Int64)
        lists.append(table.select(pl.lit(name).alias("list"), "code", "label", order.alias("sort_order")))
    return pl.concat(lists)


def code_list_names(contracts_folder: Path) -> tuple[str, ...]:
    """Names of all code lists, sorted."""
    return tuple(sorted(path.stem for path in (contracts_folder / "codes").glob("*.csv")))
