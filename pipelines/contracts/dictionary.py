"""The dictionary page of an extract, made from its contract: columns, codes, rules and versions in plain words (Markdown)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pipelines.contracts.contract import FIRST_VERSION, Column, Contract, ContractChange, Rule

TIERS = {
    "S": ("Structure", "columns, types, keys, codes, and whether the file can be read", "blocks until it is corrected"),
    "V": ("Validity", "values that cannot be", "blocks until it is corrected"),
    "Q": ("Plausibility", "rows that are unlikely", "to be corrected, or acknowledged with a reason, rule by rule"),
    "M": (
        "Whole file",
        "the file against other files and other years",
        "to be corrected, or acknowledged with a reason, rule by rule",
    ),
}
COLUMN_RULES = {
    "COLUMN-MISSING": "A column of the extract is missing, or has another name.",
    "COLUMN-UNKNOWN": "A column is not part of the extract.",
}
_CODE_SPAN = re.compile(r"(`[^`]*`)")
_MARKS = re.compile(r"([\\*$<\[\]~]|(?<!\w)_|_(?!\w))")


def dictionary(
    contract: Contract,
    rules: Sequence[Rule],
    code_lists: Mapping[str, Sequence[tuple[str, str]]],
    delivery_rules: Mapping[str, str] | None = None,
) -> str:
    """Markdown: what the extract is for, every column, every code list that it uses, every rule with its fix, every version.

    `code_lists` maps a list's name to (code, label) pairs. `delivery_rules` maps the ids of rules that are found while a file
    is read and mapped to what they mean; those about columns are added when they are not among them. Names of lists link to
    their tables.
    """
    lines = [
        f"# {_plain(contract.title)}",
        "",
        f"Extract `{contract.extract}`, contract version {contract.version}.",
        "",
        _plain(contract.purpose),
        "",
        f"**Not for:** {_plain(contract.limitations)}",
        "",
        f"**Rows:** {_plain(contract.usage)}",
        "",
        f"**Key:** {', '.join(map(_code, contract.key))}. No two rows have the same.",
        "",
        *_columns(contract),
        *_symbols(contract, code_lists),
        *_codes(contract, code_lists),
        *_rules(contract, rules, delivery_rules or {}),
        *_versions(contract),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _plain(text: str) -> str:
    """Text of one line in which nothing but a `code span` is taken for a mark of Markdown, HTML or mathematics."""
    pieces = _CODE_SPAN.split(" ".join(text.split()))
    return "".join(piece if piece.startswith("`") and len(piece) > 1 else _MARKS.sub(r"\\\1", piece) for piece in pieces)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of cells that are Markdown already; a bar within one is no border."""
    shown = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return [f"| {' | '.join(cells)} |" for cells in shown] + [""]


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _columns(contract: Contract) -> list[str]:
    symbols = {column.symbol_for for column in contract.columns if column.symbol_for}
    titles = ["column", "type", "needed", "allowed", "example", "meaning"]
    rows = [
        [
            _code(column.name),
            column.kind,
            "yes" if column.is_required else "",
            _allowed(column),
            "" if column.example is None else _code(column.example),
            _plain(column.description) + (" *Or a symbol.*" if column.name in symbols else ""),
        ]
        for column in contract.columns
        if column.symbol_for is None
    ]
    return ["## Columns", "", *_table(titles, rows)]


def _allowed(column: Column) -> str:
    parts = []
    if column.code_list:
        parts.append(f"codes of [{column.code_list}](#{column.code_list.replace('_', '-')})")
    if column.kind == "boolean":
        parts.append("`true` or `false`")
    if column.kind == "date":
        parts.append("`YYYY-MM-DD`")
    if column.pattern:
        parts.append(f"form {_code(column.pattern)}")
    if column.max_length:
        parts.append(f"at most {column.max_length} characters")
    if column.minimum is not None:
        parts.append(f"at least {column.minimum:g}")
    return ", ".join(parts) or "any"


def _symbols(contract: Contract, code_lists: Mapping[str, Sequence[tuple[str, str]]]) -> list[str]:
    """What the symbol columns are, said once."""
    columns = [column for column in contract.columns if column.symbol_for]
    if not columns:
        return []
    lines = [
        "### Numbers that are not there",
        "",
        "A number marked *Or a symbol* may be blank when a column of its own says why. Where the number is there, its symbol is",
        "blank; where every number is there, the symbol column may be left out.",
        "",
        *_table(["number", "symbol column"], ([_code(str(c.symbol_for)), _code(c.name)] for c in columns)),
    ]
    for name in sorted({column.code_list for column in columns if column.code_list}):
        lines += ["The symbols:", ""]
        lines += _table(["symbol", "means"], ([_code(code), _plain(label)] for code, label in code_lists[name]))
    return lines


def _codes(contract: Contract, code_lists: Mapping[str, Sequence[tuple[str, str]]]) -> list[str]:
    names = sorted({column.code_list for column in contract.columns if column.code_list and not column.symbol_for})
    lines = ["## Codes", ""] if names else []
    for name in names:
        users = ", ".join(_code(column.name) for column in contract.columns if column.code_list == name)
        # Words, not the bare name: not every renderer keeps an underscore in the address of a heading.
        lines += [f"### {name.replace('_', ' ').capitalize()}", "", f"List {_code(name)}, used by {users}.", ""]
        lines += _table(["code", "label"], ([_code(code), _plain(label)] for code, label in code_lists[name]))
    return lines


def _rules(contract: Contract, rules: Sequence[Rule], delivery_rules: Mapping[str, str]) -> list[str]:
    of_columns = {f"{contract.rule_prefix}-S-{slug}": meaning for slug, meaning in COLUMN_RULES.items()}
    lines = [
        "## Rules",
        "",
        "Every finding names the rule that found it. What follows from a finding depends on the tier of its rule.",
        "",
        *_table(
            ["tier", "about", "a finding"], ([f"**{tier}** {name}", about, then] for tier, (name, about, then) in TIERS.items())
        ),
    ]
    for tier, (name, _, then) in TIERS.items():
        of_tier = [rule for rule in rules if rule.tier == tier]
        if of_tier:
            rows = (
                [f"{_code(rule.rule_id)} {rule.version}", *map(_plain, (rule.meaning, rule.how_to_fix, rule.rationale))]
                for rule in of_tier
            )
            lines += [f"### {name} ({tier}): {then}", "", *_table(["rule", "what it finds", "how to fix it", "why"], rows)]
    lines += [
        "### The file itself (S): blocks until it is corrected",
        "",
        "Found before any row is looked at. Each finding says how to fix it.",
        "",
        *_table(
            ["rule", "what it finds"],
            ([_code(rule_id), _plain(meaning)] for rule_id, meaning in (of_columns | dict(delivery_rules)).items()),
        ),
    ]
    return lines


def _versions(contract: Contract) -> list[str]:
    lines = ["## Versions", ""]
    if not contract.changes:
        return [*lines, f"Version {contract.version}; no earlier version had other columns."]
    rows = [[change.version, _plain(change.note), _changed(change)] for change in reversed(contract.changes)]
    return [
        *lines,
        "A file in the columns of an earlier version is still read: a column that was added later is left blank where the table",
        "names no value for it, and its symbol is then `x`.",
        "",
        *_table(["version", "what changed", "columns"], [*rows, [FIRST_VERSION, "First version.", ""]]),
    ]


def _changed(change: ContractChange) -> str:
    parts = []
    for name in change.added:
        default = change.defaults.get(name)
        parts.append(f"added {_code(name)}" + (f" (earlier files: {_code(default)})" if default is not None else ""))
    parts += [f"renamed {_code(old)} to {_code(new)}" for new, old in change.renamed.items()]
    parts += [f"removed {_code(name)}" for name in change.removed]
    return ", ".join(parts)
