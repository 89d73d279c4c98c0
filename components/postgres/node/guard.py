"""What a primary may promise, watched all the time: whether clients are let in, and whom commits wait for.

strict     A started primary lets clients in only when a standby has everything that it had on disk when it
           started. Commits that waited for the standby when the server went down become visible by the restart
           alone; a client that read one could see it vanish with a failover (protocols, finding 9).
           One that was promoted without a standby lets them in without one, also after a reboot out of everybody's
           sight: nobody else has its timeline, so nobody can have been promoted in its place. That ends with the
           first standby that attaches (the marker's `followed`): from then on another failover may have moved the
           role while this node was down. It needs to have seen every peer, of which none leads, or a standby in sync.
           A standby that attached in the last quarter of a second before a crash may be missed.
available  Commits stop waiting for a standby that stays away. Before the first one does, a marker is on disk, and
           it stays until a standby has all of it, so that nobody promises "nothing lost" meanwhile.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import files
import pg
from files import Node
from keeper import Keeper
from locks import hold
from records import unfinished, withdraw
from role import Role, read_role, write_role
from view import View, look, lsn

if TYPE_CHECKING:
    import psycopg


ALONE = ("failover", "adoption")
"""Whose marker says that there was no standby to wait for when it began: an operator promoted without one, or took over
a primary that had none. Clients are let in, and commits wait once a standby has caught up."""


def may_be_alone(node: Node, marker: dict[str, Any] | None) -> bool:
    """Whether commits may go without a standby now."""
    return node.synchronous == "available" or (marker is not None and marker["by"] in ALONE)


def clients_wait(node: Node, peers_seen: bool) -> bool:
    """
    Whether a server that starts now keeps clients out: as a standby for good, else until a standby is in sync.
    `peers_seen`: every peer has answered, and none leads.
    """
    if files.is_standby():
        return not node.standby_reads
    if node.synchronous != "strict" or not node.peers:
        return False
    marker = files.read_marker()
    if marker is None or marker["by"] not in ALONE:
        return True
    return marker["followed"] and not peers_seen


def write_admission() -> bool:
    """Puts the clients' lines where pg_hba.conf includes them. True when that changed something."""
    text = files.read_text(f"{files.LOADED}/clients.conf") or ""
    if files.read_text(files.ADMITTED) == text:
        return False
    with open(f"{files.ADMITTED}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(f"{files.ADMITTED}.new", files.ADMITTED)
    return True


def remove_admission() -> bool:
    if not os.path.exists(files.ADMITTED):
        return False
    os.unlink(files.ADMITTED)
    return True


class Guard(threading.Thread):
    def __init__(self, server: Callable[[], tuple[str, int]]) -> None:
        super().__init__(daemon=True, name="guard")
        self.server = server
        self.wake = threading.Event()
        self.lock = threading.Lock()
        self.connection: psycopg.Connection[Any] | None = None
        self.reloaded_at = 0.0
        self.complaint = ""
        self.keeper = Keeper()
        self.peers_seen = False
        self.forget(-1)

    def forget(self, epoch: int) -> None:
        """A server that was started again is judged anew."""
        self.epoch = epoch
        self.keeper.forget()
        self.since = time.monotonic()
        self.floor: int | None = None
        self.alone_since: float | None = None
        self.settling = False
        self.settled: int | None = None

    # ----------------------------------------------------------------------------------- called by the supervisor

    def before_start(self, peers_seen: bool) -> None:
        with self.lock:
            self.peers_seen = peers_seen
            if clients_wait(files.installed_node(), peers_seen):
                remove_admission()
            else:
                write_admission()

    def refresh_clients(self) -> None:
        with self.lock:
            if os.path.exists(files.ADMITTED):
                write_admission()

    # -------------------------------------------------------------------------------------------------- the watch

    def run(self) -> None:
        while True:
            try:
                pause = self.tick()
                self.complaint = ""
            except Exception as problem:  # it must outlive whatever the server does
                self.disconnect()
                complaint = f"understudy: guard: {pg.one_line(problem)}"
                if complaint != self.complaint and self.server()[0] == "running":
                    print(complaint, file=sys.stderr, flush=True)
                    self.complaint = complaint
                pause = 0.25
            self.wake.wait(pause)
            self.wake.clear()

    def tick(self) -> float:
        """One look, and what follows from it. Returns the seconds until the next one is due."""
        state, epoch = self.server()
        if state != "running":
            self.disconnect()
            return 1.0
        if epoch != self.epoch:
            self.disconnect()
            self.forget(epoch)
        node = files.loaded_node()
        view = self.look(node)
        if view.in_recovery:
            self.standby(node, view)
            self.keeper.standby(self.connected())
        else:
            self.primary(node, view)
            self.keeper.primary(self.connected(), node, any(s.streaming for s in view.standbys))
        if not os.path.exists(files.ADMITTED) and not view.in_recovery:
            return 0.05 if time.monotonic() - self.since < 5 else 0.25
        return 0.25 if self.alone_since is not None or os.path.exists(files.DEGRADED) else 1.0

    def standby(self, node: Node, view: View) -> None:
        role = read_role()
        wrong = role is not None and role.synchronous_names != node.synchronous_names()
        if wrong or (view.receiving and (os.path.exists(files.DEGRADED) or unfinished())):
            self.tidy(node)
        self.floor = self.alone_since = self.settled = None
        if node.standby_reads:
            self.admit()
        else:
            self.withdraw()

    def tidy(self, node: Node) -> None:
        """Names and marker of a standby. Not while a verb is at work: a promotion writes both before it happens."""
        if (fd := hold(files.LOCK)) is None:
            return
        try:
            view = self.look(node)
            if view.in_recovery:
                self.set_names(node.synchronous_names(), view)
            if view.in_recovery and view.receiving:
                files.remove_durably(files.DEGRADED)  # what this node acknowledged alone is settled: it follows
                withdraw()  # a promotion that did not come about
        finally:
            os.close(fd)

    def primary(self, node: Node, view: View) -> None:
        if self.floor is None:
            self.floor = view.end
        if node.synchronous_names() == "":
            self.set_names("", view)
            files.remove_durably(files.DEGRADED)
            self.admit()
            return
        marker = files.read_marker()
        if marker is None and view.names == "":
            # Waiting is switched on: until the standby has what went before, it went unconfirmed.
            files.write_marker(lsn(view.end), "policy")
            marker = files.read_marker()
        if marker is not None and not marker["followed"] and any(s.attached for s in view.standbys):
            files.note_follower(marker)
        self.watch_names(node, view, marker)
        # Whoever streams from here does not lead.
        seen = self.peers_seen or {s.name for s in view.standbys if s.streaming} >= {p.name for p in node.peers}
        if not clients_wait(node, seen) or (view.names == node.synchronous_names() and view.synchronous_with(self.floor)):
            self.admit()

    def watch_names(self, node: Node, view: View, marker: dict[str, Any] | None) -> None:
        """Whom commits wait for, and what the marker says of it."""
        wanted = node.synchronous_names()
        if view.names != wanted:
            self.settled = self.alone_since = None
            if not may_be_alone(node, marker) or view.caught_up():
                self.set_names(wanted, view)
            return
        if marker is not None:
            if self.settled is None:
                self.settle(node)
            elif view.synchronous_with(self.settled):
                files.remove_durably(files.DEGRADED)
        if node.synchronous != "available" or any(s.streaming and s.synchronous for s in view.standbys):
            self.alone_since = None
        elif self.alone_since is None:
            self.alone_since = time.monotonic()
        elif time.monotonic() - self.alone_since >= node.degrade_after:
            if marker is None:
                files.write_marker(lsn(view.end), "policy")
            self.set_names("", view)

    def settle(self, node: Node) -> None:
        """
        Finds a position from which on every commit has waited. The names are in force for commits when the
        checkpointer has taken them over, which nothing shows; it has done so by the end of a checkpoint that was
        asked for afterwards. That may take long, so a thread waits for it.
        """
        if self.settling:
            return
        self.settling = True
        epoch = self.epoch

        def wait() -> None:
            try:
                time.sleep(0.1)
                with pg.connect(node, "guard", timeout_ms=0) as connection:
                    connection.execute("CHECKPOINT")
                    row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()
                if row and epoch == self.epoch:
                    self.settled = int(row[0])
            except Exception:  # it is tried again at the next look
                pass
            self.settling = False
            self.wake.set()

        threading.Thread(target=wait, daemon=True).start()

    # -------------------------------------------------------------------------------------------------- its hands

    def set_names(self, names: str, view: View) -> None:
        """Sets `synchronous_standby_names`; again after a while where it did not come into force."""
        role = read_role() or Role("")
        overdue = view.names != names and time.monotonic() - self.reloaded_at > 5
        if role.synchronous_names != names or overdue:
            write_role(replace(role, synchronous_names=names))
            self.reload()

    def admit(self) -> None:
        with self.lock:
            if self.server() == ("running", self.epoch) and write_admission():
                self.reload()

    def withdraw(self) -> None:
        with self.lock:
            if remove_admission():
                self.reload()

    def reload(self) -> None:
        self.reloaded_at = time.monotonic()
        self.connected().execute("SELECT pg_reload_conf()")

    def connected(self) -> psycopg.Connection[Any]:
        assert self.connection is not None
        return self.connection

    def look(self, node: Node) -> View:
        if self.connection is None:
            self.connection = pg.connect(node, "guard", timeout_ms=2000)
        return look(self.connection, node)

    def disconnect(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
