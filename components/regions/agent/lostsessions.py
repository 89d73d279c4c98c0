"""Ends sessions to a server that is marked down, in every worker of HAProxy, so that no client waits for who is gone.

HAProxy's own `on-marked-down shutdown-sessions` does not suffice (seen with 3.0). A worker that a reload has replaced
keeps its sessions and makes no checks, so it ends none of them. And whoever is being connected when the server is
marked down is never served nor let go, not even when he gives up: such a one must be left to `timeout connect`.

So this looks at the verdict of the worker that makes checks, and ends what is established against it in any worker.
"""

from __future__ import annotations

import re
import time
from typing import NamedTuple

import background
import haproxy
from files import Refusal
from output import log

PAUSE_SECONDS = 0.25
SHARE = 4
"""A look that takes long, with many workers or on a busy host, is followed by a pause of so many times as long."""
LONGEST_PAUSE_SECONDS = 1.0
"""Also until the next look where no HAProxy answers."""
FIRST_VERDICT_SECONDS = 10
"""
Since the reload, for a server that the new worker has never found up. Until then it may have been asked once, and be
well; `fall` checks take at most 9 s (profile `wan`). One that was up and then failed was asked `fall` times already.
"""
AGAIN_SECONDS = 2.0
"""Until one that is still there is told again."""
BATCH = 50
"""Sessions ended with one request: HAProxy takes 16 KiB."""
ESTABLISHED = "8"
"""State of a session's way to its server."""
SESSION = re.compile(r"^(0x[0-9a-f]+): .* be=(\S+) srv=(\S+) .* (?:scb|s1)=\[(\d+),", re.MULTILINE)

Server = tuple[str, str]
"""Backend and name."""


class Session(NamedTuple):
    worker: int | None
    """None: the one that makes checks."""
    pointer: str
    server: Server


class LostSessions:
    def __init__(self) -> None:
        self.told: dict[Session, float] = {}
        """To end, and when; those that are still there."""

    def look(self) -> float:
        begun = time.monotonic()
        current = haproxy.current()
        if current is None:
            self.forget()
            return LONGEST_PAUSE_SECONDS
        found = found_in(None, current, current)
        for worker in haproxy.old_workers():
            found += found_in_old(worker, current)
        self.told = {session: at for session, at in self.told.items() if session in found}
        if found:
            self.end(found, begun)
        return min(LONGEST_PAUSE_SECONDS, max(PAUSE_SECONDS, SHARE * (time.monotonic() - begun)))

    def forget(self) -> None:
        self.told.clear()

    def end(self, found: list[Session], now: float) -> None:
        """The verdict anew, now that the sessions are known: one to a server that has come up meanwhile is healthy."""
        lost = lost_servers(haproxy.current() or [])
        due = [s for s in found if s.server in lost and now >= self.told.get(s, now - AGAIN_SECONDS) + AGAIN_SECONDS]
        for worker in {session.worker for session in due}:
            pointers = [session.pointer for session in due if session.worker == worker]
            for first in range(0, len(pointers), BATCH):
                end_in(worker, pointers[first : first + BATCH])
        say([session for session in due if session not in self.told])
        self.told.update((session, now) for session in due)


def end_in(worker: int | None, pointers: list[str]) -> None:
    try:
        haproxy.tell(worker, [f"shutdown session {pointer}" for pointer in pointers])
    except Refusal:
        pass  # a worker that cannot be asked now is asked again, if it is still there


def say(ended: list[Session]) -> None:
    for server in sorted({session.server for session in ended}):
        mine = [session for session in ended if session.server == server]
        left = sum(session.worker is not None for session in mine)
        behind = f", {left} of them left behind by a reload" if left else ""
        log(f"haproxy: {'/'.join(server)} is down; sessions to it that are ended: {len(mine)}{behind}")


def lost_servers(rows: list[haproxy.Row]) -> set[Server]:
    return {server_of(row) for row in rows if is_lost(row)}


def is_lost(row: haproxy.Row) -> bool:
    """No server is up before its first check, which proves nothing against the sessions that it has from before."""
    if row["status"].startswith("MAINT"):
        return True
    if not row["status"].startswith("DOWN"):
        return False
    # Failed checks are only counted of a server that was up.
    if int(row["chkfail"] or 0) > 0:
        return True
    checked = row["check_status"].removeprefix("* ") not in ("", "INI")
    return checked and int(row["lastchg"] or 0) >= FIRST_VERDICT_SECONDS


def found_in_old(worker: int, verdict: list[haproxy.Row]) -> list[Session]:
    """None in one that has ended meanwhile, or while the master makes a new one and cannot be asked."""
    try:
        return found_in(worker, haproxy.rows(worker), verdict)
    except Refusal:
        return []


def found_in(worker: int | None, rows: list[haproxy.Row], verdict: list[haproxy.Row]) -> list[Session]:
    """With the worker's own rows. A server that it alone knows has left the configuration, and nobody asks it."""
    used = {server_of(row) for row in rows if int(row["scur"] or 0) > 0}
    wanted = used & lost_servers(verdict)
    if not wanted:
        return []
    matches = SESSION.findall(haproxy.tell(worker, ["show sess"]))
    there = [(pointer, (backend, name)) for pointer, backend, name, state in matches if state == ESTABLISHED]
    return [Session(worker, pointer, server) for pointer, server in there if server in wanted]


def server_of(row: haproxy.Row) -> Server:
    return row["pxname"], row["svname"]


def ensure() -> None:
    watch = LostSessions()
    background.keep("lost sessions", watch.look, watch.forget)
