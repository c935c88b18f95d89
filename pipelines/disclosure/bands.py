"""The fixed ranges in which a share close to nobody or to everybody is shown.

A range depends on the minimum and on the number of people only, so that it says nothing more about the share than itself. Tighter
with more people, as the top and bottom coding of the United States Department of Education does (National Center for Education
Statistics, 2010, SLDS Technical Brief 3, Statistical Methods for Protecting Personally Identifiable Information in Aggregate
Reporting, NCES 2011-603). Which values are hidden does not belong here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# One in so many: the widths of the lowest and of the highest range.
WIDTHS = (2, 4, 5, 10, 20, 50, 100, 200, 500, 1000)


def range_width(people: NDArray[np.float64], minimum: NDArray[np.float64]) -> NDArray[np.float64]:
    """The width of the lowest (and of the highest) range of a share of so many people: the smallest that holds `minimum` people
    and one more, so that a person who knows to be one of them still knows of nobody else.

    Above one half no range protects, and the width is nan. Shapes: any, the same.
    """
    steps = np.asarray(WIDTHS, dtype=np.float64)
    # Multiplied and not divided, so that 11 people of 220 are one in twenty exactly.
    holds = steps * (np.asarray(minimum, dtype=np.float64)[..., None] + 1) <= np.asarray(people, dtype=np.float64)[..., None]
    narrowest = holds.sum(axis=-1)
    return np.where(narrowest > 0, 1.0 / steps[np.maximum(narrowest - 1, 0)], np.nan)
