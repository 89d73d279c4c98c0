"""Who belongs to a Consul cluster: waiting for its servers, and taking away those that are declared no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import consulfacts
import gossip
from awaiting import wait_until
from consulapi import Consul, ConsulError, at
from files import Refusal

REMOVE_SECONDS, WELL_SECONDS = 60.0, 15.0
LEAVE_SECONDS = 12.0
"""Consul waits five seconds for others to notice, and then answers."""


def await_voters(consul: Consul, name: str, expected: int, seconds: float) -> dict[str, Any]:
    """Autopilot makes a new server a voter when it has been healthy for ten seconds."""
    why, voters = "nothing seen yet", []

    def complete() -> bool:
        nonlocal why, voters
        try:
            found = consulfacts.autopilot(consul)["Servers"] or []
        except ConsulError as no:
            why = str(no)
            return False
        voters = sorted(server["Name"] for server in found if server["Voter"] and server["Healthy"])
        missing = sorted(server["Name"] for server in found if server["Name"] not in voters)
        why = f"healthy voters are {', '.join(voters) or 'none'}, {expected} are expected"
        why += f"; not yet: {', '.join(missing)}" if missing else ""
        # There may be more: those that are to go vote until they do.
        return name in voters and len(voters) >= expected

    wait_until(complete, seconds, lambda: Refusal("E_VOTERS", f"{name} after {seconds:g} s: {why}"), pause=0.2)
    return {"voters": voters}


def remove(config: dict[str, Any], node: str, stay: list[str], progress: Callable[[str], None]) -> None:
    """
    `stay`: those that are declared; what becomes of others that go as well is of no account.

    One that still runs is told to leave, because it would come back to Raft as long as it can be heard; its agent takes
    that for a hold. One that is down is taken out of Raft. Then nobody waits for it in gossip.
    """
    consul = Consul(config, seconds=5.0)
    if node == config["name"]:
        raise Refusal("E_SELF", f"{node} cannot remove itself; another server that stays is to be asked")
    await_those_who_stay(consul, node, stay)
    deadline = time.monotonic() + REMOVE_SECONDS
    while is_peer(consul, node):
        if time.monotonic() > deadline:
            message = f"{node} is still a peer of Raft after {REMOVE_SECONDS:g} s; is it started again by somebody?"
            raise Refusal("E_SERVER_STAYS", message)
        found = gossip.known(consul, node)
        progress(f"{node} is {found['status'] if found else 'unknown'} in gossip, and a peer of Raft")
        if found is not None and found["status"] == "alive":
            tell_to_leave(config, found["address"])
        elif not drop_peer(consul, node):
            time.sleep(0.5)
    gossip.prune(config, node)


def tell_to_leave(config: dict[str, Any], address: str) -> None:
    """It answers when it has left. One that went down a moment ago is shown as alive, and says nothing."""
    leaver = at(config, address, LEAVE_SECONDS)
    try:
        leaver.put("/v1/agent/leave", leaver.management)
    except ConsulError as no:
        if no.status != 0:
            raise
        time.sleep(0.5)


def is_peer(consul: Consul, node: str) -> bool:
    """Where nobody leads it cannot be told: a leader that leaves makes the others elect another one."""
    try:
        return any(peer["node"] == node for peer in consulfacts.peers(consul))
    except ConsulError:
        return True


def await_those_who_stay(consul: Consul, node: str, stay: list[str]) -> None:
    """Each of them is to be a healthy voter. A server that left a moment ago may have been the one that led."""
    ill = list(stay)

    def well() -> bool:
        nonlocal ill
        try:
            found = consulfacts.autopilot(consul)["Servers"] or []
        except ConsulError:
            return False
        if not any(server["Name"] == node for server in found):
            return True
        voters = {server["Name"] for server in found if server["Healthy"] and server["Voter"]}
        ill = sorted(set(stay) - voters)
        return not ill

    message = f"{node} is not removed while servers that stay are not healthy voters: "
    wait_until(well, WELL_SECONDS, lambda: Refusal("E_SERVERS_ILL", message + ", ".join(ill)), pause=0.2)


def drop_peer(consul: Consul, node: str) -> bool:
    try:
        for server in consul.get("/v1/operator/raft/configuration", consul.management)["Servers"]:
            if server["Node"] == node:
                consul.delete(f"/v1/operator/raft/peer?id={quote(server['ID'])}", consul.management)
    except ConsulError:
        return False
    return True
