"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from pipelines.intake import inbox

# How long an example takes says something about the machine; what must be fast has a test or a benchmark of its own.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")

PUBLIC_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes of a test's files do not belong in its name: some hold the time at which they were made."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of government publications beside the project; without it a test skips, in CI it fails."""
    if PUBLIC_DATA.is_dir():
        return PUBLIC_DATA
    if os.environ.get("CI") == "true":
        pytest.fail("The public data are missing at ../shared/data, and CI must test against them.")
    pytest.skip("The public data are not at ../shared/data: tests against real files did not run.")


@pytest.fixture(scope="module")
def no_dbt_log() -> Iterator[None]:
    """dbt writes no log of every statement, here or in processes that tests start: it is a sixth of what a build costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_LOG_LEVEL_FILE", "none")
        yield


@pytest.fixture(autouse=True)
def files_are_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests in this process do not wait for files to settle; the tests of settling itself say how long."""
    monkeypatch.setattr(inbox, "SETTLE_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def the_main_module_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is tested becomes the main module, which a process that another test spawns would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
