"""Leader Capacity: what leaders learn and how they look at mathematics teaching."""

from __future__ import annotations

from dashboards.components.challenge import challenge_page

challenge_page("leader_capacity")
