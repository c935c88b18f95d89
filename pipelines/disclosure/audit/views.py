"""Attacks by people who know more than what is published: a person alone in a cell, a district, two districts together.

Each view is the same block of equations with some cells told; all views of one kind are decided at once, laid side by side.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pipelines.disclosure.audit.attack import (
    GIVEN_BACK,
    IMPOSSIBLE,
    SAFE,
    UNDECIDED,
    Clock,
    Decision,
    Problem,
    decide,
    some_tables,
)
from pipelines.disclosure.audit.system import CERTAIN, UNBOUNDED, Flags, Ints

_SMALL_BLOCK = 40
_ENTRIES_AT_ONCE = 150_000
_CONFIRMED = 500


@dataclass(frozen=True)
class Found:
    """A cell that a view gives back: the cell, what the attacker knows (a cell, or districts as codes), and the interval."""

    cell: int
    by: tuple[int, ...]
    lower: int
    upper: int


@dataclass(frozen=True)
class Seen:
    """What one kind of view found, how many cells it attacked, and the cells that were not decided in time."""

    found: tuple[Found, ...]
    n_attacks: int
    undecided: tuple[int, ...]


@dataclass(frozen=True)
class _Reduced:
    """The open cells and equations that are left after a decision; entries sorted by block."""

    rows: Ints
    cells: Ints
    signs: Ints
    row_lower: Ints
    row_upper: Ints
    entry_starts: Ints
    by_row: Ints
    row_starts: Ints


def _reduced(problem: Problem, decision: Decision) -> _Reduced:
    alive = problem.without_rows(decision.dropped)
    is_open = decision.block >= 0
    told = ~is_open[alive.cells]
    beside = np.bincount(alive.rows[told], (decision.lower[alive.cells] * alive.signs)[told], problem.n_rows).astype(np.int64)
    rows, cells, signs = alive.rows[~told], alive.cells[~told], alive.signs[~told]
    order = np.argsort(decision.block[cells], kind="stable")
    rows, cells, signs = rows[order], cells[order], signs[order]
    n_blocks = int(decision.block.max(initial=-1)) + 1
    by_row = np.argsort(rows, kind="stable")
    return _Reduced(
        rows=rows,
        cells=cells,
        signs=signs,
        row_lower=problem.row_lower - beside,
        row_upper=np.where(problem.row_upper >= UNBOUNDED, UNBOUNDED, problem.row_upper - beside),
        entry_starts=np.searchsorted(decision.block[cells], np.arange(n_blocks + 1)),
        by_row=by_row,
        row_starts=np.searchsorted(rows[by_row], np.arange(problem.n_rows + 1)),
    )


def _ragged(starts: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """(which range, element) for ranges given by start and size."""
    which = np.repeat(np.arange(len(starts)), sizes)
    before = np.repeat(np.cumsum(sizes) - sizes, sizes)
    return which, np.arange(len(which)) - before + np.repeat(starts, sizes)


@dataclass(frozen=True)
class _Copies:
    """Copies of blocks side by side: `view` and `original` of each new cell."""

    problem: Problem
    view: Ints
    original: Ints


def _copies(reduced: _Reduced, decision: Decision, view: Ints, entry: Ints, n_cells: int, n_rows: int) -> _Copies:
    cell_key, cell = np.unique(view * n_cells + reduced.cells[entry], return_inverse=True)
    row_key, row = np.unique(view * n_rows + reduced.rows[entry], return_inverse=True)
    original, original_row = cell_key % n_cells, row_key % n_rows
    made = Problem(
        rows=row.astype(np.int64),
        cells=cell.astype(np.int64),
        signs=reduced.signs[entry],
        row_lower=reduced.row_lower[original_row],
        row_upper=reduced.row_upper[original_row],
        strength=np.full(len(row_key), CERTAIN, dtype=np.int64),
        lower=decision.lower[original],
        upper=decision.upper[original],
    )
    return _Copies(made, cell_key // n_cells, original)


def singletons(
    problem: Problem,
    decision: Decision,
    targets: Flags,
    minimum: Ints,
    group: Ints,
    clock: Clock,
    progress: Callable[[str], None],
) -> Seen:
    """Every hidden count that may be 1, known to the one person it counts: what that gives back of other counts.

    `group`: cells that count the same group of people in several releases have the same number.
    """
    is_open = decision.block >= 0
    usable = targets & is_open & (decision.verdict == SAFE)
    single = np.flatnonzero(usable & (decision.lower <= 1) & (decision.upper >= 1))
    _, first = np.unique(decision.same[single], return_index=True)
    single = single[np.sort(first)]
    if not len(single):
        return Seen((), 0, ())
    reduced = _reduced(problem, decision)
    size = np.bincount(decision.block[is_open])
    small = size[decision.block[single]] <= _SMALL_BLOCK
    found: list[Found] = []
    late: list[int] = []
    n_attacks = 0
    # Large blocks: the equations of the cell itself, with what is known of their other cells; then the whole block to confirm.
    near_found: list[Found] = []
    portions = [
        (is_small, part)
        for is_small, cells in ((True, single[small]), (False, single[~small]))
        for part in _portions(cells, reduced, decision, is_small=is_small)
    ]

    def attacked(portion: tuple[bool, Ints]) -> tuple[list[Found], int, list[int]]:
        is_small, part = portion
        if clock.is_over:
            return [], 0, part.tolist()
        return _told_one(problem, decision, reduced, part, targets, minimum, group, clock, is_small=is_small)

    # The solver lets other threads run.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for (is_small, _), (some, n, undecided) in zip(portions, pool.map(attacked, portions), strict=True):
            n_attacks += n
            late += undecided
            (found if is_small else near_found).extend(some)
    progress(f"Singletons: {len(single)} cells known to one person, {n_attacks} attacks")
    for doubt in _first_of_each(near_found)[:_CONFIRMED]:
        if clock.is_over:
            late.append(doubt.cell)
            continue
        part = np.array(doubt.by, dtype=np.int64)
        only = np.zeros(len(targets), dtype=np.bool_)
        only[doubt.cell] = True
        some, _, undecided = _told_one(problem, decision, reduced, part, only, minimum, group, clock, is_small=True)
        found += some
        late += undecided
    late += [doubt.cell for doubt in _first_of_each(near_found)[_CONFIRMED:]]
    return Seen(tuple(_first_of_each(found)), n_attacks, tuple(dict.fromkeys(late)))


def _first_of_each(found: Sequence[Found]) -> list[Found]:
    kept: dict[int, Found] = {}
    for one in found:
        kept.setdefault(one.cell, one)
    return list(kept.values())


def _portions(cells: Ints, reduced: _Reduced, decision: Decision, *, is_small: bool) -> list[Ints]:
    if not len(cells):
        return []
    if is_small:
        block = decision.block[cells]
        cost = reduced.entry_starts[block + 1] - reduced.entry_starts[block]
    else:
        cost = np.full(len(cells), 200, dtype=np.int64)
    cut = np.cumsum(cost) // _ENTRIES_AT_ONCE
    return [cells[cut == k] for k in np.unique(cut)]


def _told_one(
    problem: Problem,
    decision: Decision,
    reduced: _Reduced,
    cells: Ints,
    targets: Flags,
    minimum: Ints,
    group: Ints,
    clock: Clock,
    *,
    is_small: bool,
) -> tuple[list[Found], int, list[int]]:
    if is_small:
        block = decision.block[cells]
        starts = reduced.entry_starts[block]
        view, entry = _ragged(starts, reduced.entry_starts[block + 1] - starts)
    else:
        own = np.argsort(reduced.cells, kind="stable")
        at = np.searchsorted(reduced.cells[own], cells)
        until = np.searchsorted(reduced.cells[own], cells, side="right")
        which, position = _ragged(at, until - at)
        rows = reduced.rows[own[position]]
        inner, place = _ragged(reduced.row_starts[rows], reduced.row_starts[rows + 1] - reduced.row_starts[rows])
        view, entry = which[inner], reduced.by_row[place]
    copies = _copies(reduced, decision, view, entry, problem.n_cells, problem.n_rows)
    made = copies.problem
    own_cell = decision.same[copies.original] == decision.same[cells[copies.view]]
    made = replace(made, lower=np.where(own_cell, 1, made.lower), upper=np.where(own_cell, 1, made.upper))
    # His group in another release is still his.
    is_his = own_cell | (group[copies.original] == group[cells[copies.view]])
    wanted = targets[copies.original] & ~is_his & ~_contained(made, is_his) & (decision.verdict[copies.original] == SAFE)
    # Whoever is in one count may be in others too: that a count is at least 1 tells him nothing about anybody else.
    result = decide(
        made,
        wanted,
        minimum[copies.original],
        clock,
        blocks=copies.view,
        wanted_intervals=0,
        only_points=True,
    )
    # Who is alone in a count cannot be told from the published files: only a small number given back to the last unit is held
    # against a release, since it would be so whoever that person is.
    is_one = (result.lower == result.upper) & (result.lower >= 1) & (result.upper < minimum[copies.original])
    # Whoever is alone in a count that contains his own learns of nobody.
    is_himself = (result.lower == 1) & _contained(made, is_his, upwards=True)
    bad = np.flatnonzero(wanted & (result.verdict == GIVEN_BACK) & is_one & ~is_himself)
    found = [
        Found(int(copies.original[k]), (int(cells[copies.view[k]]),), int(result.lower[k]), int(result.upper[k])) for k in bad
    ]
    late = copies.original[wanted & (result.verdict == UNDECIDED)]
    return found, int(wanted.sum()), np.unique(late).tolist()


def _contained(problem: Problem, own: Flags, *, upwards: bool = False) -> Flags:
    """Cells contained in those of `own`: a person alone in a count is alone, or not there, in each of them.

    `upwards`: those that contain them instead.
    """
    whole = -1 if upwards else 1
    n_entries = np.bincount(problem.rows, minlength=problem.n_rows)
    balance = np.bincount(problem.rows, problem.signs, problem.n_rows)
    is_equal = ((n_entries == 2) & (balance == 0) & (problem.row_lower == 0) & (problem.row_upper == 0))[problem.rows]
    inside = own.copy()
    while True:
        giving = inside[problem.cells] & ((problem.signs * whole > 0) | is_equal)
        rows = np.zeros(problem.n_rows, dtype=np.bool_)
        rows[problem.rows[giving]] = True
        taking = rows[problem.rows] & ((problem.signs * whole < 0) | is_equal) & ~inside[problem.cells]
        if not taking.any():
            return inside & ~own
        inside[problem.cells[taking]] = True


def districts(
    problem: Problem, decision: Decision, targets: Flags, minimum: Ints, district: Ints, together: int, clock: Clock
) -> Seen:
    """What `together` districts that pool their own numbers learn about counts of others.

    Only blocks that several districts share can tell. What a district knows is not published: it is taken from tables that fit
    the release, one with every count as large as possible and one in which those who attack count as few as possible. A cell is
    given back when it is so in both, or when it is down to one number that may be a small one.
    """
    is_open = decision.block >= 0
    usable = np.flatnonzero(is_open & (district > 0))
    pairs = np.unique(np.stack([decision.block[usable], district[usable]], axis=1), axis=0)
    n_there = np.bincount(pairs[:, 0]) if len(pairs) else np.zeros(0, dtype=np.int64)
    found: list[Found] = []
    late: list[int] = []
    n_attacks = 0
    if not (n_there > 1).any():
        return Seen((), 0, ())
    reduced = _reduced(problem, decision)
    for block in np.flatnonzero(n_there > 1).tolist():
        there = pairs[pairs[:, 0] == block, 1].tolist()
        own = np.flatnonzero(decision.block == block)
        if clock.is_over:
            late += own[targets[own]].tolist()
            continue
        views = [view for view in combinations(there, together) if together < len(there) or (district[own] == 0).any()]
        entry = np.arange(reduced.entry_starts[block], reduced.entry_starts[block + 1])
        copies = _copies(reduced, decision, np.zeros(len(entry), dtype=np.int64), entry, problem.n_cells, problem.n_rows)
        small = minimum[copies.original]
        fine: dict[tuple[tuple[int, ...], int], bool | None] = {}
        known: dict[tuple[tuple[int, ...], int], tuple[int, int]] = {}
        for view in views:
            is_theirs = np.isin(district[copies.original], view)
            wanted = targets[copies.original] & ~is_theirs & (decision.verdict[copies.original] == SAFE)
            n_attacks += int(wanted.sum())
            for table in some_tables(copies.problem, small, is_theirs, clock):
                told = replace(
                    copies.problem,
                    lower=np.where(is_theirs, table, copies.problem.lower),
                    upper=np.where(is_theirs, table, copies.problem.upper),
                )
                result = decide(told, wanted, small, clock, blocks=np.zeros(told.n_cells, dtype=np.int64), wanted_intervals=0)
                for k in np.flatnonzero(wanted).tolist():
                    key = (view, int(copies.original[k]))
                    is_point = result.lower[k] == result.upper[k] and decision.lower[copies.original[k]] < small[k]
                    if result.verdict[k] in (UNDECIDED, IMPOSSIBLE):
                        fine.setdefault(key, None)
                    elif result.verdict[k] == SAFE and not is_point:
                        fine[key] = True
                    elif fine.get(key) is None:
                        fine[key] = False
                        known[key] = (int(result.lower[k]), int(result.upper[k]))
            for k in np.flatnonzero(wanted).tolist():
                fine.setdefault((view, int(copies.original[k])), None)
        found += [Found(key[1], key[0], *known[key]) for key, is_fine in fine.items() if is_fine is False]
        late += [key[1] for key, is_fine in fine.items() if is_fine is None]
    return Seen(tuple(_first_of_each(found)), n_attacks, tuple(dict.fromkeys(late)))
