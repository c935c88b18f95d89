"""Which values are hidden, which are shown as ranges: small groups first, then whatever would give them back.

First every value is judged by itself (`first_states`). Then each block of counts that hang together is searched for the
cheapest further values that leave every hidden count open. At the deadline the rest of a block is hidden whole: more, never
less. How tables are written and what else a release holds does not belong here.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from pipelines.disclosure.bands import range_width
from pipelines.disclosure.cells import PEOPLE, SHARE, System, system_of
from pipelines.disclosure.exact import least_hidden
from pipelines.disclosure.search import ABSENT, HIDDEN, RANGE, SHOWN, Block, Opened, opened

CONFIDENTIAL, IN_RANGE = "c", "r"
# Adults are protected by the number of their schools too: two schools know each other.
SCHOOLS_OF_ADULTS = 3
WEIGHT_OF_A_TOTAL = 4.0
STEPS_BETWEEN_WORDS = 200
# People beside a numerator, those left of them beside parts, and what of these is left.
DEPTH_OF_LEFTOVERS = 3
_CLOSE = 1e-6
# A table that is cheaper by less than this is not worth another search.
SAVING = 1e-6
MOST_VALUES_TO_SHOW_AGAIN = 200
NUMBERS = ("numerator", "denominator", "value", "standard_error", "lower", "upper", "n", "n_schools", "response_rate")
NOT_IN_A_RANGE = ("numerator", "value", "standard_error", "lower", "upper", "response_rate")


@dataclass(frozen=True)
class Suppressed:
    """What became of each value, in the order of the table: SHOWN, RANGE, HIDDEN or ABSENT (it had no number).

    `first`: the same before anything was hidden for the sake of another. `n_late_blocks`: blocks that the deadline ended,
    `n_hidden_whole`: values that were hidden because the rest of their block was. `n_not_open`: counts that nothing opened by
    itself. `weight`: of the values hidden for others; `weight_bounded`: the part of it in blocks for which the least possible
    was proved, which is `bound`.
    """

    state: NDArray[np.int8]
    first: NDArray[np.int8]
    at_least: NDArray[np.float64]
    at_most: NDArray[np.float64]
    n_cells: int
    n_blocks: int
    n_programs: int
    n_late_blocks: int
    n_hidden_whole: int
    n_not_open: int
    weight: float
    weight_bounded: float
    bound: float


# What was hidden in one block, the weight of it, and the bound that was proved for that.
Answer = tuple[Opened, float, float | None]
# What a release tells of each value: the number of people and the numerator, nan where it does not.
Told = tuple[NDArray[np.float64], NDArray[np.float64]]
# Answers by the digest of their block, for whoever asks about nearly the same table again.
Memory = dict[bytes, Answer]


def first_states(
    values: pl.DataFrame, counts: pl.DataFrame, minimum: pl.DataFrame
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.float64]]:
    """What each value may show by itself: state, and for a range its ends (nan elsewhere)."""
    kinds = _kinds(values, counts)
    table = values.select(
        *(pl.col(name) for name in ("numerator", "denominator", "n", "n_schools", "symbol", "district", "unit", "value"))
    ).hstack(kinds)
    table = table.join(
        minimum.select("district", "minimum_n"), on="district", how="left", maintain_order="left", nulls_equal=True
    )
    m = table.select(pl.col("minimum_n").fill_null(minimum["minimum_n"].max()).cast(pl.Float64)).to_series().to_numpy()
    size = table.select(pl.coalesce("denominator", pl.col("n").cast(pl.Float64)).cast(pl.Float64)).to_series().to_numpy()
    part = table["numerator"].cast(pl.Float64).to_numpy()
    of, part_of = table["of"].fill_null("nothing").to_numpy(), table["part_of"].fill_null("nothing").to_numpy()
    is_share = (table["unit"] == SHARE).fill_null(value=False).to_numpy()
    of_people = np.isin(of, PEOPLE)
    # Positions and hours are no people, but few of them are few people: of an indicator about people every n is one.
    about_people = values["indicator_id"].is_in(counts.filter(pl.col("of").is_in(PEOPLE))["indicator_id"].unique().to_list())
    n = table["n"].cast(pl.Float64).to_numpy()
    part_is_people = np.isin(part_of, PEOPLE)
    with np.errstate(invalid="ignore"):
        says_no_size = np.isnan(size) & (of != "nothing")
        is_small = ((of != "nothing") & (size < m)) | (about_people.to_numpy() & (n < m))
        share_of_people = of_people & part_is_people & is_share
        other_people_are_few = part_is_people & ~is_share & (part < m)
        width = range_width(np.nan_to_num(size), m)
        too_few_for_a_share = share_of_people & np.isnan(width)
        # Whole people on either side of a range's inner end, so that an end itself belongs to the range.
        room = np.floor(width * size + 1e-9)
        is_low = share_of_people & (part <= room)
        is_high = share_of_people & (size - part <= room)
    state = np.full(values.height, SHOWN, dtype=np.int8)
    state[is_low | is_high] = RANGE
    is_few_schools = of_few_schools(values, counts)
    state[says_no_size | is_small | is_few_schools | too_few_for_a_share | other_people_are_few] = HIDDEN
    state[table["symbol"].is_not_null().to_numpy()] = ABSENT
    at_least = np.where(state == RANGE, np.where(is_low, 0.0, 1.0 - width), np.nan)
    at_most = np.where(state == RANGE, np.where(is_low, width, 1.0), np.nan)
    return state, at_least, at_most


def of_few_schools(values: pl.DataFrame, counts: pl.DataFrame) -> NDArray[np.bool_]:
    """Values about adults of so few schools that these know each other."""
    schools = values["n_schools"].cast(pl.Float64).to_numpy()
    with np.errstate(invalid="ignore"):
        found: NDArray[np.bool_] = (_kinds(values, counts)["of"] == "adults").fill_null(value=False).to_numpy() & (
            schools < SCHOOLS_OF_ADULTS
        )
    return found


def _kinds(values: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """What the denominator (`of`) and the numerator (`part_of`) of each value count."""
    found = values.select("indicator_id", "statistic")
    for role, name in (("denominator", "of"), ("numerator", "part_of")):
        declared = counts.filter(role=role)
        one = declared.filter(pl.col("statistic").is_not_null()).select("indicator_id", "statistic", pl.col("of").alias(name))
        every = declared.filter(pl.col("statistic").is_null()).select("indicator_id", pl.col("of").alias("_every"))
        found = (
            found.join(one, on=["indicator_id", "statistic"], how="left", maintain_order="left")
            .join(every, on="indicator_id", how="left", maintain_order="left")
            .with_columns(pl.coalesce(name, "_every").alias(name))
            .drop("_every")
        )
    return found.select("of", "part_of")


def suppress(
    values: pl.DataFrame,
    counts: pl.DataFrame,
    relations: pl.DataFrame,
    minimum: pl.DataFrame,
    *,
    hidden_before: NDArray[np.bool_] | None = None,
    ranged_before: NDArray[np.bool_] | None = None,
    told_before: Sequence[Told] = (),
    ranges_known: NDArray[np.bool_] | None = None,
    moved: NDArray[np.bool_] | None = None,
    opened_for: Mapping[str, NDArray[np.bool_]] | None = None,
    deadline_seconds: float = 120.0,
    memory: Memory | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Suppressed:
    """Decide for every value whether it is shown, shown as a range or hidden.

    `values`, `counts`, `relations`, `minimum`: as for `system_of`. `hidden_before`: values that stay hidden, because an earlier
    release hid them; `ranged_before`: values that it showed as a range do not become numbers; `ranges_known`: the range is
    the same now, and hiding it protects nothing. `told_before`: what each earlier release tells of the counts; what is unchanged
    is known whatever is hidden, and what changed by fewer people than the minimum is left open by the minimum both ways, where
    it is hidden. `moved`: values that are hidden because they changed so little. `opened_for`: by role
    (numerator, denominator, rest) the hidden values whose count must be open down to nobody, however large it is.
    """
    deadline = time.monotonic() + deadline_seconds
    first, at_least, at_most = first_states(values, counts, minimum)
    if hidden_before is not None:
        first = np.where(hidden_before & (first != ABSENT), HIDDEN, first).astype(np.int8)
    if ranged_before is not None:
        first = np.where(ranged_before & (first == SHOWN), HIDDEN, first).astype(np.int8)
    if moved is not None:
        first = np.where(moved & (first != ABSENT), HIDDEN, first).astype(np.int8)
    system = system_of(values, counts, relations, minimum)
    none = np.zeros(values.height, dtype=bool)
    plan = _Plan(
        system,
        values,
        first.copy(),
        at_least,
        at_most,
        told_before,
        none if ranges_known is None else ranges_known,
        of_few_schools(values, counts) & (first == HIDDEN),
        opened_for or {},
    )
    labels = plan.labels()
    n_programs = n_late = n_not_open = n_hidden_whole = 0
    total = total_proved = least = 0.0
    blocks = [plan.block(label) for label in labels]
    digests = [_digest(block) for block in blocks]
    remembered: Memory = {} if memory is None else memory

    def told(what: str, answers: Iterable[Answer]) -> list[Answer]:
        taken: list[Answer] = []
        for answer in answers:
            if len(taken) % STEPS_BETWEEN_WORDS == 0:
                progress(f"{what}: {len(taken):,} of {len(labels):,} blocks of counts")
            taken.append(answer)
        return taken

    # The solver lets other threads run; the largest blocks, which take longest, begin first.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        best = pool.map(lambda block, key: remembered.get(key) or _best(block, deadline), blocks, digests)
        taken = told("protecting small groups", best)
        # Only when every block is protected: where time is short, that comes first.
        less = pool.map(
            lambda block, key, answer: remembered.get(key) or _without_needless(block, answer, deadline), blocks, digests, taken
        )
        taken = told("showing what was hidden needlessly", less)
    remembered.update((key, answer) for key, answer in zip(digests, taken, strict=True) if not answer[0].is_late)
    for label, (found, weight, bound) in zip(labels, taken, strict=True):
        total += weight
        total_proved += weight if bound is not None else 0.0
        least += bound or 0.0
        n_programs += found.n_programs
        n_hidden_whole += plan.take(label, found)
        n_not_open += len(found.not_open)
        n_late += found.is_late
    return Suppressed(
        state=plan.state,
        first=first,
        at_least=np.where(plan.state == RANGE, at_least, np.nan),
        at_most=np.where(plan.state == RANGE, at_most, np.nan),
        n_cells=system.n_cells,
        n_programs=n_programs,
        n_blocks=len(labels),
        n_late_blocks=n_late,
        n_hidden_whole=n_hidden_whole,
        n_not_open=n_not_open,
        weight=total,
        weight_bounded=total_proved,
        bound=least,
    )


def _digest(block: Block) -> bytes:
    digest = hashlib.sha256()
    for part in fields(block):
        value = getattr(block, part.name)
        arrays = (value.data, value.indices, value.indptr) if part.name == "matrix" else (value,)
        for array in arrays:
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.digest()


def _best(block: Block, deadline: float) -> Answer:
    """The values to hide in one block, the weight of those hidden for others, and the bound that was proved for it, if any.

    The bound is what small counts alone need.
    """
    found = opened(block, deadline)
    weight = _weight_of(block, found.state)
    if weight == 0 or found.is_late or len(found.not_open):
        return found, weight, 0.0 if weight == 0 else None
    least = least_hidden(block)
    if least is None:
        return found, weight, None
    if least.weight < weight * (1 - SAVING):
        # The program asks for small counts only; the search looks at all the others.
        again = opened(replace(block, state=least.state), deadline)
        if not again.is_late and not len(again.not_open) and _weight_of(block, again.state) < weight:
            return again, _weight_of(block, again.state), least.bound
    return found, weight, least.bound


def _without_needless(block: Block, answer: Answer, deadline: float) -> Answer:
    """Show again what was hidden for one goal, where what was hidden for others since does for it too.

    The last part of the method of Kelly, Golden and Assad (1992).
    """
    found, weight, bound = answer
    if found.is_late or len(found.not_open) or (block.state <= RANGE).sum() > MOST_VALUES_TO_SHOW_AGAIN:
        return answer
    for step in found.steps:
        rows = step.rows[found.state[step.rows] == HIDDEN]
        if not len(rows) or time.monotonic() > deadline:
            continue
        state = found.state.copy()
        state[rows] = block.state[rows]
        saved = float(block.weight[rows].sum())
        again = opened(replace(block, state=state), deadline, saved * (1 - SAVING), step.goal)
        if not again.is_late and not len(again.not_open) and _weight_of(block, again.state) < weight * (1 - SAVING):
            found, weight = again, _weight_of(block, again.state)
    return found, weight, bound


def _weight_of(block: Block, state: NDArray[np.int8]) -> float:
    return float(block.weight[(state == HIDDEN) & (block.state != HIDDEN)].sum())


class _Plan:
    """The states of all values while further ones are hidden, block by block."""

    def __init__(
        self,
        system: System,
        values: pl.DataFrame,
        state: NDArray[np.int8],
        at_least: NDArray[np.float64],
        at_most: NDArray[np.float64],
        told_before: Sequence[Told],
        ranges_known: NDArray[np.bool_],
        few_schools: NDArray[np.bool_],
        opened_for: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        self._system, self.state = system, state
        self._fixed, unsure = np.zeros(system.n_cells, dtype=bool), np.zeros(system.n_cells, dtype=bool)
        for cells in (system.row_size, system.row_part):
            # Of few schools not even a large number may be known.
            unsure[cells[few_schools & (cells >= 0)]] = True
        unsure &= system.is_people & (system.value >= system.minimum)
        for told in told_before:
            # What the same table gives back is known too, but that an equation says by itself.
            apart = np.abs(_counts_then(system, told) - system.value)
            self._fixed |= apart < _CLOSE
            unsure |= system.is_people & (apart >= _CLOSE) & (apart < system.minimum)
        self._kept = ranges_known & (state == RANGE)
        known = np.append(self._fixed, True)
        self._is_known = self._kept | (known[system.row_size] & known[system.row_part])
        self._weight = _weights(values, system)
        size = _of_rows(system, system.row_size, np.nan)
        self._lower, self._upper = np.ceil(at_least * size - 1e-9), np.floor(at_most * size + 1e-9)
        self._label = _hanging_together(system)
        self._cells = _Grouped(self._label)
        anchor = np.where(system.row_size >= 0, system.row_size, system.row_part)
        self._rows = _Grouped(np.concatenate([self._label, [-1]])[anchor])
        n = int(system.equation.max(initial=-1)) + 1
        self._by_cell = csr_array((system.sign, (system.cell, system.equation)), shape=(system.n_cells, n))
        self._reach, self._large = self._goals(), system.minimum.copy()
        value, least = system.value, system.minimum
        self._reach = np.where(unsure, value + least, self._reach)
        # Between nobody and the minimum an interval may only begin where it is known to be far from small.
        self._sink = np.where(unsure & (value - least >= least), value - least, 0.0)
        self._large[unsure] = np.inf
        of_role = {"numerator": system.row_part, "denominator": system.row_size, "rest": system.row_rest}
        for role, rows in opened_for.items():
            counts = of_role[role][rows]
            self._large[counts[counts >= 0]] = np.inf

    def _goals(self) -> NDArray[np.float64]:
        """How high the upper bound of each hidden count must be."""
        # One more than the minimum, so that a person who knows to be one of those hidden still knows of nobody else.
        return self._system.minimum + 1

    def labels(self) -> list[int]:
        """Blocks in which a value is hidden or in a range, those with the most counts first."""
        rows = np.isin(self.state, (RANGE, HIDDEN))
        anchor = np.where(self._system.row_size >= 0, self._system.row_size, self._system.row_part)[rows]
        labels = np.unique(self._label[anchor[anchor >= 0]])
        # What is left of a shown total beside its shown parts is hidden without any value being so.
        left = np.unique(self._label[len(self._system.keys) :])
        labels = np.unique(np.concatenate([labels, left]))
        return [int(label) for label in labels[np.argsort(-self._cells.sizes[labels], kind="stable")]]

    def block(self, label: int) -> Block:
        """One block, cut out."""
        system, cells, rows = self._system, self._cells.of(label), self._rows.of(label)
        part = self._by_cell[cells].T.tocsr()
        sizes_of_schools = ~system.is_people[cells] & (system.value[cells] < system.minimum[cells])
        is_size = np.isin(cells, system.row_size[rows])

        def local(at: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.where(at >= 0, np.searchsorted(cells, at), -1)

        return Block(
            value=system.value[cells],
            matrix=part[np.flatnonzero(np.diff(part.indptr))],
            fixed=self._fixed[cells],
            asked=system.is_people[cells] | (sizes_of_schools & is_size),
            reach=self._reach[cells],
            sink=self._sink[cells],
            large=self._large[cells],
            minimum=system.minimum[cells],
            row_size=local(system.row_size[rows]),
            row_part=local(system.row_part[rows]),
            state=self.state[rows],
            row_lower=self._lower[rows],
            row_upper=self._upper[rows],
            kept=self._kept[rows],
            weight=self._weight[rows],
        )

    def take(self, label: int, found: Opened) -> int:
        """Take over what became of a block, hiding the rest of it where it is not open; returns how many values that hid more."""
        rows = self._rows.of(label)
        self.state[rows] = found.state
        cells = self._cells.of(label)[found.not_open]
        # Nobody is nobody: where only the sender's own words say so, nothing more can be hidden.
        if found.is_late or (self._system.value[cells] > 0).any():
            return self._hide_rest(rows)
        return 0

    def _hide_rest(self, rows: NDArray[np.int64]) -> int:
        more = rows[(self.state[rows] <= RANGE) & ~self._is_known[rows]]
        self.state[more] = HIDDEN
        return len(more)


def _counts_then(system: System, told: Told) -> NDArray[np.float64]:
    """What an earlier release tells of every count: of those that values show, and of what is left beside them; nan elsewhere."""
    then = np.full(system.n_cells, np.nan)
    for cells, number in ((system.row_size, told[0]), (system.row_part, told[1])):
        is_told = (cells >= 0) & ~np.isnan(number)
        then[cells[is_told]] = number[is_told]
    is_left = np.arange(system.n_cells) >= len(system.keys)
    n = int(system.equation.max(initial=-1)) + 1
    for _ in range(DEPTH_OF_LEFTOVERS):
        unknown = np.isnan(then[system.cell])
        sums = np.bincount(system.equation, np.where(unknown, 0.0, system.sign * np.nan_to_num(then[system.cell])), n)
        found = unknown & (np.bincount(system.equation, unknown, n)[system.equation] == 1) & is_left[system.cell]
        if not found.any():
            break
        then[system.cell[found]] = -sums[system.equation[found]] / system.sign[found]
    return then


class _Grouped:
    """Places by label, for cutting out one label at a time; -1 is no label."""

    def __init__(self, label: NDArray[np.int64]) -> None:
        self._order = np.argsort(label, kind="stable")
        self._starts = np.searchsorted(label[self._order], np.arange(int(label.max(initial=-1)) + 2))
        self.sizes = np.diff(self._starts)

    def of(self, label: int) -> NDArray[np.int64]:
        """The places of one label, ascending."""
        if label + 1 >= len(self._starts):
            return np.zeros(0, dtype=np.int64)
        return self._order[self._starts[label] : self._starts[label + 1]]


def _hanging_together(system: System) -> NDArray[np.int64]:
    """For every cell the block that it belongs to: through equations, and through values that rest on two cells."""
    n = system.n_cells
    n_equations = int(system.equation.max(initial=-1)) + 1
    both = (system.row_size >= 0) & (system.row_part >= 0)
    rows = np.concatenate([system.cell, system.row_size[both]])
    columns = np.concatenate([n + system.equation, system.row_part[both]])
    size = n + n_equations
    _, label = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size)), directed=False)
    return np.asarray(label[:n], dtype=np.int64)


def _of_rows(system: System, cells: NDArray[np.int64], otherwise: float) -> NDArray[np.float64]:
    """The count that each value has in its cell."""
    return np.concatenate([system.value, [otherwise]])[cells]


def _weights(values: pl.DataFrame, system: System) -> NDArray[np.float64]:
    """What hiding each value costs: more where more people stand behind it, most where it is a total."""
    totals = (
        pl.all_horizontal(pl.col(name).is_null() for name in ("network_id", "school_level", "school_set")).cast(pl.Int8) * 2
        + (pl.col("subgroup").is_null() | (pl.col("subgroup") == "all")).cast(pl.Int8)
        + pl.col("course").is_null().cast(pl.Int8)
        + (pl.col("category").is_null() | ~pl.col("category").str.starts_with("level_")).cast(pl.Int8)
    )
    level = values.select(totals).to_series().to_numpy().astype(float)
    size = _of_rows(system, system.row_size, 0.0)
    return (1.0 + np.log2(1.0 + size)) * WEIGHT_OF_A_TOTAL**level
