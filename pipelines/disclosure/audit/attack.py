"""What an attacker can conclude about whole numbers from bounds and linear equations.

For every target cell one of four: safe, given back, undecided when time ran out, or impossible (the block of equations has no
solution). A cell is safe only where a table of whole numbers that fits everything (a witness) or a bound proves it. Bounds
alone are exact where equations and unknowns form no cycle, because all coefficients are 1 or -1; elsewhere HiGHS decides.
Does not belong here: what the numbers mean.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csgraph

from pipelines.disclosure.audit.system import CERTAIN, SAME_EVERYWHERE, UNBOUNDED, WHOLE, Flags, Ints

SAFE, GIVEN_BACK, UNDECIDED, IMPOSSIBLE = 0, 1, 2, 3
_PASSES = 400
_REPAIRS = 8
_CHUNK = 3000  # unknowns solved together
_ROUNDS = 8
_SOLVE_SECONDS = 60.0
_CLOSE = 1e-6
# An interval that begins above nobody and below the minimum says that there is somebody. Where it reaches so many times the
# minimum, hardly anybody would think of a small group.
_WIDE = 3
_EXACT_INTERVALS = 200  # given-back cells of cyclic blocks whose interval is worked out to the last unit
Floats = npt.NDArray[np.float64]


@dataclass
class Clock:
    """The time that an audit may take; None means as long as it needs."""

    seconds: float | None = None
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds left; infinite where there is no deadline."""
        return np.inf if self.seconds is None else self.seconds - (time.monotonic() - self.started)

    @property
    def is_over(self) -> bool:
        return self.left() <= 0

    @property
    def spent(self) -> float:
        return time.monotonic() - self.started


@dataclass(frozen=True)
class Problem:
    """Bounds of unknowns and equations `row_lower <= sum of signed unknowns <= row_upper` in long form."""

    rows: Ints
    cells: Ints
    signs: Ints
    row_lower: Ints
    row_upper: Ints
    strength: Ints
    lower: Ints
    upper: Ints

    @property
    def n_rows(self) -> int:
        return len(self.row_lower)

    @property
    def n_cells(self) -> int:
        return len(self.lower)

    def without_rows(self, gone: Flags) -> Problem:
        """The same with the rows of `gone` always true."""
        kept = ~gone[self.rows]
        return replace(self, rows=self.rows[kept], cells=self.cells[kept], signs=self.signs[kept])


@dataclass(frozen=True)
class Decision:
    """What was found for every cell of a problem: verdict and outer bounds (exact where `is_exact`)."""

    verdict: Ints
    lower: Ints
    upper: Ints
    is_exact: Flags
    block: Ints  # connected unknowns share a number; -1 where one value is left
    same: Ints  # cells that equations make equal share a number
    reason: Ints  # the equation that last narrowed the cell; -1 for none
    n_contradictions: int
    dropped: Flags  # equations that contradicted the rest
    n_blocks: int
    seconds: float


def decide(
    problem: Problem,
    targets: Flags,
    minimum: Ints,
    clock: Clock,
    *,
    blocks: Ints | None = None,
    wanted_intervals: int = _EXACT_INTERVALS,
    only_points: bool = False,
) -> Decision:
    """Decide every target: its interval must reach `minimum`, and begin at 0, or at `minimum` or above, or reach
    three times the minimum.

    Args:
        problem: equations and bounds of all cells
        targets: the cells to decide
        minimum: the least number of people, by cell
        clock: what is not finished when it runs out stays UNDECIDED
        blocks: a number for each cell when the problem is made of many independent ones; then contradictions make a block
            IMPOSSIBLE instead of costing an equation
        wanted_intervals: how many given-back cells get exact intervals where that takes solving
        only_points: ask less: given back is only a number from 1 to below `minimum` that is known to the last unit
    """
    started = time.monotonic()
    decision = _decide(problem, targets, minimum, clock, blocks, wanted_intervals, only_points)
    static = connected(problem) if blocks is None else np.zeros(0, dtype=np.int64)
    for _ in range(_REPAIRS):
        again = (decision.verdict == IMPOSSIBLE) & (decision.block >= 0) & targets
        if blocks is not None or not again.any():
            break
        gone = decision.dropped | _elastic(problem, decision, np.unique(decision.block[again]), clock)
        if gone.sum() == decision.dropped.sum():
            break
        touched = (static >= 0) & np.isin(static, np.unique(static[again]))
        outside = np.ones(problem.n_rows, dtype=np.bool_)
        outside[problem.rows[touched[problem.cells]]] = False
        piece = problem.without_rows(gone | outside)
        decision = _spliced(
            decision,
            _decide(piece, targets & touched, minimum, clock, blocks, wanted_intervals, only_points),
            touched,
            gone,
        )
    if blocks is None:
        # No table fits a block even now: what an attacker believes of it is not known, so nothing there is called safe.
        decision = replace(decision, verdict=np.where(decision.verdict == IMPOSSIBLE, UNDECIDED, decision.verdict))
    return replace(decision, seconds=time.monotonic() - started)


def _spliced(old: Decision, new: Decision, touched: Flags, gone: Flags) -> Decision:
    """The old decision with the cells of `touched` as the new one has them."""
    dropped = old.dropped | new.dropped | gone
    return Decision(
        verdict=np.where(touched, new.verdict, old.verdict),
        lower=np.where(touched, new.lower, old.lower),
        upper=np.where(touched, new.upper, old.upper),
        is_exact=np.where(touched, new.is_exact, old.is_exact),
        block=np.where(touched, np.where(new.block >= 0, new.block + old.n_blocks, -1), old.block),
        same=np.where(touched, new.same + int(old.same.max(initial=0)) + 1, old.same),
        reason=np.where(touched, new.reason, old.reason),
        n_contradictions=int(dropped.sum()),
        dropped=dropped,
        n_blocks=old.n_blocks + new.n_blocks,
        seconds=old.seconds,
    )


def _decide(
    problem: Problem,
    targets: Flags,
    minimum: Ints,
    clock: Clock,
    blocks: Ints | None,
    wanted_intervals: int,
    only_points: bool,
) -> Decision:
    started = time.monotonic()
    n = problem.n_cells
    narrowed = _narrowed(problem, blocks)
    of = narrowed.cell_of
    lower, upper = narrowed.lower[of], narrowed.upper[of]
    impossible = narrowed.is_impossible[of]
    parts = _Parts(narrowed)
    verdict = np.full(n, SAFE, dtype=np.int64)
    block = parts.block[of]
    exact = np.ones(n, dtype=np.bool_)
    if len(parts.is_cyclic):
        exact = (block < 0) | ~parts.is_cyclic[np.maximum(block, 0)]
    bad = (upper < minimum) | ((lower > 0) & (lower < minimum) & (upper < _WIDE * minimum))
    if only_points:
        bad = (lower == upper) & (lower > 0) & (upper < minimum)
    verdict[targets & exact & bad] = GIVEN_BACK
    verdict[impossible] = IMPOSSIBLE
    open_targets = targets & ~exact & ~impossible
    is_exact = exact.copy()
    if open_targets.any():
        m = np.zeros(parts.n, dtype=np.int64)
        np.maximum.at(m, of[open_targets], minimum[open_targets])
        wanted = np.zeros(parts.n, dtype=np.bool_)
        wanted[of[open_targets]] = True
        search = _Search(narrowed, parts, wanted, m, clock, only_points)
        search.run(wanted_intervals)
        verdict[open_targets] = search.verdict[of[open_targets]]
        lower, upper = search.lower[of], search.upper[of]
        is_exact |= search.is_exact[of]
        if search.impossible:
            verdict[np.isin(block, list(search.impossible))] = IMPOSSIBLE
    return Decision(
        verdict=verdict,
        lower=lower,
        upper=upper,
        is_exact=is_exact,
        block=block,
        same=of,
        reason=narrowed.reason[of],
        n_contradictions=int(narrowed.dropped.sum()),
        dropped=narrowed.dropped,
        n_blocks=len(parts.is_cyclic),
        seconds=time.monotonic() - started,
    )


def interval(problem: Problem, cell: int, clock: Clock | None = None) -> tuple[int, int] | None:
    """The exact interval of one cell (upper end `UNBOUNDED` where there is none); None when there is no solution.

    Raises:
        TimeoutError: the clock ran out first
    """
    clock = clock or Clock()
    narrowed = _narrowed(problem, np.zeros(problem.n_cells, dtype=np.int64))
    at = int(narrowed.cell_of[cell])
    if narrowed.is_impossible.any():
        return None
    parts = _Parts(narrowed)
    if parts.block[at] < 0 or not parts.is_cyclic[parts.block[at]]:
        return int(narrowed.lower[at]), int(narrowed.upper[at])
    piece = parts.piece([int(parts.block[at])])
    j = int(np.flatnonzero(piece.cells == at)[0])
    ends = []
    for sign in (1.0, -1.0):
        cost = np.zeros(len(piece.cells))
        cost[j] = sign
        found = _solve(piece, cost, integral=True, seconds=clock.left())
        if found.status == "impossible":
            return None
        if found.status == "unbounded":
            ends.append(UNBOUNDED)
        elif found.x is None or found.status != "best":
            raise TimeoutError("the interval was not found in time")
        else:
            ends.append(round(found.x[j]))
    return ends[0], ends[1]


def _kept(rows: Ints, decision: Decision) -> list[int]:
    return [int(row) for row in rows if not decision.dropped[row]]


def some_tables(problem: Problem, minimum: Ints, few: Flags, clock: Clock) -> Iterable[Ints]:
    """Tables that fit: one with all cells as large as twice the minimum where possible, one with the cells of `few` smallest."""
    n = problem.n_cells
    matrix = sparse.csr_array((problem.signs.astype(np.float64), (problem.rows, problem.cells)), shape=(problem.n_rows, n))
    piece = _Piece(
        cells=np.arange(n),
        matrix=matrix,
        row_lower=problem.row_lower.astype(np.float64),
        row_upper=np.where(problem.row_upper >= UNBOUNDED, np.inf, problem.row_upper).astype(np.float64),
        lower=problem.lower.astype(np.float64),
        upper=np.where(problem.upper >= UNBOUNDED // 2, np.inf, problem.upper).astype(np.float64),
        block=np.zeros(n, dtype=np.int64),
    )
    for found in (
        _solve(piece, np.zeros(n), integral=True, seconds=clock.left(), caps=(2 * minimum).astype(np.float64)),
        _solve(piece, few.astype(np.float64), integral=True, seconds=clock.left()),
    ):
        if found.x is not None:
            yield np.rint(found.x).astype(np.int64)


def explain(problem: Problem, decision: Decision, cell: int, most: int = 5) -> list[int]:
    """Equations behind what is known of a cell: back from the one that narrowed it last, or all of its own."""
    found: list[int] = []
    frontier, seen = [cell], {cell}
    while frontier and len(found) < most:
        at = frontier.pop(0)
        row = int(decision.reason[at])
        own = [row] if row >= 0 else ([] if found else _kept(problem.rows[problem.cells == at], decision))
        for one in own[: most - len(found)]:
            if one in found:
                continue
            found.append(one)
            for other in problem.cells[problem.rows == one].tolist():
                if other not in seen:
                    seen.add(other)
                    frontier.append(other)
    return found


# --- narrowing by bounds ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Narrowed:
    """A problem after equal cells became one, repeated equations one, and bounds were passed along until nothing changed."""

    problem: Problem
    cell_of: Ints
    lower: Ints
    upper: Ints
    reason: Ints  # original equation number
    row_number: Ints  # original equation number of each equation of `problem`
    dropped: Flags  # of the original equations
    is_impossible: Flags
    is_settled: bool  # false where passing bounds along was cut short


def _narrowed(problem: Problem, blocks: Ints | None) -> _Narrowed:
    dropped = np.zeros(problem.n_rows, dtype=np.bool_)
    if blocks is None:
        dropped = _broken_facts(problem)
        problem = problem.without_rows(dropped)
        # First with every connected block by itself, so that a contradiction costs only its own block another round.
        blocks = connected(problem)
        result = _narrowed(problem, blocks)
        if not result.is_impossible.any():
            return replace(result, dropped=result.dropped | dropped)
        for label in np.unique(blocks[result.is_impossible[result.cell_of] & (blocks >= 0)]).tolist():
            dropped |= _contradictions(problem, blocks == label)
    alive = problem.without_rows(dropped)
    while True:
        merged, cell_of, row_number, clash, broken = _merged(alive)
        if not clash.any():
            break
        dropped |= clash
        alive = problem.without_rows(dropped)
    made = np.full(merged.n_cells, -1, dtype=np.int64)
    np.maximum.at(made, cell_of, blocks)
    result_of = _passed_along(merged, made)
    impossible = result_of.is_impossible
    if len(broken):
        touched = np.isin(alive.rows, broken)
        impossible = impossible | np.isin(made, blocks[alive.cells[touched]][blocks[alive.cells[touched]] >= 0])
    reason = np.where(result_of.reason >= 0, row_number[np.maximum(result_of.reason, 0)] if len(row_number) else -1, -1)
    return _Narrowed(
        merged, cell_of, result_of.lower, result_of.upper, reason, row_number, dropped, impossible, result_of.is_settled
    )


def _broken_facts(problem: Problem) -> Flags:
    """Equations about told cells only that do not hold."""
    is_open = problem.lower < problem.upper
    n_open = np.bincount(problem.rows, is_open[problem.cells], problem.n_rows)
    told = np.bincount(problem.rows, problem.lower[problem.cells] * problem.signs, problem.n_rows)
    some = np.bincount(problem.rows, minlength=problem.n_rows) > 0
    broken: Flags = some & (n_open == 0) & ((told < problem.row_lower) | (told > problem.row_upper))
    return broken


def connected(problem: Problem) -> Ints:
    """A number for the connected block of every cell that is not told; -1 for told cells."""
    is_open = problem.lower < problem.upper
    used = is_open[problem.cells]
    n = problem.n_cells
    graph = sparse.coo_array(
        (np.ones(int(used.sum())), (problem.cells[used], n + problem.rows[used])), shape=(n + problem.n_rows,) * 2
    )
    _, label = csgraph.connected_components(graph, directed=False)
    return np.where(is_open, label[:n].astype(np.int64), -1)


def _contradictions(problem: Problem, block: Flags) -> Flags:
    """Equations to drop until bounds find no contradiction in the block of these cells any more."""
    dropped = np.zeros(problem.n_rows, dtype=np.bool_)
    own = np.zeros(problem.n_rows, dtype=np.bool_)
    own[problem.rows[block[problem.cells]]] = True
    used = own[problem.rows]
    number, row = np.unique(problem.rows[used], return_inverse=True)
    original, cell = np.unique(problem.cells[used], return_inverse=True)
    small = Problem(
        rows=row.astype(np.int64),
        cells=cell.astype(np.int64),
        signs=problem.signs[used],
        row_lower=problem.row_lower[number],
        row_upper=problem.row_upper[number],
        strength=problem.strength[number],
        lower=problem.lower[original],
        upper=problem.upper[original],
    )
    gone = np.zeros(small.n_rows, dtype=np.bool_)
    while True:
        alive = small.without_rows(gone)
        merged, cell_of, row_number, clash, broken = _merged(alive)
        if clash.any():
            gone |= clash
        elif len(broken):
            for one in broken.tolist():
                gone[_blamed(alive, cell_of, [one], set())] = True
        else:
            result = _passed_along(merged, None)
            if not result.conflicts:
                dropped[number[gone]] = True
                return dropped
            gone[_weakest(merged, result, row_number, alive, cell_of)] = True


def _merged(problem: Problem) -> tuple[Problem, Ints, Ints, Flags, Ints]:
    """Cells that an equation makes equal become one, told cells go to the right, of equations about the same cells one stays.

    Returns the smaller problem, the new number of each cell, the original number of each equation kept, equalities that
    cannot hold, and the original numbers of equations that no unknown is left in and that do not hold.
    """
    n_entries = np.bincount(problem.rows, minlength=problem.n_rows)
    balance = np.bincount(problem.rows, problem.signs, problem.n_rows)
    is_equal = (n_entries == 2) & (balance == 0) & (problem.row_lower == 0) & (problem.row_upper == 0)
    own = is_equal[problem.rows]
    order = np.argsort(problem.rows[own], kind="stable")
    pairs = problem.cells[own][order].reshape(-1, 2)
    n = problem.n_cells
    graph = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    n_made, cell_of = csgraph.connected_components(graph, directed=False)
    cell_of = cell_of.astype(np.int64)
    lower = np.zeros(n_made, dtype=np.int64)
    upper = np.full(n_made, UNBOUNDED, dtype=np.int64)
    np.maximum.at(lower, cell_of, problem.lower)
    np.minimum.at(upper, cell_of, problem.upper)
    clash = np.zeros(problem.n_rows, dtype=np.bool_)
    empty = lower > upper
    if empty.any():
        # Cells that equations make equal and that are published with different numbers: the weakest of those equations fall.
        equal_rows = np.flatnonzero(is_equal)
        cluster = cell_of[pairs[:, 0]]
        weakest = np.full(n_made, CERTAIN + 1, dtype=np.int64)
        np.minimum.at(weakest, cluster, problem.strength[equal_rows])
        clash[equal_rows[empty[cluster] & (problem.strength[equal_rows] == weakest[cluster])]] = True
        if not clash.any():
            raise ValueError("A cell has a lower bound above its upper bound.")
    rows, cells, signs = problem.rows[~own], cell_of[problem.cells[~own]], problem.signs[~own]
    rows, cells, signs = _added_up(rows, cells, signs, n_made)
    told = lower == upper
    told &= ~np.isin(np.arange(n_made), np.flatnonzero(empty))
    beside = np.bincount(rows[told[cells]], (lower[cells] * signs)[told[cells]], problem.n_rows).astype(np.int64)
    need, spare = problem.row_lower - beside, np.where(problem.row_upper >= UNBOUNDED, UNBOUNDED, problem.row_upper - beside)
    n_open = np.bincount(rows, ~told[cells], problem.n_rows)
    is_there = np.bincount(rows, minlength=problem.n_rows) > 0
    broken = np.flatnonzero(is_there & (n_open == 0) & ((need > 0) | (spare < 0)))
    rows, cells, signs = rows[~told[cells]], cells[~told[cells]], signs[~told[cells]]
    rows, kept, row_lower, row_upper = _different(rows, cells, signs, need, spare)
    chosen = rows >= 0
    made = Problem(rows[chosen], cells[chosen], signs[chosen], row_lower, row_upper, problem.strength[kept], lower, upper)
    return made, cell_of, kept, clash, broken


def _added_up(rows: Ints, cells: Ints, signs: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Entries of one equation about one cell added up (cells that became one may stand in an equation twice)."""
    place, at = np.unique(rows * n + cells, return_inverse=True)
    total = np.bincount(at, signs, len(place)).astype(np.int64)
    some = total != 0
    return place[some] // n, place[some] % n, total[some]


def _different(rows: Ints, cells: Ints, signs: Ints, need: Ints, spare: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Renumbered equations without repetitions: (new row of each entry or -1, kept row numbers, their bounds)."""
    present = np.unique(rows)
    if not len(present):
        nothing = np.zeros(0, dtype=np.int64)
        return rows, nothing, nothing, nothing
    marks = np.random.default_rng(20260107).integers(1, 2**62, size=(2, int(cells.max()) + 1))
    index = np.searchsorted(present, rows)
    starts = np.flatnonzero(np.concatenate([[True], index[1:] != index[:-1]]))
    seals = np.stack([np.add.reduceat(mark[cells] * signs, starts) for mark in marks], axis=1)
    _, first, same = np.unique(seals, axis=0, return_index=True, return_inverse=True)
    same = same.reshape(-1)
    row_lower = np.full(len(first), -UNBOUNDED, dtype=np.int64)
    row_upper = np.full(len(first), UNBOUNDED, dtype=np.int64)
    np.maximum.at(row_lower, same, need[present])
    np.minimum.at(row_upper, same, spare[present])
    is_first = np.zeros(len(present), dtype=np.bool_)
    is_first[first] = True
    return np.where(is_first[index], same[index], -1), present[first], row_lower, row_upper


@dataclass
class _Passed:
    lower: Ints
    upper: Ints
    reason: Ints
    low_reason: Ints
    high_reason: Ints
    is_impossible: Flags
    conflicts: list[tuple[str, int]]
    is_settled: bool


def _passed_along(problem: Problem, blocks: Ints | None) -> _Passed:
    """Pass bounds from equation to equation until nothing changes.

    A contradiction ends it where `blocks` is None; else it makes its block impossible and the others go on.
    """
    n = problem.n_cells
    nothing = np.full(n, -1, dtype=np.int64)
    made = _Passed(
        problem.lower.copy(),
        problem.upper.copy(),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
        problem.lower > problem.upper,
        [],
        False,
    )
    order = np.argsort(problem.rows, kind="stable")
    rows, cells, signs = problem.rows[order], problem.cells[order], problem.signs[order]
    for turn in range(_PASSES):
        if not len(rows):
            break
        broken, top, bottom = _allowed(rows, cells, signs, problem, made)
        changed = _take(rows, cells, top, bottom, made)
        crossed = made.lower > made.upper
        if blocks is None:
            made.conflicts = [("row", int(row)) for row in np.unique(rows[broken])]
            made.conflicts = made.conflicts or [("cell", int(cell)) for cell in np.flatnonzero(crossed)]
            if made.conflicts:
                return made
        else:
            failed = np.unique(np.concatenate([blocks[cells[broken]], blocks[crossed & ~made.is_impossible]]))
            if len(failed):
                made.is_impossible |= np.isin(blocks, failed)
            made.upper = np.where(made.is_impossible, np.maximum(made.upper, made.lower), made.upper)
            alive = ~made.is_impossible[cells]
            rows, cells, signs = rows[alive], cells[alive], signs[alive]
        if not changed.any() and turn:
            break
        # Only equations about unknowns that are still open, or about a cell that changed, can say anything new.
        again = np.zeros(problem.n_rows, dtype=np.bool_)
        again[rows[(made.lower < made.upper)[cells] | changed[cells]]] = True
        keep = again[rows]
        rows, cells, signs = rows[keep], cells[keep], signs[keep]
    else:
        return made
    made.is_settled = True
    return made


def _allowed(rows: Ints, cells: Ints, signs: Ints, problem: Problem, made: _Passed) -> tuple[Flags, Ints, Ints]:
    """For each entry (sorted by equation): whether its equation cannot hold, and the bounds it leaves to its cell."""
    low, high = made.lower[cells] * signs, made.upper[cells] * signs
    least, most = np.minimum(low, high), np.maximum(low, high)
    starts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    sizes = np.diff(np.append(starts, len(rows)))
    row_least, row_most = np.repeat(np.add.reduceat(least, starts), sizes), np.repeat(np.add.reduceat(most, starts), sizes)
    row_lower, row_upper = problem.row_lower[rows], problem.row_upper[rows]
    broken: Flags = (row_least > row_upper) | (row_most < row_lower)
    spare, need = row_upper - row_least + least, row_lower - row_most + most
    # Where cells became one a coefficient may be larger than one: divide, rounding inwards.
    size = np.abs(signs)
    top = np.where(signs > 0, spare // size, -need // size)
    bottom = np.where(signs > 0, -(-need // size), -(spare // size))
    return broken, top, bottom


def _take(rows: Ints, cells: Ints, top: Ints, bottom: Ints, made: _Passed) -> Flags:
    """Narrow the cells to what every entry allows and remember why; the cells that changed."""
    changed = np.zeros(len(made.lower), dtype=np.bool_)
    better = (top < made.upper[cells]) & (top < UNBOUNDED // 2)
    np.minimum.at(made.upper, cells[better], top[better])
    best = better & (top == made.upper[cells])
    made.high_reason[cells[best]] = rows[best]
    made.reason[cells[best]] = rows[best]
    changed[cells[best]] = True
    better = bottom > made.lower[cells]
    np.maximum.at(made.lower, cells[better], bottom[better])
    best = better & (bottom == made.lower[cells])
    made.low_reason[cells[best]] = rows[best]
    made.reason[cells[best]] = rows[best]
    changed[cells[best]] = True
    return changed


def _weakest(merged: Problem, passed: _Passed, row_number: Ints, alive: Problem, cell_of: Ints) -> list[int]:
    """For each contradiction the weakest equation of the chain that led to it (original numbers)."""
    gone: set[int] = set()
    by_row: dict[int, list[int]] = {}
    order = np.argsort(merged.rows, kind="stable")
    starts = np.searchsorted(merged.rows[order], np.arange(merged.n_rows + 1))

    def cells_of(row: int) -> list[int]:
        if row not in by_row:
            by_row[row] = merged.cells[order[starts[row] : starts[row + 1]]].tolist()
        return by_row[row]

    for kind, number in passed.conflicts[:200]:
        rows: list[int] = [number] if kind == "row" else []
        cells = cells_of(number) if kind == "row" else [number]
        seen = set(cells)
        while cells and len(rows) < 40:
            at = cells.pop(0)
            for row in (int(passed.low_reason[at]), int(passed.high_reason[at])):
                if row >= 0 and row not in rows:
                    rows.append(row)
                    cells += [c for c in cells_of(row) if c not in seen]
                    seen.update(cells_of(row))
        originals = [int(row_number[row]) for row in rows]
        if not any(row in gone for row in originals):
            gone.update(_blamed(alive, cell_of, originals, gone))
    return sorted(gone)


def _blamed(alive: Problem, cell_of: Ints, rows: Sequence[int], gone: set[int]) -> list[int]:
    """Of equations that contradict one another, what an attacker gives up first: guessed equalities, then the weakest."""
    seen = np.unique(cell_of[alive.cells[np.isin(alive.rows, rows)]])
    near = np.unique(alive.rows[np.isin(cell_of[alive.cells], seen)])
    near = near[alive.strength[near] < WHOLE]
    near = near[~np.isin(near, list(gone))]
    if len(near):
        return [int(row) for row in near[alive.strength[near] == alive.strength[near].min()]]
    least = min(int(alive.strength[row]) for row in rows)
    return [next(row for row in rows if int(alive.strength[row]) == least)]


# --- blocks ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Piece:
    """One or several blocks as a matrix problem."""

    cells: Ints
    matrix: sparse.csr_array
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    block: Ints


class _Parts:
    """The blocks of unknowns that equations still connect, and which of them have cycles."""

    def __init__(self, narrowed: _Narrowed) -> None:
        problem = narrowed.problem
        self.narrowed = narrowed
        self.n = problem.n_cells
        is_open = (narrowed.lower < narrowed.upper) & ~narrowed.is_impossible
        low, high = narrowed.lower[problem.cells] * problem.signs, narrowed.upper[problem.cells] * problem.signs
        least = np.bincount(problem.rows, np.minimum(low, high), problem.n_rows)
        most = np.bincount(problem.rows, np.maximum(low, high), problem.n_rows)
        says_nothing = (least >= problem.row_lower) & ((most <= problem.row_upper) | (problem.row_upper >= UNBOUNDED))
        used = is_open[problem.cells] & ~says_nothing[problem.rows]
        fixed = ~is_open[problem.cells]
        told = np.bincount(problem.rows[fixed], (narrowed.lower[problem.cells] * problem.signs)[fixed], problem.n_rows)
        self.row_lower = problem.row_lower - told
        self.row_upper = np.where(problem.row_upper >= UNBOUNDED, np.inf, problem.row_upper - told)
        self.rows, self.cells, self.signs = problem.rows[used], problem.cells[used], problem.signs[used]
        graph = sparse.coo_array(
            (np.ones(len(self.rows)), (self.cells, self.n + self.rows)), shape=(self.n + problem.n_rows,) * 2
        )
        _, label = csgraph.connected_components(graph, directed=False)
        wanted = np.unique(label[: self.n][is_open])
        number = np.full(int(label.max(initial=0)) + 1, -1, dtype=np.int64)
        number[wanted] = np.arange(len(wanted))
        self.block: Ints = np.where(is_open, number[label[: self.n]], -1)
        n_blocks = len(wanted)
        edges = np.bincount(self.block[self.cells], minlength=n_blocks)
        some_rows = np.unique(self.rows)
        self.row_block = np.full(problem.n_rows, -1, dtype=np.int64)
        self.row_block[self.rows] = self.block[self.cells]
        nodes = np.bincount(self.block[is_open], minlength=n_blocks) + np.bincount(self.row_block[some_rows], minlength=n_blocks)
        odd = np.zeros(n_blocks, dtype=np.bool_)
        odd[self.block[self.cells[np.abs(self.signs) != 1]]] = True
        # Bounds that were still moving when passing them along was cut short prove nothing exact either.
        self.is_cyclic: Flags = (edges >= nodes) | odd | (not narrowed.is_settled)
        self.size = np.bincount(self.block[is_open], minlength=n_blocks)
        self._by_cell = np.argsort(self.block, kind="stable")
        self._cell_starts = np.searchsorted(self.block[self._by_cell], np.arange(n_blocks + 1))
        self._entry_order = np.argsort(self.block[self.cells], kind="stable")
        self._entry_starts = np.searchsorted(self.block[self.cells][self._entry_order], np.arange(n_blocks + 1))

    def cells_of(self, block: int) -> Ints:
        found: Ints = self._by_cell[self._cell_starts[block] : self._cell_starts[block + 1]]
        return found

    def piece(self, blocks: Sequence[int], lower: Ints | None = None, upper: Ints | None = None) -> _Piece:
        """The matrix problem of these blocks together."""
        cells = np.concatenate([self.cells_of(block) for block in blocks])
        entries = np.concatenate([self._entry_order[self._entry_starts[b] : self._entry_starts[b + 1]] for b in blocks])
        place = np.full(self.n, -1, dtype=np.int64)
        place[cells] = np.arange(len(cells))
        rows, row = np.unique(self.rows[entries], return_inverse=True)
        matrix = sparse.csr_array(
            (self.signs[entries].astype(np.float64), (row, place[self.cells[entries]])), shape=(len(rows), len(cells))
        )
        low = (self.narrowed.lower if lower is None else lower)[cells].astype(np.float64)
        high = (self.narrowed.upper if upper is None else upper)[cells].astype(np.float64)
        return _Piece(
            cells=cells,
            matrix=matrix,
            row_lower=self.row_lower[rows].astype(np.float64),
            row_upper=self.row_upper[rows],
            lower=low,
            upper=np.where(high >= UNBOUNDED // 2, np.inf, high),
            block=self.block[cells],
        )


@dataclass(frozen=True)
class _Solved:
    status: str  # best, some (a solution, not proved best), impossible, unbounded, late
    x: Floats | None


def _solve(piece: _Piece, cost: Floats, *, integral: bool, seconds: float, caps: Floats | None = None) -> _Solved:
    """Minimise cost . x; with `caps` (finite where wanted) maximise the sum of min(x, cap) over those cells instead."""
    matrix, low, high = piece.matrix, piece.row_lower, piece.row_upper
    lower, upper = piece.lower, piece.upper
    n = len(piece.cells)
    if caps is not None:
        wanted = np.flatnonzero(np.isfinite(caps))
        k = len(wanted)
        steps = sparse.csr_array((np.ones(k), (np.arange(k), wanted)), shape=(k, n))
        matrix = sparse.block_array(
            [[matrix, sparse.csr_array((matrix.shape[0], k))], [steps, -sparse.eye_array(k)]], format="csr"
        )
        low, high = np.concatenate([low, np.zeros(k)]), np.concatenate([high, np.full(k, np.inf)])
        lower, upper = np.concatenate([lower, np.zeros(k)]), np.concatenate([upper, caps[wanted]])
        cost = np.concatenate([np.zeros(n), -np.ones(k)])
    kinds = np.concatenate([np.full(n, int(integral)), np.zeros(len(lower) - n)])
    if seconds <= 0:
        return _Solved("late", None)
    found = milp(
        cost,
        integrality=kinds,
        bounds=Bounds(lower, upper),
        constraints=LinearConstraint(matrix, low, high) if matrix.shape[0] else None,
        options={"time_limit": float(min(seconds, _SOLVE_SECONDS)), "mip_rel_gap": 0.0},
    )
    x = None if found.x is None else np.asarray(found.x[:n])
    status = {0: "best", 2: "impossible", 3: "unbounded"}.get(int(found.status), "some" if x is not None else "late")
    return _Solved(status, x)


class _Search:
    """Witness tables for the blocks that bounds alone do not decide."""

    def __init__(self, narrowed: _Narrowed, parts: _Parts, wanted: Flags, minimum: Ints, clock: Clock, only_points: bool) -> None:
        self.only_points = only_points
        self.narrowed, self.parts, self.wanted, self.minimum, self.clock = (
            narrowed,
            parts,
            wanted,
            minimum,
            clock,
        )
        self.lower, self.upper = narrowed.lower.copy(), narrowed.upper.copy()
        n = parts.n
        self.verdict = np.full(n, UNDECIDED, dtype=np.int64)
        self.is_exact = np.zeros(n, dtype=np.bool_)
        self.need_high = wanted & (self.upper >= minimum)
        self.need_low = wanted & (self.lower < minimum)
        self.is_bad = wanted & (self.upper < minimum)
        # How far tables that are to be large go.
        self.far = minimum if only_points else _WIDE * minimum
        self.first_seen = np.full(n, -1, dtype=np.int64)
        if only_points:
            self.need_high = self.need_low.copy()
            self.is_bad = np.zeros(n, dtype=np.bool_)
        self.n_solved = 0
        self.impossible: set[int] = set()  # blocks without any solution
        self.possible: set[int] = set()  # blocks of which a table is known

    def run(self, wanted_intervals: int) -> None:
        blocks = np.unique(self.parts.block[self.wanted])
        self._together(blocks)
        for side in ("low", "high"):
            self._one_each(side)
        for block in blocks.tolist():
            if block not in self.impossible:
                self._one_block(int(block))
        is_open = self.need_high | self.need_low
        self.verdict[self.wanted & ~is_open] = SAFE
        self.verdict[self.is_bad] = GIVEN_BACK
        if self.impossible:
            self.verdict[np.isin(self.parts.block, list(self.impossible))] = IMPOSSIBLE
            self.is_bad &= self.verdict != IMPOSSIBLE
        for cell in np.flatnonzero(self.is_bad)[:wanted_intervals]:
            self._exact(int(cell))

    def _see(self, cells: Ints, x: Ints) -> None:
        """A table that fits: what it proves of its cells."""
        if self.only_points:
            first = self.first_seen[cells]
            cleared = cells[(x >= self.minimum[cells]) | (x <= 0) | ((first >= 0) & (first != x))]
            self.need_high[cleared] = self.need_low[cleared] = False
            self.first_seen[cells] = np.where(first < 0, x, first)
            return
        self.need_high[cells[x >= self.minimum[cells]]] = False
        self.need_low[cells[(x <= 0) | (x >= _WIDE * self.minimum[cells])]] = False

    def _fits(self, piece: _Piece, x: Ints) -> Flags:
        """By cell: whether the table fits everything in the cell's block."""
        sums = piece.matrix @ x.astype(np.float64)
        bad_rows = (sums < piece.row_lower - 0.5) | (sums > piece.row_upper + 0.5)
        bad_cells = (x < piece.lower) | (x > piece.upper)
        touched = (np.abs(piece.matrix).T @ bad_rows.astype(np.float64)) > 0
        bad_blocks = np.unique(piece.block[bad_cells | touched])
        return ~np.isin(piece.block, bad_blocks)

    def _together(self, blocks: Ints) -> None:
        """Many blocks in one linear problem: where a solution is whole, it is a witness."""
        for side in ("high", "low"):
            live = [int(b) for b in blocks]
            for _ in range(_ROUNDS):
                need = self.need_high if side == "high" else self.need_low
                open_blocks = set(np.unique(self.parts.block[need]).tolist())
                live = [b for b in live if b in open_blocks]
                if not live or self.clock.is_over:
                    break
                moved: list[int] = []
                for chunk in _chunks(live, self.parts.size):
                    moved += self._round(chunk, side, integral=False)
                live = moved

    def _round(self, blocks: Sequence[int], side: str, *, integral: bool) -> list[int]:
        """One solve for some blocks; those for which it proved something."""
        piece = self.parts.piece(blocks)
        need = (self.need_high if side == "high" else self.need_low)[piece.cells]
        before = np.bincount(piece.block[need], minlength=int(piece.block.max()) + 1)
        caps = np.where(need, self.far[piece.cells], np.inf).astype(np.float64) if side == "high" else None
        cost = np.where(need, 1.0, 0.0)
        self.n_solved += 1
        found = _solve(piece, cost, integral=integral, seconds=self.clock.left(), caps=caps)
        if found.status == "impossible" and len(blocks) > 1:
            half = len(blocks) // 2
            return [*self._round(blocks[:half], side, integral=integral), *self._round(blocks[half:], side, integral=integral)]
        if found.status == "impossible":
            self.impossible.add(int(blocks[0]))
        if found.x is None:
            return []
        x = np.rint(found.x).astype(np.int64)
        is_whole = np.abs(found.x - x) < _CLOSE
        broken = np.unique(piece.block[~is_whole])
        good = self._fits(piece, x) & ~np.isin(piece.block, broken)
        self.possible.update(np.unique(piece.block[good]).tolist())
        self._see(piece.cells[good], x[good])
        need = (self.need_high if side == "high" else self.need_low)[piece.cells]
        after = np.bincount(piece.block[need], minlength=len(before))
        return [b for b in blocks if after[b] < before[b]]

    def _one_each(self, side: str) -> None:
        """One cell of every block at a time: its least (or largest) value of the linear problem, exact where that is whole."""
        tried = np.zeros(self.parts.n, dtype=np.bool_)
        while not self.clock.is_over:
            need = (self.need_high if side == "high" else self.need_low) & ~tried
            cells = np.flatnonzero(need)
            cells = cells[np.isin(self.parts.block[cells], [b for b in self.possible if b not in self.impossible])]
            where, first = np.unique(self.parts.block[cells], return_index=True)
            if not len(where):
                return
            chosen = np.zeros(self.parts.n, dtype=np.bool_)
            chosen[cells[first]] = True
            tried |= chosen
            for chunk in _chunks(where.tolist(), self.parts.size):
                self._one_chunk(chunk, chosen, side)

    def _one_chunk(self, chunk: Sequence[int], chosen: Flags, side: str) -> None:
        piece = self.parts.piece(chunk)
        own = chosen[piece.cells]
        cost = own.astype(np.float64)
        caps = np.where(own, self.far[piece.cells], np.inf).astype(np.float64) if side == "high" else None
        self.n_solved += 1
        found = _solve(piece, cost, integral=False, seconds=self.clock.left(), caps=caps)
        if found.x is None or found.status != "best":
            return
        x = np.rint(found.x).astype(np.int64)
        broken = np.unique(piece.block[np.abs(found.x - x) >= _CLOSE])
        good = self._fits(piece, x) & ~np.isin(piece.block, broken)
        self._see(piece.cells[good], x[good])
        if self.only_points:
            return
        if side == "high":
            # Not even the linear problem reaches the minimum.
            short = piece.cells[own & (found.x < self.minimum[piece.cells] - 10 * _CLOSE)]
            self.need_high[short] = False
            self.is_bad[short] = True
            return
        least = np.ceil(found.x - 10 * _CLOSE).astype(np.int64)
        cells = piece.cells[own]
        self.lower[cells] = np.maximum(self.lower[cells], least[own])
        self.need_low[cells[self.lower[cells] >= self.minimum[cells]]] = False

    def _one_block(self, block: int) -> None:
        cells = self.parts.cells_of(block)
        for side in ("high", "low"):
            need = self.need_high if side == "high" else self.need_low
            for _ in range(_ROUNDS):
                if need[cells].sum() < 3 or self.clock.is_over or not self._round([block], side, integral=True):
                    break
        if block in self.impossible or not (self.need_high[cells] | self.need_low[cells]).any():
            return
        piece = self.parts.piece([block])
        if block not in self.possible:
            found = _solve(piece, np.zeros(len(cells)), integral=True, seconds=self.clock.left())
            if found.status == "impossible":
                self.impossible.add(block)
            if found.x is None:
                return
        self._cell_by_cell(piece)

    def _cell_by_cell(self, piece: _Piece) -> None:
        """What no table for many cells has shown, each by itself."""
        for j, cell in enumerate(piece.cells.tolist()):
            if self.clock.is_over:
                return
            if self.only_points:
                if self.need_low[cell]:
                    self._ends(piece, j, cell)
                continue
            if self.need_high[cell]:
                self._reach(piece, j, cell)
            if self.need_low[cell]:
                self._sink(piece, j, cell)

    def _bounded(self, piece: _Piece, j: int, low: float, high: float) -> tuple[str, Ints | None]:
        """Is there a table with cell j between low and high?"""
        lower, upper = piece.lower.copy(), piece.upper.copy()
        lower[j], upper[j] = max(lower[j], low), min(upper[j], high)
        if lower[j] > upper[j]:
            return "impossible", None
        narrowed = replace(piece, lower=lower, upper=upper)
        self.n_solved += 1
        found = _solve(narrowed, np.zeros(len(piece.cells)), integral=True, seconds=self.clock.left())
        if found.x is None:
            return ("impossible" if found.status == "impossible" else "late"), None
        x = np.rint(found.x).astype(np.int64)
        return ("found", x) if self._fits(narrowed, x).all() else ("late", None)

    def _ends(self, piece: _Piece, j: int, cell: int) -> None:
        """Whether the least and the greatest value of a cell are one small number."""
        for sign in (1.0, -1.0):
            cost = np.zeros(len(piece.cells))
            cost[j] = sign
            self.n_solved += 1
            # A cell that nothing bounds is no point.
            capped = replace(piece, upper=np.where(np.isfinite(piece.upper), piece.upper, np.inf))
            capped.upper[j] = min(capped.upper[j], float(self.minimum[cell]))
            found = _solve(capped, cost, integral=True, seconds=self.clock.left())
            if found.status == "impossible":
                # No table has so few: it is not a small number.
                self.need_high[cell] = self.need_low[cell] = False
                return
            if found.status != "best" or found.x is None:
                return
            x = np.rint(found.x).astype(np.int64)
            if not self._fits(capped, x).all():
                return
            self._see(piece.cells, x)
            if not self.need_low[cell]:
                return
        self.lower[cell] = self.upper[cell] = self.first_seen[cell]
        self.is_exact[cell] = self.is_bad[cell] = True
        self.need_high[cell] = self.need_low[cell] = False

    def _reach(self, piece: _Piece, j: int, cell: int) -> None:
        status, x = self._bounded(piece, j, float(self.minimum[cell]), np.inf)
        if x is not None:
            self._see(piece.cells, x)
        elif status == "impossible":
            self.need_high[cell] = False
            self.is_bad[cell] = True

    def _sink(self, piece: _Piece, j: int, cell: int) -> None:
        """The least value: nobody, or at least the minimum; or else the greatest is far away."""
        cost = np.zeros(len(piece.cells))
        cost[j] = 1.0
        self.n_solved += 1
        found = _solve(piece, cost, integral=True, seconds=self.clock.left())
        if found.status != "best" or found.x is None:
            return
        x = np.rint(found.x).astype(np.int64)
        if not self._fits(piece, x).all():
            return
        self._see(piece.cells, x)
        self.lower[cell] = x[j]
        if self.need_low[cell]:
            status, wide = "found", None
            if x[j] < self.minimum[cell]:
                status, wide = self._bounded(piece, j, float(_WIDE * self.minimum[cell]), np.inf)
            if wide is not None:
                self._see(piece.cells, wide)
            self.need_low[cell] = status == "late"
            self.is_bad[cell] |= status == "impossible"

    def _exact(self, cell: int) -> None:
        piece = self.parts.piece([int(self.parts.block[cell])])
        j = int(np.flatnonzero(piece.cells == cell)[0])
        for sign in (1.0, -1.0):
            cost = np.zeros(len(piece.cells))
            cost[j] = sign
            found = _solve(piece, cost, integral=True, seconds=self.clock.left())
            if found.status != "best" or found.x is None:
                return
            (self.lower if sign > 0 else self.upper)[cell] = round(found.x[j])
        self.is_exact[cell] = True


def _elastic(problem: Problem, decision: Decision, blocks: Ints, clock: Clock) -> Flags:
    """Equations to drop so that some table fits each of these blocks: the weakest kind first, as few as are found cheaply.

    Where a block holds together by itself, what it is given from outside does not: then the equations around it are asked too,
    one step after the other.
    """
    gone = np.zeros(problem.n_rows, dtype=np.bool_)
    alive = problem.without_rows(decision.dropped)
    for block in blocks.tolist():
        inside = decision.block == block
        rows = np.unique(alive.rows[inside[alive.cells]])
        while not clock.is_over:
            dropped = _weakest_guesses(problem, rows)
            if not len(dropped):
                dropped = _fewest_to_drop(problem, alive, rows, clock)
            gone[dropped] = True
            wider = _one_step_wider(problem, alive, rows)
            if len(dropped) or len(wider) == len(rows):
                break
            rows = wider
    return gone


def _weakest_guesses(problem: Problem, rows: Ints) -> Ints:
    guesses = rows[problem.strength[rows] <= SAME_EVERYWHERE]
    weakest: Ints = guesses[problem.strength[guesses] == problem.strength[guesses].min(initial=WHOLE)]
    return weakest


def _fewest_to_drop(problem: Problem, alive: Problem, own_rows: Ints, clock: Clock) -> Ints:
    """Of these equations those without which some table fits the rest; none where one fits all, or where time runs out."""
    used = np.isin(alive.rows, own_rows)
    rows, row = np.unique(alive.rows[used], return_inverse=True)
    cells, cell = np.unique(alive.cells[used], return_inverse=True)
    matrix = sparse.csr_array((alive.signs[used].astype(np.float64), (row, cell)), shape=(len(rows), len(cells)))
    k = len(rows)
    weight = 10.0 ** problem.strength[rows]
    piece = _Piece(
        cells=np.arange(len(cells) + 2 * k),
        matrix=sparse.block_array([[matrix, sparse.eye_array(k), -sparse.eye_array(k)]], format="csr"),
        row_lower=problem.row_lower[rows].astype(np.float64),
        row_upper=np.where(problem.row_upper[rows] >= UNBOUNDED, np.inf, problem.row_upper[rows]).astype(np.float64),
        lower=np.concatenate([problem.lower[cells].astype(np.float64), np.zeros(2 * k)]),
        upper=np.concatenate(
            [np.where(problem.upper[cells] >= UNBOUNDED // 2, np.inf, problem.upper[cells]), np.full(2 * k, np.inf)]
        ),
        block=np.zeros(len(cells) + 2 * k, dtype=np.int64),
    )
    cost = np.concatenate([np.zeros(len(cells)), weight, weight])
    found = _solve(piece, cost, integral=True, seconds=min(clock.left(), 20.0))
    if found.x is None:
        return np.zeros(0, dtype=np.int64)
    slack = found.x[len(cells) : len(cells) + k] + found.x[len(cells) + k :]
    return rows[slack > 0.5]


def _one_step_wider(problem: Problem, alive: Problem, rows: Ints) -> Ints:
    """These equations and all that share a cell with one of them."""
    near, cells = np.zeros(problem.n_rows, dtype=np.bool_), np.zeros(problem.n_cells, dtype=np.bool_)
    near[rows] = True
    cells[alive.cells[near[alive.rows]]] = True
    near[alive.rows[cells[alive.cells]]] = True
    return np.flatnonzero(near)


def _chunks(blocks: Sequence[int], size: Ints) -> Iterable[list[int]]:
    chunk: list[int] = []
    total = 0
    for block in blocks:
        if chunk and total + size[block] > _CHUNK:
            yield chunk
            chunk, total = [], 0
        chunk.append(block)
        total += int(size[block])
    if chunk:
        yield chunk


def linear_reasons(problem: Problem, decision: Decision, cell: int) -> list[int]:
    """The equations whose shadow prices hold a cell of a cyclic block down (original numbers); empty where bounds do it alone."""
    alive = problem.without_rows(decision.dropped)
    block = decision.block[cell]
    inside = np.flatnonzero(decision.block == block)
    place = np.full(problem.n_cells, -1, dtype=np.int64)
    place[inside] = np.arange(len(inside))
    used = np.isin(alive.rows, alive.rows[place[alive.cells] >= 0])
    rows, row = np.unique(alive.rows[used], return_inverse=True)
    cells, signs = alive.cells[used], alive.signs[used].astype(np.float64)
    own = place[cells] >= 0
    told = np.bincount(row[~own], (signs * decision.lower[cells])[~own], len(rows))
    matrix = sparse.csr_array((signs[own], (row[own], place[cells[own]])), shape=(len(rows), len(inside)))
    low, high = problem.row_lower[rows] - told, problem.row_upper[rows] - told
    is_even = low == high
    cost = np.zeros(len(inside))
    cost[place[cell]] = -1.0
    bounds = [
        (float(a), None if b >= UNBOUNDED // 2 else float(b))
        for a, b in zip(problem.lower[inside], problem.upper[inside], strict=True)
    ]
    found = linprog(
        cost,
        A_ub=-matrix[~is_even] if (~is_even).any() else None,
        b_ub=-low[~is_even] if (~is_even).any() else None,
        A_eq=matrix[is_even] if is_even.any() else None,
        b_eq=low[is_even] if is_even.any() else None,
        bounds=bounds,
        method="highs",
        options={"time_limit": 5.0},
    )
    if found.status != 0:
        return []
    price = np.zeros(len(rows))
    if is_even.any():
        price[is_even] = found.eqlin.marginals
    if (~is_even).any():
        price[~is_even] = found.ineqlin.marginals
    return [int(r) for r in rows[np.abs(price) > _CLOSE]]
