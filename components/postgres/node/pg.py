"""Connections to the node's own server, over its socket as the operating system's user postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clockwords import with_clock
from files import Node, Refusal

if TYPE_CHECKING:
    import psycopg


def connect(node: Node, purpose: str, database: str = "postgres", timeout_ms: int = 5000) -> psycopg.Connection[Any]:
    """`synchronous_commit=local`: what the agent writes must not wait for a standby that the agent is to bring."""
    import psycopg  # takes 0.1 s, which a server that does not run need not cost

    connection = psycopg.connect(
        host=node.socket_directory,
        port=node.port,
        user="postgres",
        dbname=database,
        application_name=f"understudy {purpose}",
        client_encoding="UTF8",  # a database in SQL_ASCII would have every text come as bytes
        options=f"-c statement_timeout={timeout_ms} -c synchronous_commit=local -c lock_timeout=0",
        connect_timeout=2,
        gssencmode="disable",
        sslmode="disable",
        autocommit=True,
    )
    connection.prepare_threshold = None
    return connection


class Session:
    """One connection kept across verbs, and made again when the server was restarted meanwhile."""

    def __init__(self) -> None:
        self.connection: psycopg.Connection[Any] | None = None

    def get(self, node: Node) -> psycopg.Connection[Any]:
        import psycopg

        if self.connection is not None:
            try:
                self.connection.execute("SELECT 1")
                return self.connection
            except psycopg.Error:
                self.close()
        try:
            self.connection = connect(node, "agent")
        except psycopg.Error as problem:
            raise Refusal("E_NO_SERVER", f"the server does not answer: {one_line(problem)}") from None
        return self.connection

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def one_line(problem: BaseException) -> str:
    """What the server said, without the statement, which may hold a value."""
    diagnosis = getattr(problem, "diag", None)
    message = getattr(diagnosis, "message_primary", None) or str(problem)
    return with_clock(" ".join(str(message).split())[:500])
