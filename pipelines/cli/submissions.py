"""Commands of a submission's life: check, submit, findings, acknowledge, diff, sign, withdraw, receipt, verify-receipt, status.

Only words and exit codes; what is done is done by the desk, as on the Submit page.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.words import (
    accounting,
    as_json_text,
    counted,
    desk_of,
    open_desk,
    open_home,
    place_options,
    plain,
    progress,
    read_files,
    stop,
    write_files,
)

if TYPE_CHECKING:
    import polars as pl

    from pipelines.flow import Home
    from pipelines.intake.desk import Desk
    from pipelines.intake.screening import Screening
    from pipelines.intake.submission import Submission

SHOWN_FINDINGS = 5
SHOWN_CHANGES = 10
JSON_FINDINGS = 100_000
WATCH_SECONDS = 0.5

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
ONE_ID = click.argument("submission_id", metavar="ID")
OUTPUT = click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Folder to write files into.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")


def _show_groups(groups: list[dict[str, Any]], findings: pl.DataFrame) -> None:
    import polars as pl

    for group in groups:
        weight = "blocks" if group["is_blocking"] else "to acknowledge"
        if not group["is_blocking"] and group.get("n_open") == 0:
            weight = "acknowledged"
        click.echo()
        # What was read or mapped wrongly is one finding, whose message says all of it.
        meaning = "" if group["rule_id"].startswith(("READ-", "MAP-")) else f": {plain(group['meaning'])}"
        click.echo(f"{group['rule_id']}  {counted(group['n_findings'], 'finding')}, {weight}{meaning}")
        for row in findings.filter(pl.col("rule_id") == group["rule_id"]).head(SHOWN_FINDINGS).to_dicts():
            place = f"{row['file']}" + (f", line {row['line']}" if row["line"] else "")
            key = f" ({row['business_key']})" if row["business_key"] else ""
            is_named = row["field"] and row["field"] not in row["message"] and not row["rule_id"].endswith("KEY-DUPLICATE")
            field = f"{row['field']}: " if is_named else ""
            click.echo(f"  {plain(place)}{plain(key)}: {plain(field)}{plain(row['message'])}")
        if group["n_findings"] > SHOWN_FINDINGS:
            click.echo(f"  … and {group['n_findings'] - SHOWN_FINDINGS:,} more (--json lists them, --output FOLDER writes them)")
        click.echo(f"  To fix: {plain(group['how_to_fix'])}")
        for entry in group.get("acknowledgements", []):
            click.echo(f"  Acknowledged by {plain(entry['actor'])} ({entry['n']:,}): {plain(entry['reason'])}")


def _show_screening(screening: Screening, groups: list[dict[str, Any]]) -> None:
    from pipelines.intake.states import ACKNOWLEDGEMENTS_NEEDED, STATES

    if screening.lines.get("in"):
        click.echo(accounting("Lines", screening.lines))
        if screening.row_counts != screening.lines:
            click.echo(accounting("Rows", screening.row_counts))
    for note in (*screening.notes, *screening.remarks):
        click.echo(f"Note: {plain(note)}")
    _show_groups(groups, screening.findings)
    click.echo()
    if screening.is_blocked:
        click.echo(STATES[screening.outcome][0])
    elif screening.outcome == ACKNOWLEDGEMENTS_NEEDED:
        click.echo("Nothing blocks. The file can be submitted; what is unusual is then corrected or acknowledged with a reason.")
    else:
        click.echo("Nothing was found. The file can be submitted.")


def _screening_json(screening: Screening, groups: list[dict[str, Any]]) -> str:
    found = screening.findings
    return as_json_text(
        {
            "outcome": screening.outcome,
            "is_blocked": screening.is_blocked,
            "lines": screening.lines,
            "rows": screening.row_counts,
            "school_years": list(screening.school_years),
            "notes": [*screening.notes, *screening.remarks],
            "contract_version": screening.contract_version,
            "n_findings": sum(group["n_findings"] for group in groups),
            "rules": groups,
            "findings": found.head(JSON_FINDINGS).to_dicts(),
            "findings_shown": min(found.height, JSON_FINDINGS),
        }
    )


@click.command()
@FILES
@place_options
@AS_JSON
@OUTPUT
@click.option("--watch", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
def check(
    files: tuple[Path, ...],
    district: str,
    extract: str,
    school_year: str,
    as_json: bool,
    output: Path | None,
    watch: bool,
) -> None:
    """Dry run: say what is wrong with FILES, change nothing.

    With --output the findings (csv, JSON) and your own files with a column of findings are written into a folder.
    Exit code 0: nothing blocks. 1: something blocks. 2: unusable call or unreadable file.
    """
    desk = open_desk()
    if not watch:
        sys.exit(_check_once(desk, files, (district, extract, school_year), as_json, output))
    if as_json or output:
        stop("--watch shows findings here; call it without --json and --output.", 2)
    _watch(desk, files, (district, extract, school_year))


def _check_once(desk: Desk, paths: tuple[Path, ...], place: tuple[str, str, str], as_json: bool, output: Path | None) -> int:
    from pipelines.intake.desk import exported
    from pipelines.intake.rule_book import by_rule, rule_book
    from pipelines.intake.states import UNREADABLE
    from pipelines.intake.submission import SubmissionRefused

    read = read_files(paths, as_json)
    try:
        screening, opened = desk.check(read, *place)
    except SubmissionRefused as error:
        stop(str(error), 2, as_json)
    groups = by_rule(screening.findings, screening.counts, rule_book(desk.contracts_folder, place[1]))
    if as_json:
        click.echo(_screening_json(screening, groups))
    else:
        _show_screening(screening, groups)
    if output is not None:
        write_files(output, exported(read, opened, screening.findings, ""))
    return 2 if screening.outcome == UNREADABLE else int(screening.is_blocked)


def _watch(desk: Desk, paths: tuple[Path, ...], place: tuple[str, str, str]) -> None:
    seen: list[tuple[str, int, int]] | None = None
    try:
        while True:
            marks = _marks(paths)
            if marks != seen:
                seen = marks
                if marks:
                    click.echo(f"\n=== {time.strftime('%H:%M:%S')}  {', '.join(plain(Path(name).name) for name, *_ in marks)}")
                    _check_once(desk, tuple(path for path in paths if path.exists()), place, False, None)
                else:
                    click.echo("The file is gone; waiting for it to come back.")
                click.echo("Watching; save the file to check it again, Ctrl-C ends.")
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        click.echo("Stopped watching.")


def _marks(paths: tuple[Path, ...]) -> list[tuple[str, int, int]]:
    found = []
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            try:
                status = file.stat()
            except FileNotFoundError:
                continue
            found.append((str(file), status.st_size, status.st_mtime_ns))
    return found


def _show_submission(desk: Desk, submission: Submission) -> None:
    from pipelines.intake.states import STATES

    meaning, next_step = STATES[submission.state]
    click.echo(f"{submission.key.submission_id}  {submission.state}: {meaning}")
    if submission.screened:
        click.echo(f"  {accounting('Lines', submission.screened['lines'])}")
        for note in (*submission.screened["notes"], *submission.screened["remarks"]):
            click.echo(f"  Note: {plain(note)}")
        _show_groups(desk.rules(submission), desk.findings(submission))
    click.echo(f"  Next: {next_step.replace('ID', submission.key.submission_id)}")


@click.command()
@FILES
@place_options
@click.option("--again", "is_again", is_flag=True, help="Open a new submission for bytes that were superseded before.")
@AS_JSON
def submit(files: tuple[Path, ...], district: str, extract: str, school_year: str, is_again: bool, as_json: bool) -> None:
    """Submit FILES as one delivery and screen it; sign it afterwards with nmip sign.

    A delivery that holds several school years opens one submission for each.
    Exit code 0: nothing blocks. 1: something must be corrected. 2: unusable call, unreadable file, personal data.
    """
    from pipelines.intake.states import SUPERSEDED
    from pipelines.intake.submission import SubmissionRefused, all_submissions

    home = open_home()
    desk = desk_of(home)
    before = {s.key for s in all_submissions(home.store, district, extract)}
    try:
        read = read_files(files, as_json)
        done = desk.submit(read, district, extract, school_year, "command line", is_again=is_again)
    except SubmissionRefused as error:
        stop(str(error), 2, as_json)
    if as_json:
        click.echo(as_json_text([_submission_json(desk, s, s.key not in before) for s in done]))
    for submission in () if as_json else done:
        if submission.key in before:
            click.echo(f"These bytes were delivered before, as {submission.key.submission_id}; nothing changed.")
            if submission.state == SUPERSEDED:
                click.echo("To bring them back into force: the same command with --again, then sign.")
        _show_submission(desk, submission)
    states = {submission.state for submission in done}
    sys.exit(2 if "unreadable" in states else int("corrections_needed" in states))


def _submission_json(desk: Desk, submission: Submission, is_new: bool | None = None) -> dict[str, Any]:
    from pipelines.intake.states import STATES

    meaning, next_step = STATES[submission.state]
    screened = submission.screened or {}
    report = {
        "submission_id": submission.key.submission_id,
        "state": submission.state,
        "state_meaning": meaning,
        "next_step": next_step.replace("ID", submission.key.submission_id),
        "lines": screened.get("lines"),
        "rows": screened.get("rows"),
        "notes": screened.get("notes", []) + screened.get("remarks", []),
        "contract_version": screened.get("contract_version"),
        "to_acknowledge": submission.to_acknowledge,
        "rules": desk.rules(submission),
        "findings": desk.findings(submission).head(JSON_FINDINGS).to_dicts() if screened else [],
    }
    return report if is_new is None else {**report, "is_new": is_new}


@click.command()
@ONE_ID
@AS_JSON
@OUTPUT
def findings(submission_id: str, as_json: bool, output: Path | None) -> None:
    """What was found in submission ID; --output writes the findings and your files with a column of findings."""
    from pipelines.intake.submission import SubmissionRefused

    desk = desk_of(open_home())
    try:
        submission = desk.submission(submission_id)
        if as_json:
            click.echo(as_json_text(_submission_json(desk, submission)))
        else:
            _show_submission(desk, submission)
        if output is not None:
            write_files(output, desk.exports(submission))
    except SubmissionRefused as error:
        stop(str(error), 2, as_json)


@click.command()
@ONE_ID
@click.option("--rule", "rules", multiple=True, required=True, metavar="RULE", help="Rule to acknowledge; may be repeated.")
@click.option("--reason", required=True, help="Why the findings are right; it stands in the receipt.")
@click.option("--except-line", "lines", multiple=True, type=int, metavar="N", help="Leave out the finding in this line.")
@click.option("--of-file", "file", metavar="NAME", help="The file of --except-line, where the delivery has several.")
def acknowledge(submission_id: str, rules: tuple[str, ...], reason: str, lines: tuple[int, ...], file: str | None) -> None:
    """Say why findings of submission ID that do not block are right: one reason a rule.

    Findings in lines left out stay open: correct them in a new submission, or acknowledge them with a reason of their own.
    """
    from pipelines.intake.submission import SubmissionRefused

    desk = desk_of(open_home())
    try:
        for rule_id in rules:
            submission = desk.acknowledge(submission_id, rule_id, reason, lines, file)
            said = submission.last("acknowledged") or {}
            left = f"; {said['n_left_out']:,} left open" if said["n_left_out"] else ""
            click.echo(f"{rule_id}: {counted(said['n'], 'finding')} acknowledged{left}.")
        _show_next(desk, submission_id)
    except SubmissionRefused as error:
        stop(str(error), 1)


def _show_next(desk: Desk, submission_id: str) -> None:
    from pipelines.intake.states import STATES

    submission = desk.submission(submission_id)
    meaning, next_step = STATES[submission.state]
    click.echo(f"{submission.key.submission_id}  {submission.state}: {meaning}")
    click.echo(f"  Next: {next_step.replace('ID', submission.key.submission_id)}")


@click.command()
@ONE_ID
@AS_JSON
@click.option("--rows-only", is_flag=True, help="Leave out the effect on indicators.")
def diff(submission_id: str, as_json: bool, rows_only: bool) -> None:
    """What signing submission ID would change: rows, and every indicator of the district. Changes nothing."""
    from pipelines.intake.submission import SubmissionRefused

    home = open_home()
    desk = desk_of(home)
    try:
        submission = desk.refreshed(desk.submission(submission_id))
        rows = desk.differences(submission)
        held = desk.supersedes(submission)
        effects = None if rows_only else _effects(home, desk, submission)
    except SubmissionRefused as error:
        stop(str(error), 2, as_json)
    if as_json:
        report = {
            "submission_id": submission_id,
            "in_force": held,
            "rows": {
                "summary": rows.summary(),
                **{name: getattr(rows, name) for name in ("n_before", "n_after", "n_changed_rows", "n_same")},
                **{name: getattr(rows, name).head(JSON_FINDINGS).to_dicts() for name in ("added", "removed", "changed")},
            },
            "indicators": None
            if effects is None
            else {"summary": effects.summary(), "n_same": effects.n_same, "changed": effects.changed.to_dicts()},
        }
        click.echo(as_json_text(report))
        return
    click.echo(f"{submission.key.submission_id} beside {held}, which is in force" if held else "Nothing is in force here yet.")
    click.echo(rows.summary())
    _show_rows(desk, submission, rows)
    if effects is not None:
        from pipelines.intake.effects import effect_label

        click.echo(effects.summary())
        for row in effects.changed.head(2 * SHOWN_CHANGES).to_dicts():
            click.echo(f"  {plain(effect_label(row))}")
        if effects.changed.height > 2 * SHOWN_CHANGES:
            click.echo(f"  … and {effects.changed.height - 2 * SHOWN_CHANGES:,} more (--json lists them)")


def _effects(home: Home, desk: Desk, submission: Submission) -> Any:
    """The effects on indicators, their SQL prepared first where that is needed; None where nothing can be said."""
    from pipelines.intake.effects import holds_for
    from pipelines.intake.submission import SubmissionRefused
    from pipelines.warehouse.dbt import BuildFailed
    from pipelines.warehouse.indicator_sql import IndicatorSqlError, ensure_indicator_sql

    settings = home.settings
    try:
        if not holds_for(settings.indicator_sql, settings.dbt_project, settings.contracts):
            progress("preparing the indicators' SQL (once)")
            ensure_indicator_sql(settings)
        return desk.effects(submission)
    except (SubmissionRefused, BuildFailed, IndicatorSqlError) as error:
        click.echo(f"Indicators: {plain(error)}", err=True)
        return None


def _show_rows(desk: Desk, submission: Submission, rows: Any) -> None:
    from pipelines.contracts.contract import load_contract

    key = load_contract(desk.contracts_folder, submission.key.extract).key
    for words, table in (("added", rows.added), ("removed", rows.removed)):
        for row in table.head(SHOWN_CHANGES).to_dicts():
            click.echo(f"  {words}: {plain(', '.join(f'{name} {row[name]}' for name in key))}")
        if table.height > SHOWN_CHANGES:
            click.echo(f"  … and {table.height - SHOWN_CHANGES:,} more {words}")
    for row in rows.changed.head(SHOWN_CHANGES).to_dicts():
        where = ", ".join(f"{name} {row[name]}" for name in key)
        before, after = ("blank" if row[side] is None else row[side] for side in ("before", "after"))
        click.echo(f"  changed, line {row['delivered_line']}: {plain(where)}: {row['field']} {plain(before)} → {plain(after)}")
    if rows.changed.height > SHOWN_CHANGES:
        click.echo(f"  … and {rows.changed.height - SHOWN_CHANGES:,} more values changed")


@click.command()
@click.argument("submission_ids", nargs=-1, required=True, metavar="ID...")
@click.option("--statement", required=True, help="What you certify, in your own words; it stands in the receipt.")
@click.option("--release-note", help="What changed and why; needed when a submission is in force already.")
def sign(submission_ids: tuple[str, ...], statement: str, release_note: str | None) -> None:
    """Certify submissions that are ready. ID is as nmip status shows it: chicago/school_directory/2024-25/001.

    Exit code 0: all are certified. 1: one could not be signed; those before it are.
    """
    from pipelines import flow
    from pipelines.intake.desk import AlreadyCertified, NotAllowed
    from pipelines.intake.submission import SubmissionRefused

    if not statement.strip():
        stop("The statement is blank. Say what you certify: --statement TEXT", 2)
    home = open_home()
    desk = desk_of(home)
    try:
        for submission_id in submission_ids:
            try:
                key = desk.sign(submission_id, statement, release_note).key
            except AlreadyCertified as already:
                click.echo(f"{plain(already)}.")
                continue
            click.echo(f"{submission_id} is certified. Receipt: {home.storage.path(key.folder + '/receipt.json')}")
    except NotAllowed as error:
        stop(str(error), 2)
    except SubmissionRefused as error:
        stop(str(error), 1)
    finally:
        flow.update_lake(home)
    click.echo("The release follows by itself where nmip up runs; otherwise: nmip run")


@click.command()
@ONE_ID
@click.option("--reason", required=True, help="Why it is taken back.")
def withdraw(submission_id: str, reason: str) -> None:
    """Take submission ID back; possible until it is certified. The same file can be submitted again."""
    from pipelines.intake.submission import SubmissionRefused

    desk = desk_of(open_home())
    try:
        desk.withdraw(submission_id, reason)
        _show_next(desk, submission_id)
    except SubmissionRefused as error:
        stop(str(error), 1)


@click.command()
@ONE_ID
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write instead of printing.")
def receipt(submission_id: str, output: Path | None) -> None:
    """The receipt of certified submission ID (JSON): keep it, and prove it later with nmip verify-receipt."""
    from pipelines.intake.submission import SubmissionRefused
    from pipelines.storage import canonical_json

    try:
        content = canonical_json(desk_of(open_home()).receipt(submission_id))
    except SubmissionRefused as error:
        stop(str(error), 2)
    if output is None:
        click.echo(content.decode(), nl=False)
        return
    if output.exists():
        stop(f"{output} is there already. Name another file: --output FILE", 2)
    try:
        output.write_bytes(content)
    except OSError as error:
        stop(f"{output} cannot be written: {error.strerror}.", 2)
    click.echo(f"Wrote {output}")


@click.command("verify-receipt")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def verify_receipt(files: tuple[Path, ...]) -> None:
    """Prove receipts against the delivered bytes: nmip verify-receipt receipt.json directory.csv

    It needs no home. Without the delivered files they are looked for beside the receipt and in the home. A delivered file
    alone, or a submission ID, is looked up in the home. Exit code 0: proven. 1: something was altered. 2: it cannot be proven.
    """
    from pipelines.cli.proofs import prove_files

    sys.exit(prove_files(open_desk(), files))


@click.command()
@AS_JSON
def status(as_json: bool) -> None:
    """Every submission with its state and next step, what is expected, what waits in the inbox, and the current release.

    Where NMIP_DISTRICTS is set, only what is of these districts.
    """
    import polars as pl

    from pipelines import flow
    from pipelines.home import home_kind
    from pipelines.release.publish import current_manifest

    home = open_home()
    desk = desk_of(home)
    own = desk.districts()
    table = flow.status_table(home).filter(pl.col("district").is_in(own))
    expected = desk.expected(datetime.now(UTC).date())
    may_see = desk.identity.may_see
    waiting = [name for name in flow.waiting(home) if may_see(name.split("/")[0])]
    unclosed = [name for name in flow.unclosed(home) if may_see(name.split("/")[0])]
    misplaced = [
        record
        for record in home.store.handled()
        if record["problem"]
        and may_see(record["name"].split("/")[0])
        and (record.get("removed") or (home.inbox / record["name"]).exists())
    ]
    manifest = current_manifest(home.storage)
    kind = home_kind(home.storage)
    if as_json:
        report = {
            "home": str(home.settings.home),
            "kind": kind,
            "submissions": table.to_dicts(),
            "expected": expected.to_dicts(),
            "waiting": waiting,
            "unclosed_folders": unclosed,
            "misplaced": [{k: r[k] for k in ("name", "problem", "how_to_fix")} for r in misplaced],
            "release_id": manifest["release_id"] if manifest else None,
            "is_release_due": flow.is_release_due(home),
        }
        click.echo(as_json_text(report))
        return
    click.echo(f"Home: {home.settings.home} ({kind} data)")
    _show_ledger(desk, table)
    _show_expected(expected)
    for record in misplaced:
        click.echo(f"inbox/{plain(record['name'])}: {plain(record['problem'])}. {plain(record['how_to_fix'])}")
    for name in unclosed:
        click.echo(f"inbox/{plain(name)}: the folder waits for a file named _READY, or for a copy in it to be finished.")
    click.echo(f"Waiting in the inbox: {', '.join(map(plain, waiting)) or 'nothing'}")
    click.echo(f"Current release: {manifest['release_id'] if manifest else 'none yet'}")


def _show_ledger(desk: Desk, table: pl.DataFrame) -> None:
    from pipelines.intake.states import ACKNOWLEDGEMENTS_NEEDED, CORRECTIONS_NEEDED, DAMAGED, STATES, UNREADABLE

    width = max((len(i) for i in table["submission_id"]), default=0)
    for row in table.to_dicts():
        used = f"{row['lines_used']:,} of {row['lines_in']:,} lines" if row["lines_in"] else ""
        click.echo(f"{row['submission_id']:<{width}}  {row['state']:<23}  {used}".rstrip())
        if row["state"] in (UNREADABLE, CORRECTIONS_NEEDED, ACKNOWLEDGEMENTS_NEEDED):
            _show_open_rules(desk, row["submission_id"])
        elif row["state"] == DAMAGED:
            click.echo(f"  {plain(desk.submission(row['submission_id']).damage)}")
    for state in sorted(set(table["state"])):
        meaning, next_step = STATES[state]
        click.echo(f"{state}: {meaning} {next_step}")


def _show_open_rules(desk: Desk, submission_id: str) -> None:
    for group in desk.rules(desk.submission(submission_id)):
        if not group["n_open"]:
            continue
        where = f", first in {group['file']}, line {group['first_line']}" if group["first_line"] else ""
        click.echo(f"  {group['rule_id']}: {counted(group['n_open'], 'finding')}{plain(where)}: {plain(group['first_message'])}")
        click.echo(f"    To fix: {plain(group['how_to_fix'])}")


def _show_expected(expected: pl.DataFrame) -> None:
    import polars as pl

    from pipelines.intake.expected import EXPECTED_STATES, IN_FORCE

    for state, (meaning, next_step) in EXPECTED_STATES.items():
        of_state = expected.filter(pl.col("state") == state)
        if of_state.is_empty() or state == IN_FORCE:
            continue
        click.echo(f"Expected, {state}: {of_state.height} ({meaning} {next_step})")
        for row in of_state.head(SHOWN_CHANGES).to_dicts():
            why = f": {plain(row['reason'])}" if row["reason"] else ""
            click.echo(f"  {row['district']}/{row['extract']}/{row['school_year']}, due {row['due_date']}{why}")
        if of_state.height > SHOWN_CHANGES:
            click.echo(f"  … and {of_state.height - SHOWN_CHANGES} more (--json lists them)")


COMMANDS = (check, submit, findings, acknowledge, diff, sign, withdraw, receipt, verify_receipt, status)
