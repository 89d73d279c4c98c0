"""When the next snapshot of Consul's state is due on this server. Its supervisor asks; a process of its own takes it."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import unit
from files import Refusal
from process import DEFAULTS

LOOK_SECONDS = 60.0
"""So soon a changed schedule counts, and so soon a snapshot that failed is tried again."""


class SnapshotSchedule:
    def __init__(self) -> None:
        self.pid: int | None = None
        self.next_look: float | None = time.monotonic() + LOOK_SECONDS

    def tick(self) -> None:
        if self.pid is not None or self.next_look is None or time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + LOOK_SECONDS
        try:
            config = unit.installed()
        except Refusal:
            return
        if config["role"] != "server":
            self.next_look = None
        elif is_due(config):
            argv = [sys.executable, os.path.abspath(sys.argv[0]), "snapshot"]
            self.pid = os.posix_spawn(argv[0], argv, os.environ, setsigdef=DEFAULTS)

    def patience(self) -> float | None:
        return None if self.pid is not None else self.next_look

    def ended(self) -> None:
        self.pid = None


def is_due(config: dict[str, Any]) -> bool:
    import snapshots

    schedule = snapshots.schedule(config)
    if schedule is None:
        return False
    last = snapshots.newest()
    return last is None or not 0 <= time.time() - last < schedule["everyHours"] * 3600
