"""The verbs about Consul, on a server and on a member; see `UnitVerbs` (regions/verbs.ts)."""

from __future__ import annotations

from typing import Any

import consulfacts
import gossip
import gossipkey
import servers
import snapshots
import unit
from awaiting import alone, wait_until
from consulaccess import grant
from consulapi import Consul, ConsulError, declared_tokens
from files import Refusal
from hostverbs import HostVerbs

ADMIN_SECONDS = 10.0
"""For a question that Consul answers when all of its members have."""


class ConsulVerbs(HostVerbs):
    def awaitConsul(self, timeoutSeconds: float) -> dict[str, Any]:
        config = unit.installed()
        consul = Consul(config)
        leader, why = None, "nothing seen yet"

        def led() -> bool:
            nonlocal leader, why
            try:
                leader = consulfacts.leader_address(consul)
                good = consulfacts.token_valid(consul) if leader and config["role"] == "member" else True
            except ConsulError as no:
                why = str(no)
                return False
            why = "this host's token is not known to the servers" if leader else "there is no leader"
            return leader is not None and good is True

        message = f"{config['name']} has no working Consul after {timeoutSeconds:g} s: "
        wait_until(led, timeoutSeconds, lambda: Refusal("E_CONSUL_TIMEOUT", message + why))
        return {"leader": leader}


class ServerVerbs(ConsulVerbs):
    def grant(self, policies: list[dict[str, str]], tokens: dict[str, list[str]]) -> dict[str, Any]:
        with alone():
            consul = Consul(unit.installed(), seconds=ADMIN_SECONDS)
            return {"changed": grant(consul, policies, tokens, declared_tokens())}

    def awaitVoters(self, expected: int, timeoutSeconds: float) -> dict[str, Any]:
        config = unit.installed()
        return servers.await_voters(Consul(config), config["name"], expected, timeoutSeconds)

    def removeServer(self, node: str, stay: list[str]) -> dict[str, Any]:
        with alone():
            servers.remove(unit.installed(), node, stay, self.progress)
        return {}

    def forgetNode(self, node: str) -> dict[str, Any]:
        with alone():
            gossip.forget(unit.installed(), node)
        return {}

    def useGossipKey(self, timeoutSeconds: float) -> dict[str, Any]:
        with alone():
            consul = Consul(unit.installed(), seconds=ADMIN_SECONDS)
            return {"rotated": gossipkey.use(consul, timeoutSeconds, self.progress)}

    def snapshot(self) -> dict[str, Any]:
        with alone():
            config = unit.installed()
            keep = (snapshots.schedule(config) or {"keep": snapshots.KEPT})["keep"]
            return snapshots.save(Consul(config, seconds=snapshots.SECONDS), keep)
