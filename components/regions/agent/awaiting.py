"""Waiting for a condition, and asking several things at once, each with a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import files
from files import Refusal
from locks import holding
from pg import one_line


def wait_until(done: Callable[[], bool], seconds: float, late: Callable[[], Refusal], pause: float = 0.1) -> None:
    """`late` makes the refusal when it is due, so that it can tell what was missing at the last."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise late()
        time.sleep(pause)


def milliseconds(begun: float) -> float:
    return round((time.monotonic() - begun) * 1000, 1)


class Together:
    """Parts of a report. One that fails or hangs costs itself only."""

    def __init__(self, parts: dict[str, Callable[[], Any]], seconds: float) -> None:
        self.found: dict[str, Any] = {}
        self.problems: list[str] = []
        threads = {
            name: threading.Thread(target=self.attempt, args=(name, part), daemon=True) for name, part in parts.items()
        }
        for thread in threads.values():
            thread.start()
        deadline = time.monotonic() + seconds
        for name, thread in threads.items():
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self.problems.append(f"{name}: no answer within {seconds:g} s")
        # What comes later belongs to nobody: the report is as it was at its end.
        self.found, self.problems = dict(self.found), list(self.problems)

    def attempt(self, name: str, part: Callable[[], Any]) -> None:
        found, problems = self.found, self.problems
        try:
            found[name] = part()
        except Exception as problem:
            problems.append(f"{name}: {one_line(problem)}")


def alone() -> AbstractContextManager[None]:
    """One acting verb at a time on a host; the lock ends with its process, however that ends."""
    return holding(files.LOCK, 10, Refusal("E_BUSY", "another operation is at work on this host"))
