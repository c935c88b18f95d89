"""What is left of a whole whose parts are not all shown: one grey piece, as long as what the shown parts leave.

Nothing is guessed: what is left is never shared out among the parts that are not shown. Pure; drawing belongs to `charts`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.wording.labels import listed
from pipelines.wording.look import HIDDEN

LABEL = "Not shown:\nprotected"
_PROTECTED = ("c", "r")
# Shares are exact; this is less than the last digit that is shown, in percentage points.
_NOTHING = 0.05


@dataclass(frozen=True)
class LeftOver:
    """What is left: how much, in percent of the whole, and of which parts."""

    percent: float
    parts: tuple[str, ...]

    @property
    def short(self) -> str:
        """The text at the piece."""
        return f"{self.percent:.1f} %"

    @property
    def sentence(self) -> str:
        """What the piece stands for."""
        return f"Not shown, protected: {listed(list(self.parts))}, together {self.short}."


def left_over(rows: pl.DataFrame) -> LeftOver | None:
    """What the parts shown by a number leave of their whole; None where that is nothing, not known, or one part alone.

    `rows`: all parts of one whole, with `label`, `value` (in percent) and `symbol`. A part without a number for another reason
    than protection leaves unknown what is left. Where a single part is not shown, the piece would be that part's own number.
    """
    hidden = rows.filter(pl.col("value").is_null())
    if hidden.height < 2 or hidden.height == rows.height or not hidden["symbol"].is_in(_PROTECTED).all():
        return None
    percent = 100.0 - float(rows["value"].sum())
    if percent < _NOTHING:
        return None
    return LeftOver(percent, tuple(label.replace("\n", " ") for label in hidden["label"]))


def with_left_over(shown: pl.DataFrame, left: LeftOver | None) -> pl.DataFrame:
    """Rows as `charts.bars` takes them, the grey piece after them; `hover` says what it stands for."""
    if left is None:
        return shown
    piece = {"label": LABEL, "value": left.percent, "short": left.short, "colour": HIDDEN, "hover": left.sentence}
    return pl.concat([shown, pl.DataFrame([piece])], how="diagonal")
