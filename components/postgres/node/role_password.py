"""A role's password from its file on the host. Only a verifier made here reaches the server."""

from __future__ import annotations

import pg
from catalog import role_password, verifies
from files import Node, Refusal

# The role's verifier is no password, but what it keeps out of the log need not be guessed at.
QUIET = (
    "SET log_statement = 'none'",
    "SET log_min_duration_statement = -1",
    "SET log_min_error_statement = 'panic'",
    "SET pg_stat_statements.track_utility = off",
)


def apply(node: Node, role: str) -> None:
    from psycopg import sql

    password = role_password(role)
    if not password:
        raise Refusal("E_NO_PASSWORD", f"there is no password file for role {role}")
    with pg.connect(node, "agent") as connection:
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (role,)).fetchone()
        if row is None:
            raise Refusal("E_NO_ROLE", f"there is no role {role}")
        if verifies(password, row[0]):
            return
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        for quiet in QUIET:
            connection.execute(quiet)
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), verifier.decode())
        )
