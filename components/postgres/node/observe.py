"""The verb `observe`: everything that a plan may know of this node, in the shape of `NodeReport` (roles/facts.ts).

It never fails as a whole: what cannot be read is null, and `problems` says why.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import certificate
import files
import pg
import records
from catalog import catalog
from control import ask
from files import Node, Refusal
from locks import lock_facts
from role import follows

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

SIZE_BUDGET = 0.02
"""Seconds for adding up file sizes; beyond, the volume's usage stands in, which is never less."""

SECRET_SETTINGS = re.compile(r"conninfo|command|passphrase|password", re.IGNORECASE)


class Report:
    """Collects one report; `attempt` keeps one unreadable part from hiding the others."""

    def __init__(self, session: pg.Session, with_catalog: bool, offline: bool = False) -> None:
        self.offline = offline
        self.session = session
        self.with_catalog = with_catalog
        self.problems: list[str] = []

    def attempt(self, part: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except Exception as problem:
            self.problems.append(f"{part}: {pg.one_line(problem)}")
            return otherwise

    def make(self) -> dict[str, Any]:
        node = self.attempt("node.json", files.installed_node, None)
        supervisor = None if self.offline else self.attempt("supervisor", lambda: ask({"do": "state"}), None)
        generation = self.attempt("generation", lambda: files.read_text(files.GENERATION), None)
        marker = self.attempt("degraded", files.read_marker, None)
        nothing: dict[str, str] = {}
        installed = self.attempt("files", lambda: files.config_files(files.CONFIG), nothing)
        report: dict[str, Any] = {
            "node": node.name if node else "",
            "clock": files.now(),
            "agent": {
                "running": supervisor["agent"] if supervisor else "",
                "installed": self.attempt("agent", files.agent_hash, ""),
            },
            "generation": generation.strip() if generation else None,
            "data": self.data(node),
            "server": self.server(node, supervisor),
            "files": {
                "installed": installed,
                "loaded": self.attempt("files", lambda: files.config_files(files.LOADED), nothing),
                "started": self.attempt("files", lambda: files.config_files(files.STARTED), nothing),
            },
            "certificate": self.attempt("certificate", certificate.facts, None),
            "degraded": {"since": marker["since"], "lsn": marker["lsn"]} if marker else None,
        }
        if node is not None and (files.is_adopted() or files.elsewhere() is not None):
            report["data"]["adopted"] = self.adopted(node, supervisor, report["server"]["sql"] is not None)
        report.update(self.past(node, report["server"]["sql"]))
        return {**report, **({"problems": self.problems} if self.problems else {})}

    def data(self, node: Node | None) -> dict[str, Any]:
        state = self.attempt("data", files.data_state, "ready")
        control = None
        if node is not None and state in ("ready", "rewinding"):
            control = self.attempt("control", lambda: control_facts(node), None)
        volume = self.attempt("volume", data_volume, None)
        return {
            "state": state,
            "control": control,
            "standbySignal": files.is_standby(),
            "follows": self.attempt("follows", lambda: follows(node), None),
            "freeBytes": volume.f_bavail * volume.f_frsize if volume else 0,
            "sizeBytes": self.attempt("size", lambda: size_of(files.PGDATA), 0),
        }

    def adopted(self, node: Node, supervisor: dict[str, Any] | None, answers: bool) -> dict[str, Any] | None:
        import adoption

        found = self.attempt("adoption", lambda: adoption.facts(node, supervisor["pid"] if supervisor else None), None)
        if found is None:
            return None
        if answers:
            connection = self.session.get(node)
            return {**found, **self.attempt("adoption", lambda: adoption.in_database(connection, node), found)}
        denied = (adoption.denied(problem) for problem in self.problems if problem.startswith("sql: "))
        return {**found, "access": next((reason for reason in denied if reason), None)}

    def past(self, node: Node | None, sql: dict[str, Any] | None) -> dict[str, Any]:
        """What this node knows of role changes, its own and its primary's."""
        connection = self.session.get(node) if node is not None and sql is not None else None
        noted = self.attempt("received", lambda: records.read_json(files.RECEIVED), None)
        if connection is not None:
            noted = None
            if sql is not None and sql["inRecovery"] and node is not None:
                noted = self.attempt("received", lambda: records.received(connection), None)
        return {
            "promotion": self.attempt("promotion", lambda: records.last_promotion(connection), None),
            "received": noted,
            "history": self.attempt("history", records.history, None) or [],
            "lock": self.attempt("lock", lock_facts, None),
        }

    def server(self, node: Node | None, supervisor: dict[str, Any] | None) -> dict[str, Any]:
        if supervisor is None:
            reason = "its unit is stopped" if self.offline else self.problems[-1] if self.problems else None
            return {"state": "stopped", "reason": reason, "sql": None}
        sql = None
        if node is not None and supervisor["state"] == "running":
            sql = self.attempt("sql", lambda: self.sql(node, supervisor), None)
        return {"state": supervisor["state"], "reason": supervisor["reason"], "sql": sql}

    def sql(self, node: Node, supervisor: dict[str, Any]) -> dict[str, Any]:
        connection = self.session.get(node)
        facts = row(connection, SERVER)
        facts["replayPaused"] = facts["inRecovery"] and row(connection, PAUSED)["paused"]
        facts["walReceiver"] = row(connection, RECEIVER)["receiver"]
        if facts["inRecovery"] and supervisor["walGone"]:
            facts["walGone"] = True
        facts["senders"] = rows(connection, SENDERS)
        facts["slots"] = rows(connection, SLOTS)
        facts["clientsAdmitted"] = os.path.exists(files.ADMITTED)
        in_files = rows(connection, FILE_SETTINGS)
        settings = rows(connection, SETTINGS)
        pending = [s["name"] for s in settings if s["pending"]]
        facts["restartSettings"] = [s["name"] for s in settings if s["restart"]]
        facts["pendingRestart"] = pending
        facts["archiveBacklog"] = self.attempt("archive", archive_backlog, 0)
        facts["configErrors"] = config_errors(connection)
        facts["alterSystem"] = {
            s["name"]: "(not shown)" if SECRET_SETTINGS.search(s["name"]) else s["setting"]
            for s in in_files
            if s["name"] is not None and (s["file"] or "").endswith("/postgresql.auto.conf")
        }
        facts["catalog"] = None
        if self.with_catalog:
            facts["catalog"] = self.attempt("catalog", lambda: catalog(node, connection), None)
        return facts


def rows(connection: psycopg.Connection[Any], query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def row(connection: psycopg.Connection[Any], query: str) -> dict[str, Any]:
    return rows(connection, query)[0]


def place(found: dict[str, Any]) -> str:
    return f"{os.path.basename(found['file'] or '?')}:{found['line']}"


def config_errors(connection: psycopg.Connection[Any]) -> list[str]:
    """What the server cannot use. A setting that waits for a restart is reported as an error there, and is none."""
    in_files = [s for s in rows(connection, FILE_SETTINGS) if s["error"] is not None]
    pending = {s["name"] for s in rows(connection, SETTINGS) if s["pending"]} if in_files else set()
    settings = [
        f"{place(s)}: {s['name']}: {s['error']}" if s["name"] else f"{place(s)}: {s['error']}"
        for s in in_files
        if s["name"] not in pending
    ]
    return settings + [f"{place(r)}: {r['error']}" for r in rows(connection, RULE_ERRORS)]


# The timeline of a primary is in the name of its WAL file at once; its control file has it after a checkpoint.
SERVER = """
SELECT pg_is_in_recovery() AS "inRecovery",
       CASE WHEN pg_is_in_recovery() THEN greatest(
              (SELECT received_tli FROM pg_stat_wal_receiver),
              (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
              (SELECT timeline_id FROM pg_control_checkpoint()))
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline,
       (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier",
       current_setting('server_version_num')::int AS "versionNum",
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "startedAt",
       CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn()::text END AS "currentLsn",
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()::text END AS "receiveLsn",
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text END AS "replayLsn",
       current_setting('synchronous_standby_names') AS "synchronousStandbyNames",
       EXISTS (SELECT FROM pg_stat_progress_basebackup) AS "backupRunning"
"""

PAUSED = "SELECT pg_is_wal_replay_paused() AS paused"

RECEIVER = """
SELECT (SELECT json_build_object('status', status, 'host', coalesce(sender_host, ''), 'slot', slot_name)
        FROM pg_stat_wal_receiver) AS receiver
"""

END = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"

SENDERS = f"""
SELECT application_name AS "applicationName", coalesce(host(client_addr), '') AS "clientAddress",
       coalesce(state, '') AS state, coalesce(sync_state, '') AS "syncState", sent_lsn::text AS "sentLsn",
       flush_lsn::text AS "flushLsn", replay_lsn::text AS "replayLsn",
       greatest(coalesce({END} - replay_lsn, {END} - '0/0'), 0)::bigint AS "lagBytes",
       coalesce(extract(epoch FROM replay_lag), 0)::float8 AS "lagSeconds"
FROM pg_stat_replication ORDER BY 1, 2
"""

SLOTS = f"""
SELECT slot_name AS name, slot_type AS kind, active, wal_status AS "walStatus",
       greatest(coalesce({END} - restart_lsn, 0), 0)::bigint AS "heldBytes"
FROM pg_replication_slots ORDER BY 1
"""

SETTINGS = """
SELECT name, context = 'postmaster' AS restart, pending_restart AS pending
FROM pg_settings WHERE context = 'postmaster' OR pending_restart ORDER BY 1
"""

FILE_SETTINGS = """
SELECT sourcefile AS file, sourceline AS line, name, setting, error FROM pg_file_settings
WHERE error IS NOT NULL OR sourcefile LIKE '%/postgresql.auto.conf' ORDER BY seqno
"""

RULE_ERRORS = """
SELECT file_name AS file, line_number AS line, error FROM pg_hba_file_rules WHERE error IS NOT NULL
UNION ALL
SELECT file_name, line_number, error FROM pg_ident_file_mappings WHERE error IS NOT NULL
"""


def controldata(node: Node) -> dict[str, str]:
    """pg_controldata's words, which differ by language, hence LC_ALL."""
    done = subprocess.run(
        [f"{node.bin}/pg_controldata", "-D", files.PGDATA],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=5,
        check=False,
    )
    if done.returncode != 0:
        raise Refusal("E_CONTROL", done.stderr or done.stdout)
    return {name: value.strip() for name, _, value in (line.partition(":") for line in done.stdout.splitlines())}


def control_facts(node: Node) -> dict[str, Any]:
    found = controldata(node)
    return {
        "systemIdentifier": found["Database system identifier"],
        "timeline": int(found["Latest checkpoint's TimeLineID"]),
        "state": found["Database cluster state"],
        "checkpointLsn": found["Latest checkpoint location"],
        "redoLsn": found["Latest checkpoint's REDO location"],
        "majorVersion": int(files.read_text(f"{files.PGDATA}/PG_VERSION") or 0),
        "checksums": found["Data page checksum version"] != "0",
        "walLogHints": found["wal_log_hints setting"] == "on",
    }


def data_volume() -> os.statvfs_result:
    """Of the data directory, or of where it will be."""
    path = files.PGDATA
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.statvfs(path)


def size_of(path: str) -> int:
    deadline = time.monotonic() + SIZE_BUDGET
    total, pending = 0, [path]
    while pending:
        if time.monotonic() > deadline:
            volume = data_volume()
            return (volume.f_blocks - volume.f_bfree) * volume.f_frsize
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.is_file():
                        total += entry.stat().st_size
        except FileNotFoundError:
            continue  # a server at work removes files
    return total


def archive_backlog() -> int:
    return sum(name.endswith(".ready") for name in os.listdir(f"{files.PGDATA}/pg_wal/archive_status"))
