"""Commands about releases: list, show, diff, roll back, audit, embargo. Only words and exit codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.words import as_json_text, counted, libraries_speak_aside, open_home, open_settings, plain, progress, stop

if TYPE_CHECKING:
    from pipelines.disclosure.audit.audit import AuditReport
    from pipelines.flow import Home
    from pipelines.release.folder import ReleaseFolder

NAMED_LEAKS = 20
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")


@click.group()
def release() -> None:
    """Releases: list, show, diff, roll back, audit, embargo."""


@release.command("list")
@AS_JSON
def release_list(as_json: bool) -> None:
    """All releases, oldest first, with what protection costs; * marks the current one."""
    from pipelines.release.publish import current_manifest, list_releases, rolled_back

    home = open_home()
    current = (current_manifest(home.storage) or {}).get("release_id")
    left = rolled_back(home.storage)
    waiting = _waiting(home)
    told = [(manifest, "rolled back" if manifest["release_id"] in left else None) for manifest in list_releases(home.storage)]
    told += [(manifest, state) for manifest, state in waiting]
    if as_json:
        entries = [
            {
                "release_id": manifest["release_id"],
                "is_current": manifest["release_id"] == current,
                "is_rolled_back": manifest["release_id"] in left,
                "is_embargoed": any(manifest is held for held, _ in waiting),
                "created_at": manifest["created_at"],
                "protection": manifest.get("protection", {}),
            }
            for manifest, _ in told
        ]
        click.echo(as_json_text(entries))
        return
    for manifest, state in told:
        mark = "*" if manifest["release_id"] == current else " "
        rows = manifest["tables"]["indicator_values"]["n_rows"]
        said = [manifest["created_at"], counted(rows, "indicator value"), _cost(manifest), state]
        click.echo(f"{mark} {manifest['release_id']}  {'  '.join(plain(words) for words in said if words)}")


@release.command("show")
@click.argument("release_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="The manifest, as it is published.")
def release_show(release_id: str | None, as_json: bool) -> None:
    """What a release is made from and what protection costs (by default the current one)."""
    home = open_home()
    manifest = _manifest(home, release_id)
    if as_json:
        click.echo(as_json_text(manifest))
        return
    for line in _summary(home, manifest):
        click.echo(plain(line))


@release.command("diff")
@click.argument("before", required=False)
@click.argument("after", required=False)
@AS_JSON
def release_diff(before: str | None, after: str | None, as_json: bool) -> None:
    """What changed from release BEFORE to AFTER, and because of which submissions.

    With one release: from the one before it; with none: to the current one.
    """
    from pipelines.release import changes as change
    from pipelines.release.folder import UnusableRelease

    home = open_home()
    later = str(_manifest(home, after or before)["release_id"])
    earlier = before if after else _one_before(home, later)
    if earlier is not None:
        _manifest(home, earlier)
    try:
        found = change.changes_between(_read(home, earlier) if earlier else None, _read(home, later))
        told = change.as_json(found, has_values=as_json)
    except UnusableRelease as problem:
        stop(str(problem), 2, as_json)
    if as_json:
        click.echo(as_json_text(told))
        return
    for line in change.sentences(told):
        click.echo(plain(line))
    if told["before"] is not None:
        for row in told["by_indicator_and_district"]:
            click.echo(plain(f"  {row['indicator_id']:<6}{row['district']:<16}{change.counts_in_words(row)}"))


@release.command("rollback")
@click.argument("release_id")
def release_rollback(release_id: str) -> None:
    """Make an earlier release current; it stays current until something in force changes."""
    from pipelines.release.publish import ReleaseNotFound, roll_back

    try:
        roll_back(open_home().storage, release_id)
    except ReleaseNotFound as error:
        stop(str(error), 2)
    click.echo(f"{release_id} is current.")


@release.command("audit")
@click.argument("release_or_folder", required=False)
@click.option("--earlier", multiple=True, type=click.Path(path_type=Path), help="Folder of an earlier release; may be repeated.")
@click.option("--alone", is_flag=True, help="Without any earlier release.")
@click.option("--intervals", is_flag=True, help="With --json: what can be worked out of each cell too. Not for publishing.")
@AS_JSON
def release_audit(release_or_folder: str | None, earlier: tuple[Path, ...], alone: bool, intervals: bool, as_json: bool) -> None:
    """Attack a release from its published files alone: RELEASE_OR_FOLDER, by default the current one.

    Attacked alone and together with the earlier releases beside it. Exit 0: nothing can be worked out; 1: something can, or
    a question could not be answered in time; 2: the folder cannot be used.
    """
    from pipelines.release import auditing
    from pipelines.release.folder import UnusableRelease, earlier_siblings

    settings = open_settings()
    if alone and earlier:
        stop("--alone and --earlier cannot be used together.", 2, as_json)
    folder = _folder(settings.home, release_or_folder, as_json)
    try:
        if not alone and not earlier:
            before = earlier_siblings(folder)
            if folder.parent == settings.home / "embargoed":
                before = earlier_siblings(settings.home / "releases" / folder.name)
        else:
            before = list(earlier)
        with libraries_speak_aside():
            report, read = auditing.audit_folder(folder, before, settings.deadline_seconds, progress)
    except UnusableRelease as problem:
        stop(str(problem), 2, as_json)
    except OSError as problem:
        stop(f"{folder} cannot be read: {problem.strerror}.", 2, as_json)
    names = [path.resolve().name for path in before]
    if as_json:
        told = auditing.as_json(report, names, has_intervals=intervals) | {"altered_tables": list(read.altered)}
        click.echo(as_json_text(told))
    else:
        _say_audit(report, read, names, auditing.failures(report, NAMED_LEAKS))
    if not report.passed:
        raise SystemExit(1)


@release.command("embargo")
@click.option("--until", metavar="TIME", help="For example 2026-12-01T09:00; UTC unless it says otherwise.")
@click.option("--lift", is_flag=True, help="End the embargo now.")
def release_embargo(until: str | None, lift: bool) -> None:
    """Let releases wait until TIME, audited and unseen; the next run after it publishes. Without an option: how it stands."""
    from pipelines.release.embargo import embargo_until, lift_embargo, set_embargo
    from pipelines.settings import utc_time

    home = open_home()
    if until and lift:
        stop("--until and --lift cannot be used together.", 2)
    if until:
        try:
            ends = utc_time(until)
        except ValueError as problem:
            stop(str(problem), 2)
        if ends <= datetime.now(UTC):
            stop(f"{_day(ends)} has passed. Name a time to come, or end the embargo with --lift.", 2)
        set_embargo(home.storage, ends)
    elif lift:
        click.echo("The embargo is lifted." if lift_embargo(home.storage) else "No embargo was set.")
    ends_at = embargo_until(home.storage, home.settings.embargo_until)
    if ends_at is not None and ends_at > datetime.now(UTC):
        by = " (NMIP_EMBARGO_UNTIL)" if ends_at == home.settings.embargo_until else ""
        click.echo(f"A release that is built before {_day(ends_at)} waits until then{by}.")
    elif not lift:
        click.echo("There is no embargo: releases are published as soon as they passed their audit.")
    for manifest, state in _waiting(home):
        click.echo(f"{manifest['release_id']}: {state}")


def _waiting(home: Home) -> list[tuple[dict[str, Any], str]]:
    """The release that waits, where one does, with words on until when."""
    from pipelines import flow
    from pipelines.release.embargo import waiting_release

    held = waiting_release(home.storage)
    under = flow.under_embargo(home)
    if held is None or under is None:
        return []
    ends = under[1]
    return [(held, f"embargoed until {_day(ends)}" if ends else "its embargo has ended; publish it with: nmip run")]


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _cost(manifest: Mapping[str, Any]) -> str:
    """'12.3 % of cells and 0.8 % of students' information hidden'; empty for a release that does not say."""
    said = manifest.get("protection", {})
    parts = [
        f"{100 * said[name]:.1f} % of {of}"
        for name, of in (("share_hidden", "cells"), ("share_of_students_hidden", "students' information"))
        if isinstance(said.get(name), int | float)
    ]
    return f"{' and '.join(parts)} hidden" if parts else ""


def _summary(home: Home, manifest: Mapping[str, Any]) -> list[str]:
    from pipelines.release.publish import announcement, current_manifest, rolled_back

    release_id = manifest["release_id"]
    told = announcement(home.storage, release_id)
    is_current = release_id == (current_manifest(home.storage) or {}).get("release_id")
    state = "current" if is_current else "rolled back" if release_id in rolled_back(home.storage) else "not current"
    state = next((words for held, words in _waiting(home) if held["release_id"] == release_id), state)
    lines = [f"Release {release_id} ({manifest.get('kind', 'unknown')} data): {state}"]
    lines.append(
        f"Made from what was known on {manifest['created_at']}, of {counted(len(manifest.get('inputs', [])), 'submission')}"
    )
    if told and told["published_at"]:
        lines.append(f"Published {told['published_at']}" + (f", after {told['previous']}" if told["previous"] else ""))
    rows = ", ".join(f"{name} {entry['n_rows']:,}" for name, entry in sorted(manifest["tables"].items()))
    lines.append(f"Tables and their rows: {rows}")
    if "minimum_n" in manifest:
        lines.append(f"Smallest group that is shown: {manifest['minimum_n']}")
    if _cost(manifest):
        lines.append(f"What protection costs: {_cost(manifest)}")
    audit = manifest.get("audit")
    if audit:
        asked = ", ".join(f"{kind} {n:,}" for kind, n in sorted(audit["n_attacks_by_kind"].items()))
        lines.append(
            f"Attacked before it was published: {audit['n_cells_attacked']:,} hidden counts of people ({asked}); "
            "nothing could be worked out"
        )
    else:
        lines.append("It was published before releases were attacked.")
    if told and told["previous"]:
        from pipelines.release.changes import counts_in_words

        lines.append(f"Since {told['previous']}: {counts_in_words(told['changes']) or 'no value changed'} (nmip release diff)")
    return lines


def _say_audit(report: AuditReport, read: ReleaseFolder, earlier: Sequence[str], failures: Sequence[str]) -> None:
    asked = ", ".join(f"{kind} {n:,}" for kind, n in sorted(report.n_attacks_by_kind.items()))
    words = "withstood every attack" if report.passed else "does not pass its audit"
    click.echo(plain(f"Release {read.release_id} {words}."))
    click.echo(
        plain(
            f"{report.n_cells_attacked:,} hidden counts of people attacked in {report.seconds:.1f} s"
            + (f" ({asked})" if asked else "")
            + (f", together with {', '.join(earlier)}." if earlier else ", alone.")
        )
    )
    for line in failures:
        click.echo(plain(line))
    if read.altered:
        click.echo(f"Not as the manifest says (its SHA-256 differs, or it is not named): {', '.join(read.altered)}.", err=True)


def _manifest(home: Home, release_id: str | None) -> dict[str, Any]:
    """The manifest of a release that is published or waits, by default the current one; ends the command where there is none."""
    from pipelines.release.publish import current_manifest, list_releases

    if release_id is None:
        found = current_manifest(home.storage)
        if found is None:
            stop("Nothing was published yet; run: nmip run", 2)
        return found
    known = [*list_releases(home.storage), *(held for held, _ in _waiting(home))]
    named = next((manifest for manifest in known if manifest["release_id"] == release_id), None)
    if named is None:
        stop(f"There is no release {release_id}.", 2)
    return named


def _read(home: Home, release_id: str) -> ReleaseFolder:
    from pipelines.release.folder import read_folder

    return read_folder(_known_folder(home.settings.home, release_id) or home.settings.home / "releases" / release_id)


def _known_folder(root: Path, release_id: str) -> Path | None:
    """Where a release of this home lies, by its id and not by any path that somebody typed."""
    for place in ("releases", "embargoed"):
        folder = next((path for path in root.glob(f"{place}/*") if path.name == release_id and path.is_dir()), None)
        if folder is not None:
            return folder
    return None


def _one_before(home: Home, release_id: str) -> str | None:
    from pipelines.release.folder import release_number
    from pipelines.release.publish import release_ids

    own = release_number(release_id) or 0
    smaller = [name for name in release_ids(home.storage) if (release_number(name) or 0) < own]
    return smaller[-1] if smaller else None


def _folder(root: Path, release_or_folder: str | None, as_json: bool) -> Path:
    """The folder that a person means: a release of this home by its id, any folder by its path, or the current release."""
    from pipelines.release.reader import NoRelease, read_current

    if release_or_folder is None:
        try:
            return read_current(root).folder
        except NoRelease as problem:
            stop(str(problem), 2, as_json)
    folder = _known_folder(root, release_or_folder)
    if folder is not None:
        return folder
    path = Path(release_or_folder)
    if not path.is_dir():
        stop(f"There is no release {release_or_folder}, and no folder of that name.", 2, as_json)
    return path.resolve()


COMMANDS = (release,)
