"""Choices that live in the address, so that a view can be sent.

What stands in the address is believed only where it is one of the options. What a choice does belongs to the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl
import streamlit as st

from dashboards.components.words import plain
from pipelines.wording.labels import FIELDS

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
    width: int = 220,
    forgotten: Sequence[str] = (),
) -> str:
    """A select box whose choice stands in the address as `?name=option`; returns the chosen option.

    The address comes first, then what was chosen on an earlier page, then `default`. An option that does not exist is said
    and passed over. `options` holds `default`. `forgotten`: other choices that a new choice here ends.
    """
    kept, widget = f"kept.{name}", f"choice.{name}"
    asked = st.query_params.get(name)
    chosen = next((option for option in (asked, st.session_state.get(kept)) if option in options), None)
    if chosen is not None:
        st.session_state[kept] = chosen
        if asked != chosen:
            st.query_params[name] = chosen
    st.session_state[widget] = chosen or default
    with st.container(width=width, gap="xsmall"):
        picked: str = st.selectbox(
            label, options, format_func=say, key=widget, on_change=_keep, args=(name, forgotten), help=help_text
        )
        if asked is not None and asked not in options:
            st.caption(f"The address asks for “{plain(asked[:40])}”, which is not to be had here.")
    return picked


def _keep(name: str, forgotten: Sequence[str]) -> None:
    forget(forgotten)
    keep(name, st.session_state[f"choice.{name}"])


def focal_district(districts: pl.DataFrame) -> str:
    """The choice of the district that is shown first; `NOBODY` where none is."""
    labels = dict(zip(districts["code"], districts["label"], strict=True))
    return choose(
        "Show first",
        "focal",
        [NOBODY, *labels],
        NOBODY,
        say=lambda code: "Alphabetical order" if code == NOBODY else labels[code],
        help_text="The district that comes first on every page and that others are compared with; they follow in alphabetical "
        "order.",
    )


def chosen_district(focal: str) -> str | None:
    """The district that was chosen to stand first; None where none was."""
    return None if focal == NOBODY else focal


def in_order(districts: pl.DataFrame, focal: str) -> pl.DataFrame:
    """Districts with the focal one first, the others in alphabetical order of their labels."""
    return districts.sort(pl.col("code") != focal, "label")


def school_year(coverage: pl.DataFrame) -> str | None:
    """The choice of a school year that has values or gaps; the default is the newest with numbers. None without any year.

    `coverage` has `school_year` and `n_values`.
    """
    years = coverage["school_year"].unique().sort(descending=True).to_list()
    if not years:
        return None
    numbered = coverage.filter(pl.col("n_values") > 0)["school_year"]
    return choose("School year", "year", years, str(numbered.max() or years[0]), say=str)


def split(field: str, codes: Sequence[str | None], default: str | None, say: Callable[[str, str | None], str]) -> str | None:
    """The choice of one value of a breakdown; None is the whole. `codes` holds `default`."""

    def option(code: str | None) -> str:
        return WHOLE if code is None else code

    picked = choose(
        FIELDS[field],
        field,
        [option(code) for code in codes],
        option(default),
        say=lambda chosen: say(field, None if chosen == WHOLE else chosen),
    )
    return None if picked == WHOLE else picked


def forget(names: Sequence[str]) -> None:
    """Take choices out of the address and of what is kept, so that the next view begins with its own defaults."""
    for name in names:
        st.query_params.pop(name, None)
        st.session_state.pop(f"kept.{name}", None)


def keep(name: str, option: str) -> None:
    """Make a choice that is not made in its own select box."""
    st.session_state[f"kept.{name}"] = option
    st.query_params[name] = option


def amount(label: str, name: str, default: float, low: float, high: float, step: float, help_text: str | None = None) -> float:
    """A number box whose number stands in the address as `?name=number`; returns the number.

    What the address says is believed where it is a number from `low` to `high`; otherwise it is passed over. What was typed on
    an earlier page is kept.
    """
    kept, widget = f"kept.{name}", f"amount.{name}"
    asked = _number_between(st.query_params.get(name), low, high)
    if asked is None:
        asked = st.session_state.get(kept)
    start = default if asked is None else asked
    is_whole = float(step).is_integer()
    st.session_state[widget] = int(start) if is_whole else float(start)
    with st.container(width=220, gap="xsmall"):
        picked: float = st.number_input(
            label,
            min_value=int(low) if is_whole else low,
            max_value=int(high) if is_whole else high,
            step=int(step) if is_whole else step,
            key=widget,
            on_change=_keep_amount,
            args=(name,),
            help=help_text,
        )
    return float(picked)


def _keep_amount(name: str) -> None:
    typed = st.session_state[f"amount.{name}"]
    st.session_state[f"kept.{name}"] = typed
    st.query_params[name] = f"{typed:g}" if typed < 1e6 else str(int(typed))


def _number_between(text: str | None, low: float, high: float) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if low <= number <= high else None
