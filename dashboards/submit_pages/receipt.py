"""A receipt in plain words. What it proves stands in `pipelines.intake.receipts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboards.submit_pages.words import accounting, counted, exact, moment, said


def in_words(receipt: Mapping[str, Any]) -> None:
    """Who signed what, when, and what stood behind it. `receipt` is one that `make_receipt` made."""
    signer = exact(receipt["signer"]) if receipt["how"] == "signed" else "NMIP, as the district chose automatic certification"
    rows = [
        ("Signed by", f"{signer}, {moment(receipt['certified_at'])}"),
        ("Statement", said(receipt["statement"])),
        ("Files", "; ".join(f"{exact(f['name'])} (SHA-256 {f['sha256'][:12]}…)" for f in receipt["files"])),
        ("Lines", said(accounting("line", receipt["lines"]))),
        ("Findings", _findings(receipt)),
        ("Rules", f"contract version {said(receipt['contract_version'])}, {counted(len(receipt['rule_versions']), 'rule')}"),
    ]
    if receipt["supersedes"]:
        rows.insert(2, ("Replaces", said(f"submission {int(receipt['supersedes'].rpartition('/')[2])}")))
        rows.insert(3, ("Release note", said(receipt["release_note"])))
    rows += [
        (
            "Acknowledged",
            f"{said(entry['rule_id'])}: {counted(entry['n'], 'finding')} by {exact(entry['actor'])}, “{said(entry['reason'])}”",
        )
        for entry in receipt["acknowledgements"]
    ]
    with st.container(key="receipt"):
        st.table(
            pl.DataFrame(rows, schema=["What", "Content"], orient="row"),
            border="horizontal",
            hide_index=True,
            hide_header=True,
            alt="The receipt in words.",
        )


def _findings(receipt: Mapping[str, Any]) -> str:
    counts = {rule_id: n for rule_id, n in receipt["findings"].items() if n}
    if not counts:
        return "nothing was found"
    return f"{counted(sum(counts.values()), 'finding')} of {counted(len(counts), 'rule')}, all acknowledged"
