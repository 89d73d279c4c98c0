"""Whether this host does what it should: a program that is kept down on purpose is no failure. A member that was started
with its data is given time to follow its leader again, or to lead: who replaces hosts one after another waits for that."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import files
import patroni_config
import patroni_rest
import unit
from control import ask
from files import Refusal

WANTED = ("running", "starting", "held", "superseded")
JOIN_SECONDS = 45.0
"""Since the agent's start. Then it is no longer this check's business: nobody may lead, or its data may have to be copied anew, and
either is the converge's to tell, which only runs when the hosts are well."""
STATUS_SECONDS = 2.0


def healthy() -> bool:
    try:
        found = ask({"do": "state"}, patience=0)
    except Refusal as no:
        print(no, file=sys.stderr)
        return False
    complaints = [] if found["problem"] is None else [found["problem"]]
    for name, program in found["programs"].items():
        if program["state"] not in WANTED:
            complaints.append(f"{name} is {program['state']}: {program['reason']}")
    if not complaints and found["programs"].get("patroni", {}).get("state") in ("running", "starting"):
        complaints += joining()
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return not complaints


def joining() -> list[str]:
    """Why a member that is about to come back is not there yet; empty where it is, or where that has taken too long."""
    if not patroni_config.has_data() or seconds_since_start() > JOIN_SECONDS:
        return []
    try:
        status = patroni_rest.status(unit.installed(), STATUS_SECONDS)
    except Refusal as no:
        return [str(no)]
    return [] if takes_part(status) else [f"PostgreSQL is {status.get('state')} and does not stream yet"]


def takes_part(status: dict[str, Any]) -> bool:
    """By Patroni's own status: it leads, or it streams from whoever does."""
    if status.get("state") != "running":
        return False
    return status.get("role") in ("primary", "master") or status.get("replication_state") == "streaming"


def seconds_since_start() -> float:
    """The agent makes its socket when it starts. @raises nothing: without one it has not answered either"""
    try:
        return time.time() - os.stat(files.CONTROL_SOCKET).st_mtime
    except OSError:
        return 0.0
