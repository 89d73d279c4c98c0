"""PgBouncer, which can hold its clients back for a while: by signals, so that nothing here waits for it."""

from __future__ import annotations

import os
import resource
import signal
import time
from typing import Any

from files import Refusal
from output import log
from program import Program
from unit import ProgramSpec


class PgbouncerProgram(Program):
    """
    The dead man's switch of a pause is here, with whoever outlives the conversation that asked for it. Neither a
    PgBouncer nor a supervisor that is started anew remembers a pause.
    """

    def __init__(self, spec: ProgramSpec, key: bytes) -> None:
        super().__init__(spec, key)
        self.paused_at = 0.0
        self.resume_at: float | None = None

    def prepare(self) -> None:
        """Each client and each connection to the server is a file; it takes no more than it finds it may have."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    def hold_clients(self, seconds: float) -> None:
        """Again: for so long from now on. Before it is steady the signal would end it."""
        if self.pid is None or self.state != "running" or self.stopping is not None:
            raise Refusal("E_NOT_RUNNING", f"{self.spec.name} is {self.state}; it has no clients to hold back")
        now = time.monotonic()
        if self.resume_at is None:
            self.paused_at = now
            os.kill(self.pid, signal.SIGUSR1)
        self.resume_at = now + seconds

    def let_clients_go(self) -> float | None:
        """Also of a pause that somebody's hand began. How long it was, in milliseconds; None: there was none of ours."""
        if self.pid is not None and self.state == "running":
            os.kill(self.pid, signal.SIGUSR2)
        held = None if self.resume_at is None else round((time.monotonic() - self.paused_at) * 1000, 1)
        self.resume_at = None
        return held

    def ended(self, code: int) -> None:
        self.resume_at = None
        super().ended(code)

    def tick(self) -> None:
        if self.resume_at is not None and time.monotonic() >= self.resume_at:
            held = self.let_clients_go()
            log(f"{self.spec.name}: nobody let its clients go on, so they do now, after {held:g} ms")
        super().tick()

    def patience(self) -> float | None:
        times = [at for at in (super().patience(), self.resume_at) if at is not None]
        return min(times) if times else None

    def facts(self) -> dict[str, Any]:
        left = None if self.resume_at is None else max(0.0, (self.resume_at - time.monotonic()) * 1000)
        return {**super().facts(), "resumesInMs": None if left is None else round(left, 1)}
