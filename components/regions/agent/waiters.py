"""Whoever asked for a program to be up or down, and is answered when it is."""

from __future__ import annotations

import time

from control import Waiter, reply


class Waiters(list[Waiter]):
    def answer(self, goal: str) -> None:
        for waiter in [one for one in self if one.goal == goal]:
            self.remove(waiter)
            reply(waiter.connection, {"ok": True, "ms": round((time.monotonic() - waiter.begun) * 1000, 1)})

    def refuse(self, code: str, message: str) -> None:
        """To those who wait for it to run."""
        for waiter in [one for one in self if one.goal == "running"]:
            self.remove(waiter)
            reply(waiter.connection, {"ok": False, "code": code, "message": message})

    def give_up(self, program: str, state: str) -> None:
        """On what takes too long: it is reported, and goes on as it does."""
        now = time.monotonic()
        for waiter in [one for one in self if now >= one.deadline]:
            self.remove(waiter)
            code = "E_STOP_TIMEOUT" if waiter.goal == "down" else "E_START_TIMEOUT"
            message = f"{program}: {state} after {round(now - waiter.begun, 1)} s; it is left as it is"
            reply(waiter.connection, {"ok": False, "code": code, "message": message})
