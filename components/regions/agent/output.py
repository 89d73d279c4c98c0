"""What a program says, passed on to what we say ourselves, with its name before each line."""

from __future__ import annotations

import collections
import os
import re
import threading

TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9+/]{43}=")
"""What our tokens and keys look like. A program's own words are not ours to trust with them."""
COMPLAINT = re.compile(r"error|fatal|alert|exception|refused|denied|cannot|could not|failed|invalid", re.IGNORECASE)


def log(message: str) -> None:
    os.write(1, f"understudy: {message}\n".encode())


class Output(threading.Thread):
    """Remembers the end of it, which says why a start failed. Ends when the last process that has it is gone."""

    def __init__(self, name: str, source: int) -> None:
        super().__init__(daemon=True)
        self.prefix = f"{name}: ".encode()
        self.source = source
        self.tail: collections.deque[bytes] = collections.deque(maxlen=40)
        self.start()

    def run(self) -> None:
        rest = b""
        while chunk := os.read(self.source, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            self.tail.extend(lines)
            self.pass_on(b"".join(self.prefix + line + b"\n" for line in lines))
        if rest:
            self.tail.append(rest)
            self.pass_on(self.prefix + rest + b"\n")
        os.close(self.source)

    def pass_on(self, text: bytes) -> None:
        while text:
            text = text[os.write(1, text) :]

    def why(self) -> str:
        """Its last complaints; else its last word."""
        self.join(0.2)
        lines = [line.decode("utf-8", "replace").strip() for line in self.tail]
        lines = [line for line in lines if line]
        chosen = [line for line in lines if COMPLAINT.search(line)][-2:] or lines[-1:]
        return concealed("; ".join(chosen))[:600]


def concealed(text: str) -> str:
    return TOKEN.sub("(not shown)", text)
