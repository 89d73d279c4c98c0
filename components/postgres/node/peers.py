"""Whether another node leads now: asked before a server is started as a primary, and while one leads alone.

An old primary that comes back by itself would take the writes of every client that still knows its address.
`strict` would let none of them in without the standby; every policy is better off without a second primary.
A peer that does not answer proves nothing, and keeps nobody from starting: a pair must come up again after both
sites were down. But where commits may go alone, a little longer is waited for one that is still coming up.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

import pg
from files import Node, Peer
from role import conninfo

ONE_LOOK, PATIENCE_ALONE = 1.0, 2.0
"""Seconds: for all peers together, and for those that do not answer where commits may go without them."""


@dataclass(frozen=True)
class PeerView:
    name: str
    system_identifier: str
    timeline: int
    primary: bool


def superseded(node: Node, system_identifier: str, timeline: int, views: list[PeerView]) -> str | None:
    """Why this node must not lead; None where nothing is known against it."""
    for view in views:
        if view.primary and view.system_identifier == system_identifier and view.timeline > timeline:
            return (
                f"superseded by {view.name}, which leads on timeline {view.timeline}; {node.name} is on timeline "
                f"{timeline} and does not lead: let it follow (`pulumi up` does)"
            )
    return None


def survey(node: Node, seconds: float) -> list[PeerView]:
    """Who answers within the time. The others' threads end by limits of their own."""
    views: list[PeerView] = []

    def ask(peer: Peer) -> None:
        try:
            views.append(look(node, peer, seconds))
        except Exception:  # no answer, whatever the reason
            return

    threads = [threading.Thread(target=ask, args=(peer,), daemon=True) for peer in node.peers]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(views)


def look(node: Node, peer: Peer, seconds: float) -> PeerView:
    """Over the replication protocol, which a peer admits whatever it lets clients do."""
    import psycopg

    with socket.create_connection((peer.address, peer.port), timeout=seconds):
        pass  # libpq's own limit is two seconds at least
    name = f"{node.name}:look"
    info = conninfo(node, peer, node.replication_role, name, connect_timeout="2", replication="true")
    with psycopg.connect(info, autocommit=True) as connection:
        found: Any = connection.execute("IDENTIFY_SYSTEM").fetchone()
        recovering: Any = connection.execute("SHOW in_hot_standby").fetchone()
    return PeerView(peer.name, text(found[0]), int(found[1]), text(recovering[0]) == "off")


def text(value: str | bytes) -> str:
    """A walsender has no database and so no encoding: what it says comes as bytes."""
    return value.decode() if isinstance(value, bytes) else value


class Inquiry(threading.Thread):
    """Asks on a thread, so that PID 1 goes on answering and reaping."""

    def __init__(self, node: Node, system_identifier: str, timeline: int) -> None:
        super().__init__(daemon=True)
        self.node = node
        self.system_identifier = system_identifier
        self.timeline = timeline
        self.reason: str | None = None
        self.nobody_leads = False
        self.start()

    def run(self) -> None:
        begun = time.monotonic()
        patience = ONE_LOOK if self.node.synchronous == "strict" else PATIENCE_ALONE
        while True:
            views = survey(self.node, ONE_LOOK)
            self.reason = superseded(self.node, self.system_identifier, self.timeline, views)
            all_answered = len(views) == len(self.node.peers)
            self.nobody_leads = all_answered and not any(view.primary for view in views)
            if self.reason or all_answered or self.node.synchronous == "strict":
                return
            if time.monotonic() - begun >= patience:
                return
            time.sleep(0.1)


def superseded_now(node: Node) -> str | None:
    """Of a server that runs as a primary."""
    from records import current_timeline

    with pg.connect(node, "guard", timeout_ms=1000) as connection:
        found = connection.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
        timeline = current_timeline(connection)
    return superseded(node, str(found[0]), timeline, survey(node, ONE_LOOK)) if found else None
