"""PgBouncer's console, at its socket. It lets in the account that PgBouncer itself runs as, and nobody else."""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import Any

import files
from files import Refusal

PROTOCOL = 196608
ANSWER_SECONDS = 2.0


class Console:
    """A connection in PostgreSQL's protocol, of which the console speaks the simple part only."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.path = f"{files.RUN}/.s.PGSQL.{int(config['pgbouncer']['port'])}"
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(ANSWER_SECONDS)
        self.stream = self.connection.makefile("rb")

    def __enter__(self) -> Console:
        words = b"user\0pgbouncer\0database\0pgbouncer\0\0"
        try:
            self.connection.connect(self.path)
            self.connection.sendall(struct.pack(">ii", 8 + len(words), PROTOCOL) + words)
        except OSError as problem:
            self.close()
            raise self.silent(problem) from None
        self.rows()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.stream.close()
        self.connection.close()

    def ask(self, command: str) -> list[dict[str, str]]:
        """The rows of its answer, by column; what is null is empty."""
        text = command.encode() + b"\0"
        try:
            self.connection.sendall(b"Q" + struct.pack(">i", 4 + len(text)) + text)
        except OSError as problem:
            raise self.silent(problem) from None
        return self.rows()

    def rows(self) -> list[dict[str, str]]:
        columns: list[str] = []
        found: list[dict[str, str]] = []
        while True:
            kind, body = self.message()
            if kind == b"E":
                raise Refusal("E_PGBOUNCER", f"pgbouncer refuses at {self.path}: {error_words(body)}")
            if kind == b"T":
                columns = described(body)
            elif kind == b"D":
                found.append(dict(zip(columns, values(body), strict=True)))
            elif kind == b"Z":
                return found

    def message(self) -> tuple[bytes, bytes]:
        try:
            head = self.stream.read(5)
            if len(head) == 5:
                return head[:1], self.stream.read(struct.unpack(">i", head[1:])[0] - 4)
        except OSError as problem:
            raise self.silent(problem) from None
        raise self.silent(ConnectionResetError("it closed the connection"))

    def silent(self, problem: OSError) -> Refusal:
        return Refusal("E_PGBOUNCER", f"pgbouncer does not answer at {self.path}: {problem.strerror or problem}")


def described(body: bytes) -> list[str]:
    names, rest = [], body[2:]
    while rest:
        name, _, rest = rest.partition(b"\0")
        names.append(name.decode())
        rest = rest[18:]
    return names


def values(body: bytes) -> list[str]:
    found, rest = [], body[2:]
    while rest:
        length = struct.unpack(">i", rest[:4])[0]
        end = 4 + max(0, length)
        found.append(rest[4:end].decode("utf-8", "replace"))
        rest = rest[end:]
    return found


def error_words(body: bytes) -> str:
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    return fields.get(b"M", "without a word")
