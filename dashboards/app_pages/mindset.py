"""Math Mindset: what students, adults and families say about mathematics."""

from __future__ import annotations

from dashboards.components.challenge import challenge_page

challenge_page("mindset")
