"""Every rule that a finding can name, with its tier, meaning and rationale: of the contract, of reading and of mapping.

Findings grouped by rule are made here too, for command line, page and exports alike. Running rules does not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import load_contract
from pipelines.contracts.dictionary import COLUMN_RULES, dictionary
from pipelines.intake.checking import rules_of
from pipelines.intake.mapping import MAPPING_RULES
from pipelines.intake.personal_data import PERSONAL_MEANING, READ_PERSONAL
from pipelines.intake.reading import READING_RULES

BLOCKING_TIERS = ("S", "V")
COLUMN_RATIONALE = "What has another name is not counted, and what is not needed may be data that NMIP must not hold."
SHOWN_FIXES = 6
CHECK_TIME = "CHECK-TIME"
CHECK_FAILED = "CHECK-FAILED"
CHECK_RULES = {
    CHECK_TIME: "The rules took longer over this delivery than they may.",
    CHECK_FAILED: "A rule could not be run on this delivery.",
}
READING_RATIONALE = "Only what is read without doubt can be checked line by line."
PERSONAL_RATIONALE = "The project works with counts; data about single students or people must never be in it."
MAPPING_RATIONALE = "Every delivered line is used or dropped for a reason that is told; nothing is lost in between."


@dataclass(frozen=True)
class RuleEntry:
    """What a reader must know of a rule. `tier` is S, V, Q or M."""

    rule_id: str
    tier: str
    meaning: str
    rationale: str
    version: str = ""
    how_to_fix: str = ""


def rule_book(contracts_folder: Path, extract: str) -> dict[str, RuleEntry]:
    """All rules of one extract by id, in the order in which they are looked at."""
    contract = load_contract(contracts_folder, extract)
    found = [
        *(RuleEntry(rule_id, "S", meaning, READING_RATIONALE) for rule_id, meaning in READING_RULES.items()),
        RuleEntry(READ_PERSONAL, "S", PERSONAL_MEANING, PERSONAL_RATIONALE),
        *(RuleEntry(rule_id, "S", meaning, MAPPING_RATIONALE) for rule_id, meaning in MAPPING_RULES.items()),
        *(RuleEntry(rule_id, "S", meaning, READING_RATIONALE) for rule_id, meaning in CHECK_RULES.items()),
        *(
            RuleEntry(f"{contract.rule_prefix}-S-{slug}", "S", meaning, COLUMN_RATIONALE, contract.version)
            for slug, meaning in COLUMN_RULES.items()
        ),
        *(
            RuleEntry(rule.rule_id, rule.tier, rule.meaning, rule.rationale, rule.version, rule.how_to_fix)
            for rule in rules_of(contracts_folder, contract)
        ),
    ]
    return {entry.rule_id: entry for entry in found}


def delivery_rules() -> dict[str, str]:
    """Rules that are the same for every extract: id and meaning of what is found before a row is looked at."""
    return {**READING_RULES, READ_PERSONAL: PERSONAL_MEANING, **MAPPING_RULES, **CHECK_RULES}


def dictionary_of(contracts_folder: Path, extract: str) -> str:
    """The dictionary page of one extract (Markdown): columns, codes, and every rule that a finding can name."""
    contract = load_contract(contracts_folder, extract)
    lists = {
        column.code_list: list(code_list(contracts_folder, column.code_list).select("code", "label").iter_rows())
        for column in contract.columns
        if column.code_list
    }
    return dictionary(contract, rules_of(contracts_folder, contract), lists, delivery_rules())


def by_rule(findings: pl.DataFrame, counts: Mapping[str, int], book: Mapping[str, RuleEntry]) -> list[dict[str, Any]]:
    """Findings grouped by rule, blocking tiers first, in the order of the rule book.

    Each group: rule_id, rule_version, tier, is_blocking, meaning, rationale, n_findings (`counts` may know of more than the
    table holds), affected_rows, fields, file, first_line, first_message, how_to_fix.
    """
    if findings.is_empty():
        return []
    grouped = findings.group_by("rule_id", "tier", maintain_order=True).agg(
        pl.col("rule_version").first(),
        pl.len().alias("n_listed"),
        pl.col("affected_rows").sum(),
        pl.col("field").drop_nulls().unique(maintain_order=True).alias("fields"),
        pl.col("file").first(),
        pl.col("line").first().alias("first_line"),
        pl.col("message").first().alias("first_message"),
        # A missing column is mended in its own way; most rules have one fix for all their findings.
        pl.col("how_to_fix").unique(maintain_order=True).head(SHOWN_FIXES).str.join(" "),
    )
    position = {rule_id: number for number, rule_id in enumerate(book)}
    groups = []
    for group in grouped.to_dicts():
        entry = book.get(group["rule_id"])
        groups.append(
            {
                **group,
                "n_findings": max(counts.get(group["rule_id"], 0), group["n_listed"]),
                "is_blocking": group["tier"] in BLOCKING_TIERS,
                "meaning": entry.meaning if entry else group["first_message"],
                "rationale": entry.rationale if entry else "",
            }
        )
    return sorted(groups, key=lambda g: ("SVQM".index(g["tier"]), position.get(g["rule_id"], len(position))))
