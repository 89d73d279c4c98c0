"""What is asked of Patroni inside a region: who leads, is this member there, a restart, a planned switchover."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import patroni_rest
from files import Refusal
from patroni_rest import Answer
from prompt_stop import prompt

Gone = Callable[[], bool]

PAUSE = 0.1
"""Patroni answers from Consul, which need not be asked more often than ten times a second."""


def wait_for(read: Callable[[], str], seconds: float, gone: Gone, code: str, what: str) -> None:
    """`read` tells what is still missing; empty: nothing. Whoever does not answer yet may do so later."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            missing = read()
        except Refusal as no:
            missing = str(no)
        if missing == "":
            return
        if gone():
            raise Refusal("E_CANCELLED", f"{what} was given up, because nobody waits for it any more")
        if time.monotonic() > deadline:
            raise Refusal(code, f"{what}, after {seconds:g} s: {missing}")
        time.sleep(PAUSE)


def await_leader(config: dict[str, Any], role: str, seconds: float, gone: Gone) -> str:
    leader = ""

    def missing() -> str:
        nonlocal leader
        found = patroni_rest.leader_of(patroni_rest.cluster(config))
        if found is None:
            return "nobody has the leader's key"
        leader = str(found["name"])
        status = patroni_rest.statuses([patroni_rest.endpoint_of(found)], patroni_rest.PATIENCE).get(leader)
        if status is None:
            return f"{leader} has the leader's key, and its Patroni does not answer"
        if status.get("state") == "running" and status.get("role") == role:
            return ""
        return f"{leader} has the leader's key and is {status.get('role')}, {status.get('state')}"

    wait_for(missing, seconds, gone, "E_NO_LEADER", f"a leader as {role}")
    return leader


def await_member(config: dict[str, Any], seconds: float, gone: Gone, sync: bool = False) -> str:
    """`sync`: also until Patroni has it as a synchronous standby, if it does not lead."""
    role = ""

    def missing() -> str:
        nonlocal role
        status = patroni_rest.status(config)
        role = str(status.get("role"))
        return lacking(status, sync) or unseen(config, role)

    wait_for(missing, seconds, gone, "E_MEMBER", f"{config['name']} as a member of its cluster")
    return role


def lacking(status: dict[str, Any], sync: bool) -> str:
    """What a member is still short of; empty: nothing."""
    role = status.get("role")
    if status.get("state") != "running":
        return f"PostgreSQL is {status.get('state')}"
    if role == "primary":
        return ""
    state = status.get("replication_state", "connected to nobody")
    if state != "streaming":
        return f"it is a {role}, {state}"
    if sync and role == "replica" and not (status.get("sync_standby") or status.get("quorum_standby")):
        return "it streams, and is no synchronous standby"
    return ""


def unseen(config: dict[str, Any], role: str) -> str:
    """The others learn of it with the member's next turn: until then its cluster takes it for what it was before."""
    if role != "replica":
        return ""
    rows = [member for member in patroni_rest.cluster(config)["members"] if member["name"] == config["name"]]
    state = rows[0].get("state") if rows else "unknown"
    return "" if state == "streaming" else f"it streams, and its cluster still has it as {state}"


# ------------------------------------------------------------------------------------------------ configuration


def patch_config(config: dict[str, Any], patch: dict[str, Any]) -> None:
    """@raises Refusal E_PATCH: what is in Consul afterwards is not what was asked for"""
    if "standby_cluster" in patch:
        raise Refusal("E_PATCH", "standby_cluster is the order to change the role of a region; it is not a setting")
    answer: Answer | None = None
    for _ in range(5):
        answer = patroni_rest.ask(config, "/config", "PATCH", patch)
        if answer.status != 409:  # somebody else changed it in the same moment
            break
    if answer is None or answer.status != 200:
        raise Refusal("E_PATCH", f"PATCH /config: {answer and answer.words()}")
    # The answer is what was written, by compare-and-set; Patroni's GET may still tell of its last turn.
    differing = differences(answer.json(), patch)
    if differing:
        raise Refusal("E_PATCH", f"Patroni took the change and does not have it: {', '.join(differing)}")


def differences(found: Any, patch: dict[str, Any], path: str = "") -> list[str]:
    """Where a configuration is not as a patch wants it. As Patroni patches: null removes, a mapping is merged."""
    wrong: list[str] = []
    for key, wanted in patch.items():
        here = f"{path}{key}"
        value = found.get(key) if isinstance(found, dict) else None
        if isinstance(wanted, dict):
            wrong += differences(value, wanted, f"{here}.")
        elif value != wanted:
            wrong.append(here)
    return wrong


# --------------------------------------------------------------------------------------------- restart, switchover


def restart(config: dict[str, Any], seconds: float, gone: Gone) -> None:
    """Without Patroni's own `timeout`, which would end in a failover that nobody asked for."""
    deadline = time.monotonic() + seconds
    answer = patroni_rest.ask(config, "/restart", "POST", {}, seconds)
    if answer.status != 200:
        raise Refusal("E_RESTART", f"{config['name']}: Patroni does not restart PostgreSQL: {answer.words()}")
    await_member(config, max(1.0, deadline - time.monotonic()), gone)


def switchover(config: dict[str, Any], leader: str, candidate: str, seconds: float, gone: Gone) -> None:
    """Patroni's answer comes a second or more after the change; who leads is looked at instead."""
    deadline = time.monotonic() + seconds
    found = patroni_rest.cluster(config)
    before = patroni_rest.leader_of(found)
    role = "standby_leader" if before is not None and before["role"] == "standby_leader" else "primary"
    if before is None or before["name"] != candidate:
        request = {"leader": leader} if is_only_choice(found, candidate) else {"leader": leader, "candidate": candidate}
        with prompt(seconds) if config["name"] == leader else contextlib.nullcontext():
            answer = patroni_rest.ask(config, "/switchover", "POST", request, seconds)
        if answer.status != 200:
            raise Refusal("E_SWITCHOVER", f"from {leader} to {candidate}: {answer.words()}")
    remaining = max(1.0, deadline - time.monotonic())
    now = await_leader(config, role, remaining, gone)
    if now != candidate:
        raise Refusal("E_SWITCHOVER", f"from {leader} to {candidate}: {now} leads now")


def is_only_choice(cluster: dict[str, Any], candidate: str) -> bool:
    """
    Patroni hands over to nobody but a synchronous standby, so that the only one need not be named. Where one is, every
    other member that looks before it leads sleeps for two seconds, and commits wait for one of them to follow.
    """
    return [member["name"] for member in cluster["members"] if member["role"] == "sync_standby"] == [candidate]


def names_by_address(config: dict[str, Any]) -> dict[str, str]:
    """Members of all regions; of this one as its Consul has them."""
    known = {str(other["address"]): str(other["name"]) for other in config.get("others", ())}
    try:
        members = patroni_rest.cluster(config)["members"]
    except Refusal:
        return known  # an address is a name, too
    return known | {str(member["host"]): str(member["name"]) for member in members if "host" in member}
