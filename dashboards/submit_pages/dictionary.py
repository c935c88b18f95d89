"""Dictionary: what every column, code and rule of an extract means, from its contract; and templates to fill in."""

from __future__ import annotations

import re

import streamlit as st

from dashboards.submit_pages import frame
from dashboards.submit_pages.place import choose_extract
from dashboards.submit_pages.templates import template_downloads
from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import load_contract
from pipelines.contracts.dictionary import dictionary
from pipelines.intake.checking import rules_of
from pipelines.intake.desk import Desk
from pipelines.intake.rule_book import rule_book


def page(desk: Desk) -> None:
    """Draw the page. Raises ContractError."""
    title = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        extract = choose_extract(desk)
        template_downloads(desk, extract)
    contract = load_contract(desk.contracts_folder, extract)
    lists = {
        column.code_list: list(code_list(desk.contracts_folder, column.code_list).select("code", "label").iter_rows())
        for column in contract.columns
        if column.code_list
    }
    rules = rules_of(desk.contracts_folder, contract)
    own = {rule.rule_id for rule in rules}
    entries = rule_book(desk.contracts_folder, extract).values()
    of_delivery = {entry.rule_id: entry.meaning for entry in entries if entry.rule_id not in own}
    heading, _, text = dictionary(contract, rules, lists, of_delivery).partition("\n")
    title.title(f"Dictionary: {heading.removeprefix('# ')}", anchor=False)
    sections = re.findall(r"^## ([A-Za-z ]+)$", text, re.MULTILINE)
    st.markdown("On this page: " + " · ".join(f"[{name}](#{name.lower().replace(' ', '-')})" for name in sections))
    st.markdown(text)


page(frame.open_desk())
