"""What may be said of a pair of values: a claim is read from the release with its verdict, and only a claim becomes a comparative
sentence.

Nothing here sees a value that it could compare by itself. Which claims a briefing makes, and how they look, does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.wording.labels import listed

HIGHER, LOWER = "higher", "lower"
YEARS, LEARNING = "years", "learning"
NO_DIFFERENCE = "no difference detected"


class Overclaim(ValueError):
    """A sentence says more than its verdict lets it."""


@dataclass(frozen=True)
class Claim:
    """One comparison of the release about one district: the later year against the earlier one.

    `finding`: `higher` or `lower`, and None where no difference was detected or nothing may be said. `q_value`: of the whole
    release (Benjamini-Hochberg), None where nothing was tested.
    """

    indicator_id: str
    district: str
    district_label: str
    school_year: str
    other_school_year: str
    verdict: str
    verdict_label: str
    is_comparable: bool
    finding: str | None
    q_value: float | None

    @property
    def word(self) -> str | None:
        """The comparative that the verdict allows, None where it allows none. Raises Overclaim where the two disagree."""
        if self.finding is None:
            return None
        if not self.is_comparable or self.finding not in (HIGHER, LOWER):
            raise Overclaim(
                f"{self.indicator_id}, {self.district}, {self.school_year}: the verdict {self.verdict} allows no finding"
            )
        return self.finding


def claim_of(row: Mapping[str, Any]) -> Claim:
    """The claim in a row of comparisons of years, joined with its verdict's label and the district's."""
    return Claim(
        indicator_id=str(row["indicator_id"]),
        district=str(row["district"]),
        district_label=str(row["district_label"]),
        school_year=str(row["school_year"]),
        other_school_year=str(row["other_school_year"]),
        verdict=str(row["verdict"]),
        verdict_label=str(row["verdict_label"]),
        is_comparable=bool(row["is_comparable"]),
        finding=row["finding"] if row["is_comparable"] else None,
        q_value=row["q_value"],
    )


def years_sentence(subject: str, claims: Sequence[Claim]) -> str:
    """One sentence about every district: where the later year is higher or lower, where no difference was detected, and where
    the two years may not be compared.

    `claims`: at least one, all of one pair of years, in the order in which districts are named. Raises Overclaim.
    """
    later, earlier = claims[0].school_year, claims[0].other_school_year
    parts = [
        f"{word} in {listed([claim.district_label for claim in claims if claim.is_comparable and claim.word == word])}"
        for word in (HIGHER, LOWER)
        if any(claim.is_comparable and claim.word == word for claim in claims)
    ]
    undetected = [claim.district_label for claim in claims if claim.is_comparable and claim.word is None]
    parts += [f"{NO_DIFFERENCE} in {listed(undetected)}"] if undetected else []
    refused = [claim for claim in claims if not claim.is_comparable]
    if refused:
        said = []
        for label in dict.fromkeys(claim.verdict_label for claim in refused):
            named = listed([claim.district_label for claim in refused if claim.verdict_label == label])
            said.append(f"{named} ({label.lower()})")
        parts.append(f"not to be compared in {'; '.join(said)}")
    return f"{subject}, {later} against {earlier}: {'; '.join(parts)}."


def learning_sentence(subject: str, claim: Claim, beside: Sequence[tuple[str, Claim]]) -> str:
    """That a district moved in its indicator's declared direction, and what of its implementation moved in the years before.

    `beside`: the subjects of other claims about the same district, with the claims. Raises Overclaim where a claim is none.
    """
    text = f"{claim.district_label}: {_moved(subject, claim)}."
    if beside:
        text += f" Came before or with it: {'; '.join(_moved(other, one) for other, one in beside)}."
    return text


def _moved(subject: str, claim: Claim) -> str:
    if claim.word is None:
        raise Overclaim(f"{claim.indicator_id}, {claim.district}: nothing was detected that could be told")
    return f"{subject} was {claim.word} in {claim.school_year} than in {claim.other_school_year}"


def as_json(claims: Iterable[Claim]) -> list[dict[str, Any]]:
    """Claims as plain JSON types."""
    return [asdict(claim) for claim in claims]


def from_json(told: Iterable[Mapping[str, Any]]) -> list[Claim]:
    """The claims that `as_json` wrote."""
    return [Claim(**one) for one in told]
