"""Commands about what to send: template and dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.cli.words import open_settings, stop
from pipelines.settings import Settings


@click.command()
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
        stop(f"{path} is there already and may be filled in. Name another file: --output FILE", 2)
    lists = {c.code_list: codes(settings.contracts, c.code_list) for c in contract.columns if c.code_list}
    try:
        path.write_bytes(csv_template(contract) if file_format == "csv" else xlsx_template(contract, lists))
    except OSError as error:
        stop(f"{path} cannot be written: {error.strerror}.", 2)
    click.echo(f"Wrote {path}")


@click.command()
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

    settings = open_settings()
    try:
        return settings, load_contract(settings.contracts, extract)
    except ContractError as error:
        stop(str(error), 2)


COMMANDS = (template, dictionary)
