"""Files that an analyst takes home from the Submit pages: their names are cleaned, and a spreadsheet runs nothing in them.

What stands in the files is made by `pipelines.intake.exports` and the desk.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Sequence

import polars as pl
import streamlit as st

from pipelines.intake.exports import table_csv
from pipelines.intake.reading import DeliveredFile

LONGEST_NAME = 120
MIME = {
    "csv": "text/csv",
    "json": "application/json",
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def clean(name: str) -> str:
    """A file name that is no path on any system, hides nothing and is not too long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode()))[-1]
    kept = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(" .-~")
    stem, dot, ending = kept.rpartition(".")
    short = f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) <= 8 else kept[:LONGEST_NAME]
    return short or "file"


def csv_of(table: pl.DataFrame) -> bytes:
    """A table as csv that is safe to open in a spreadsheet program."""
    return table_csv(table, ",")


def zipped(files: Sequence[DeliveredFile]) -> bytes:
    """One archive of all files, under clean names that differ from each other."""
    buffer, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            name = clean(file.name)
            stem, dot, ending = name.rpartition(".")
            number = 1
            while name.casefold() in taken:
                number += 1
                name = f"{stem}_{number}{dot}{ending}" if dot else f"{ending}_{number}"
            taken.add(name.casefold())
            archive.writestr(name, file.content)
    return buffer.getvalue()


def button(label: str, name: str, content: bytes | Callable[[], bytes], key: str, primary: bool = False) -> None:
    """A download; with a function the file is made when it is asked for."""
    ending = name.rpartition(".")[2]
    st.download_button(
        label,
        data=content,
        file_name=clean(name),
        mime=MIME.get(ending, "application/octet-stream"),
        key=f"download.{key}",
        on_click="ignore",
        type="primary" if primary else "secondary",
        icon=":material/download:",
    )
