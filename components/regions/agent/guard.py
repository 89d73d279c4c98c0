"""Whether this member's Patroni may be started: not while another region leads the same cluster.

The case: a region was lost, another one was promoted in its place, and the lost one's hosts come up again. Their
Consul has never heard of it, so their Patroni would take the leader's key and write on the old timeline. Whoever
comes up asks the other regions' members first. No answer proves nothing, and keeps nobody from starting: a region
that is alone in the world must come up by itself. Only where this region's Consul cannot be reached either, which
Patroni could do nothing without, it is the host that is alone: its network may take a minute after a boot.
"""

from __future__ import annotations

import os
from typing import Any

import consul_kv
import files
import patroni_config
import patroni_rest
from consulapi import Consul
from files import Refusal
from observe import controldata
from patroni_rest import Endpoint

PATIENCE = 1.5
"""Seconds for all of the others together."""
ALONE = "E_ALONE"
"""Code of the refusal to say anything yet."""


def may_start(config: dict[str, Any]) -> str | None:
    """Why not; None: it may."""
    others = {str(other["name"]): other for other in config.get("others", ())}
    if not others or not patroni_config.has_data():
        return None
    own = own_history(config)
    endpoints = [Endpoint(name, str(o["address"]), int(o["restPort"])) for name, o in others.items()]
    answers = patroni_rest.statuses(endpoints, PATIENCE)
    if not answers and not consul_leads(config):
        raise Refusal(ALONE, "no member of another region answers, nor does this region's Consul; asking again")
    leading = leader_elsewhere(own, answers)
    if leading is None:
        return None
    # A region that follows is meant to be behind: its configuration in Consul says whom it follows.
    if follows_already(config):
        return None
    name, timeline = leading
    return (
        f"region {others[name]['region']} leads: {name} is the primary of this very cluster on timeline {timeline}, and"
        f" the data here is of timeline {own[1]}; `pulumi up` makes this region follow"
    )


def consul_leads(config: dict[str, Any]) -> bool:
    try:
        return bool(Consul(config, seconds=PATIENCE).get("/v1/status/leader"))
    except Refusal:
        return False


def own_history(config: dict[str, Any]) -> tuple[str, int]:
    found = controldata(patroni_config.member_node(config))
    return found["Database system identifier"], max(
        int(found["Latest checkpoint's TimeLineID"]), int(found["Min recovery ending loc's timeline"]), newest_history()
    )


def newest_history() -> int:
    """A primary that crashed right after its promotion has its timeline in this file alone."""
    try:
        names = os.listdir(f"{files.PGDATA}/pg_wal")
    except OSError:
        return 0
    return max((int(name[:8], 16) for name in names if len(name) == 16 and name.endswith(".history")), default=0)


def leader_elsewhere(own: tuple[str, int], answers: dict[str, dict[str, Any]]) -> tuple[str, int] | None:
    """
    By name and timeline. On an equal timeline, too: two regions that were each promoted once have the same number,
    and the one that runs already takes writes.
    """
    system, timeline = own
    for name, answer in sorted(answers.items()):
        theirs = answer.get("timeline")
        if (
            answer.get("role") in ("primary", "master")
            and answer.get("state") == "running"
            and str(answer.get("database_system_identifier")) == system
            and isinstance(theirs, int)
            and theirs >= timeline
        ):
            return name, theirs
    return None


def follows_already(config: dict[str, Any]) -> bool:
    """Consul that does not answer says nothing; Patroni would wait for it, and become a primary when it is back."""
    try:
        return bool(consul_kv.dynamic(config, PATIENCE).get("standby_cluster"))
    except Refusal:
        return False
