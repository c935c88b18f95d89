"""The latent path of each school through the stages of implementation, and the quality that follows from it.

A path has a state at the end of each half-year, from before the first school year on: not started, or one of the
four stages. It can stall, skip a stage and go back, and many schools never start. All parts about implementation
lean on the quality. How a school is rated, and what its people do, does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pipelines.synthetic.conditions import Conditions
from pipelines.synthetic.model import SCHOOL_YEARS, Bools, Floats, Ints, generator
from pipelines.synthetic.schools import Schools

STATES = ("not_started", "exploration", "installation", "initial", "full")
NOT_STARTED, EXPLORATION, INSTALLATION, INITIAL, FULL = range(5)
N_TERMS = 1 + 2 * len(SCHOOL_YEARS)
# Days since 1970 on which a half-year's changes can fall: first day and how many days, after the first school year's start.
FIRST_DAY = int(np.datetime64(f"{SCHOOL_YEARS[0][:4]}-08-15", "D").astype(np.int64))
YEAR, FALL_SPAN, SPRING_START, SPRING_SPAN = 365, 76, 143, 86
# Chances of half a year, of a school of middling readiness: onwards from each state, by skipping, and back.
ONWARDS = (0.07, 0.30, 0.26, 0.12)
SKIPS, FALLS_BACK = 0.05, 0.03
STALLS, STALLED_PACE = 0.15, 0.08
NEVER_STARTS = 0.22
# Shares of schools at or beyond each stage before the first year.
BEYOND = (0.58, 0.44, 0.26, 0.09)
STILL_BEYOND = (0.62, 0.52, 0.40, 0.16)
QUALITY_OF = np.array([-0.9, -0.5, -0.1, 0.6, 1.2])


@dataclass(frozen=True)
class Path:
    """The paths of all schools of a district.

    `state` (half-years × schools) is an index of STATES, the first of them before the first school year; `since`
    is the day, counted from 1970, on which the school came into it; `chances` (half-years × schools × states) is
    what the model expects; `quality` (years × schools) has a mean near 0 and a spread near 1; `readiness` and
    `place` (a rank between 0 and 1) stay with the school.
    """

    state: Ints
    since: Ints
    chances: Floats
    quality: Floats
    readiness: Floats
    place: Floats

    def spring(self, year: int) -> int:
        """The half-year at whose end stands the spring of `year`."""
        return 2 * year + 2


def draw_path(seed: int, conditions: Conditions, schools: Schools) -> Path:
    """The path of every school; in a still district nothing moves and readiness plays no part."""
    rng = generator(seed, conditions.code, "implementation", "schools")
    n = schools.n
    readiness, own = rng.normal(0, 1, n), rng.normal(0, 0.7, n)
    chances = np.zeros((N_TERMS, n, len(STATES)))
    state, since = np.zeros((N_TERMS, n), np.int64), np.zeros((N_TERMS, n), np.int64)
    if conditions.is_still:
        never, moves = np.zeros(n, bool), np.zeros((n, len(STATES), len(STATES)))
        first = np.tile(_shares_of(np.log(np.array(STILL_BEYOND) / (1 - np.array(STILL_BEYOND))))[None], (n, 1))
    else:
        never = rng.random(n) < NEVER_STARTS
        first = _shares_of(np.log(np.array(BEYOND) / (1 - np.array(BEYOND))) + 0.4 + 0.7 * readiness[:, None])
        first[never] = np.eye(len(STATES))[NOT_STARTED]
        pace = np.exp(0.35 * readiness - 0.06) * np.where(rng.random(n) < STALLS, STALLED_PACE, 1.0)
        moves = _moves(np.where(never, 0.0, pace), pace > 0.2)
    first_term = np.where(schools.opened == 0, 0, 2 * schools.opened + 1)
    for term in range(N_TERMS):
        is_new, is_there = first_term == term, first_term < term
        before = chances[term - 1] if term else first
        chances[term] = np.where(is_new[:, None], first, before)
        if not conditions.is_still:
            chances[term] = np.where(is_there[:, None], before + np.einsum("ns,nst->nt", before, moves), chances[term])
        draw, day = rng.random(n), _days(rng, term, n)
        previous = state[term - 1] if term else np.zeros(n, np.int64)
        # Where every school stands for certain, then what half a year adds to that.
        at = np.where(is_new[:, None], first, np.eye(len(STATES))[previous])
        if not conditions.is_still:
            at = np.where(is_there[:, None], at + moves[np.arange(n), previous], at)
        state[term] = (draw[:, None] > at.cumsum(axis=1)[:, :-1]).sum(axis=1)
        has_moved = is_new | (state[term] != previous)
        since[term] = np.where(has_moved, day, since[term - 1] if term else day)
    quality = QUALITY_OF[state[2::2]] + own
    return Path(state, since, chances, quality, readiness, rng.random(n))


def _shares_of(log_odds: Floats) -> Floats:
    """Shares of the states from the log odds of being at or beyond each stage (last axis)."""
    beyond = expit(log_odds)
    edges = np.concatenate([np.ones((*beyond.shape[:-1], 1)), beyond, np.zeros((*beyond.shape[:-1], 1))], axis=-1)
    return np.asarray(-np.diff(edges, axis=-1))


def _moves(pace: Floats, goes_back: Bools) -> Floats:
    """What half a year adds to the shares of the states: schools × from × to; each row adds up to 0."""
    moves = np.zeros((len(pace), len(STATES), len(STATES)))
    for state, chance in enumerate(ONWARDS):
        moves[:, state, state + 1] = np.minimum(0.6, chance * pace)
    moves[:, EXPLORATION, INITIAL] = SKIPS * pace
    for state in (INITIAL, FULL):
        moves[:, state, state - 1] = FALLS_BACK * goes_back
    moves[:, np.arange(len(STATES)), np.arange(len(STATES))] = -moves.sum(axis=2)
    return moves


def _days(rng: np.random.Generator, term: int, n: int) -> Ints:
    """A day of the half-year for each school; before the first year, one of the 30 months up to it."""
    if term == 0:
        return np.asarray(FIRST_DAY - 20 - (900 * rng.beta(1.2, 2.0, n)).astype(np.int64))
    year, is_spring = divmod(term - 1, 2)
    start, span = (SPRING_START, SPRING_SPAN) if is_spring else (0, FALL_SPAN)
    return np.asarray(FIRST_DAY + YEAR * year + start + rng.integers(0, span, n))
