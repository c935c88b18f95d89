"""Fills the inbox of a demonstration home: with the synthetic network, or with public files exactly as they were delivered.

Which public file is whose stands in `data_contracts/public_data.csv`. What happens to a file in the inbox does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from pipelines.intake.desk import Desk, Identity
from pipelines.intake.inbox import READY_MARK
from pipelines.intake.states import ACKNOWLEDGEMENTS_NEEDED, READY
from pipelines.settings import PROJECT_ROOT
from pipelines.storage import Storage, canonical_json, sha256
from pipelines.warehouse.dbt import OWN_NAEP_RESULTS

Progress = Callable[[str], None]
SYNTHETIC = "synthetic"
TRUTH = f"{SYNTHETIC}/truth.json"
MADE = f"{SYNTHETIC}/made.json"
DEMONSTRATION = Identity("demonstration")
DEMONSTRATION_REASON = "Demonstration: taken as published or generated; nobody of the district was asked."


class PublicDataMissing(Exception):
    """A public file that the list names is not in the folder; the message names it."""


class OtherNetwork(Exception):
    """The home holds another synthetic network; the message says which, and what to do."""


def _generator_digest(contracts_folder: Path) -> str:
    package = sorted((PROJECT_ROOT / "pipelines" / SYNTHETIC).glob("*.py"))
    files = [*package, *sorted((contracts_folder / "codes").glob("*.csv")), *sorted(contracts_folder.glob(f"{SYNTHETIC}_*.csv"))]
    return sha256("\n".join(sha256(file.read_bytes()) for file in files).encode())


def fill_with_synthetic(storage: Storage, contracts_folder: Path, seed: int, scale: float, progress: Progress) -> bool:
    """Put the synthetic network into the inbox, its known truth and its NAEP results beside it; False when it is there already.

    Raises OtherNetwork: bytes that were delivered once never come back into force, so two networks cannot take turns.
    """
    made = {"seed": seed, "scale": scale, "generator_sha256": _generator_digest(contracts_folder)}
    held = storage.read_json(MADE) if storage.exists(MADE) else made
    if storage.exists(MADE) and held == made:
        return False
    if (held["seed"], held["scale"]) != (seed, scale):
        raise OtherNetwork(
            f"{storage.root} holds the synthetic network of seed {held['seed']} and scale {held['scale']:g}. "
            "Another one needs a home of its own: NMIP_HOME=FOLDER."
        )
    from pipelines.synthetic.files import write_deliveries, write_naep_results, write_truth
    from pipelines.synthetic.network import build_network

    progress(f"making the synthetic network (seed {seed}, scale {scale:g})")
    network = build_network(contracts_folder, seed, scale)
    storage.path(SYNTHETIC).mkdir(parents=True, exist_ok=True)
    write_truth(network, storage.path(TRUTH))
    write_naep_results(network, storage.path(OWN_NAEP_RESULTS))
    paths = write_deliveries(network, storage.path("inbox"))
    progress(f"{len(paths)} files are in the inbox")
    storage.write(MADE, canonical_json(made))
    return True


def listed_files(contracts_folder: Path, folder: Path) -> pl.DataFrame:
    """The public files of the list (delivery, district, extract, school_year, path). Raises PublicDataMissing."""
    listed = pl.read_csv(contracts_folder / "public_data.csv", infer_schema=False)
    missing = [path for path in listed["path"].unique(maintain_order=True) if not (folder / path).is_file()]
    if missing:
        raise PublicDataMissing(f"{folder} lacks {', '.join(missing)}")
    return listed


def fill_with_public_data(storage: Storage, contracts_folder: Path, folder: Path, progress: Progress) -> int:
    """Put the public files of the list into the inbox, byte for byte; returns how many files are new there.

    Several files of one delivery become one folder closed by `_READY`. Raises PublicDataMissing.
    """
    n_new = 0
    for place, files in listed_files(contracts_folder, folder).group_by(
        ["district", "extract", "school_year", "delivery"], maintain_order=True
    ):
        district, extract, school_year, delivery = (str(part) for part in place)
        target = f"inbox/{district}/{extract}/{school_year}"
        is_folder = files.height > 1
        for path in files["path"]:
            key = f"{target}/{delivery}/{Path(path).name}" if is_folder else f"{target}/{Path(path).name}"
            content = (folder / path).read_bytes()
            if not storage.exists(key) or storage.read(key) != content:
                storage.write(key, content)
                n_new += 1
        if is_folder and not storage.exists(f"{target}/{delivery}/{READY_MARK}"):
            storage.write(f"{target}/{delivery}/{READY_MARK}", b"")
        progress(f"{district}: {files.height} file{'s' if is_folder else ''} of {extract}")
    return n_new


def sign_as_demonstration(desk: Desk) -> list[str]:
    """Acknowledge and sign what waits for a person in a demonstration, and say so in every receipt; returns the ids."""
    signed = []
    for submission in desk.submissions():
        if submission.state not in (ACKNOWLEDGEMENTS_NEEDED, READY):
            continue
        submission_id = submission.key.submission_id
        for rule_id in desk.refreshed(submission).to_acknowledge:
            desk.acknowledge(submission_id, rule_id, DEMONSTRATION_REASON)
        note = DEMONSTRATION_REASON if desk.supersedes(submission) else None
        desk.sign(submission_id, DEMONSTRATION_REASON, note)
        signed.append(submission_id)
    return signed
