"""Outcomes: the districts' own tests, each by itself, and the indicators around them."""

from __future__ import annotations

from dashboards.components.challenge import challenge_page

challenge_page("outcomes")
