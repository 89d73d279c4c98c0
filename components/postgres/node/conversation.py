"""The lines of a conversation: one JSON request a line on standard input, answers on standard output; see
roles/session.ts. Which verbs there are is the caller's to say."""

from __future__ import annotations

import json
import os
import queue
import select
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

from files import Refusal
from pg import one_line

PROTOCOL = 1

LEASE = 30.0
"""Seconds without a line, after which the caller is taken for gone. It sends an empty line every few seconds: where a
network goes away without a word, nobody else would tell, and the deployment's lock would stay held for hours."""


class Performs(Protocol):
    def perform(self, verb: str, args: dict[str, Any]) -> Any: ...


Make = Callable[[Callable[[str], None], Callable[[], bool]], Performs]
"""Of `progress`, which tells the caller, and `gone`, which says whether there still is one."""


class Conversation:
    def __init__(self, make: Make) -> None:
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.gone = threading.Event()
        self.current: Any = None
        self.verbs = make(lambda text: self.say({"id": self.current, "progress": text}), self.gone.is_set)

    def read(self) -> None:
        """On a thread, so that a caller who leaves in the middle of a long verb is noticed."""
        unread = b""
        while select.select([0], [], [], LEASE)[0] and (chunk := os.read(0, 65536)):
            *lines, unread = (unread + chunk).split(b"\n")
            for line in lines:
                self.lines.put(line.decode())
        self.gone.set()
        self.lines.put(None)

    def say(self, message: dict[str, Any]) -> None:
        try:
            sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
            sys.stdout.flush()
        except OSError:
            self.gone.set()

    def answer(self, line: str) -> None:
        self.current = None
        try:
            request = json.loads(line)
            self.current = request["id"]
            result = self.verbs.perform(request["verb"], request.get("args") or {})
        except Refusal as no:
            self.fail(no.code, str(no))
        except Exception as problem:
            if type(problem).__module__.startswith("psycopg"):
                self.fail("E_SQL", one_line(problem))
            else:
                self.fail("E_INTERNAL", f"{type(problem).__name__}: {one_line(problem)}")
        else:
            self.say({"id": self.current, "ok": True, "result": result})

    def fail(self, code: str, message: str) -> None:
        self.say({"id": self.current, "ok": False, "error": {"code": code, "message": " ".join(message.split())}})


def unknown(verb: str) -> Refusal:
    return Refusal("E_UNKNOWN_VERB", f"this agent has no verb {verb!r}")


def converse(make: Make) -> int:
    conversation = Conversation(make)
    conversation.say({"ready": True, "protocol": PROTOCOL})
    threading.Thread(target=conversation.read, daemon=True).start()
    while (line := conversation.lines.get()) is not None:
        if line.strip():
            conversation.answer(line)
    os._exit(0)  # the reading thread may hold standard input
