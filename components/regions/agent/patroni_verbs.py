"""The verbs about Patroni (regions/verbs.ts). Each can be repeated, and returns when its effect is proven."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import handover
import patroni_members
import pg
import probe
import region_evidence
import region_return
import region_schema
import region_start
import region_stop
import role_password
import unit
from awaiting import alone
from files import Node, Refusal
from observe import row
from patroni_config import has_data, member_node

FIRST_WRITE_SECONDS = 1.0
"""A gap has two sides: the probe is waited for until it has written before the change, and then goes without."""


ADDRESS = "host(inet_server_addr())"
"""How a server is told by its client: Patroni gives all members of a cluster one `cluster_name`."""


class PatroniVerbs:
    """One conversation. `progress` tells the caller, `gone` says whether there still is one."""

    def __init__(self, progress: Callable[[str], None], gone: Callable[[], bool]) -> None:
        self.progress = progress
        self.gone = gone
        self.session = pg.Session()
        self.probe: probe.Probe | None = None

    # ------------------------------------------------------------------------------------------ the cluster

    def awaitLeader(self, timeoutSeconds: float, **args: str) -> dict[str, Any]:
        # `as` is a word of Python's, so it cannot be named as a parameter.
        begun = time.monotonic()
        config = unit.installed()
        leader = patroni_members.await_leader(config, args["as"], timeoutSeconds, self.gone)
        if leader == config["name"] and args["as"] == "primary":
            region_schema.ensure(*self._primary())
        return {"leader": leader, "ms": handover.milliseconds(begun)}

    def awaitMember(self, timeoutSeconds: float, sync: bool = False) -> dict[str, Any]:
        begun = time.monotonic()
        role = patroni_members.await_member(unit.installed(), timeoutSeconds, self.gone, sync)
        return {"role": role, "ms": handover.milliseconds(begun)}

    def patchConfig(self, patch: dict[str, Any]) -> dict[str, Any]:
        patroni_members.patch_config(unit.installed(), patch)
        return {}

    def restartMember(self, timeoutSeconds: float) -> dict[str, Any]:
        begun = time.monotonic()
        self.session.close()
        patroni_members.restart(unit.installed(), timeoutSeconds, self.gone)
        return {"ms": handover.milliseconds(begun)}

    def switchover(self, leader: str, candidate: str, timeoutSeconds: float) -> dict[str, Any]:
        begun = time.monotonic()
        patroni_members.switchover(unit.installed(), leader, candidate, timeoutSeconds, self.gone)
        return {"leader": candidate, "ms": handover.milliseconds(begun)}

    # ------------------------------------------------------------------------------------------ the region

    def demoteCluster(self, standbyCluster: dict[str, Any], timeoutSeconds: float) -> dict[str, Any]:
        self.session.close()
        with alone():
            return region_stop.demote(unit.installed(), standbyCluster, timeoutSeconds)

    def gate(self, control: dict[str, Any], timeoutSeconds: float) -> dict[str, Any]:
        begun = time.monotonic()
        node = self._node()
        found = handover.gate(self.session.get(node), node, control, timeoutSeconds)
        return {"control": found, "ms": handover.milliseconds(begun)}

    def promoteCluster(self, timeoutSeconds: float, change: dict[str, Any] | None = None) -> dict[str, Any]:
        with alone():
            return region_start.promote(unit.installed(), self.session, change, timeoutSeconds, self.gone)

    def becomeStandbyCluster(self, standbyCluster: dict[str, Any]) -> dict[str, Any]:
        with alone():
            region_return.become_standby_cluster(unit.installed(), standbyCluster)
        return {}

    def keepDivergent(self) -> dict[str, Any]:
        config = unit.installed()
        with alone():
            return region_evidence.keep(config, region_evidence.fork(config))

    # ------------------------------------------------------------------------------------------ the server

    def control(self) -> dict[str, Any]:
        if not has_data():
            raise Refusal("E_NO_DATA", "there is no data directory yet")
        return region_stop.control(self._node())

    def checkpoint(self) -> dict[str, Any]:
        begun = time.monotonic()
        handover.checkpoint(self.session.get(self._node()))
        return {"ms": handover.milliseconds(begun)}

    def sql(self, database: str, statements: list[str]) -> dict[str, Any]:
        _, node = self._primary()
        with pg.connect(node, "agent", database, timeout_ms=0) as connection:
            for statement in statements:
                connection.execute(statement)
        return {}

    def password(self, role: str) -> dict[str, Any]:
        role_password.apply(self._primary()[1], role)
        return {}

    # ------------------------------------------------------------------------------------------ clients

    def probeStart(self, targets: list[dict[str, Any]], everyMs: float) -> dict[str, Any]:
        if self.probe is not None:
            self.probe.ended.set()
        chosen = [probe.Target.of(target) for target in targets]
        self.probe = probe.Probe(self._node(), chosen, everyMs / 1000, ADDRESS)
        self.probe.wrote.wait(FIRST_WRITE_SECONDS)
        return {}

    def probeStop(self, graceSeconds: float) -> dict[str, Any]:
        if self.probe is None:
            raise Refusal("E_NO_PROBE", "no probe was started in this conversation")
        running, self.probe = self.probe, None
        found = running.result(graceSeconds)
        known = patroni_members.names_by_address(unit.installed())
        for side in ("before", "after"):
            if found[side] is not None:
                found[side]["server"] = known.get(found[side]["server"], found[side]["server"])
        return found

    def verify(self, **target: Any) -> dict[str, Any]:
        found = probe.verify(self._node(), probe.Target.of(target), ADDRESS)
        known = patroni_members.names_by_address(unit.installed())
        return {**found, "server": known.get(found["server"], found["server"])}

    # ------------------------------------------------------------------------------------------ beside the verbs

    def _node(self) -> Node:
        return member_node(unit.installed())

    def _primary(self) -> tuple[Any, Node]:
        node = self._node()
        connection = self.session.get(node)
        if row(connection, "SELECT pg_is_in_recovery() AS it")["it"]:
            raise Refusal("E_IN_RECOVERY", f"{node.name} is a standby; it takes no write")
        return connection, node

