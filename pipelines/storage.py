"""The one door to kept state: named objects under a home, written whole or not at all.

Keys are relative, `/`-separated and never contain what a district typed. Built on obstore, whose local store writes beside
and renames, and whose `create` mode succeeds for exactly one of several writers; the same calls work on an object store.
What the objects mean does not belong here.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore


class Storage:
    """Objects under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(root)

    def path(self, key: str) -> Path:
        """Where an object lies on this machine, for engines that read by path."""
        return self.root / key

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def read(self, key: str) -> bytes:
        """The bytes of an object. Raises FileNotFoundError."""
        return bytes(obstore.get(self._store, key).bytes())

    def read_json(self, key: str) -> Any:
        """The parsed JSON of an object. Raises FileNotFoundError."""
        return json.loads(self.read(key))

    def write(self, key: str, content: bytes) -> None:
        """Replace an object atomically."""
        obstore.put(self._store, key, content)

    def create(self, key: str, content: bytes) -> bool:
        """Write an object unless it exists; False when another writer was first."""
        try:
            obstore.put(self._store, key, content, mode="create")
        except AlreadyExistsError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no failure."""
        self.path(key).unlink(missing_ok=True)

    def keys(self, prefix: str) -> list[str]:
        """Keys of the objects below `prefix`, sorted; a prefix without objects gives an empty list."""
        listed = obstore.list(self._store, prefix=prefix).collect()
        return sorted(entry["path"] for entry in listed)


def canonical_json(value: Any) -> bytes:
    """JSON that is the same bytes for the same value.

    A file name that is not UTF-8 reaches Python as lone surrogates; they are written as JSON escapes and read back as such.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()
