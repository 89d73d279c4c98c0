"""What a look at a member finds of Patroni and its server: `patroni`, `data`, `catalog`, `change` of `UnitReport`
(regions/facts.ts). It never fails as a whole: what cannot be read is null, and `problems` says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import consul_kv
import patroni_config
import patroni_rest
import pg
import region_schema
from awaiting import Together
from catalog import catalog as read_catalog
from observe import control_facts, data_volume, row, rows
from rewinding import is_rewinding

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

STATUS_SECONDS = 2.5
CONSUL_SECONDS = 3.0
"""A report is to be there after 8 s, whoever hangs: its caller waits for 10. A loaded host is slow and not away."""

ROLES = {
    "master": "primary",
    "promoted": "primary",
    "primary": "primary",
    "standby_leader": "standby_leader",
    "uninitialized": "uninitialized",
}
"""Patroni's words; `demoted` and whatever else there is are a replica that does not run yet."""


def look(config: dict[str, Any], catalog: bool = False, session: pg.Session | None = None) -> dict[str, Any]:
    own = session or pg.Session()
    try:
        return Look(config, own).make(catalog)
    finally:
        if session is None:
            own.close()


class Look:
    """One look. What comes from Consul is asked at the same time, because it may take its time during an election."""

    def __init__(self, config: dict[str, Any], session: pg.Session) -> None:
        self.config = config
        self.session = session
        self.problems: list[str] = []

    def attempt(self, part: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except Exception as problem:
            self.problems.append(f"{part}: {pg.one_line(problem)}")
            return None

    def make(self, catalog: bool) -> dict[str, Any]:
        data = self.attempt("data", self.data)
        found: dict[str, Any] = {"patroni": None, "data": data, "catalog": None, "change": None}
        status = self.attempt("patroni", lambda: patroni_rest.status(self.config, STATUS_SECONDS))
        if status is None:
            return {**found, "problems": self.problems}
        parts = {
            "cluster": lambda: patroni_rest.cluster(self.config, CONSUL_SECONDS),
            "config": lambda: consul_kv.dynamic(self.config, CONSUL_SECONDS),
        }
        from_consul = Together(parts, CONSUL_SECONDS)
        self.problems += from_consul.problems
        facts = {
            **shown(status),
            "cluster": members(from_consul.found.get("cluster", {"members": []})),
            "config": from_consul.found.get("config"),
            "replication": [],
            "source": None,
        }
        connection = self.attempt("sql", self.connect) if status.get("state") == "running" else None
        if connection is not None:
            facts["replication"] = self.attempt("replication", lambda: rows(connection, SENDERS)) or []
            if facts["role"] == "standby_leader":
                facts["source"] = self.attempt("source", lambda: row(connection, SOURCE))
            found["change"] = self.attempt("change", lambda: region_schema.last_change(connection))
            if catalog:
                found["catalog"] = self.attempt("catalog", lambda: self.catalog(connection))
        return {**found, "patroni": facts, "problems": self.problems}

    def connect(self) -> psycopg.Connection[Any]:
        return self.session.get(patroni_config.member_node(self.config))

    def data(self) -> dict[str, Any]:
        volume = data_volume()
        state = patroni_config.data_state()
        node = patroni_config.member_node(self.config)
        return {
            "state": state,
            "control": self.attempt("control", lambda: control_facts(node)) if state == "ready" else None,
            "freeBytes": volume.f_bavail * volume.f_frsize,
        }

    def catalog(self, connection: psycopg.Connection[Any]) -> dict[str, Any] | None:
        if row(connection, "SELECT pg_is_in_recovery() AS it")["it"]:
            return None
        return read_catalog(patroni_config.member_node(self.config), connection)


def state_of(status: dict[str, Any]) -> str:
    """In Patroni's words, and `rewinding`."""
    state = str(status.get("state", "unknown"))
    return "rewinding" if state == "stopped" and is_rewinding() else state


def shown(status: dict[str, Any]) -> dict[str, Any]:
    """The part that GET /patroni answers."""
    place = status.get("xlog") or {}
    patroni = status.get("patroni") or {}
    system = status.get("database_system_identifier")
    return {
        "version": str(patroni.get("version", "")),
        "role": ROLES.get(str(status.get("role")), "replica"),
        "state": state_of(status),
        "timeline": status.get("timeline"),
        "systemIdentifier": None if system is None else str(system),
        "lsn": {
            "written": lsn(place.get("location")),
            "received": lsn(place.get("received_location")),
            "replayed": lsn(place.get("replayed_location")),
        },
        "pendingRestart": pending(status),
        "pendingValues": pending_values(status),
        "paused": bool(status.get("pause", False)),
    }


def pending(status: dict[str, Any]) -> list[str]:
    """Patroni sets the flag some moments before it knows the reasons."""
    if not status.get("pending_restart"):
        return []
    return sorted(status.get("pending_restart_reason") or {}) or ["(not known yet)"]


def pending_values(status: dict[str, Any]) -> dict[str, dict[str, str]]:
    reasons = status.get("pending_restart_reason") or {}
    return {
        name: {"from": str(reason["old_value"]), "to": str(reason["new_value"])}
        for name, reason in reasons.items()
        if isinstance(reason, dict) and {"old_value", "new_value"} <= reason.keys()
    }


def members(cluster: dict[str, Any]) -> dict[str, Any]:
    leader = patroni_rest.leader_of(cluster)
    return {
        "leader": None if leader is None else leader["name"],
        "members": [
            {
                "name": member["name"],
                "role": "replica" if member["role"] in ("sync_standby", "quorum_standby") else member["role"],
                "state": member.get("state", "unknown"),
                "timeline": number(member.get("timeline")),
                "lagBytes": number(member.get("lag")),
                "syncStandby": member["role"] in ("sync_standby", "quorum_standby"),
            }
            for member in cluster["members"]
        ],
    }


def number(value: Any) -> int | None:
    """Patroni says `unknown` for a lag that it does not know."""
    return value if isinstance(value, int) else None


def lsn(position: Any) -> str | None:
    """PostgreSQL's own way of writing it; Patroni has numbers."""
    if not isinstance(position, int) or position == 0:
        return None
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


SENDERS = """
SELECT application_name AS name, coalesce(state, '') AS state, coalesce(sync_state, '') AS "syncState",
       flush_lsn::text AS "flushLsn"
FROM pg_stat_replication ORDER BY 1, 2
"""

SOURCE = """
SELECT (SELECT nullif(sender_host, '') FROM pg_stat_wal_receiver) AS host,
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS streaming
"""
