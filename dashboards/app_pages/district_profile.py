"""District profile: one district's size and schools, what became of its schools, and its indicators over the years."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, choices, filters, sections, tables
from dashboards.components.choices import Indicator
from dashboards.components.sections import IN_FORCE, Selection, View
from dashboards.components.words import PAGES, plain
from pipelines.release.reader import Release
from pipelines.wording import amounts
from pipelines.wording.labels import CHALLENGES, CHANGES, humanised, listed, split_label

N_DRAWN = 3
# Schools of the year named; the others of the list are gone, or counted among these already.
_STANDING = ("same", "opened", "merged", "id_changed")
_STUDENT_GROUPS = {
    "n_low_income": "have a low income",
    "n_english_learner": "are English learners",
    "n_disability": "have a disability",
}


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    districts = release_data.districts(release)
    labels: dict[str, str] = dict(zip(districts["code"], districts["label"], strict=True))
    if not labels:
        st.title("District profile", anchor=False)
        sections.no_values()
        return
    kept = st.session_state.get("kept.focal")
    title = st.container()
    code = filters.choose(
        "District", "district", list(labels), kept if kept in labels else next(iter(labels)), say=labels.__getitem__
    )
    with title:
        st.title(f"District profile: {plain(labels[code])}", anchor=False)
    state = districts.filter(pl.col("code") == code)["state"][0]
    st.caption(plain(f"{labels[code]} ({state}) by itself: nothing here is compared with another district."))
    district = {"code": code, "label": labels[code]}
    _schools(release, code)
    values = release_data.whole_districts(release, district=code)
    _held_to_the_same_schools(release, district, values)
    _challenges(release, district, values)
    _certified(release, code)


def _context(release: Release, code: str) -> bool:
    """Size and kind of the district in its latest year, schools by level; False where the release has none."""
    context = release_data.district_context(release)
    own = context.filter(pl.col("district") == code) if not context.is_empty() else context
    if own.is_empty():
        return False
    latest = own.filter(pl.col("school_year") == own["school_year"].max())
    whole = latest.filter(pl.col("school_level").is_null()).row(0, named=True)
    students = f", {whole['n_enrolled']:,} students" if whole["n_enrolled"] is not None else ""
    st.markdown(
        plain(
            f"{whole['school_year']}: {whole['n_schools']:,} schools{students}; {whole['n_schools_in_scope']:,} of the schools "
            f"take part, {whole['n_charter_schools']:,} are charter schools."
        )
    )
    shares = [
        f"{whole[field] / whole['n_enrolled']:.0%} {words}".replace("%", " %")
        for field, words in _STUDENT_GROUPS.items()
        if whole[field] is not None and whole["n_enrolled"]
    ]
    if shares:
        st.markdown(plain(f"Of its students {listed(shares)}."))
    by_level = latest.filter(pl.col("school_level").is_not_null())
    codes = release_data.codes(release)
    levels = [] if codes.is_empty() else codes.filter(pl.col("list") == "school_levels").select("code", "label").rows()
    labels = dict(levels)
    if not by_level.is_empty():
        n_of = dict(by_level.select("school_level", "n_schools").rows())
        in_order = [*(level for level in labels if level in n_of), *(level for level in n_of if level not in labels)]
        parts = [f"{labels.get(level, humanised(level))} {n_of[level]:,}" for level in in_order]
        st.caption(plain(f"Schools by level: {'; '.join(parts)}."))
    return True


def _schools(release: Release, code: str) -> None:
    st.subheader("Its schools", anchor=False)
    is_told = _context(release, code)
    changes = release_data.school_changes(release)
    own = changes.filter(pl.col("district") == code) if not changes.is_empty() else changes
    if own.is_empty():
        st.markdown("This release does not say what became of the district's schools.")
        return
    latest = own["school_year"].max()
    standing = own.filter(pl.col("change").is_in(_STANDING) & (pl.col("school_year") == latest))
    n_enrolled = standing["n_enrolled"].sum() if standing["n_enrolled"].null_count() == 0 else None
    students = f" with {n_enrolled:,} students" if n_enrolled is not None else ""
    if not is_told:
        st.markdown(plain(f"{latest!s}: {standing['n_schools'].sum():,} schools{students}."))
    st.caption(
        "A school that merged or changed its id is followed. What is gone is counted in the first year without it, with its "
        "students of the year before. A school that began or stopped taking part is counted in another row too."
    )
    counted = [_counted(n_schools, n_enrolled) for n_schools, n_enrolled in own.select("n_schools", "n_enrolled").iter_rows()]
    cells = own.with_columns(
        what=pl.col("change").replace_strict(CHANGES, default=pl.col("change"), return_dtype=pl.String),
        rank=pl.col("change").replace_strict(
            {change: place for place, change in enumerate(CHANGES)}, default=len(CHANGES), return_dtype=pl.Int64
        ),
        cell=pl.Series(counted, dtype=pl.String),
    ).sort("school_year", "rank")
    shown = (
        cells.pivot("school_year", index=["rank", "what"], values="cell")
        .sort("rank")
        .select(pl.col("what").alias("Since the year before"), pl.exclude("rank", "what").fill_null("none"))
    )
    tables.show(shown, f"schools_{code}", "What became of the district's schools, by year.", release.release_id)


def _counted(n_schools: int | None, n_enrolled: int | None) -> str:
    if n_schools is None:
        return "not known"
    return f"{n_schools:,}" + ("" if n_enrolled is None else f" ({n_enrolled:,} students)")


def _held_to_the_same_schools(release: Release, district: dict[str, Any], values: pl.DataFrame) -> None:
    """For the first indicator of each challenge that has such values: all schools beside the schools that are followed."""
    found = []
    for challenge in CHALLENGES:
        for indicator in release_data.indicators(release).filter(pl.col("challenge") == challenge).to_dicts():
            if "school_set" not in release_data.school_groups(release, indicator["indicator_id"]):
                continue
            selection = _headline(release, indicator, values, "school_set")
            if selection is None:
                continue
            asked = {**selection.chosen, "district": district["code"]}
            rows = release_data.values(release, selection.code, asked, "school_set")
            if rows["school_set"].count():
                found.append((selection, sections.labelled(amounts.with_texts(rows), selection)))
                break
    if not found:
        return
    st.subheader("What opening, closing and merging does to its numbers", anchor=False)
    st.caption(
        "In colour all schools of each year, in grey only the schools that are followed through all years. Where the two part, "
        "schools that came or went move the number by themselves. One indicator a challenge; each page shows it for the others."
    )
    view = _view(release)
    with st.container(horizontal=True):
        for selection, rows in found:
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(selection.indicator['name'])}** ({plain(selection.code)})")
                st.caption(plain(_stands_for(selection)))
                sections.over_the_years(view, selection, rows, district, None, sections.span(rows))
    table = pl.concat([_years_table(selection, rows) for selection, rows in found])
    tables.behind(
        "Table and CSV: all schools and schools followed",
        lambda: table,
        f"followed_{district['code']}",
        "All schools beside the schools followed, by indicator and year.",
        release.release_id,
    )


def _challenges(release: Release, district: dict[str, Any], values: pl.DataFrame) -> None:
    st.subheader("Its indicators over the years", anchor=False)
    st.caption(
        "The value that stands for each indicator, with its 95 % interval where it has one. A star marks a number to read with "
        "its note. Each small chart has its own axis, which need not start at 0; no line joins years that may not be compared."
        + sections.range_note(values)
    )
    view = _view(release)
    with_numbers = values.filter(amounts.is_shown())["indicator_id"].unique().to_list()
    for challenge, name in CHALLENGES.items():
        st.markdown(f"#### {plain(name)}")
        indicators = release_data.indicators(release).filter(pl.col("challenge") == challenge).to_dicts()
        own = [indicator for indicator in indicators if indicator["indicator_id"] in with_numbers]
        if not own:
            st.markdown("No number yet." if indicators else "No indicator is defined yet.")
            continue
        _drawn(view, own[:N_DRAWN], district, values)
        without = [str(indicator["indicator_id"]) for indicator in indicators if indicator not in own]
        missing = f" Without a number: {listed(without)}." if without else ""
        st.caption(plain(f"{len(own)} of {len(indicators)} indicators have a number for this district.{missing}"))
        tables.behind(
            f"All {len(own)} indicators with numbers: table and CSV",
            partial(_all_years, release, own, values),
            f"{challenge}_{district['code']}",
            f"{name}: every indicator of the district over the years.",
            release.release_id,
        )
        st.page_link(f"app_pages/{PAGES[challenge]}.py", label=f"Beside the other districts: {name}")


def _drawn(view: View, indicators: Sequence[Indicator], district: dict[str, Any], values: pl.DataFrame) -> None:
    flagged = []
    with st.container(horizontal=True):
        for indicator in indicators:
            selection = _headline(view.release, indicator, values)
            if selection is None:
                continue
            rows = _rows(selection, values)
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(indicator['name'])}** ({plain(selection.code)})")
                st.caption(plain(_stands_for(selection)))
                _latest(rows)
                verdicts = sections.year_verdicts(view.release, selection)
                sections.over_the_years(view, selection, rows, district, None, sections.span(rows), verdicts)
            flagged.append(rows)
    if flagged:
        sections.meanings(pl.concat(flagged, how="diagonal"))


def _latest(rows: pl.DataFrame) -> None:
    shown = rows.filter(amounts.is_shown()).sort("school_year")
    if shown.is_empty():
        st.markdown("No number can be shown for what stands for this indicator.")
        return
    last = shown.tail(1).to_dicts()[0]
    star = " \\*" if last["marks"] else ""
    interval = f" ({plain(last['interval_said'])})" if last["interval_said"] else ""
    interval = " (protected range)" if last["value"] is None else interval
    st.markdown(f"{plain(last['school_year'])}: **{plain(last['said'])}**{star}{interval}")
    if last["marks"]:
        st.caption(
            f"\\* {plain(humanised(last['marks']))}" + (f", {plain(last['response_said'])}" if last["response_said"] else "")
        )


def _headline(release: Release, indicator: Indicator, values: pl.DataFrame, schools: str | None = None) -> Selection | None:
    """What stands for an indicator, chosen without anybody's help; None where the district has no value of it."""
    rows = values.filter(pl.col("indicator_id") == indicator["indicator_id"])
    if rows.is_empty():
        return None
    shown = rows.filter(amounts.is_shown())
    newest = (rows if shown.is_empty() else shown)["school_year"].max()
    combinations = choices.combinations_of(rows)
    chosen = choices.headline(combinations, str(newest), indicator)
    split = tuple(name for name, code in chosen.items() if code not in (None, "all"))
    return Selection(indicator, schools, chosen, None, schools, split, sections.labels(release, combinations))


def _rows(selection: Selection, values: pl.DataFrame) -> pl.DataFrame:
    rows = choices.in_combination(values.filter(pl.col("indicator_id") == selection.code), selection.chosen)
    return sections.labelled(amounts.with_texts(rows), selection)


def _stands_for(selection: Selection) -> str:
    return selection.text or amounts.unit_of(selection.indicator["unit"]).axis


def _view(release: Release) -> View:
    return View(release, release_data.districts(release), "")


def _all_years(release: Release, indicators: Sequence[Indicator], values: pl.DataFrame) -> pl.DataFrame:
    found = []
    for indicator in indicators:
        selection = _headline(release, indicator, values)
        if selection is not None:
            found.append(_years_table(selection, _rows(selection, values)))
    return pl.concat(found)


def _years_table(selection: Selection, rows: pl.DataFrame) -> pl.DataFrame:
    """One indicator's values of one district, a row a year and group of schools."""
    schools = [split_label("school_set", code) for code in rows["school_set"].to_list()]
    return rows.select(
        pl.lit(f"{selection.indicator['name']} ({selection.code})").alias("Indicator"),
        pl.lit(selection.text).alias("Of what"),
        pl.Series("Schools", schools, dtype=pl.String),
        pl.col("school_year").alias("School year"),
        pl.coalesce("said", "why").alias("Value"),
        pl.col("interval_said").alias("95 % interval"),
        pl.col("n").cast(pl.String).alias("n"),
        pl.col("response_said").alias("Response"),
        pl.col("marks").alias("To know"),
        pl.col("instrument").alias("Instrument"),
        pl.col("as_of").alias("As of"),
    ).sort("School year", "Schools", maintain_order=True)


def _certified(release: Release, code: str) -> None:
    st.subheader("What is certified and what is missing", anchor=False)
    submissions = release_data.submissions(release).filter(pl.col("district") == code)
    certified = submissions.filter(pl.col("state").is_in(IN_FORCE))
    if certified.is_empty():
        st.markdown("Nothing is certified yet, so no number but a published one speaks of this district.")
    else:
        newest = certified["certified_at"].max()
        n_files = certified.select("extract", "school_year").n_unique()
        st.markdown(plain(f"{n_files} files are certified, the latest on {str(newest)[:10]}."))
    expected = release_data.expected_extracts(release)
    if expected.is_empty():
        return
    open_files = expected.filter((pl.col("district") == code) & ~pl.col("state").is_in(["certified", "certified_late"]))
    if open_files.is_empty():
        st.markdown("Every expected file is certified.")
        return
    tables.show(
        open_files.select(
            pl.Series("File", [humanised(extract) for extract in open_files["extract"]], dtype=pl.String),
            pl.col("school_year").alias("School year"),
            pl.Series("How it stands", [humanised(state) for state in open_files["state"]], dtype=pl.String),
            pl.col("due_date").cast(pl.String).alias("Due"),
            pl.coalesce("reason", "next_step").alias("Why, or what comes next"),
        ),
        f"missing_{code}",
        "Every expected file of the district that is not certified.",
        release.release_id,
    )


page(release_data.current_release())
