"""The verbs of a role change (roles/session.ts), beside those of any converge. How: see the modules."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import divergence
import files
import handover
import probe
from conversation import unknown
from files import Refusal
from locks import DeploymentLock
from verbs import Verbs, alone

FIRST_WRITE_SECONDS = 1.0
"""A gap has two sides: the probe is waited for until it has written before the change, and then goes without."""


class RoleVerbs(Verbs):
    def __init__(self, progress: Callable[[str], None], gone: Callable[[], bool]) -> None:
        super().__init__(progress, gone)
        self.deployment = DeploymentLock()
        self.probe: probe.Probe | None = None

    def perform(self, verb: str, args: dict[str, Any]) -> Any:
        if verb not in VERBS:
            raise unknown(verb)
        return getattr(self, verb)(**args)

    def lock(self, owner: str) -> dict[str, Any]:
        return {"tookOver": self.deployment.take(owner)}

    def unlock(self) -> dict[str, Any]:
        self.deployment.release()
        return {}

    def checkpoint(self) -> dict[str, Any]:
        begun = time.monotonic()
        handover.checkpoint(self.session.get(files.installed_node()))
        return {"ms": handover.milliseconds(begun)}

    def prepare(self, change: dict[str, Any], timeoutSeconds: float) -> dict[str, Any]:
        begun = time.monotonic()
        with alone():
            connection = self.session.get(files.installed_node())
            ended = handover.prepare(connection, change, timeoutSeconds, self.gone)
        return {"ended": ended, "ms": handover.milliseconds(begun)}

    def lead(self) -> dict[str, Any]:
        with alone():
            self.require_down()
            handover.lead()
        return {}

    def control(self) -> dict[str, Any]:
        self.require_down()
        return handover.control(files.installed_node())

    def gate(self, control: dict[str, Any], timeoutSeconds: float) -> dict[str, Any]:
        begun = time.monotonic()
        node = files.installed_node()
        found = handover.gate(self.session.get(node), node, control, timeoutSeconds)
        return {"control": found, "ms": handover.milliseconds(begun)}

    def promote(self, change: dict[str, Any], alone: bool, timeoutSeconds: float) -> dict[str, Any]:
        with acting():
            node = files.loaded_node()
            return handover.promote(self.session.get(node), node, change, alone, timeoutSeconds)

    def keepDivergent(self, switchLsn: str) -> dict[str, Any]:
        with alone():
            self.require_down()
            return divergence.keep(files.installed_node(), switchLsn)

    def rewind(self, **args: str) -> dict[str, Any]:
        with alone():
            self.require_down()
            return {"bytes": divergence.rewind(files.installed_node(), args["from"], self.progress, self.gone)}

    def probeStart(self, targets: list[dict[str, Any]], everyMs: float) -> dict[str, Any]:
        if self.probe is not None:
            self.probe.ended.set()
        chosen = [probe.Target.of(target) for target in targets]
        self.probe = probe.Probe(files.installed_node(), chosen, everyMs / 1000)
        self.probe.wrote.wait(FIRST_WRITE_SECONDS)
        return {}

    def probeStop(self, graceSeconds: float) -> dict[str, Any]:
        if self.probe is None:
            raise Refusal("E_NO_PROBE", "no probe was started in this conversation")
        running, self.probe = self.probe, None
        return running.result(graceSeconds)

    def verify(self, **target: Any) -> dict[str, Any]:
        return probe.verify(files.installed_node(), probe.Target.of(target))


acting = alone
"""The lock on this node's acting verbs, where a parameter has taken its name."""

NO_VERBS = {"perform", "fence", "proven", "lacks", "primary", "require_down"}
VERBS = frozenset(name for kind in (Verbs, RoleVerbs) for name in vars(kind) if name[0] != "_") - NO_VERBS
