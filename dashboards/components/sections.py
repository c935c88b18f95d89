"""One indicator in full: its choices, its definition, one panel a district with this year and the years before, and the table.

Generic over indicators: what a section looks like follows from the indicator's basis, units and breakdowns. An indicator of the
districts' own tests is drawn by `own_test` instead. Queries do not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import charts, choices, distribution, filters, tables, years
from dashboards.components.choices import Indicator
from dashboards.components.words import plain, side_by_side, wrapped
from pipelines.release.reader import Release
from pipelines.wording import amounts, look
from pipelines.wording.labels import (
    BASES,
    FIELDS,
    FLAGS,
    flag_codes,
    flag_sentence,
    flag_words,
    gap_sentence,
    humanised,
    listed,
    split_label,
    split_order,
    year_start,
)

# How a protected range is drawn.
RANGE_DRAWN = (
    "A thin line between two end marks is a **protected range**: the share lies somewhere in it, and no number stands for it."
)
# A stretch of an axis that is marked, as two values.
Band = tuple[float, float]
IN_FORCE = ("certified", "superseded")
EVERY_SCHOOL = "all"
_SCHOOLS = {
    EVERY_SCHOOL: "All schools together",
    "school_level": "By school level",
    "network_id": "By network",
    "school_set": "Followed through all years",
}
# The code lists that hold the labels of a breakdown.
_LISTS = {
    "subgroup": "subgroups",
    "respondent": "respondents",
    "audience": "audiences",
    "cohort": "algebra_cohorts",
    "administration": "administrations",
}
# What a choice of another indicator ends: these are choices within one.
WITHIN_ONE = ("by", "line", "schools", "statistic", "category", "respondent", "audience", "cohort", "administration", "course")


@dataclass(frozen=True)
class View:
    """What a page's filters say: the release, the districts in order, the school year, and the district chosen to stand first."""

    release: Release
    districts: pl.DataFrame
    year: str
    focal: str | None = None

    @property
    def colours(self) -> dict[str, str]:
        """The colour of each district by its code."""
        return look.district_colours(self.districts["code"].to_list())


@dataclass(frozen=True)
class Selection:
    """What is shown of one indicator.

    `chosen`: the value of every breakdown but `spread`, the one that the bars of a panel stand for (None: a single bar).
    `line`: the value of `spread` that is followed over the years. `schools`: the groups of schools beside the whole district.
    `split`: the fields that were to be chosen. `labels`: the release's own labels by field and code.
    """

    indicator: Indicator
    spread: str | None
    chosen: dict[str, str | None]
    line: str | None = None
    schools: str | None = None
    split: tuple[str, ...] = ()
    labels: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The indicator's id."""
        return str(self.indicator["indicator_id"])

    def label(self, name: str, code: str | None) -> str:
        """The label of one value of a breakdown."""
        return split_label(name, code, self.labels)

    @property
    def text(self) -> str:
        """What is chosen, in words."""
        return " · ".join(self.label(name, self.chosen[name]) for name in self.split if name in self.chosen)


def labels(release: Release, combinations: pl.DataFrame) -> dict[tuple[str, str], str]:
    """A release's own labels for the codes of one indicator, by field and code.

    Programmes and indicators bring theirs; other codes only where the release has a table of codes. The list behind a category or
    a measure is the smallest that holds all of the indicator's.
    """
    programs = release_data.programs(release)
    found = {("program_id", row["program_id"]): row["label"] for row in programs.to_dicts()}
    categories = set(combinations["category"].drop_nulls()) - {"all"}
    indicators = release_data.indicators(release).filter(pl.col("indicator_id").is_in(sorted(categories)))
    found |= {("category", row["indicator_id"]): f"{row['name']} ({row['indicator_id']})" for row in indicators.to_dicts()}
    codes = release_data.codes(release)
    if codes.is_empty():
        return found
    lists = dict(_LISTS)
    for name in ("category", "statistic"):
        own = set(combinations[name].drop_nulls()) - {"all"}
        fitting = [(part.height, str(key[0])) for key, part in codes.group_by("list") if own and own <= set(part["code"])]
        if fitting:
            lists[name] = min(fitting)[1]
    for name, code_list in lists.items():
        rows = codes.filter(pl.col("list") == code_list)
        found |= {(name, code): label for code, label in rows.select("code", "label").iter_rows() if label}
    return found


def select(
    view: View,
    indicator: Indicator,
    fixed: Mapping[str, str | None] | None = None,
    spread: str | None = None,
    *,
    is_followed: bool = False,
) -> Selection | None:
    """Draw an indicator's name, definition and the choices within it, and say what they hold; None where it has no values.

    `fixed`: breakdowns that the page has chosen. `spread`: what the bars stand for, where the page decides it;
    `is_followed`: one of them is then chosen to be followed over the years.
    """
    fixed = dict(fixed or {})
    heading(indicator)
    left = choices.in_combination(release_data.combinations(view.release, indicator["indicator_id"]), fixed)
    if left.is_empty():
        return None
    own_labels = labels(view.release, left)
    chosen = dict(fixed)
    split: list[str] = []
    page_decides = spread is not None

    def say(name: str, code: str | None) -> str:
        return split_label(name, code, own_labels)

    def choose(name: str, rows: pl.DataFrame) -> pl.DataFrame:
        codes = choices.options(rows, name)
        chosen[name] = codes[0]
        if len(codes) > 1:
            split.append(name)
            chosen[name] = filters.split(name, codes, choices.default(rows, name, view.year, indicator), say)
        elif codes[0] is not None:
            split.append(name)
        return choices.only(rows, name, chosen[name])

    with st.container(horizontal=True):
        left = choose("statistic", left)
        schools = None if page_decides else _choose_schools(view, indicator)
        spread = spread or schools or _choose_spread([name for name in choices.varying(left) if name not in fixed])
        for name in choices.FIELD_ORDER:
            if name not in (*fixed, "statistic", spread):
                left = choose(name, left)
        line = None
        if spread and not schools and (is_followed or not page_decides):
            codes = choices.options(left, spread)
            line = choices.default(left, spread, view.year, indicator)
            if len(codes) > 1:
                line = _choose_line(spread, codes, line, say)
    return Selection(indicator, spread, chosen, line, schools, tuple(split), own_labels)


def _choose_schools(view: View, indicator: Indicator) -> str | None:
    groups = release_data.school_groups(view.release, indicator["indicator_id"])
    if not groups:
        return None
    picked = filters.choose("Schools", "schools", [EVERY_SCHOOL, *groups], EVERY_SCHOOL, say=_SCHOOLS.__getitem__)
    return None if picked == EVERY_SCHOOL else picked


def _choose_spread(varying: Sequence[str]) -> str | None:
    spreads = [name for name in choices.SPREAD_ORDER if name in varying]
    if len(spreads) < 2:
        return next(iter(spreads), None)
    return filters.choose("Bars show", "by", spreads, spreads[0], say=FIELDS.__getitem__)


def _choose_line(spread: str, codes: Sequence[str | None], default: str | None, say: Any) -> str | None:
    def option(code: str | None) -> str:
        return filters.WHOLE if code is None else code

    picked = filters.choose(
        "Followed and compared",
        "line",
        [option(code) for code in codes],
        option(default),
        say=lambda chosen: say(spread, None if chosen == filters.WHOLE else chosen),
    )
    return None if picked == filters.WHOLE else picked


def no_values() -> None:
    """Say that a page has nothing to show, and why that may be."""
    st.markdown(
        "This release holds no values for this page. Values appear when a district has certified the files behind them and "
        "the next release is published; **Data quality** says what each file is waiting for."
    )


def section(view: View, selection: Selection, band: Band | None = None) -> None:
    """One indicator: panels side by side, one a district, and the table behind them."""
    indicator, spread = selection.indicator, selection.spread
    chosen = {name: code for name, code in selection.chosen.items() if name != spread}
    rows = release_data.values(view.release, selection.code, chosen, selection.schools)
    rows = labelled(amounts.with_texts(rows), selection)
    year_rows = rows.filter(pl.col("school_year") == view.year)
    lines = _followed(rows, selection)
    pairs = {name: code for name, code in chosen.items() if name in release_data.SPLITS}
    apart = choices.why_apart(indicator, year_rows, release_data.refusals(view.release, selection.code, pairs, view.year))
    chosen_text(view, selection)
    has_line = lines.filter(amounts.is_shown())["school_year"].n_unique() > 1
    said = reading(indicator, apart, has_line=has_line, has_verdicts=release_data.has_verdicts(view.release))
    st.caption(said + range_note(pl.concat([year_rows, lines])))
    unit = amounts.unit_of(_only_unit(year_rows))
    shared = None if apart else axis_of(year_rows, unit, band)
    years_held = span(lines)
    verdicts = year_verdicts(view.release, selection)
    refused = release_data.refusals(view.release, selection.code, compared_split(selection))
    trend_axis = None if choices.why_apart(indicator, lines, refused) else charts.trend_axis(lines, unit)
    with st.container(horizontal=True):
        for district in view.districts.to_dicts():
            with st.container(width=charts.PANEL_WIDTH, border=True, gap="xsmall"):
                st.markdown(f"**{plain(district['label'])}**")
                here = pl.col("district") == district["code"]
                _panel(view, selection, year_rows.filter(here), district, shared, band)
                over_the_years(view, selection, lines.filter(here), district, trend_axis, years_held, verdicts)
    meanings(pl.concat([year_rows, lines]))
    shown = pl.concat([year_rows, lines.filter(pl.col("school_year") != view.year)])
    order = view.districts.select(pl.col("code").alias("district")).with_row_index("place")
    ordered = shown.join(order, on="district", how="left").sort(
        "place", "school_year", "position", descending=[False, True, False], maintain_order=True
    )
    title = FIELDS.get(spread or "", "Result") if spread else "Measure"
    tables.behind(
        f"Table, sources and CSV: {selection.code}",
        lambda: table(ordered, title),
        f"{selection.code}_{view.year}",
        f"{indicator['name']}, {view.year}: value, interval, n, date and sources of every number above.",
        view.release.release_id,
    )


def labelled(rows: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    """The rows with `label` (what the bar stands for, lines broken), `position` (its order) and `series`, in that order.

    Where a district has several instruments for one bar in a year, each is a bar of its own, and `series` names it.
    """
    spread = selection.spread
    if spread is None:
        named = rows.with_columns(label=pl.col("school_year"), position=pl.lit(0, dtype=pl.Int64))
    else:
        codes = sorted(rows[spread].unique().to_list(), key=lambda code: split_order(spread, code))
        known = pl.DataFrame(
            {spread: codes, "label": [selection.label(spread, code) for code in codes], "position": range(len(codes))},
            schema={spread: pl.String, "label": pl.String, "position": pl.Int64},
        )
        named = rows.join(known, on=spread, how="left", nulls_equal=True)
    at_once = pl.col("instrument").n_unique().over("district", "school_year", "position")
    several = at_once.max().over("district", "position") > 1
    instrument = pl.col("instrument").fill_null("instrument not named").str.replace_all("_", " ")
    named = named.with_columns(series=pl.when(several).then(instrument))
    text = pl.when(several).then(pl.col("label") + ", " + instrument).otherwise("label")
    named = named.with_columns(label=text)
    broken = {label: wrapped(label, 19) for label in named["label"].unique().to_list()}
    return named.with_columns(pl.col("label").replace_strict(broken, return_dtype=pl.String)).sort(
        "district", "school_year", "position", "instrument", maintain_order=True
    )


def _followed(rows: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    """The rows that are followed over the years: the whole district and, where they are chosen, the schools followed."""
    if selection.schools == "school_set":
        return rows
    if selection.schools:
        return choices.only(rows, selection.schools, None)
    return rows if selection.spread is None else choices.only(rows, selection.spread, selection.line)


def _only_unit(rows: pl.DataFrame) -> str | None:
    units = rows["unit"].drop_nulls().unique()
    return str(units[0]) if len(units) else None


def span(rows: pl.DataFrame) -> tuple[int, int] | None:
    """The first and the last year with a number or range, as the years in which they start; None where no year has one."""
    found = rows.filter(amounts.is_shown())["school_year"].unique().sort().to_list()
    return (year_start(found[0]), year_start(found[-1])) if found else None


def axis_of(rows: pl.DataFrame, unit: amounts.Unit, band: Band | None = None) -> charts.Axis:
    """The axis that holds all values of some rows (in the unit that is shown) and a band that is marked on it."""
    ends = pl.DataFrame({"value": list(band or ())}, schema={"value": pl.Float64})
    held = pl.concat([rows.select("value", "lower", "upper", "at_least", "at_most", "short"), ends], how="diagonal")
    return charts.axis_for(held, unit, is_share=_only_unit(rows) == "share")


def heading(indicator: Indicator) -> None:
    """Name and definition, and within one click how the indicator is counted."""
    with st.container(horizontal=True, vertical_alignment="center"):
        title = f"{plain(indicator['name'])} ({plain(indicator['indicator_id'])})"
        st.subheader(title, anchor=False, width="content")
        with st.popover("How it is counted", icon=":material/help:"):
            definition(indicator)
    st.markdown(plain(indicator["definition"] or ""))


def chosen_text(view: View, selection: Selection) -> None:
    """The year and what is chosen, in words."""
    st.markdown(f"**{plain(' · '.join(part for part in (view.year, selection.text) if part))}**")


def definition(indicator: Indicator) -> None:
    """How an indicator is counted, and with what caution it is read."""
    basis = BASES.get(indicator["basis"], indicator["basis"] or "not stated")
    interval = {
        "wilson": "Wilson, 95 %",
        "clustered": "95 %, with people of one school taken as a cluster",
        "standard_error": "95 %, from the value's standard error",
        "given": "95 %, as worked out for this indicator",
    }.get(indicator["interval"] or "", "none: everyone in scope is counted")
    whom = {
        "students": "students; small groups of them are protected",
        "adults": "adults; small groups of them are protected",
        "people": "people; small groups of them are protected",
        "schools": "schools",
        "nothing": "neither people nor schools",
    }.get(indicator["counts"] or "")
    estimate = indicator["estimated_from"]
    lines = {
        "Counted": indicator["numerator"],
        "Out of": indicator["denominator"],
        "Who is counted": whom,
        "Estimated from": f"{estimate}; shown only where every count of it behind the estimate is shown" if estimate else None,
        "Unit": "share, shown in percent" if indicator["unit"] == "share" else (indicator["unit"] or "").replace("_", " "),
        "Stands on": basis,
        "Interval": interval,
        "Direction": indicator["direction"] or "none declared",
        "Caveats": indicator["caveats"],
        "Definition version": indicator["definition_version"],
    }
    st.markdown("\n".join(f"* **{name}:** {plain(str(text))}" for name, text in lines.items() if text))


def reading(indicator: Indicator, apart: str | None, *, has_line: bool, has_verdicts: bool) -> str:
    """How the panels of an indicator are read: interval, axes, and that nothing is decided."""
    interval = (
        "a dark line is a 95 % interval"
        if indicator["interval"]
        else "no interval is drawn, because everyone in scope is counted"
    )
    parts = [f"One panel a district; {interval}."]
    parts.append(
        f"Each panel has its own axis: **not on a common scale**, because {apart}." if apart else "All panels have the same axis."
    )
    if has_line:
        parts.append("The lower axis holds the years and need not start at 0; no line joins years that may not be compared.")
    return " ".join([*parts, side_by_side(has_verdicts=has_verdicts)])


def range_note(rows: pl.DataFrame) -> str:
    """How a protected range is drawn, to stand after another sentence; nothing where none of the rows shows one."""
    return f" {RANGE_DRAWN}" if rows.select(amounts.is_range().any()).item() else ""


def _left_over(release: Release, selection: Selection, rows: pl.DataFrame) -> distribution.LeftOver | None:
    """What the categories of one district leave of their whole, where the release declares that they have one."""
    if selection.spread != "category" or not rows["category"].is_unique().all() or _only_unit(rows) != "share":
        return None
    for parts in release_data.whole_distributions(release, selection.code):
        is_part = pl.col("category").is_not_null() if parts is None else pl.col("category").is_in(sorted(parts))
        left = distribution.left_over(rows.filter(is_part))
        if left is not None:
            return left
    return None


def _panel(
    view: View,
    selection: Selection,
    rows: pl.DataFrame,
    district: dict[str, Any],
    shared: charts.Axis | None,
    band: Band | None,
) -> None:
    if rows.is_empty():
        nothing_here(view, selection, district["code"])
        return
    left = _left_over(view.release, selection, rows)
    # Never two units on one axis.
    for part in rows.filter(amounts.is_shown()).partition_by("unit", maintain_order=True):
        axis = shared or axis_of(part, amounts.unit_of(_only_unit(part)), band)
        drawn = part.with_columns(colour=pl.lit(view.colours[district["code"]]))
        st.vega_lite_chart(
            charts.bars(distribution.with_left_over(drawn, left), axis, band),
            theme=None,
            alt=sentence(f"{selection.indicator['name']}, {district['label']}, {view.year}", rows, left),
        )
    gaps(view, rows, left)
    marks(rows)
    st.caption(plain(facts(rows)))


def over_the_years(
    view: View,
    selection: Selection,
    rows: pl.DataFrame,
    district: dict[str, Any],
    axis: charts.Axis | None,
    held: tuple[int, int] | None,
    verdicts: pl.DataFrame | None = None,
) -> None:
    """One district's line, or lines, over the years: joined only where the verdict between two years lets them be compared.

    `axis` and `held` (first and last year): what the panels share; without them each panel has its own. `verdicts`: of pairs of
    years of the whole district; without them, and of groups of schools, instrument and definition have to stay.
    """
    if rows["school_year"].n_unique() < 2:
        return
    colour = view.colours[district["code"]]
    series = [part for part in rows.partition_by("position", "series", maintain_order=True) if _has_any(part)]
    joined, ranged, breaks = [], [], dict[years.Break, None]()
    for place, part in enumerate(series):
        run, found = run_of(part, district["code"], verdicts if place == 0 and not selection.schools else None)
        paint = colour if place == 0 else look.QUIET
        joined.append(run.with_columns(run=pl.format("{}.{}", pl.lit(place), "run"), colour=pl.lit(paint)))
        ranged.append(years.ranges(part).with_columns(colour=pl.lit(paint)))
        breaks |= dict.fromkeys(found)
    names = [str(part["label" if selection.spread else "series"][0]).replace("\n", " ") for part in series]
    what = listed([*names[:1], *(_inside(name) for name in names[1:])]) if selection.spread or len(names) > 1 else ""
    if not joined:
        return
    points, ranges = pl.concat(joined), pl.concat(ranged)
    shown = pl.concat([points["school_year"], ranges["school_year"]]).unique()
    if len(shown) < 2:
        what_kind = "number" if points.height else "protected range"
        st.caption(plain(f"Over the years: a {what_kind} for {shown[0]} only."))
        return
    st.markdown("**Over the years**" + (f" · {plain(what)}" if what else ""))
    held_rows = pl.concat([points, ranges], how="diagonal")
    st.vega_lite_chart(
        charts.trend(
            points,
            [year_start(change.after) - 0.5 for change in breaks],
            axis or charts.trend_axis(held_rows, amounts.unit_of(_only_unit(held_rows))),
            130,
            held,
            ranges=ranges,
        ),
        theme=None,
        alt=_years_sentence(selection, district, rows, list(breaks)),
    )
    if len(series) > 1:
        in_colour, *in_grey = map(_inside, names)
        st.caption(plain(f"In colour: {in_colour}. In grey: {listed(in_grey)}."))
    for sentence_of_breaks in years.break_sentences(list(breaks)):
        st.markdown(plain(sentence_of_breaks))
    missing = rows.filter(~amounts.is_shown() & (pl.col("school_year") != view.year))
    for (_, why), part in missing.group_by("position", "why", maintain_order=True):
        of_whom = f"{str(part['label'][0]).replace(chr(10), ' ')}: no" if selection.schools else "No"
        without = listed(part["school_year"].unique().sort().to_list())
        st.markdown(plain(f"{of_whom} number for {without}: {why}."))


def _has_any(rows: pl.DataFrame) -> bool:
    return bool(rows.select(amounts.is_shown().any()).item())


def run_of(rows: pl.DataFrame, district: str, verdicts: pl.DataFrame | None) -> tuple[pl.DataFrame, list[years.Break]]:
    """One district's values over the years, cut by its verdicts where it has them, else by instrument and definition."""
    own = None if verdicts is None or verdicts.is_empty() else verdicts.filter(pl.col("district") == district)
    is_one_a_year = rows["school_year"].is_unique().all()
    if own is None or own.is_empty() or not is_one_a_year:
        return years.runs(rows, years.MEASURED)
    return years.runs_by_verdicts(rows, own)


def compared_split(selection: Selection) -> dict[str, str | None]:
    """The one value of every breakdown that is followed over the years and compared, for `release_data.beside` and the like."""
    chosen = {name: code for name, code in selection.chosen.items() if name in release_data.SPLITS}
    if selection.spread in release_data.SPLITS:
        chosen[selection.spread] = selection.line
    return chosen


def year_verdicts(release: Release, selection: Selection) -> pl.DataFrame:
    """The verdicts between the years of what is followed over the years, of every district."""
    return release_data.over_years(release, selection.code, compared_split(selection))


def _inside(name: str) -> str:
    """A label as it stands inside a sentence."""
    return name[:1].lower() + name[1:]


def _years_sentence(selection: Selection, district: dict[str, Any], rows: pl.DataFrame, breaks: Sequence[years.Break]) -> str:
    parts = pl.col("school_year") if not selection.schools else pl.col("label") + " " + pl.col("school_year")
    by_year = rows.sort("position", "school_year").with_columns(label=parts)
    shown = sentence(f"{selection.indicator['name']} over the years, {district['label']}", by_year)
    return " ".join([shown, *(years.break_sentence(change) for change in breaks)])


_OPTIONAL_COLUMNS = {
    "n_schools": "Schools behind it",
    "response_said": "Response",
    "marks": "To know",
    "instrument": "Instrument",
}


def table(rows: pl.DataFrame, spread_title: str) -> pl.DataFrame:
    """The table behind a chart: rows with `label` and the texts of `amounts.with_texts`, in the order given."""
    optional = [name for name in _OPTIONAL_COLUMNS if rows[name].count()]
    return rows.select(
        pl.col("district_label").alias("District"),
        pl.col("school_year").alias("School year"),
        pl.col("label").str.replace_all("\n", " ").alias(spread_title),
        pl.coalesce("said", "why").alias("Value"),
        pl.col("interval_said").alias("95 % interval"),
        pl.col("n").cast(pl.String).alias("n"),
        *(pl.col(name).cast(pl.String).alias(_OPTIONAL_COLUMNS[name]) for name in optional),
        pl.col("as_of").alias("As of"),
        pl.col("sources").alias("Sources"),
    )


def facts(rows: pl.DataFrame) -> str:
    """n, schools, response rate and as-of date of the numbers and ranges in a panel, in a short line."""
    shown = rows.filter(amounts.is_shown())
    parts = [
        *_range("n", shown["n"], ""),
        *_range("schools", shown["n_schools"], ""),
        *_range("response", 100 * shown["response_rate"], " %"),
    ]
    date = max(rows["as_of"].drop_nulls().to_list(), default=None)
    return " · ".join([*parts, f"as of {date}" if date else "date unknown"])


def _range(name: str, numbers: pl.Series, mark: str) -> list[str]:
    known = numbers.drop_nulls().round(0)
    if known.is_empty():
        return []
    low, high = int(known.min()), int(known.max())  # type: ignore[arg-type]
    if name == "n":
        return [f"n = {low:,}" if low == high else f"n from {low:,} to {high:,}"]
    return [f"{name} {low:,}{mark}" if low == high else f"{name} {low:,} to {high:,}{mark}"]


def sentence(place: str, rows: pl.DataFrame, left: distribution.LeftOver | None = None) -> str:
    """What a chart shows, for those who cannot see it: labels with value, interval and marks, and every gap with its reason.

    `left`: what is drawn as not shown.
    """
    parts = [
        f"{row['label']} {row['said'] or row['why']}"
        + (" (protected range)" if row["said"] and row["value"] is None else "")
        + (f" ({row['interval_said']})" if row["interval_said"] else "")
        + (f", {row['marks']}" if row["marks"] else "")
        for row in rows.to_dicts()
    ]
    rest = f" {left.sentence}" if left else ""
    return f"{place}: " + "; ".join(parts).replace("\n", " ") + f".{rest} {facts(rows)}."


def marks(rows: pl.DataFrame) -> None:
    """Say beside the numbers which of them have a flag, in a few words each, with the response rate where it is the matter."""
    flagged = rows.filter(amounts.is_shown() & pl.col("flags").is_not_null())
    by_words: dict[str, list[str]] = {}
    for row in flagged.select("label", "flags", "response_said").to_dicts():
        rate = f", {row['response_said']}" if row["response_said"] and "response" in row["flags"] else ""
        words = "; ".join(flag_words(row["flags"])) + rate
        if words:
            by_words.setdefault(words, []).append(row["label"].replace("\n", " "))
    for words, at in by_words.items():
        everywhere = len(at) == rows.filter(amounts.is_shown()).height or [label.lower() for label in at] == [words.lower()]
        where = "" if everywhere else f": {listed(list(dict.fromkeys(at)))}"
        st.markdown(f"\\* **{plain(humanised(words))}**{plain(where)}")


def meanings(rows: pl.DataFrame) -> None:
    """What the flags of some rows mean, a sentence each."""
    shown = rows.filter(amounts.is_shown())
    codes = [code for flags in shown["flags"].drop_nulls().unique(maintain_order=True) for code in flag_codes(flags)]
    lines = [f"* {plain(humanised(flag_words(code)[0]))}: {plain(flag_sentence(code))}" for code in dict.fromkeys(codes)]
    if lines:
        st.markdown("**What a star stands for**\n\n" + "\n".join(lines))


def gaps(view: View, rows: pl.DataFrame, left: distribution.LeftOver | None = None) -> None:
    """Say in words which numbers are missing and why, with what the district's mapping says about it within one click.

    Ranges are said by name, and so is `left`, what is drawn as not shown.
    """
    ranged = rows.filter(amounts.is_range())
    if not ranged.is_empty():
        which = "; ".join(f"{row['label']}, {row['said']}".replace("\n", " ") for row in ranged.to_dicts())
        st.markdown(plain(f"Protected range: {which}."))
    if left:
        st.markdown(plain(left.sentence))
    missing = rows.filter(~amounts.is_shown())
    if missing.is_empty():
        return
    for symbol in missing["symbol"].unique(maintain_order=True):
        same = missing.filter(pl.col("symbol").eq_missing(symbol))
        which = listed([label.replace("\n", " ") for label in same["label"]])
        start = "No number can be shown." if same.height == rows.height else f"{which}: no number."
        known = {code: None for flags in same["flags"].drop_nulls() for code in flag_codes(flags) if code in FLAGS}
        st.markdown(plain(" ".join([f"{start} {gap_sentence(symbol)}", *map(flag_sentence, known)])))
    if "x" in missing["symbol"]:
        texts = mapping_notes(view.release, missing)
        if texts:
            with st.expander("What the district's mapping says"):
                st.markdown("\n".join(f"* {plain(text)}" for text in texts))


def mapping_notes(release: Release, rows: pl.DataFrame) -> list[str]:
    """The notes of the mappings behind some values, each once."""
    sources = {part for text in rows["sources"].drop_nulls().unique() for part in text.split("; ")}
    found = release_data.submissions(release).filter(pl.col("submission_id").is_in(sorted(sources)))
    return list(dict.fromkeys(note for text in found["notes"] for note in release_data.notes(text)))


def nothing_here(view: View, selection: Selection, district: str) -> None:
    """Say why a district has no row at all for what is chosen."""
    covered = release_data.coverage(view.release).filter(
        (pl.col("indicator_id") == selection.code) & (pl.col("district") == district)
    )
    if view.year in covered["school_year"].to_list():
        what = selection.text or "this"
        st.markdown(plain(f"No row for {what}: the certified files of {view.year} do not report it."))
        others = release_data.values(view.release, selection.code, {"district": district, "school_year": view.year})
        for name in selection.split:
            codes = choices.options(others, name)
            if selection.chosen[name] not in codes:
                st.caption(plain(f"To be had: {listed([selection.label(name, code) for code in codes])}."))
        return
    st.markdown(plain(f"No value for {view.year}: nothing certified stands behind it."))
    waiting = release_data.submissions(view.release).filter(
        (pl.col("district") == district) & (pl.col("school_year") == view.year) & ~pl.col("state").is_in(IN_FORCE)
    )
    if not waiting.is_empty():
        files = listed([humanised(extract).lower() for extract in waiting["extract"].unique().sort()])
        st.caption(plain(f"Not certified for that year: {files}. Data quality says what each waits for."))
    numbered = covered.filter(pl.col("n_values") > 0)["school_year"].max()
    if numbered is not None:
        st.caption(f"Latest year with a value: {plain(str(numbered))}.")
