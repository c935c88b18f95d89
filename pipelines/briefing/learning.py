"""Who might learn from whom: a district that moved in the declared direction beside those that work on the same challenge.

A suggestion with its evidence and never more: both districts must have said that they share, the claim must stand over the whole
release, and where evidence is thin nothing is suggested. How pages look does not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from pipelines.briefing.blocks import page, text
from pipelines.briefing.claims import LEARNING, Claim, as_json, claim_of, learning_sentence
from pipelines.briefing.material import Material
from pipelines.wording.labels import CHALLENGES, listed

PART = "learning"
# The error rate over the whole release under which a difference is told here (Benjamini and Hochberg, 1995).
FALSE_DISCOVERY_RATE = 0.05
CORE_CHALLENGES = ("size_and_scale", "materials", "educator_capacity", "leader_capacity", "mindset")
# What districts do, beside what becomes of it.
IMPLEMENTATION = ("size_and_scale", "materials", "educator_capacity", "leader_capacity")
MOST_BESIDE = 3
_BETTER = {"higher is better": "higher", "lower is better": "lower"}


def learning_pages(material: Material) -> list[dict[str, Any]]:
    """One page with every challenge: its suggestions, or that there is none and why."""
    moved = _improvements(material)
    sharing, focus = _priorities(material)
    blocks: list[dict[str, Any]] = [
        text(
            "Each line is a suggestion to talk, not a finding about what works: what came before a change need not have brought "
            "it. A number that stood out one year often comes back by itself the next."
        )
    ]
    for challenge in CORE_CHALLENGES:
        blocks.append({"type": "heading", "text": CHALLENGES[challenge]})
        learners = [row["label"] for row in material.districts if focus.get(row["code"]) == challenge]
        found = [(row, claim) for row, claim in moved if row["challenge"] == challenge and claim.district in sharing]
        blocks += _suggestions(material, found, learners, sharing, moved)
    note = f"School year {material.convening['school_year']}; who shares and who works on what: the extract district_priorities."
    return [page("learning", PART, "Who might learn from whom", blocks, [note])]


def _suggestions(
    material: Material,
    found: Sequence[tuple[dict[str, Any], Claim]],
    learners: Sequence[str],
    sharing: set[str],
    moved: Sequence[tuple[dict[str, Any], Claim]],
) -> list[dict[str, Any]]:
    labels = {row["label"]: row["code"] for row in material.districts}
    if not learners:
        return [text("No district named this challenge as the one it works on first.")]
    willing = [label for label in learners if labels[label] in sharing]
    if not willing:
        return [text(f"{listed(list(learners))} work on it, and did not say that they share with the other districts.")]
    blocks: list[dict[str, Any]] = []
    for _, claim in found:
        others = [label for label in willing if label != claim.district_label]
        if not others:
            continue
        beside = [
            (material.subject(one.indicator_id), one)
            for row, one in moved
            if one.district == claim.district
            and one.indicator_id != claim.indicator_id
            and row["challenge"] in IMPLEMENTATION
            and one.school_year <= claim.school_year
        ][:MOST_BESIDE]
        subject = material.subject(claim.indicator_id)
        blocks.append(
            {
                "type": "statement",
                "sentence": LEARNING,
                "text": learning_sentence(subject, claim, beside),
                "subject": subject,
                "claims": as_json([claim]),
                "beside": [[name, as_json([one])[0]] for name, one in beside],
            }
        )
        blocks.append(text(f"Working on this challenge: {listed(others)}."))
    return blocks or [text(f"{listed(willing)} work on it; no district's change is certain enough to suggest a conversation.")]


def _improvements(material: Material) -> list[tuple[dict[str, Any], Claim]]:
    """Changes from one year to the next in the declared direction that stand over the whole release, with their indicators."""
    directed = material.table("indicators").filter(pl.col("direction").is_in(list(_BETTER)))
    year = material.convening["school_year"]
    rows = (
        material.claims("years")
        .filter(pl.col("school_year") == year)
        .filter(pl.col("other_school_year") == pl.col("other_school_year").max().over("indicator_id", "district"))
        .filter(pl.col("is_comparable") & pl.col("finding").is_not_null())
        .filter(pl.col("q_value").fill_null(1.0) < FALSE_DISCOVERY_RATE)
        .join(directed.select("indicator_id", "direction", "challenge", "name"), on="indicator_id")
        .filter(pl.col("finding") == pl.col("direction").replace_strict(_BETTER, return_dtype=pl.String))
        .sort("challenge", "indicator_id", "district_label")
    )
    return [({"challenge": row["challenge"], "name": row["name"]}, claim_of(row)) for row in rows.to_dicts()]


def _priorities(material: Material) -> tuple[set[str], dict[str, str]]:
    """Districts that say they share with the others, and the challenge that each works on first; both as of the latest term."""
    year = material.convening["school_year"]
    rows = material.table("district_focus").filter(pl.col("school_year") <= year).to_dicts()
    terms = {"full_year": 0, "fall": 1, "winter": 2, "spring": 3, "summer": 4}
    rows.sort(key=lambda row: (row["school_year"], terms.get(row["term"], 5)))
    shares: dict[str, bool] = {}
    focus: dict[str, str] = {}
    for row in rows:
        if row["shares_with_peers"] is not None:
            shares[row["district"]] = row["shares_with_peers"]
        if row["focus_challenge"] is not None:
            focus[row["district"]] = row["focus_challenge"]
    return {district for district, does in shares.items() if does}, focus
