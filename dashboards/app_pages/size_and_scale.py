"""Size & Scale: reach, stages, evenness and what spreads with them."""

from __future__ import annotations

from dashboards.components.challenge import challenge_page

challenge_page("size_and_scale")
