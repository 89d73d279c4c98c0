"""The verbs that every host of a region has; see `UnitVerbs` (regions/verbs.ts). A role adds its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import files
import haproxy
import pooler
import programverbs
import report
import unit
from awaiting import alone
from conversation import unknown
from locks import DeploymentLock


class HostVerbs:
    """One conversation. `progress` tells the caller, `gone` says whether there still is one."""

    def __init__(self, progress: Callable[[str], None], gone: Callable[[], bool]) -> None:
        self.progress = progress
        self.gone = gone
        self.deployment = DeploymentLock()

    def perform(self, verb: str, args: dict[str, Any]) -> Any:
        """A verb is a method without an underscore; the machinery of a conversation is none."""
        method = None if verb.startswith("_") or verb in NO_VERBS else getattr(self, verb, None)
        if not callable(method):
            raise unknown(verb)
        return method(**args)

    def observe(self, catalog: bool = False) -> dict[str, Any]:
        return report.make(catalog)

    def lock(self, owner: str) -> dict[str, Any]:
        return {"tookOver": self.deployment.take(owner)}

    def unlock(self) -> dict[str, Any]:
        self.deployment.release()
        return {}

    def generation(self, value: str) -> dict[str, Any]:
        files.ensure_state()
        files.write_durably(files.GENERATION, f"{value}\n")
        return {}

    # ------------------------------------------------------------------------------------------------ programs

    def reload(self, program: str) -> dict[str, Any]:
        with alone():
            return programverbs.reload(unit.installed(), program)

    def restart(self, program: str, timeoutSeconds: float) -> dict[str, Any]:
        with alone():
            return programverbs.act(unit.installed(), "restart", program, timeoutSeconds)

    def start(self, program: str, timeoutSeconds: float) -> dict[str, Any]:
        with alone():
            return programverbs.act(unit.installed(), "start", program, timeoutSeconds)

    def hold(self, program: str, timeoutSeconds: float) -> dict[str, Any]:
        with alone():
            return programverbs.act(unit.installed(), "hold", program, timeoutSeconds, reason=HELD)


HELD = "stopped by `pulumi up`, which starts it again when it may run"


class ProxyVerbs(HostVerbs):
    def awaitBackend(self, member: str | None, timeoutSeconds: float) -> dict[str, Any]:
        return haproxy.await_backend(member, timeoutSeconds)

    def pauseClients(self, ttlSeconds: float, drainSeconds: float) -> dict[str, Any]:
        with alone():
            return pooler.pause_clients(unit.installed(), ttlSeconds, drainSeconds)

    def resumeClients(self) -> dict[str, Any]:
        return pooler.resume_clients(unit.installed())


NO_VERBS = {"perform", "progress", "gone"}
