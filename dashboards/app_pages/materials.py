"""Core & Supplemental Materials: every indicator of the challenge, one panel a district."""

from __future__ import annotations

from dashboards.components.challenge import challenge_page

challenge_page("materials")
