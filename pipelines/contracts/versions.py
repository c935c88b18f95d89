"""Which version of a contract a delivery's column names follow, and how they are read in today's contract.

What each version changed stands in the contract itself. Rows and values do not belong here, only names.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.contracts.contract import Contract, ContractChange

UNAVAILABLE = "x"
LOOKS_ALIKE = 0.7


@dataclass(frozen=True)
class ColumnReading:
    """How the column names of one delivery are read in today's contract.

    `sources`: contract column to delivered column. `filled`: columns that were added since, with the text that they get.
    `dropped`: delivered columns that the contract had once. `older_version`: the version that the names follow, None for
    today's. `crossed`: the changes since then that made a difference, oldest first.
    """

    sources: Mapping[str, str]
    filled: Mapping[str, str | None]
    dropped: frozenset[str]
    older_version: str | None
    crossed: tuple[ContractChange, ...]


def read_columns(names: Sequence[str], contract: Contract) -> ColumnReading:
    """Read delivered column names by the version that explains them best, the latest where several do equally.

    A name that only another version knows is read by that version. A column that was added later and is absent is filled
    with its default, or left blank and its symbol column filled with `x`; it stays absent when it is needed and has no
    default, when others that were added with it are there, and when an unknown name looks like it.
    """
    last = len(contract.changes)
    followed = min(range(last, -1, -1), key=lambda index: _distance(names, contract, index))
    sources: dict[str, str] = {}
    dropped: set[str] = set()
    crossed: dict[int, int] = {}
    for index in dict.fromkeys((followed, *range(last, -1, -1))):
        known = contract.layouts[index].names
        for name in names:
            if name not in known or name in dropped or name in sources.values():
                continue
            today, touched = _name_today(contract, name, index)
            if today is None:
                dropped.add(name)
            elif today in sources or (today in names and today not in known):
                continue  # the file has this column under its newer name too
            else:
                sources[today] = name
            crossed |= {change: min(index, crossed.get(change, index)) for change in touched}
    unknown = [name for name in names if name not in sources.values() and name not in dropped]
    filled: dict[str, str | None] = {}
    for index in range(followed, last):
        added = _filled_by(contract, index, sources, unknown)
        filled |= added
        crossed |= {index: min(followed, crossed.get(index, followed))} if added else {}
    return ColumnReading(
        sources=sources,
        filled=filled,
        dropped=frozenset(dropped),
        older_version=contract.layouts[min(crossed.values())].version if crossed else None,
        crossed=tuple(contract.changes[index] for index in sorted(crossed)),
    )


def follows_contract(names: Sequence[str], contract: Contract) -> bool:
    """Whether column names are meant as the contract's own: at least half of those that some version needs are there.

    Upper and lower case count as equal here, so that a misspelled header is found for what it is.
    """
    given = {name.lower() for name in names}
    needed = [
        {name.lower() for name in layout.names if not _is_symbol(contract, name, index)}
        for index, layout in enumerate(contract.layouts)
    ]
    return any(2 * len(layout & given) >= len(layout) for layout in needed)


def _distance(names: Sequence[str], contract: Contract, index: int) -> int:
    """How many names a version does not know, and how many of its columns are not there; symbol columns may be absent."""
    known = contract.layouts[index].names
    absent = [name for name in known.difference(names) if not _is_symbol(contract, name, index)]
    return len(set(names) - known) + len(absent)


def _name_today(contract: Contract, name: str, layout: int) -> tuple[str | None, list[int]]:
    """What a column of one layout is called today (None: removed), and which changes touched it since."""
    touched: list[int] = []
    for index, change in enumerate(contract.changes[layout:], start=layout):
        if name in change.removed:
            return None, [*touched, index]
        newer = next((new for new, old in change.renamed.items() if old == name), None)
        if newer is not None:
            name = newer
            touched.append(index)
    return name, touched


def _is_symbol(contract: Contract, name: str, layout: int) -> bool:
    today = _name_today(contract, name, layout)[0]
    return name.endswith("_symbol") if today is None else contract.by_name[today].symbol_for is not None


def _filled_by(contract: Contract, index: int, sources: Mapping[str, str], unknown: Sequence[str]) -> dict[str, str | None]:
    """The columns, under today's names, that one change added and that a delivery from before it is given."""
    change = contract.changes[index]
    added = {_name_today(contract, name, index + 1)[0]: change.defaults.get(name) for name in change.added}
    columns = [column for column in contract.columns if column.name in added and column.symbol_for is None]
    if any(column.name in sources or _looks_like_one_of(column.name, unknown) for column in columns):
        return {}
    filled = {c.name: added[c.name] for c in columns if added[c.name] is not None or not c.is_required}
    for symbol in contract.columns:
        if symbol.symbol_for in filled and symbol.name not in sources:
            reason = None if filled[symbol.symbol_for] is not None else UNAVAILABLE
            filled[symbol.name] = added.get(symbol.name) or reason
    return filled


def _looks_like_one_of(name: str, others: Sequence[str]) -> bool:
    return bool(difflib.get_close_matches(name.lower(), [other.lower() for other in others], n=1, cutoff=LOOKS_ALIKE))
