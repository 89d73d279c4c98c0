"""The life of one program: what is started when, what an end of it means, and who waits for which."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import unit
from files import Refusal
from output import Output, log
from process import start
from unit import ProgramSpec
from waiters import Waiters

STEADY_SECONDS = 1.0
"""One that lives for so long counts as running. Whether it does its work is asked of itself, by `serve`."""
HEALED_SECONDS = 30.0
"""After so long without an end, the next one counts as the first."""
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 8.0
"""Well below the life of a leader's lock: a Consul agent that ends again and again must not cost the leader its role."""
WORDS = {"backoff": "not running"}


class Program:
    def __init__(self, spec: ProgramSpec, key: bytes) -> None:
        self.spec, self.key = spec, key
        self.state = "stopped"
        self.reason: str | None = None
        self.pid: int | None = None
        self.stopping: str | None = None
        """What comes after the stop that goes on: `held`, `again` or `leave`."""
        self.restarts = 0
        self.pause = SHORTEST_PAUSE
        self.launched_at = 0.0
        self.retry_at: float | None = None
        self.kill_at: float | None = None
        self.loaded: dict[str, str] = {}
        self.taking: dict[str, str] = {}
        """What it was told to load; whoever told it so sees whether it did."""
        self.waiters = Waiters()
        self.output: Output | None = None

    # ------------------------------------------------------------------------------- what a kind of program adds

    def prepare(self) -> None:
        """Right before it is started."""

    def inquire(self) -> bool:
        """Begins to ask whether it may be started; False: nobody needs to be asked."""
        return False

    def withdraw(self) -> None:
        """Of an inquiry that goes on."""

    def remains(self) -> bool:
        """After a stop for good: something of it still runs, and was told to stop."""
        return False

    def meant(self, code: int) -> str | None:
        """Why this end of it was meant to be for good; None: it was not."""
        return None

    # -------------------------------------------------------------------------------------------------- its life

    @property
    def busy(self) -> bool:
        return self.pid is not None or self.stopping is not None

    def become(self, state: str, reason: str | None = None) -> None:
        if (state, reason) != (self.state, self.reason) and state not in ("starting", "running"):
            log(f"{self.spec.name} is {WORDS.get(state, state)}{f': {reason}' if reason else ''}")
        self.state, self.reason = state, reason

    def launch(self) -> None:
        self.retry_at = None
        if (held := unit.hold_reason(self.spec.name)) is not None:
            self.become("held", held)
            self.waiters.refuse("E_HELD", f"{self.spec.name} is held: {held}")
        elif not self.inquire():
            self.spawn()

    def spawn(self) -> None:
        try:
            self.prepare()
            self.loaded, self.taking = self.spec.fingerprints(self.key), {}
            self.pid, self.output = start(self.spec)
        except OSError as problem:
            self.failed(f"it could not be started: {problem.strerror} ({problem.filename or self.spec.command[0]})")
            return
        self.launched_at = time.monotonic()
        self.become("starting")
        log(f"{self.spec.name} started (process {self.pid})")

    def failed(self, reason: str) -> None:
        """It ended by itself, or did not start: tried again for ever, ever more slowly."""
        if time.monotonic() - self.launched_at > HEALED_SECONDS:
            self.pause = SHORTEST_PAUSE
        self.retry_at = time.monotonic() + self.pause
        self.pause = min(2 * self.pause, LONGEST_PAUSE)
        self.become("backoff", reason)
        self.waiters.refuse("E_START_FAILED", f"{self.spec.name}: {reason}")

    def ended(self, code: int) -> None:
        self.clear_group()
        self.pid, self.kill_at = None, None
        if self.stopping is not None:
            self.down()
            return
        if (reason := self.meant(code)) is not None:
            unit.hold(self.spec.name, reason)
            self.become("held", reason)
            self.waiters.refuse("E_HELD", f"{self.spec.name} is held: {reason}")
            return
        self.restarts += 1
        if code < 0:
            self.failed(f"it was killed by {signal.Signals(-code).name}")
            return
        words = self.output.why() if self.output else ""
        self.failed(f"it ended with exit status {code}{f': {words}' if words else ''}")

    def clear_group(self) -> None:
        """E.g. a proxy's workers, which would go on with the old configuration beside the new ones."""
        if self.pid is not None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass

    def stop(self, then: str) -> None:
        """Idempotent: what comes after the stop is what was asked for last."""
        self.withdraw()
        self.retry_at, first = None, self.stopping is None
        self.stopping = then
        if self.pid is None:
            self.down()
        elif first:
            self.become(self.state, "is stopping")
            os.kill(self.pid, self.spec.stop_signal)
            self.kill_at = time.monotonic() + self.spec.stop_timeout

    def down(self) -> None:
        """The stop is over, unless something of it remains."""
        if self.stopping != "again" and self.remains():
            return
        then, self.stopping = self.stopping, None
        self.pause = SHORTEST_PAUSE
        self.waiters.answer("down")
        if then == "again":
            self.launch()
            return
        held = unit.hold_reason(self.spec.name)
        self.become("stopped" if held is None else "held", held)
        self.waiters.refuse("E_START_FAILED", f"{self.spec.name} was stopped on demand")

    def tick(self) -> None:
        """Everything that comes with time."""
        now = time.monotonic()
        if self.state == "starting" and self.pid is not None and self.stopping is None:
            if now - self.launched_at >= STEADY_SECONDS:
                self.become("running")
                self.waiters.answer("running")
        if self.retry_at is not None and now >= self.retry_at:
            self.launch()
        if self.kill_at is not None and now >= self.kill_at and self.pid is not None:
            self.kill_at = None
            log(f"{self.spec.name} did not stop within {self.spec.stop_timeout:g} s and is killed")
            os.kill(self.pid, signal.SIGKILL)
        if self.stopping is not None and self.pid is None:
            self.down()
        self.waiters.give_up(self.spec.name, self.reason or self.state)

    def patience(self) -> float | None:
        """When `tick` has something to do next, by the clock; None: when something happens."""
        times = [waiter.deadline for waiter in self.waiters]
        times += [at for at in (self.retry_at, self.kill_at) if at is not None]
        if self.state == "starting" and self.pid is not None:
            times.append(self.launched_at + STEADY_SECONDS)
        if self.stopping is not None and self.pid is None:
            times.append(time.monotonic() + 0.02)  # what remains is nobody's child who would tell
        return min(times) if times else None

    # -------------------------------------------------------------------------------------------------- requests

    def reload(self) -> None:
        if self.pid is None or self.stopping is not None:
            raise Refusal("E_NOT_RUNNING", f"{self.spec.name} is {self.state}; it can take no file over")
        if self.spec.reload_signal is None:
            raise Refusal("E_NO_RELOAD", f"{self.spec.name} takes a change by a restart only")
        self.taking = self.spec.fingerprints(self.key, self.spec.reloads)
        os.kill(self.pid, self.spec.reload_signal)

    def reloaded(self) -> None:
        """It was seen to work with what it was told to load. One that was started since has read everything."""
        if not self.taking:
            return
        kept = {path: value for path, value in self.loaded.items() if path not in self.spec.reloads}
        self.loaded, self.taking = {**kept, **self.taking}, {}

    def facts(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "reason": self.reason,
            "restarts": self.restarts,
            "loaded": self.loaded,
            "installed": self.spec.fingerprints(self.key),
            "pid": self.pid,
        }
