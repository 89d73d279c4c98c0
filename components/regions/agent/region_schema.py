"""What the agents of regions need in the database for themselves. Replication and pg_rewind have their roles from
Patroni; here are the role that clients' checks come in by, and the record of the last change of the active region.

The record lies in the database, so that whatever has the data knows how it came to lead: a copy that lacks the record
is of before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from files import Node, Refusal
from observe import rows
from systemroles import ONE_AT_A_TIME, let_in, unless_there

if TYPE_CHECKING:
    import psycopg


def statements(node: Node) -> list[str]:
    """Each can be repeated."""
    verifier = node.verifier_role
    return [
        unless_there(verifier, "LOGIN"),
        let_in(verifier),
        # Patroni grants what pg_rewind reads; that everybody may connect, somebody may have taken away.
        let_in(node.rewind_role),
        "CREATE SCHEMA IF NOT EXISTS understudy",
        "CREATE TABLE IF NOT EXISTS understudy.probe (writer text PRIMARY KEY, value bigint NOT NULL)",
        f'GRANT USAGE ON SCHEMA understudy TO "{verifier}"',
        f'GRANT SELECT, INSERT, UPDATE ON understudy.probe TO "{verifier}"',
        "CREATE TABLE IF NOT EXISTS understudy.region_change (timeline int PRIMARY KEY, mode text NOT NULL,"
        " from_region text NOT NULL, to_region text NOT NULL, at text NOT NULL, statement_at text)",
    ]


def ensure(connection: psycopg.Connection[Any], node: Node) -> None:
    """On a primary. The agent's connections commit with `synchronous_commit = local`: see `record`."""
    if connection.execute(PRESENT, (node.verifier_role,)).fetchone() == (True,):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (ONE_AT_A_TIME,))
        for statement in statements(node):
            connection.execute(statement)


PRESENT = """
SELECT to_regrole(%s) IS NOT NULL AND to_regclass('understudy.probe') IS NOT NULL
   AND to_regclass('understudy.region_change') IS NOT NULL
"""

READ = """
SELECT mode, from_region AS "from", to_region AS "to", at, timeline, statement_at AS "statementAt"
FROM understudy.region_change ORDER BY timeline DESC LIMIT 1
"""


def last_change(connection: psycopg.Connection[Any]) -> dict[str, Any] | None:
    if connection.execute("SELECT to_regclass('understudy.region_change')").fetchone() == (None,):
        return None
    return next(iter(rows(connection, READ)), None)


def record(connection: psycopg.Connection[Any], node: Node, change: dict[str, Any], timeline: int) -> None:
    """
    Commits locally: right after a promotion nobody streams yet, and under `strict` anything else would hang. The
    replicas get it with everything that follows.
    """
    ensure(connection, node)
    connection.execute(
        "INSERT INTO understudy.region_change VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (timeline) DO NOTHING",
        (timeline, change["mode"], change["from"], change["to"], change["at"], change.get("statementAt")),
    )
    found = last_change(connection)
    if found is None or found["timeline"] != timeline or not same_change(found, change):
        raise Refusal("E_PROMOTION", f"timeline {timeline} was begun by another change: {found}")


def same_change(known: dict[str, Any], change: dict[str, Any]) -> bool:
    return all(known.get(key) == change.get(key) for key in ("mode", "from", "to", "at"))
