"""A client of the deployment's own: what its users can do is told by doing it, over TLS, checked in full.

It comes in by certificate as a role of its own, where and when clients are let in (clients.conf), and waits for the
standby like everybody else. It writes one row, so that it leaves nothing that grows.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import files
from files import Node, Refusal
from pg import one_line

if TYPE_CHECKING:
    import psycopg

CLUSTER_NAME = "current_setting('cluster_name')"
"""What a server is called: each node of a pair has a name of its own there."""


def write_statement(server: str) -> str:
    return f"""
    INSERT INTO understudy.probe AS mine (writer, value) VALUES (%s, 1)
    ON CONFLICT (writer) DO UPDATE SET value = mine.value + 1
    RETURNING value, {server}, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
    """


@dataclass(frozen=True)
class Target:
    name: str
    address: str
    port: int

    @staticmethod
    def of(raw: dict[str, Any]) -> Target:
        return Target(str(raw["name"]), str(raw["address"]), int(raw["port"]))


class ReadOnly(Exception):
    """What `target_session_attrs=read-write` passes over."""


def connect(node: Node, target: Target, patience: float = 2.0) -> psycopg.Connection[Any]:
    """`patience` is for a host that does not answer at all; libpq's own limit is two seconds at least."""
    import psycopg

    address = socket.gethostbyname(target.address)
    with socket.create_connection((address, target.port), timeout=patience):
        pass
    connection = psycopg.connect(
        host=target.name,
        hostaddr=address,
        port=target.port,
        user=node.verifier_role,
        dbname="postgres",
        sslmode="verify-full",
        sslcert=f"{files.SECRETS}/server.crt",
        sslkey=f"{files.SECRETS}/server.key",
        sslrootcert=f"{files.SECRETS}/ca.crt",
        gssencmode="disable",
        connect_timeout=2,
        application_name=f"{node.name}:probe",
        client_encoding="UTF8",
        autocommit=True,
    )
    if connection.info.parameter_status("in_hot_standby") == "on":
        connection.close()
        raise ReadOnly(f"{target.name} is read-only")
    return connection


@dataclass(frozen=True)
class Write:
    moment: float
    server: str
    timeline: int


class Probe(threading.Thread):
    """One client: it stays with the server that it has, and looks for another one when that fails."""

    def __init__(self, node: Node, targets: list[Target], every: float, server: str = CLUSTER_NAME) -> None:
        super().__init__(daemon=True, name="probe")
        self.node = node
        self.targets = targets
        self.every = every
        self.statement = write_statement(server)
        self.ended = threading.Event()
        self.acknowledged = 0
        self.last: Write | None = None
        self.gap: tuple[Write, Write] | None = None
        self.problem = "nothing was tried yet"
        self.wrote = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ended.is_set():
            for target in self.targets:
                try:
                    with connect(self.node, target, 0.2) as connection:
                        self.write(connection)
                except Exception as problem:
                    self.problem = f"{target.name}: {one_line(problem)}"
                if self.ended.is_set():
                    return
            self.ended.wait(self.every)

    def write(self, connection: psycopg.Connection[Any]) -> None:
        while not self.ended.is_set():
            begun = time.monotonic()
            found: Any = connection.execute(self.statement, (f"{self.node.name}:probe",)).fetchone()
            self.note(Write(time.monotonic(), str(found[1]), int(found[2])))
            self.ended.wait(max(0.0, self.every - (time.monotonic() - begun)))

    def note(self, write: Write) -> None:
        self.acknowledged += 1
        if self.last is not None and (self.gap is None or write.moment - self.last.moment > length(self.gap)):
            self.gap = (self.last, write)
        self.last = write
        self.wrote.set()

    def result(self, grace: float) -> dict[str, Any]:
        """`grace`: how long a write that is not there yet may still take, so that a gap that is open is measured."""
        deadline = time.monotonic() + grace
        asked = time.monotonic()
        while (self.last is None or self.last.moment < asked) and time.monotonic() < deadline:
            time.sleep(0.005)
        self.ended.set()
        before, after = self.gap if self.gap is not None else (self.last, self.last)
        return {
            "acknowledged": self.acknowledged,
            "gapMs": round(length(self.gap) * 1000, 1) if self.gap is not None else 0,
            "before": {"server": before.server, "timeline": before.timeline} if before else None,
            "after": {"server": after.server, "timeline": after.timeline} if after else None,
        }


def length(gap: tuple[Write, Write]) -> float:
    return gap[1].moment - gap[0].moment


def verify(node: Node, target: Target, server: str = CLUSTER_NAME) -> dict[str, Any]:
    begun = time.monotonic()
    try:
        with connect(node, target) as connection:
            writer = f"{node.name}:verify"
            found: Any = connection.execute(write_statement(server), (writer,)).fetchone()
            back: Any = connection.execute("SELECT value FROM understudy.probe WHERE writer = %s", (writer,)).fetchone()
    except (ReadOnly, OSError) as problem:
        raise Refusal("E_VERIFY", f"{target.name} at {target.address}:{target.port}: {one_line(problem)}") from None
    except Exception as problem:
        if not type(problem).__module__.startswith("psycopg"):
            raise
        raise Refusal("E_VERIFY", f"{target.name} at {target.address}:{target.port}: {one_line(problem)}") from None
    if back is None or back[0] != found[0]:
        raise Refusal("E_VERIFY", f"{target.name}: wrote {found[0]}, read {back and back[0]}")
    return {"server": found[1], "timeline": found[2], "ms": round((time.monotonic() - begun) * 1000, 1)}
