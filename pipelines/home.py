"""What kind of data a home holds: `synthetic`, `public` or `live`, said once and never mixed."""

from __future__ import annotations

from pipelines.storage import Storage, canonical_json

KINDS = ("synthetic", "public", "live")
MARK = "home.json"


class MixedHome(Exception):
    """A call would mix kinds of data in one home; the message says which home to use instead."""


def home_kind(storage: Storage) -> str:
    """The kind of a home; a home that says nothing yet is live."""
    return str(storage.read_json(MARK)["kind"]) if storage.exists(MARK) else "live"


def claim_home(storage: Storage, kind: str) -> None:
    """Say what a new home holds, or check that it holds that. Raises MixedHome."""
    if not storage.exists(MARK):
        if kind != "live" and (storage.keys("submissions") or storage.keys("inbox")):
            raise MixedHome(
                f"{storage.root} already holds data and does not say that they are {kind}. "
                "Choose an empty folder: NMIP_HOME=FOLDER."
            )
        storage.create(MARK, canonical_json({"kind": kind}))
    held = home_kind(storage)
    if held != kind:
        raise MixedHome(f"{storage.root} holds {held} data; {kind} data need a home of their own: NMIP_HOME=FOLDER.")
