"""Which further values to hide so that every hidden count of one block is left open far enough.

A hidden count is open if another table agrees with everything shown and has that count far enough away. A linear program finds
the cheapest way to such a table, where moving a shown count costs the weight of the values that show it; these are hidden, and
cost nothing from then on (after J. P. Kelly, B. L. Golden and A. A. Assad, 1992, Cell Suppression: Disclosure Protection for
Sensitive Tabular Data, Networks 22). Every table that is found proves whatever it reaches, so that most counts need no program
of their own. What a value may show by itself does not belong here.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import pairwise

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from pipelines.disclosure.bounds import propagated
from pipelines.disclosure.programs import model_of, quiet_solver, solved

UP, DOWN = 1, -1
SHOWN, RANGE, HIDDEN, ABSENT = 0, 1, 2, 3
# What moving a count costs that is hidden already: next to nothing, so that tables stay close and few counts move.
_HIDDEN_COST = 1e-4
_TOLERANCE = 1e-6
# A block whose hidden counts move together is asked in one program; a shown count costs this much there, which nothing earns
# back.
_STAY = 1e6
# Common tables are made as long as one of them proves more than one in so many.
_FEW = 20
# Nobody thinks of a small group where so many times the minimum may be there.
_FAR = 3
# Branches of an integer program that asks whether half people can be whole.
_NODES = 1000


@dataclass(frozen=True)
class Block:
    """Counts that hang together, and the values that show them. Shapes: (cells,) and (rows,), the matrix (equations, cells).

    `value`: the true counts; `matrix @ value` is zero. `fixed`: counts that a reader knows whatever is hidden. `asked`: counts
    that must be left open when they are hidden, upwards to `reach`, downwards to `sink` unless they stay at or above `large`.
    `minimum`: below it a count is small.
    `row_size`, `row_part`: the counts that a value shows (-1 for none); `state`: whether it is SHOWN, shown as a RANGE (its
    size, and its part between `row_lower` and `row_upper`) or HIDDEN; `kept`: ranges that are not hidden, because a reader knows
    them anyway; `weight`: what hiding it costs.
    """

    value: NDArray[np.float64]
    matrix: csr_array
    fixed: NDArray[np.bool_]
    asked: NDArray[np.bool_]
    reach: NDArray[np.float64]
    sink: NDArray[np.float64]
    large: NDArray[np.float64]
    minimum: NDArray[np.float64]
    row_size: NDArray[np.int64]
    row_part: NDArray[np.int64]
    state: NDArray[np.int8]
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    kept: NDArray[np.bool_]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Goal:
    """That another table must have the count `cell` at `number` or beyond, above or below, while `held` (-1: none) stays."""

    cell: int
    number: float
    is_up: bool
    held: int = -1


@dataclass(frozen=True)
class Step:
    """The values (by place) that were hidden for one goal."""

    goal: Goal
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Opened:
    """`state`: of every value, with what was hidden more, which the `steps` tell in their order. `not_open`: counts (by place)
    that were not shown to be open, because nothing in the block opens them or the search was over before (`is_late`).
    `n_programs`: linear programs solved.
    """

    state: NDArray[np.int8]
    steps: tuple[Step, ...]
    not_open: NDArray[np.int64]
    n_programs: int
    is_late: bool


def opened(block: Block, deadline: float, most: float = math.inf, first: Goal | None = None) -> Opened:
    """Hide values until every hidden asked count is open, `deadline` (time.monotonic) has come, or more than `most` is hidden.

    `first`: the goal that is looked at before all others.
    """
    return _Search(block, deadline, most).run(first)


class _Search:
    """One block while values are hidden in it. Columns: up and down of every count, then beyond the range of each ranged one."""

    def __init__(self, block: Block, deadline: float, most: float) -> None:
        self._block, self._deadline, self._left = block, deadline, most
        self._n = len(block.value)
        self.state = block.state.copy()
        self._n_programs = 0
        self._steps: list[Step] = []
        visible = self.state <= RANGE
        n = self._n
        self._shows = np.zeros(n, dtype=np.int64)
        for cells, rows in ((block.row_size, visible), (block.row_part, self.state == SHOWN)):
            here = rows & (cells >= 0)
            np.add.at(self._shows, cells[here], 1)
        self._cost = np.zeros(n)
        for cells in (block.row_size, block.row_part):
            here = visible & (cells >= 0)
            np.add.at(self._cost, cells[here], block.weight[here])
        self._lower, self._upper = np.zeros(n), np.full(n, np.inf)
        ranged = (self.state == RANGE) & (block.row_part >= 0)
        np.maximum.at(self._lower, block.row_part[ranged], block.row_lower[ranged])
        np.minimum.at(self._upper, block.row_part[ranged], block.row_upper[ranged])
        is_known = self._known
        self._lower[is_known], self._upper[is_known] = 0.0, np.inf
        may_be_hidden = np.ones(n, dtype=bool)
        may_be_hidden[block.row_part[ranged & block.kept]] = False
        self._ranged = np.flatnonzero(~is_known & may_be_hidden & ((self._lower > 0) | np.isfinite(self._upper)))
        self._beyond = np.full(n, -1)
        self._beyond[self._ranged] = np.arange(len(self._ranged))
        self._open_up = block.value >= block.reach
        self._open_down = block.value <= block.sink
        self._program = self._built()
        self._rows_of = _rows_by_cell(n, block.row_size, block.row_part)

    @property
    def _known(self) -> NDArray[np.bool_]:
        return self._block.fixed | (self._shows > 0)

    def run(self, first: Goal | None) -> Opened:
        not_open: set[int] = set()
        if first is not None:
            self._reach(first)
        while True:
            is_late = self._left < 0 or self._open_small(UP, not_open) or self._open_small(DOWN, not_open)
            before = int((self.state == HIDDEN).sum())
            # A large count may be known to be large; what was settled before more was hidden is looked at again.
            is_late = is_late or self._settle_large(not_open) or self._keep_apart()
            if is_late or int((self.state == HIDDEN).sum()) == before:
                break
        if is_late:
            not_open.update(int(cell) for cell in np.flatnonzero(self._hidden()))
        return Opened(self.state, tuple(self._steps), np.array(sorted(not_open), dtype=np.int64), self._n_programs, is_late)

    def _reach(self, goal: Goal) -> None:
        if not self._hidden()[goal.cell]:
            return
        distance = abs(goal.number - float(self._block.value[goal.cell]))
        if goal.held >= 0:
            self._beside(goal.held, goal.cell, distance)
        else:
            self._alone(goal.cell, UP if goal.is_up else DOWN, distance)

    def _is_over(self) -> bool:
        return self._left < 0 or time.monotonic() > self._deadline

    def _hidden(self) -> NDArray[np.bool_]:
        return self._block.asked & ~self._known

    def _is_small(self) -> NDArray[np.bool_]:
        return self._block.value < self._block.large

    def _open_small(self, direction: int, not_open: set[int]) -> bool:
        """Open hidden counts in one direction, upwards all, downwards the small ones. Returns whether time ran out."""
        value = self._block.value
        tried: set[int] = set()
        while True:
            done = self._open_up if direction == UP else self._open_down
            wanted = self._hidden() & ~done
            if direction == DOWN:
                wanted &= self._is_small()
            left = [int(cell) for cell in np.flatnonzero(wanted) if cell not in tried and cell not in not_open]
            if not left:
                return False
            self._together(np.array(left), direction)
            for cell in sorted(left, key=lambda one: float(value[one])):
                tried.add(cell)
                if self._is_over():
                    return True
                if not self._is_open(cell, direction) and not self._alone(cell, direction):
                    not_open.add(cell)

    def _settle_large(self, not_open: set[int]) -> bool:
        """See that every large hidden count is known as large or may be nobody, or is far from small where nothing makes it so.

        Returns whether time ran out.
        """
        block = self._block
        known = self._known
        lower = np.where(known, block.value, self._lower)
        upper = np.where(known, block.value, self._upper)
        lowest, _ = propagated(block.matrix, lower, upper)
        left = np.flatnonzero(self._hidden() & ~self._is_small() & ~self._open_down & (lowest < block.large))
        left = np.array([cell for cell in left if cell not in not_open], dtype=np.int64)
        if not len(left):
            return False
        self._together(left, DOWN)
        doubtful = self._doubtful(left)
        if doubtful is None:
            return True
        for cell in doubtful:
            if self._is_over():
                return True
            if self._is_open(cell, DOWN) or self._alone(cell, DOWN):
                continue
            to_far = float(_FAR * block.minimum[cell] - block.value[cell])
            if to_far > 0 and not self._alone(cell, UP, to_far):
                not_open.add(cell)
        return False

    def _doubtful(self, cells: NDArray[np.int64]) -> list[int] | None:
        """Large counts that may be thought to be small and not nobody, within what is hidden; None where time ran out."""
        block = self._block
        shown = np.flatnonzero(self._column_cost > _HIDDEN_COST)
        nothing = np.zeros(len(shown))
        self._change_bounds(shown, nothing, nothing)
        found: list[int] | None = []
        for cell in map(int, cells):
            if self._is_over():
                found = None
                break
            if self._is_open(cell, DOWN) or not self._moves_freely(cell, float(block.value[cell] - block.large[cell] + 1)):
                continue
            if not (self._moves_freely(cell, float(block.value[cell])) and self._is_open(cell, DOWN)) and found is not None:
                found.append(cell)
        self._change_bounds(shown, nothing, self._column_upper[shown])
        return found

    def _keep_apart(self) -> bool:
        """See that nobody who is alone in a hidden count knows another small one by it. Returns whether time ran out."""
        tried: set[tuple[int, int]] = set()
        while True:
            left = [pair for pair in self._tied() if pair not in tried]
            if not left:
                return False
            before = int((self.state == HIDDEN).sum())
            for cell, known in left:
                if self._is_over():
                    return True
                tried.add((cell, known))
                # Where this fails nothing of the block can keep them apart, and the auditor says so.
                self._beside(known, cell, max(1.0, float(self._block.reach[cell] - self._block.value[cell])))
                if int((self.state == HIDDEN).sum()) > before:
                    break

    def _beside(self, held: int, cell: int, distance: float) -> None:
        """Open one count upwards while another stays as it is."""
        columns = [held, self._n + held]
        if self._beyond[held] >= 0:
            beyond = 2 * self._n + int(self._beyond[held])
            columns += [beyond, beyond + len(self._ranged)]
        places, none = np.array(columns, dtype=np.int64), np.zeros(len(columns))
        self._change_bounds(places, none, none)
        self._alone(cell, UP, distance, held)
        self._change_bounds(places, none, self._column_upper[places])

    def _tied(self) -> list[tuple[int, int]]:
        """Pairs of hidden counts of which the second, where it is one person, would give that person the first, a small one."""
        free = np.flatnonzero(~self._known)
        root, step = tied(self._block.matrix[:, free])
        order = np.argsort(root, kind="stable")
        order = order[root[order] >= 0]
        groups = np.split(order, np.flatnonzero(np.diff(root[order])) + 1)
        return [pair for group in groups if len(group) > 1 for pair in self._told_by_one(free[group], step[group])]

    def _told_by_one(self, cells: NDArray[np.int64], step: NDArray[np.float64]) -> list[tuple[int, int]]:
        """Of counts that move together by `step`, pairs (count, known): told that `known` is 1, `count` is known and small."""
        block = self._block
        # values[a, b]: count b when count a is one person.
        ratio = step[None, :] / step[:, None]
        values = block.value[cells][None, :] + ratio * (1.0 - block.value[cells])[:, None]
        asked = block.asked[cells]
        is_possible = (values > -_TOLERANCE).all(axis=1) & asked
        is_small = (values > 1 - _TOLERANCE) & (values < block.minimum[cells][None, :] - _TOLERANCE) & asked[None, :]
        is_small &= is_possible[:, None] & ~np.eye(len(cells), dtype=bool)
        return [
            (int(cells[b]), int(cells[a]))
            for a, b in np.argwhere(is_small)
            if not self._contains(int(cells[b]), int(cells[a]), alone=bool(values[a, b] < 1 + _TOLERANCE))
        ]

    def _contains(self, cell: int, known: int, *, alone: bool) -> bool:
        """Whether an equation has one count as the other's total: then it tells of nobody else, unless there is somebody."""
        both = self._block.matrix[:, [cell, known]].toarray()
        is_part = ((both[:, 0] < 0) & (both[:, 1] > 0)).any()
        is_total = ((both[:, 0] > 0) & (both[:, 1] < 0)).any()
        return bool(is_part or (is_total and alone))

    def _moves_freely(self, cell: int, distance: float) -> bool:
        """Whether a count can go down so far while everything that is shown stays."""
        down, up = self._n + cell, cell
        if self._column_upper[down] < distance:
            return False
        self._program.changeColBounds(down, distance, float(self._column_upper[down]))
        self._program.changeColBounds(up, 0.0, 0.0)
        found = self._solved()
        self._program.changeColBounds(down, 0.0, float(self._column_upper[down]))
        self._program.changeColBounds(up, 0.0, float(self._column_upper[up]))
        if found is None:
            return False
        self._note(self._moved(found))
        return True

    def _together(self, targets: NDArray[np.int64], direction: int) -> None:
        """Tables within what is hidden already, in each of which as many counts as possible reach their goals."""
        block, n = self._block, self._n
        every = np.arange(len(self._column_cost), dtype=np.int32)
        stay = np.where(self._column_cost > _HIDDEN_COST, _STAY, _HIDDEN_COST)
        left = targets
        while len(left):
            columns = left if direction == UP else n + left
            distance = block.reach[left] - block.value[left] if direction == UP else block.value[left] - block.sink[left]
            room = np.minimum(distance, self._column_upper[columns])
            cost = stay.copy()
            # Each as much as any other, however far it has to go.
            cost[columns] = -1.0 / np.maximum(room, 1.0)
            self._program.changeColsCost(len(every), every, cost)
            back = self._opposite(left, direction)
            self._change_bounds(columns, np.zeros(len(left)), room)
            self._change_bounds(back, np.zeros(len(back)), np.zeros(len(back)))
            found = self._solved()
            self._change_bounds(columns, np.zeros(len(left)), self._column_upper[columns])
            self._change_bounds(back, np.zeros(len(back)), self._column_upper[back])
            if found is None:
                break
            self._note(self._moved(found))
            is_open = (self._open_up if direction == UP else self._open_down)[left]
            if is_open.sum() <= len(left) // _FEW:
                break
            left = left[~is_open]
        self._program.changeColsCost(len(every), every, self._column_cost)

    def _opposite(self, cells: NDArray[np.int64], direction: int) -> NDArray[np.int64]:
        """The columns that would cancel a move: nobody gains by going there and back."""
        n, k = self._n, len(self._ranged)
        beyond = self._beyond[cells]
        beyond = beyond[beyond >= 0] + 2 * n
        return np.concatenate([n + cells, beyond + k]) if direction == UP else np.concatenate([cells, beyond])

    def _change_bounds(self, columns: NDArray[np.int64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        self._program.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def _is_open(self, cell: int, direction: int) -> bool:
        return bool((self._open_up if direction == UP else self._open_down)[cell])

    def _built(self) -> highspy.Highs:
        block, n, k = self._block, self._n, len(self._ranged)
        extra = block.matrix[:, self._ranged]
        equal = hstack([block.matrix, -block.matrix, extra, -extra]).tocsc()
        is_known = self._known
        self._column_upper = np.concatenate(
            [
                np.where(block.fixed, 0.0, np.where(is_known, np.inf, self._upper - block.value)),
                np.where(block.fixed, 0.0, np.where(is_known, block.value, block.value - self._lower)),
                np.full(k, np.inf),
                self._lower[self._ranged],
            ]
        )
        cost = np.where(is_known, self._cost, _HIDDEN_COST)
        self._column_cost = np.concatenate([cost, cost, self._cost[self._ranged], self._cost[self._ranged]])
        program = quiet_solver()
        program.setOptionValue("presolve", "off")
        program.setOptionValue("solver", "simplex")
        none = np.zeros(equal.shape[0])
        columns = (np.zeros(2 * n + 2 * k), self._column_upper)
        program.passModel(model_of(self._column_cost, equal, (none, none), columns))
        return program

    def _solved(self) -> NDArray[np.float64] | None:
        """The columns of the solution, or None where there is none. Whatever whole table it is proves what it reaches."""
        self._program.run()
        self._n_programs += 1
        if self._program.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.asarray(self._program.getSolution().col_value)

    def _moved(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        n, k = self._n, len(self._ranged)
        moved = columns[:n] - columns[n : 2 * n]
        moved[self._ranged] += columns[2 * n : 2 * n + k] - columns[2 * n + k :]
        return moved

    def _note(self, moved: NDArray[np.float64]) -> bool:
        """Note what a table proves; returns whether it is one of whole people."""
        table = self._block.value + moved
        whole = np.round(table)
        if np.abs(table - whole).max(initial=0.0) > _TOLERANCE:
            return False
        self._open_up |= whole >= self._block.reach
        self._open_down |= whole <= self._block.sink
        return True

    def _alone(self, cell: int, direction: int, distance: float | None = None, held: int = -1) -> bool:
        """Hide what opens one count in one direction, as far as its goal or by `distance`; returns whether it is open then."""
        block, n, k = self._block, self._n, len(self._ranged)
        if distance is None:
            distance = float(block.reach[cell] - block.value[cell] if direction == UP else block.value[cell] - block.sink[cell])
        columns = self._force(cell, direction, distance)
        if columns is None:
            return False
        found = self._solved()
        for column in columns:
            self._program.changeColBounds(column, 0.0, float(self._column_upper[column]))
        if found is None:
            return False
        moved = self._moved(found)
        is_known = self._known
        outside = self._ranged[(found[2 * n : 2 * n + k] + found[2 * n + k :]) > _TOLERANCE]
        shown = np.concatenate([np.flatnonzero((np.abs(moved) > _TOLERANCE) & is_known), outside])
        rows = self._hide(shown)
        if len(rows):
            self._steps.append(Step(Goal(cell, float(block.value[cell]) + direction * distance, direction == UP, held), rows))
        is_whole = self._note(moved)
        if not is_whole:
            # Half people prove nothing by themselves; what was hidden for them usually does in whole numbers.
            (self._open_up if direction == UP else self._open_down)[cell] = self._is_reached_whole(cell, direction, distance)
        return self._is_open(cell, direction)

    def _force(self, cell: int, direction: int, distance: float) -> list[int] | None:
        """Make the next table have one count so far up or down; returns the columns to set free again, None where it cannot."""
        n, k = self._n, len(self._ranged)
        forward, back = (cell, n + cell) if direction == UP else (n + cell, cell)
        beyond = int(self._beyond[cell])
        columns = [forward, back]
        room = float(self._column_upper[forward])
        if beyond >= 0:
            columns += [2 * n + beyond, 2 * n + k + beyond] if direction == UP else [2 * n + k + beyond, 2 * n + beyond]
        elif room < distance:
            return None
        inside = min(distance, room)
        self._program.changeColBounds(columns[0], inside, room)
        self._program.changeColBounds(columns[1], 0.0, 0.0)
        if beyond >= 0:
            self._program.changeColBounds(columns[2], distance - inside, np.inf)
            self._program.changeColBounds(columns[3], 0.0, 0.0)
        return columns

    def _is_reached_whole(self, cell: int, direction: int, distance: float) -> bool:
        """Whether a table of whole people reaches a goal within what is hidden now."""
        block = self._block
        is_known = self._known
        lower = np.where(is_known, 0.0, self._lower - block.value)
        upper = np.where(is_known, 0.0, self._upper - block.value)
        lower[cell], upper[cell] = (distance, max(distance, upper[cell])) if direction == UP else (lower[cell], -distance)
        zero = np.zeros(block.matrix.shape[0])
        model = model_of(np.zeros(self._n), block.matrix, (zero, zero), (lower, upper))
        found = solved(model, np.ones(self._n, dtype=bool), _NODES)
        if found is None:
            return False
        self._note(np.round(found.numbers))
        return True

    def _hide(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Hide every value that shows one of the counts; from then on counts that nothing shows move for next to nothing.

        Returns the values that were not hidden before.
        """
        before = self.state == HIDDEN
        block, n, k = self._block, self._n, len(self._ranged)
        for row in {row for cell in cells for row in self._rows_of[int(cell)]}:
            if self.state[row] > RANGE or block.kept[row]:
                continue
            size, part = int(block.row_size[row]), int(block.row_part[row])
            if size >= 0:
                self._shows[size] -= 1
            if part >= 0 and self.state[row] == SHOWN:
                self._shows[part] -= 1
            self.state[row] = HIDDEN
            for cell in (size, part):
                if cell < 0 or self._shows[cell] > 0 or block.fixed[cell]:
                    continue
                still = [r for r in self._rows_of[cell] if self.state[r] == RANGE and block.row_part[r] == cell]
                if still:
                    continue
                self._lower[cell], self._upper[cell] = 0.0, np.inf
                columns = [(cell, np.inf), (n + cell, float(block.value[cell]))]
                if self._beyond[cell] >= 0:
                    columns += [(2 * n + int(self._beyond[cell]), np.inf), (2 * n + k + int(self._beyond[cell]), 0.0)]
                for column, upper in columns:
                    self._column_upper[column] = upper
                    self._column_cost[column] = _HIDDEN_COST
                    self._program.changeColBounds(column, 0.0, upper)
                    self._program.changeColCost(column, _HIDDEN_COST)
        rows = np.flatnonzero((self.state == HIDDEN) & ~before)
        self._left -= float(block.weight[rows].sum())
        return rows


def tied(equations: csr_array) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which unknowns of `equations @ moves = 0` move together: for each the number of its group, and by how much it moves there.

    -1 for an unknown that cannot move. Found by putting one unknown for another wherever an equation is left with two; what
    only larger equations together tie is not found.
    """
    starts, unknowns, signs = equations.indptr.tolist(), equations.indices.tolist(), equations.data.tolist()
    rows = [dict(zip(unknowns[a:b], signs[a:b], strict=True)) for a, b in pairwise(starts)]
    places: list[set[int]] = [set() for _ in range(equations.shape[1])]
    for number, row in enumerate(rows):
        for unknown in row:
            places[unknown].add(number)
    parent, ratio = list(range(len(places))), [1.0] * len(places)
    left = [number for number, row in enumerate(rows) if 0 < len(row) <= 2]
    while left:
        row = rows[left.pop()]
        if not row or len(row) > 2:
            continue
        gone, *other = row
        to, by = (other[0], -row[other[0]] / row[gone]) if other else (-1, 0.0)
        parent[gone], ratio[gone] = to, by
        for number in sorted(places[gone]):
            one = rows[number]
            factor = one.pop(gone) * by
            if to >= 0:
                one[to] = one.get(to, 0.0) + factor
                places[to].add(number)
                if abs(one[to]) < _TOLERANCE:
                    del one[to]
                    places[to].discard(number)
            if 0 < len(one) <= 2:
                left.append(number)
    root, step = np.arange(len(places)), np.ones(len(places))
    for unknown in range(len(places)):
        at = unknown
        while at >= 0 and parent[at] != at:
            step[unknown] *= ratio[at]
            at = parent[at]
        root[unknown] = at
    return root, step


def _rows_by_cell(n: int, size: NDArray[np.int64], part: NDArray[np.int64]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(n)]
    for cells in (size, part):
        for row, cell in enumerate(cells):
            if cell >= 0:
                rows[int(cell)].append(row)
    return rows
