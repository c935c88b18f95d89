"""Templates of an extract to fill in, as downloads."""

from __future__ import annotations

from dashboards.submit_pages import downloads
from pipelines.contracts.codes import codes
from pipelines.contracts.contract import load_contract
from pipelines.contracts.template import csv_template, xlsx_template
from pipelines.intake.desk import Desk


def template_downloads(desk: Desk, extract: str) -> None:
    """Two buttons: the template as a workbook and as csv; each is made when it is asked for."""
    contract = load_contract(desk.contracts_folder, extract)
    lists = {c.code_list: codes(desk.contracts_folder, c.code_list) for c in contract.columns if c.code_list}
    downloads.button("Template (Excel)", f"{extract}_template.xlsx", lambda: xlsx_template(contract, lists), "template-xlsx")
    downloads.button("Template (CSV)", f"{extract}_template.csv", lambda: csv_template(contract), "template-csv")
