"""The key of gossip. Consul keeps it in a keyring of its own and reads the configuration's only where it has none, so
that a new one is brought in through the keyring: installed everywhere, then used everywhere, then alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import consulfacts
from consulapi import Consul, ConsulError, secret_config
from files import Refusal


def use(consul: Consul, seconds: float, progress: Callable[[str], None]) -> bool:
    key = secret_config().get("encrypt")
    if not isinstance(key, str):
        raise Refusal("E_NO_CONFIG", "secrets/consul.json has no gossip key (encrypt)")
    deadline = time.monotonic() + seconds
    begun = rings(consul)
    if all(settled(ring, key) for ring in begun):
        return False
    refuse_if_somebody_is_away(consul)
    progress("the new gossip key is installed")
    reach(consul, "POST", key, lambda ring: ring["Keys"].get(key, 0) >= ring["NumNodes"], deadline)
    progress("the new gossip key is used")
    reach(consul, "PUT", key, lambda ring: ring["PrimaryKeys"].get(key, 0) >= ring["NumNodes"], deadline)
    for old in sorted({other for ring in rings(consul) for other in ring["Keys"] if other != key}):
        progress("an old gossip key is removed")
        reach(consul, "DELETE", old, lambda ring, gone=old: gone not in ring["Keys"], deadline)
    return True


def rings(consul: Consul) -> list[dict[str, Any]]:
    return [
        {"Keys": ring["Keys"] or {}, "PrimaryKeys": ring.get("PrimaryKeys") or {}, "NumNodes": ring["NumNodes"]}
        for ring in consul.get("/v1/operator/keyring", consul.management)
        if not ring.get("WAN") or ring["Keys"]
    ]


def settled(ring: dict[str, Any], key: str) -> bool:
    alone = set(ring["Keys"]) == {key} and set(ring["PrimaryKeys"]) <= {key}
    return alone and ring["Keys"][key] >= ring["NumNodes"]


def refuse_if_somebody_is_away(consul: Consul) -> None:
    """It would have the old key alone when it comes back, and nobody would hear it."""
    away = [f"{m['node']} ({m['status']})" for m in consulfacts.members(consul) if m["status"] not in ("alive", "left")]
    if away:
        message = f"the gossip key is not changed while members are away: {', '.join(away)}; start them or remove them"
        raise Refusal("E_KEY_MEMBERS", message)


def reach(
    consul: Consul, method: str, key: str, done: Callable[[dict[str, Any]], bool], deadline: float
) -> None:
    """Each order may be repeated, and is until every member has followed it."""
    why = "not every member has answered"
    while True:
        try:
            consul.ask(method, "/v1/operator/keyring", consul.management, {"Key": key})
            if all(done(ring) for ring in rings(consul)):
                return
        except ConsulError as no:
            why = str(no).replace(key, "(the key)")
        if time.monotonic() > deadline:
            raise Refusal("E_KEY_TIMEOUT", f"the gossip key is not changed everywhere in time; {why}")
        time.sleep(0.5)
