"""Rules that follow from the columns of a contract: each kind of rule is one query over all columns it concerns.

Also the one place that says how text becomes a typed value. Rules over several columns stand in the contract itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pipelines.contracts.contract import Column, Contract, Rule

TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")
LISTED_CODES = 12
KIND_WORDS = {
    "integer": "a whole number written with digits only",
    "number": "a number written with digits and a decimal point",
    "boolean": "true or false",
    "date": "a date written as YYYY-MM-DD",
}


def identifier(name: str) -> str:
    """`name` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` quoted as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _words(words: Iterable[str]) -> str:
    return ", ".join(literal(word) for word in words)


def is_well_typed(column: Column, value: str) -> str:
    """SQL that is true where the text `value` (an SQL expression, not null) can be read as the column's kind."""
    match column.kind:
        case "integer":
            return f"regexp_full_match({value}, '[+-]?[0-9]{{1,18}}')"
        case "number":
            return f"regexp_full_match({value}, '[+-]?[0-9]{{1,18}}([.][0-9]{{1,18}})?')"
        case "boolean":
            return f"lower({value}) IN ({_words(TRUE_WORDS + FALSE_WORDS)})"
        case "date":
            return f"(regexp_full_match({value}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AND try_cast({value} AS DATE) IS NOT NULL)"
        case _:
            return "true"


def typed_expression(column: Column) -> str:
    """SQL that reads the column's text as its type; null where that cannot be done."""
    name = identifier(column.name)
    if column.kind == "text":
        return name
    if column.kind == "boolean":
        return (
            f"CASE WHEN lower({name}) IN ({_words(TRUE_WORDS)}) THEN true "
            f"WHEN lower({name}) IN ({_words(FALSE_WORDS)}) THEN false END"
        )
    return f"CASE WHEN {is_well_typed(column, name)} THEN try_cast({name} AS {column.physical_type}) END"


def _select(column: Column, condition: str, message: str) -> str:
    name = identifier(column.name)
    return (
        f"SELECT row_id, {literal(column.name)} AS field, {name} AS value, {message} AS message\n"
        f"FROM extract_text\nWHERE {condition}"
    )


def _quoted_value(column: Column) -> str:
    return f"'\"' || {identifier(column.name)} || '\"'"


def acceptable_codes(codes: tuple[str, ...]) -> str:
    """The codes in words: all when there are few, else the first ones and how many more."""
    shown = ", ".join(codes[:LISTED_CODES])
    more = len(codes) - LISTED_CODES
    return f"{shown} and {more} more (nmip dictionary lists them)" if more > 0 else shown


def column_rules(contract: Contract, code_lists: Mapping[str, tuple[str, ...]]) -> tuple[Rule, ...]:
    """The rules that follow from the columns of `contract`; `code_lists` maps a list's name to its codes.

    A rule without any column that it concerns is left out.
    """
    rules: list[Rule] = []

    def add(
        slug: str,
        tier: str,
        meaning: str,
        how_to_fix: str,
        rationale: str,
        concerns: Callable[[Column], bool],
        query: Callable[[Column], str],
    ) -> None:
        columns = [column for column in contract.columns if concerns(column)]
        if columns:
            rules.append(
                Rule(
                    rule_id=f"{contract.rule_prefix}-{tier}-{slug}",
                    version=contract.version,
                    tier=tier,
                    meaning=meaning,
                    how_to_fix=how_to_fix,
                    fields=tuple(column.name for column in columns),
                    rationale=rationale,
                    query="\nUNION ALL\n".join(query(column) for column in columns),
                )
            )

    add(
        "REQUIRED",
        "S",
        "A value that every row needs is blank.",
        "Fill the value in, or take the row out if it is not data.",
        "A row that does not say what it describes cannot be used.",
        lambda column: column.is_required,
        lambda column: _select(column, f"{identifier(column.name)} IS NULL", literal(f"{column.name} is blank")),
    )
    add(
        "TYPE",
        "S",
        "A value cannot be read as the column's type.",
        "Write whole numbers with digits only (1138, not 1,138 or 12 %), and say why a number is missing in its symbol column.",
        "A value that is not understood must not become a number by guess.",
        lambda column: column.kind != "text",
        lambda column: _select(
            column,
            f"{identifier(column.name)} IS NOT NULL AND NOT {is_well_typed(column, identifier(column.name))}",
            f"{_quoted_value(column)} || {literal(' is not ' + KIND_WORDS.get(column.kind, column.kind))}",
        ),
    )
    add(
        "CODE",
        "S",
        "A value is not in the column's code list.",
        "Use one of the codes of the list, spelled exactly as there.",
        "Groups are compared by code; a code of one's own is a group of its own.",
        lambda column: column.code_list is not None,
        lambda column: _select(
            column,
            f"{identifier(column.name)} IS NOT NULL AND {identifier(column.name)} NOT IN "
            f"({_words(code_lists[column.code_list or ''])})",
            f"{_quoted_value(column)} || {literal(' is not one of ' + acceptable_codes(code_lists[column.code_list or '']))}",
        ),
    )
    add(
        "PATTERN",
        "S",
        "A value does not have the form that the column asks for.",
        "Write the id as in the district's own system, as text, with its leading zeros; in a workbook format the cells as text.",
        "Ids that lost a zero no longer meet their school.",
        lambda column: column.pattern is not None,
        lambda column: _select(
            column,
            f"{identifier(column.name)} IS NOT NULL AND NOT regexp_matches({identifier(column.name)}, "
            f"{literal(column.pattern or '')})",
            f"{_quoted_value(column)} || {literal(f' does not have the form {column.pattern}')}",
        ),
    )
    add(
        "LENGTH",
        "S",
        "A text is longer than the column holds.",
        "Shorten the text.",
        "Overlong text is usually a shifted column or pasted prose.",
        lambda column: column.max_length is not None,
        lambda column: _select(
            column,
            f"length({identifier(column.name)}) > {column.max_length}",
            f"'the text has ' || length({identifier(column.name)}) || {literal(f' characters, more than {column.max_length}')}",
        ),
    )
    add(
        "SYMBOL-MISSING",
        "S",
        "A number is blank and no symbol says why.",
        "Fill the number in, or give the reason in its symbol column: z not applicable, x unavailable, c confidential, "
        "low rounds to 0, u low reliability.",
        "A missing number without a reason reads as zero sooner or later.",
        lambda column: column.symbol_for is not None,
        lambda column: _select(
            contract.by_name[column.symbol_for or ""],
            f"{identifier(column.symbol_for or '')} IS NULL AND {identifier(column.name)} IS NULL",
            literal(f"{column.symbol_for} is blank and so is {column.name}"),
        ),
    )
    add(
        "SYMBOL-UNEXPECTED",
        "S",
        "A number is there and a symbol says that it is not.",
        "Keep the number or the symbol, not both.",
        "Two answers to one question cannot both be right.",
        lambda column: column.symbol_for is not None,
        lambda column: _select(
            column,
            f"{identifier(column.symbol_for or '')} IS NOT NULL AND {identifier(column.name)} IS NOT NULL",
            f"{literal(f'{column.symbol_for} is ')} || {identifier(column.symbol_for or '')} || "
            f"{literal(f' and {column.name} is ')} || {identifier(column.name)}",
        ),
    )
    add(
        "BELOW-MINIMUM",
        "V",
        "A number is below the least that it can be.",
        "Correct the number; a mark such as -1 for a suppressed cell belongs in the symbol column.",
        "A negative count lowers every total that it enters.",
        lambda column: column.minimum is not None,
        lambda column: (
            f"SELECT row_id, {literal(column.name)} AS field, CAST({identifier(column.name)} AS VARCHAR) AS value, "
            f"{literal(f'{column.name} is below {column.minimum:g}: ')} || CAST({identifier(column.name)} AS VARCHAR) AS message"
            f"\nFROM extract\nWHERE {identifier(column.name)} < {column.minimum:g}"
        ),
    )
    rules.append(_duplicate_key_rule(contract))
    return tuple(rules)


def _duplicate_key_rule(contract: Contract) -> Rule:
    key = ", ".join(identifier(name) for name in contract.key)
    complete = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in contract.key)
    return Rule(
        rule_id=f"{contract.rule_prefix}-V-KEY-DUPLICATE",
        version=contract.version,
        tier="V",
        meaning=f"Two or more rows describe the same {', '.join(contract.key)}.",
        how_to_fix="Keep the right row, or add the counts up if the rows are parts of one whole.",
        fields=contract.key,
        rationale="Every total would count these students twice.",
        query=(
            f"SELECT row_id, {literal(contract.key[-1])} AS field, {identifier(contract.key[-1])} AS value, "
            "CAST(n_same AS VARCHAR) || ' rows have this key' AS message\n"
            f"FROM (\n  SELECT row_id, {identifier(contract.key[-1])}, COUNT(*) OVER (PARTITION BY {key}) AS n_same\n"
            f"  FROM extract_text\n  WHERE {complete}\n) AS keyed\nWHERE n_same > 1"
        ),
    )


def all_rules(contract: Contract, code_lists: Mapping[str, tuple[str, ...]]) -> tuple[Rule, ...]:
    """All rules of an extract in the order in which they are run: structure first."""
    rules = (*column_rules(contract, code_lists), *contract.rules)
    return tuple(sorted(rules, key=lambda rule: "SVQM".index(rule.tier)))
