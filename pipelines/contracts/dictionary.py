"""The dictionary page of an extract, made from its contract: columns, codes and rules in plain words (Markdown)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.contracts.contract import Column, Contract, Rule

TIERS = {
    "S": "structure, blocks",
    "V": "validity, blocks",
    "Q": "plausibility, to acknowledge",
    "M": "whole file, to acknowledge",
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _allowed(column: Column) -> str:
    parts = []
    if column.code_list:
        parts.append(f"codes of `{column.code_list}`")
    if column.pattern:
        parts.append(f"form `{column.pattern}`")
    if column.max_length:
        parts.append(f"at most {column.max_length} characters")
    if column.minimum is not None:
        parts.append(f"at least {column.minimum:g}")
    return ", ".join(parts) or "any"


def dictionary(contract: Contract, rules: Sequence[Rule], code_lists: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """Markdown: what the extract is for, every column, every code list that it uses, every rule with its fix.

    `code_lists` maps a list's name to (code, label) pairs.
    """
    lines = [
        f"# {contract.title} (`{contract.extract}`, version {contract.version})",
        "",
        contract.purpose,
        "",
        f"*Not for:* {contract.limitations}",
        "",
        f"*Rows:* {contract.usage} One row for each {', '.join(f'`{name}`' for name in contract.key)}.",
        "",
        "## Columns",
        "",
        "| column | type | needed | allowed | meaning |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{column.name}` | {column.kind} | {'yes' if column.is_required else ''} | {_cell(_allowed(column))} "
        f"| {_cell(column.description)} |"
        for column in contract.columns
    ]
    lines += ["", "## Codes"]
    for name in sorted({column.code_list for column in contract.columns if column.code_list}):
        lines += ["", f"### `{name}`", "", "| code | label |", "|---|---|"]
        lines += [f"| `{_cell(code)}` | {_cell(label)} |" for code, label in code_lists[name]]
    lines += ["", "## Rules", "", "| rule | tier | what it finds | how to fix it | why |", "|---|---|---|---|---|"]
    lines += [
        f"| `{rule.rule_id}` {rule.version} | {TIERS[rule.tier]} | {_cell(rule.meaning)} | {_cell(rule.how_to_fix)} "
        f"| {_cell(rule.rationale)} |"
        for rule in rules
    ]
    return "\n".join(lines) + "\n"
