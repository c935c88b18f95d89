"""Unit tests do not wait for files to settle; the tests of settling itself say how long."""

from __future__ import annotations

import pytest

from pipelines.intake import inbox


@pytest.fixture(autouse=True)
def files_are_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "SETTLE_SECONDS", 0.0)
