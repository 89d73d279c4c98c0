"""`serve --offline`: an agent beside a unit that is stopped, with that unit's volumes and no server.

    docker run --rm -i --volumes-from <container> --network none <image> python3 /etc/understudy/node.py serve --offline

It can read what is there and fence it. The supervisor of a unit that runs holds a lock on the volume, which
counts across containers, where process numbers do not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import files
from files import Refusal
from locks import hold
from observe import Report
from postmaster import other_server
from roleverbs import RoleVerbs

ALLOWED = frozenset({"observe", "control", "follow", "lead", "keepDivergent", "lock", "unlock"})


class OfflineVerbs(RoleVerbs):
    def perform(self, verb: str, args: dict[str, Any]) -> Any:
        if verb not in ALLOWED:
            raise Refusal("E_OFFLINE", f"{verb} needs the node's unit, which is stopped")
        with data_directory():
            return super().perform(verb, args)

    def require_down(self) -> None:
        """`data_directory` has seen to it."""

    def observe(self, catalog: bool = False) -> dict[str, Any]:
        return Report(self.session, catalog, offline=True).make()


@contextmanager
def data_directory() -> Iterator[None]:
    """Nobody else's for the time of a verb. A unit that is started meanwhile waits for it."""
    files.ensure_state()
    fd = hold(files.SUPERVISOR_LOCK, 0.2)
    if fd is None:
        raise Refusal("E_RUNNING", "the node is up: its supervisor runs")
    try:
        if (pid := other_server()) is not None:
            raise Refusal("E_RUNNING", f"a server runs on the data directory (process {pid})")
        yield
    finally:
        os.close(fd)
