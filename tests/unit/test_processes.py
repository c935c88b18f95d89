"""Work that is shared out: every item has its answer, what goes wrong is told, and nothing outlives the process that began it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.processes import shared_out
from pipelines.settings import PROJECT_ROOT

BEGUN = """
import os, time
from pipelines.processes import shared_out
if __name__ == "__main__":
    first = True
    for item, pid in shared_out(os.getpgid, [0] * 2, 2):
        if first:
            import multiprocessing
            print(*(child.pid for child in multiprocessing.active_children()), flush=True)
            time.sleep(600)
"""


def test_every_item_has_its_answer() -> None:
    assert dict(shared_out(abs, [-3, 4, 0], 2)) == {-3: 3, 4: 4, 0: 0}
    assert list(shared_out(abs, [], 2)) == []


def test_what_goes_wrong_is_raised() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        dict(shared_out(int, ["12", "no number"], 1))


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif("sys.platform != 'linux'", reason="processes are looked up in /proc")
def test_a_killed_process_leaves_none_behind(tmp_path: Path) -> None:
    script = tmp_path / "begun.py"
    script.write_text(BEGUN)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    process = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    workers = [int(pid) for pid in process.stdout.readline().split()]
    assert workers and all(_is_running(pid) for pid in workers)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    deadline = time.monotonic() + 30
    while any(_is_running(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [pid for pid in workers if _is_running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []
