"""Patroni, which is the parent of PostgreSQL and survived by it: what comes before its start and after its end."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import SimpleNamespace
from typing import Any

import files
import leaderwatch
import postmaster
from output import concealed, log
from process import DEFAULTS
from program import Program
from unit import PATRONI_DIRECTORY, ProgramSpec

ASK_AGAIN_SECONDS = 5.0
INQUIRY_SECONDS = 15.0
"""The guard has limits of its own, which are shorter by far."""
SUPERSEDED, ALONE = 3, 4
"""Exit statuses of `agent.py may-start` with a reason on standard output. `ALONE`: it cannot be told yet."""
ALONE_SECONDS = 1.0
LINKS = {
    "patroni.yml": "patroni/patroni.yml",
    "bootstrap.yml": "patroni/bootstrap.yml",
    "secrets.yml": "secrets/patroni.yml",
}


class PatroniProgram(Program):
    def __init__(self, spec: ProgramSpec, key: bytes, config: dict[str, Any]) -> None:
        super().__init__(spec, key)
        self.port = int(config["patroni"]["port"])
        self.inquiry: int | None = None
        self.answer_pipe: int | None = None
        self.asked_at = 0.0
        self.told: int | None = None
        """Process number of the PostgreSQL that was told to stop."""

    def prepare(self) -> None:
        link_configuration()
        # After a restart of the host its number may be some other program's, and PostgreSQL would not start.
        postmaster.remove_stale_locks(SimpleNamespace(socket_directory="/run/postgresql", port=self.port))
        leaderwatch.ensure()

    # ----------------------------------------------------------------------------------------------- the guard

    def inquire(self) -> bool:
        """
        A process of its own asks the other regions' members, so that neither its time nor its mistakes are ours.
        A PostgreSQL that runs is a Patroni's that ended a moment ago: that one was asked about, and it leads or not
        by the lock that it has in Consul.
        """
        if files.data_state() == "empty" or postmaster.other_server() is not None:
            return False
        if self.inquiry is None:
            source, sink = os.pipe()
            argv = [sys.executable, os.path.abspath(sys.argv[0]), "may-start"]
            actions = [(os.POSIX_SPAWN_DUP2, sink, 1)]
            self.inquiry = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions, setsigdef=DEFAULTS)
            os.close(sink)
            self.answer_pipe, self.asked_at = source, time.monotonic()
            if self.state not in ("superseded", "starting"):
                self.become("starting", "asking whether another region leads")
        return True

    def inquired(self, code: int) -> None:
        text = os.read(self.answer_pipe, 65536).decode("utf-8", "replace") if self.answer_pipe is not None else ""
        self.forget_inquiry()
        reason = concealed(" ".join(text.split()))[:600]
        if self.stopping is not None:
            return
        if code == 0:
            self.spawn()
        elif code == SUPERSEDED:
            self.become("superseded", reason)
            self.retry_at = time.monotonic() + ASK_AGAIN_SECONDS
            self.waiters.refuse("E_SUPERSEDED", f"patroni: {reason}")
        elif code == ALONE:
            self.become("starting", reason)
            self.retry_at = time.monotonic() + ALONE_SECONDS
        else:
            self.failed(f"whether another region leads could not be asked (exit status {code}): {reason}")

    def withdraw(self) -> None:
        if self.inquiry is not None:
            try:
                os.kill(self.inquiry, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.forget_inquiry()

    def forget_inquiry(self) -> None:
        if self.answer_pipe is not None:
            os.close(self.answer_pipe)
        self.inquiry = self.answer_pipe = None

    def tick(self) -> None:
        if self.inquiry is not None and time.monotonic() - self.asked_at > INQUIRY_SECONDS:
            self.withdraw()
            self.failed(f"whether another region leads was not known after {INQUIRY_SECONDS:g} s")
        super().tick()

    def patience(self) -> float | None:
        own = super().patience()
        if self.inquiry is None:
            return own
        limit = self.asked_at + INQUIRY_SECONDS
        return limit if own is None else min(own, limit)

    # ----------------------------------------------------------------------------------------------- PostgreSQL

    def clear_group(self) -> None:
        """PostgreSQL survives its Patroni, and the next one takes it over as it is."""

    def remains(self) -> bool:
        """
        A Patroni that was killed, or stopped while its cluster was paused, leaves PostgreSQL running. Whoever stops
        Patroni for good means PostgreSQL.
        """
        pid = postmaster.other_server()
        if pid is not None and pid != self.told:
            log(f"patroni left PostgreSQL running (process {pid}); it is stopped")
            os.kill(pid, signal.SIGINT)
            self.told = pid
        return pid is not None


def link_configuration() -> None:
    """Also for an operator's patronictl. Each link is replaced at once, so that a reload never finds none."""
    os.makedirs(PATRONI_DIRECTORY, mode=0o700, exist_ok=True)
    for name, target in LINKS.items():
        draft = f"{PATRONI_DIRECTORY}/.{name}"
        unlink(draft)
        os.symlink(f"{files.CONFIG}/{target}", draft)
        os.rename(draft, f"{PATRONI_DIRECTORY}/{name}")


def unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
