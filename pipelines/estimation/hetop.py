"""HETOP: means and spreads of many groups, and the cuts between levels, from counts alone (Reardon, Shear, Castellano & Ho 2017,
J. Educ. Behav. Stat. 42:3-45).

In group g a score is normal with mean mu_g and standard deviation sigma_g, and all groups share the cuts. Log likelihoods know no
scale of their own: the work is done on one where two cuts stay where the pooled students put them, and every scale that is
asked for follows from it by an affine map. What scores mean outside of these counts does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtri

from pipelines.estimation.arrow import Arrow, ArrowInverse
from pipelines.estimation.groups import (
    GroupDerivatives,
    blocks,
    fit_groups,
    group_derivatives,
    n_populated,
    starting_means,
    starting_values,
)
from pipelines.estimation.inputs import (
    MINIMUM_LEVELS,
    EstimationFailed,
    Floats,
    ascending_cuts,
    level_counts,
    refuse_unusable_groups,
)
from pipelines.estimation.rescaling import Gradient, Rescaled, Rows, WorkingEstimates

SecondOrder = Literal["all", "safe", "none"]
MOST_STEPS = 200
SMALLEST_STEP = 1e-9
SETTLED = 1e-6
# Standard errors of the rows by themselves, before the joint fit.
NEAR = 0.03
LARGEST_SPREAD_STEP = 2.0
ROUNDING = 1e-13
# A cut whose standard error is a thousand spreads is not held by any student.
LARGEST_VARIANCE_OF_CUT = 1e6
# How many groups are looked at closely as the lowest (highest), and how many of these are then tried, when within one unit of log
# likelihood of the best. With few groups each is tried.
SHORTLIST = 64
TRIED = 3
FEW_GROUPS = 8


@dataclass(frozen=True, eq=False)
class StandardizedFit:
    """Estimates in the metric of the population: mean 0, variance 1 over all students of all groups.

    `mu`, `sigma`, `se_mu`, `se_sigma` (G,), `cuts` (K-1,); `icc`: the share of the variance that lies between groups, with its
    standard error `se_icc` (that of the students drawn within these groups, not of other groups).
    """

    mu: Floats
    sigma: Floats
    cuts: Floats
    icc: float
    se_icc: float
    se_mu: Floats
    se_sigma: Floats
    _rescaled: Rescaled = field(repr=False)

    def covariance(self, groups: ArrayLike) -> Floats:
        """Covariance matrix (2m, 2m) of the mu, then the sigma, of m chosen groups, given by row (counted from 0)."""
        return self._rescaled.covariance(groups)


@dataclass(frozen=True, eq=False)
class HetopFit:
    """The joint maximum of the likelihood of all groups.

    `mu`, `sigma`, `se_mu`, `se_sigma`, `n` (G,), `cuts` (K-1,), in the scale that was asked for. `status_mu`: `est`, or `min`
    (`max`) of a group wholly in the lowest (highest) level, whose mu is the lowest (highest) estimated one; `status_sigma`:
    `est`, or `mean` of a group with fewer than three populated levels, whose ln sigma is the plain mean of the estimated ones.
    `icc`: the share of variance between groups, not corrected for bias. Standard errors take students as drawn at random within
    groups.
    """

    mu: Floats
    sigma: Floats
    cuts: Floats
    log_likelihood: float
    status_mu: NDArray[np.str_]
    status_sigma: NDArray[np.str_]
    icc: float
    se_mu: Floats
    se_sigma: Floats
    n: Floats
    _rescaled: Rescaled = field(repr=False)
    _estimates: WorkingEstimates = field(repr=False)

    def covariance(self, groups: ArrayLike) -> Floats:
        """Covariance matrix (2m, 2m) of the mu, then the sigma, of m chosen groups, given by row (counted from 0)."""
        return self._rescaled.covariance(groups)

    def standardized(self, bias_corrected: bool = True) -> StandardizedFit:
        """The same estimates in the metric of the population (Reardon et al. 2017, equations 14 to 18).

        `bias_corrected` takes from the variance between groups what is only sampling; it needs two students in every group
        (ValueError otherwise). The groups' shares of the students are taken as known.
        """
        if bias_corrected and (self.n <= 1).any():
            row = int(np.argmax(self.n <= 1)) + 1
            raise ValueError(
                f"the group in row {row} (counted from 1) has one student, for which the correction of bias is not defined; "
                "use bias_corrected=False"
            )
        estimates = self._estimates
        variances = _Variances.of(estimates.mu, estimates.log_sigma, self.n, bias_corrected)
        total = variances.between + variances.within
        no_cuts, no_groups = np.zeros(estimates.cuts.size), np.zeros(self.n.size)
        rescaled = Rescaled(
            estimates,
            variances.mean,
            float(np.sqrt(total)),
            Gradient(self.n / self.n.sum(), no_groups, no_cuts),
            Gradient(variances.by_mu / (2 * total), variances.by_log_sigma / (2 * total), no_cuts),
        )
        icc = variances.between / total
        of_icc = Gradient(
            (variances.by_mu - icc * variances.by_mu) / total,
            (variances.between_by_log_sigma - icc * variances.by_log_sigma) / total,
            no_cuts,
        )
        return StandardizedFit(
            mu=rescaled.mu,
            sigma=rescaled.sigma,
            cuts=rescaled.cuts,
            icc=icc,
            se_icc=float(np.sqrt(max(estimates.variance_of(of_icc), 0.0))),
            se_mu=rescaled.se_mu,
            se_sigma=rescaled.se_sigma,
            _rescaled=rescaled,
        )


@dataclass(frozen=True, slots=True)
class _Variances:
    """Mean, variance between and within groups, and the total's derivatives in each mu and log_sigma (G,).

    The variance within does not depend on mu, so `by_mu` is the variance between groups' as well.
    """

    mean: float
    between: float
    within: float
    by_mu: Floats
    by_log_sigma: Floats
    between_by_log_sigma: Floats

    @staticmethod
    def of(mu: Floats, log_sigma: Floats, n: Floats, bias_corrected: bool) -> _Variances:
        total, share, squared = n.sum(), n / n.sum(), np.exp(2 * log_sigma)
        factor, sampling = 1.0, np.zeros(n.size)
        if bias_corrected:
            harmonic = n.size / (1 / (n - 1)).sum()
            factor = harmonic / (1 + harmonic)
            sampling = factor * (1 - share) / total
        mean = float(share @ mu)
        off = mu - mean
        return _Variances(
            mean,
            float(share @ (off * off) - sampling @ squared),
            float(factor * share @ squared),
            2 * share * off,
            2 * (factor * share - sampling) * squared,
            -2 * sampling * squared,
        )


def fit_hetop(counts: ArrayLike, fixed_cuts: ArrayLike | None = None) -> HetopFit:
    """Fit the model to `counts` (G, K), K >= 3, groups by levels from the lowest; counts need not be whole.

    `fixed_cuts`: the values of the first two cuts, which set the scale; None sets it by sum p mu = 0 and sum p ln sigma = 0, p
    the groups' shares of the students. Sparse groups follow the rules of the R package HETOP (Lockwood 2019), here as
    constraints within the likelihood: see `HetopFit`. Time and memory are in proportion to the number of groups.

    ValueError for bad input: other shapes, missing or negative numbers, an empty group, a level that nobody reached, no group
    in three levels. EstimationFailed where the likelihood has no maximum, as when no group has students on both sides of a cut.
    """
    table = level_counts(counts)
    given = None if fixed_cuts is None else ascending_cuts(fixed_cuts, 2, "fixed_cuts")
    refuse_unusable_groups(table)
    n = table.sum(axis=1)
    problem, point, order = _set_up(table)
    problem, point, log_likelihood = _fit(problem, point)
    estimates = _finish(problem, point, order)
    rescaled = _in_asked_scale(estimates, n, given)
    variances = _Variances.of(estimates.mu, estimates.log_sigma, n, bias_corrected=False)
    return HetopFit(
        mu=rescaled.mu,
        sigma=rescaled.sigma,
        cuts=rescaled.cuts,
        log_likelihood=log_likelihood,
        status_mu=np.where(order.is_bottom, "min", np.where(order.is_top, "max", "est")),
        status_sigma=np.where(order.has_own_spread, "est", "mean"),
        icc=variances.between / (variances.between + variances.within),
        se_mu=rescaled.se_mu,
        se_sigma=rescaled.se_sigma,
        n=n,
        _rescaled=rescaled,
        _estimates=estimates,
    )


def _in_asked_scale(estimates: WorkingEstimates, n: Floats, fixed_cuts: Floats | None) -> Rescaled:
    share, cuts = n / n.sum(), estimates.cuts
    no_cuts, no_groups = np.zeros(cuts.size), np.zeros(n.size)
    if fixed_cuts is None:
        return Rescaled(
            estimates,
            float(share @ estimates.mu),
            float(np.exp(share @ estimates.log_sigma)),
            Gradient(share, no_groups, no_cuts),
            Gradient(no_groups, share, no_cuts),
        )
    width, asked = cuts[1] - cuts[0], fixed_cuts[1] - fixed_cuts[0]
    of_origin, of_log_unit = no_cuts.copy(), no_cuts.copy()
    of_origin[:2] = 1 + fixed_cuts[0] / asked, -fixed_cuts[0] / asked
    of_log_unit[:2] = -1 / width, 1 / width
    rescaled = Rescaled(
        estimates,
        float(cuts[0] - fixed_cuts[0] * width / asked),
        float(width / asked),
        Gradient(no_groups, no_groups, of_origin),
        Gradient(no_groups, no_groups, of_log_unit),
    )
    rescaled.cuts[:2] = fixed_cuts
    return rescaled


@dataclass(frozen=True, slots=True)
class _Order:
    """Which original groups have which part: masks over them, and those with a mu of their own in the order of the rows."""

    has_own_spread: NDArray[np.bool_]
    is_bottom: NDArray[np.bool_]
    is_top: NDArray[np.bool_]
    rows: Rows


@dataclass(frozen=True, slots=True)
class _Problem:
    """Counts (K, R + E): R rows with a mu of their own, the first `n_own` of them with a spread of their own; then E ends.

    An end is all students of the groups wholly in the lowest (highest) level: they have the mu of the row `attached` (E,), and
    `is_low` (E,) says which end it is. Rows without a spread of their own, and ends, have the mean log_sigma of those that do.
    """

    counts: Floats
    n_rows: int
    n_own: int
    free_cuts: Rows
    is_low: tuple[bool, ...]
    attached: Rows

    @property
    def shares_spread(self) -> bool:
        return bool(self.counts.shape[1] > self.n_own)

    @property
    def n_head(self) -> int:
        """Free cuts and, where a spread is shared, that spread and the multiplier that ties it to the mean."""
        return self.free_cuts.size + 2 * self.shares_spread


@dataclass(frozen=True, slots=True)
class _Point:
    """Values of the parameters: `mu` (R,), `log_sigma` (n_own,), all `cuts` (K-1,)."""

    mu: Floats
    log_sigma: Floats
    cuts: Floats


@dataclass(frozen=True, slots=True)
class _System:
    """Log likelihood at a point, its slopes in mu and log_sigma (R,) and in the head (m,), and the matrix of a Newton step."""

    log_likelihood: float
    mu: Floats
    log_sigma: Floats
    head: Floats
    arrow: Arrow


def _set_up(table: Floats) -> tuple[_Problem, _Point, _Order]:
    """Rows in order, and first values: cuts from the pooled students, then each row by itself."""
    by_level = table.T
    n, n_levels = by_level.sum(axis=0), by_level.shape[0]
    own = n_populated(by_level) >= MINIMUM_LEVELS
    bottom, top = by_level[0] == n, by_level[-1] == n
    rows = np.concatenate([np.flatnonzero(own), np.flatnonzero(~own & ~bottom & ~top)])
    ends = [(level, float(n[mask].sum())) for level, mask in ((0, bottom), (n_levels - 1, top)) if mask.any()]
    counts = np.zeros((n_levels, rows.size + len(ends)))
    counts[:, : rows.size] = by_level[:, rows]
    for position, (level, size) in enumerate(ends):
        counts[level, rows.size + position] = size

    pooled = by_level.sum(axis=1) / n.sum()
    cuts = ndtri(np.cumsum(pooled)[:-1])
    held = _cuts_to_hold(np.cumsum(pooled)[:-1])
    n_own = int(own.sum())
    problem = _Problem(
        counts=counts,
        n_rows=rows.size,
        n_own=n_own,
        free_cuts=np.setdiff1d(np.arange(n_levels - 1), held),
        is_low=tuple(level == 0 for level, _ in ends),
        attached=np.zeros(len(ends), dtype=np.int64),
    )
    mu, log_sigma = np.empty(rows.size), np.empty(n_own)
    for block in blocks(n_own):
        mu[:n_own][block], log_sigma[block] = starting_values(counts[:, :n_own][:, block], cuts[:, None])
    yes = np.ones(n_own, dtype=bool)
    mu[:n_own], log_sigma = fit_groups(counts[:, :n_own], cuts, mu[:n_own], log_sigma, yes, tolerance=NEAR)
    if rows.size > n_own:
        others = counts[:, n_own : rows.size]
        shared, no = np.full(others.shape[1], log_sigma.mean()), np.zeros(others.shape[1], dtype=bool)
        mu[n_own:], _ = fit_groups(others, cuts, starting_means(others, cuts, shared), shared, no, tolerance=NEAR)
    return problem, _Point(mu, log_sigma, cuts), _Order(own, bottom, top, rows)


def _cuts_to_hold(below: Floats) -> tuple[int, int]:
    """The two cuts that divide the students best: of the three parts that they leave, the smallest is largest."""
    pairs = [(i, j) for i in range(below.size) for j in range(i + 1, below.size)]
    return max(pairs, key=lambda pair: min(below[pair[0]], below[pair[1]] - below[pair[0]], 1 - below[pair[1]]))


def _system(problem: _Problem, point: _Point, second_order: SecondOrder) -> _System:
    """The matrix is minus the second derivatives: `all` of them, `safe` (a row whose own are not those of a maximum is given the
    part that never is negative), or `none` (that part alone, for every row).
    """
    n_rows, n_own, free = problem.n_rows, problem.n_own, problem.free_cuts
    n_all, n_free, m = problem.counts.shape[1], free.size, problem.n_head
    shared = float(point.log_sigma.mean())
    all_mu = np.concatenate([point.mu, point.mu[problem.attached]])
    all_spread = np.concatenate([point.log_sigma, np.full(n_all - n_own, shared)])
    slope_mu, slope_spread, slope_head = np.empty(n_all), np.empty(n_all), np.zeros(m)
    first, both, second = np.empty(n_all), np.empty(n_all), np.empty(n_all)
    border_first, border_second, corner = np.zeros((m, n_all)), np.zeros((m, n_all)), np.zeros((m, m))
    log_likelihood = 0.0
    is_neighbour = np.flatnonzero(np.diff(free) == 1)
    for block in blocks(n_all):
        found = group_derivatives(problem.counts[:, block], point.cuts[:, None], all_mu[block], all_spread[block])
        log_likelihood += float(found.log_likelihood.sum())
        slope_mu[block], slope_spread[block] = found.slope_mu, found.slope_spread
        first[block] = found.information_mu
        weight = _weight_of_second_order(found, second_order, n_own - block.start)
        both[block] = found.information_both + weight * found.slope_mu
        second[block] = found.information_spread + weight * found.slope_spread
        alpha, squared = found.alpha, found.alpha * found.alpha
        border_first[:n_free, block] = -squared * found.pull[free]
        border_second[:n_free, block] = alpha * (weight * found.levels.slope[free] - found.turn[free])
        slope_head[:n_free] += found.levels.slope[free] @ alpha
        corner[np.arange(n_free), np.arange(n_free)] += found.levels.curvature[free] @ squared
        between = found.levels.coupling[free[is_neighbour]] @ squared
        corner[is_neighbour, is_neighbour + 1] += between
        corner[is_neighbour + 1, is_neighbour] += between
    if problem.shares_spread:
        spread, multiplier = n_free, n_free + 1
        slope_head[spread] = slope_spread[n_own:].sum()
        corner[spread, spread] = second[n_own:].sum()
        corner[spread, :n_free] = corner[:n_free, spread] = border_second[:n_free, n_own:].sum(axis=1)
        corner[spread, multiplier] = corner[multiplier, spread] = n_own
        border_first[spread, n_own:] = both[n_own:]
        border_second[multiplier, :n_own] = -1.0
    slope_spread[n_own:] = 0.0
    for end, row in enumerate(problem.attached, start=n_rows):
        first[row] += first[end]
        slope_mu[row] += slope_mu[end]
        border_first[:, row] += border_first[:, end]
    first, both, second, border_first, border_second = (
        part[..., :n_rows] for part in (first, both, second, border_first, border_second)
    )
    arrow = Arrow(first, both, second, border_first, border_second, corner, n_own)
    return _System(log_likelihood, slope_mu[:n_rows], slope_spread[:n_rows], slope_head, arrow)


def _weight_of_second_order(found: GroupDerivatives, second_order: SecondOrder, n_own: int) -> Floats | float:
    """1 where the second derivatives are used whole, 0 where only the part that never is negative is.

    Rows from `n_own` on have no spread of their own: theirs are judged in the head, with all others'.
    """
    if second_order != "safe":
        return float(second_order == "all")
    both = found.information_both + found.slope_mu
    spread = found.information_spread + found.slope_spread
    is_safe = (spread > 0) & (found.information_mu * spread - both * both > 1e-6 * found.information_mu * spread)
    is_safe[max(n_own, 0) :] = True
    return is_safe.astype(np.float64)


def _maximise(problem: _Problem, point: _Point) -> tuple[_Point, float]:
    """Newton's method from `point`, with steps halved until they lead upwards; the point and its log likelihood."""
    system = _system(problem, point, "all")
    for _ in range(MOST_STEPS):
        step = _newton_step(problem, point, system)
        if step is None:
            break
        if step.largest < SETTLED:
            return step.taken(point, 1.0), system.log_likelihood + 0.5 * step.gain
        before, length = system.log_likelihood, step.longest
        while length > SMALLEST_STEP:
            reached = step.taken(point, length)
            if (np.diff(reached.cuts) > 0).all():
                system = _system(problem, reached, "all")
                if system.log_likelihood >= before + 1e-4 * length * step.gain - ROUNDING * abs(before):
                    break
            length *= 0.5
        else:
            break
        point = reached
    raise EstimationFailed(
        "the likelihood of these counts has no maximum that could be reached: the levels of some groups hardly overlap with "
        "those of the others; merge the levels that few groups share, or leave out the groups that stand apart"
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """A way to go in mu, log_sigma and all cuts, and by how much it raises the log likelihood at first (`gain`).

    `largest`: its largest part, in spreads; `longest`: how much of it is tried, so that no spread is multiplied beyond reason.
    """

    mu: Floats
    log_sigma: Floats
    cuts: Floats
    gain: float
    largest: float
    longest: float

    def taken(self, point: _Point, length: float) -> _Point:
        return _Point(point.mu + length * self.mu, point.log_sigma + length * self.log_sigma, point.cuts + length * self.cuts)


def _newton_step(problem: _Problem, point: _Point, system: _System) -> _Step | None:
    """The step to the top of the quadratic that the likelihood is near `point`; None where even its surest form has none."""
    inverse = system.arrow.inverse()
    cautious: SecondOrder
    for cautious in ("safe", "none"):
        if _has_maximum(system, inverse, problem.shares_spread):
            break
        system = _system(problem, point, cautious)
        inverse = system.arrow.inverse()
    else:
        if not _has_maximum(system, inverse, problem.shares_spread):
            return None
    d_mu, d_spread, d_head = inverse.solve(system.mu, system.log_sigma, system.head)
    gain = float(system.mu @ d_mu + system.log_sigma @ d_spread + system.head @ d_head)
    d_spread, d_cuts = d_spread[: problem.n_own], np.zeros(point.cuts.size)
    d_cuts[problem.free_cuts] = d_head[: problem.free_cuts.size]
    typical = float(point.log_sigma.mean())
    spreads = np.concatenate([point.log_sigma, np.full(problem.n_rows - problem.n_own, typical)])
    widest = float(np.abs(d_spread).max())
    largest = max(widest, float(np.abs(d_mu * np.exp(-spreads)).max()), float(np.abs(d_cuts).max() * np.exp(-typical)))
    return _Step(d_mu, d_spread, d_cuts, gain, largest, min(1.0, LARGEST_SPREAD_STEP / max(widest, 1e-300)))


def _has_maximum(system: _System, inverse: ArrowInverse, n_ties: int) -> bool:
    """Whether the quadratic that a Newton step climbs has a top under its `n_ties` constraints (0 or 1).

    It has where exactly as many of the whole matrix's eigenvalues are negative; those of the blocks and of what they leave of the
    head are counted apart (Haynsworth 1968, Linear Algebra Appl. 1:73-81).
    """
    if not np.isfinite(inverse.head).all():
        return False
    arrow, n = system.arrow, system.arrow.n_pairs
    determinant = arrow.first[:n] * arrow.second[:n] - arrow.both[:n] ** 2
    in_blocks = np.count_nonzero(determinant < 0) + 2 * np.count_nonzero((determinant > 0) & (arrow.first[:n] < 0))
    in_head = np.linalg.eigvalsh(inverse.head)
    return bool(in_blocks + np.count_nonzero(in_head < 0) == n_ties and (in_head != 0).all() and (determinant != 0).all())


def _fit(problem: _Problem, point: _Point) -> tuple[_Problem, _Point, float]:
    """The joint maximum, also over which row is the lowest (highest), to whose mu the groups wholly in an end level are tied.

    Those groups pull that row away from the others, so it need not be the one that is lowest without them: a small group is
    cheaper to pull. Because their likelihood falls as that mu rises, the maximum under "tied to the lowest" is the greatest of
    the maxima under "tied to row h", over all h.
    """
    ranked = [_candidates(problem, point, end) for end in range(problem.attached.size)]
    if not ranked:
        return problem, *_maximise(problem, point)
    chosen = [candidates[0] for candidates in ranked]
    best = _fit_attached(problem, _pulled_to(point, point, problem.attached, chosen), chosen)
    for end, candidates in enumerate(ranked):
        for candidate in candidates[1:]:
            trial = [*chosen[:end], candidate, *chosen[end + 1 :]]
            found = _fit_attached(problem, _pulled_to(best[1], point, best[0].attached, trial), trial)
            if found[2] > best[2]:
                best, chosen = found, trial
    return best


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A row that may be the lowest (highest), and where it lies once the groups of the end pull at it."""

    row: int
    mu: float
    log_sigma: float


def _pulled_to(point: _Point, free: _Point, released: Rows, chosen: list[_Candidate]) -> _Point:
    """`point` with the `released` rows back where they are by themselves and the chosen ones where they are pulled to."""
    mu, log_sigma = point.mu.copy(), point.log_sigma.copy()
    mu[released] = free.mu[released]
    own = released[released < log_sigma.size]
    log_sigma[own] = free.log_sigma[own]
    for candidate in chosen:
        mu[candidate.row] = candidate.mu
        if candidate.row < log_sigma.size:
            log_sigma[candidate.row] = candidate.log_sigma
    return _Point(mu, log_sigma, point.cuts)


def _candidates(problem: _Problem, point: _Point, end: int) -> list[_Candidate]:
    """Rows that are likeliest to be the one that the groups of an end are tied to, the best first.

    All rows are ranked by the quadratic that their own likelihood is near its top, the best of these by the likelihood itself.
    """
    n_rows, n_own = problem.n_rows, problem.n_own
    shared = float(point.log_sigma.mean())
    without_ends = replace(problem, counts=problem.counts[:, :n_rows], is_low=(), attached=np.empty(0, dtype=np.int64))
    variance = _system(without_ends, point, "none").arrow.inverse().own_first
    size = problem.counts[:, n_rows + end].sum()
    sign, cut = (1.0, point.cuts[0]) if problem.is_low[end] else (-1.0, point.cuts[-1])
    gap = sign * (point.mu - cut)
    score = np.full(n_rows, -np.inf)
    for target in np.exp(shared) * np.linspace(-6.0, 4.0, 41):
        cost = np.maximum(gap - target, 0.0) ** 2 / (2 * variance)
        score = np.maximum(score, size * log_ndtr(-target * np.exp(-shared)) - cost)
    count = min(n_rows, SHORTLIST)
    short = np.union1d(np.argpartition(-score, count - 1)[:count], np.argpartition(gap, min(count, 8) - 1)[:8])
    own = short < n_own
    log_sigma = np.where(own, np.append(point.log_sigma, shared)[np.minimum(short, n_own)], shared)
    pull = problem.counts[:, n_rows + end, None]
    mu, log_sigma, gain = _pulled(problem.counts[:, short], pull, point.cuts[:, None], point.mu[short], log_sigma, own, shared)
    order = np.argsort(-gain, kind="stable")
    if n_rows > FEW_GROUPS:
        # One that stays above another would hand its place to that one, which is tried itself.
        lowest, next_lowest = np.partition(gap, 1)[:2]
        others = np.where(gap[short] == lowest, next_lowest, lowest)
        order = order[((sign * (mu - cut) <= others) | (gap[short] == lowest))[order]]
        order = order[:TRIED][gain[order[:TRIED]] > gain[order[0]] - 1]
    return [_Candidate(int(short[i]), float(mu[i]), float(log_sigma[i])) for i in order]


def _pulled(
    counts: Floats, pull: Floats, cuts: Floats, mu: Floats, log_sigma: Floats, own: NDArray[np.bool_], shared: float
) -> tuple[Floats, Floats, Floats]:
    """Where each row goes when the students `pull` (K, 1), of spread `shared`, have its mu; and the log likelihood that is
    gained.

    Near the maximum is near enough: it only ranks the rows and starts the joint fit.
    """
    step_mu, step_spread = np.zeros_like(mu), np.zeros_like(mu)
    value, alone = np.full(mu.size, -np.inf), group_derivatives(counts, cuts, mu, log_sigma).log_likelihood
    for _ in range(40):
        at_mu, at_spread = mu + step_mu, log_sigma + step_spread
        row = group_derivatives(counts, cuts, at_mu, at_spread)
        end = group_derivatives(np.broadcast_to(pull, counts.shape), cuts, at_mu, np.full(mu.size, shared))
        reached = row.log_likelihood + end.log_likelihood
        up = reached >= value
        mu, log_sigma, value = np.where(up, at_mu, mu), np.where(up, at_spread, log_sigma), np.where(up, reached, value)
        a, b = row.information_mu + end.information_mu, np.where(own, row.information_both, 0.0)
        c = np.where(own, row.information_spread, 1.0)
        by_mu, by_spread = row.slope_mu + end.slope_mu, np.where(own, row.slope_spread, 0.0)
        determinant = a * c - b * b
        next_mu, next_spread = (c * by_mu - b * by_spread) / determinant, (a * by_spread - b * by_mu) / determinant
        length = 1 / np.maximum(1, np.abs(next_spread))
        step_mu, step_spread = np.where(up, length * next_mu, step_mu / 2), np.where(up, length * next_spread, step_spread / 2)
    return mu, log_sigma, value - alone


def _fit_attached(problem: _Problem, point: _Point, chosen: list[_Candidate]) -> tuple[_Problem, _Point, float]:
    """The maximum with the ends tied to the chosen rows, or to the lowest (highest) wherever that turns out to be another."""
    attached = np.array([candidate.row for candidate in chosen], dtype=np.int64)
    for _ in range(MOST_STEPS):
        problem = replace(problem, attached=attached)
        point, log_likelihood = _maximise(problem, point)
        extreme = [int(point.mu.argmin() if is_low else point.mu.argmax()) for is_low in problem.is_low]
        # Rows with the same counts may share the place.
        if not np.any(np.abs(point.mu[extreme] - point.mu[attached]) > SETTLED * np.exp(point.log_sigma.mean())):
            return problem, point, log_likelihood
        attached = np.array(extreme, dtype=np.int64)
    raise EstimationFailed("it cannot be settled which group is the lowest or highest; leave out groups wholly in an end level")


def _finish(problem: _Problem, point: _Point, order: _Order) -> WorkingEstimates:
    """The estimates in the original order of the groups, with the inverse information at the maximum."""
    n_rows, n_own = problem.n_rows, problem.n_own
    system = _system(problem, point, "all")
    inverse = system.arrow.inverse()
    typical = float(point.log_sigma.mean())
    if not _has_maximum(system, inverse, problem.shares_spread):
        raise EstimationFailed(
            "the likelihood has no clear maximum at these counts; merge levels, or leave out the smallest groups"
        )
    n_free = problem.free_cuts.size
    variance = np.diag(np.linalg.inv(inverse.head))[:n_free] * np.exp(-2 * typical) if n_free else np.zeros(0)
    if (variance > LARGEST_VARIANCE_OF_CUT).any():
        level = int(problem.free_cuts[int(variance.argmax())]) + 1
        raise EstimationFailed(
            f"the cut between levels {level} and {level + 1} is held by no group with students on both sides of it; "
            "merge the two levels"
        )
    # One row more, for the spread of the groups wholly in an end level: nothing of its own, the shared spread from the head.
    own_first, own_both, own_second = (np.append(part, 0.0) for part in (inverse.own_first, inverse.own_both, inverse.own_second))
    reach_first, reach_second = (np.pad(part, ((0, 0), (0, 1))) for part in (inverse.reach_first, inverse.reach_second))
    if problem.shares_spread:
        reach_second[n_free, n_own:] = 1.0
    row = np.full(order.is_bottom.size, n_rows, dtype=np.int64)
    row[order.rows] = np.arange(n_rows)
    mu_row = row.copy()
    for is_low, attached in zip(problem.is_low, problem.attached, strict=True):
        mu_row[order.is_bottom if is_low else order.is_top] = attached
    return WorkingEstimates(
        mu=point.mu[mu_row],
        log_sigma=np.concatenate([point.log_sigma, np.full(n_rows + 1 - n_own, typical)])[row],
        cuts=point.cuts,
        inverse=ArrowInverse(own_first, own_both, own_second, reach_first, reach_second, inverse.head),
        free_cuts=problem.free_cuts,
        mu_row=mu_row,
        spread_row=row,
    )
