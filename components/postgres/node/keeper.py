"""What the guard does beside admission: records for the other node, a checkpoint for pg_rewind, a look at peers."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import files
import pg
import records
import systemroles
from control import ask
from files import Node
from locks import hold
from peers import superseded_now

if TYPE_CHECKING:
    import psycopg

LOOK_EVERY = 3.0
"""Seconds between two looks at the peers, while none of them streams from here."""


class Keeper:
    """Of one running server. It writes only what has changed: an idle pair's WAL stands still."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.made = self.checkpointed = False
        self.state: tuple[Any, ...] | None = None
        self.noted: dict[str, Any] | None = None
        self.noted_at = float("-inf")
        self.looked_at = time.monotonic()
        self.busy: set[str] = set()

    def standby(self, connection: psycopg.Connection[Any]) -> None:
        """At most once a second, and on an idle pair once in ten, because each is an fsync."""
        self.made = self.checkpointed = False
        pause = time.monotonic() - self.noted_at
        if pause < 1 or (note := records.received(connection)) is None:
            return
        if pause >= 10 or self.noted is None or without_clock(note) != without_clock(self.noted):
            files.write_durably(files.RECEIVED, json.dumps(note) + "\n")
            self.noted, self.noted_at = note, time.monotonic()

    def primary(self, connection: psycopg.Connection[Any], node: Node, streamed: bool) -> None:
        if not self.made:
            systemroles.ensure(connection, node)
            self.made, self.state = True, None
        marker = files.read_marker() or {"since": None, "lsn": None}
        state = (node.name, node.synchronous, marker["since"], marker["lsn"])
        if state != self.state:
            records.write_state(connection, state)
            self.state = state
        if records.unfinished():
            finish_record(connection)
        if not self.checkpointed:
            self.checkpointed = records.recorded_timeline(connection) == records.current_timeline(connection)
            if not self.checkpointed:
                self.aside("checkpoint", lambda: checkpoint_soon(node))
        if streamed:
            self.looked_at = time.monotonic()
        elif node.peers and time.monotonic() - self.looked_at >= LOOK_EVERY:
            self.looked_at = time.monotonic()
            self.aside("peers", lambda: halt_if_superseded(node))

    def aside(self, name: str, work: Callable[[], None]) -> None:
        """On a thread, one of a name at a time: the guard's own work must not wait for it."""
        busy = self.busy
        if name in busy:
            return
        busy.add(name)

        def run() -> None:
            try:
                work()
            except Exception as problem:  # it is tried again at the next look
                print(f"understudy: {name}: {pg.one_line(problem)}", file=sys.stderr, flush=True)
                time.sleep(LOOK_EVERY)
            busy.discard(name)

        threading.Thread(target=run, daemon=True).start()


def without_clock(note: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in note.items() if name != "lastContactAt"}


def finish_record(connection: psycopg.Connection[Any]) -> None:
    """Of a promotion whose verb was cut off. One that is at work does it itself."""
    if (fd := hold(files.LOCK)) is not None:
        try:
            records.complete(connection)
        finally:
            os.close(fd)


def checkpoint_soon(node: Node) -> None:
    """
    After a promotion PostgreSQL takes minutes over a checkpoint, and pg_rewind reads its source's timeline from the
    control file. A second later than the first writes, whose commits it would hold up.
    """
    time.sleep(1)
    with pg.connect(node, "guard", timeout_ms=0) as connection:
        connection.execute("CHECKPOINT")


def halt_if_superseded(node: Node) -> None:
    reason = superseded_now(node)
    if reason is not None:
        ask({"do": "halt", "reason": reason})
