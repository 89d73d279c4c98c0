"""The supervisor of a host (PID 1 of a container, or a service): starts, stops and restarts its programs, each for
itself, and reaps whatever dies.

One loop waits for signals, control requests and deadlines at once. Nothing in it waits for anything else: what takes
time is a process of its own, or a conversation's.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import time

import files
from commands import Commands
from control import notify_ready, signal_pipe
from files import Refusal
from loop import Loop
from output import log
from patroniprogram import PatroniProgram
from snapshotschedule import SnapshotSchedule

CONFIGURE_AGAIN_SECONDS = 2.0


class Supervisor(Loop, Commands):
    def __init__(self) -> None:
        super().__init__(log)
        self.configure_at: float | None = None
        self.snapshots = SnapshotSchedule()

    # ------------------------------------------------------------------------------------------------ the loop

    def run(self) -> int:
        if os.getpid() != 1:
            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come to us
        self.listen_to_signals()
        self.claim()  # before its socket, so that a second agent does not take the first one's place there
        self.listen_to_control()
        notify_ready()
        self.survive(self.boot)
        while not (self.leaving and not any(program.busy for program in self.programs.values())):
            for key, _ in self.selector.select(self.patience()):
                self.survive(key.data)
            self.survive(self.look)
        log("stopped")
        return 0

    def patience(self) -> float | None:
        """How long there is nothing to do: None is until something happens."""
        times = [program.patience() for program in self.programs.values()] + [self.configure_at]
        times.append(self.snapshots.patience())
        known = [at for at in times if at is not None]
        return max(0.0, min(known) - time.monotonic()) if known else None

    def look(self) -> None:
        """Everything that comes with time."""
        for program in self.programs.values():
            self.survive(program.tick)
        if self.leaving:
            self.stop_next()
            return
        self.survive(self.snapshots.tick)
        if self.configure_at is not None and time.monotonic() >= self.configure_at:
            self.boot()

    def boot(self) -> None:
        """Where the configuration is not there (yet), it is waited for."""
        self.configure_at = None
        try:
            self.configure()
        except Refusal as no:
            if str(no) != self.problem:
                log(f"idle: {no}")
            self.problem, self.configure_at = str(no), time.monotonic() + CONFIGURE_AGAIN_SECONDS
            return
        self.problem = None
        for program in self.programs.values():
            self.survive(program.launch)

    # ------------------------------------------------------------------------------------------------- signals

    def listen_to_signals(self) -> None:
        self.signals = signal_pipe(signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
        self.selector.register(self.signals[0], selectors.EVENT_READ, self.on_signals)

    def on_signals(self) -> None:
        numbers = set(self.signals[0].recv(4096))
        if signal.SIGCHLD in numbers:
            self.reap()
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            self.leave()

    def child_ended(self, pid: int, code: int) -> None:
        if pid == self.snapshots.pid:
            self.snapshots.ended()
        for program in self.programs.values():
            if pid == program.pid:
                program.ended(code)
            elif isinstance(program, PatroniProgram) and pid == program.inquiry:
                program.inquired(code)

    def leave(self) -> None:
        """In the reverse order, each when the one before is down: Patroni gives its lock back through Consul."""
        self.leaving, self.configure_at = True, None
        self.stop_next()

    def stop_next(self) -> None:
        for program in reversed(self.programs.values()):
            if program.stopping != "leave" and program.state not in ("stopped", "held"):
                program.stop("leave")
            if program.busy:
                return
