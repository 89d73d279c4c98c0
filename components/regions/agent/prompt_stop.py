"""Lets Patroni notice at once that the server which it stops for a switchover is down (patroni/handoverStop.ts)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import files

HANDOVER = f"{files.RUN}/handover"
"""As rendered into patroni.yml. Its end is in it: whoever dies before he removes it leaves nothing that goes on."""


@contextlib.contextmanager
def prompt(seconds: float) -> Iterator[None]:
    """For at most `seconds`."""
    with open("/proc/uptime") as file:
        until = int(float(file.read().split()[0]) + seconds)
    draft = f"{HANDOVER}.{os.getpid()}"
    with open(draft, "w") as file:
        file.write(f"{until}\n")
    os.chmod(draft, 0o644)  # Patroni may run as another account
    os.rename(draft, HANDOVER)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(HANDOVER)
