"""The supervisor of a node (PID 1 of a container, or a service): starts, stops and restarts the postmaster, and
reaps whatever dies.

One loop waits for signals, control requests and deadlines at once, so that a stop is known the instant the
postmaster is gone: polling ten times a second, as pg_ctl does, would be a third of a switchover's write gap.
It never escalates: a fast stop that takes too long is reported, and left to finish.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import socket
import time
from typing import Any

import files
from control import Waiter, notify_ready, reply, signal_pipe
from files import Refusal
from lifecycle import Lifecycle, log
from loop import Loop
from postmaster import READY, postmaster_status


class Supervisor(Loop, Lifecycle):
    def __init__(self) -> None:
        super().__init__(log)
        self.leaving = False
        self.agent = files.agent_hash()

    # ------------------------------------------------------------------------------------------------ the loop

    def run(self) -> int:
        if os.getpid() != 1:
            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphaned backends come to us
        self.listen_to_signals()
        self.claim()  # before its socket, so that a second agent does not take the first one's place there
        self.listen_to_control()
        notify_ready()
        self.boot()
        self.guard.start()
        while not (self.leaving and self.pid is None):
            for key, _ in self.selector.select(self.patience()):
                self.survive(key.data)
            self.survive(self.look)
        log("stopped")
        return 0

    def patience(self) -> float | None:
        """How long there is nothing to do: None is until something happens."""
        if self.state == "starting" and self.pid is not None:
            # Nobody tells when a postmaster is ready; it writes it into postmaster.pid.
            return 0.002 if time.monotonic() - self.launched_at < 10 else 0.05
        if self.inquiry is not None:
            return 0.005
        times = [waiter.deadline for waiter in self.waiters]
        times += [self.retry_at] if self.retry_at is not None else []
        return max(0.0, min(times) - time.monotonic()) if times else None

    def look(self) -> None:
        """Everything that comes with time."""
        if self.state == "starting" and self.pid is not None and postmaster_status(self.pid) in READY:
            self.become("running")
            self.answer("running")
        if self.inquiry is not None and not self.inquiry.is_alive():
            self.inquired(self.inquiry)
        if self.retry_at is not None and time.monotonic() >= self.retry_at:
            self.retry()
        for waiter in [w for w in self.waiters if time.monotonic() >= w.deadline]:
            self.waiters.remove(waiter)
            verb = "STOP" if self.state == "stopping" else "START"
            seconds = round(time.monotonic() - waiter.begun, 1)
            why = f"the server is still {self.state} after {seconds} s; it is left as it is"
            reply(waiter.connection, {"ok": False, "code": f"E_{verb}_TIMEOUT", "message": why})

    # ------------------------------------------------------------------------------------------------- signals

    def listen_to_signals(self) -> None:
        self.signals = signal_pipe(signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        self.selector.register(self.signals[0], selectors.EVENT_READ, self.on_signals)

    def on_signals(self) -> None:
        numbers = set(self.signals[0].recv(4096))
        if signal.SIGCHLD in numbers:
            self.reap()
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            self.leave()
        if signal.SIGHUP in numbers:
            self.reload()

    def child_ended(self, pid: int, code: int) -> None:
        if pid == self.pid:
            self.pid = None
            self.ended(code)

    def leave(self) -> None:
        self.leaving, self.wanted_up, self.start_again, self.retry_at, self.inquiry = True, False, False, None, None
        if self.pid is not None:
            log("fast shutdown of the server")
            self.become("stopping")
            os.kill(self.pid, signal.SIGINT)

    # ------------------------------------------------------------------------------------------------- control

    def command(self, connection: socket.socket, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None: it is given when the goal is reached."""
        match request["do"]:
            case "state":
                return self.report()
            case "reload":
                return self.reload()
            case "poke":
                return self.poke()
            case "halt":
                return self.halt(str(request["reason"]))
        begun = time.monotonic()
        waiter = Waiter(connection, "running", begun, begun + float(request["limit"]))
        match request["do"]:
            case "start":
                return self.start(waiter)
            case "stop":
                return self.stop(waiter)
            case "restart":
                return self.restart(waiter)
        raise Refusal("E_UNKNOWN", f"there is no command {request['do']!r}")

    def report(self) -> dict[str, Any]:
        gone = self.log is not None and self.log.wal_gone()
        return {"state": self.state, "reason": self.reason, "pid": self.pid, "agent": self.agent, "walGone": gone}

    def poke(self) -> dict[str, Any]:
        self.guard.wake.set()
        return {}

    def reload(self) -> dict[str, Any]:
        self.remember(files.LOADED)
        self.guard.refresh_clients()
        if self.pid is not None:
            os.kill(self.pid, signal.SIGHUP)
        self.guard.wake.set()
        return {}

    def start(self, waiter: Waiter) -> dict[str, Any] | None:
        if self.state == "running":
            return {"ms": 0}
        if self.state == "stopping":
            raise Refusal("E_STOPPING", "the server is still stopping")
        if self.leaving:
            raise Refusal("E_STOPPING", "the node is stopping")
        if self.pid is None and self.inquiry is None:
            self.ends.clear()
            self.launch()
        self.waiters.append(waiter)
        return None

    def stop(self, waiter: Waiter) -> dict[str, Any] | None:
        self.wanted_up, self.start_again, self.retry_at, self.inquiry = False, False, None, None
        self.hold_reason = "stopped on demand"
        if self.pid is None:
            self.become("held", self.hold_reason)
            self.refuse("E_START_FAILED", "the server was stopped on demand")
            return {"ms": 0}
        if self.state != "stopping":
            self.become("stopping")
            os.kill(self.pid, signal.SIGINT)
        waiter.goal = "down"
        self.waiters.append(waiter)
        return None

    def restart(self, waiter: Waiter) -> dict[str, Any] | None:
        """One request, so that a caller who dies in the middle does not leave the server down."""
        if self.pid is None:
            return self.start(waiter)
        self.stop(waiter)
        waiter.goal, self.start_again = "started again", True
        return None

    def halt(self, reason: str) -> dict[str, Any]:
        """Another node leads now; see peers.py. It is a stop like any other: nothing is escalated."""
        if self.pid is not None and self.state in ("running", "starting"):
            log(reason)
            self.wanted_up, self.start_again, self.retry_at, self.hold_reason = False, False, None, reason
            self.become("stopping", reason)
            os.kill(self.pid, signal.SIGINT)
        return {}
