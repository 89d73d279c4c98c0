"""
Runs Patroni with a clock that only counts on: `python3 steadyclock.py <patroni> <arguments>`, by Patroni's own Python.

Patroni measures by the time of day how long it sleeps and how long its lock is good for. Where the clock is set back by
five minutes it sleeps for as long, the lock ends, and its REST interface goes on calling it the primary beside the next
one (patroni#3560). So `time.time()` is the time of day at the start and what has passed since, also while the machine
was suspended. Its log shows that time; the database has the machine's.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from collections.abc import Callable
from contextlib import suppress


def steady() -> Callable[[], float]:
    begin = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return lambda: begin + time.clock_gettime(time.CLOCK_BOOTTIME)


def main() -> None:
    time.time = steady()
    del sys.argv[0]
    # The name that it would have without us, for whoever looks for it.
    with suppress(OSError), open("/proc/self/comm", "w") as name:
        name.write(os.path.basename(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
