"""The planner of a programme's reach: how many leaders a target needs, what their training costs, and how long it takes.

Every number comes from `pipelines.planning`; only the questions and the words are here.
"""

from __future__ import annotations

from typing import Any

import streamlit as st


def planner(program: dict[str, Any]) -> None:
    """Draw the planner of one programme, or say why there is none."""
