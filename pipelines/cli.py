"""The command line `nmip`. Only words and exit codes belong here; every command calls one function of another room.

Exit codes: 0 done, 1 something blocks or failed, 2 an unusable call or an unreadable file.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipelines.settings import PROJECT_ROOT, Settings, SettingsError

if TYPE_CHECKING:
    from pipelines.flow import Home
    from pipelines.intake.reading import DeliveredFile
    from pipelines.intake.screening import Screening
    from pipelines.intake.submission import Submission

SHOWN_FINDINGS = 5
JSON_FINDINGS = 100_000
PORT = 8501
DAGSTER_PORT = 3000


def _plain(value: object) -> str:
    """Text for a terminal: control characters that a file could carry are shown, not obeyed."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def _stop(message: str, code: int) -> NoReturn:
    click.echo(_plain(message), err=True)
    sys.exit(code)


class _PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _plain(super().format(record))


def _progress(step: str) -> None:
    click.echo(f"  {time.strftime('%H:%M:%S')}  {_plain(step)}", err=True)


def _settings() -> Settings:
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        _stop(str(error), 2)
    if not (settings.contracts / "codes").is_dir():
        _stop(f"{settings.contracts} holds no contracts. Set NMIP_CONTRACTS to the folder data_contracts.", 2)
    return settings


def _json(value: object) -> str:
    """JSON for a terminal or a pipe; a file name that is not UTF-8 is written as an escape."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace").decode()


def _home() -> Home:
    from pipelines.flow import Home

    settings = _settings()
    try:
        return Home(settings)
    except OSError as error:
        _stop(f"The home {settings.home} cannot be opened: {error.strerror}. Set NMIP_HOME to a folder.", 2)


def _read_files(paths: Sequence[Path]) -> list[DeliveredFile]:
    from pipelines.intake.reading import DeliveredFile

    files = [file for path in paths for file in (sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path])]
    if not files:
        _stop("The folder holds no file.", 2)
    try:
        return [DeliveredFile(file.name, file.read_bytes()) for file in files if file.name != "_READY"]
    except OSError as error:
        _stop(f"{error.filename} cannot be opened: {error.strerror}.", 2)


def _check_place(settings: Settings, district: str, extract: str, school_year: str) -> None:
    from pipelines.intake.submission import SubmissionRefused, check_place

    try:
        check_place(settings.contracts, district, extract, school_year)
    except SubmissionRefused as error:
        _stop(str(error), 2)


def _accounting(words: str, counts: dict[str, Any]) -> str:
    dropped = ", ".join(f"{n:,} {reason}" for reason, n in counts["dropped"].items())
    return f"{words}: {counts['in']:,} in = {counts['used']:,} used" + (f" + dropped: {dropped}" if dropped else "")


def _show_screening(screening: Screening) -> None:
    import polars as pl

    from pipelines.intake.submission import STATES

    if screening.lines.get("in"):
        click.echo(_accounting("Lines", screening.lines))
        if screening.row_counts != screening.lines:
            click.echo(_accounting("Rows", screening.row_counts))
    for note in screening.notes:
        click.echo(f"Note: {_plain(note)}")
    for rule in screening.rules:
        click.echo()
        click.echo(f"{rule['rule_id']}  {rule['n_findings']:,} finding{'s' if rule['n_findings'] != 1 else ''}, blocks")
        rows = screening.findings.filter(pl.col("rule_id") == rule["rule_id"]).head(SHOWN_FINDINGS)
        for row in rows.to_dicts():
            place = f"{row['file']}" + (f", line {row['line']}" if row["line"] else "")
            key = f" ({row['business_key']})" if row["business_key"] else ""
            field = f"{row['field']}: " if row["field"] and row["field"] not in row["message"] else ""
            click.echo(f"  {_plain(place)}{_plain(key)}: {_plain(field)}{_plain(row['message'])}")
        if rule["n_findings"] > SHOWN_FINDINGS:
            click.echo(f"  … and {rule['n_findings'] - SHOWN_FINDINGS:,} more (--json lists them)")
        click.echo(f"  To fix: {_plain(rule['how_to_fix'])}")
    click.echo()
    meaning, _ = STATES[screening.outcome]
    click.echo(meaning if screening.is_blocked else "Nothing was found. The file can be submitted.")


def _screening_json(screening: Screening) -> str:
    found = screening.findings
    return _json(
        {
            "outcome": screening.outcome,
            "is_blocked": screening.is_blocked,
            "lines": screening.lines,
            "rows": screening.row_counts,
            "school_years": list(screening.school_years),
            "notes": list(screening.notes),
            "contract_version": screening.contract_version,
            "n_findings": found.height,
            "rules": screening.rules,
            "findings": found.head(JSON_FINDINGS).to_dicts(),
            "findings_shown": min(found.height, JSON_FINDINGS),
        }
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def nmip() -> None:
    """National Math Improvement Project: from district files to metrics that may honestly be compared."""


def _place_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--school-year", required=True, metavar="YEAR", help="For example 2024-25."),
        click.option("--extract", required=True, metavar="EXTRACT", help="For example assessment_levels."),
        click.option("--district", required=True, metavar="DISTRICT", help="For example chicago."),
    ):
        command = option(command)
    return command


FILES = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))


@nmip.command()
@FILES
@_place_options
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def check(files: tuple[Path, ...], district: str, extract: str, school_year: str, as_json: bool) -> None:
    """Dry run: say what is wrong with FILES, change nothing.

    Exit code 0: nothing blocks. 1: something blocks. 2: unusable call or unreadable file.
    """
    from pipelines.intake.screening import UNREADABLE, screen

    settings = _settings()
    _check_place(settings, district, extract, school_year)
    screening = screen(_read_files(files), settings.contracts, district, extract, school_year)
    if as_json:
        click.echo(_screening_json(screening))
    else:
        _show_screening(screening)
    sys.exit(2 if screening.outcome == UNREADABLE else int(screening.is_blocked))


def _show_findings(home: Home, submission: Submission) -> None:
    from pipelines.intake.submission import read_findings

    n_findings = sum((submission.screened or {}).get("findings", {}).values())
    if not n_findings:
        return
    for row in read_findings(home.store, submission).head(SHOWN_FINDINGS).to_dicts():
        line = f", line {row['line']}" if row["line"] else ""
        field = f"{row['field']}: " if row["field"] and row["field"] not in row["message"] else ""
        click.echo(f"  {row['rule_id']}: {_plain(row['file'])}{line}: {_plain(field)}{_plain(row['message'])}")
        click.echo(f"    To fix: {_plain(row['how_to_fix'])}")
    if n_findings > SHOWN_FINDINGS:
        click.echo(f"  … {n_findings:,} findings in all; nmip check lists them")


def _show_submission(home: Home, submission: Submission) -> None:
    from pipelines.intake.submission import STATES

    meaning, next_step = STATES[submission.state]
    click.echo(f"{submission.key.submission_id}  {submission.state}: {meaning}")
    if submission.screened:
        click.echo(f"  {_accounting('Lines', submission.screened['lines'])}")
    _show_findings(home, submission)
    click.echo(f"  Next: {next_step.replace('ID', submission.key.submission_id)}")


@nmip.command()
@FILES
@_place_options
def submit(files: tuple[Path, ...], district: str, extract: str, school_year: str) -> None:
    """Submit FILES as one delivery and screen it; sign it afterwards with nmip sign.

    A delivery that holds several school years opens one submission for each.
    """
    from pipelines.intake.submission import all_submissions, deliver

    home = _home()
    _check_place(home.settings, district, extract, school_year)
    _check_own(district, "submit")
    before = {s.key for s in all_submissions(home.store, district, extract)}
    done = deliver(
        home.store, home.settings.contracts, district, extract, school_year, _read_files(files), "command line", _user()
    )
    now_known = {s.key: s for s in all_submissions(home.store, district, extract)}
    for submission in done:
        if submission.key in before:
            click.echo(f"These bytes were delivered before, as {submission.key.submission_id}; nothing changed.")
        _show_submission(home, now_known[submission.key])
    states = {submission.state for submission in done}
    sys.exit(2 if "unreadable" in states else int("corrections_needed" in states))


def _user() -> str:
    return os.environ.get("NMIP_USER") or getpass.getuser()


def _is_own(district: str) -> bool:
    """Whether the caller may see and sign what is this district's: NMIP_DISTRICTS names the districts, unset means all."""
    allowed = os.environ.get("NMIP_DISTRICTS")
    return allowed is None or district in [name.strip() for name in allowed.split(",")]


def _check_own(district: str, verb: str) -> None:
    if not _is_own(district):
        _stop(f"{_user()} may not {verb} for {district}: NMIP_DISTRICTS is {os.environ['NMIP_DISTRICTS']}.", 2)


@nmip.command()
@click.argument("submission_ids", nargs=-1, required=True, metavar="ID...")
@click.option("--statement", required=True, help="What you certify, in your own words; it stands in the receipt.")
def sign(submission_ids: tuple[str, ...], statement: str) -> None:
    """Certify submissions that are ready. ID is as nmip status shows it: chicago/school_directory/2024-25/001."""
    from pipelines import flow
    from pipelines.intake.store import SubmissionKey
    from pipelines.intake.submission import SubmissionRefused, certify, read_submission, screen_submission

    if not statement.strip():
        _stop("The statement is blank. Say what you certify: --statement TEXT", 2)
    home = _home()
    try:
        for submission_id in submission_ids:
            key = SubmissionKey.parse(submission_id)
            _check_place(home.settings, key.district, key.extract, key.school_year)
            _check_own(key.district, "sign")
            before = screen_submission(home.store, home.settings.contracts, read_submission(home.store, key))
            certified = certify(home.store, before, _user(), statement, "signed").last("certified") or {}
            if before.is_certified:
                click.echo(f"{submission_id} was certified already, on {certified['at']} by {certified['actor']}.")
            else:
                click.echo(f"{submission_id} is certified. Receipt: {home.storage.path(key.folder + '/receipt.json')}")
    except (SubmissionRefused, ValueError) as error:
        _stop(str(error), 1)
    finally:
        flow.update_lake(home)
    click.echo("The release follows by itself where nmip up runs; otherwise: nmip run")


@nmip.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def status(as_json: bool) -> None:
    """Every submission with its state and next step, what waits in the inbox, and the current release.

    Where NMIP_DISTRICTS is set, only what is of these districts.
    """
    import polars as pl

    from pipelines import flow
    from pipelines.contracts.codes import codes
    from pipelines.intake.screening import CORRECTIONS_NEEDED, UNREADABLE
    from pipelines.intake.store import SubmissionKey
    from pipelines.intake.submission import STATES, read_submission
    from pipelines.release.publish import current_manifest

    home = _home()
    own = [district for district in codes(home.settings.contracts, "districts") if _is_own(district)]
    table = flow.status_table(home).filter(pl.col("district").is_in(own))
    waiting = [name for name in flow.waiting(home) if _is_own(name.split("/")[0])]
    misplaced = [
        record
        for record in home.store.handled()
        if record["problem"] and _is_own(record["name"].split("/")[0]) and (home.inbox / record["name"]).exists()
    ]
    manifest = current_manifest(home.storage)
    if as_json:
        report = {
            "submissions": table.to_dicts(),
            "waiting": waiting,
            "misplaced": [{k: r[k] for k in ("name", "problem", "how_to_fix")} for r in misplaced],
            "release_id": manifest["release_id"] if manifest else None,
            "is_release_due": flow.is_release_due(home),
        }
        click.echo(_json(report))
        return
    width = max((len(i) for i in table["submission_id"]), default=0)
    for row in table.to_dicts():
        used = f"{row['lines_used']:,} of {row['lines_in']:,} lines" if row["lines_in"] else ""
        click.echo(f"{row['submission_id']:<{width}}  {row['state']:<18}  {used}")
        if row["state"] in (UNREADABLE, CORRECTIONS_NEEDED):
            _show_findings(home, read_submission(home.store, SubmissionKey.parse(row["submission_id"])))
    for state in sorted(set(table["state"])):
        meaning, next_step = STATES[state]
        click.echo(f"{state}: {meaning} {next_step}")
    for record in misplaced:
        click.echo(f"inbox/{_plain(record['name'])}: {_plain(record['problem'])} {_plain(record['how_to_fix'])}")
    click.echo(f"Waiting in the inbox: {', '.join(map(_plain, waiting)) or 'nothing'}")
    click.echo(f"Current release: {manifest['release_id'] if manifest else 'none yet'}")


def _run(home: Home) -> None:
    from pipelines import flow
    from pipelines.intake.submission import all_submissions

    if not flow.waiting(home) and not flow.is_release_due(home) and not flow.unrecorded(home):
        pointer = flow.rolled_back_from(home)
        click.echo(
            f"Nothing waits. An operator rolled back from release {pointer}; the next change publishes again."
            if pointer
            else "Nothing waits, and the release is made from what is in force."
        )
        return
    seen = {s.key: s.state for s in all_submissions(home.store)}
    if not os.access(home.settings.home, os.W_OK):
        _stop(f"{home.settings.home} cannot be written. Set NMIP_HOME to a folder of your own.", 2)
    _progress("starting the refresh job")
    from pipelines.orchestration.instance import RunFailed, run_once

    steps = logging.StreamHandler(sys.stderr)
    steps.setFormatter(_PlainFormatter("  %(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    progress = logging.getLogger("nmip")
    progress.setLevel(logging.INFO)
    progress.addHandler(steps)
    progress.propagate = False

    try:
        run_once(home.settings)
    except RunFailed as error:
        if "Interrupted" in str(error):
            _stop("Stopped; what was published before stays current. Run it again to finish: nmip run", 1)
        _stop(f"The run failed; the earlier release stays current. {error}", 1)
    refused = [
        s.key.submission_id
        for s in all_submissions(home.store)
        if seen.get(s.key) != s.state and s.state in ("unreadable", "corrections_needed")
    ]
    if refused:
        click.echo(f"Not taken, findings to read with nmip status: {', '.join(refused)}")
    if any(record["problem"] and (home.inbox / record["name"]).exists() for record in home.store.handled()):
        click.echo("Some files in the inbox do not lie where they belong: nmip status names them.")


@nmip.command()
def run() -> None:
    """Process everything that waits, once: screen, certify, rebuild, publish. No daemon is needed."""
    _run(_home())


@nmip.command()
@click.argument("extract")
@click.option("--format", "file_format", type=click.Choice(["xlsx", "csv"]), default="xlsx", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="File to write; by default EXTRACT_template.FORMAT here.")
def template(extract: str, file_format: str, output: Path | None) -> None:
    """Write an empty file of EXTRACT to fill in."""
    from pipelines.contracts.codes import codes
    from pipelines.contracts.template import csv_template, xlsx_template

    settings, contract = _contract(extract)
    path = output or Path(f"{extract}_template.{file_format}")
    if path.exists():
        _stop(f"{path} is there already and may be filled in. Name another file: --output FILE", 2)
    lists = {c.code_list: codes(settings.contracts, c.code_list) for c in contract.columns if c.code_list}
    try:
        path.write_bytes(csv_template(contract) if file_format == "csv" else xlsx_template(contract, lists))
    except OSError as error:
        _stop(f"{path} cannot be written: {error.strerror}.", 2)
    click.echo(f"Wrote {path}")


@nmip.command()
@click.argument("extract")
def dictionary(extract: str) -> None:
    """Print what the columns, codes and rules of EXTRACT mean (Markdown)."""
    from pipelines.contracts.codes import code_list
    from pipelines.contracts.dictionary import dictionary as made
    from pipelines.intake.checking import rules_of

    settings, contract = _contract(extract)
    lists = {
        column.code_list: list(code_list(settings.contracts, column.code_list).select("code", "label").iter_rows())
        for column in contract.columns
        if column.code_list
    }
    click.echo(made(contract, rules_of(settings.contracts, contract), lists), nl=False)


def _contract(extract: str) -> tuple[Settings, Any]:
    from pipelines.contracts.contract import ContractError, load_contract

    settings = _settings()
    try:
        return settings, load_contract(settings.contracts, extract)
    except ContractError as error:
        _stop(str(error), 2)


@nmip.command()
@click.option("--public-data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of public files.")
@click.option("--scale", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="Synthetic size.")
@click.option("--seed", type=int, default=20260801, show_default=True, help="Synthetic seed.")
@click.option("--no-serve", is_flag=True, help="Stop when the release is published.")
def demo(public_data: Path | None, scale: float, seed: int, no_serve: bool) -> None:
    """Fill a home with demonstration data, run the whole flow, publish, and serve the dashboard.

    Without --public-data the six districts' data are synthetic. Calling it again changes nothing that has not changed.
    """
    from pipelines.demo import OtherNetwork, PublicDataMissing, fill_with_public_data, fill_with_synthetic, listed_files
    from pipelines.home import MixedHome, claim_home
    from pipelines.release.publish import current_manifest

    if not no_serve:
        _check_port()
    home = _home()
    kind = "public" if public_data else "synthetic"
    try:
        if public_data:
            listed_files(home.settings.contracts, public_data)
        claim_home(home.storage, kind)
        if public_data:
            fill_with_public_data(home.storage, home.settings.contracts, public_data, _progress)
        else:
            fill_with_synthetic(home.storage, home.settings.contracts, seed, scale, _progress)
    except (MixedHome, OtherNetwork, PublicDataMissing) as error:
        _stop(str(error), 2)
    _run(home)
    manifest = current_manifest(home.storage)
    click.echo(f"Release {manifest['release_id'] if manifest else 'none'} in {home.settings.home} ({kind} data)")
    if not no_serve:
        sys.exit(_serve(home.settings))


def _dashboard_command() -> list[str]:
    app = PROJECT_ROOT / "dashboards" / "app.py"
    options = {"server.address": "127.0.0.1", "server.port": str(PORT), "server.headless": "true"}
    return [sys.executable, "-m", "streamlit", "run", str(app), *(f"--{name}={value}" for name, value in options.items())]


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "NMIP_HOME": str(settings.home), "NMIP_WORK": str(settings.work)}


def _check_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            _stop(f"Port {PORT} is in use, perhaps by another dashboard. End it first, or call with --no-serve (SERVE=0).", 2)


def _serve(settings: Settings) -> int:
    click.echo(f"Dashboard: http://localhost:{PORT} (end it with Ctrl-C)")
    try:
        return subprocess.run(_dashboard_command(), env=_environment(settings), cwd=PROJECT_ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 0


@nmip.command()
def up() -> None:
    """Run Dagster (web server and daemon) and the dashboard together until Ctrl-C.

    A file dropped into the inbox then changes the dashboard without another command.
    """
    from pipelines.orchestration.instance import prepare_dagster_home
    from pipelines.warehouse.dbt import read_manifest

    _check_port()
    settings = _settings()
    _progress("reading the dbt project")
    home = _home()
    home.inbox.mkdir(parents=True, exist_ok=True)
    read_manifest(settings)
    prepare_dagster_home(settings)
    environment = {**_environment(settings), "DAGSTER_HOME": str(settings.dagster_home)}
    dagster = [str(Path(sys.executable).parent / "dagster"), "dev", "-w", str(PROJECT_ROOT / "workspace.yaml")]
    commands = [[*dagster, "-h", "127.0.0.1", "-p", str(DAGSTER_PORT)], _dashboard_command()]
    click.echo(f"Inbox: {home.inbox}\nDashboard: http://localhost:{PORT}\nDagster: http://localhost:{DAGSTER_PORT}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    processes = [subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT) for command in commands]
    try:
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
    except KeyboardInterrupt:
        click.echo("Stopping.")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


@nmip.group()
def release() -> None:
    """Published releases: list, show, roll back."""


@release.command("list")
def release_list() -> None:
    """All releases, oldest first; * marks the current one."""
    from pipelines.release.publish import current_manifest, list_releases

    home = _home()
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

    home = _home()
    found = (
        next((m for m in list_releases(home.storage) if m["release_id"] == release_id), None)
        if release_id
        else current_manifest(home.storage)
    )
    if found is None:
        _stop(f"There is no release {release_id}." if release_id else "Nothing was published yet; run: nmip run", 2)
    click.echo(json.dumps(found, indent=1, sort_keys=True))


@release.command("rollback")
@click.argument("release_id")
def release_rollback(release_id: str) -> None:
    """Make an earlier release current; it stays current until something in force changes."""
    from pipelines.release.publish import ReleaseNotFound, roll_back

    try:
        roll_back(_home().storage, release_id)
    except ReleaseNotFound as error:
        _stop(str(error), 2)
    click.echo(f"{release_id} is current.")


def main() -> None:
    """Entry point. What the disk refuses is said in one sentence; the command can be run again."""
    from obstore.exceptions import BaseError

    try:
        nmip(prog_name="nmip")
    except (OSError, BaseError) as error:
        reason = str(error).strip().splitlines()[0]
        _stop(f"Something could not be read or written: {reason}. Check space and permissions, then run the command again.", 1)


if __name__ == "__main__":
    main()
