"""Who may act here now: flocks, which end with the process that holds them, however that ends."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import files
from files import Refusal


def hold(path: str, seconds: float = 0.0) -> int | None:
    """Locks a file and returns its descriptor; None where somebody else has it for longer than `seconds`."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(fd)
                return None
            time.sleep(0.01)


@contextmanager
def holding(path: str, seconds: float, otherwise: Refusal) -> Iterator[None]:
    """For the time of a block. @raises otherwise: somebody else has it for longer than `seconds`"""
    files.ensure_state()
    fd = hold(path, seconds)
    if fd is None:
        raise otherwise
    try:
        yield
    finally:
        os.close(fd)


def is_held(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


class DeploymentLock:
    """
    The deployment's lock on this node, for as long as a conversation lasts. The note says whose it is. It lies in a
    file of its own, because a durable write replaces the file, and a flock is on the file. Only `release` takes the
    note away: one that is found when nobody holds the lock is that of an owner who did not get to the end.
    """

    def __init__(self) -> None:
        self.fd: int | None = None

    def take(self, owner: str) -> dict[str, str] | None:
        """The note of a dead owner, or None where none was found."""
        files.ensure_state()
        if self.fd is None:
            # A look at the lock (`is_held`) takes it for an instant, which is not to be mistaken for an owner.
            self.fd = hold(files.DEPLOYMENT_LOCK, 0.1)
            if self.fd is None:
                raise Refusal("E_LOCKED", self.who())
            found = read_note()
        else:
            found = None
        files.write_durably(files.DEPLOYMENT_NOTE, json.dumps({"owner": owner, "since": files.now()}) + "\n")
        return found

    def who(self) -> str:
        note = read_note()
        if note is None:
            return "another conversation is about to take the deployment's lock"
        age = datetime.fromisoformat(files.now()) - datetime.fromisoformat(note["since"])
        return f"the deployment is locked by {note['owner']} for {age.total_seconds():.0f} s (since {note['since']})"

    def release(self) -> None:
        if self.fd is not None:
            files.remove_durably(files.DEPLOYMENT_NOTE)
            os.close(self.fd)
            self.fd = None


def read_note() -> dict[str, str] | None:
    try:
        note: dict[str, Any] = json.loads(files.read_text(files.DEPLOYMENT_NOTE) or "null") or {}
        datetime.fromisoformat(note["since"])
        return {"owner": str(note["owner"]), "since": str(note["since"])}
    except (ValueError, KeyError, TypeError):
        return None


def lock_facts() -> dict[str, Any] | None:
    note = read_note()
    return None if note is None else {**note, "alive": is_held(files.DEPLOYMENT_LOCK)}
