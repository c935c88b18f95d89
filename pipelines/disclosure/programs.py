"""Mixed integer programs of the suppressor, handed to HiGHS. What a program says does not belong here."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array


@dataclass(frozen=True)
class Solved:
    """The best numbers found, and the bound that was proved for what they cost."""

    numbers: NDArray[np.float64]
    bound: float


def quiet_solver() -> highspy.Highs:
    """A solver that says nothing and takes one processor, so that the same program gives the same answer."""
    solver: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, chosen in (("output_flag", False), ("threads", 1), ("random_seed", 0)):
        solver.setOptionValue(name, chosen)
    return solver


def model_of(
    cost: NDArray[np.float64],
    matrix: csr_array | csc_array,
    rows: tuple[NDArray[np.float64], NDArray[np.float64]],
    columns: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> highspy.HighsLp:
    """The linear program min cost @ x, rows[0] <= matrix @ x <= rows[1], columns[0] <= x <= columns[1]."""
    by_column = csc_array(matrix)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), by_column.shape[0]
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, columns[0], columns[1]
    model.row_lower_, model.row_upper_ = rows
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = by_column.indptr
    model.a_matrix_.index_, model.a_matrix_.value_ = by_column.indices, by_column.data
    return model


def solved(model: highspy.HighsLp, whole: NDArray[np.bool_], nodes: int) -> Solved | None:
    """The least cost with whole numbers where `whole` says so, by no more than `nodes` branches; None where nothing was found."""
    model.integrality_ = [highspy.HighsVarType.kInteger if one else highspy.HighsVarType.kContinuous for one in whole]
    solver = quiet_solver()
    solver.setOptionValue("mip_max_nodes", nodes)
    solver.passModel(model)
    solver.run()
    info = solver.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    return Solved(np.asarray(solver.getSolution().col_value), float(info.mip_dual_bound))
