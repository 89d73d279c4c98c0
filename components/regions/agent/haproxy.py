"""HAProxy's sockets: which servers are up, and which workers there are. A reload leaves the old worker behind until its
last session has ended; the socket of the master alone leads to it."""

from __future__ import annotations

import csv
import os
import socket
import time
from typing import Any

from awaiting import milliseconds, wait_until
from files import Refusal
from unit import ADMIN_SOCKET, MASTER_SOCKET

WRITE = "postgres_write"
"""The backend of the write port; see components/haproxy/haproxyCfg.ts."""


Row = dict[str, str]
"""Of a server, as `show stat` has it."""


def command(text: str, path: str = ADMIN_SOCKET) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(path)
            connection.sendall(f"{text}\n".encode())
            # The master waits for another command otherwise.
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        except OSError as problem:
            words = problem.strerror or str(problem)
            raise Refusal("E_HAPROXY", f"haproxy does not answer at {path}: {words}") from None
    return answer.decode("utf-8", "replace")


def tell(worker: int | None, commands: list[str]) -> str:
    """A worker by its number, through the master; None: whoever has the admin socket."""
    if worker is None:
        return command("; ".join(commands))
    return command("; ".join(f"@!{worker} {each}" for each in commands), MASTER_SOCKET)


def rows(worker: int | None) -> list[Row]:
    return servers_of(tell(worker, ["show stat"]))


def servers_of(answer: str) -> list[Row]:
    _, mark, table = answer.partition("# pxname,")
    found = csv.DictReader(f"pxname,{table}".splitlines(), restval="") if mark else []
    return [row for row in found if row["svname"] not in ("", "BACKEND", "FRONTEND")]


def current() -> list[Row] | None:
    """By the worker that takes connections and makes checks; None: nobody answers, or it makes room for another."""
    try:
        answer = command("show info; show stat")
    except Refusal:
        return None
    return servers_of(answer) if "\nStopping: 0\n" in answer else None


def master_answers() -> bool:
    try:
        return "# workers" in command("show proc", MASTER_SOCKET)
    except Refusal:
        return False


def await_master(seconds: float) -> None:
    """While it starts or makes another worker it loses a signal. One without the socket is not asked."""
    message = f"haproxy's master does not answer at {MASTER_SOCKET} within {seconds:g} s; no reload was asked for"
    if os.path.exists(MASTER_SOCKET):
        wait_until(master_answers, seconds, lambda: Refusal("E_RELOAD", message), pause=0.05)


def old_workers() -> list[int]:
    """None are known while the master makes a new one, or where HAProxy was started without the master's socket."""
    try:
        lines = command("show proc", MASTER_SOCKET).splitlines()
    except Refusal:
        return []
    found = lines[lines.index("# old workers") + 1 :] if "# old workers" in lines else []
    end = next((index for index, line in enumerate(found) if line.startswith("#")), len(found))
    return [int(line.split()[0]) for line in found[:end] if line.strip()]


def worker() -> int | None:
    """Number of the process that has the socket; None: nobody answers."""
    try:
        lines = command("show info").splitlines()
    except Refusal:
        return None
    return next((int(line.split(":")[1]) for line in lines if line.startswith("Pid:")), None)


def await_worker(before: int | None, seconds: float) -> None:
    """A reload is done when another worker answers; the master goes on with the old one where it cannot make one."""
    message = f"haproxy began no new worker within {seconds:g} s; its output says why, and the old one goes on"
    wait_until(lambda: worker() not in (None, before), seconds, lambda: Refusal("E_RELOAD", message), pause=0.05)


def servers_up(backend: str) -> list[str]:
    """Names of those that the proxy would send a client to."""
    return sorted(row["svname"] for row in rows(None) if row["pxname"] == backend and row["status"].startswith("UP"))


def serves() -> bool:
    """Whether it has somebody to send a writer to."""
    try:
        return bool(servers_up(WRITE))
    except Refusal:
        return False


def await_checks(seconds: float) -> None:
    """
    A new worker turns clients away until its first checks. Until then the reload is not over, or the next proxy's would
    turn them away at the same time. No refusal when it takes too long: whoever led may have been lost in between.
    """
    deadline = time.monotonic() + seconds
    while not serves() and time.monotonic() < deadline:
        time.sleep(0.05)


def await_backend(member: str | None, seconds: float) -> dict[str, Any]:
    begun = time.monotonic()
    wanted = [] if member is None else [member]
    up: list[str] = []

    def reached() -> bool:
        nonlocal up
        up = servers_up(WRITE)
        return up == wanted

    def late() -> Refusal:
        found, instead = ", ".join(up) or "nobody", member or "nobody"
        return Refusal("E_BACKEND", f"after {seconds:g} s the write port reaches {found} instead of {instead}")

    wait_until(reached, seconds, late, pause=0.05)
    return {"ms": milliseconds(begun)}
