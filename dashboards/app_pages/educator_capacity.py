"""Educator Capacity: what teachers learn, who supports them, and who stays."""

from __future__ import annotations

from dashboards.components.challenge import challenge_page

challenge_page("educator_capacity")
