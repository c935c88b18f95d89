"""The command line `nmip`. Only words and exit codes belong here; every command calls one function of another room."""

from __future__ import annotations

import click

from pipelines.cli import briefings, contracts, operation, releases, submissions
from pipelines.cli.words import stop


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def nmip() -> None:
    """National Math Improvement Project: from district files to metrics that may honestly be compared."""


for _command in (*submissions.COMMANDS, *contracts.COMMANDS, *operation.COMMANDS, *releases.COMMANDS, *briefings.COMMANDS):
    nmip.add_command(_command)


def main() -> None:
    """Entry point. What the disk refuses is said in one sentence; the command can be run again."""
    from obstore.exceptions import BaseError

    try:
        nmip(prog_name="nmip")
    except (OSError, BaseError) as error:
        reason = str(error).strip().splitlines()[0]
        stop(f"Something could not be read or written: {reason}. Check space and permissions, then run the command again.", 1)
