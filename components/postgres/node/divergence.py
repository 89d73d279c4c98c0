"""The return of an old primary after a forced failover: what only it has is kept aside, then it is rewound."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import time
from typing import Any

import files
from build import Cancelled, Progress, last_lines
from files import Node, Peer, Refusal
from observe import control_facts
from records import lsn_value, read_json
from role import conninfo, follower_role, write_role

ROOM = 256 * 1024 * 1024
"""Left free on the volume: a copy must not keep the server from starting."""


# ----------------------------------------------------------------------------------------------- what is kept


def keep(node: Node, switch_lsn: str) -> dict[str, Any]:
    """WAL from the fork on, the control file, and a note. Repeatable: one copy for one end of one timeline."""
    if files.data_state() not in ("ready", "rewinding"):
        raise Refusal("E_NO_DATA", f"the data directory is {files.data_state()}; there is nothing to keep")
    control = control_facts(node)
    facts = {"node": node.name, "switchLsn": switch_lsn, **control}
    if (found := kept_before(facts)) is not None:
        return {"path": found, "bytes": size(found)}
    names = divergent_wal(control["timeline"], switch_lsn)
    needed = sum(os.path.getsize(f"{files.PGDATA}/pg_wal/{name}") for name in names)
    volume = os.statvfs(files.DATA)
    free = volume.f_bavail * volume.f_frsize
    if needed + ROOM > free:
        raise Refusal(
            "E_NO_SPACE", f"{len(names)} WAL files ({needed} bytes) are to be kept, and {free} bytes are free"
        )
    target = f"{files.KEPT}/{files.now().replace(':', '').replace('+0000', 'Z')}"
    building = f"{target}.building"
    os.makedirs(f"{building}/pg_wal", mode=0o700)
    for name in names:
        copy_durably(f"{files.PGDATA}/pg_wal/{name}", f"{building}/pg_wal/{name}")
    copy_durably(f"{files.PGDATA}/global/pg_control", f"{building}/pg_control")
    files.write_durably(f"{building}/kept.json", json.dumps(facts, indent=2) + "\n")
    files.write_durably(f"{building}/README", readme(node, facts, names))
    files.sync_directory(f"{building}/pg_wal")
    os.rename(building, target)
    files.sync_directory(files.KEPT)
    files.sync_directory(files.DATA)
    return {"path": target, "bytes": size(target)}


def kept_before(facts: dict[str, Any]) -> str | None:
    """Also removes what a cut-off run left."""
    os.makedirs(files.KEPT, mode=0o700, exist_ok=True)
    for name in sorted(os.listdir(files.KEPT)):
        path = f"{files.KEPT}/{name}"
        if name.endswith(".building"):
            shutil.rmtree(path)
        elif read_json(f"{path}/kept.json") == facts:
            return path
    return None


def divergent_wal(timeline: int, switch_lsn: str) -> list[str]:
    """
    The timeline's segments from the one of the fork on, up to the first that was only made for later: its pages
    say that they belong elsewhere. History files come along, so that the copy explains itself.
    """
    folder = f"{files.PGDATA}/pg_wal"
    present = set(os.listdir(folder))
    histories = sorted(name for name in present if name.endswith(".history"))
    segments = [name for name in present if re.fullmatch(r"[0-9A-F]{24}", name)]
    # One that was just being made when the host was lost is shorter, or empty.
    segment_bytes = max((os.path.getsize(f"{folder}/{name}") for name in segments), default=0)
    if segment_bytes == 0:
        return histories
    per_log = (1 << 32) // segment_bytes
    number = lsn_value(switch_lsn) // segment_bytes
    names: list[str] = []
    while True:
        name = f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"
        if name not in present or not begins_at(f"{folder}/{name}", number * segment_bytes):
            return names + histories
        names.append(name)
        number += 1


def begins_at(path: str, position: int) -> bool:
    """XLogPageHeaderData: magic, flags (2 bytes each), timeline (4), address of the page (8)."""
    with open(path, "rb") as file:
        header = file.read(16)
    return len(header) == 16 and struct.unpack_from("=Q", header, 8)[0] == position


def copy_durably(source: str, target: str) -> None:
    with open(source, "rb") as reader, open(target, "wb") as writer:
        os.chmod(target, 0o600)
        shutil.copyfileobj(reader, writer, 1 << 20)
        writer.flush()
        os.fsync(writer.fileno())


def size(path: str) -> int:
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


def readme(node: Node, facts: dict[str, Any], names: list[str]) -> str:
    return (
        f"{node.name} led on timeline {facts['timeline']} of system {facts['systemIdentifier']} when another node was\n"
        f"promoted at {facts['switchLsn']}. What {node.name} wrote after that position is on no other node. It is in\n"
        f"the {len(names)} files in pg_wal/; `pg_waldump` of PostgreSQL {facts['majorVersion']} reads them:\n\n"
        f"    pg_waldump --path pg_wal --timeline {facts['timeline']} --start {facts['switchLsn']}\n\n"
        "Whether it is needed is for people to decide. Remove this directory when it is not.\n"
    )


# ------------------------------------------------------------------------------------------------------ rewind


def rewind(node: Node, source: str, progress: Progress, cancelled: Cancelled) -> int:
    """
    pg_rewind, between a marker that says so. Whatever cuts it off, the marker stays and nobody starts the
    directory; a new base backup is then what helps. What can be known to fail is found out before the marker.
    """
    peer = node.peer(source)
    state = files.data_state()
    if state != "ready":
        raise Refusal("E_NO_DATA" if state != "rewinding" else "E_REWINDING", f"the data directory is {state}")
    await_source(node, peer, control_facts(node), cancelled)
    files.write_durably(files.REWINDING, f"{source} {files.now()}\n")
    # The crash recovery that pg_rewind begins with runs in a single-user server, which refuses to be a standby.
    files.remove_durably(files.STANDBY_SIGNAL)
    size_kb = run_rewind(node, peer, progress)
    files.write_durably(files.STANDBY_SIGNAL, "")
    files.sync_directory(files.PGDATA)
    write_role(follower_role(node, peer))
    for note in (files.DEGRADED, files.RECEIVED):
        files.remove_durably(note)  # they tell of what was rewound
    files.remove_durably(files.REWINDING)
    return size_kb * 1024


def rewinder(node: Node, peer: Peer) -> str:
    return conninfo(node, peer, node.rewind_role, f"{node.name}:rewind", dbname="postgres")


def await_source(node: Node, peer: Peer, own: dict[str, Any], cancelled: Cancelled) -> None:
    """The source must be a primary of the same system whose control file knows its timeline (protocols 2a, facts)."""
    import psycopg

    query = """
    SELECT pg_is_in_recovery(), (SELECT system_identifier::text FROM pg_control_system()),
           (SELECT timeline_id FROM pg_control_checkpoint()),
           CASE WHEN NOT pg_is_in_recovery()
                THEN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END
    """
    deadline = time.monotonic() + 60
    try:
        with psycopg.connect(rewinder(node, peer), autocommit=True, client_encoding="UTF8") as connection:
            while True:
                found: Any = connection.execute(query).fetchone()
                recovering, system, recorded, actual = found
                if recovering:
                    raise Refusal("E_SOURCE", f"{peer.name} is a standby; there is nothing to be rewound to")
                if system != own["systemIdentifier"]:
                    raise Refusal("E_SOURCE", f"{peer.name} is of system {system}, this is {own['systemIdentifier']}")
                if recorded == actual:
                    return
                if time.monotonic() > deadline or cancelled():
                    raise Refusal("E_SOURCE", f"{peer.name} has made no checkpoint on timeline {actual} yet")
                time.sleep(0.1)
    except psycopg.OperationalError as problem:
        raise Refusal("E_SOURCE", f"{peer.name} cannot be read: {' '.join(str(problem).split())[:300]}") from None


def run_rewind(node: Node, peer: Peer, progress: Progress) -> int:
    """It goes on without its caller, because half of it is worse than all of it. Returns the kilobytes copied."""
    argv = [f"{node.bin}/pg_rewind", "--target-pgdata", files.PGDATA, "--source-server", rewinder(node, peer)]
    argv += ["--progress", f"--config-file={files.CONFIG}/postgresql.conf"]
    progress(f"pg_rewind from {peer.name}")
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=3600, check=False
    )
    if done.returncode != 0:
        raise Refusal("E_REWIND", f"pg_rewind: {last_lines(done.stderr or done.stdout)}")
    copied = re.findall(r"(\d+)/\d+ kB", done.stdout + done.stderr)
    return int(copied[-1]) if copied else 0
