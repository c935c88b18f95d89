"""The audit of a release: what is asked, and what was found.

Reads nothing but what it is given. An audit passes when every question was asked and nothing was given back.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pipelines.disclosure.audit import routes
from pipelines.disclosure.audit.attack import (
    GIVEN_BACK,
    SAFE,
    UNDECIDED,
    Clock,
    Decision,
    Problem,
    connected,
    decide,
    explain,
    linear_reasons,
)
from pipelines.disclosure.audit.published import KEY, Published, minimum_of
from pipelines.disclosure.audit.system import (
    CERTAIN,
    COLUMNS,
    GUESS,
    HIDDEN_CELL,
    RESTS,
    UNBOUNDED,
    Flags,
    Ints,
    System,
    build_system,
    group_ids,
)
from pipelines.disclosure.audit.views import Found, Seen, districts, singletons

__all__ = ["AuditReport", "Leak", "Published", "audit_release"]

_EXPLAINED = 300  # leaks of cyclic blocks that are worth a linear problem to say which equations hold them
_SAID = "; "


Place = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Leak:
    """One count (or one number) that a release gives back, and what gives it back.

    `places`: for a count its indicator, the columns of its place and its role, by name, and then those of the totals that give
    it back, the most detailed first: where more may be hidden against it.
    """

    attack: str
    cell: str
    relation: str
    lower: int | None = None
    upper: int | None = None
    places: tuple[Place, ...] = ()

    def message(self, *, with_numbers: bool = False) -> str:
        """The leak in words; the interval is the secret itself and stays out unless it is asked for."""
        told = ""
        if with_numbers and self.lower is not None:
            top = "no limit" if self.upper is None else str(self.upper)
            told = f" It lies between {self.lower} and {top}."
        return f"{_ATTACKS.get(self.attack, self.attack)}: {self.cell}, from {self.relation}.{told}"


_ATTACKS = {
    "alone": "The release alone gives back",
    "left out": "The release gives back by subtraction",
    "earlier": "With an earlier release one gets back",
    "insider": "A district that knows its own numbers gets back",
    "coalition": "Two districts that know their own numbers get back",
    "singleton": "A person who is alone in a count gets back",
}


@dataclass(frozen=True)
class AuditReport:
    """What an audit asked of a release and what it found."""

    release_id: str
    n_cells_attacked: int
    n_hidden: int
    n_components: int
    n_attacks_by_kind: Mapping[str, int]
    leaks: tuple[Leak, ...]
    not_asked: tuple[str, ...]
    seconds: float
    n_contradictions: int = 0

    @property
    def passed(self) -> bool:
        """Nothing given back, and nothing left out."""
        return not self.leaks and not self.not_asked


def audit_release(
    release: Published,
    earlier: Sequence[Published] = (),
    *,
    deadline_seconds: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> AuditReport:
    """Attack a release: alone, as a person, as each district and every two, and with every earlier release.

    Args:
        release: the release to judge
        earlier: releases that its readers still have, oldest first
        deadline_seconds: attacks not finished by then are told in `not_asked`, and the audit does not pass
        progress: hears one line a step

    Raises:
        ValueError: the manifest and the districts name no minimum number of people
    """
    clock = Clock(deadline_seconds)
    if minimum_of(release)[1] < 1:
        raise ValueError(f"Release {release.release_id} says nowhere how few people are too few (minimum_n).")
    asked: Counter[str] = Counter()
    system = build_system([release])
    problem = _problem(system)
    progress(
        f"{len(system.state)} counts, {int(system.targets.sum())} hidden, {system.equations.n} equations ({clock.spent:.0f} s)"
    )
    decision = decide(problem, system.targets, system.minimum, clock)
    asked["alone"] = int(system.targets.sum())
    progress(f"Alone: {int((decision.verdict[system.targets] == GIVEN_BACK).sum())} given back ({clock.spent:.0f} s)")
    teller = _Teller(system, problem, decision)
    leaks = [teller.leak("alone", int(cell)) for cell in np.flatnonzero(system.targets & (decision.verdict == GIVEN_BACK))]
    leaks += [teller.left_out(cell, name) for cell, name, n in system.left_out if 0 < n < system.minimum[cell]]
    asked["left out"] = len(system.left_out)
    not_asked = [*system.not_asked, *teller.late("alone", np.flatnonzero(system.targets & (decision.verdict == UNDECIDED)))]
    for step in routes.ROUTES:
        part = step(release)
        asked[part.name] += part.n_asked
        leaks += [Leak(*told) for told in part.leaks]
        not_asked += part.not_asked
    progress(f"Further routes: {sum(asked.values()) - asked['alone']} rows looked at ({clock.spent:.0f} s)")
    for name, seen in _views(system, problem, decision, system.targets, clock, progress):
        asked[name] += seen.n_attacks
        leaks += teller.seen(name, seen)
        not_asked += teller.late(name, np.array(seen.undecided, dtype=np.int64))
    for others in _together(earlier):
        part_leaks, n_asked, late = _with_earlier(release, others, decision, system, clock, progress)
        asked.update(n_asked)
        leaks += part_leaks
        not_asked += late
    for other in earlier:
        part = routes.changed_by_few(release, other)
        asked[part.name] += part.n_asked
        leaks += [Leak(*told) for told in part.leaks]
    is_cell = system.targets
    return AuditReport(
        release_id=release.release_id,
        n_cells_attacked=int(is_cell.sum()),
        n_hidden=int((system.state == HIDDEN_CELL).sum()),
        n_components=decision.n_blocks,
        n_attacks_by_kind=dict(sorted(asked.items())),
        leaks=tuple(dict.fromkeys(leaks)),
        not_asked=tuple(dict.fromkeys(not_asked)),
        seconds=time.monotonic() - clock.started,
        n_contradictions=system.n_contradictions + decision.n_contradictions,
    )


def _views(
    system: System, problem: Problem, decision: Decision, targets: Flags, clock: Clock, progress: Callable[[str], None]
) -> Iterator[tuple[str, Seen]]:
    """What those learn of `targets` who know more than what is published, by kind of attack."""
    district = system.codes[:, COLUMNS.index("district")]
    yield "insider", districts(problem, decision, targets, system.minimum, district, 1, clock)
    yield "coalition", districts(problem, decision, targets, system.minimum, district, 2, clock)
    group = group_ids(system.codes[:, 1:])
    yield "singleton", singletons(problem, decision, targets, system.minimum, group, clock, progress)


def _together(earlier: Sequence[Published]) -> list[list[Published]]:
    """Each earlier release by itself, and all of them together; newest first."""
    newest_first = list(reversed(earlier))
    return [[one] for one in newest_first] + ([newest_first] if len(newest_first) > 1 else [])


def _problem(system: System) -> Problem:
    e = system.equations
    return Problem(e.rows, e.cells, e.signs, e.lower, e.upper, e.strength, system.lower, system.upper)


class _Teller:
    """Says in words which cell was given back, and by what."""

    def __init__(self, system: System, problem: Problem, decision: Decision, releases: Sequence[str] = ()) -> None:
        self.system, self.problem, self.decision, self.releases = system, problem, decision, releases
        self.n_explained = 0
        self._found_reasons: dict[int, list[int]] = {}
        order = np.argsort(problem.rows, kind="stable")
        self._cells = problem.cells[order]
        self._signs = problem.signs[order]
        self._starts = np.searchsorted(problem.rows[order], np.arange(problem.n_rows + 1))
        columns = ["indicator_id", "role", "count", *KEY]
        self._frame = system.cells.select(columns)

    def cell(self, number: int) -> str:
        facts = self._frame.row(number, named=True)
        role = {"rest": "people outside the numerator"}.get(facts["role"], facts["role"])
        split = [
            f"{name} {facts[name]}"
            for name in KEY[2:]
            if facts[name] is not None and (name, facts[name]) != ("unit_type", "district")
        ]
        where = [facts["district"] or "all districts", facts["school_year"] or "no year", *split]
        layer = int(self.system.layer[number])
        of = f" (release {self.releases[layer]})" if self.releases and layer else ""
        return f"{facts['indicator_id']} {role}, {', '.join(where)}{of}"

    def relation(self, number: int) -> str:
        """In words what gives a cell back."""
        rows = self._reasons(number)
        if not rows:
            return "the same count published elsewhere, or its published range"
        return _SAID.join(dict.fromkeys(self._row(row) for row in rows))

    def _reasons(self, number: int) -> list[int]:
        if number not in self._found_reasons:
            self._found_reasons[number] = self._sought_reasons(number)
        return self._found_reasons[number]

    def _sought_reasons(self, number: int) -> list[int]:
        rows = explain(self.problem, self.decision, number)
        is_bound = self.decision.is_exact[number] and self.decision.reason[number] >= 0
        if not is_bound and self.n_explained < _EXPLAINED and self.decision.block[number] >= 0:
            self.n_explained += 1
            rows = linear_reasons(self.problem, self.decision, number)[:6] or rows
        return rows

    def _total(self, row: int) -> int:
        entries = slice(self._starts[row], self._starts[row + 1])
        cells, signs = self._cells[entries], self._signs[entries]
        return int(cells[signs > 0][0]) if (signs > 0).any() else int(cells[0])

    def _row(self, row: int) -> str:
        name = (
            self.system.equations.names[self.system.equations.name_of[row]]
            if row < self.system.equations.n
            else "the same count in two releases"
        )
        return f"[{name}] of {self.cell(self._total(row))}"

    def leak(
        self, attack: str, number: int, relation: str | None = None, lower: int | None = None, upper: int | None = None
    ) -> Leak:
        least = int(self.decision.lower[number]) if lower is None else lower
        most = int(self.decision.upper[number]) if upper is None else upper
        return Leak(
            attack,
            self.cell(number),
            self.relation(number) if relation is None else relation,
            least,
            None if most >= UNBOUNDED // 2 else most,
            self.places(number),
        )

    def left_out(self, number: int, relation: str) -> Leak:
        """A few people of a total who are in none of its parts."""
        return Leak(
            "left out", f"people of {self.cell(number)} in none of its parts", f"[{relation}]", places=self.places(number)
        )

    def places(self, number: int) -> tuple[Place, ...]:
        own = self._place(number)
        role = (("role", str(self._frame["role"][number])),)
        totals = {self._place(self._total(row)) for row in self._reasons(number)} - {own}
        return ((*own, *role), *sorted(totals, key=lambda place: (-len(place), place)))

    def _place(self, number: int) -> Place:
        facts = self._frame.row(number, named=True)
        return tuple((name, str(facts[name])) for name in ("indicator_id", *KEY) if facts[name] is not None)

    def seen(self, attack: str, seen: Seen) -> list[Leak]:
        leaks = [self.leak(attack, one.cell, self._by(attack, one), one.lower, one.upper) for one in seen.found]
        if attack != "singleton":
            return leaks
        known = [self._place(one.by[0]) for one in seen.found]
        return [
            replace(leak, places=tuple(dict.fromkeys([leak.places[0], place, *leak.places[1:]])))
            for leak, place in zip(leaks, known, strict=True)
        ]

    def _by(self, attack: str, one: Found) -> str:
        if attack == "singleton":
            return f"the person who is alone in {self.cell(one.by[0])}, with {self.relation(one.cell)}"
        column = COLUMNS.index("district")
        named = []
        for code in one.by:
            at = int(np.flatnonzero(self.system.codes[:, column] == code)[0])
            named.append(str(self._frame["district"][at]))
        return f"what {' and '.join(named)} know of themselves, with {self.relation(one.cell)}"

    def late(self, attack: str, cells: Ints) -> list[str]:
        """Cells that were not decided, put together by indicator, district and year."""
        if not len(cells):
            return []
        groups = self._frame[cells].group_by("indicator_id", "district", "school_year", maintain_order=True).len().rows()
        return [f"{attack}: {n} hidden counts of {i}, {d or 'all districts'}, {y}, not decided in time" for i, d, y, n in groups]


# --- earlier releases ------------------------------------------------------------------------------------------------------


def _with_earlier(
    release: Published,
    others: Sequence[Published],
    alone: Decision,
    alone_system: System,
    clock: Clock,
    progress: Callable[[str], None],
) -> tuple[list[Leak], Counter[str], list[str]]:
    """Attack a release and earlier ones laid over one another, where their blocks differ; what was asked is by kind of attack."""
    names = [release.release_id, *(other.release_id for other in others)]
    kept = [Published(one.release_id, one.manifest, {**one.tables}) for one in (release, *others)]
    system = build_system(kept)
    base = _problem(system)
    layer_of_newest = system.layer == 0
    safe_before = ~layer_of_newest | ~_same_as_alone(system, alone_system, alone)

    def laid_over(*, with_doubtful: bool) -> tuple[Problem, Flags, Flags]:
        """The equations that are worth attacking, their open cells, and those of these that must not be given back."""
        links = _links(system, with_doubtful=with_doubtful)
        problem = _linked(base, links)
        relevant, told_elsewhere = _relevant(system, problem, links)
        targets = system.targets & relevant & ~told_elsewhere & safe_before
        return problem.without_rows(~_rows_of(problem, relevant)), relevant, targets

    part, relevant, targets = laid_over(with_doubtful=False)
    doubted, doubted_relevant, doubted_targets = laid_over(with_doubtful=True)
    changed = _left_out_changed(system)
    asked = Counter({"earlier": int(targets.sum()) + len(system.left_out)})
    if not targets.any() and not doubted_targets.any() and not changed:
        return [], asked, []
    progress(f"With {', '.join(names[1:])}: {asked['earlier']} counts whose surroundings changed ({clock.spent:.0f} s)")
    decision = decide(part, targets, system.minimum, clock)
    bad = targets & (decision.verdict == GIVEN_BACK)
    late = np.flatnonzero(targets & (decision.verdict == UNDECIDED))
    teller = _Teller(system, part, decision, names)
    ids, is_old = group_ids(system.codes[:, 1:]), (relevant | doubted_relevant) & ~layer_of_newest
    old_problem = base.without_rows(~_rows_of(base, is_old))

    def of_earlier_alone(cells: Ints) -> tuple[Decision, Flags]:
        """The earlier releases by themselves, asked about the same counts as these."""
        twins = np.isin(ids, ids[cells]) & is_old & system.targets
        return decide(old_problem, twins, system.minimum, clock, wanted_intervals=0), twins

    # A reader may also believe that an old number stands beside numbers that changed. What follows is a guess, unless it is a
    # few people to the last one: that is held against a release, whether or not it is true.
    guessed = decide(doubted, doubted_targets, system.minimum, clock, wanted_intervals=0, only_points=True)
    few = doubted_targets & (guessed.verdict == GIVEN_BACK) & ~bad
    late_guesses = np.flatnonzero(doubted_targets & (guessed.verdict == UNDECIDED))
    if bad.any() or few.any():
        # What an earlier release gave back by itself cannot be taken back: the new one is not at fault.
        old, twins = of_earlier_alone(np.flatnonzero(bad | few))
        is_new = ~np.isin(ids, ids[twins & (old.verdict == GIVEN_BACK)])
        bad, few = bad & is_new, few & is_new
    with_names = f" (with {', '.join(names[1:])})"
    subtracted = [teller.left_out(cell, f"{name}{with_names}") for cell, name in changed]
    leaks = [replace(leak, attack="earlier") for leak in subtracted]
    leaks += [teller.leak("earlier", int(cell), teller.relation(int(cell)) + with_names) for cell in np.flatnonzero(bad)]
    doubting = _Teller(system, doubted, guessed, names)
    leaks += [doubting.leak("earlier", int(cell), doubting.relation(int(cell)) + with_names) for cell in np.flatnonzero(few)]
    not_asked = teller.late(f"earlier ({', '.join(names[1:])})", np.union1d(late, late_guesses))
    for name, seen in _views(system, part, decision, targets, clock, progress):
        asked[name] += seen.n_attacks
        not_asked += teller.late(f"{name} ({', '.join(names[1:])})", np.array(seen.undecided, dtype=np.int64))
        if not seen.found:
            continue
        old, twins = of_earlier_alone(np.array([one.cell for one in seen.found], dtype=np.int64))
        before = {
            ids[one.cell]
            for of, known in _views(system, old_problem, old, twins, clock, progress)
            if of == name
            for one in known.found
        }
        new = replace(seen, found=tuple(one for one in seen.found if ids[one.cell] not in before))
        leaks += [replace(leak, relation=leak.relation + with_names) for leak in teller.seen(name, new)]
    return leaks, asked, not_asked


def _left_out_changed(system: System) -> list[tuple[int, str]]:
    """Totals of the newest release, and relations, that leave out nearly as many people as in an earlier one."""
    if not system.left_out:
        return []
    cells, names, left = (list(part) for part in zip(*system.left_out, strict=True))
    of = pl.DataFrame(
        {"cell": cells, "name": names, "left": left, "layer": system.layer[cells], "id": group_ids(system.codes[cells, 1:])}
    )
    both = of.filter(layer=0).join(of.filter(pl.col("layer") > 0), on=["id", "name"], suffix="_before")
    minimum = pl.Series(system.minimum[both["cell"].to_numpy()])
    few = both.filter((pl.col("left") - pl.col("left_before")).abs().is_between(1, minimum - 1))
    return few.select("cell", "name").unique(maintain_order=True).rows()


def _rows_of(problem: Problem, cells: Flags) -> Flags:
    found = np.zeros(problem.n_rows, dtype=np.bool_)
    found[problem.rows[cells[problem.cells]]] = True
    return found


def _same_as_alone(system: System, alone_system: System, alone: Decision) -> Flags:
    """Cells of the newest layer that the release alone gave back (both systems order their cells differently)."""
    columns = ["count", *KEY]
    bad = alone_system.cells.select(columns).filter(pl.Series(alone_system.targets & (alone.verdict != SAFE)))
    marked = system.cells.select(columns).with_row_index("at").join(bad.unique(), on=columns, how="semi", nulls_equal=True)
    found = np.zeros(len(system.state), dtype=np.bool_)
    found[marked["at"].to_numpy()] = True
    newest: Flags = found & (system.layer == 0)
    return newest


def _links(system: System, *, with_doubtful: bool) -> tuple[Ints, Ints, Ints]:
    """Pairs of cells of two releases that an attacker takes as one count, and how sure he is of it.

    Of another submission he believes that a number or a range is still the same as long as nothing that it, or the people of the
    same value, are added up with is seen to have changed; `with_doubtful`: also then.
    """
    ids = group_ids(system.codes[:, 1:])
    frame = pl.DataFrame(
        {
            "id": ids,
            "at": np.arange(len(ids)),
            "layer": system.layer,
            "told": system.lower == system.upper,
            "is_within": (system.lower > 0) | (system.upper < UNBOUNDED // 2),
            "number": system.lower,
            "sources": system.cells["sources"],
        }
    )
    pairs = (
        frame.join(frame, on="id", suffix="_2")
        .filter(pl.col("layer") < pl.col("layer_2"))
        .filter(~(pl.col("told") & pl.col("told_2")))
    )
    same = pl.col("sources").list.set_intersection("sources_2").list.eval(pl.element().filter(pl.element() != "")).list.len() > 0
    one_says = (pl.col("told") ^ pl.col("told_2")) | (pl.col("is_within") & ~pl.col("is_within_2") & ~pl.col("told_2"))
    one_says |= pl.col("is_within_2") & ~pl.col("is_within") & ~pl.col("told")
    pairs = pairs.with_columns(same.alias("same")).filter(pl.col("same") | one_says)
    # Of several releases that tell a number, the nearest is believed.
    hidden = pl.when(pl.col("told") | (pl.col("is_within") & ~pl.col("told_2"))).then("at_2").otherwise("at")
    apart = (pl.col("layer_2") - pl.col("layer")).cast(pl.Int64)
    pairs = pairs.with_columns(hidden.alias("hidden"), apart.alias("apart"))
    guesses = pairs.filter(~pl.col("same"))
    if not with_doubtful:
        guesses = _beside_nothing_changed(system, frame, guesses)
    guesses = guesses.filter(pl.col("apart") == pl.col("apart").min().over("hidden"))
    pairs = pl.concat([pairs.filter("same"), guesses]).sort("at", "at_2")
    strength = np.where(pairs["same"].to_numpy(), CERTAIN, GUESS)
    return pairs["at"].to_numpy().astype(np.int64), pairs["at_2"].to_numpy().astype(np.int64), strength.astype(np.int64)


def _beside_nothing_changed(system: System, frame: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs of which no cell stands in an equation with a number that the two releases tell differently.

    Nor the number of people, the numerator or the rest of the same value.
    """
    if pairs.is_empty():
        return pairs
    told = frame.filter("told").select("id", "at", "layer", "number")
    changed = told.join(told, on="id", suffix="_2").filter(
        pl.col("layer") < pl.col("layer_2"), pl.col("number") != pl.col("number_2")
    )
    e, kept = system.equations, []
    of_values = e.name_of == (e.names.index(RESTS) if RESTS in e.names else -1)

    def beside(cells: Flags, among: Flags) -> Flags:
        rows, found = np.zeros(e.n, dtype=np.bool_), np.zeros(len(cells), dtype=np.bool_)
        rows[e.rows[cells[e.cells]]] = True
        found[e.cells[(rows & among)[e.rows]]] = True
        return found

    for (one, two), some in pairs.group_by("layer", "layer_2", maintain_order=True):
        seen = changed.filter(layer=one, layer_2=two)
        is_changed = np.zeros(len(system.state), dtype=np.bool_)
        is_changed[seen["at"].to_numpy()] = is_changed[seen["at_2"].to_numpy()] = True
        is_near = beside(is_changed, np.ones(e.n, dtype=np.bool_))
        is_near |= beside(is_near, of_values)
        kept.append(some.filter(pl.Series(~(is_near[some["at"].to_numpy()] | is_near[some["at_2"].to_numpy()]))))
    return pl.concat(kept)


def _linked(problem: Problem, links: tuple[Ints, Ints, Ints]) -> Problem:
    one, two, strength = links
    n = len(one)
    zero = np.zeros(n, dtype=np.int64)
    return replace(
        problem,
        rows=np.concatenate([problem.rows, np.tile(np.arange(problem.n_rows, problem.n_rows + n), 2)]),
        cells=np.concatenate([problem.cells, one, two]),
        signs=np.concatenate([problem.signs, np.ones(n, dtype=np.int64), -np.ones(n, dtype=np.int64)]),
        row_lower=np.concatenate([problem.row_lower, zero]),
        row_upper=np.concatenate([problem.row_upper, zero]),
        strength=np.concatenate([problem.strength, strength]),
    )


def _relevant(system: System, problem: Problem, links: tuple[Ints, Ints, Ints]) -> tuple[Flags, Flags]:
    """Cells of blocks that the releases do not show alike, and hidden cells whose number another release tells outright."""
    n = problem.n_cells
    ids = group_ids(system.codes[:, 1:])
    told = system.lower == system.upper
    n_layers = int(system.layer.max()) + 1
    facts = pl.DataFrame({"id": ids, "told": told, "number": np.where(told, system.lower, -1), "at": np.arange(n)})
    facts = facts.with_columns(
        (
            (pl.len().over("id") < n_layers)
            | (pl.col("told").n_unique().over("id") > 1)
            | (pl.col("number").n_unique().over("id") > 1)
        ).alias("odd")
    ).sort("at")
    odd = facts["odd"].to_numpy()
    label = connected(problem)
    odd_rows = np.zeros(problem.n_rows, dtype=np.bool_)
    odd_rows[problem.rows[odd[problem.cells]]] = True
    linked = np.zeros(n, dtype=np.bool_)
    linked[links[0]] = True
    linked[links[1]] = True
    is_open = ~told
    near_odd = np.unique(label[problem.cells[odd_rows[problem.rows] & is_open[problem.cells]]])
    # An equation is reached by a link when any cell of its block is one, also one that is told in the other release.
    near_link = np.unique(label[linked & is_open])
    relevant = is_open & np.isin(label, np.intersect1d(near_odd, near_link))
    one, two, _ = links
    elsewhere = np.zeros(n, dtype=np.bool_)
    elsewhere[one[told[two] & ~told[one]]] = True
    elsewhere[two[told[one] & ~told[two]]] = True
    rest = (system.cells["role"] == "rest").to_numpy()
    if rest.any():
        # The rest of a share that another release told whole.
        first = np.flatnonzero(rest)
        e = system.equations
        of_rests = np.zeros(problem.n_rows, dtype=np.bool_)
        of_rests[: e.n] = e.name_of == (e.names.index(RESTS) if RESTS in e.names else -1)
        own = np.isin(problem.cells, first) & of_rests[problem.rows]
        rows = problem.rows[own]
        of_row = np.full(problem.n_rows, -1, dtype=np.int64)
        of_row[rows] = problem.cells[own]
        others = (of_row[problem.rows] >= 0) & (problem.cells != of_row[problem.rows])
        known = np.bincount(problem.rows[others], ~(elsewhere | told)[problem.cells[others]], problem.n_rows) == 0
        elsewhere[of_row[known & (of_row >= 0)]] = True
    return relevant, elsewhere
