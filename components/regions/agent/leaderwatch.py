"""Wakes this member's Patroni when the leader's key in Consul changes.

Patroni looks at the cluster once in `loop_wait`. It waits for a change of the key in between only while somebody has it
and the pause is longer than a second: a standby that saw the key given up sleeps before it looks who has taken it, and
under `synchronous: strict` no commit is acknowledged until it follows. So this waits for the change, in a thread of the
supervisor, and asks Patroni for a change of its configuration that changes nothing, which is how it is woken.

It decides nothing: a Patroni that is woken does what it would have done a moment later.
"""

from __future__ import annotations

import time
from typing import Any

import background
import consul_kv
import patroni_config
import patroni_rest
import unit
from files import Refusal

WATCH_SECONDS = 30
"""How long Consul keeps a question about a key that does not change."""
GRACE_SECONDS = 10.0
"""Beyond that, for its answer: it adds a sixteenth at random, and may be slow."""
VACANT_SECONDS = 0.05
"""Between two looks at a key that nobody has. Elections take less than a second, so this is not for long."""
LONG_VACANT_SECONDS = 1.0
ELECTION_SECONDS = 30.0
NOTHING = {"understudy_wake": None}
"""Removes what is not there. Patroni writes a configuration only if it has changed, and wakes up in any case."""


class LeaderWatch:
    """`holder` is the session and the name in the key, None while nobody has it."""

    def __init__(self) -> None:
        self.index = 0
        self.known = False
        self.holder: tuple[str, str] | None = None
        self.vacant_since = 0.0

    def forget(self) -> None:
        self.index, self.known = 0, False

    def look(self, config: dict[str, Any]) -> float:
        """How long to pause before the next one."""
        entry = read(config, self.index)
        found = None if entry is None else (str(entry.get("Session")), str(entry.get("Value")))
        changed = self.known and found != self.holder
        if changed and found is None:
            self.vacant_since = time.monotonic()
        self.known, self.holder = True, found
        self.index = 0 if entry is None else int(entry["ModifyIndex"])
        if changed and (found is not None or may_lead(config)):
            wake(config)
        if found is not None:
            return 0.0
        electing = time.monotonic() - self.vacant_since < ELECTION_SECONDS
        return VACANT_SECONDS if electing else LONG_VACANT_SECONDS


def read(config: dict[str, Any], index: int) -> dict[str, Any] | None:
    """@raises Refusal"""
    path = f"/v1/kv/{patroni_config.scope_key(config, 'leader')}"
    query = f"?index={index}&wait={WATCH_SECONDS}s" if index else ""
    answer = consul_kv.request(config, "GET", path + query, seconds=WATCH_SECONDS + GRACE_SECONDS)
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise Refusal("E_CONSUL", answer.words())
    return dict(answer.json()[0])


def may_lead(config: dict[str, Any]) -> bool:
    """
    Whether it is this member's turn. One that cannot take over has nothing to do before somebody else has, and if a
    candidate was named, a Patroni that looks in between sleeps for two seconds.
    """
    status = patroni_rest.status(config)
    if status.get("sync_standby") or status.get("quorum_standby"):
        return True
    dynamic = patroni_rest.dynamic(config)
    return not dynamic.get("synchronous_mode") or "standby_cluster" in dynamic


def wake(config: dict[str, Any]) -> None:
    patroni_rest.ask(config, "/config", "PATCH", NOTHING)


def ensure() -> None:
    watch = LeaderWatch()
    background.keep("leader's key", lambda: watch.look(unit.installed()), watch.forget)
