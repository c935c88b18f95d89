"""Screening, asked once for each delivery: pure, by far the slowest step, and repeated by tests that kill a flow at every step.

What is remembered can be written to a file, for processes that die.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.intake.context import NO_CONTEXT, Context
from pipelines.intake.reading import DeliveredFile, ReadingLimits
from pipelines.intake.screening import Opened, Screening, screen


class ScreenedOnce:
    """Stands in for `screen`: the same bytes for the same place, beside the same submissions, are screened once."""

    def __init__(self) -> None:
        self.known: dict[Any, Screening] = {}

    def __call__(
        self,
        files: Sequence[DeliveredFile],
        contracts_folder: Path,
        district: str,
        extract: str,
        school_year: str,
        limits: ReadingLimits | None = None,
        progress: Any = None,
        context: Context = NO_CONTEXT,
        opened: Opened | None = None,
    ) -> Screening:
        place = (str(contracts_folder), district, extract, school_year)
        key = (tuple(files), *place, limits, tuple(sorted(context.submissions.items())))
        if key not in self.known:
            self.known[key] = screen(
                files, contracts_folder, district, extract, school_year, limits, context=context, opened=opened
            )
        return self.known[key]

    def write(self, path: Path) -> None:
        path.write_bytes(pickle.dumps(self.known))

    def read(self, path: Path) -> None:
        """What another process remembered; nothing where it has written nothing yet."""
        if path.exists():
            self.known = pickle.loads(path.read_bytes())  # noqa: S301 - written by the same test
