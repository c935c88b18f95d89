"""Back-test: every linked mean beside the published NAEP mean of the same district, grade and year, and how far it was off."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, filters, tables
from dashboards.components.words import plain
from pipelines.release.reader import Release
from pipelines.wording import amounts, look
from pipelines.wording.labels import grade_label, listed

_UNIT = "NAEP points"
# Why a cell judges nothing, and what is not known of one that does.
COVERAGE = {
    "covered": "Judged",
    "participation_unknown": "Judged; how many of the students enrolled sat the test is not known",
    "course_test": "Refused: students in Algebra I sit another test than the grade's",
    "participation_outside": "Refused: of the students enrolled fewer than 95 % or more than 105 % sat the test",
    "state_participation_outside": "Refused: in the state fewer than 95 % or more than 105 % of the students enrolled sat the "
    "test",
}


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    st.title("Back-test of linked means", anchor=False)
    st.markdown(
        "A linked mean says where a district would stand on NAEP, from its results on its own state's test. For some districts, "
        "grades and years NAEP has published the answer. Here every linked mean stands beside it, the misses included."
    )
    cells, summary = release_data.back_test(release), release_data.back_test_summary(release)
    st.page_link("app_pages/methods.py", label="How a link is worked out: Methods", icon=":material/functions:")
    if cells.is_empty() or summary is None:
        st.markdown(
            "This release has nothing to test a link with. A cell needs a linked mean of all students and a NAEP mean of the "
            "district itself, for one grade and year."
        )
        return
    focal = filters.focal_district(release_data.districts(release))
    st.subheader("What it says of the link", anchor=False)
    for sentence in summary_sentences(summary):
        st.markdown(plain(sentence))
    told = with_words(cells)
    ordered = told.sort(pl.col("district") != focal, maintain_order=True)
    _judged(release, ordered.filter(pl.col("is_judged")))
    _refused(release, ordered.filter(~pl.col("is_judged")))
    st.subheader("Every cell", anchor=False)
    tables.show(_table(ordered), "back_test", "Every linked mean beside NAEP's, with what it missed by.", release.release_id)


def summary_sentences(summary: dict[str, Any]) -> list[str]:
    """Bias, error, cells, and which error the intervals of linked means hold, each in a sentence."""
    n, refused = int(summary["n_cells"] or 0), int(summary["n_refused"] or 0)
    told = [
        f"{n} cell{'s' if n != 1 else ''} (a district, a grade, a year) judge the link; {refused} more stand below and judge "
        "nothing, because their results leave students out."
    ]
    if n and summary["bias"] is not None:
        bias, rmse = summary["bias"], summary["rmse"]
        side = "too high" if bias > 0 else "too low"
        told.append(
            f"On average linked means came out {abs(bias):.1f} NAEP points {side} (the bias); the typical miss, whichever way, "
            f"is {rmse:.1f} points (the root mean square error, RMSE)."
        )
    minimum, published = int(summary["minimum_cells"]), summary["published_rmse"]
    if summary["judged_by"] == "own" and summary["coverage"] is not None:
        told.append(
            f"The intervals hold the error that these {n} cells show beyond sampling, {summary['linking_sd']:.2f} points. NAEP's "
            f"mean lies within the interval in {summary['n_within']} of {n} cells ({100 * summary['coverage']:.0f} %)."
        )
    else:
        told.append(
            f"The intervals hold the published error of linked means of large urban districts, {published:.2f} points (Reardon, "
            f"Kalogrides and Ho 2019), and not the smaller or larger one seen here: {n} cells are too few to claim how often an "
            f"interval holds the truth. From {minimum} cells on the back-test's own error is used."
        )
        told.append(
            f"NAEP's mean lies within the interval in {summary['n_within']} of {n} cells. That is a count and no claim of "
            "coverage."
        )
    return told


def with_words(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells with `grade_label`, `cell` (which one it is), `verdict` (judged or refused and why) and `miss` in words."""
    misses = [
        _miss(difference, is_within, is_judged)
        for difference, is_within, is_judged in cells.select("difference", "is_within", "is_judged").iter_rows()
    ]
    grades = [grade_label(grade) for grade in cells["grade"]]
    unknown = pl.lit("Refused: ") + pl.col("coverage").fill_null("coverage not known").str.replace_all("_", " ")
    return cells.with_columns(
        pl.Series("grade_label", grades, dtype=pl.String),
        pl.Series("miss", misses, dtype=pl.String),
        verdict=pl.col("coverage").replace_strict(COVERAGE, default=unknown, return_dtype=pl.String),
    ).with_columns(
        cell=pl.format("{} ({}, {})", "district_label", pl.col("grade_label").str.to_lowercase(), "school_year"),
    )


def _miss(difference: float | None, is_within: bool | None, is_judged: bool | None) -> str:
    if difference is None:
        return "no difference can be worked out"
    size = f"{abs(difference):.1f} points too {'high' if difference > 0 else 'low'}"
    if not is_judged:
        return f"{size}; judges nothing"
    return f"{size}; {'within' if is_within else 'outside'} the interval"


def _judged(release: Release, cells: pl.DataFrame) -> None:
    st.subheader("Cells that judge the link", anchor=False)
    if cells.is_empty():
        st.markdown("None: every cell leaves students out.")
        return
    st.caption(
        "The dot is the linked mean with its 95 % interval, linking error included; the diamond is NAEP's published mean of the "
        "district. One panel a grade; order is alphabetical, never by value."
    )
    _panels(release, cells)
    outside = cells.filter(~pl.col("is_within"))
    if outside.is_empty():
        farthest = cells.sort(pl.col("difference").abs(), descending=True).row(0, named=True)
        largest = plain(f"{farthest['cell']}: {farthest['miss']}")
        st.markdown(f"No cell misses by more than its interval allows for. The largest miss is {largest}.")
    else:
        named = [f"{cell}: {miss}" for cell, miss in outside.select("cell", "miss").iter_rows()]
        st.markdown(plain(f"Misses beyond the interval: {'; '.join(named)}."))


def _refused(release: Release, cells: pl.DataFrame) -> None:
    if cells.is_empty():
        return
    st.subheader("Cells that are refused", anchor=False)
    st.caption(
        "Their results leave students out, so a link may fit or miss for that reason alone. A near miss among them says as "
        "little for the link as a far one says against it."
    )
    for (verdict,), part in cells.group_by(["verdict"], maintain_order=True):
        which = listed(part["cell"].to_list())
        st.markdown(f"**{plain(str(verdict))}:** {plain(which)}.")
    _panels(release, cells)


def _panels(release: Release, cells: pl.DataFrame) -> None:
    colours = look.district_colours(release_data.districts(release)["code"].to_list())
    unit = amounts.unit_of(_UNIT)
    with st.container(horizontal=True):
        for part in cells.sort(pl.col("grade").cast(pl.Int64, strict=False), maintain_order=True).partition_by(
            "grade", maintain_order=True
        ):
            grade = str(part["grade_label"][0])
            drawn = part.select(
                "lower",
                "upper",
                label=pl.col("district_label") + ",\n" + pl.col("school_year"),
                value="linked_mean",
                other="naep_mean",
                short=pl.Series([f"{value:.1f}" for value in part["linked_mean"]], dtype=pl.String),
                colour=pl.col("district").replace_strict(colours, default=look.QUIET, return_dtype=pl.String),
            )
            held = pl.concat([drawn.select("value", "lower", "upper"), drawn.select(value="other", lower="other", upper="other")])
            with st.container(width=charts.WIDE_PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(grade)}**")
                st.vega_lite_chart(charts.bars(drawn, charts.axis_for(held, unit)), theme=None, alt=_alt(grade, part))


def _alt(grade: str, cells: pl.DataFrame) -> str:
    parts = [
        f"{row['district_label']} {row['school_year']} linked {row['linked_mean']:.1f} ({row['lower']:.1f} to "
        f"{row['upper']:.1f}), NAEP {row['naep_mean']:.1f}, {row['miss']}"
        for row in cells.to_dicts()
    ]
    return f"Linked means and NAEP means, {grade}: {'; '.join(parts)}."


def _table(cells: pl.DataFrame) -> pl.DataFrame:
    def points(name: str) -> pl.Series:
        return pl.Series(name, [None if value is None else f"{value:.1f}" for value in cells[name]], dtype=pl.String)

    unit = amounts.Unit(digits=1)
    intervals = [amounts.interval_said(lower, upper, unit) for lower, upper in cells.select("lower", "upper").iter_rows()]
    differences = [
        None if value is None else amounts.number(value, amounts.difference_of(_UNIT)) for value in cells["difference"]
    ]
    errors = [f"± {1.959964 * error:.1f}" if error else "not known" for error in cells["naep_se"]]
    return cells.select(
        pl.col("district_label").alias("District"),
        pl.col("grade").alias("Grade"),
        pl.col("school_year").alias("School year"),
        points("linked_mean").alias("Linked mean"),
        pl.Series("95 % interval", intervals, dtype=pl.String),
        points("naep_mean").alias("NAEP mean"),
        pl.Series("NAEP's own 95 % error", errors, dtype=pl.String),
        pl.Series("Linked less NAEP", differences, dtype=pl.String),
        pl.col("miss").alias("Miss"),
        pl.col("verdict").alias("Coverage"),
        pl.col("n").cast(pl.String).alias("n"),
    )


page(release_data.current_release())
