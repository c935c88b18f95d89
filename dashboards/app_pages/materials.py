"""Core & Supplemental Materials: what is taught from, how it is used, and who has it."""

from __future__ import annotations

from dashboards.components.challenge import challenge_page

challenge_page("materials")
