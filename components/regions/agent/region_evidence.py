"""What only this member has of a timeline that another region has left behind, kept aside before Patroni's pg_rewind
takes it away. Patroni does that by itself: a member of a standby cluster compares its history with the remote
primary's at every start, standby leader or not, and rewinds without a word to anybody."""

from __future__ import annotations

import time
from typing import Any

import divergence
import patroni_rest
from files import Refusal
from guard import leader_elsewhere, own_history
from patroni_config import has_data, member_node
from patroni_facts import lsn
from patroni_rest import Endpoint, Unanswered

PATIENCE = 1.5
HISTORY_SECONDS = 5.0
"""Patroni puts a new timeline into its history a turn after the promotion."""


def fork(config: dict[str, Any]) -> str | None:
    """Where the timeline of this member's data ends in the history of the region that leads; None: nobody does."""
    if not has_data():
        return None
    others = [Endpoint(str(o["name"]), str(o["address"]), int(o["restPort"])) for o in config.get("others", ())]
    own = own_history(config)
    leading = leader_elsewhere(own, patroni_rest.statuses(others, PATIENCE)) if others else None
    if leading is None or leading[1] <= own[1]:
        return None
    primary = next(other for other in others if other.name == leading[0])
    deadline = time.monotonic() + HISTORY_SECONDS
    while (position := history_position(primary, own[1])) is None:
        if time.monotonic() > deadline:
            raise Refusal("E_NO_HISTORY", f"{primary.name} leads, and does not say where timeline {own[1]} ended")
        time.sleep(0.2)
    return position


def history_position(primary: Endpoint, timeline: int) -> str | None:
    try:
        return switch_position(patroni_rest.exchange(primary, "GET", "/history").json(), timeline)
    except (Unanswered, Refusal):
        return None


def switch_position(history: Any, timeline: int) -> str | None:
    """GET /history: timeline, the position where it ended, the reason, and more, oldest first."""
    for entry in history:
        if entry[0] == timeline:
            return lsn(entry[1])
    return None


def keep(config: dict[str, Any], switch_lsn: str | None) -> dict[str, Any]:
    if switch_lsn is None:
        return {"path": None, "bytes": 0}
    return divergence.keep(member_node(config), switch_lsn)
