"""Sharing work out among processes that end with the one that began them.

What the work is does not belong here.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def shared_out(work: Callable[[Item], Answer], items: Sequence[Item], n_processes: int) -> Iterator[tuple[Item, Answer]]:
    """`work` of every item in `n_processes` new processes; items with their answers as they come.

    `work` and items must be picklable. What one raises is raised here, and what has not begun by then never begins.
    """
    pool = ProcessPoolExecutor(n_processes, mp_context=get_context("spawn"), initializer=_begin)
    try:
        asked = {pool.submit(work, item): item for item in items}
        yield from ((asked[done], done.result()) for done in as_completed(asked))
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    # Ctrl-C reaches every process of a terminal; the one that began the work decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Libraries count their objects when an interpreter is taken down, and complain to the terminal.
    atexit.register(_leave)


def _end_with_parent() -> None:
    """A killed parent says nothing, and a worker would wait for its next item for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _leave() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
