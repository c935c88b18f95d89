"""Words that claim a comparison, a ranking, a cause or sameness, and where they stand in a text.

A briefing may hold such a word only in a sentence that was built from a verdict, or in words that somebody else wrote and that
stand unchanged in the release. Which sentences these are does not belong here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COMPARED, RANKED, CAUSED, EQUALLED = "comparison", "ranking", "cause", "sameness"
WHY: Mapping[str, str] = {
    COMPARED: "says that one number is above or below another, which only a verdict may",
    RANKED: "puts districts in an order, which no briefing does",
    CAUSED: "says that one thing brought about another, which these data cannot show",
    EQUALLED: "says that numbers are the same; where no difference was detected, that is all that is known",
}
# Stems are followed by any ending: `improv` is improve, improved, improvement.
_WORDS: Mapping[str, Sequence[str]] = {
    RANKED: (
        *("best", "worst", "highest", "lowest", "largest", "smallest", "greatest", "fewest", "strongest", "weakest", "fastest"),
        *("slowest", "rank", "ranks", "ranked", "ranking", "rankings", "top", "bottom", "front-runner", "front-runners"),
        *("league table", "league tables", "winner", "winners", "loser", "losers", "number one", "first place", "last place"),
        *("second place", "in first", "in last", "frontrunner", "champion", "unmatched", "second to none", "most improved"),
        *("outlier", "outliers", "star performer", "laggard", "laggards", "above all", "pacesetter", "leads all", "leads the"),
    ),
    COMPARED: (
        *(
            "higher",
            "lower",
            "better",
            "worse",
            "greater",
            "smaller",
            "larger",
            "bigger",
            "stronger",
            "weaker",
            "faster",
            "slower",
        ),
        *("more than", "less than", "fewer than", "ahead of", "behind", "above", "below", "exceed*", "surpass*", "outperform*"),
        *("outpac*", "underperform*", "overtak*", "overtook", "beat", "beats", "beaten", "trails", "trailed", "trailing", "lags"),
        *("lagged", "lagging", "rise", "rises", "rising", "rose", "risen", "fall", "falls", "falling", "fell", "fallen", "gain"),
        *("gains", "gained", "gaining", "drop", "drops", "dropped", "dropping", "increas*", "decreas*", "improv*", "declin*"),
        *("grew", "grow", "grows", "grown", "growing", "growth", "shrink*", "shrank", "shrunk", "doubl*", "tripl*", "halv*"),
        *("twice", "deteriorat*", "worsen*", "climb*", "plung*", "soar*", "surg*", "jump*", "narrow*", "widen*", "strengthen*"),
        *("weaken*", "progress*", "went up", "went down", "goes up", "goes down", "up from", "down from", "catch up"),
        *("catching up", "caught up", "closing the gap", "closed the gap", "close the gap", "leading", "more", "fewer", "less"),
        *("superior", "inferior", "advantage*", "accelerat*", "rebound*", "recover*", "slipp*", "dip", "dipped", "uptick"),
    ),
    CAUSED: (
        *("because", "because of", "due to", "caus*", "led to", "lead to", "leads to", "leading to", "result of", "results from"),
        *("resulted in", "results in", "resulting in", "thanks to", "owing to", "as a result", "therefore", "hence", "driven by"),
        *("drove", "drives", "driver", "drivers", "effect of", "effects of", "impact*", "attributable", "attributed to"),
        *("contributed to", "contributes to", "brought about", "brings about", "explains why", "accounts for", "paid off"),
        *("boosted", "boosts", "worked", "made possible", "consequence*", "stems from", "produced by", "responsible for"),
    ),
    EQUALLED: (
        *("same", "similar*", "stable", "unchanged", "identical*", "equal", "equals", "equally", "no change", "steady", "flat"),
        *("on par", "on a par", "just as", "as high as", "as low as", "comparable to", "constant", "plateau*", "alike"),
        *("no different", "match", "matches", "matched", "even with", "tied", "neck and neck"),
    ),
}


@dataclass(frozen=True)
class Flagged:
    """A word that claims something: the word as it stands, what it claims (a key of WHY), and where it begins in the text."""

    word: str
    kind: str
    at: int


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    spelled = [re.escape(word.rstrip("*")).replace(r"\ ", r"\s+") + (r"\w*" if word.endswith("*") else "") for word in words]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(spelled, key=len, reverse=True))})(?![\w-])", re.IGNORECASE)


_PATTERNS = {kind: _pattern(words) for kind, words in _WORDS.items()}


def flagged(text: str) -> list[Flagged]:
    """Every word of `text` that claims something, in the order of the text; of two that overlap the longer."""
    found = [
        Flagged(match.group(), kind, match.start()) for kind, pattern in _PATTERNS.items() for match in pattern.finditer(text)
    ]
    found.sort(key=lambda one: (one.at, -len(one.word)))
    kept: list[Flagged] = []
    for one in found:
        if not kept or one.at >= kept[-1].at + len(kept[-1].word):
            kept.append(one)
    return kept
