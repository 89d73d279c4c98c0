"""Wakes this member's Patroni when the leader's key in Consul changes.

Patroni looks at the cluster once in `loop_wait`. It waits for a change of the key in between only while somebody has it
and the pause is longer than a second: a standby that saw the key given up sleeps before it looks who has taken it, and
under `synchronous: strict` no commit is acknowledged until it follows. So this waits for the change, in a thread of the
supervisor, and asks Patroni for a change of its configuration that changes nothing, which is how it is woken.

A member that had received more than the new leader is rewound, which takes several of Patroni's turns: the leader
publishes that it is one, the member sees it, rewinds, starts. If that member is needed for commits, no time may pass
between them, so a member is woken again and again until it follows.

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

WATCH_SECONDS = 30.0
"""How long Consul keeps a question about a key that does not change."""
GRACE_SECONDS = 10.0
"""Beyond that, for its answer: it adds a sixteenth at random, and may be slow."""
VACANT_SECONDS = 0.05
"""Between two looks at a key that nobody has. Elections take less than a second, so this is not for long."""
LONG_VACANT_SECONDS = 1.0
ELECTION_SECONDS = 30.0
AGAIN_SECONDS = 0.3
"""Between two calls while a member does not follow yet. A turn of Patroni's takes some hundredths of a second."""
PUBLISHED_SECONDS = 1.5
"""So long everybody is called: the new leader takes two turns to publish its role."""
FOLLOWED_SECONDS = 20.0
"""Whoever does not follow by then has another trouble."""
NOTHING = {"understudy_wake": None}
"""Removes what is not there. Patroni writes a configuration only if it has changed, and wakes up in any case."""


class LeaderWatch:
    """`holder` is the session and the name in the key, None while nobody has it."""

    def __init__(self) -> None:
        self.index = 0
        self.known = False
        self.holder: tuple[str, str] | None = None
        self.vacant_since = 0.0
        self.taken_at: float | None = None
        """Until everybody has made of it what there is to be made."""

    def forget(self) -> None:
        self.index, self.known, self.taken_at = 0, False, None

    def look(self, config: dict[str, Any]) -> float:
        """How long to pause before the next one."""
        entry = read(config, self.index, WATCH_SECONDS if self.taken_at is None else AGAIN_SECONDS)
        found = None if entry is None else (str(entry.get("Session")), str(entry.get("Value")))
        changed = self.known and found != self.holder
        self.known, self.holder = True, found
        self.index = 0 if entry is None else int(entry["ModifyIndex"])
        if changed and found is None:
            self.vacant_since, self.taken_at = time.monotonic(), None
        elif changed:
            self.taken_at = time.monotonic()
        if changed and (found is not None or may_lead(config)):
            wake(config)
        elif self.taken_at is not None:
            self.follow_up(config, time.monotonic() - self.taken_at)
        if found is not None:
            return 0.0
        electing = time.monotonic() - self.vacant_since < ELECTION_SECONDS
        return VACANT_SECONDS if electing else LONG_VACANT_SECONDS

    def follow_up(self, config: dict[str, Any], since: float) -> None:
        if since < PUBLISHED_SECONDS or (since < FOLLOWED_SECONDS and not is_settled(config)):
            wake(config)
        else:
            self.taken_at = None


def read(config: dict[str, Any], index: int, seconds: float) -> dict[str, Any] | None:
    """Once it is another than at `index`, or after so many seconds. @raises Refusal"""
    path = f"/v1/kv/{patroni_config.scope_key(config, 'leader')}"
    query = f"?index={index}&wait={round(seconds * 1000)}ms" if index else ""
    answer = consul_kv.request(config, "GET", path + query, seconds=seconds + GRACE_SECONDS)
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
    dynamic = consul_kv.dynamic(config)
    return not dynamic.get("synchronous_mode") or "standby_cluster" in dynamic


def is_settled(config: dict[str, Any]) -> bool:
    """Takes writes, or streams from whoever does."""
    status = patroni_rest.status(config)
    return status.get("role") in ("primary", "master") or status.get("replication_state") == "streaming"


def wake(config: dict[str, Any]) -> None:
    patroni_rest.ask(config, "/config", "PATCH", NOTHING)


def ensure() -> None:
    watch = LeaderWatch()
    background.keep("leader's key", lambda: watch.look(unit.installed()), watch.forget)
