"""Attacking a release before it leaves, and any release that lies in a folder: the auditor asked, its answer told in words.

How a release is attacked belongs to the auditor, which shares no code with what protects it; here are only files and words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.release.folder import NEEDED_TO_AUDIT, ReleaseFolder, UnusableRelease, read_folder

if TYPE_CHECKING:
    from pipelines.disclosure.audit.audit import AuditReport, Place

Progress = Callable[[str], None]
NAMED_LEAKS = 10
# What working with tables raises that have the right names and hold something else.
_UNFIT = (pl.exceptions.PolarsError, KeyError, IndexError, TypeError, ValueError)


class ReleaseRefused(Exception):
    """A release failed its audit; the message names cells and the relations used, and never a number of theirs.

    `places`: for each count that was given back the places, by column, where hiding more may mend it, the best first.
    """

    def __init__(self, message: str, places: Sequence[Sequence[Place]] = ()) -> None:
        super().__init__(message)
        self.places = tuple(places)


def audit_folder(
    folder: Path, earlier: Sequence[Path] = (), deadline_seconds: float | None = None, progress: Progress = lambda _: None
) -> tuple[AuditReport, ReleaseFolder]:
    """What the auditor says about the release in `folder` beside earlier ones (oldest first), and the release as read.

    Raises UnusableRelease where a folder holds no release that can be attacked.
    """
    release = read_folder(folder, NEEDED_TO_AUDIT, is_checked=True, is_kept=True)
    before = [read_folder(path) for path in earlier]
    names = ", ".join(entry.release_id for entry in before)
    progress(f"attacking release {release.release_id}" + (f", alone and together with {names}" if names else ", alone"))
    try:
        return attack(release, before, deadline_seconds, progress), release
    except _UNFIT as problem:
        raise UnusableRelease(
            f"The tables in {folder} do not have the form of a release, so they cannot be attacked ({_first_line(problem)})."
        ) from problem


def attack(
    release: ReleaseFolder, earlier: Sequence[ReleaseFolder], deadline_seconds: float | None, progress: Progress
) -> AuditReport:
    """Ask the auditor about one release as read."""
    # Solvers take part of a second to import, and most commands never audit.
    from pipelines.disclosure.audit.audit import Published, audit_release

    def published(entry: ReleaseFolder) -> Published:
        return Published(release_id=entry.release_id, manifest=entry.manifest, tables=entry.tables)

    return audit_release(
        published(release), [published(entry) for entry in earlier], deadline_seconds=deadline_seconds, progress=progress
    )


def what_was_asked(report: AuditReport, earlier: Sequence[str]) -> dict[str, Any]:
    """What a manifest says about the audit that its release passed. The same for the same release: seconds are left out."""
    return {
        "passed": report.passed,
        "n_cells_attacked": report.n_cells_attacked,
        "n_hidden": report.n_hidden,
        "n_components": report.n_components,
        "n_attacks_by_kind": dict(sorted(report.n_attacks_by_kind.items())),
        "earlier_releases": list(earlier),
    }


def as_json(report: AuditReport, earlier: Sequence[str], has_intervals: bool) -> dict[str, Any]:
    """The whole report as plain JSON types. What an attacker can work out of a cell is in it only where `has_intervals`."""
    return {
        "release_id": report.release_id,
        **what_was_asked(report, earlier),
        "leaks": [
            {
                "attack": leak.attack,
                "cell": leak.cell,
                "relation": leak.relation,
                **({"lower": leak.lower, "upper": leak.upper} if has_intervals else {}),
            }
            for leak in report.leaks
        ],
        "not_asked": list(report.not_asked),
        "seconds": round(report.seconds, 1),
    }


def refusal(report: AuditReport, kept_at: str) -> str:
    """Why a release is not published, in words: about ten leaks with their relations, then how many more; no numbers of cells."""
    lines = [f"Release {report.release_id} failed its audit and is not published; the current release stays."]
    lines += failures(report, NAMED_LEAKS)
    return "\n".join([*lines, f"Everything that was found is in {kept_at}, which is not for publishing."])


def failures(report: AuditReport, n_named: int) -> list[str]:
    """What is wrong, one line each: at most `n_named` leaks and as many questions that were left open."""
    lines = []
    if report.leaks:
        n = len(report.leaks)
        lines.append(f"{n:,} {'leak was' if n == 1 else 'leaks were'} found, by which what is hidden can be worked out:")
        lines += [f"  {leak.message()}" for leak in report.leaks[:n_named]]
        if n > n_named:
            lines.append(f"  and {n - n_named:,} more")
    if report.not_asked:
        n = len(report.not_asked)
        lines.append(f"{n:,} {'question was' if n == 1 else 'questions were'} not answered, so it cannot be said to be safe:")
        lines += [f"  {question}" for question in report.not_asked[:n_named]]
        if n > n_named:
            lines.append(f"  and {n - n_named:,} more")
    return lines


def _first_line(problem: Exception) -> str:
    said = str(problem).strip()
    return f"{type(problem).__name__}: {said.splitlines()[0][:120]}" if said else type(problem).__name__
