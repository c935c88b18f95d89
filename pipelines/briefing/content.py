"""The content of a convening's briefing, from a release alone: one document (`briefing.json`) that every format is made from.

Five parts: what changed since the last convening, a page a challenge, who might learn from whom, what may not be compared and
why, and the data behind it. Comparative sentences are made by `claims`; what somebody else wrote (definitions, commitments,
reasons) is listed among the document's quotes; how pages look does not belong here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl

from pipelines.briefing.blocks import bullets, page, quote_block, table_block, table_pages, text
from pipelines.briefing.claims import YEARS, Claim, as_json, claim_of, years_sentence
from pipelines.briefing.learning import learning_pages
from pipelines.briefing.material import SPLITS, Material, NoBriefing
from pipelines.release import changes
from pipelines.release.folder import ReleaseFolder
from pipelines.wording.amounts import interval_said, range_said, said, unit_of
from pipelines.wording.labels import CHALLENGES, gap_sentence, humanised, listed, years_text

SCHEMA = "nmip-briefing/1"
CHANGED, BY_CHALLENGE, LEARNING, NOT_COMPARED, DATA = "changed", "challenges", "learning", "not_compared", "data"
SECTIONS = {
    CHANGED: "What changed since the last convening",
    BY_CHALLENGE: "One page a challenge",
    LEARNING: "Who might learn from whom",
    NOT_COMPARED: "What may not be compared, and why",
    DATA: "The data behind this briefing",
}
NEEDED = (
    *("convenings", "focal_questions", "commitments", "district_focus", "comparisons", "verdicts", "indicators", "districts"),
    *("indicator_values", "submissions", "expected_extracts", "district_context", "instruments"),
)
_TREND_BREAK = "trend_break"
_KINDS = {
    "synthetic": "Synthetic data: invented numbers for demonstration. Nothing here describes a real school.",
    "public": "Real public files, as published; not submitted by the districts.",
    "live": "",
}


def convening_of(release: ReleaseFolder, convening_id: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """A convening of the release, and the one before it. Raises NoBriefing, which names those that there are."""
    missing = [name for name in NEEDED if name not in release.tables]
    if missing:
        raise NoBriefing(
            f"Release {release.release_id} is of the time before briefings: it has no table {missing[0]}. "
            "Publish a new release with `nmip run`, then build the briefing again."
        )
    rows = release.tables["convenings"].sort("held_on", "convening").to_dicts()
    places = [place for place, row in enumerate(rows) if row["convening"] == convening_id]
    if not places:
        known = listed([str(row["convening"]) for row in rows]) if rows else "none"
        raise NoBriefing(f"There is no convening {convening_id}; the release knows {known}.")
    return rows[places[0]], rows[places[0] - 1] if places[0] else None


def briefing_document(
    release: ReleaseFolder, convening_id: str, before: ReleaseFolder | None = None, sections: Sequence[str] = tuple(SECTIONS)
) -> dict[str, Any]:
    """The document of one convening, as plain JSON types: the same for the same releases and sections.

    `before`: the release that readers had at the convening before, None where there was none. `sections`: keys of SECTIONS; the
    first part always comes. Raises NoBriefing.
    """
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        raise NoBriefing(f"There is no section {unknown[0]}; there are {listed(list(SECTIONS))}.")
    convening, previous = convening_of(release, convening_id)
    material = Material(release, convening, previous)
    makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
        CHANGED: lambda: changed_pages(material, before),
        BY_CHALLENGE: lambda: challenge_pages(material),
        LEARNING: lambda: learning_pages(material),
        NOT_COMPARED: lambda: not_compared_pages(material),
        DATA: lambda: data_pages(material),
    }
    chosen = [part for part in makers if part in sections or part == CHANGED]
    pages = [one for part in chosen for one in makers[part]()]
    manifest = release.manifest
    return {
        "schema": SCHEMA,
        "release_id": release.release_id,
        "release_digest": hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16],
        "kind": str(manifest.get("kind")),
        "kind_said": _KINDS.get(str(manifest.get("kind")), "This release does not say whether its data are real."),
        "as_of": _as_of(material),
        "minimum_n": int(manifest.get("minimum_n", 0)),
        "convening": {name: _plain(convening[name]) for name in ("convening", "label", "held_on", "school_year", "audience")},
        "since": before.release_id if before is not None else None,
        "sections": chosen,
        "pages": pages,
        "quotes": sorted(material.quotes),
    }


def _as_of(material: Material) -> str | None:
    certified = material.table("submissions")["certified_at"].cast(pl.String).drop_nulls()
    latest = certified.max()
    return str(latest)[:10] if latest is not None else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


# --- 1 What changed ---------------------------------------------------------------------------------------------------------


def changed_pages(material: Material, before: ReleaseFolder | None) -> list[dict[str, Any]]:
    """Commitments of the last convening first, then what changed in the data, what is missing and what is due next."""
    pages = _commitment_pages(material)
    blocks: list[dict[str, Any]] = []
    if before is None:
        blocks.append(text("No release was published before the last convening, so every number in this briefing is new."))
    else:
        told = changes.as_json(changes.changes_between(before, material.release))
        said_of = changes.sentences(told)
        blocks.append(text(f"Since release {before.release_id}, which was the current one at the last convening:"))
        blocks.append(bullets([material.quote(sentence) for sentence in said_of[:8]]))
        if len(said_of) > 8:
            blocks.append(text(f"And {len(said_of) - 8} submissions besides; `nmip release diff` names them all."))
    blocks += _missing(material)
    pages.append(page("changed-data", CHANGED, "What changed in the data, and what is due", blocks))
    pages.append(page("changed-context", CHANGED, "The six districts, side by side", [_context(material)]))
    return pages


def _commitment_pages(material: Material) -> list[dict[str, Any]]:
    title = "What we committed ourselves to, and how it stands"
    if material.previous is None:
        return [page("commitments", CHANGED, title, [text("This is the first convening: no commitments yet.")])]
    rows = material.table("commitments").filter(pl.col("convening") == material.previous["convening"])
    latest = rows.sort("school_year").group_by("district", "commitment_id", maintain_order=True).last()
    labels = {row["code"]: row["label"] for row in material.districts}
    statuses = material.labels("commitment_statuses")
    told = sorted(latest.to_dicts(), key=lambda row: (labels.get(row["district"], ""), row["commitment_id"]))
    cells = [
        [
            labels.get(row["district"], row["district"]),
            CHALLENGES.get(row["challenge"], humanised(row["challenge"])),
            material.quote(row["text"]),
            _plain(row["due_date"]) or "no date",
            f"{material.quote(statuses.get(row['status']) or humanised(row['status']))} ({row['school_year']})",
        ]
        for row in told
    ]
    silent = [row["label"] for row in material.districts if row["code"] not in set(latest["district"])]
    intro = f"Made at the {material.previous['label'].lower()} on {_plain(material.previous['held_on'])}, in the districts' own "
    intro += "words. The status is each district's own judgement."
    blocks = [text(intro)]
    if silent:
        blocks.append(text(f"No commitment of that convening was sent by {listed(silent)}."))
    heads = ["District", "Challenge", "Commitment", "Due", "Status, at the end of"]
    return table_pages("commitments", CHANGED, title, blocks, heads, cells, "Commitments of the last convening.")


def _missing(material: Material) -> list[dict[str, Any]]:
    expected = material.table("expected_extracts")
    year = material.convening["school_year"]
    labels = {row["code"]: row["label"] for row in material.districts}
    of_year = expected.filter((pl.col("school_year") == year) & ~pl.col("state").is_in(["certified", "not_applicable"]))
    blocks = []
    if of_year.is_empty():
        blocks.append(text(f"Every extract that was expected for {year} is certified."))
    else:
        lines = [
            f"{labels.get(district, district)}: {listed([humanised(name) for name in part['extract'].to_list()])}"
            for (district,), part in of_year.sort("district", "extract").group_by("district", maintain_order=True)
        ]
        blocks += [text(f"Expected for {year} and not certified, so in no number here:"), bullets(lines)]
    awaited = expected.filter(pl.col("state").is_in(["awaited", "late"]) & (pl.col("school_year") != year)).sort("due_date")
    if awaited.height:
        first = awaited["due_date"].min()
        due = awaited.filter(pl.col("due_date") == first)
        named = listed([humanised(name) for name in due["extract"].unique().sort().to_list()])
        blocks.append(text(f"Due next, by {_plain(first)}: {named}."))
    return blocks


def _context(material: Material) -> dict[str, Any]:
    table = material.table("district_context").filter(pl.col("school_level").is_null())
    year = material.convening["school_year"]
    years = table["school_year"].unique().sort().to_list()
    shown_year = year if year in years else (years[-1] if years else None)
    rows = {row["district"]: row for row in table.filter(pl.col("school_year") == shown_year).to_dicts()}

    def share(row: Mapping[str, Any], part: str, whole: str) -> str:
        if row.get(part) is None or not row.get(whole):
            return "not shown"
        return f"{100 * row[part] / row[whole]:.0f} %"

    cells = []
    for district in material.districts:
        row = rows.get(district["code"], {})
        enrolled = row.get("n_enrolled")
        cells.append(
            [
                district["label"],
                district["state"],
                "not shown" if enrolled is None else f"{enrolled:,}",
                *(share(row, name, "n_enrolled") for name in ("n_low_income", "n_english_learner", "n_disability")),
                share(row, "n_charter_schools", "n_schools"),
            ]
        )
    heads = ["District", "State", "Students", "In poverty", "English learners", "With disabilities", "Charter schools"]
    return table_block(f"Schools and students in {shown_year}.", heads, cells)


# --- 2 A page a challenge ---------------------------------------------------------------------------------------------------


def challenge_pages(material: Material) -> list[dict[str, Any]]:
    """One finding sentence, a panel a district, verdict chips and a question, for every challenge with a focal question."""
    questions = material.table("focal_questions").filter(pl.col("convening") == material.convening["convening"])
    by_challenge = {row["challenge"]: row for row in questions.to_dicts()}
    return [
        _challenge_page(material, code, title, by_challenge[code]) for code, title in CHALLENGES.items() if code in by_challenge
    ]


def _challenge_page(material: Material, code: str, title: str, focal: Mapping[str, Any]) -> dict[str, Any]:
    indicator = material.indicator(focal["indicator_id"])
    indicator_id = indicator["indicator_id"]
    subject = material.subject(indicator_id)
    rows = material.claims("years", indicator_id)
    later, earlier = _pair_of_years(rows, material.convening["school_year"])
    of_both = rows.filter((pl.col("school_year") == pl.lit(later)) & (pl.col("other_school_year") == pl.lit(earlier)))
    claims = [claim_of(row) for row in of_both.to_dicts()]
    blocks: list[dict[str, Any]] = []
    if claims:
        blocks.append(years_statement(subject, claims))
    else:
        blocks.append(text(f"{subject}: there are no two years of this indicator to set beside each other."))
    blocks.append(_chart(material, indicator, rows))
    blocks.append(_chips(material, indicator_id, later or material.convening["school_year"]))
    blocks.append({"type": "question", "text": material.quote(focal["question"])})
    blocks.append(quote_block("Definition", material.quote(indicator["definition"])))
    notes = [f"Source: indicator {indicator_id} of release {material.release.release_id}."]
    notes += [material.quote(indicator["caveats"])] if indicator["caveats"] else []
    notes += [
        f"{claim.district_label}, {claim.school_year} against {claim.other_school_year}: verdict “{claim.verdict_label}”."
        for claim in claims
    ]
    return page(f"challenge-{code}", BY_CHALLENGE, title, blocks, notes)


def _pair_of_years(rows: pl.DataFrame, school_year: str) -> tuple[str | None, str | None]:
    """The convening's school year and the one before it; the latest two where there are no results of that year yet."""
    usable = rows.filter(pl.col("school_year") <= school_year)
    if usable.is_empty():
        return None, None
    later = str(usable["school_year"].max())
    return later, str(usable.filter(pl.col("school_year") == later)["other_school_year"].max())


def years_statement(subject: str, claims: Sequence[Claim]) -> dict[str, Any]:
    """A sentence about two years of every district, with the claims that it was made from."""
    return {
        "type": "statement",
        "sentence": YEARS,
        "text": years_sentence(subject, claims),
        "subject": subject,
        "claims": as_json(claims),
        "beside": [],
    }


def _chart(material: Material, indicator: Mapping[str, Any], comparisons: pl.DataFrame) -> dict[str, Any]:
    indicator_id = indicator["indicator_id"]
    unit = unit_of(indicator["unit"])
    values = material.table("indicator_values").filter(
        (pl.col("indicator_id") == indicator_id)
        & (pl.col("school_year") <= material.convening["school_year"])
        & pl.col("unit_type").fill_null("district").eq("district")
        & pl.col("network_id").is_null()
        & pl.all_horizontal(pl.col(name).is_null() | (pl.col(name) == "all") for name in SPLITS)
    )
    years = sorted(values["school_year"].unique().to_list())
    before = dict(pairwise(reversed(years)))
    breaks = {
        (row["district"], row["school_year"])
        for row in comparisons.filter(pl.col("verdict") == _TREND_BREAK).to_dicts()
        if before.get(row["school_year"]) == row["other_school_year"]
    }
    by_place = {(row["district"], row["school_year"]): row for row in values.to_dicts()}
    panels, told = [], []
    for district in material.districts:
        points = []
        for year in years:
            row = by_place.get((district["code"], year), {})
            words, interval, why = _said(row, unit)
            scaled = [None if row.get(name) is None else row[name] * unit.factor for name in ("value", "lower", "upper")]
            points.append(
                {
                    "school_year": year,
                    **dict(zip(("value", "lower", "upper"), scaled, strict=True)),
                    "said": words,
                    "interval": interval,
                    "why": why,
                    "n": row.get("n"),
                    "starts_anew": (district["code"], year) in breaks,
                }
            )
        panels.append({"district": district["code"], "label": district["label"], "points": points})
        numbers = ", ".join(f"{point['school_year']} {point['said'] or point['why']}" for point in points)
        told.append(f"{district['label']}: {numbers}")
    return {
        "type": "years_chart",
        "indicator_id": indicator_id,
        "title": f"{material.subject(indicator_id)}, {years_text(years)}, {unit.axis} with 95 % intervals",
        "axis": unit.axis,
        "mark": unit.mark,
        "is_shared_axis": _may_share(material, indicator_id, years),
        "panels": panels,
        "alt": f"{material.subject(indicator_id)} by district and school year. " + "; ".join(told) + ".",
    }


def _said(row: Mapping[str, Any], unit: Any) -> tuple[str | None, str | None, str | None]:
    if not row:
        return None, None, "no number"
    if row.get("value") is not None:
        return said(row["value"], unit), interval_said(row.get("lower"), row.get("upper"), unit), None
    ends = range_said(row.get("at_least"), row.get("at_most"), unit)
    if ends:
        return ends, None, None
    return None, None, gap_sentence(row.get("symbol")).split(":")[0].rstrip(".").lower()


def _may_share(material: Material, indicator_id: str, years: Sequence[str]) -> bool:
    """Whether every two panels may be compared in every year that is shown."""
    pairs = material.claims("districts", indicator_id).filter(pl.col("school_year").is_in(list(years)))
    return bool(pairs.height) and bool(pairs["is_comparable"].fill_null(value=False).all())


def _chips(material: Material, indicator_id: str, school_year: str) -> dict[str, Any]:
    pairs = material.claims("districts", indicator_id).filter(pl.col("school_year") == school_year)
    order = material.table("verdicts").select("verdict", "sort_order")
    counted = pairs.join(order, on="verdict", how="left").group_by("verdict_label", "is_comparable", "sort_order").len()
    chips = [
        {"label": row["verdict_label"], "n": row["len"], "is_comparable": bool(row["is_comparable"])}
        for row in counted.sort("sort_order").to_dicts()
    ]
    return {"type": "chips", "title": f"Pairs of districts in {school_year}", "chips": chips}


# --- 4 What may not be compared ---------------------------------------------------------------------------------------------


def not_compared_pages(material: Material) -> list[dict[str, Any]]:
    """For every indicator that this briefing shows: which pairs of districts are refused, why, and what would lift it."""
    questions = material.table("focal_questions").filter(pl.col("convening") == material.convening["convening"])
    indicators = [code for code in questions.sort("indicator_id")["indicator_id"].to_list() if code is not None]
    cells = []
    for indicator_id in dict.fromkeys([*indicators, "OC4"]):
        if material.table("indicators").filter(pl.col("indicator_id") == indicator_id).is_empty():
            continue
        pairs = material.claims("districts", indicator_id)
        if pairs.is_empty():
            # Of levels there is no value of everybody: what holds for every level is told.
            rows = material.table("comparisons")
            pairs = rows.filter((pl.col("comparison") == "districts") & (pl.col("indicator_id") == indicator_id))
            pairs = pairs.filter(pl.col("verdict") != "suppressed")
        pairs = pairs.filter(pl.col("school_year") == material.convening["school_year"])
        verdicts = material.table("verdicts")
        refused = pairs.select("verdict").join(verdicts, on="verdict").filter(~pl.col("is_comparable"))
        counted = refused.filter(pl.col("verdict") != "no_data").group_by("label", "meaning", "remedy", "sort_order").len()
        cells += [
            [material.subject(indicator_id), row["label"], material.quote(row["meaning"]), material.quote(row["remedy"])]
            for row in counted.sort("sort_order").to_dicts()
        ]
    intro = text("Six states, six tests. Where a comparison is refused, this says why, and what would lift it.")
    title = SECTIONS[NOT_COMPARED]
    if not cells:
        return [page("not-compared", NOT_COMPARED, title, [text("Every pair in this briefing may be compared.")])]
    heads = ["Indicator", "Verdict", "Why", "What would lift it"]
    return table_pages("not-compared", NOT_COMPARED, title, [intro], heads, cells, "Refused comparisons.", rows_of_a_page=8)


# --- 5 The data -------------------------------------------------------------------------------------------------------------


def data_pages(material: Material) -> list[dict[str, Any]]:
    """Dates of certified submissions with acknowledged findings, what proficient means where, changes of tests, and symbols."""
    return [*_certified_pages(material), *_test_pages(material), _symbols_page(material)]


def _certified_pages(material: Material) -> list[dict[str, Any]]:
    year = material.convening["school_year"]
    rows = material.table("submissions").filter((pl.col("school_year") == year) & pl.col("certified_at").is_not_null())
    rows = rows.filter(pl.col("state") != "superseded")
    by_place = {(row["extract"], row["district"]): row for row in rows.to_dicts()}
    extracts = sorted(material.table("expected_extracts").filter(pl.col("school_year") == year)["extract"].unique().to_list())

    def cell(extract: str, district: str) -> str:
        row = by_place.get((extract, district))
        if row is None:
            return "not certified"
        found = row["n_findings"] or 0
        return str(row["certified_at"])[:10] + (f" ({found})" if found else "")

    cells = [[humanised(extract), *(cell(extract, row["code"]) for row in material.districts)] for extract in extracts]
    intro = text("Day of certification of each extract in force; in brackets the findings that the district acknowledged.")
    heads = ["Extract", *(row["label"] for row in material.districts)]
    title = f"What is certified for {year}"
    return table_pages("data-certified", DATA, title, [intro], heads, cells, "Certified extracts.", rows_of_a_page=14)


def _test_pages(material: Material) -> list[dict[str, Any]]:
    states = {row["state"] for row in material.districts}
    year = material.convening["school_year"]
    rows = material.table("instruments").filter(
        pl.col("state").is_in(sorted(states))
        & (pl.col("first_school_year") <= year)
        & (pl.col("last_school_year").is_null() | (pl.col("last_school_year") >= "2018-19"))
    )
    cells = []
    for row in rows.sort("state", "first_school_year").to_dicts():
        level = row["proficient_level"]
        name = row.get(f"level_{level}_label") if level else None
        span = f"{row['first_school_year']} to {row['last_school_year'] or 'now'}"
        level_said = f"level {level}" + (f", {material.quote(name)}" if name else "")
        cells.append([row["state"], material.quote(row["label"]), span, level_said])
    intro = text("Each row is a test with its own cuts. No line is drawn from one row to the next.")
    heads = ["State", "Test", "School years", "Proficient from"]
    title = "The states' tests, and what proficient means on each"
    return table_pages("data-tests", DATA, title, [intro], heads, cells, "State tests.")


def _symbols_page(material: Material) -> dict[str, Any]:
    minimum = int(material.release.manifest.get("minimum_n", 0))
    cells = [[symbol, gap_sentence(symbol)] for symbol in ("c", "r", "z", "x", "low", "u")]
    return page(
        "data-symbols",
        DATA,
        "How to read a gap",
        [
            text(f"Groups under {minimum} people are not shown, and cannot be found by subtraction."),
            table_block("Symbols.", ["Symbol", "What it says"], cells),
        ],
    )
