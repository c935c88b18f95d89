"""The cheapest values to hide in one small block, proved by a mixed integer program.

For every count that must be open the program holds two other tables, one that has it far enough above and one below; a shown
count may differ in them only if every value that shows it is hidden, and the weight of what is hidden is least (M. Fischetti
and J. J. Salazar, 2001, Solving the Cell Suppression Problem on Tabular Data with Linear Constraints, Management Science 47,
model 3.1, with tables written out). What counts need once they are hidden themselves is asked only where they are: there the
table is bound as far as no value shows them. How larger blocks are searched belongs to `search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, eye_array, hstack, kron, vstack

from pipelines.disclosure.programs import model_of, solved
from pipelines.disclosure.search import HIDDEN, RANGE, SHOWN, Block, Goal

# Blocks and programs up to this size are solved exactly: values that may be hidden, and numbers in all tables together.
MOST_VALUES = 100
MOST_NUMBERS = 1200
# Branches that are looked at; beyond them the best table so far is taken, and its distance from the proved bound is told.
NODES = 20


@dataclass(frozen=True)
class Least:
    """`state` of every value; `weight` of what is hidden, and the `bound` that was proved for it."""

    state: NDArray[np.int8]
    weight: float
    bound: float


def least_hidden(block: Block, also: Sequence[Goal] = ()) -> Least | None:
    """The cheapest further values to hide; None where the block is too large, nothing has to be opened, or nothing opens it.

    `also`: goals beside those of the small counts, each only where its counts are hidden.
    """
    candidates = np.flatnonzero(block.state <= RANGE)
    place = {int(row): k for k, row in enumerate(candidates)}
    shows = [(int(row), cell) for row in candidates for cell in _cells(block, int(row))]
    known = block.fixed.copy()
    known[[cell for _, cell in shows]] = True
    goals = _goals(block, known, also)
    n, n_rows, n_tables = len(block.value), len(candidates), len(goals)
    if not goals or n_rows > MOST_VALUES or n_tables * n > MOST_NUMBERS:
        return None
    ranged = [(int(row), int(block.row_part[row])) for row in np.flatnonzero((block.state == RANGE) & (block.row_part >= 0))]
    most = max(float(block.value.max(initial=0.0)), *(goal.number for goal in goals)) + float(block.reach.max(initial=0.0))
    # One table: numbers may differ from the true ones as far as hidden values let them.
    ties = [(cell, place[row], most, -np.inf, np.inf) for row, cell in shows if not block.fixed[cell]]
    ties += [(cell, place[row], most, block.row_lower[row], block.row_upper[row]) for row, cell in ranged if not known[cell]]
    table_rows, table_columns, low, high = _ties(block, ties, n_rows)
    each = eye_array(n_tables)
    equal = hstack([csr_array((block.matrix.shape[0] * n_tables, n_rows)), kron(each, block.matrix)])
    tied = hstack([vstack([table_columns] * n_tables), kron(each, table_rows)])
    shown_by: dict[int, set[int]] = {}
    for row, cell in shows:
        shown_by.setdefault(cell, set()).add(place[row])
    once_hidden, conditions, bounds = _reached(block, goals, shown_by, n_rows)
    all_lower = np.concatenate([np.zeros(n_rows), bounds[0].ravel()])
    all_upper = np.concatenate([(~block.kept[candidates]).astype(float), bounds[1].ravel()])
    if (all_lower > all_upper).any():
        return None
    zero = np.zeros(equal.shape[0])
    found = solved(
        model_of(
            np.concatenate([block.weight[candidates], np.zeros(n_tables * n)]),
            vstack([equal, tied, once_hidden]).tocsr(),
            (
                np.concatenate([zero, np.tile(low, n_tables), conditions[0]]),
                np.concatenate([zero, np.tile(high, n_tables), conditions[1]]),
            ),
            (all_lower, all_upper),
        ),
        np.concatenate([np.ones(n_rows, dtype=bool), np.zeros(n_tables * n, dtype=bool)]),
        NODES,
    )
    if found is None:
        return None
    is_chosen = found.numbers[:n_rows] > 0.5
    state = block.state.copy()
    state[candidates[is_chosen]] = HIDDEN
    return Least(state, float(block.weight[candidates][is_chosen].sum()), found.bound)


def _cells(block: Block, row: int) -> list[int]:
    """The counts that a visible value shows exactly."""
    cells = [int(block.row_size[row])]
    if block.state[row] == SHOWN:
        cells.append(int(block.row_part[row]))
    return [cell for cell in cells if cell >= 0]


def _goals(block: Block, known: NDArray[np.bool_], also: Sequence[Goal]) -> list[Goal]:
    """How far another table must have each small hidden count, above and below, and what else is asked."""
    small = np.flatnonzero(block.asked & ~known & (block.value < block.large))
    above = [Goal(int(cell), float(block.reach[cell]), True) for cell in small if block.value[cell] < block.reach[cell]]
    below = [Goal(int(cell), float(block.sink[cell]), False) for cell in small if block.value[cell] > block.sink[cell]]
    goals = above + below
    return goals + [goal for goal in also if goal not in goals]


def _reached(
    block: Block, goals: Sequence[Goal], shown_by: dict[int, set[int]], n_rows: int
) -> tuple[csr_array, tuple[NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """What the goals ask of their tables: lines for what is asked once values are hidden, their ends, and bounds of all numbers.

    Shapes: lines (conditions, values and numbers of all tables), bounds (tables, cells).
    """
    n, n_tables = len(block.value), len(goals)
    lower, upper = np.zeros((n_tables, n)), np.full((n_tables, n), np.inf)
    lower[:, block.fixed] = upper[:, block.fixed] = block.value[block.fixed]
    entries: list[tuple[int, int, float]] = []
    low: list[float] = []
    high: list[float] = []
    for table, goal in enumerate(goals):
        if goal.held >= 0:
            lower[table, goal.held] = upper[table, goal.held] = block.value[goal.held]
        values = shown_by.get(goal.cell, set()) | shown_by.get(goal.held, set())
        if not values:
            ends = lower if goal.is_up else upper
            ends[table, goal.cell] = (max if goal.is_up else min)(ends[table, goal.cell], goal.number)
            continue
        # Every value that is not hidden takes off as much as the goal is away.
        away = abs(goal.number - float(block.value[goal.cell])) * (1 if goal.is_up else -1)
        line = len(low)
        entries += [(line, n_rows + table * n + goal.cell, 1.0), *((line, value, -away) for value in values)]
        end = goal.number - away * len(values)
        low.append(end if goal.is_up else -np.inf)
        high.append(np.inf if goal.is_up else end)
    lines, columns, numbers = zip(*entries, strict=True) if entries else ((), (), ())
    once_hidden = coo_array((np.array(numbers, dtype=float), (lines, columns)), shape=(len(low), n_rows + n_tables * n)).tocsr()
    return once_hidden, (np.array(low), np.array(high)), (lower, upper)


def _ties(
    block: Block, ties: list[tuple[int, int, float, float, float]], n_rows: int
) -> tuple[csr_array, csr_array, NDArray[np.float64], NDArray[np.float64]]:
    """Per tie two lines: y <= (value or the range's end) + most * hidden, and y >= the same below."""
    n, k = len(block.value), len(ties)
    cell = np.array([tie[0] for tie in ties], dtype=np.int64)
    row = np.array([tie[1] for tie in ties], dtype=np.int64)
    most = np.array([tie[2] for tie in ties])
    value = block.value[cell]
    least = np.where(np.isinf([tie[3] for tie in ties]), value, [tie[3] for tie in ties])
    greatest = np.where(np.isinf([tie[4] for tie in ties]), value, [tie[4] for tie in ties])
    lines = np.arange(k)
    numbers = coo_array((np.ones(2 * k), (np.arange(2 * k), np.tile(cell, 2))), shape=(2 * k, n)).tocsr()
    hidden = coo_array(
        (np.concatenate([-most, most]), (np.concatenate([lines, k + lines]), np.tile(row, 2))), shape=(2 * k, n_rows)
    )
    low = np.concatenate([np.full(k, -np.inf), least])
    high = np.concatenate([greatest, np.full(k, np.inf)])
    return numbers, hidden.tocsr(), low, high
