"""What the nodes need in the database for themselves: three roles, which come in by certificate and have no password,
and the tables of the database `postgres` that records.py and probe.py write.

initdb makes it all. A primary makes what is missing, because it was made by an earlier version or by hand. What is
there under one of these names and is not as ours must be is never changed: `taken` says so, and the plan refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from files import Node

if TYPE_CHECKING:
    import psycopg

REWIND_FUNCTIONS = (
    "pg_catalog.pg_ls_dir(text, boolean, boolean)",
    "pg_catalog.pg_stat_file(text, boolean)",
    "pg_catalog.pg_read_binary_file(text)",
    "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)",
)

ONE_AT_A_TIME = 0x756E6473
"""Advisory lock: the guard and a verb may find the same thing missing."""


def schema(node: Node) -> list[str]:
    """Each can be repeated, and is one line, as initdb's single-user server wants it."""
    rewinder, verifier = f'"{node.rewind_role}"', f'"{node.verifier_role}"'
    reads = [f"GRANT EXECUTE ON FUNCTION {function} TO {rewinder};" for function in REWIND_FUNCTIONS]
    return [
        unless_there(node.replication_role, "LOGIN REPLICATION"),
        unless_there(node.rewind_role, "LOGIN", *reads),
        unless_there(node.verifier_role, "LOGIN"),
        # Everybody has it, unless somebody took it from everybody.
        *(let_in(role) for role in (node.rewind_role, node.verifier_role)),
        "CREATE SCHEMA IF NOT EXISTS understudy",
        "CREATE TABLE IF NOT EXISTS understudy.state (one boolean PRIMARY KEY DEFAULT true CHECK (one),"
        " node text NOT NULL, policy text NOT NULL, degraded_since text, degraded_lsn text)",
        "CREATE TABLE IF NOT EXISTS understudy.promotion (timeline int PRIMARY KEY, mode text NOT NULL,"
        " from_node text NOT NULL, to_node text NOT NULL, at text NOT NULL, switch_lsn text NOT NULL,"
        " statement_at text)",
        "CREATE TABLE IF NOT EXISTS understudy.probe (writer text PRIMARY KEY, value bigint NOT NULL)",
        f"GRANT USAGE ON SCHEMA understudy TO {verifier}",
        f"GRANT SELECT, INSERT, UPDATE ON understudy.probe TO {verifier}",
    ]


def unless_there(role: str, attributes: str, *grants: str) -> str:
    """In one statement, so that there is never a role without its grants, which would be taken for somebody's own."""
    make = f'CREATE ROLE "{role}" {attributes}; {" ".join(grants)}'
    return f"DO $do$ BEGIN IF to_regrole($n$\"{role}\"$n$) IS NULL THEN {make} END IF; END $do$"


def let_in(role: str) -> str:
    lacks = f"NOT has_database_privilege($n${role}$n$, $n$postgres$n$, $n$CONNECT$n$)"
    return f'DO $do$ BEGIN IF {lacks} THEN GRANT CONNECT ON DATABASE postgres TO "{role}"; END IF; END $do$'


PRESENT = """
SELECT (SELECT count(*) = 3 FROM pg_roles WHERE rolname = ANY(%(roles)s))
   AND to_regclass('understudy.state') IS NOT NULL AND to_regclass('understudy.promotion') IS NOT NULL
   AND to_regclass('understudy.probe') IS NOT NULL
   AND has_table_privilege(%(verifier)s, 'understudy.probe', 'INSERT, UPDATE')
   AND has_database_privilege(%(verifier)s, 'postgres', 'CONNECT')
   AND has_database_privilege(%(rewinder)s, 'postgres', 'CONNECT')
"""


def names(node: Node) -> dict[str, Any]:
    roles = [node.replication_role, node.rewind_role, node.verifier_role]
    return {"roles": roles, "rewinder": node.rewind_role, "verifier": node.verifier_role}


def ensure(connection: psycopg.Connection[Any], node: Node) -> None:
    if is_present(connection, node):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (ONE_AT_A_TIME,))
        for statement in schema(node):
            connection.execute(statement)


def is_present(connection: psycopg.Connection[Any], node: Node) -> bool:
    try:
        found = connection.execute(PRESENT, names(node)).fetchone()
        return found is not None and found[0] is True
    except Exception as problem:
        if not type(problem).__module__.startswith("psycopg") or connection.closed:
            raise
        return False  # to ask for a privilege on what is not there is an error


# ------------------------------------------------------------------------------------------- what is somebody else's


ATTRIBUTES = """
SELECT rolname, rolcanlogin AS "LOGIN", rolreplication AS "REPLICATION", rolsuper AS "SUPERUSER",
       rolcreatedb AS "CREATEDB", rolcreaterole AS "CREATEROLE", rolbypassrls AS "BYPASSRLS",
       rolconnlimit <> -1 AS "CONNECTION LIMIT",
       EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid) AS "memberships in other roles"
FROM pg_roles WHERE rolname = ANY(%(roles)s) ORDER BY 1
"""

READS = "SELECT bool_and(has_function_privilege(%s, f, 'EXECUTE')) FROM unnest(%s::text[]) AS f"


def taken(connection: psycopg.Connection[Any], node: Node) -> dict[str, str]:
    """Roles with our names that are not as ours: what of theirs is too much, and what is missing."""
    wanted = {
        node.replication_role: {"LOGIN", "REPLICATION"},
        node.rewind_role: {"LOGIN"},
        node.verifier_role: {"LOGIN"},
    }
    cursor = connection.execute(ATTRIBUTES, names(node))
    columns = [column.name for column in cursor.description or ()][1:]
    found: dict[str, str] = {}
    for role, *values in cursor.fetchall():
        has = {name for name, value in zip(columns, values, strict=True) if value}
        lacks = wanted[role] - has
        if role == node.rewind_role and not reads(connection, role):
            lacks.add("EXECUTE on the functions that read the data directory")
        surplus = has - wanted[role]
        parts = [f"has {', '.join(sorted(surplus))}"] if surplus else []
        parts += [f"lacks {', '.join(sorted(lacks))}"] if lacks else []
        if parts:
            found[role] = " and ".join(parts)
    return found


def reads(connection: psycopg.Connection[Any], role: str) -> bool:
    found = connection.execute(READS, (role, list(REWIND_FUNCTIONS))).fetchone()
    return found is not None and found[0] is True
