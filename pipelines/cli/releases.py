"""Commands about published releases: list, show, roll back."""

from __future__ import annotations

import json

import click

from pipelines.cli.words import open_home, stop


@click.group()
def release() -> None:
    """Published releases: list, show, roll back."""


@release.command("list")
def release_list() -> None:
    """All releases, oldest first; * marks the current one."""
    from pipelines.release.publish import current_manifest, list_releases

    home = open_home()
    current = (current_manifest(home.storage) or {}).get("release_id")
    for manifest in list_releases(home.storage):
        mark = "*" if manifest["release_id"] == current else " "
        rows = manifest["tables"]["indicator_values"]["n_rows"]
        click.echo(f"{mark} {manifest['release_id']}  {manifest['created_at']}  {rows:,} indicator values")


@release.command("show")
@click.argument("release_id", required=False)
def release_show(release_id: str | None) -> None:
    """The manifest of a release (by default the current one)."""
    from pipelines.release.publish import current_manifest, list_releases

    home = open_home()
    found = (
        next((m for m in list_releases(home.storage) if m["release_id"] == release_id), None)
        if release_id
        else current_manifest(home.storage)
    )
    if found is None:
        stop(f"There is no release {release_id}." if release_id else "Nothing was published yet; run: nmip run", 2)
    click.echo(json.dumps(found, indent=1, sort_keys=True))


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


COMMANDS = (release,)
