"""What the guard sees of a running server. Positions in the WAL are bytes from its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from files import Node

if TYPE_CHECKING:
    import psycopg

CAUGHT_UP_BYTES = 16 * 1024 * 1024
"""A returning standby that lacks less than a segment is waited for again: about a second's worth of commits."""


@dataclass(frozen=True)
class Standby:
    name: str
    attached: bool
    streaming: bool
    synchronous: bool
    flushed: int


@dataclass(frozen=True)
class View:
    """What the guard sees of a running server. Positions in the WAL are bytes from its beginning."""

    in_recovery: bool
    receiving: bool
    names: str
    end: int
    standbys: tuple[Standby, ...]

    def synchronous_with(self, position: int) -> bool:
        return any(s.streaming and s.synchronous and s.flushed >= position for s in self.standbys)

    def caught_up(self) -> bool:
        return any(s.streaming and self.end - s.flushed < CAUGHT_UP_BYTES for s in self.standbys)


def lsn(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def look(connection: psycopg.Connection[Any], node: Node) -> View:
    row = connection.execute(
        """SELECT pg_is_in_recovery(), current_setting('synchronous_standby_names'),
                  CASE WHEN pg_is_in_recovery() THEN 0 ELSE pg_current_wal_flush_lsn() - '0/0' END,
                  EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')"""
    ).fetchone()
    assert row is not None
    found = connection.execute(
        """SELECT application_name, state IN ('catchup', 'streaming'), state = 'streaming', sync_state IN ('sync', 'quorum'),
                  coalesce(flush_lsn - '0/0', 0)
           FROM pg_stat_replication WHERE application_name = ANY(%s)""",
        ([peer.name for peer in node.peers],),
    ).fetchall()
    standbys = tuple(Standby(*states, int(flushed)) for *states, flushed in found)
    return View(row[0], row[3], row[1], int(row[2]), standbys)
