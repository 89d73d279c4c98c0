"""What lies on the node's disks: paths, the deployment's node.json, and the agent's own notes.

Every note is written so that a power cut leaves the old or the new one, never half of one: a fence or a
"commits went unconfirmed" that is lost in a crash is a lost write later.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CONFIG = os.environ.get("UNDERSTUDY_CONFIG", "/etc/understudy")
DATA = os.environ.get("UNDERSTUDY_DATA", "/var/lib/understudy")
RUN = os.environ.get("UNDERSTUDY_RUN", "/run/understudy")

SECRETS = f"{CONFIG}/secrets"
OWN_PGDATA = f"{DATA}/pgdata"
PGDATA: str
BUILDING: str
REWINDING: str
STANDBY_SIGNAL: str
"""These four: see `locate`."""
STATE = f"{DATA}/state"
KEPT = f"{DATA}/kept"
ROLE_CONF = f"{STATE}/role.conf"
DEGRADED = f"{STATE}/degraded.json"
GENERATION = f"{STATE}/generation"
LOCK = f"{STATE}/lock"
DEPLOYMENT_LOCK = f"{STATE}/deployment.lock"
DEPLOYMENT_NOTE = f"{STATE}/deployment.json"
SUPERVISOR_LOCK = f"{STATE}/supervisor.lock"
PROMOTION = f"{STATE}/promotion.json"
RECEIVED = f"{STATE}/received.json"
LOADED = f"{STATE}/loaded"
STARTED = f"{STATE}/started"
ADOPTED = f"{STATE}/adopted.json"
CONTROL_SOCKET = f"{RUN}/control.sock"
ADMITTED = f"{RUN}/clients.conf"

CONFIG_FILES = ("postgresql.conf", "pg_hba.conf", "pg_ident.conf", "clients.conf", "node.json", "certificate.json")


class Refusal(Exception):
    """The node's answer is no. `code` is for the plan, the message for a person; neither holds a secret."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# ---------------------------------------------------------------------------------------------- durable writes


def sync_directory(path: str) -> None:
    """A rename or an unlink is on disk only when its directory is."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_durably(path: str, text: str) -> None:
    """Leaves the old or the new file, whatever happens, and returns when the new one would survive a crash."""
    temporary = f"{path}.new"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    sync_directory(os.path.dirname(path))


def remove_durably(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    sync_directory(os.path.dirname(path))


def read_text(path: str) -> str | None:
    """A file's text, or None where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def ensure_state() -> None:
    for path in (STATE, LOADED, STARTED):
        os.makedirs(path, mode=0o700, exist_ok=True)


# ------------------------------------------------------------------------------------------------ configuration


@dataclass(frozen=True)
class Peer:
    name: str
    address: str
    port: int
    slot: str


@dataclass(frozen=True)
class Node:
    """node.json: what this node is in the deployment. Who leads is not in it."""

    name: str
    major: int
    bin: str
    port: int
    synchronous: str
    degrade_after: float
    peers: tuple[Peer, ...]
    slot: str
    replication_role: str
    rewind_role: str
    verifier_role: str
    socket_directory: str
    standby_reads: bool

    def peer(self, name: str) -> Peer:
        for peer in self.peers:
            if peer.name == name:
                return peer
        raise Refusal("E_UNKNOWN_PEER", f"node.json of {self.name} has no peer {name!r}")

    def synchronous_names(self) -> str:
        """The value of `synchronous_standby_names` that the policy asks for."""
        names = ",".join('"' + peer.name.replace('"', '""') + '"' for peer in self.peers)
        if self.synchronous == "off" or not names:
            return ""
        return names if len(self.peers) == 1 else f"ANY 1 ({names})"


def parse_node(text: str) -> Node:
    try:
        return node_from(json.loads(text))
    except (KeyError, TypeError, ValueError) as problem:
        raise Refusal("E_NO_CONFIG", f"node.json cannot be used: {type(problem).__name__} {problem}") from None


def node_from(raw: dict[str, Any]) -> Node:
    return Node(
        name=raw["node"],
        major=int(raw["majorVersion"]),
        bin=raw["binDirectory"],
        port=int(raw["port"]),
        synchronous=raw["synchronous"],
        degrade_after=float(raw["degradeAfterSeconds"]),
        peers=tuple(Peer(p["name"], p["address"], int(p["port"]), p["slot"]) for p in raw["peers"]),
        slot=raw["slot"],
        replication_role=raw.get("replicationRole", "replicator"),
        rewind_role=raw.get("rewindRole", "rewinder"),
        verifier_role=raw.get("verifierRole", "verifier"),
        socket_directory=raw.get("socketDirectory", "/run/postgresql"),
        standby_reads=bool(raw.get("standbyReads", True)),
    )


def locate() -> None:
    """
    Where the data directory is: our own, or the one that node.json names to be adopted. What is built beside it must
    be on its file system, because it takes its name. Real paths, as the system shows them of a process.
    """
    global PGDATA, BUILDING, REWINDING, STANDBY_SIGNAL
    try:
        named = json.loads(read_text(f"{CONFIG}/node.json") or "{}").get("dataDirectory", OWN_PGDATA)
        PGDATA = os.path.realpath(str(named))
    except (OSError, ValueError, AttributeError):
        PGDATA = os.path.realpath(OWN_PGDATA)  # whoever acts reads node.json himself, and says what is wrong with it
    BUILDING, REWINDING = f"{PGDATA}.building", f"{PGDATA}.rewinding"
    STANDBY_SIGNAL = f"{PGDATA}/standby.signal"


locate()


def installed_node() -> Node:
    text = read_text(f"{CONFIG}/node.json")
    if text is None:
        raise Refusal("E_NO_CONFIG", f"{CONFIG}/node.json is not installed")
    return parse_node(text)


def loaded_node() -> Node:
    """As it was at the last reload or start: a new policy counts from the reload on, like every other setting."""
    text = read_text(f"{LOADED}/node.json")
    return installed_node() if text is None else parse_node(text)


def config_files(directory: str) -> dict[str, str]:
    found = {name: read_text(f"{directory}/{name}") for name in CONFIG_FILES}
    return {name: text for name, text in found.items() if text is not None}


def remember_config(directory: str) -> None:
    """Copies the installed configuration, to tell later which one a server runs with."""
    for name in CONFIG_FILES:
        text = read_text(f"{CONFIG}/{name}")
        if text is None:
            remove_durably(f"{directory}/{name}")
        elif text != read_text(f"{directory}/{name}"):
            write_durably(f"{directory}/{name}", text)


def missing_config() -> str | None:
    """Why a server cannot be started with what is installed; None when it can."""
    needed = ("node.json", "postgresql.conf", "pg_hba.conf", "secrets/server.crt", "secrets/server.key")
    missing = [name for name in needed if not os.path.exists(f"{CONFIG}/{name}")]
    return f"the configuration is not installed: {', '.join(missing)}" if missing else None


# ------------------------------------------------------------------------------------------------- data directory


def data_state() -> str:
    """`empty`, `building`, `ready` or `rewinding`; see `DataFacts`. A directory that is not empty is never `empty`."""
    if os.path.exists(REWINDING):
        return "rewinding"
    try:
        if os.listdir(PGDATA):
            return "ready"
    except FileNotFoundError:
        pass
    return "building" if os.path.exists(BUILDING) else "empty"


def elsewhere() -> str | None:
    """Where this node's data is already, if node.json now names another place: neither is left behind unseen."""
    note = adoption_note()
    for path in ([note] if note else []) + [OWN_PGDATA]:
        if os.path.realpath(path) != PGDATA and os.path.isdir(path) and os.listdir(path):
            return path
    return None


def is_adopted() -> bool:
    """node.json names a data directory that was somebody else's."""
    return os.path.realpath(OWN_PGDATA) != PGDATA


def awaits_adoption() -> bool:
    """It has not been ours yet: the plan looks into it before anything is started on it."""
    return is_adopted() and adoption_note() != PGDATA and data_state() == "ready"


def adoption_note() -> str | None:
    try:
        return str(json.loads(read_text(ADOPTED) or "null")["directory"])
    except (ValueError, KeyError, TypeError):
        return None


def note_adoption() -> None:
    if is_adopted() and adoption_note() != PGDATA:
        write_durably(ADOPTED, json.dumps({"directory": PGDATA, "since": now()}) + "\n")


def is_standby() -> bool:
    return os.path.exists(STANDBY_SIGNAL)


def discard(path: str) -> None:
    """Removes a tree so that a cut-off removal still looks like something to remove."""
    if os.path.lexists(path):
        shutil.rmtree(path)
        sync_directory(os.path.dirname(path))


# -------------------------------------------------------------------------------------------- the degrade marker


def read_marker() -> dict[str, Any] | None:
    """Commits may have been acknowledged here alone. A marker that cannot be read still says so."""
    text = read_text(DEGRADED)
    if text is None:
        return None
    try:
        marker = json.loads(text)
        known = {"since": str(marker["since"]), "lsn": str(marker["lsn"]), "by": str(marker.get("by", "policy"))}
        return {**known, "followed": marker.get("followed") is True}
    except (ValueError, KeyError, TypeError):
        return {"since": "1970-01-01T00:00:00+00:00", "lsn": "0/0", "by": "policy", "followed": False}


def write_marker(lsn: str, by: str) -> None:
    write_durably(DEGRADED, json.dumps({"since": now(), "lsn": lsn, "by": by}) + "\n")


def note_follower(marker: dict[str, Any]) -> None:
    """A standby has received of what this node acknowledged alone: from now on it could be promoted in its place."""
    write_durably(DEGRADED, json.dumps({**marker, "followed": True}) + "\n")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def agent_hash() -> str:
    """First 12 hex digits over the agent's modules as installed, by name, so that a change of any of them shows."""
    here = os.path.dirname(os.path.abspath(__file__))
    digest = hashlib.sha256()
    for name in sorted(os.listdir(here)):
        if name.endswith(".py"):
            with open(f"{here}/{name}", "rb") as file:
                digest.update(name.encode() + b"\0" + file.read() + b"\0")
    return digest.hexdigest()[:12]
