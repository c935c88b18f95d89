"""A full refresh of the demo: from an empty home, and again with nothing changed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipelines.settings import PROJECT_ROOT


def _demo(home: Path) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "demo", "--no-serve"],
        env={**os.environ, "NMIP_HOME": str(home), "PYTHONPATH": str(PROJECT_ROOT)},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start


def main() -> None:
    """Print seconds and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        first, second = _demo(home), _demo(home)
        print(f"demo from nothing (scale 0.25){first:6.1f} s   1.00 x")
        print(f"the same again                {second:6.1f} s   {second / first:.2f} x")
