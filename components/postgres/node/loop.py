"""What every supervisor's loop has: it outlives its own mistakes, has the volume for itself, and takes requests at the
control socket, one a connection."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections.abc import Callable
from typing import Any

import files
from control import listen, reply
from files import Refusal
from locks import hold


class Loop:
    command: Callable[[socket.socket, dict[str, Any]], dict[str, Any] | None]
    """The answer; None: it is given when the goal is reached."""
    child_ended: Callable[[int, int], None]
    """Process id and exit code (-N: signal N), of any process: PID 1 inherits those of others."""

    def __init__(self, log: Callable[[str], None]) -> None:
        super().__init__()
        self.say = log
        self.selector = selectors.DefaultSelector()

    def survive(self, work: Callable[[], Any]) -> None:
        """PID 1 outlives every mistake of its own: what it supervises would go down with it."""
        try:
            work()
        except Exception as problem:
            self.say(f"{type(problem).__name__}: {problem}")

    def reap(self) -> None:
        """Signals merge, so everything that is dead is taken each time; a zombie of a server would hold up its stop."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.child_ended(pid, os.waitstatus_to_exitcode(status))

    def claim(self) -> None:
        """The volume is this supervisor's while it lives; an agent beside a stopped unit may have it for a moment."""
        files.ensure_state()
        self.claimed = hold(files.SUPERVISOR_LOCK, 15)
        if self.claimed is None:
            raise SystemExit("understudy: another supervisor, or an agent beside it, has this volume")

    def listen_to_control(self) -> None:
        self.server = listen()
        self.selector.register(self.server, selectors.EVENT_READ, self.on_connection)

    def on_connection(self) -> None:
        connection, _ = self.server.accept()
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.on_request(connection))

    def on_request(self, connection: socket.socket) -> None:
        self.selector.unregister(connection)
        try:
            request = json.loads(connection.recv(65536))
            result = self.command(connection, request)
        except Refusal as no:
            reply(connection, {"ok": False, "code": no.code, "message": str(no)})
        except Exception as problem:  # PID 1 outlives every request
            reply(connection, {"ok": False, "code": "E_INTERNAL", "message": f"{type(problem).__name__}: {problem}"})
        else:
            if result is not None:
                reply(connection, {"ok": True, **result})
