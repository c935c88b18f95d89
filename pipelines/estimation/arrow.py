"""Symmetric matrices of the shape of an arrow: 2 x 2 blocks along the diagonal, bordered by a head of a few shared parameters.

Solving with one, and its inverse, take time and memory in proportion to the number of blocks. What the parameters mean does not
belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.estimation.inputs import Floats


@dataclass(frozen=True, slots=True)
class ArrowInverse:
    """The inverse of an arrow matrix of R blocks and a head of m parameters, never written out.

    Rows (i, j) of two blocks have in the inverse: their own block's `own_*` where i = j, plus w_i' C w_j, with w =
    `reach_first` or `reach_second` (m, R) and C the inverse of `head` (m, m), which is what is left of the head once the blocks
    are eliminated.
    """

    own_first: Floats
    own_both: Floats
    own_second: Floats
    reach_first: Floats
    reach_second: Floats
    head: Floats

    def solve(self, first: Floats, second: Floats, head: Floats) -> tuple[Floats, Floats, Floats]:
        """The solution for right-hand sides of the blocks (R,), (R,) and of the head (m,)."""
        shared: Floats = np.asarray(
            np.linalg.solve(self.head, head + self.reach_first @ first + self.reach_second @ second), dtype=np.float64
        )
        return (
            self.own_first * first + self.own_both * second + shared @ self.reach_first,
            self.own_both * first + self.own_second * second + shared @ self.reach_second,
            shared,
        )


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow matrix: `first`, `both`, `second` (R,) of the blocks, `border_first`, `border_second` (m, R), `corner` (m, m).

    From row `n_pairs` on a block has its first parameter only, and what is said of its second is not looked at.
    """

    first: Floats
    both: Floats
    second: Floats
    border_first: Floats
    border_second: Floats
    corner: Floats
    n_pairs: int

    def inverse(self) -> ArrowInverse:
        """The inverse, as far as it is needed; of a matrix that has none, with numbers that are not finite in its head."""
        n = self.n_pairs
        own_first, own_both, own_second = np.empty_like(self.first), np.zeros_like(self.first), np.zeros_like(self.first)
        determinant = self.first[:n] * self.second[:n] - self.both[:n] ** 2
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            own_first[:n] = self.second[:n] / determinant
            own_both[:n] = -self.both[:n] / determinant
            own_second[:n] = self.first[:n] / determinant
            own_first[n:] = 1 / self.first[n:]
            reach_first = -(own_first * self.border_first + own_both * self.border_second)
            reach_second = -(own_both * self.border_first + own_second * self.border_second)
            head = self.corner + self.border_first @ reach_first.T + self.border_second @ reach_second.T
        return ArrowInverse(own_first, own_both, own_second, reach_first, reach_second, 0.5 * (head + head.T))
