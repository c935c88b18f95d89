"""What a briefing reads of a release, and what it quoted from it. What is said of it does not belong here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.briefing.language import flagged
from pipelines.release.folder import ReleaseFolder

SPLITS = (
    *("school_level", "school_set", "grade", "subgroup", "course", "respondent", "audience", "program_id", "cohort"),
    *("category", "statistic", "administration"),
)


class NoBriefing(Exception):
    """A briefing cannot be made; the message says why and what to do."""


@dataclass
class Material:
    """A release as a briefing reads it, and what was quoted from it so far."""

    release: ReleaseFolder
    convening: Mapping[str, Any]
    previous: Mapping[str, Any] | None
    quotes: set[str] = field(default_factory=set)

    def table(self, name: str) -> pl.DataFrame:
        return self.release.tables[name]

    @property
    def districts(self) -> list[dict[str, Any]]:
        """Every district, by label."""
        return self.table("districts").sort("label", "code").to_dicts()

    def labels(self, name: str) -> dict[str, str]:
        """The labels of a code list, by code; empty where the release does not hold it."""
        if "codes" not in self.release.tables:
            return {}
        return dict(self.table("codes").filter(pl.col("list") == name).select("code", "label").iter_rows())

    def quote(self, text: str | None) -> str:
        """Words from the release, remembered as such where they claim something."""
        words = " ".join((text or "").split())
        if flagged(words):
            self.quotes.add(words)
        return words

    def indicator(self, indicator_id: str) -> dict[str, Any]:
        found = self.table("indicators").filter(pl.col("indicator_id") == indicator_id).to_dicts()
        if not found:
            raise NoBriefing(f"The release {self.release.release_id} defines no indicator {indicator_id}.")
        return found[0]

    def subject(self, indicator_id: str) -> str:
        """An indicator as sentences name it."""
        return self.quote(f"{self.indicator(indicator_id)['name']} ({indicator_id})")

    def claims(self, comparison: str, indicator_id: str | None = None) -> pl.DataFrame:
        """Comparisons of whole districts and of nobody less than everybody, with labels of verdicts and districts."""
        rows = self.table("comparisons").filter(pl.col("comparison") == comparison)
        whole = [pl.col(name).is_null() | (pl.col(name) == "all") for name in SPLITS]
        if indicator_id is not None:
            rows = rows.filter(pl.col("indicator_id") == indicator_id)
        verdicts = self.table("verdicts").select("verdict", pl.col("label").alias("verdict_label"), "is_comparable")
        labels = self.table("districts").select(pl.col("code").alias("district"), pl.col("label").alias("district_label"))
        return (
            rows.filter(pl.all_horizontal(whole))
            .join(verdicts, on="verdict", how="left")
            .join(labels, on="district", how="left")
            .sort("indicator_id", "district_label", "school_year", "other_school_year")
        )
