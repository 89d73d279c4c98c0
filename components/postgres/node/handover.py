"""What a change of the leading node consists of on one node: checkpoint, control, lead, gate, promote.

Everything between the old primary's stop and the new one's first write is in the write gap. So connections are
kept, waiting is by the millisecond, and what can be done before or after is not done in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import files
import records
from control import ask
from files import Node, Refusal
from observe import control_facts, row
from role import Role, read_role, write_role

if TYPE_CHECKING:
    import psycopg

SHUTDOWN_RECORD_BYTES = 256
"""More than a checkpoint record with the page header that it may be cut by (120 + 40)."""


def milliseconds(begun: float) -> float:
    return round((time.monotonic() - begun) * 1000, 1)


def await_fine(done: Callable[[], bool], seconds: float, pause: float = 0.001) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def checkpoint(connection: psycopg.Connection[Any]) -> None:
    """
    On a standby a restartpoint. It takes as long as it takes: the agent's statement limit is not for it. A primary
    begins a new segment after it, because the standby that it is to become is sent its last segment from the start,
    once for the old and once for the new timeline, before it counts as synchronous: 0.05 s for 10 MB, each time.
    """
    connection.execute("SET statement_timeout = 0")
    try:
        connection.execute("CHECKPOINT")
        connection.execute("SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_switch_wal() END")
    finally:
        connection.execute("RESET statement_timeout")


def lead() -> None:
    """
    Undoes `follow`. The signal goes last: cut off in between, the node is a standby of nobody and no second
    primary. What it knew as a standby goes too; it would be somebody else's past.
    """
    if files.data_state() != "ready":
        raise Refusal("E_NO_DATA", f"the data directory is {files.data_state()}; nothing can lead with it")
    write_role(Role((read_role() or Role("")).synchronous_names))
    files.remove_durably(files.RECEIVED)
    files.remove_durably(files.STANDBY_SIGNAL)


def control(node: Node) -> dict[str, Any]:
    if files.data_state() not in ("ready", "rewinding"):
        raise Refusal("E_NO_DATA", f"the data directory is {files.data_state()}")
    return control_facts(node)


def prepare(
    connection: psycopg.Connection[Any], change: dict[str, Any], seconds: float, gone: Callable[[], bool]
) -> bool:
    """
    While the primary stops, what the gate and the promotion would otherwise do in the gap: the note of what is
    meant, and, once the primary has sent its last record, the restartpoint. True: the stream has ended.
    """
    found = row(connection, NOW)
    if not found["recovering"]:
        return False
    records.intend(change, found["was"])
    streaming = "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS it"
    ended = await_fine(lambda: gone() or not row(connection, streaming)["it"], seconds, 0.002)
    if ended:
        checkpoint(connection)
    return ended


# --------------------------------------------------------------------------------------------------------- gate


OWN_CONTROL = """
SELECT pg_is_in_recovery() AS recovering,
       (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier",
       timeline_id AS timeline, checkpoint_lsn::text AS "checkpointLsn", redo_lsn::text AS "redoLsn",
       (SELECT data_page_checksum_version <> 0 FROM pg_control_init()) AS checksums,
       current_setting('wal_log_hints')::bool AS "walLogHints",
       (redo_lsn - %(redo)s::pg_lsn)::bigint AS distance,
       (pg_last_wal_replay_lsn() - %(redo)s::pg_lsn)::bigint AS beyond,
       pg_last_wal_replay_lsn()::text AS replayed
FROM pg_control_checkpoint()
"""


def gate(connection: psycopg.Connection[Any], node: Node, stopped: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The three equalities. A restartpoint puts the shutdown checkpoint into the control file."""
    redo = stopped["redoLsn"]
    if stopped["state"] != "shut down":
        raise Refusal("E_GATE_OTHER", f"the old primary's data directory is '{stopped['state']}', not 'shut down'")

    def look() -> dict[str, Any]:
        cursor = connection.execute(OWN_CONTROL, {"redo": redo})
        names = [column.name for column in cursor.description or ()]
        return dict(zip(names, cursor.fetchone() or (), strict=True))

    def replayed() -> bool:
        found = connection.execute("SELECT pg_last_wal_replay_lsn() > %s::pg_lsn", (redo,)).fetchone()
        return found is not None and found[0] is True

    own = look()
    if not own["recovering"]:
        raise Refusal("E_NOT_STANDBY", f"{node.name} is no standby: {beside(stopped, own)}")
    if own["systemIdentifier"] != stopped["systemIdentifier"]:
        raise Refusal("E_GATE_OTHER", f"another system: {beside(stopped, own)}")
    if not await_fine(replayed, seconds):
        raise Refusal("E_GATE_BEHIND", f"the standby lacks WAL after {seconds:g} s: {beside(stopped, look())}")
    own = look()
    if own["distance"] != 0:
        checkpoint(connection)
        own = look()
    judge(stopped, own)
    return {
        "systemIdentifier": own["systemIdentifier"],
        "timeline": own["timeline"],
        "state": "in archive recovery",
        "checkpointLsn": own["checkpointLsn"],
        "redoLsn": own["redoLsn"],
        "majorVersion": node.major,
        "checksums": own["checksums"],
        "walLogHints": own["walLogHints"],
    }


def judge(stopped: dict[str, Any], own: dict[str, Any]) -> None:
    if own["timeline"] != stopped["timeline"]:
        raise Refusal("E_GATE_OTHER", f"another timeline: {beside(stopped, own)}")
    if own["distance"] < 0:
        raise Refusal("E_GATE_BEHIND", f"the standby has not reached the shutdown checkpoint: {beside(stopped, own)}")
    if own["distance"] > 0 or own["beyond"] > SHUTDOWN_RECORD_BYTES:
        raise Refusal("E_GATE_AHEAD", f"the standby has WAL that the old primary has not: {beside(stopped, own)}")


def beside(stopped: dict[str, Any], own: dict[str, Any]) -> str:
    parts = [
        f"{who}: system {one['systemIdentifier']}, timeline {one['timeline']}, redo {one['redoLsn']}"
        for who, one in (("stopped primary", stopped), ("standby", own))
    ]
    return f"{'; '.join(parts)}, replayed {own['replayed']}"


# ------------------------------------------------------------------------------------------------------ promote


NOW = """
SELECT pg_is_in_recovery() AS recovering,
       CASE WHEN NOT pg_is_in_recovery()
            THEN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline,
       (SELECT timeline_id FROM pg_control_checkpoint()) AS was,
       coalesce(pg_last_wal_replay_lsn()::text, '0/0') AS replayed,
       current_setting('synchronous_standby_names') AS names
"""


def promote(
    connection: psycopg.Connection[Any], node: Node, change: dict[str, Any], alone: bool, seconds: float
) -> dict[str, Any]:
    begun = time.monotonic()
    found = row(connection, NOW)
    if not found["recovering"]:
        return {**already(connection, change, found["timeline"]), "ms": milliseconds(begun)}
    # What was meant is on disk first: whoever finds a primary on a new timeline knows by whose wish.
    if not records.intends(change):
        records.intend(change, found["was"])
    settle_commits(connection, node, found, alone)
    connection.execute("SELECT pg_promote(wait => false)")
    await_primary(connection, seconds)
    ms = milliseconds(begun)
    ask({"do": "poke"})  # the guard lets clients in, and makes the checkpoint that pg_rewind needs
    done = records.complete(connection) or records.last_promotion(connection)  # the guard may have been first
    if done is None or done["timeline"] <= found["was"] or not records.names_change(done, change):
        raise Refusal("E_PROMOTION", f"it takes writes, but not on a timeline after {found['was']}")
    return {"timeline": done["timeline"], "switchLsn": done["switchLsn"], "ms": ms}


def already(connection: psycopg.Connection[Any], change: dict[str, Any], timeline: int) -> dict[str, Any]:
    """A primary already: by this change, when the record says so, which a cut-off run may have left to be written."""
    done = records.complete(connection) or records.last_promotion(connection)
    if done is None or done["timeline"] != timeline or not records.names_change(done, change):
        raise Refusal("E_NOT_STANDBY", f"this node is a primary on timeline {timeline}, and not by this change")
    return {"timeline": done["timeline"], "switchLsn": done["switchLsn"]}


def settle_commits(connection: psycopg.Connection[Any], node: Node, found: dict[str, Any], alone: bool) -> None:
    """
    Whom commits wait for, from the first one on. A standby has the names in force already, so that a switchover
    has nothing to do here. Alone: the marker is on disk before the first commit that nobody else has.
    """
    names = "" if alone else node.synchronous_names()
    if alone and node.synchronous_names() != "":
        files.write_marker(found["replayed"], "failover")
    role = read_role() or Role("")
    if role.synchronous_names != names:
        write_role(replace(role, synchronous_names=names))
    if found["names"] != names:
        connection.execute("SELECT pg_reload_conf()")
        in_force = "SELECT current_setting('synchronous_standby_names') AS names"
        if not await_fine(lambda: bool(row(connection, in_force)["names"] == names), 5):
            raise Refusal("E_RELOAD_TIMEOUT", "synchronous_standby_names did not come into force within 5 s")


def await_primary(connection: psycopg.Connection[Any], seconds: float) -> None:
    def promoted() -> bool:
        found = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        return found is not None and found[0] is False

    if not await_fine(promoted, seconds):
        raise Refusal("E_PROMOTE_TIMEOUT", f"it is still in recovery after {seconds:g} s")
