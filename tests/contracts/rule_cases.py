"""What a case of a rule is, and the cases of the rules that follow from the columns of any contract.

They are made from a row in which nothing is wrong. The cases of rules that stand in a contract are written by hand, in
`rule_cases_schools`, `rule_cases_offices`, `rule_cases_state` and `test_rules`: `BASE` there is extract to its row in which
nothing is wrong, and `CASES` rule id to case. Running a case belongs to `test_rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipelines.contracts.codes import codes
from pipelines.contracts.contract import Column, Contract, load_contract
from pipelines.settings import PROJECT_ROOT

CONTRACTS = PROJECT_ROOT / "data_contracts"
YEAR, YEAR_BEFORE = "2023-24", "2022-23"
ZEROS = "A cell format such as 000, or a cell that holds a number, shows zeros that are not in the file."
NOT_OF_TYPE = {
    "integer": ("1,138", "a whole number written with digits only"),
    "number": ("0,5", "a number written with digits and a decimal point"),
    "boolean": ("maybe", "true or false"),
    "date": ("3/1/2024", "a date written as YYYY-MM-DD"),
}
Row = dict[str, Any]


class Found(NamedTuple):
    """What a finding must say; a finding about the whole file has no line."""

    line: int | None
    field: str | None
    value: str | None
    message: str
    affected_rows: int = 1


class Delivery(NamedTuple):
    """Rows as differences from the base row, and what they are looked at beside.

    `past`: certified for the year before; `results`: the district's own results in force, for a reference to them.
    """

    rows: Sequence[Row]
    past: Sequence[Row] = ()
    directory: Sequence[Row] = ()
    directory_year: str = YEAR
    in_force: Sequence[Row] = ()
    results: Sequence[Row] = ()


class Case(NamedTuple):
    """A delivery in which one rule fires, what it must find there, and deliveries that come near and pass."""

    fires: Delivery
    found: Sequence[Found]
    passes: Sequence[Delivery]


def school_field(extract: str) -> str | None:
    """The column by which an extract names schools, None where it names none."""
    names = load_contract(CONTRACTS, extract).column_names
    return next((name for name in ("school_id", "unit_id") if name in names), None)


def schools(extract: str, n: int, first: int = 1, **more: str | None) -> list[Row]:
    """One row for each of `n` schools, 001 and so on."""
    names = {"school_name": "School {}", "nces_school_id": "4218990{:05d}"} if extract == "school_directory" else {}
    field = school_field(extract)
    assert field is not None, f"{extract} names no schools"
    return [
        {field: f"{number:03d}", **{name: text.format(number) for name, text in names.items()}, **more}
        for number in range(first, first + n)
    ]


def prefixed(extract: str, cases: dict[str, Case]) -> dict[str, Case]:
    """Cases by rule id, from cases by the rest of it (`V-KEY-DUPLICATE`)."""
    prefix = load_contract(CONTRACTS, extract).rule_prefix
    return {f"{prefix}-{slug}": case for slug, case in cases.items()}


def other_code(column: Column, code: str | None) -> str:
    """A code of the column's list that is not `code`."""
    return next(other for other in codes(CONTRACTS, column.code_list or "") if other != code)


def other_key(contract: Contract, base: Row) -> Row:
    """What makes a row of another key."""
    keys = [contract.by_name[name] for name in contract.key]
    free = next((key.name for key in keys if key.kind == "text" and key.code_list is None), None)
    return {keys[-1].name: other_code(keys[-1], base[keys[-1].name])} if free is None else {free: "102"}


def without(contract: Contract, name: str, symbol: str = "x") -> Row:
    """What makes a column blank, with the reason where it is a number that has one."""
    return {name: None, **{column.name: symbol for column in contract.columns if column.symbol_for == name}}


def in_words(column: Column, text: str) -> str:
    """A number as the database shows it."""
    return str(float(text)) if column.kind == "number" else text


def column_cases(
    extract: str, base: Row, coded: tuple[str, str, str] | None = None, number: str | None = None
) -> dict[str, Case]:
    """Cases of the rules that follow from the columns, by the rule id without its prefix.

    `base` has a value in every column that a rule is about. `coded`: field, value and message of a code that is not in its
    list; `number`: the number that is taken where any would do.
    """
    contract = load_contract(CONTRACTS, extract)
    cases = _structure(contract, base, coded, number) | _numbers(contract, base) | _whole_file(contract, base, number)
    last, other = contract.key[-1], other_key(contract, base)
    cases["V-KEY-DUPLICATE"] = Case(
        Delivery([{}, other, {}]),
        [
            Found(2, last, base[last], "the same key also stands in line 4; 2 rows have this key"),
            Found(4, last, base[last], "the same key also stands in line 2; 2 rows have this key"),
        ],
        [Delivery([{}, other])],
    )
    return cases | (_schools(extract) if school_field(extract) else {})


def _structure(contract: Contract, base: Row, coded: tuple[str, str, str] | None, number: str | None) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    first, optional = contract.key[0], _optional(contract, base)
    cases["S-REQUIRED"] = Case(
        Delivery([{}, {first: None}]),
        [Found(3, first, None, f"{first} is blank")],
        [Delivery([{}]), *([Delivery([without(contract, optional)])] if optional else [])],
    )
    typed = contract.by_name[number] if number else next((c for c in contract.columns if c.kind != "text"), None)
    if typed is not None:
        text, words = NOT_OF_TYPE[typed.kind]
        cases["S-TYPE"] = Case(
            Delivery([{}, {typed.name: text}]),
            [Found(3, typed.name, text, f'"{text}" is not {words}')],
            [Delivery([{}, *([{typed.name: "0096"}] if typed.kind in ("integer", "number") else [])])],
        )
    listed = next((c for c in sorted(contract.columns, key=lambda c: c.code_list == "symbols") if c.code_list), None)
    if listed is not None:
        message = f'"~" is not one of {", ".join(codes(CONTRACTS, listed.code_list or ""))}'
        field, value, words = coded or (listed.name, "~", message)
        cases["S-CODE"] = Case(Delivery([{}, {field: value}]), [Found(3, field, value, words)], [Delivery([{}])])
    formed = next((c for c in contract.columns if c.pattern), None)
    if formed is not None:
        cases["S-PATTERN"] = Case(
            Delivery([{formed.name: "10 1"}]),
            [Found(2, formed.name, "10 1", f'"10 1" does not have the form {formed.pattern}')],
            [Delivery([{formed.name: "A.1_-" + "9" * 27}])],
        )
    long = next((c for c in contract.columns if c.max_length), None)
    if long is not None:
        most = long.max_length or 0
        words = f"the text has {most + 1} characters, more than {most}"
        value = "é" * (most + 1)
        found = [Found(2, long.name, value[:120], words)]
        cases["S-LENGTH"] = Case(Delivery([{long.name: value}]), found, [Delivery([{long.name: "é" * most}])])
    return cases | _symbols(contract, base, number)


def _optional(contract: Contract, base: Row) -> str | None:
    """A column that may be blank and is not in the base row."""
    return next((c.name for c in contract.columns if not c.is_required and not c.symbol_for and base[c.name] is not None), None)


def _symbols(contract: Contract, base: Row, number: str | None) -> dict[str, Case]:
    counts = [c.symbol_for for c in contract.columns if c.symbol_for is not None]
    if not counts:
        return {}
    count = number or counts[0]
    symbol, other = f"{count}_symbol", other_key(contract, base)
    return {
        "S-SYMBOL-MISSING": Case(
            Delivery([{count: None}]),
            [Found(2, count, None, f"{count} is blank and so is {symbol}")],
            [Delivery([{count: None, symbol: "c"}, other | {count: "0"}])],
        ),
        "S-SYMBOL-UNEXPECTED": Case(
            Delivery([{symbol: "c"}]),
            [Found(2, symbol, "c", f"{count} is {base[count]} and {symbol} is c")],
            [Delivery([{count: None, symbol: "c"}])],
        ),
    }


def _numbers(contract: Contract, base: Row) -> dict[str, Case]:
    """Least and most that a number can be, parts and their wholes, and numbers that stay about the same."""
    cases: dict[str, Case] = {}
    least = {c.name: c for c in contract.columns if c.minimum is not None}
    if least:
        cases["V-BELOW-MINIMUM"] = Case(
            Delivery([dict.fromkeys(least, "-1")]),
            sorted(Found(2, name, in_words(c, "-1"), f"{name} is below 0: {in_words(c, '-1')}") for name, c in least.items()),
            [Delivery([dict.fromkeys(least, "0"), {name: None for name in least if not least[name].is_required}])],
        )
    most = {c.name: c.maximum for c in contract.columns if c.maximum is not None}
    if most:
        cases["V-ABOVE-MAXIMUM"] = Case(
            Delivery([{name: str(maximum + 0.5) for name, maximum in most.items()}]),
            sorted(Found(2, name, str(m + 0.5), f"{name} is above {m:g}: {m + 0.5}") for name, m in most.items()),
            [Delivery([{name: f"{maximum:g}" for name, maximum in most.items()}, dict.fromkeys(most)])],
        )
    parts = {c.name: c.part_of for c in contract.columns if c.part_of is not None}
    if parts:
        above = {part: str(int(float(base[whole])) + 1) for part, whole in parts.items()}
        shown = {part: in_words(contract.by_name[part], text) for part, text in above.items()}
        of = {part: in_words(contract.by_name[whole], base[whole]) for part, whole in parts.items()}
        cases["V-PART-OVER-WHOLE"] = Case(
            Delivery([{part: text} for part, text in above.items()]),
            [
                Found(line, part, shown[part], f"{part} is {shown[part]} but {whole} is {of[part]}")
                for line, (part, whole) in enumerate(parts.items(), start=2)
            ],
            [
                Delivery([{part: base[whole]} for part, whole in parts.items()]),
                Delivery([without(contract, whole) | {part: "9999"} for part, whole in parts.items() if whole not in parts]),
                Delivery([without(contract, part) for part in parts]),
            ],
        )
    return cases | _steady(contract, base)


def _steady(contract: Contract, base: Row) -> dict[str, Case]:
    steady = {c.name: c.steady_from for c in contract.columns if c.steady_from is not None}
    if not steady:
        return {}
    other = other_key(contract, base)
    past = {name: str(n) for name, n in steady.items()}
    fewer = {name: (n - 1) // 2 for name, n in steady.items()}
    words = "{0} is {1}; in school year 2022-23 it is {2}"
    found = [Found(2, name, str(fewer[name]), words.format(name, fewer[name], n)) for name, n in steady.items()]
    found += [Found(3, name, str(2 * n + 1), words.format(name, 2 * n + 1, n)) for name, n in steady.items()]
    return {
        "Q-COUNT-CHANGED": Case(
            Delivery(
                [{name: str(n) for name, n in fewer.items()}, other | {name: str(2 * n + 1) for name, n in steady.items()}],
                past=[past, other | past],
            ),
            sorted(found, key=lambda entry: (entry.line or 0, entry.field or "")),
            [
                Delivery(
                    [
                        {name: str((n + 1) // 2) for name, n in steady.items()},
                        other | {name: str(2 * n) for name, n in steady.items()},
                    ],
                    past=[past, other | past],
                ),
                Delivery([dict.fromkeys(steady, "0")], past=[{name: str(n - 1) for name, n in steady.items()}]),
                Delivery([dict.fromkeys(steady, "0")], past=[other | past]),
                Delivery([{key: value for name in steady for key, value in without(contract, name).items()}], past=[past]),
            ],
        )
    }


def _whole_file(contract: Contract, base: Row, number: str | None) -> dict[str, Case]:
    cases = {
        "M-ROWS-FEWER": Case(
            Delivery([{}] * 17, past=[{}] * 20),
            [Found(None, None, "17", "rows in this delivery: 17; rows in school year 2022-23: 20", 17)],
            [Delivery([{}] * 18, past=[{}] * 20), Delivery([{}]), Delivery([], past=[{}] * 20)],
        )
    }
    optional = number or _optional(contract, base) or contract.column_names[-1]
    blank = without(contract, optional)
    message = f"{optional} is blank in every row; rows with a value in school year 2022-23: 2 of 3"
    needless = [Delivery([without(contract, optional, "z")], past=[{}, {}])] if len(blank) == 2 else []
    cases["M-COLUMN-EMPTIED"] = Case(
        Delivery([blank] * 2, past=[{}, {}, blank]),
        [Found(None, optional, None, message, 2)],
        [Delivery([blank], past=[{}, blank]), Delivery([blank, {}], past=[{}, {}]), *needless],
    )
    coded = [contract.by_name[name] for name in contract.key if contract.by_name[name].code_list not in (None, "instruments")]
    if coded:
        field, gone = coded[-1].name, other_code(coded[-1], base[coded[-1].name])
        cases["M-CODE-GONE"] = Case(
            Delivery([{}], past=[{}, {field: gone}, other_key(contract, base) | {field: gone}]),
            [Found(None, field, gone, f"no row has {field} {gone}; rows with it in school year 2022-23: 2")],
            [
                Delivery([{field: gone}, {}], past=[{}, {field: gone}]),
                Delivery([{field: f"{gone}~"}, {}], past=[{}, {field: gone}]),
                Delivery([], past=[{}]),
            ],
        )
    return cases | _copied(contract)


def _copied(contract: Contract) -> dict[str, Case]:
    parts = {c.name: c.part_of or "" for c in contract.columns if c.part_of is not None}
    if not parts:
        return {}
    depth = dict.fromkeys(parts.values(), 0)
    for name in parts:
        steps, at = 0, name
        while at in parts:
            steps, at = steps + 1, parts[at]
        depth[name] = steps
    same, apart = dict.fromkeys(depth, "30"), {name: str(30 - steps) for name, steps in depth.items()}
    blank = {key: value for name in parts for key, value in without(contract, name).items()}
    return {
        "M-PART-COPIED": Case(
            Delivery([same] * 20 + [dict.fromkeys(depth, "0"), blank]),
            sorted(
                (
                    Found(None, part, None, f"{part} equals {whole} in all rows that have both: 20", 20)
                    for part, whole in parts.items()
                ),
                key=lambda entry: entry.field or "",
            ),
            [
                Delivery([same] * 19),
                Delivery([same] * 20 + [apart]),
                Delivery([dict.fromkeys(depth, "0")] * 20),
                Delivery([same | blank] * 20),
            ],
        )
    }


def _schools(extract: str) -> dict[str, Case]:
    field = school_field(extract) or ""
    gone = "schools in school year 2022-23: 39; not in this delivery: 2, namely 038, 039"
    cases = {
        "M-ZEROS-LOST": Case(
            Delivery([{field: "7"}, {field: "12"}, {field: "7"}, {field: "013"}], past=schools(extract, 13)),
            [
                Found(
                    2, field, "7",
                    f'"7" is "007" in school year 2022-23; schools that differ in leading zeros only: 2. {ZEROS}', 3,
                )
            ],
            [
                Delivery([{field: "007"}, {field: "70"}, {field: "7a"}], past=schools(extract, 13)),
                Delivery([{field: "7"}]),
            ],
        ),
        "M-SCHOOLS-GONE": Case(
            Delivery(schools(extract, 37), past=schools(extract, 39)),
            [Found(None, field, "038, 039", gone)],
            [
                Delivery(schools(extract, 38), past=schools(extract, 40)),
                Delivery(schools(extract, 11), past=schools(extract, 12)),
                Delivery([{field: "1"}], past=schools(extract, 1)),
                Delivery([], past=schools(extract, 12)),
            ],
        ),
    }  # fmt: skip
    return cases if extract == "school_directory" else cases | school_cases(extract)


def school_cases(extract: str) -> dict[str, Case]:
    """Cases of the rule of extracts that name schools of the directory."""
    field = school_field(extract) or ""
    directory: list[Row] = [{"school_id": "007"}, {"school_id": "A-1"}]
    known: list[Row] = [{"school_id": f"{number:03d}"} for number in range(1, 39)]
    taking_part: list[Row] = [{"school_id": f"{number:03d}", "in_scope": "true"} for number in range(1, 40)]
    cases = {
        "M-SCHOOL-UNKNOWN": Case(
            Delivery([{field: "A-1"}, {field: "008"}, {field: "7"}, {field: "008"}], directory=directory),
            [Found(3, field, "008", 'school "008" is not in the school directory of 2023-24', 2)],
            [
                Delivery([{field: "A-1"}, {field: "007"}, {field: "7"}], directory=directory),
                Delivery([{field: "008"}]),
                # An earlier directory: one school may be new, and so may 2 of 40.
                Delivery([{field: "008"}, {field: "A-1"}], directory=directory, directory_year=YEAR_BEFORE),
                Delivery(schools(extract, 40), directory=known, directory_year=YEAR_BEFORE),
            ],
        ),
        "M-SCHOOLS-MISSING": Case(
            Delivery(schools(extract, 37), directory=taking_part),
            [
                Found(
                    None,
                    field,
                    "038, 039",
                    "schools in the school directory of 2023-24 that take part: 39; not in this delivery: 2, namely 038, 039",
                )
            ],
            [
                Delivery(schools(extract, 38), directory=[*taking_part, {"school_id": "040", "in_scope": "true"}]),
                # Schools that do not take part owe nothing, and last year's directory says nothing of this year's schools.
                Delivery(schools(extract, 37), directory=[row | {"in_scope": "false"} for row in taking_part]),
                Delivery(schools(extract, 37), directory=taking_part, directory_year=YEAR_BEFORE),
                Delivery([{field: "X-1"}, {field: "X-2"}], directory=taking_part),
                Delivery(schools(extract, 37)),
            ],
        ),
    }
    if not load_contract(CONTRACTS, extract).has_every_school:
        del cases["M-SCHOOLS-MISSING"]
    return cases
