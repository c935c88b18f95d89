"""A synthetic network as files: what each district would deliver, in its own layout and with its faults; NAEP; the truth.

A file appears whole or not at all. What stands in the files is decided before: see `network`, `layouts` and `faults`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from pipelines.intake.inbox import READY_MARK
from pipelines.storage import canonical_json
from pipelines.synthetic.faults import file_stem
from pipelines.synthetic.layouts import LAYOUTS, contract_file, native_files
from pipelines.synthetic.model import SyntheticNetwork

# Sorts behind the name of the faulty file: the inbox takes deliveries of one place in the order of their names.
CORRECTED = "_corrected"


def write_deliveries(network: SyntheticNetwork, folder: Path) -> list[Path]:
    """Write what the districts deliver below `folder` and return the paths of all files, in the network's order.

    The place is `<district>/<extract>/<school_year>/`, under the last year for a file of several years. A district with a
    layout of its own writes in it, the others a csv of the contract's columns: UTF-8, comma separated, blank where there is
    no value, booleans `true` and `false`, lines ending in a line feed. Several files of one delivery are a folder closed by
    `_READY`, which is not among the paths. A file with a planted fault comes first, the corrected one beside it. A file that
    already holds the same bytes is left untouched.
    """
    paths = []
    for district, extract, school_year, rows in _deliveries(network):
        place = folder / district / extract / school_year
        stem = file_stem(district, extract, school_year)
        spoiled = network.faulty.get((district, extract, school_year))
        if spoiled is not None:
            paths += _write_files(place, contract_file(spoiled, stem), stem)
            stem += CORRECTED
        paths += _write_files(place, native_files(network.layouts.get((district, extract)), rows, stem), stem)
    return paths


def write_extracts(network: SyntheticNetwork, folder: Path) -> list[Path]:
    """Write every extract, right and in the contract's columns, as `<district>/<extract>/<school_year>/<name>.csv`."""
    paths = []
    for (district, extract, school_year), rows in network.extracts.items():
        stem = file_stem(district, extract, school_year)
        paths += _write_files(folder / district / extract / school_year, contract_file(rows, stem), stem)
    return paths


def write_truth(network: SyntheticNetwork, path: Path) -> None:
    """Write the network's truth as JSON in UTF-8, the same bytes for the same seed and scale."""
    _replace(path, canonical_json(network.truth))


def write_naep_results(network: SyntheticNetwork, path: Path) -> None:
    """Write what NAEP published of the network as csv in UTF-8, with the columns of the seed `naep_results`."""
    _replace(path, network.naep_results.write_csv().encode())


def _deliveries(network: SyntheticNetwork) -> Iterator[tuple[str, str, str, Mapping[str, pl.DataFrame]]]:
    """District, extract, the year under which it is sent, and the rows of the years that the delivery holds."""
    for (district, extract, school_year), rows in network.extracts.items():
        layout = network.layouts.get((district, extract))
        if layout is None or not LAYOUTS[layout].spans_years:
            yield district, extract, school_year, {school_year: rows}
            continue
        all_years = {year: frame for (d, e, year), frame in network.extracts.items() if (d, e) == (district, extract)}
        if school_year == max(all_years):
            yield district, extract, school_year, all_years


def _write_files(place: Path, files: tuple[tuple[str, bytes], ...], stem: str) -> list[Path]:
    if len(files) == 1:
        name, content = files[0]
        _replace(place / name, content)
        return [place / name]
    for name, content in files:
        _replace(place / stem / name, content)
    _replace(place / stem / READY_MARK, b"")
    return [place / stem / name for name, _ in files]


def _replace(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
