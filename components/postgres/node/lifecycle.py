"""The life of one postmaster: what is started when, what an end of it means, and who waits for which.

It never escalates: a fast stop that takes too long is reported, and left to finish.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import files
from control import Waiter, reply
from files import Refusal
from guard import Guard
from observe import control_facts
from peers import Inquiry
from postmaster import ServerLog, orphaned_backends, remove_stale_locks, spawn, unfit

RESTARTS, RESTART_WINDOW = 5, 60.0
"""So many ends within so many seconds, then `failed`: whoever looks shall find the first error, not the hundredth."""


def log(message: str) -> None:
    print(f"understudy: {message}", file=sys.stderr, flush=True)


class Lifecycle:
    def __init__(self) -> None:
        self.state = "stopped"
        self.reason: str | None = None
        self.pid: int | None = None
        self.epoch = 0
        self.wanted_up = False
        self.start_again = False
        self.launched_at = 0.0
        self.retry_at: float | None = None
        self.orphans_until = 0.0
        self.ends: list[float] = []
        self.waiters: list[Waiter] = []
        self.log: ServerLog | None = None
        self.inquiry: Inquiry | None = None
        self.hold_reason = "stopped on demand"
        self.guard = Guard(lambda: (self.state, self.epoch))

    def become(self, state: str, reason: str | None = None) -> None:
        self.state, self.reason = state, reason
        self.guard.wake.set()

    def answer(self, goal: str) -> None:
        for waiter in [w for w in self.waiters if w.goal == goal]:
            self.waiters.remove(waiter)
            reply(waiter.connection, {"ok": True, "ms": round((time.monotonic() - waiter.begun) * 1000, 1)})

    def refuse(self, code: str, message: str) -> None:
        for waiter in self.waiters:
            reply(waiter.connection, {"ok": False, "code": code, "message": message})
        self.waiters.clear()

    def boot(self) -> None:
        """A hold ends with the container: whoever wants a node down for good fences its data directory."""
        try:
            if files.awaits_adoption():
                raise Refusal("E_NOT_STARTABLE", f"{files.PGDATA} is to be adopted: the plan looks into it first")
            self.launch()
        except (Refusal, OSError) as no:
            self.become("stopped", str(no))
            log(f"idle: {no}")

    def launch(self) -> None:
        files.locate()
        reason = unfit()
        if reason is not None:
            raise Refusal("E_NOT_STARTABLE", reason)
        node = files.installed_node()
        if node.peers and not files.is_standby():
            own = control_facts(node)
            self.inquiry = Inquiry(node, own["systemIdentifier"], own["timeline"])
            self.retry_at = None
            self.become("starting", "asking whether another node leads")
            return
        self.start_postmaster(node, peers_seen=False)

    def inquired(self, inquiry: Inquiry) -> None:
        self.inquiry = None
        if inquiry.reason is None:
            try:
                self.start_postmaster(inquiry.node, inquiry.nobody_leads)
            except (Refusal, OSError) as no:
                self.give_up(str(no))
            return
        log(inquiry.reason)
        self.wanted_up, self.retry_at = False, None
        self.become("held", inquiry.reason)
        self.refuse("E_SUPERSEDED", inquiry.reason)

    def start_postmaster(self, node: files.Node, peers_seen: bool) -> None:
        self.remember(files.STARTED, files.LOADED)
        self.take_over(node)
        self.guard.before_start(peers_seen)
        remove_stale_locks(node)
        source, sink = os.pipe()
        try:
            self.pid = spawn(node, sink)
        except Refusal:
            os.close(source)
            raise
        finally:
            os.close(sink)
        self.log = ServerLog(source)
        self.epoch += 1
        self.wanted_up, self.retry_at, self.launched_at = True, None, time.monotonic()
        self.become("starting")

    def take_over(self, node: files.Node) -> None:
        """A primary that had no standby serves on without one while its first is copied from it, which may take hours."""
        if files.awaits_adoption() and node.synchronous_names() != "" and not files.is_standby():
            files.write_marker(control_facts(node)["redoLsn"], "adoption")
        files.note_adoption()

    def remember(self, *directories: str) -> None:
        """Notes of ours must not keep a server down, on a full disk for example."""
        try:
            files.ensure_state()
            for directory in directories:
                files.remember_config(directory)
        except OSError as problem:
            log(f"the configuration in force could not be noted: {problem}")

    def ended(self, code: int) -> None:
        why = f"signal {-code}" if code < 0 else f"exit status {code}"
        if not self.wanted_up:
            self.become("held", self.hold_reason)
            self.answer("down")
            if self.start_again:
                self.start_again = False
                for waiter in self.waiters:
                    waiter.goal = "running"
                self.attempt()
            return
        reason = f"the server ended by itself ({why}): {self.log.why() if self.log else ''}"
        log(reason)
        if self.state == "starting" and any(w.goal == "running" for w in self.waiters):
            self.give_up(reason)
            return
        was_running = self.state == "running"
        moment = time.monotonic()
        self.ends = [end for end in self.ends if end > moment - RESTART_WINDOW] + [moment]
        if len(self.ends) > RESTARTS:
            self.give_up(f"gave up after {RESTARTS} restarts within {RESTART_WINDOW:.0f} s; {reason}")
            return
        self.become("starting", reason)
        self.orphans_until = moment + 5
        self.retry_at = moment if was_running else moment + 0.2 * 2 ** len(self.ends)

    def retry(self) -> None:
        """Backends that outlived their postmaster still have its shared memory: nothing starts before they are gone."""
        orphans = orphaned_backends()
        if orphans:
            late = time.monotonic() > self.orphans_until
            for pid in orphans:
                os.kill(pid, signal.SIGKILL if late else signal.SIGQUIT)
            self.retry_at = time.monotonic() + 0.01
            return
        self.attempt()

    def attempt(self) -> None:
        try:
            self.launch()
        except (Refusal, OSError) as no:
            self.give_up(str(no))

    def give_up(self, reason: str) -> None:
        self.wanted_up, self.retry_at = False, None
        self.become("failed", reason)
        self.refuse("E_START_FAILED", reason)
