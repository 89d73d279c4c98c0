"""HAProxy's admin socket: which servers are up, and which worker answers."""

from __future__ import annotations

import csv
import socket
import time
from typing import Any

from awaiting import milliseconds, wait_until
from files import Refusal
from unit import ADMIN_SOCKET

WRITE = "postgres_write"
"""The backend of the write port; see components/haproxy/haproxyCfg.ts."""


def command(text: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(ADMIN_SOCKET)
            connection.sendall(f"{text}\n".encode())
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        except OSError as problem:
            words = problem.strerror or str(problem)
            raise Refusal("E_HAPROXY", f"haproxy does not answer at {ADMIN_SOCKET}: {words}") from None
    return answer.decode("utf-8", "replace")


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
    rows = csv.DictReader(command("show stat").removeprefix("# ").splitlines())
    members = [row for row in rows if row["pxname"] == backend and row["svname"] not in ("BACKEND", "FRONTEND")]
    return sorted(row["svname"] for row in members if (row["status"] or "").startswith("UP"))


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
