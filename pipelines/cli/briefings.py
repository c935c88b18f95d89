"""Commands about briefings: build one for a convening, list those that are kept, check a deck that people edited."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.words import as_json_text, open_home, plain, progress, stop

NAMED_PROBLEMS = 20
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")


@click.group()
def briefing() -> None:
    """Briefings for the annual convenings: build, list, lint."""


@briefing.command("build")
@click.option("--convening", "convening_id", required=True, help="The convening, such as 2026.")
@click.option("--format", "formats", default="pptx,html,pdf", show_default=True, help="Formats, separated by commas.")
@click.option("--sections", default="", help="Parts to build, separated by commas; all by default.")
@click.option("--release", "release_id", help="The release to build from; the current one by default.")
@click.option(
    "--master", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own PPTX to lay slides out on."
)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="A folder to copy the files to as well.")
def briefing_build(
    convening_id: str, formats: str, sections: str, release_id: str | None, master: Path | None, output: Path | None
) -> None:
    """Build a convening's briefing: slides to edit, a page to send, a print. Nothing in it says more than its verdict allows."""
    from pipelines import flow
    from pipelines.briefing.building import FORMATS, BriefingRefused
    from pipelines.briefing.content import SECTIONS
    from pipelines.briefing.deck import UnusableMaster
    from pipelines.briefing.material import NoBriefing
    from pipelines.release.folder import UnusableRelease

    chosen = _listed(formats, FORMATS, "format")
    parts = _listed(sections, tuple(SECTIONS), "section") if sections else list(SECTIONS)
    home = open_home()
    try:
        keys = flow.convening_briefing(home, convening_id, chosen, parts, master, release_id, progress)
    except BriefingRefused as refused:
        for one in refused.problems[:NAMED_PROBLEMS]:
            click.echo(plain(one.message()), err=True)
        stop(f"The briefing says more than its verdicts allow in {len(refused.problems)} places, so it was not made.", 1)
    except (NoBriefing, UnusableMaster, UnusableRelease) as problem:
        stop(str(problem), 2)
    for key in keys:
        click.echo(plain(home.storage.path(key)))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        for key in keys:
            output.joinpath(Path(key).name).write_bytes(home.storage.read(key))
        click.echo(plain(f"Copied to {output}."))


@briefing.command("list")
@AS_JSON
def briefing_list(as_json: bool) -> None:
    """The convenings that the current release knows, and the briefings that are kept."""
    from pipelines import flow

    told = flow.convenings_and_briefings(open_home())
    if as_json:
        click.echo(as_json_text(told))
        return
    if not told:
        click.echo("There is no release yet, or it is of the time before briefings. Run `nmip run` first.")
    for one in told:
        kept = ", ".join(one["briefings"]) or "no briefing yet"
        click.echo(plain(f"{one['convening']}  {one['label']}, {one['held_on']}: {kept}"))


@briefing.command("lint")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--release", "release_id", help="The release that it was built from; a deck of NMIP's says so itself.")
@click.option("--convening", "convening_id", help="The convening that it was built for; a deck of NMIP's says so itself.")
@AS_JSON
def briefing_lint(file: Path, release_id: str | None, convening_id: str | None, as_json: bool) -> None:
    """Check a deck, page or print for words that say more than a verdict allows. Exit code 1 where there are any."""
    from pipelines import flow
    from pipelines.briefing.extraction import UnusableFile, subject_of_deck, texts_of_file
    from pipelines.briefing.lint import text_problems
    from pipelines.briefing.material import NoBriefing
    from pipelines.release.folder import UnusableRelease

    try:
        content = file.read_bytes()
        texts = texts_of_file(file.name, content)
        if file.suffix.lower() == ".pptx" and not (release_id and convening_id):
            said_release, said_convening, *_ = *(subject_of_deck(content) or "").split(), "", ""
            release_id, convening_id = release_id or said_release, convening_id or said_convening
    except UnusableFile as problem:
        stop(str(problem), 2, as_json)
    if not release_id or not convening_id:
        stop(f"{file.name} does not say which briefing it was built from. Name it with --release and --convening.", 2, as_json)
    try:
        document = flow.convening_document(open_home(), convening_id, release_id)
    except (NoBriefing, UnusableRelease) as problem:
        stop(str(problem), 2, as_json)
    problems = text_problems(texts, document)
    if as_json:
        click.echo(as_json_text({"file": file.name, "problems": [problem.__dict__ for problem in problems]}))
    else:
        for one in problems:
            click.echo(plain(one.message()))
        n = len(problems)
        too_much = f"{n} {'place says' if n == 1 else 'places say'} too much."
        click.echo(too_much if n else "Nothing in it says more than a verdict allows.")
    raise SystemExit(1 if problems else 0)


def _listed(text: str, known: tuple[str, ...], what: str) -> list[str]:
    asked = [part.strip().lower() for part in text.split(",") if part.strip()]
    for part in asked:
        if part not in known:
            stop(f"There is no {what} {part}; there are {', '.join(known)}.", 2)
    if not asked:
        stop(f"Name at least one {what}: {', '.join(known)}.", 2)
    return list(dict.fromkeys(asked))


COMMANDS = (briefing,)
