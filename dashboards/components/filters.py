"""Choices that live in the address, so that a view can be sent.

What stands in the address is believed only where it is one of the options. What a choice does belongs to the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl
import streamlit as st

from dashboards.components.words import plain, split_label, split_order

NOBODY = "none"
WHOLE = "whole"


def choose(
    label: str,
    name: str,
    options: Sequence[str],
    default: str,
    *,
    say: Callable[[str], str],
    help_text: str | None = None,
) -> str:
    """A select box whose choice stands in the address as `?name=option`; returns the chosen option.

    The address comes first, then what was chosen on an earlier page, then `default`. An option that does not exist is said
    and passed over. `options` holds `default`.
    """
    kept, widget = f"kept.{name}", f"choice.{name}"
    asked = st.query_params.get(name)
    chosen = next((option for option in (asked, st.session_state.get(kept)) if option in options), None)
    if chosen is not None:
        st.session_state[kept] = chosen
        if asked != chosen:
            st.query_params[name] = chosen
    st.session_state[widget] = chosen or default
    with st.container(width=250, gap="xsmall"):
        picked: str = st.selectbox(label, options, format_func=say, key=widget, on_change=_keep, args=(name,), help=help_text)
        if asked is not None and asked not in options:
            st.caption(f"The address asks for “{plain(asked[:40])}”, which is not to be had here.")
    return picked


def _keep(name: str) -> None:
    chosen = st.session_state[f"choice.{name}"]
    st.session_state[f"kept.{name}"] = chosen
    st.query_params[name] = chosen


def focal_district(districts: pl.DataFrame) -> str:
    """The choice of the district that is shown first; `NOBODY` where none is."""
    labels = dict(zip(districts["code"], districts["label"], strict=True))
    return choose(
        "Show first",
        "focal",
        [NOBODY, *labels],
        NOBODY,
        say=lambda code: "Alphabetical order" if code == NOBODY else labels[code],
        help_text="The district that comes first on every page; the others follow in alphabetical order.",
    )


def in_order(districts: pl.DataFrame, focal: str) -> pl.DataFrame:
    """Districts with the focal one first, the others in alphabetical order of their labels."""
    return districts.sort(pl.col("code") != focal, "label")


def school_year(breakdowns: pl.DataFrame) -> str | None:
    """The choice of a school year that has values or gaps; the default is the newest with numbers. None without any year."""
    years = breakdowns["school_year"].unique().sort(descending=True).to_list()
    if not years:
        return None
    numbered = breakdowns.filter(pl.col("n_districts") > 0)["school_year"]
    return choose("School year", "year", years, str(numbered.max() or years[0]), say=str)


def split(breakdowns: pl.DataFrame, field: str, year: str) -> str | None:
    """The choice of one value of a breakdown (`grade`, `course` or `subgroup`); None is the whole.

    The default is the whole where it exists, else what most districts have in that year.
    """
    codes = sorted(breakdowns[field].unique().to_list(), key=lambda code: split_order(field, code))
    options = [WHOLE if code is None else code for code in codes]
    ranked = (
        breakdowns.filter(pl.col("school_year") == year)
        .group_by(field)
        .agg(pl.col("n_districts").max())
        .sort("n_districts", descending=True)
    )
    most = ranked.filter(pl.col("n_districts") == pl.col("n_districts").max())[field].to_list()
    best = min(most, key=lambda code: split_order(field, code)) if most else codes[0]
    whole_first = codes[0] is None or (field == "subgroup" and codes[0] == "all")
    default = options[0] if whole_first else (WHOLE if best is None else best)
    picked = choose(
        {"grade": "Grade", "course": "Course", "subgroup": "Student group"}[field],
        field,
        options,
        default,
        say=lambda option: split_label(field, None if option == WHOLE else option),
    )
    return None if picked == WHOLE else picked
