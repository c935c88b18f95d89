"""Commands of whoever runs NMIP: run, demo, up. Only words and processes; the work is done by other rooms."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.words import counted, open_home, open_settings, plain, progress, stop
from pipelines.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from pipelines.flow import Home

PORT = 8501
SUBMIT_PORT = 8502
DAGSTER_PORT = 3000
LARGEST_UPLOAD_MIB = 512


class _PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record))


def _run(home: Home, is_screening_only: bool = False) -> None:
    from pipelines import flow
    from pipelines.intake.submission import all_submissions
    from pipelines.warehouse.indicator_sql import ensure_indicator_sql

    is_idle = not flow.waiting(home) and not flow.is_release_due(home)
    if is_idle and not flow.unrecorded(home) and not flow.is_briefing_due(home):
        ensure_indicator_sql(home.settings)
        click.echo(_nothing_to_do(home))
        return
    seen = {s.key: s.state for s in all_submissions(home.store)}
    if not os.access(home.settings.home, os.W_OK):
        stop(f"{home.settings.home} cannot be written. Set NMIP_HOME to a folder of your own.", 2)
    progress("screening what waits" if is_screening_only else "starting the refresh job")
    from pipelines.orchestration.instance import RunFailed, run_once

    steps = logging.StreamHandler(sys.stderr)
    steps.setFormatter(_PlainFormatter("  %(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    told = logging.getLogger("nmip")
    told.setLevel(logging.INFO)
    told.handlers = [steps]
    told.propagate = False

    try:
        run_once(home.settings, is_screening_only)
    except RunFailed as error:
        if "Interrupted" in str(error):
            stop("Stopped; what was published before stays current. Run it again to finish: nmip run", 1)
        stop(f"The run failed; the earlier release stays current. {error}", 1)
    if not is_screening_only and flow.under_embargo(home) is not None:
        click.echo(_under_embargo(home))
    changed = [s for s in all_submissions(home.store) if seen.get(s.key) != s.state]
    for states, words in (
        (("unreadable", "corrections_needed"), "Not taken, findings to read with nmip status"),
        (("acknowledgements_needed",), "Wait for an acknowledgement (nmip status says of what)"),
        (("ready_to_sign",), "Wait for a signature (nmip sign)"),
    ):
        named = [s.key.submission_id for s in changed if s.state in states]
        if named:
            click.echo(f"{words}: {', '.join(named)}")
    if any(r["problem"] and (r.get("removed") or (home.inbox / r["name"]).exists()) for r in home.store.handled()):
        click.echo("Some files in the inbox could not be taken, or were deleted as data about people: nmip status names them.")


def _nothing_to_do(home: Home) -> str:
    from pipelines import flow

    if flow.under_embargo(home) is not None:
        return f"Nothing waits to be processed. {_under_embargo(home)}"
    pointer = flow.rolled_back_from(home)
    if pointer:
        return f"Nothing waits. An operator rolled back from release {pointer}; the next change publishes again."
    return "Nothing waits, and the release is made from what is in force."


def _under_embargo(home: Home) -> str:
    from pipelines import flow

    release_id, ends = flow.under_embargo(home) or ("", None)
    until = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "for the next run, because its embargo has ended"
    return f"Release {release_id} is complete, audited and not published: it waits {until}."


@click.command()
def run() -> None:
    """Process everything that waits, once: screen, certify, rebuild, audit, publish, announce. No daemon is needed."""
    _run(open_home())


@click.command()
@click.option("--public-data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of public files.")
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=0.25,
    show_default=True,
    help="Synthetic size; 1 is real size.",
)
@click.option("--seed", type=int, default=20260801, show_default=True, help="Synthetic seed.")
@click.option("--no-serve", is_flag=True, help="Stop when the release is published.")
def demo(public_data: Path | None, scale: float, seed: int, no_serve: bool) -> None:
    """Fill a home with demonstration data, run the whole flow, publish, and serve the dashboard.

    Without --public-data the six districts' data are synthetic. Calling it again changes nothing that has not changed.
    """
    from pipelines import flow
    from pipelines.demo import (
        DEMONSTRATION,
        OtherNetwork,
        PublicDataMissing,
        fill_with_public_data,
        fill_with_synthetic,
        listed_files,
        sign_as_demonstration,
    )
    from pipelines.home import MixedHome, claim_home
    from pipelines.release.publish import current_manifest

    if not no_serve:
        _check_ports()
    home = open_home()
    kind = "public" if public_data else "synthetic"
    try:
        if public_data:
            listed_files(home.settings.contracts, public_data)
        claim_home(home.storage, kind)
        if public_data:
            fill_with_public_data(home.storage, home.settings.contracts, public_data, progress)
        else:
            fill_with_synthetic(home.storage, home.settings.contracts, seed, scale, progress)
    except (MixedHome, OtherNetwork, PublicDataMissing) as error:
        stop(str(error), 2)
    if flow.waiting(home):
        _run(home, is_screening_only=True)
    signed = sign_as_demonstration(home.desk(DEMONSTRATION))
    if signed:
        progress(f"the demonstration acknowledged what is unusual in {counted(len(signed), 'submission')} and signed")
    _run(home)
    manifest = current_manifest(home.storage)
    click.echo(f"Release {manifest['release_id'] if manifest else 'none'} in {home.settings.home} ({kind} data)")
    if not no_serve:
        _say_pages()
        sys.exit(_until_stopped(_page_commands(), _environment(home.settings)))


def _page_commands() -> list[list[str]]:
    """The dashboard and the Submit pages: two processes, because one reads releases only and the other submissions only."""
    return [_streamlit("app.py", PORT), _streamlit("submit.py", SUBMIT_PORT, f"--server.maxUploadSize={LARGEST_UPLOAD_MIB}")]


def _streamlit(page: str, port: int, *more: str) -> list[str]:
    options = {"server.address": "127.0.0.1", "server.port": str(port), "server.headless": "true"}
    given = [*(f"--{name}={value}" for name, value in options.items()), *more]
    return [sys.executable, "-m", "streamlit", "run", str(PROJECT_ROOT / "dashboards" / page), *given]


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "NMIP_HOME": str(settings.home), "NMIP_WORK": str(settings.work)}


def _check_ports() -> None:
    for port in (PORT, SUBMIT_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                stop(f"Port {port} is in use, perhaps by another dashboard. End it first, or call with --no-serve (SERVE=0).", 2)


def _until_stopped(commands: list[list[str]], environment: dict[str, str]) -> int:
    """Run processes together until one ends or Ctrl-C; returns the exit code of the one that ended, 0 after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    processes = [subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT) for command in commands]
    try:
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        return next(process.returncode for process in processes if process.poll() is not None)
    except KeyboardInterrupt:
        click.echo("Stopping.")
        return 0
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


@click.command()
def up() -> None:
    """Run Dagster (web server and daemon), the dashboard and the Submit pages together until Ctrl-C.

    A file dropped into the inbox, or signed on the Submit pages, then changes the dashboard without another command.
    """
    from pipelines.orchestration.instance import prepare_dagster_home
    from pipelines.warehouse.dbt import read_manifest
    from pipelines.warehouse.indicator_sql import ensure_indicator_sql

    _check_ports()
    settings = open_settings()
    progress("reading the dbt project")
    home = open_home()
    home.inbox.mkdir(parents=True, exist_ok=True)
    ensure_indicator_sql(settings)
    read_manifest(settings)
    prepare_dagster_home(settings)
    environment = {**_environment(settings), "DAGSTER_HOME": str(settings.dagster_home)}
    dagster = [str(Path(sys.executable).parent / "dagster"), "dev", "-w", str(PROJECT_ROOT / "workspace.yaml")]
    commands = [[*dagster, "-h", "127.0.0.1", "-p", str(DAGSTER_PORT)], *_page_commands()]
    click.echo(f"Inbox: {home.inbox}\nDagster: http://localhost:{DAGSTER_PORT}")
    _say_pages()
    sys.exit(_until_stopped(commands, environment))


def _say_pages() -> None:
    click.echo(f"Dashboard: http://localhost:{PORT}\nSubmit: http://localhost:{SUBMIT_PORT}\n(end both with Ctrl-C)")


COMMANDS = (run, demo, up)
