"""Rules that follow from the columns of a contract: each kind of rule is one query over all columns it concerns.

Also the one place that says how text becomes a typed value. Rules over several columns stand in the contract itself; what
they may read is made by `intake.checking.load_check_tables`. No query may be worse than n log n on any input.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pipelines.contracts.contract import Column, Contract, Rule

TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")
LISTED_CODES = 12
MOST_LISTED_CODES = 40
SHOWN_TEXT = 120
KIND_WORDS = {
    "integer": "a whole number written with digits only",
    "number": "a number written with digits and a decimal point",
    "boolean": "true or false",
    "date": "a date written as YYYY-MM-DD",
}

INSTRUMENTS = "instruments"
DIRECTORY = "school_directory"
# Looking for the code that was meant is bounded, so that a hostile file cannot make it slow.
ASKED_VALUES = 1_000
ASKED_LENGTH = 60
LIKENESS = 0.85
SHOWN_SCHOOLS = 5
COPIED_ROWS = 20
LOST_ZEROS = "A cell format such as 000, or a cell that holds a number, shows zeros that are not in the file."
ZEROS_FIX = "Format the cells of the column as text, write the ids with all their zeros, and save the file again."

# Each finding of these names one column and needs no other: they run though other columns are absent.
PER_COLUMN = (
    "S-REQUIRED",
    "S-TYPE",
    "S-CODE",
    "S-ZEROS-LOST",
    "S-PATTERN",
    "S-LENGTH",
    "S-SYMBOL-MISSING",
    "S-SYMBOL-UNEXPECTED",
    "V-BELOW-MINIMUM",
    "V-ABOVE-MAXIMUM",
)


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


def acceptable_codes(codes: tuple[str, ...]) -> str:
    """The codes in words: all when they can be read, else the first ones and how many more."""
    if len(codes) <= MOST_LISTED_CODES:
        return ", ".join(codes)
    return f"{', '.join(codes[:LISTED_CODES])} and {len(codes) - LISTED_CODES} more (nmip dictionary lists them)"


def is_per_column(contract: Contract, rule: Rule) -> bool:
    """Whether `rule` follows from single columns, so that it can run though another of its columns is absent."""
    return rule.rule_id.removeprefix(f"{contract.rule_prefix}-") in PER_COLUMN and rule not in contract.rules


@dataclass(frozen=True)
class SchoolColumn:
    """The column by which an extract names schools: `condition` is SQL that is true where it does.

    `fields`: all columns that this needs. `is_directory`: the extract is the directory itself.
    """

    name: str
    condition: str
    fields: tuple[str, ...]
    is_directory: bool


def school_column(contract: Contract) -> SchoolColumn | None:
    """How an extract names schools: `school_id`, or `unit_id` where `unit_type` is school; None where it names none."""
    if "school_id" in contract.by_name:
        return SchoolColumn("school_id", "true", ("school_id",), contract.extract == DIRECTORY)
    if {"unit_id", "unit_type"} <= contract.by_name.keys():
        return SchoolColumn("unit_id", "unit_type = 'school'", ("unit_type", "unit_id"), False)
    return None


def column_rules(contract: Contract, code_lists: Mapping[str, tuple[str, ...]]) -> tuple[Rule, ...]:
    """The rules that follow from the columns of `contract`; `code_lists` maps a list's name to its codes.

    A rule without any column that it concerns is left out.
    """
    return (
        *_structure_rules(contract, code_lists),
        *_validity_rules(contract),
        *_plausibility_rules(contract),
        *_whole_file_rules(contract),
        *_school_rules(contract),
    )


def all_rules(contract: Contract, code_lists: Mapping[str, tuple[str, ...]]) -> tuple[Rule, ...]:
    """All rules of an extract in the order in which they are run: structure first."""
    rules = (*column_rules(contract, code_lists), *contract.rules)
    return tuple(sorted(rules, key=lambda rule: "SVQM".index(rule.tier)))


def _rule(
    contract: Contract, slug: str, tier: str, meaning: str, how_to_fix: str, rationale: str, fields: Iterable[str], query: str
) -> Rule:
    return Rule(
        rule_id=f"{contract.rule_prefix}-{tier}-{slug}",
        version=contract.version,
        tier=tier,
        meaning=meaning,
        how_to_fix=how_to_fix,
        fields=tuple(fields),
        rationale=rationale,
        query=query.strip(),
    )


def _for_columns(
    contract: Contract,
    slug: str,
    tier: str,
    meaning: str,
    how_to_fix: str,
    rationale: str,
    concerns: Callable[[Column], bool],
    query: Callable[[Column], str],
) -> tuple[Rule, ...]:
    """One rule whose query is that of every column that it concerns; none where it concerns none."""
    columns = [column for column in contract.columns if concerns(column)]
    if not columns:
        return ()
    united = "\nUNION ALL\n".join(query(column) for column in columns)
    names = dict.fromkeys(name for column in columns for name in (column.symbol_for, column.part_of, column.name) if name)
    return (_rule(contract, slug, tier, meaning, how_to_fix, rationale, names, united),)


def _select(column: Column, condition: str, message: str) -> str:
    name = identifier(column.name)
    return (
        f"SELECT row_id, {literal(column.name)} AS field, {name} AS value, {message} AS message\n"
        f"FROM extract_text\nWHERE {condition}"
    )


def _shown(column: Column) -> str:
    return f"left({identifier(column.name)}, {SHOWN_TEXT})"


def _quoted_value(column: Column) -> str:
    return f"'\"' || {_shown(column)} || '\"'"


# --- S: structure ---


def _structure_rules(contract: Contract, code_lists: Mapping[str, tuple[str, ...]]) -> tuple[Rule, ...]:
    return (
        *_for_columns(
            contract,
            "REQUIRED",
            "S",
            "A value that every row needs is blank.",
            "Fill the value in, or take the row out if it is not data.",
            "A row that does not say what it describes cannot be used.",
            lambda column: column.is_required,
            lambda column: _select(column, f"{identifier(column.name)} IS NULL", literal(f"{column.name} is blank")),
        ),
        *_for_columns(
            contract,
            "TYPE",
            "S",
            "A value cannot be read as the column's type.",
            "Write whole numbers with digits only (1138, not 1,138 or 12 %), and say why a number is missing in its symbol "
            "column.",
            "A value that is not understood must not become a number by guess.",
            lambda column: column.kind != "text",
            lambda column: _select(
                column,
                f"{identifier(column.name)} IS NOT NULL AND NOT {is_well_typed(column, identifier(column.name))}",
                f"{_quoted_value(column)} || {literal(' is not ' + KIND_WORDS.get(column.kind, column.kind))}",
            ),
        ),
        *_code_rule(contract, code_lists),
        *_for_columns(
            contract,
            "ZEROS-LOST",
            "S",
            "Ids of a fixed number of digits are shorter than that: their leading zeros were lost.",
            ZEROS_FIX,
            "An id without its zeros is another id, or none.",
            lambda column: _fixed_digits(column) is not None,
            _zeros_lost_query,
        ),
        *_for_columns(
            contract,
            "PATTERN",
            "S",
            "A value does not have the form that the column asks for.",
            "Write the id as in the district's own system, as text, with its leading zeros; in a workbook format the cells as "
            "text.",
            "Ids that lost a zero no longer meet their school.",
            lambda column: column.pattern is not None,
            lambda column: _select(
                column,
                f"{identifier(column.name)} IS NOT NULL AND NOT regexp_matches({identifier(column.name)}, "
                f"{literal(column.pattern or '')}) AND NOT {_is_short(column)}",
                f"{_quoted_value(column)} || {literal(f' does not have the form {column.pattern}')}",
            ),
        ),
        *_for_columns(
            contract,
            "LENGTH",
            "S",
            "A text is longer than the column holds.",
            "Shorten the text.",
            "Overlong text is usually a shifted column or pasted prose.",
            lambda column: column.max_length is not None,
            lambda column: _select(
                column,
                f"length({identifier(column.name)}) > {column.max_length}",
                f"'the text has ' || length({identifier(column.name)}) || "
                f"{literal(f' characters, more than {column.max_length}')}",
            ),
        ),
        *_for_columns(
            contract,
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
        ),
        *_for_columns(
            contract,
            "SYMBOL-UNEXPECTED",
            "S",
            "A number is there and a symbol says that it is not.",
            "Keep the number or the symbol, not both.",
            "Two answers to one question cannot both be right.",
            lambda column: column.symbol_for is not None,
            lambda column: _select(
                column,
                f"{identifier(column.symbol_for or '')} IS NOT NULL AND {identifier(column.name)} IS NOT NULL",
                f"{literal(f'{column.symbol_for} is ')} || {_shown(contract.by_name[column.symbol_for or ''])} || "
                f"{literal(f' and {column.name} is ')} || {_shown(column)}",
            ),
        ),
    )


def _fixed_digits(column: Column) -> int | None:
    """How many digits the column's pattern asks for, None where it allows anything else."""
    fixed = re.fullmatch(r"\^(?:\[0-9\]|\\d)\{(\d+)\}\$", column.pattern or "")
    return int(fixed[1]) if fixed else None


def _is_short(column: Column) -> str:
    digits, name = _fixed_digits(column), identifier(column.name)
    return "false" if digits is None else f"(length({name}) < {digits} AND regexp_full_match({name}, '[0-9]+'))"


def _zeros_lost_query(column: Column) -> str:
    name = identifier(column.name)
    needed = literal(f'" is shorter than the {_fixed_digits(column)} digits of {column.name}; rows like this: ')
    return f"""
        SELECT MIN(row_id) AS row_id, {literal(column.name)} AS field, arg_min({name}, row_id) AS value,
          concat('"', arg_min({name}, row_id), {needed}, COUNT(*), {literal(". " + LOST_ZEROS)}) AS message,
          COUNT(*) AS affected_rows
        FROM extract_text
        WHERE {_is_short(column)}
        HAVING COUNT(*) > 0
    """


def _code_rule(contract: Contract, code_lists: Mapping[str, tuple[str, ...]]) -> tuple[Rule, ...]:
    """Values outside their list, each with the nearest code where there is one that is near."""
    columns = [(column, column.code_list) for column in contract.columns if column.code_list is not None]
    if not columns:
        return ()
    used = sorted({name for _, name in columns})
    bad = "\nUNION ALL\n".join(
        f"SELECT row_id, {literal(column.name)} AS field, {identifier(column.name)} AS value FROM extract_text "
        f"WHERE {identifier(column.name)} NOT IN ({_words(code_lists[name])})"
        for column, name in columns
    )
    known = "\nUNION ALL\n".join(
        f"SELECT {literal(name)} AS list, code, {_plain('code')} AS plain_code, {_plain('label')} AS plain_label "
        f"FROM {'in_use' if name == INSTRUMENTS else 'codes.' + identifier(name)}"
        for name in used
    )
    listed = "\nUNION ALL\n".join(
        f"SELECT {literal(column.name)} AS field, {literal(name)} AS list, {_acceptable(name, code_lists[name])} AS acceptable"
        for column, name in columns
    )
    # Of one or two letters everything is similar to everything: these are compared as a whole, or as a number.
    query = f"""
        WITH {_IN_USE if INSTRUMENTS in used else ""}
        bad AS MATERIALIZED ({bad}),
        known AS ({known}),
        listed AS ({listed}),
        asked AS (
          SELECT field, value, {_plain("value")} AS plain,
            CASE WHEN regexp_full_match(value, '[A-Za-z .]*[0-9]{{1,3}}[A-Za-z .]*')
              THEN ltrim(regexp_extract(value, '[0-9]+'), '0') END AS number
          FROM (
            SELECT field, value, row_number() OVER (PARTITION BY field ORDER BY COUNT(*) DESC, value) AS place
            FROM bad
            WHERE length(value) <= {ASKED_LENGTH}
            GROUP BY field, value
          ) AS counted
          WHERE place <= {ASKED_VALUES}
        ),
        compared AS (
          SELECT a.field, a.value, k.code,
            greatest(
              CASE WHEN a.number = k.code THEN 0.9 ELSE 0 END,
              CASE WHEN length(a.plain) >= 3 OR a.plain IN (k.plain_code, k.plain_label) THEN greatest(
                jaro_winkler_similarity(a.plain, k.plain_code), jaro_winkler_similarity(a.plain, k.plain_label)
              ) END
            ) AS likeness
          FROM asked AS a
          INNER JOIN listed AS l ON l.field = a.field
          INNER JOIN known AS k ON k.list = l.list
        ),
        near AS (
          SELECT field, value, code
          FROM (
            SELECT field, value, code,
              row_number() OVER (PARTITION BY field, value ORDER BY likeness DESC, code) AS place
            FROM compared
            WHERE likeness >= {LIKENESS}
          ) AS ranked
          WHERE place = 1
        )
        SELECT b.row_id, b.field, b.value,
          concat('"', left(b.value, {SHOWN_TEXT}), '" is not one of ', l.acceptable, '; did you mean ' || n.code || '?')
            AS message
        FROM bad AS b
        INNER JOIN listed AS l ON l.field = b.field
        LEFT JOIN near AS n ON n.field = b.field AND n.value = b.value
    """
    return (
        _rule(
            contract,
            "CODE",
            "S",
            "A value is not in the column's code list.",
            "Use one of the codes of the list, spelled exactly as there.",
            "Groups are compared by code; a code of one's own is a group of its own.",
            [column.name for column, _ in columns],
            query,
        ),
    )


def _plain(text: str) -> str:
    """SQL for a text in small letters and digits, whatever stands between the words."""
    return f"trim(regexp_replace(lower({text}), '[^a-z0-9]+', ' ', 'g'))"


# Instruments of the submission's state and year; where there is none, all.
_IN_USE = """in_state AS (
  SELECT i.code, i.label, s.state, s.school_year
  FROM codes.instruments AS i
  CROSS JOIN submission AS s
  WHERE i.state = s.state AND s.school_year BETWEEN i.first_school_year AND COALESCE(i.last_school_year, '9999-99')
),
in_use AS (
  SELECT code, label FROM in_state
  UNION ALL
  SELECT code, label FROM codes.instruments WHERE NOT EXISTS (SELECT 1 FROM in_state)
),
"""


def _acceptable(name: str, codes: tuple[str, ...]) -> str:
    """SQL for the codes that a column may take, in words."""
    if name != INSTRUMENTS:
        return literal(acceptable_codes(codes))
    return (
        "COALESCE((SELECT concat('the instruments of ', MIN(state), ' in ', MIN(school_year), ': ', "
        f"string_agg(code, ', ' ORDER BY code)) FROM in_state HAVING COUNT(*) > 0), {literal(acceptable_codes(codes))})"
    )


# --- V: validity ---


def _validity_rules(contract: Contract) -> tuple[Rule, ...]:
    return (
        *_for_columns(
            contract,
            "BELOW-MINIMUM",
            "V",
            "A number is below the least that it can be.",
            "Correct the number; a mark such as -1 for a suppressed cell belongs in the symbol column.",
            "A negative count lowers every total that it enters.",
            lambda column: column.minimum is not None,
            lambda column: (
                f"SELECT row_id, {literal(column.name)} AS field, CAST({identifier(column.name)} AS VARCHAR) AS value,\n"
                f"  concat({literal(f'{column.name} is below {column.minimum:g}: ')}, {identifier(column.name)}) AS message\n"
                f"FROM extract\nWHERE {identifier(column.name)} < {column.minimum:g}"
            ),
        ),
        *_for_columns(
            contract,
            "ABOVE-MAXIMUM",
            "V",
            "A number is above the most that it can be.",
            "Correct the number; a share is written from 0 to 1, not as a percent.",
            "One impossible number moves every mean that it enters.",
            lambda column: column.maximum is not None,
            lambda column: (
                f"SELECT row_id, {literal(column.name)} AS field, CAST({identifier(column.name)} AS VARCHAR) AS value,\n"
                f"  concat({literal(f'{column.name} is above {column.maximum:g}: ')}, {identifier(column.name)}) AS message\n"
                f"FROM extract\nWHERE {identifier(column.name)} > {column.maximum:g}"
            ),
        ),
        *_for_columns(
            contract,
            "PART-OVER-WHOLE",
            "V",
            "A part is larger than the whole that it is counted in.",
            "Check both numbers: they must be of the same people, places or things on the same day, and no percents.",
            "A share above one hundred percent would enter every average.",
            lambda column: column.part_of is not None,
            _part_over_whole_query,
        ),
        _duplicate_key_rule(contract),
    )


def _part_over_whole_query(column: Column) -> str:
    part, whole = identifier(column.name), identifier(column.part_of or "")
    return (
        f"SELECT row_id, {literal(column.name)} AS field, CAST({part} AS VARCHAR) AS value,\n"
        f"  concat({literal(f'{column.name} is ')}, {part}, {literal(f' but {column.part_of} is ')}, {whole}) AS message\n"
        f"FROM extract\nWHERE {part} > {whole}"
    )


def _duplicate_key_rule(contract: Contract) -> Rule:
    key = ", ".join(identifier(name) for name in contract.key)
    complete = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in contract.key)
    is_same = " AND ".join(f"k.{identifier(name)} = e.{identifier(name)}" for name in contract.key)
    query = f"""
        WITH repeated AS (
          SELECT {key}, COUNT(*) AS n_same, min(row_id, 2) AS first_rows
          FROM extract_text
          WHERE {complete}
          GROUP BY {key}
          HAVING COUNT(*) > 1
        ),
        paired AS (
          SELECT e.row_id, e.{identifier(contract.key[-1])} AS value, k.n_same,
            CASE WHEN e.row_id = k.first_rows[1] THEN k.first_rows[2] ELSE k.first_rows[1] END AS other_row
          FROM repeated AS k
          INNER JOIN extract_text AS e ON {is_same}
        )
        SELECT p.row_id, {literal(contract.key[-1])} AS field, p.value,
          concat('the same key also stands in line ', o.delivered_line,
            CASE WHEN (SELECT MIN(delivered_file) <> MAX(delivered_file) FROM extract_text)
              THEN concat(' of ', left(o.delivered_file, {SHOWN_TEXT})) END,
            '; ', p.n_same, ' rows have this key') AS message
        FROM paired AS p
        INNER JOIN extract_text AS o ON o.row_id = p.other_row
    """
    return _rule(
        contract,
        "KEY-DUPLICATE",
        "V",
        f"Two or more rows describe the same {', '.join(contract.key)}.",
        "Keep the right row, or add the counts up if the rows are parts of one whole.",
        "Every total would count these students twice.",
        contract.key,
        query,
    )


# --- Q: plausibility ---


def _plausibility_rules(contract: Contract) -> tuple[Rule, ...]:
    return _for_columns(
        contract,
        "COUNT-CHANGED",
        "Q",
        "A number is less than half or more than twice what the same row had when it was certified last.",
        "Check the number and the row that it stands in; if so much really changed, say why.",
        "A row that was left out of a sum, or counted twice, changes every share that rests on it.",
        lambda column: column.steady_from is not None,
        lambda column: _changed_query(contract, column),
    )


def _changed_query(contract: Contract, column: Column) -> str:
    name, key = identifier(column.name), ", ".join(identifier(key) for key in contract.key)
    is_same = " AND ".join(f"past.{identifier(key)} = e.{identifier(key)}" for key in contract.key)
    return f"""
        SELECT e.row_id, {literal(column.name)} AS field, CAST(e.{name} AS VARCHAR) AS value,
          concat({literal(f"{column.name} is ")}, e.{name}, '; in ', past.origin, ' it is ', past.{name}) AS message
        FROM extract AS e
        INNER JOIN (
          SELECT {key}, MIN(origin) AS origin, MIN({name}) AS {name}
          FROM last_certified
          GROUP BY {key}
          HAVING COUNT(*) = 1
        ) AS past ON {is_same}
        WHERE past.{name} >= {column.steady_from} AND (2 * e.{name} < past.{name} OR e.{name} > 2 * past.{name})
    """


# --- M: the whole file beside what was certified last ---


def _whole_file_rules(contract: Contract) -> tuple[Rule, ...]:
    return (
        _rule(
            contract,
            "ROWS-FEWER",
            "M",
            "The delivery has more than 10 % fewer rows than were certified last.",
            "Look for schools, grades or student groups that the export left out; if there really are fewer, say why.",
            "A file that was cut short looks like a whole one.",
            contract.key,
            """
                SELECT CAST(NULL AS BIGINT) AS row_id, CAST(NULL AS VARCHAR) AS field, CAST(now.n AS VARCHAR) AS value,
                  concat('rows in this delivery: ', now.n, '; rows in ', past.origin, ': ', past.n) AS message,
                  now.n AS affected_rows
                FROM (SELECT COUNT(*) AS n FROM extract_text) AS now
                CROSS JOIN (SELECT COUNT(*) AS n, MIN(origin) AS origin FROM last_certified) AS past
                WHERE now.n > 0 AND 10 * now.n < 9 * past.n
            """,
        ),
        *_for_columns(
            contract,
            "COLUMN-EMPTIED",
            "M",
            "A column that had values in most rows certified last is blank throughout.",
            "Check that the export still fills the column; if the values are really no longer there, say why.",
            "A column that empties silently takes its indicators with it.",
            lambda column: column.symbol_for is None,
            lambda column: _emptied_query(contract, column),
        ),
        *_for_columns(
            contract,
            "CODE-GONE",
            "M",
            "A code that stands in the rows certified last stands in no row now.",
            "Check that the export was not filtered; if there is really nothing for this code any more, say why.",
            "A group that is left out drops from every comparison without a word.",
            # A test is succeeded by another one in the ordinary course of years.
            lambda column: column.key_position is not None and column.code_list not in (None, INSTRUMENTS),
            _code_gone_query,
        ),
        *_for_columns(
            contract,
            "PART-COPIED",
            "M",
            f"A part equals its whole in every one of {COPIED_ROWS} rows or more.",
            "Look whether the whole was exported into the column of the part; if it is really so everywhere, say why.",
            "A column that was filled with another one passes for perfect results.",
            lambda column: column.part_of is not None,
            _copied_query,
        ),
    )


def _copied_query(column: Column) -> str:
    part, whole = identifier(column.name), identifier(column.part_of or "")
    return f"""
        SELECT CAST(NULL AS BIGINT) AS row_id, {literal(column.name)} AS field, CAST(NULL AS VARCHAR) AS value,
          concat({literal(f"{column.name} equals {column.part_of} in all rows that have both: ")}, n) AS message,
          n AS affected_rows
        FROM (
          SELECT COUNT(*) AS n, COUNT(*) FILTER (WHERE {part} <> {whole}) AS n_other
          FROM extract
          WHERE {part} IS NOT NULL AND {whole} > 0
        ) AS compared
        WHERE n >= {COPIED_ROWS} AND n_other = 0
    """


def _emptied_query(contract: Contract, column: Column) -> str:
    name = identifier(column.name)
    symbol = next((identifier(other.name) for other in contract.columns if other.symbol_for == column.name), None)
    # z says that the number cannot exist, as at a level that the test does not have; any other symbol says that it is missing.
    is_needless = "false" if symbol is None else f"COUNT(*) FILTER (WHERE {symbol} = 'z') = COUNT(*)"
    return f"""
        SELECT CAST(NULL AS BIGINT) AS row_id, {literal(column.name)} AS field, CAST(NULL AS VARCHAR) AS value,
          concat({literal(f"{column.name} is blank in every row; rows with a value in ")}, past.origin, ': ',
            past.n_given, ' of ', past.n) AS message,
          now.n AS affected_rows
        FROM (SELECT COUNT(*) AS n, COUNT({name}) AS n_given, {is_needless} AS is_needless FROM extract_text) AS now
        CROSS JOIN (SELECT COUNT(*) AS n, COUNT({name}) AS n_given, MIN(origin) AS origin FROM last_certified) AS past
        WHERE now.n > 0 AND now.n_given = 0 AND NOT now.is_needless AND 2 * past.n_given > past.n
    """


def _code_gone_query(column: Column) -> str:
    # While a code is misspelled, the code that was meant is missing: that is told once, as a wrong code.
    name = identifier(column.name)
    return f"""
        SELECT CAST(NULL AS BIGINT) AS row_id, {literal(column.name)} AS field, past.code AS value,
          concat({literal(f"no row has {column.name} ")}, past.code, '; rows with it in ', past.origin, ': ', past.n) AS message
        FROM (SELECT {name} AS code, COUNT(*) AS n, MIN(origin) AS origin FROM last_certified GROUP BY {name}) AS past
        WHERE past.code IS NOT NULL
          AND past.code NOT IN (SELECT DISTINCT {name} FROM extract_text WHERE {name} IS NOT NULL)
          AND EXISTS (SELECT 1 FROM extract_text)
          AND NOT EXISTS (
            SELECT 1 FROM (SELECT DISTINCT {name} AS code FROM extract_text) AS now
            WHERE now.code NOT IN (SELECT code FROM codes.{identifier(column.code_list or "")})
          )
    """


# --- M: schools ---


def _bare(school: str) -> str:
    """SQL that is equal for ids that differ in leading zeros only."""
    return f"CASE WHEN regexp_full_match({school}, '[0-9]+') THEN ltrim({school}, '0') ELSE {school} END"


def _school_rules(contract: Contract) -> tuple[Rule, ...]:
    column = school_column(contract)
    if column is None:
        return ()
    rules: tuple[Rule, ...] = (_schools_with_lost_zeros(contract, column), _schools_gone(contract, column))
    if contract.has_every_school:
        rules = (*rules, _schools_missing(contract, column))
    return rules if column.is_directory else (_schools_unknown(contract, column), *rules)


def _schools_of_extract(column: SchoolColumn) -> str:
    name = identifier(column.name)
    return f"""
          SELECT {name} AS school_id, {_bare(name)} AS bare, MIN(row_id) AS row_id, COUNT(*) AS n_rows
          FROM extract
          WHERE {column.condition} AND {name} IS NOT NULL
          GROUP BY {name}
    """


def _schools_certified_last(column: SchoolColumn) -> str:
    name = identifier(column.name)
    return f"SELECT {name} AS school_id, origin FROM last_certified WHERE {column.condition} AND {name} IS NOT NULL"


def _schools_unknown(contract: Contract, column: SchoolColumn) -> Rule:
    # An earlier directory cannot know the schools that have opened since.
    query = f"""
        WITH schools AS ({_schools_of_extract(column)}),
        known AS (SELECT DISTINCT {_bare("school_id")} AS bare FROM directory WHERE school_id IS NOT NULL),
        compared AS (
          SELECT *, COUNT(*) OVER () AS n, COUNT(*) FILTER (WHERE is_unknown) OVER () AS n_unknown
          FROM (SELECT *, bare NOT IN (SELECT bare FROM known) AS is_unknown FROM schools) AS looked_up
        )
        SELECT c.row_id, {literal(column.name)} AS field, c.school_id AS value,
          concat('school "', left(c.school_id, {SHOWN_TEXT}), '" is not in the school directory', ' of ' || d.school_year)
            AS message,
          c.n_rows AS affected_rows
        FROM compared AS c
        CROSS JOIN submission AS s
        CROSS JOIN (SELECT MIN(school_year) AS school_year, COUNT(*) AS n FROM directory) AS d
        WHERE d.n > 0 AND c.is_unknown
          AND (d.school_year = s.school_year OR (c.n_unknown >= 2 AND 20 * c.n_unknown > c.n))
    """
    return _rule(
        contract,
        "SCHOOL-UNKNOWN",
        "M",
        "A school is not in the school directory; where that is of an earlier year, more than 5 % of the schools are not.",
        "Correct the id, or send the school directory with this school first.",
        "A school that the directory does not know has no level, no network and no enrolment.",
        column.fields,
        query,
    )


def _schools_with_lost_zeros(contract: Contract, column: SchoolColumn) -> Rule:
    past = f"SELECT school_id, origin AS source FROM ({_schools_certified_last(column)}) AS past"
    directory = "SELECT school_id, concat('the school directory', ' of ' || school_year) AS source FROM directory"
    known = f"{past} WHERE NOT EXISTS (SELECT 1 FROM directory) UNION ALL {directory}" if not column.is_directory else past
    query = f"""
        WITH schools AS ({_schools_of_extract(column)}),
        known AS ({known}),
        by_bare AS (
          SELECT {_bare("school_id")} AS bare, MIN(school_id) AS school_id, MIN(source) AS source
          FROM known
          GROUP BY 1
        ),
        altered AS (
          SELECT s.row_id, s.n_rows, s.school_id, k.school_id AS known_id, k.source
          FROM schools AS s
          INNER JOIN by_bare AS k ON k.bare = s.bare
          WHERE s.school_id NOT IN (SELECT school_id FROM known WHERE school_id IS NOT NULL)
        )
        SELECT MIN(row_id) AS row_id, {literal(column.name)} AS field, arg_min(school_id, row_id) AS value,
          concat('"', left(arg_min(school_id, row_id), {SHOWN_TEXT}), '" is "', arg_min(known_id, row_id), '" in ', MIN(source),
            '; schools that differ in leading zeros only: ', COUNT(*), {literal(". " + LOST_ZEROS)}) AS message,
          SUM(n_rows) AS affected_rows
        FROM altered
        HAVING COUNT(*) > 0
    """
    return _rule(
        contract,
        "ZEROS-LOST",
        "M",
        "School ids differ from the known ones in leading zeros only.",
        ZEROS_FIX,
        "A school whose id lost its zeros no longer meets its own rows in other extracts and years.",
        column.fields,
        query,
    )


def _schools_gone(contract: Contract, column: SchoolColumn) -> Rule:
    return _rule(
        contract,
        "SCHOOLS-GONE",
        "M",
        "More than 5 % of the schools certified last, and at least two, are not in this delivery.",
        "Check that the export holds all schools; if they closed or have nothing to report, say so.",
        "Results of a district change when schools drop out of them, and not because students learned more or less.",
        column.fields,
        _absent_schools_query(column, _schools_certified_last(column), "EXISTS (SELECT 1 FROM schools)"),
    )


def _schools_missing(contract: Contract, column: SchoolColumn) -> Rule:
    in_scope = """
          SELECT school_id, 'the school directory of ' || d.school_year || ' that take part' AS origin
          FROM directory AS d
          INNER JOIN submission AS s ON s.school_year = d.school_year
          WHERE school_id IS NOT NULL AND in_scope
    """
    # Where no school is in the directory, that is what has to be told.
    is_told = "EXISTS (SELECT 1 FROM past INNER JOIN schools ON schools.bare = past.bare)"
    return _rule(
        contract,
        "SCHOOLS-MISSING",
        "M",
        "More than 5 % of the schools that take part, and at least two, have no row.",
        "Check that the export holds all schools of the directory; if they really have nothing to report, say why.",
        "A value of half a district's schools would pass for the value of the district.",
        column.fields,
        _absent_schools_query(column, in_scope, is_told),
    )


def _absent_schools_query(column: SchoolColumn, expected: str, is_told: str) -> str:
    """Which of the `expected` schools (SQL that selects school_id and origin) have no row."""
    # One school of a small district is more than 5 % of it, and closing one is ordinary.
    return f"""
        WITH schools AS ({_schools_of_extract(column)}),
        past AS (
          SELECT {_bare("school_id")} AS bare, MIN(school_id) AS school_id, MIN(origin) AS origin
          FROM ({expected}) AS certified
          GROUP BY 1
        ),
        placed AS (
          SELECT school_id, origin, is_gone, row_number() OVER (PARTITION BY is_gone ORDER BY school_id) AS place
          FROM (SELECT school_id, origin, bare NOT IN (SELECT bare FROM schools) AS is_gone FROM past) AS compared
        ),
        counted AS (
          SELECT COUNT(*) AS n, COUNT(*) FILTER (WHERE is_gone) AS n_gone, MIN(origin) AS origin,
            string_agg(school_id, ', ' ORDER BY school_id) FILTER (WHERE is_gone AND place <= {SHOWN_SCHOOLS}) AS first_ids,
            left(md5(string_agg(school_id, ', ' ORDER BY school_id) FILTER (WHERE is_gone)), 8) AS list_digest
          FROM placed
        )
        SELECT CAST(NULL AS BIGINT) AS row_id, {literal(column.name)} AS field,
          -- The digest makes another list another finding, so that an acknowledgement does not cover it.
          first_ids || CASE WHEN n_gone > {SHOWN_SCHOOLS} THEN ' and more (list ' || list_digest || ')' ELSE '' END AS value,
          concat('schools in ', origin, ': ', n, '; not in this delivery: ', n_gone,
            CASE WHEN n_gone > {SHOWN_SCHOOLS} THEN ', the first are ' ELSE ', namely ' END, first_ids) AS message
        FROM counted
        WHERE n_gone >= 2 AND 20 * n_gone > n AND {is_told}
    """
