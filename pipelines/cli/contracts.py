"""Commands about what to send: template and dictionary."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.words import open_settings, stop
from pipelines.settings import Settings


@click.command()
@click.argument("extract")
@click.option("--format", "file_format", type=click.Choice(["xlsx", "csv"]), default="xlsx", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="File to write; by default EXTRACT_template.FORMAT here.")
def template(extract: str, file_format: str, output: Path | None) -> None:
    """Write an empty file of EXTRACT to fill in."""
    from pipelines.contracts.template import template_file

    settings = _settings_with(extract)
    path = output or Path(f"{extract}_template.{file_format}")
    if path.exists():
        stop(f"{path} is there already and may be filled in. Name another file: --output FILE", 2)
    try:
        path.write_bytes(template_file(settings.contracts, extract, file_format))
    except OSError as error:
        stop(f"{path} cannot be written: {error.strerror}.", 2)
    click.echo(f"Wrote {path}")


@click.command()
@click.argument("extract", required=False)
def dictionary(extract: str | None) -> None:
    """Print what the columns, codes and rules of EXTRACT mean (Markdown); without a name, which extracts there are."""
    if extract is None:
        _say_extracts()
        return
    from pipelines.intake.rule_book import dictionary_of

    settings = _settings_with(extract)
    click.echo(dictionary_of(settings.contracts, extract), nl=False)


def _say_extracts() -> None:
    from pipelines.contracts.contract import extract_names, load_contract

    contracts = open_settings().contracts
    names = extract_names(contracts)
    for name in names:
        contract = load_contract(contracts, name)
        click.echo(f"{name:<{max(map(len, names))}}  {contract.purpose}\n{'':<{max(map(len, names))}}  {contract.usage}")


def _settings_with(extract: str) -> Settings:
    from pipelines.contracts.contract import ContractError, load_contract

    settings = open_settings()
    try:
        load_contract(settings.contracts, extract)
    except ContractError as error:
        stop(str(error), 2)
    return settings


COMMANDS = (template, dictionary)
