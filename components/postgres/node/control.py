"""How the supervisor is told something: by signals, and by `serve` over the control socket (a JSON request each)."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any

import files
from files import Refusal


@dataclass
class Waiter:
    """A control request that is answered when its goal is reached."""

    connection: socket.socket
    goal: str
    begun: float
    deadline: float


def listen() -> socket.socket:
    """For the operating system's user postgres alone."""
    os.makedirs(files.RUN, exist_ok=True)
    try:
        os.unlink(files.CONTROL_SOCKET)
    except FileNotFoundError:
        pass
    server = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    server.bind(files.CONTROL_SOCKET)
    os.umask(mask)
    server.listen(16)
    return server


def notify_ready() -> None:
    """Tells systemd that the service is up, where it is one. PostgreSQL must not: it would speak for itself."""
    address = os.environ.pop("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.connect(f"\0{address[1:]}" if address[0] == "@" else address)
            manager.sendall(b"READY=1")


def signal_pipe(*numbers: int) -> tuple[socket.socket, socket.socket]:
    """Signals as bytes that can be read at the first socket, so that one wait covers them and everything else."""
    receiver, sender = socket.socketpair()
    for end in (receiver, sender):
        end.setblocking(False)
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, lambda *_: None)
    return receiver, sender


def reply(connection: socket.socket, answer: dict[str, Any]) -> None:
    try:
        connection.sendall(json.dumps(answer).encode() + b"\n")
    except OSError:
        pass  # whoever asked is gone; what was asked is done all the same
    connection.close()


def ask(request: dict[str, Any], timeout: float = 5.0, patience: float = 3.0) -> dict[str, Any]:
    """The other end of the socket. `patience`: how long the supervisor may take to come up, after the node's start."""
    deadline = time.monotonic() + patience
    while True:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            try:
                connection.connect(files.CONTROL_SOCKET)
                connection.sendall(json.dumps(request).encode() + b"\n")
                answer: dict[str, Any] = json.loads(connection.makefile().readline())
                break
            except (FileNotFoundError, ConnectionRefusedError) as problem:
                if time.monotonic() > deadline:
                    raise Refusal("E_NO_SUPERVISOR", f"the supervisor does not run ({problem.strerror})") from None
                time.sleep(0.02)
            except (OSError, ValueError) as problem:
                raise Refusal("E_NO_SUPERVISOR", f"the supervisor does not answer ({problem})") from None
    if not answer["ok"]:
        raise Refusal(answer["code"], answer["message"])
    return answer


def healthy() -> bool:
    """Whether the agent answers and has not given up on its server. A node that is held down is healthy."""
    try:
        return bool(ask({"do": "state"}, patience=0)["state"] != "failed")
    except Refusal as no:
        print(no, file=sys.stderr)
        return False
