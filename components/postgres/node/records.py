"""What a node knows beyond its data directory: of its promotion, of its primary, of the timelines before.

A primary keeps a part of it in tables of the database `postgres`, which its standby gets like everything else: the
standby can then say what a failover may lose when the primary cannot be asked any more. The rest are files. Nothing
here waits for a standby (`synchronous_commit = local`, see pg.py), because it is written when there may be none.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import files
from files import Node

if TYPE_CHECKING:
    import psycopg

CHANGE = ("mode", "from", "to", "at", "statementAt")


def write_state(connection: psycopg.Connection[Any], state: tuple[Any, ...]) -> None:
    read = "SELECT node, policy, degraded_since, degraded_lsn FROM understudy.state"
    if connection.execute(read).fetchone() != state:
        connection.execute(
            "INSERT INTO understudy.state (node, policy, degraded_since, degraded_lsn) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (one) DO UPDATE SET (node, policy, degraded_since, degraded_lsn)"
            " = (excluded.node, excluded.policy, excluded.degraded_since, excluded.degraded_lsn)",
            state,
        )


# ---------------------------------------------------------------------------------------------- what was received


RECEIVED = r"""
SELECT to_char(last_msg_receipt_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS contact,
       latest_end_lsn::text AS ended, greatest(flushed_lsn, pg_last_wal_receive_lsn())::text AS flushed
FROM (SELECT) AS always LEFT JOIN pg_stat_wal_receiver ON true
"""


def received(connection: psycopg.Connection[Any]) -> dict[str, Any] | None:
    """
    As of now, with what was noted earlier where the primary is not heard of any more. None on a node that never
    heard of one. The contact is the last message, not `latest_end_time`, which stands still on an idle primary.
    """
    noted = read_json(files.RECEIVED) or {}
    found = connection.execute(RECEIVED).fetchone()
    contact, ended, flushed = found if found is not None else (None, None, None)
    policy, degraded = noted.get("policy"), noted.get("degraded")
    state = read_state(connection)
    if state is not None:
        policy, degraded = state
    note = {
        "policy": policy,
        "degraded": degraded,
        "lastContactAt": contact or noted.get("lastContactAt"),
        "primaryEndLsn": furthest(ended, noted.get("primaryEndLsn") if contact is None else None, flushed),
        "receivedLsn": flushed or noted.get("receivedLsn"),
    }
    return note if note["lastContactAt"] or state is not None else None


def read_state(connection: psycopg.Connection[Any]) -> tuple[str, dict[str, str] | None] | None:
    known = connection.execute("SELECT to_regclass('understudy.state') IS NOT NULL").fetchone()
    if known is None or not known[0]:
        return None
    found = connection.execute("SELECT policy, degraded_since, degraded_lsn FROM understudy.state").fetchone()
    if found is None:
        return None
    return str(found[0]), {"since": found[1], "lsn": found[2]} if found[1] is not None else None


def furthest(*positions: str | None) -> str | None:
    return max((p for p in positions if p), key=lsn_value, default=None)


def lsn_value(position: str) -> int:
    high, _, low = position.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


# ------------------------------------------------------------------------------------------------- the promotion


def intend(change: dict[str, Any], was: int) -> None:
    note = {name: change.get(name) for name in CHANGE}
    files.write_durably(files.PROMOTION, json.dumps({**note, "was": was}) + "\n")


def intends(change: dict[str, Any]) -> bool:
    note = read_json(files.PROMOTION)
    return note is not None and "timeline" not in note and names_change(note, change)


def names_change(note: dict[str, Any], change: dict[str, Any]) -> bool:
    """The instant does not tell: a run that was cut off is finished by another one, which has its own."""
    return all(note[name] == change.get(name) for name in ("mode", "from", "to", "statementAt"))


def withdraw() -> None:
    if unfinished():
        files.remove_durably(files.PROMOTION)


def unfinished() -> bool:
    note = read_json(files.PROMOTION)
    return note is not None and "timeline" not in note


def complete(connection: psycopg.Connection[Any]) -> dict[str, Any] | None:
    """
    Records a promotion that was intended and has happened; None where there is none to be recorded. The promoting
    verb calls it right after the first write is possible, and the guard does where the verb was cut off.
    """
    note = read_json(files.PROMOTION)
    if note is None or "timeline" in note:
        return None
    past = history(current_timeline(connection))
    if past is None or past[-1]["timeline"] < note["was"]:
        return None
    done = {**{name: note[name] for name in CHANGE}, "switchLsn": past[-1]["switchLsn"]}
    done["timeline"] = current_timeline(connection)
    connection.execute(
        "INSERT INTO understudy.promotion (timeline, mode, from_node, to_node, at, switch_lsn, statement_at)"
        " VALUES (%(timeline)s, %(mode)s, %(from)s, %(to)s, %(at)s, %(switchLsn)s, %(statementAt)s)"
        " ON CONFLICT DO NOTHING",
        done,
    )
    files.write_durably(files.PROMOTION, json.dumps(done) + "\n")
    files.remove_durably(files.RECEIVED)  # it was a standby's
    return done


def last_promotion(connection: psycopg.Connection[Any] | None) -> dict[str, Any] | None:
    """The newest that this node knows of: its own note, or what came with the WAL."""
    note = read_json(files.PROMOTION)
    known = [note] if note is not None and "timeline" in note else []
    if connection is not None:
        known += promotions(connection)
    return max(known, key=lambda one: int(one["timeline"]), default=None)


def promotions(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    known = connection.execute("SELECT to_regclass('understudy.promotion') IS NOT NULL").fetchone()
    if known is None or not known[0]:
        return []
    names = ("timeline", "mode", "from", "to", "at", "switchLsn", "statementAt")
    query = (
        "SELECT timeline, mode, from_node, to_node, at, switch_lsn, statement_at"
        " FROM understudy.promotion ORDER BY timeline DESC LIMIT 1"
    )
    return [dict(zip(names, found, strict=True)) for found in connection.execute(query).fetchall()]


# ------------------------------------------------------------------------------------------------------ timelines


def current_timeline(connection: psycopg.Connection[Any]) -> int:
    query = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"
    found = connection.execute(query).fetchone()
    assert found is not None
    return int(found[0])


def recorded_timeline(connection: psycopg.Connection[Any]) -> int:
    """The control file's, which follows with the first checkpoint."""
    found = connection.execute("SELECT timeline_id FROM pg_control_checkpoint()").fetchone()
    assert found is not None
    return int(found[0])


def history(timeline: int | None = None) -> list[dict[str, Any]] | None:
    """The timelines before `timeline`, or before the newest that there is a history of; None where there is none."""
    folder = f"{files.PGDATA}/pg_wal"
    if timeline is None:
        try:
            names = [name for name in os.listdir(folder) if re.fullmatch(r"[0-9A-F]{8}\.history", name)]
        except FileNotFoundError:
            return None
        timeline = max((int(name[:8], 16) for name in names), default=None)
    text = files.read_text(f"{folder}/{timeline:08X}.history") if timeline is not None else None
    entries = re.findall(r"^\s*(\d+)\s+([0-9A-F]+/[0-9A-F]+)", text or "", re.MULTILINE)
    return [{"timeline": int(tli), "switchLsn": switch} for tli, switch in entries] or None


def read_json(path: str) -> dict[str, Any] | None:
    try:
        found = json.loads(files.read_text(path) or "null")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
