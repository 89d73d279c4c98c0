"""The part `consul` of a report: `ConsulFacts` in facts.ts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from awaiting import Together
from consulapi import Consul, ConsulError, declared_tokens
from consulaccess import access

STATUS = {0: "none", 1: "alive", 2: "leaving", 3: "left", 4: "failed"}
QUESTION_SECONDS, LOOK_SECONDS = 4.0, 4.5
ELECTION_SECONDS = 2.5
"""An election takes one or two. Whoever looks in the middle of it would see a Consul without servers that vote, and plan
for a new one; a Consul that has no leader for longer is seen as that. Together with LOOK_SECONDS within the report's limit."""


def look(config: dict[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    """The facts, or None where Consul does not answer at all; and what could not be read."""
    try:
        leader = elected(Consul(config, seconds=QUESTION_SECONDS))
    except ConsulError as problem:
        return None, [f"consul: leader: {problem}"]
    server = config["role"] == "server"
    parts: dict[str, Callable[[], Any]] = {
        "members": lambda: members(Consul(config, seconds=QUESTION_SECONDS)),
        "token": lambda: token_valid(Consul(config, seconds=QUESTION_SECONDS)),
    }
    if server:
        parts["peers"] = lambda: peers(Consul(config, seconds=QUESTION_SECONDS))
        parts["healthy"] = lambda: autopilot(Consul(config, seconds=QUESTION_SECONDS))["Healthy"]
        parts["access"] = lambda: access(Consul(config, seconds=QUESTION_SECONDS), declared_tokens())
    together = Together(parts, LOOK_SECONDS)
    found, problems = together.found, [f"consul: {problem}" for problem in together.problems]
    gossip = found.get("members", [])
    by_address = {member["address"]: member["node"] for member in gossip if member["server"]}
    host = leader.rpartition(":")[0].strip("[]") if leader else None
    facts = {
        "leader": by_address.get(host, host) if host else None,
        "peers": found.get("peers", []),
        "members": [{name: member[name] for name in ("node", "status", "server")} for member in gossip],
        "healthy": found.get("healthy"),
        "access": found.get("access"),
        "tokenValid": found.get("token"),
    }
    return facts, problems


def elected(consul: Consul) -> str | None:
    deadline = time.monotonic() + ELECTION_SECONDS
    while (address := leader_address(consul)) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    return address


def leader_address(consul: Consul) -> str | None:
    return consul.get("/v1/status/leader") or None


def members(consul: Consul) -> list[dict[str, Any]]:
    """Seen with the token that sees most: an answer is filtered by what its token may see."""
    tokens = consul.tokens
    token = tokens.get("initial_management") or tokens.get("default") or tokens.get("agent")
    return [
        {
            "node": member["Name"],
            "address": member["Addr"],
            "status": STATUS.get(member["Status"], "none"),
            "server": member.get("Tags", {}).get("role") == "consul",
        }
        for member in consul.get("/v1/agent/members", token)
    ]


def token_valid(consul: Consul) -> bool | None:
    """Of this host's agent; None: nobody could say."""
    if "agent" not in consul.tokens:
        return False
    try:
        consul.get("/v1/acl/token/self", consul.tokens["agent"])
    except ConsulError as no:
        if no.status in (401, 403):
            return False
        raise
    return True


def peers(consul: Consul) -> list[dict[str, Any]]:
    raw = consul.get("/v1/operator/raft/configuration", consul.management)
    return [
        {
            "node": server["Node"],
            "address": server["Address"].rpartition(":")[0].strip("[]"),
            "voter": server["Voter"],
            "leader": server["Leader"],
        }
        for server in raw["Servers"]
    ]


def autopilot(consul: Consul) -> dict[str, Any]:
    """It answers 429 while it is not healthy."""
    return dict(consul.ask("GET", "/v1/operator/autopilot/health", consul.management, accept=(429,)))
