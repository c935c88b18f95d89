"""Runs all benchmarks, or those named: `python -m benchmarks check estimation disclosure refresh event`."""

from __future__ import annotations

import sys

from benchmarks import check, disclosure, estimation, event, refresh

ALL = {
    "check": check.main,
    "estimation": estimation.main,
    "disclosure": disclosure.main,
    "refresh": refresh.main,
    "event": event.main,
}


def main() -> None:
    """Run the named benchmarks in order."""
    names = sys.argv[1:] or list(ALL)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}")
    for name in names:
        print(f"\n== {name}", flush=True)
        ALL[name]()


if __name__ == "__main__":
    main()
