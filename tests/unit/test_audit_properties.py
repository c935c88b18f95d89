"""The auditor agrees with the enumeration of every table of whole numbers that fits a small release."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.disclosure.audit.attack import (
    GIVEN_BACK,
    IMPOSSIBLE,
    SAFE,
    UNBOUNDED,
    Clock,
    Problem,
    decide,
    interval,
)
from pipelines.disclosure.audit.audit import Published, audit_release
from tests.unit.test_audit import Row, count_of, declared_relations, release, value

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Equation = tuple[dict[int, int], int, int]


def tables(upper: list[int], equations: list[Equation]) -> np.ndarray[Any, Any]:
    """Every table of whole numbers up to `upper` that fits the equations, one a row."""
    grid = np.array(list(product(*(range(top + 1) for top in upper))), dtype=np.int64)
    for signs, low, high in equations:
        total = sum(sign * grid[:, cell] for cell, sign in signs.items())
        grid = grid[(total >= low) & (total <= high)]
    return grid


def is_safe(column: np.ndarray[Any, Any], minimum: int) -> bool:
    low, high = int(column.min()), int(column.max())
    return (low == 0 or low >= minimum or high >= 3 * minimum) and high >= minimum


def problem_of(upper: list[int], equations: list[Equation]) -> Problem:
    entries = [(row, cell, sign) for row, (signs, _, _) in enumerate(equations) for cell, sign in signs.items()]
    rows, cells, signs = (np.array(part, dtype=np.int64) for part in zip(*entries, strict=True))
    return Problem(
        rows=rows,
        cells=cells,
        signs=signs,
        row_lower=np.array([low for _, low, _ in equations], dtype=np.int64),
        row_upper=np.array([high for _, _, high in equations], dtype=np.int64),
        strength=np.full(len(equations), 3, dtype=np.int64),
        lower=np.zeros(len(upper), dtype=np.int64),
        upper=np.array(upper, dtype=np.int64),
    )


@st.composite
def systems(draw: st.DrawFn) -> tuple[list[int], list[Equation]]:
    n = draw(st.integers(2, 5))
    upper = draw(st.lists(st.integers(1, 6), min_size=n, max_size=n))
    truth = [draw(st.integers(0, top)) for top in upper]
    equations: list[Equation] = []
    for _ in range(draw(st.integers(1, 4))):
        chosen = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True))
        signs = {cell: draw(st.sampled_from((1, -1))) for cell in chosen}
        total = sum(sign * truth[cell] for cell, sign in signs.items())
        slack = draw(st.sampled_from((0, 0, 1, UNBOUNDED)))
        equations.append((signs, total, total + slack if slack < UNBOUNDED else UNBOUNDED))
    return upper, equations


@QUICK
@given(systems(), st.integers(1, 4))
def test_verdicts_and_intervals_are_those_of_enumeration(system: tuple[list[int], list[Equation]], minimum: int) -> None:
    upper, equations = system
    grid = tables(upper, equations)
    problem = problem_of(upper, equations)
    n = len(upper)
    every = np.ones(n, dtype=np.bool_)
    least = np.full(n, minimum, dtype=np.int64)
    decision = decide(problem, every, least, Clock())
    assert decision.n_contradictions == 0
    for cell in range(n):
        assert (decision.verdict[cell] == SAFE) == is_safe(grid[:, cell], minimum)
        assert interval(problem, cell) == (grid[:, cell].min(), grid[:, cell].max())
        assert decision.lower[cell] <= grid[:, cell].min()
        assert decision.upper[cell] >= grid[:, cell].max()
        if decision.is_exact[cell]:
            assert (decision.lower[cell], decision.upper[cell]) == (grid[:, cell].min(), grid[:, cell].max())
    points = decide(problem, every, least, Clock(), only_points=True)
    for cell in range(n):
        is_point = len(np.unique(grid[:, cell])) == 1 and 0 < grid[0, cell] < minimum
        assert (points.verdict[cell] == SAFE) != is_point


@QUICK
@given(st.lists(systems(), min_size=2, max_size=4), st.integers(1, 4), st.integers(0, 5))
def test_systems_side_by_side_are_decided_like_each_alone(
    systems_: list[tuple[list[int], list[Equation]]], minimum: int, shift: int
) -> None:
    # One of them is made impossible: it must not touch the verdicts of the others.
    upper: list[int] = []
    equations: list[Equation] = []
    blocks: list[int] = []
    expected: list[int] = []
    for number, (top, own) in enumerate(systems_):
        kept = own if number else [*own, ({0: 1}, 7 + shift, UNBOUNDED)]
        grid = tables(top, kept)
        expected += [
            IMPOSSIBLE if not len(grid) else (SAFE if is_safe(grid[:, cell], minimum) else GIVEN_BACK) for cell in range(len(top))
        ]
        equations += [({cell + len(upper): sign for cell, sign in signs.items()}, low, high) for signs, low, high in kept]
        upper += top
        blocks += [number] * len(top)
    n = len(upper)
    found = decide(
        problem_of(upper, equations),
        np.ones(n, dtype=np.bool_),
        np.full(n, minimum, dtype=np.int64),
        Clock(),
        blocks=np.array(blocks),
    )
    assert found.verdict.tolist() == expected


@st.composite
def small_tables(draw: st.DrawFn) -> tuple[list[list[int]], list[list[bool]], list[bool], int]:
    n_rows, n_columns = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    numbers = [[draw(st.integers(0, 4)) for _ in range(n_columns)] for _ in range(n_rows)]
    hidden = [[draw(st.booleans()) for _ in range(n_columns)] for _ in range(n_rows)]
    hidden_totals = [draw(st.sampled_from((False, False, True))) for _ in range(n_rows)]
    return numbers, hidden, hidden_totals, draw(st.integers(1, 3))


@QUICK
@given(small_tables())
def test_a_release_with_margins_is_judged_like_enumeration(
    table: tuple[list[list[int]], list[list[bool]], list[bool], int],
) -> None:
    numbers, hidden, hidden_totals, minimum = table
    n_rows, n_columns = len(numbers), len(numbers[0])
    rows: list[Row] = []
    for i, line in enumerate(numbers):
        rows += [count_of(None if hidden[i][j] else n, grade=f"g{i}", subgroup=f"s{j}") for j, n in enumerate(line)]
        rows.append(count_of(None if hidden_totals[i] else sum(line), grade=f"g{i}", subgroup="all"))
    rows += [count_of(sum(line[j] for line in numbers), grade="pooled", subgroup=f"s{j}") for j in range(n_columns)]
    relations = [("groups", "subgroup", "all", f"s{j}", True) for j in range(n_columns)]
    relations += [("grades", "grade", "pooled", f"g{i}", True) for i in range(n_rows)]
    counts = [("OC1", "denominator", "OC1.denominator", "", "students")]
    report = audit_release(release(rows, counts=counts, relations=relations, minimum=minimum))
    # The unknowns: hidden cells, then hidden totals of rows.
    cells = [(i, j) for i in range(n_rows) for j in range(n_columns) if hidden[i][j]]
    totals = [i for i in range(n_rows) if hidden_totals[i]]
    columns = [sum(line[j] for line in numbers) for j in range(n_columns)]
    equations: list[Equation] = []
    for i in range(n_rows):
        told = sum(n for j, n in enumerate(numbers[i]) if not hidden[i][j])
        signs = {cells.index((i, j)): 1 for j in range(n_columns) if hidden[i][j]}
        if i in totals:
            equations.append((signs | {len(cells) + totals.index(i): -1}, -told, -told))
        elif signs:
            equations.append((signs, sum(numbers[i]) - told, sum(numbers[i]) - told))
    for j in range(n_columns):
        told = sum(numbers[i][j] for i in range(n_rows) if not hidden[i][j])
        signs = {cells.index((i, j)): 1 for i in range(n_rows) if hidden[i][j]}
        if signs:
            equations.append((signs, columns[j] - told, columns[j] - told))
    if not cells and not totals:
        assert not [leak for leak in report.leaks if leak.attack == "alone"]
        return
    grid = _reachable(cells, totals, columns, numbers, equations, n_columns)
    names = [f"grade g{i}, subgroup s{j}" for i, j in cells] + [f"grade g{i}, subgroup all" for i in totals]
    expected = {
        name: (int(grid[:, k].min()), int(grid[:, k].max())) for k, name in enumerate(names) if not is_safe(grid[:, k], minimum)
    }
    found = {
        leak.cell.removeprefix("OC1 denominator, chicago, 2024-25, "): (leak.lower, leak.upper)
        for leak in report.leaks
        if leak.attack == "alone"
    }
    assert found == expected
    assert report.n_contradictions == 0


def _reachable(
    cells: list[tuple[int, int]],
    totals: list[int],
    columns: list[int],
    numbers: list[list[int]],
    equations: list[Equation],
    n_columns: int,
) -> np.ndarray[Any, Any]:
    """Every table of unknowns: column by column, because a column's hidden cells share what is left of its total."""
    parts: list[list[dict[int, int]]] = []
    for j in range(n_columns):
        own = [k for k, (_, column) in enumerate(cells) if column == j]
        told = sum(numbers[i][j] for i in range(len(numbers)) if (i, j) not in cells)
        left = columns[j] - told
        choices = [
            dict(zip(own, split, strict=True)) for split in product(range(left + 1), repeat=len(own)) if sum(split) == left
        ]
        parts.append(choices if own else [{}])
    found = []
    for choice in product(*parts):
        table = {k: n for part in choice for k, n in part.items()}
        line = [table[k] for k in range(len(cells))]
        line += [
            sum(numbers[i][j] if (i, j) not in cells else line[cells.index((i, j))] for j in range(n_columns)) for i in totals
        ]
        if all(low <= sum(sign * line[k] for k, sign in signs.items()) <= high for signs, low, high in equations):
            found.append(line)
    return np.array(found, dtype=np.int64)


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=3),
    st.lists(st.sampled_from(("shown", "hidden")), min_size=3, max_size=3),
    st.integers(1, 3),
)
def test_shares_of_groups_are_judged_like_enumeration(groups: list[tuple[int, int]], states: list[str], minimum: int) -> None:
    """Numerator, denominator and rest of each group against the shown share of all."""
    rows = [value(x=sum(a for a, _ in groups), n=sum(a + b for a, b in groups) or 1, subgroup="all")]
    if sum(a + b for a, b in groups) == 0:
        return
    shown = [k for k in range(len(groups)) if states[k] == "shown" and sum(groups[k]) > 0]
    hidden = [k for k in range(len(groups)) if k not in shown]
    rows += [value(x=groups[k][0], n=sum(groups[k]), subgroup=f"s{k}") for k in shown]
    rows += [value(symbol="c", subgroup=f"s{k}") for k in hidden]
    relations = [("groups", "subgroup", "all", f"s{k}", True) for k in range(len(groups))]
    report = audit_release(release(rows, relations=relations, minimum=minimum))
    above = sum(a for a, _ in groups) - sum(groups[k][0] for k in shown)
    below = sum(b for _, b in groups) - sum(groups[k][1] for k in shown)
    expected = set()
    if len(hidden) == 1:
        for name, n in (("numerator", above), ("people outside the numerator", below), ("denominator", above + below)):
            if n < minimum:
                expected.add(f"OC1 {name}, chicago, 2024-25, subgroup s{hidden[0]}")
    elif hidden:
        for k in hidden:
            for name, n in (("numerator", above), ("people outside the numerator", below), ("denominator", above + below)):
                if n < minimum:
                    expected.add(f"OC1 {name}, chicago, 2024-25, subgroup s{k}")
    assert {leak.cell for leak in report.leaks if leak.attack == "alone"} == expected


@QUICK
@given(st.lists(st.integers(0, 5), min_size=3, max_size=5), st.integers(2, 4), st.integers(0, 3))
def test_a_person_alone_in_a_count_is_judged_like_enumeration(numbers: list[int], minimum: int, n_shown: int) -> None:
    n_hidden = max(2, len(numbers) - n_shown)
    hidden, shown = numbers[:n_hidden], numbers[n_hidden:]
    total = sum(numbers)
    left = sum(hidden)
    rows = [count_of(None, network_id=f"n{k}") for k in range(n_hidden)]
    rows += [count_of(n, network_id=f"n{n_hidden + k}") for k, n in enumerate(shown)]
    rows.append(count_of(total))
    counts = [("OC1", "denominator", "OC1.denominator", "", "students")]
    report = audit_release(
        release(rows, counts=counts, relations=[("networks", "network_id", None, None, True)], minimum=minimum)
    )
    grid = np.array([split for split in product(range(left + 1), repeat=n_hidden) if sum(split) == left], dtype=np.int64)
    alone = not all(is_safe(grid[:, k], minimum) for k in range(n_hidden))
    with_one = grid[grid[:, 0] == 1]
    # Held against a release is only a small number that whoever is alone would know to the last unit.
    told = bool(len(with_one)) and any(
        with_one[:, k].min() == with_one[:, k].max() and 1 <= with_one[0, k] < minimum for k in range(1, n_hidden)
    )
    assert bool([leak for leak in report.leaks if leak.attack == "alone"]) is alone
    assert bool([leak for leak in report.leaks if leak.attack == "singleton"]) is (told and not alone)


@QUICK
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=4),
    st.lists(st.sampled_from((0, 1, 2)), min_size=4, max_size=4),
    st.integers(1, 4),
)
def test_an_earlier_release_that_hides_more_tells_nothing_new(
    groups: list[tuple[int, int]], states: list[int], minimum: int
) -> None:
    relations = [("groups", "subgroup", "all", f"s{k}", True) for k in range(len(groups))]

    def published(hidden_from: int, name: str) -> Published:
        rows = [value(x=sum(a for a, _ in groups) + 1, n=sum(a + b for a, b in groups) + 1, subgroup="all")]
        for k, (a, b) in enumerate([*groups, (1, 0)]):
            is_shown = k < len(groups) and states[k] < hidden_from and a + b > 0
            rows.append(value(x=a, n=a + b, subgroup=f"s{k}") if is_shown else value(symbol="c", subgroup=f"s{k}"))
        everybody = [*relations, ("groups", "subgroup", "all", f"s{len(groups)}", True)]
        return release(rows, relations=everybody, minimum=minimum, release_id=name)

    now = published(2, "0002-b")
    report = audit_release(now, [published(1, "0001-a")])
    # What the new release gives back of groups that the earlier one hid is told with the name of the earlier one.
    newest = {leak.cell for leak in report.leaks if "0001-a" not in leak.cell}
    assert newest == {leak.cell for leak in audit_release(now).leaks}


def test_relations_of_the_helper_have_the_columns_of_a_release() -> None:
    made = declared_relations(("groups", "subgroup", "all", "s0", True))
    assert made.columns == ["relation", "column", "total", "part", "is_whole", "indicator_id", "instrument"]
    assert made.schema["is_whole"] == pl.Boolean
