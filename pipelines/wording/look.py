"""Colours that pages and briefings share. How a chart is drawn does not belong here."""

from __future__ import annotations

from collections.abc import Sequence

INK, QUIET, GRID, BAND = "#1B2430", "#56616F", "#E3E7EC", "#DCE9D5"
# What is not shown, in grey; at least 3:1 against white.
HIDDEN = "#8A929C"
# Distinguishable with the common kinds of colour blindness and at least 3.5:1 against white (after Okabe & Ito, and P. Tol).
PALETTE = ("#0072B2", "#C44E00", "#117733", "#882255", "#8F6B00", "#332288", "#AA4499", "#3F6F73")


def district_colours(codes: Sequence[str]) -> dict[str, str]:
    """A fixed colour for each district: by alphabetical order of the codes, whatever is shown."""
    return {code: PALETTE[place % len(PALETTE)] for place, code in enumerate(sorted(codes))}
