"""What all commands share: opening the home, reading files that a person named, plain words and exit codes.

Exit codes: 0 done, 1 something blocks or failed, 2 an unusable call or an unreadable file.
"""

from __future__ import annotations

import ctypes
import getpass
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipelines.settings import Settings, SettingsError

if TYPE_CHECKING:
    from pipelines.flow import Home
    from pipelines.intake.desk import Desk, Identity
    from pipelines.intake.reading import DeliveredFile

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2
NO_PART_OF_A_DELIVERY = ("_ready", "thumbs.db", "desktop.ini")


def plain(value: object) -> str:
    """Text for a terminal: control characters that a file could carry are shown, not obeyed."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


@contextmanager
def libraries_speak_aside() -> Iterator[None]:
    """What a compiled library writes to the standard output by itself goes to the standard error: ours may be read by a program.

    The solver of the audit now and then leaves a line there that none of its settings turns off.
    """
    written = ctypes.CDLL(None)
    sys.stdout.flush()
    written.fflush(None)
    kept = os.dup(STANDARD_OUTPUT)
    os.dup2(STANDARD_ERROR, STANDARD_OUTPUT)
    try:
        yield
    finally:
        written.fflush(None)
        os.dup2(kept, STANDARD_OUTPUT)
        os.close(kept)


def stop(message: str, code: int, as_json: bool = False) -> NoReturn:
    """End the command with one sentence; with `as_json` it also goes out as JSON."""
    if as_json:
        click.echo(as_json_text({"error": plain(message), "exit_code": code}))
    click.echo(plain(message), err=True)
    sys.exit(code)


def progress(step: str) -> None:
    """One line with the time, on the error stream."""
    click.echo(f"  {time.strftime('%H:%M:%S')}  {plain(step)}", err=True)


def as_json_text(value: object) -> str:
    """JSON for a terminal or a pipe; a file name that is not UTF-8 is written as an escape."""
    return json.dumps(value, ensure_ascii=False, indent=1, default=str).encode("utf-8", "backslashreplace").decode()


def open_settings() -> Settings:
    """Settings from the environment; an unusable one ends the command."""
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        stop(str(error), 2)
    if not (settings.contracts / "codes").is_dir():
        stop(f"{settings.contracts} holds no contracts. Set NMIP_CONTRACTS to the folder data_contracts.", 2)
    return settings


def open_home() -> Home:
    """The home of the environment, made where there is none."""
    from pipelines.flow import Home

    settings = open_settings()
    try:
        return Home(settings)
    except OSError as error:
        stop(f"The home {settings.home} cannot be opened: {error.strerror}. Set NMIP_HOME to a folder.", 2)


def identity() -> Identity:
    """Who calls: NMIP_USER and NMIP_DISTRICTS, else the user of the machine and all districts."""
    from pipelines.intake.desk import identity_from_environment

    return identity_from_environment(os.environ, getpass.getuser())


def desk_of(home: Home) -> Desk:
    """The home's submissions as the caller may see and change them."""
    return home.desk(identity())


def open_desk() -> Desk:
    """The desk of the home where there is one; nothing is made where there is none."""
    from pipelines.intake.desk import Desk
    from pipelines.storage import Storage

    settings = open_settings()
    storage = Storage(settings.home) if settings.home.is_dir() else None
    return Desk(storage, settings.contracts, identity(), settings.indicator_sql)


def read_files(paths: Sequence[Path], as_json: bool = False) -> list[DeliveredFile]:
    """The files that a person named, folders opened; what is no regular file, or too large, ends the command."""
    from pipelines.intake.reading import DeliveredFile, ReadingLimits

    named = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    chosen = [file for file in named if not file.name.startswith(".") or file in paths]
    chosen = [file for file in chosen if file.name.lower() not in NO_PART_OF_A_DELIVERY and not file.is_dir()]
    if not chosen:
        stop("The folder holds no file.", 2, as_json)
    try:
        other = [file for file in chosen if not stat.S_ISREG(file.stat().st_mode)]
        if other:
            stop(f"{other[0]} is not a file that can be read as a whole. Name a csv, xlsx, xls or parquet file.", 2, as_json)
        total, most = sum(file.stat().st_size for file in chosen), ReadingLimits().max_bytes
        if total > most:
            stop(f"The files have {total:,} bytes together, more than the {most:,} that are accepted. Split them.", 2, as_json)
        return [DeliveredFile(file.name, file.read_bytes()) for file in chosen]
    except OSError as error:
        stop(f"{error.filename} cannot be opened: {error.strerror}.", 2, as_json)


def write_files(folder: Path, files: Sequence[DeliveredFile]) -> None:
    """Write made files into a folder of the caller's; a file of theirs is not overwritten."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = [file.name for file in files if (folder / file.name).exists()]
        if taken:
            stop(f"{folder / taken[0]} is there already. Name an empty folder: --output FOLDER", 2)
        for file in files:
            (folder / file.name).write_bytes(file.content)
            click.echo(f"Wrote {folder / file.name}")
    except OSError as error:
        stop(f"{folder} cannot be written: {error.strerror}.", 2)


def counted(number: int, word: str) -> str:
    """'1 finding', '8 findings'."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    """The three options that say what a file is."""
    for option in (
        click.option("--school-year", required=True, metavar="YEAR", help="For example 2024-25."),
        click.option("--extract", required=True, metavar="EXTRACT", help="For example assessment_levels."),
        click.option("--district", required=True, metavar="DISTRICT", help="For example chicago."),
    ):
        command = option(command)
    return command


def accounting(words: str, counts: dict[str, Any]) -> str:
    """'Lines: 10 in = 8 used + dropped: 2 other_year'."""
    dropped = ", ".join(f"{n:,} {reason}" for reason, n in counts["dropped"].items())
    return f"{words}: {counts['in']:,} in = {counts['used']:,} used" + (f" + dropped: {dropped}" if dropped else "")
