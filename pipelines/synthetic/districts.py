"""The traits of each district: sizes from the code list, everything else invented.

Traits alone: what a district's schools, results or materials make of them does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.synthetic.model import generator

FEWEST_SCHOOLS = 12
# Shares of the kinds of schools (LEVEL_KINDS in `schools`): districts of separate middle schools, districts of K-8 schools.
LEVEL_MIXES = ((0.56, 0.16, 0.06, 0.15, 0.04, 0.02, 0.01), (0.22, 0.06, 0.50, 0.16, 0.03, 0.02, 0.01))
ID_STYLES = ("padded", "zoned", "short", "plain", "lettered")


@dataclass(frozen=True)
class District:
    """One district's traits: sizes from the code list, everything else invented.

    `level_mix` goes by the order of the kinds of schools. `charter_share`, `low_income`, `learners`, `adoption`
    and `integrated_share` are shares; `growth` is the yearly change of the logarithm of enrolment; `mean`,
    the two gaps and `yearly_gain` are on the latent scale of the test. The flags plant the effects.
    """

    code: str
    state: str
    lea_id: str
    n_schools: int
    n_students: float
    level_mix: tuple[float, ...]
    id_style: str
    charter_share: float
    low_income: float
    learners: float
    growth: float
    mean: float
    low_income_gap: float
    learner_gap: float
    yearly_gain: float
    adoption: float
    integrated_share: float
    opts_out: bool
    improves: bool
    suppresses: bool
    lets_schools_choose: bool
    lacks_use_counts: bool
    names_changed_ids: bool
    equal_access: bool
    algebra_rises: bool
    message_works: bool
    reaches_families: bool
    runs_learning_communities: bool
    runs_immersion: bool
    supports_too: str


def draw_districts(listed: pl.DataFrame, seed: int, scale: float) -> list[District]:
    """Traits of every listed district. Which district has which special trait follows from the seed."""
    order = generator(seed, "network").permutation(listed.height)
    turn = {str(listed["code"][int(place)]): position for position, place in enumerate(order)}
    n = listed.height

    def has_turn(code: str, *turns: int) -> bool:
        return turn[code] in {wanted % n for wanted in turns}

    districts = []
    for row in listed.iter_rows(named=True):
        code, rng = row["code"], generator(seed, "network", row["code"])
        n_schools = max(FEWEST_SCHOOLS, round(int(row["n_schools"]) * scale))
        districts.append(
            District(
                code=code,
                state=row["state"],
                lea_id=row["nces_lea_id"],
                n_schools=n_schools,
                n_students=int(row["n_students"]) * n_schools / int(row["n_schools"]),
                level_mix=LEVEL_MIXES[turn[code] % len(LEVEL_MIXES)],
                id_style=ID_STYLES[turn[code] % len(ID_STYLES)],
                charter_share=rng.uniform(0.05, 0.22),
                low_income=rng.uniform(0.66, 0.88),
                learners=rng.uniform(0.12, 0.28),
                growth=rng.normal(-0.008, 0.006),
                mean=rng.normal(-0.05, 0.18),
                low_income_gap=-rng.uniform(0.25, 0.45),
                learner_gap=-rng.uniform(0.40, 0.70),
                yearly_gain=rng.uniform(0.0, 0.04),
                adoption=rng.uniform(0.38, 0.58),
                integrated_share=(0.05, 0.85)[turn[code] % 3 == 0],
                opts_out=has_turn(code, 0),
                improves=has_turn(code, 1),
                suppresses=has_turn(code, 2, 3),
                lets_schools_choose=has_turn(code, 3, 4),
                lacks_use_counts=has_turn(code, 5),
                names_changed_ids=has_turn(code, 0, 2, 4),
                equal_access=has_turn(code, 4),
                algebra_rises=has_turn(code, 3),
                message_works=has_turn(code, 1),
                reaches_families=has_turn(code, 2),
                runs_learning_communities=has_turn(code, 0, 1, 2, 3, 5),
                runs_immersion=has_turn(code, 0, 1, 4, 5),
                supports_too=("few" if has_turn(code, 0) else "many" if has_turn(code, 3) else ""),
            )
        )
    return districts
