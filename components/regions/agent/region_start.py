"""promote-cluster: makes a standby cluster the one that takes writes.

Patroni's leader is woken by the PATCH, and promotes in the same turn. It is `pg_ctl promote` and no race: the leader's
key stays where it is. The region's replicas keep streaming from it and follow to the new timeline by themselves.

The slots for the other regions (`cluster_type: primary`) come into being here and not with Patroni's next turn, up to
`loop_wait` later: the demoted region's standby leader asks for its slot as soon as there is somebody to ask.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import consul_kv
import files
import patroni_rest
import region_schema
from files import Node, Refusal
from handover import NOW, await_fine, milliseconds
from observe import row
from patroni_config import member_node
from patroni_members import Gone, await_leader
from pg import Session
from region_stop import require_leader, set_standby_cluster

if TYPE_CHECKING:
    import psycopg

INTENT = f"{files.STATE}/region-change.json"
"""What is meant, before it is done: whoever is asked again after a cut-off run knows whose promotion it was."""


def promote(
    config: dict[str, Any], session: Session, change: dict[str, Any] | None, seconds: float, gone: Gone
) -> dict[str, Any]:
    begun = time.monotonic()
    node = member_node(config)
    if change is None:
        return undo(config, seconds, gone)
    connection = session.get(node)
    found = row(connection, NOW)
    if found["recovering"]:
        require_leader(config, node)
        intend(change, found["was"])
        if consul_kv.dynamic(config).get("standby_cluster") is not None:
            set_standby_cluster(config, None)
        await_primary(connection, node, seconds)
        now = row(connection, NOW)
        if now["timeline"] <= found["was"]:
            raise Refusal("E_PROMOTION", f"{node.name} takes writes, but not on a timeline after {found['was']}")
    else:
        now = found
        require_own(connection, node, config, change, now["timeline"])
    region_schema.record(connection, node, change, now["timeline"])
    files.remove_durably(INTENT)
    make_slots(connection, consul_kv.dynamic(config))
    return {"leader": node.name, "timeline": now["timeline"], "ms": milliseconds(begun)}


def undo(config: dict[str, Any], seconds: float, gone: Gone) -> dict[str, Any]:
    """
    Of a demotion, which may still be going on: the server may be down, and another member the leader by now. Patroni
    finishes what it began, looks at its configuration again, and promotes whoever has the leader's key.
    """
    begun = time.monotonic()
    set_standby_cluster(config, None)
    leader = await_leader(config, "primary", seconds, gone)
    found = next(member for member in patroni_rest.cluster(config)["members"] if member["name"] == leader)
    status = patroni_rest.statuses([patroni_rest.endpoint_of(found)], patroni_rest.PATIENCE).get(leader, {})
    return {"leader": leader, "timeline": status.get("timeline") or 0, "ms": milliseconds(begun)}


def await_primary(connection: psycopg.Connection[Any], node: Node, seconds: float) -> None:
    def promoted() -> bool:
        return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)

    if not await_fine(promoted, seconds):
        raise Refusal(
            "E_PROMOTE_TIMEOUT",
            f"{node.name} is in recovery after {seconds:g} s; its configuration lets it lead, so it may yet do so",
        )


def require_own(
    connection: psycopg.Connection[Any], node: Node, config: dict[str, Any], change: dict[str, Any], timeline: int
) -> None:
    """A primary already: by this very change, as the record or the note says, which a cut-off run may have left."""
    if consul_kv.dynamic(config).get("standby_cluster") is not None:
        raise Refusal("E_NOT_STANDBY", f"{node.name} is a primary that Patroni is about to stop")
    known = region_schema.last_change(connection)
    if known is not None and known["timeline"] == timeline and region_schema.same_change(known, change):
        return
    noted = intention()
    if noted is None or not region_schema.same_change(noted["change"], change) or timeline <= noted["was"]:
        raise Refusal("E_NOT_STANDBY", f"{node.name} is a primary on timeline {timeline}, and not by this change")


def intend(change: dict[str, Any], was: int) -> None:
    files.ensure_state()
    files.write_durably(INTENT, json.dumps({"change": change, "was": was}) + "\n")


def intention() -> dict[str, Any] | None:
    try:
        return dict(json.loads(files.read_text(INTENT) or "null"))
    except (TypeError, ValueError):
        return None


def make_slots(connection: psycopg.Connection[Any], dynamic: dict[str, Any]) -> None:
    for name in primary_slots(dynamic):
        connection.execute(
            "SELECT pg_create_physical_replication_slot(%s, true)"
            " WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)",
            (name, name),
        )


def primary_slots(dynamic: dict[str, Any]) -> list[str]:
    """Of the permanent ones those that Patroni keeps on a primary, and nowhere else."""
    return sorted(
        name
        for name, slot in (dynamic.get("slots") or {}).items()
        if isinstance(slot, dict)
        and slot.get("cluster_type") == "primary"
        and slot.get("type", "physical") == "physical"
    )
