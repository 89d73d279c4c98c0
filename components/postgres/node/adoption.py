"""What is to be known of a data directory that was somebody else's, before anything is started on it, and after.

`observe` has it as `data.adopted` (`AdoptionFacts` in roles/facts.ts); what follows from it the plan says. The
command `node.py adoption` says the same while the old server still runs, and changes nothing.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import files
import systemroles
from files import Node, Refusal
from observe import control_facts, controldata
from pg import one_line
from postmaster import other_server

if TYPE_CHECKING:
    import psycopg

RAN_WITH = {
    "max_connections setting": "max_connections",
    "max_worker_processes setting": "max_worker_processes",
    "max_wal_senders setting": "max_wal_senders",
    "max_prepared_xacts setting": "max_prepared_transactions",
    "max_locks_per_xact setting": "max_locks_per_transaction",
}
"""Words of pg_controldata, and the settings that they are."""

NO_ACCESS = re.compile(r'(role|database) "postgres" (does not exist|is not permitted to log in)')


def facts(node: Node, own_server: int | None = None) -> dict[str, Any]:
    """What the disk says. `own_server`: the process that the supervisor runs on it."""
    other = other_server()
    return {
        "directory": files.PGDATA,
        "taken": files.adoption_note() == files.PGDATA,
        "obstacle": obstacle(),
        "elsewhere": files.elsewhere(),
        "otherServer": other if other != own_server else None,
        "autoConf": auto_conf(),
        "tablespaces": tablespaces(),
        "walDirectory": link(f"{files.PGDATA}/pg_wal"),
        "recoverySignal": os.path.exists(f"{files.PGDATA}/recovery.signal"),
        "preparedTransactions": len(entries("pg_twophase")),
        "ranWith": ran_with(node),
        "access": None,
        "roles": {},
    }


def obstacle() -> str | None:
    """Why a base backup could not be built beside it and take its name, as one does when a standby is made anew."""
    parent = os.path.dirname(files.PGDATA)
    if os.path.ismount(files.PGDATA):
        return "it is the root of a file system, which cannot be renamed"
    if not os.access(parent, os.W_OK | os.X_OK):
        return f"{parent} is not writable for the account of the node"
    if os.path.isdir(files.PGDATA) and os.stat(files.PGDATA).st_uid != os.geteuid():
        return "it belongs to another account than the node's"
    return None


def auto_conf() -> list[str]:
    text = files.read_text(f"{files.PGDATA}/postgresql.auto.conf") or ""
    return sorted({name.lower() for name in re.findall(r"^\s*([\w.]+)\s*=", text, re.MULTILINE)})


def tablespaces() -> list[str]:
    """Those that are links; one that is a directory in place is copied like everything else."""
    found = (link(f"{files.PGDATA}/pg_tblspc/{name}") for name in entries("pg_tblspc"))
    return sorted(target for target in found if target is not None)


def entries(folder: str) -> list[str]:
    try:
        return os.listdir(f"{files.PGDATA}/{folder}")
    except FileNotFoundError:
        return []


def link(path: str) -> str | None:
    return os.readlink(path) if os.path.islink(path) else None


def ran_with(node: Node) -> dict[str, int]:
    if files.data_state() not in ("ready", "rewinding"):
        return {}
    found = controldata(node)
    return {name: int(found[word]) for word, name in RAN_WITH.items() if word in found}


# --------------------------------------------------------------------------------------------- what the server says


def in_database(connection: psycopg.Connection[Any], node: Node) -> dict[str, Any]:
    found = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    superuser = found is not None and found[0] is True
    return {
        "access": None if superuser else 'role "postgres" is no superuser',
        "roles": systemroles.taken(connection, node),
    }


def denied(problem: str) -> str | None:
    """Why the server does not let the agent in, if that is a matter of its catalog and not of the moment."""
    match = NO_ACCESS.search(problem)
    return match[0] if match else None


def show() -> int:
    """JSON on standard output: `adopted`, `control` and `problems`, as in a report."""
    node = files.installed_node()
    answer: dict[str, Any] = {"adopted": None, "control": None, "problems": []}
    try:
        answer["adopted"] = facts(node)
        if files.data_state() == "ready":
            answer["control"] = control_facts(node)
        if answer["adopted"]["otherServer"] is not None:
            answer["adopted"].update(of_running(node))
    except (Refusal, OSError) as problem:
        answer["problems"].append(one_line(problem))
    print(json.dumps(answer))
    return 0


def of_running(node: Node) -> dict[str, Any]:
    """Of the old server, by its own socket and its own rules of access."""
    import psycopg

    lines = (files.read_text(f"{files.PGDATA}/postmaster.pid") or "").split("\n")
    port, folder = (lines + [""] * 5)[3:5]
    try:
        with psycopg.connect(
            host=folder.strip() or node.socket_directory,
            port=port.strip(),
            user="postgres",
            dbname="postgres",
            connect_timeout=2,
            client_encoding="UTF8",
            autocommit=True,
        ) as connection:
            return in_database(connection, node)
    except psycopg.Error as problem:
        return {"access": one_line(problem)}
