"""Gaps between groups of students: every group against its reference group, in each district by itself."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import release_data
from dashboards.components import sections
from dashboards.components.sections import Selection, View
from pipelines.wording.labels import split_label

SPREAD = "subgroup"


def section(view: View, selection: Selection) -> None:
    """The gaps of one grade, a bar for each group, with the years of the one that is followed."""
    st.caption(
        "Each bar is a group against its reference group, in standard deviations. **Below 0 the group stands lower** than its "
        "reference group; the farther from 0, the farther apart. A lower number is a gap farther below 0, or less far above it. "
        "A gap does not depend on the test's scale or on where a state draws its line, which the difference of two shares of "
        "proficient students does (see Methods)."
    )
    sections.section(view, selection)


def named(view: View, selection: Selection) -> Selection:
    """The selection with labels that say what each group is set against."""
    pairs = pair_labels(release_data.reference_groups(view.release))
    return replace(selection, labels={**selection.labels, **pairs})


def pair_labels(references: dict[str, str]) -> dict[tuple[str, str], str]:
    """Labels of groups with what they are set against, by field and code: `English learner against not English learner`."""
    return {
        (SPREAD, group): f"{split_label(SPREAD, group)} against {_inside(split_label(SPREAD, other))}"
        for group, other in references.items()
    }


def _inside(label: str) -> str:
    """A label inside a sentence: names keep their capital letter."""
    first = label.split(" ", 1)[0]
    return label[:1].lower() + label[1:] if first in ("Not", "Students", "All", "Male", "Female", "White") else label
