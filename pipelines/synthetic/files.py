"""A synthetic network as files: a csv for each district, extract and school year; the truth as JSON.

A file appears whole or not at all. What stands in the files is decided before: see `network`.
"""

from __future__ import annotations

import os
from pathlib import Path

from pipelines.storage import canonical_json
from pipelines.synthetic.model import SyntheticNetwork


def write_deliveries(network: SyntheticNetwork, folder: Path) -> list[Path]:
    """Write every extract as a csv file below `folder` and return the paths of all, in the network's order.

    The place is `<district>/<extract>/<school_year>/<district>_<extract>_<school_year>.csv`. UTF-8, a header
    of the contract's column names, comma separated, blank where there is no value, booleans `true` and
    `false`, lines ending in a line feed. A file that already holds the same bytes is left untouched.
    """
    paths = []
    for (district, extract, school_year), rows in network.extracts.items():
        path = folder / district / extract / school_year / f"{district}_{extract}_{school_year}.csv"
        _replace(path, rows.write_csv(None).encode())
        paths.append(path)
    return paths


def write_truth(network: SyntheticNetwork, path: Path) -> None:
    """Write the network's truth as JSON in UTF-8, the same bytes for the same seed and scale."""
    _replace(path, canonical_json(network.truth))


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
