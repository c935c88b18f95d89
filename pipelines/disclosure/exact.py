"""The cheapest values to hide in one small block, proved by a mixed integer program.

For every count that must be open the program holds two other tables, one that has it far enough above and one below; a shown
count may differ in them only if every value that shows it is hidden, and the weight of what is hidden is least (M. Fischetti
and J. J. Salazar, 2001, Solving the Cell Suppression Problem on Tabular Data with Linear Constraints, Management Science 47,
model 3.1, with tables written out). How larger blocks are searched belongs to `search`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, eye_array, hstack, kron, vstack

from pipelines.disclosure.programs import model_of, solved
from pipelines.disclosure.search import HIDDEN, RANGE, SHOWN, Block

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


def least_hidden(block: Block) -> Least | None:
    """The cheapest further values to hide; None where the block is too large, nothing has to be opened, or nothing opens it."""
    is_visible = block.state <= RANGE
    candidates = np.flatnonzero(is_visible)
    shows = [(int(row), int(cell)) for row in candidates for cell in _cells(block, int(row))]
    known = block.fixed.copy()
    known[[cell for _, cell in shows]] = True
    goals = _goals(block, known)
    n, n_rows = len(block.value), len(candidates)
    if not goals or n_rows > MOST_VALUES or len(goals) * n > MOST_NUMBERS:
        return None
    lower, upper = np.zeros(n), np.full(n, np.inf)
    ranged = np.flatnonzero((block.state == RANGE) & (block.row_part >= 0))
    most = float(block.value.max(initial=0.0)) + float(block.reach.max(initial=0.0))
    place = {int(row): k for k, row in enumerate(candidates)}
    # One table: numbers may differ from the true ones as far as hidden values let them.
    ties = [(cell, place[row], most, -np.inf, np.inf) for row, cell in shows if not block.fixed[cell]]
    for row in ranged:
        cell = int(block.row_part[row])
        if not known[cell]:
            ties.append((cell, place[int(row)], most, block.row_lower[row], block.row_upper[row]))
    lower[block.fixed], upper[block.fixed] = block.value[block.fixed], block.value[block.fixed]
    table_rows, table_columns, low, high = _ties(block, ties, n_rows)
    each = eye_array(len(goals))
    equal = hstack([csr_array((block.matrix.shape[0] * len(goals), n_rows)), kron(each, block.matrix)])
    bound_rows = hstack([vstack([table_columns] * len(goals)), kron(each, table_rows)])
    zero = np.zeros(equal.shape[0])
    all_lower = np.concatenate([np.zeros(n_rows), np.tile(lower, len(goals))])
    all_upper = np.concatenate([(~block.kept[candidates]).astype(float), np.tile(upper, len(goals))])
    for g, (cell, goal, is_up) in enumerate(goals):
        at = n_rows + g * n + cell
        if is_up:
            all_lower[at] = max(all_lower[at], goal)
        else:
            all_upper[at] = min(all_upper[at], goal)
    if (all_lower > all_upper).any():
        return None
    found = solved(
        model_of(
            np.concatenate([block.weight[candidates], np.zeros(len(goals) * n)]),
            vstack([equal, bound_rows]).tocsr(),
            (np.concatenate([zero, np.tile(low, len(goals))]), np.concatenate([zero, np.tile(high, len(goals))])),
            (all_lower, all_upper),
        ),
        np.concatenate([np.ones(n_rows, dtype=bool), np.zeros(len(goals) * n, dtype=bool)]),
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


def _goals(block: Block, known: NDArray[np.bool_]) -> list[tuple[int, float, bool]]:
    """Small hidden counts: how far another table must have each, above and below."""
    small = np.flatnonzero(block.asked & ~known & (block.value < block.large))
    above = [(int(cell), float(block.reach[cell]), True) for cell in small if block.value[cell] < block.reach[cell]]
    below = [(int(cell), float(block.sink[cell]), False) for cell in small if block.value[cell] > block.sink[cell]]
    return above + below


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
