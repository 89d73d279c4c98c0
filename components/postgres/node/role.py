"""role.conf: the settings that follow from who leads, and how this node reaches the one that does."""

from __future__ import annotations

import re
from dataclasses import dataclass

import files
from files import Node, Peer


@dataclass(frozen=True)
class Role:
    """Included last by postgresql.conf, so that nothing shadows it."""

    synchronous_names: str
    conninfo: str | None = None
    slot: str | None = None

    def render(self) -> str:
        lines = ["# Written by the node's agent; edits are overwritten."]
        lines.append(f"synchronous_standby_names = {quote(self.synchronous_names)}")
        if self.conninfo is not None:
            lines.append(f"primary_conninfo = {quote(self.conninfo)}")
        if self.slot is not None:
            lines.append(f"primary_slot_name = {quote(self.slot)}")
        return "\n".join(lines) + "\n"


def quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def read_role() -> Role | None:
    text = files.read_text(files.ROLE_CONF)
    if text is None:
        return None
    found = dict(re.findall(r"^(\w+) = '((?:[^'\\]|''|\\.)*)'$", text, re.MULTILINE))
    plain = {name: re.sub(r"''|\\(.)", lambda m: m[1] or "'", value) for name, value in found.items()}
    return Role(
        plain.get("synchronous_standby_names", ""), plain.get("primary_conninfo"), plain.get("primary_slot_name")
    )


def write_role(role: Role) -> None:
    if read_role() != role:
        files.write_durably(files.ROLE_CONF, role.render())


def conninfo(node: Node, peer: Peer, user: str, application_name: str, **more: str) -> str:
    """How this node reaches a peer: by certificate, never with a password."""
    parts = {
        "host": peer.address,
        "port": str(peer.port),
        "user": user,
        "application_name": application_name,
        "sslmode": "verify-full",
        "sslcert": f"{files.SECRETS}/server.crt",
        "sslkey": f"{files.SECRETS}/server.key",
        "sslrootcert": f"{files.SECRETS}/ca.crt",
        "gssencmode": "disable",
        "connect_timeout": "5",
        **more,
    }
    return " ".join(f"{name}={conninfo_value(value)}" for name, value in parts.items())


def conninfo_value(value: str) -> str:
    if re.fullmatch(r"[\w./:-]+", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def follower_role(node: Node, peer: Peer) -> Role:
    """A standby has the synchronous names too: they count from the instant of its promotion."""
    keepalives = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3"}
    source = conninfo(node, peer, node.replication_role, node.name, **keepalives)
    return Role(node.synchronous_names(), source, node.slot)


def follows(node: Node | None) -> str | None:
    """The peer that role.conf names; its address where no peer has it (any more)."""
    role = read_role()
    match = re.search(r"(?:^| )host=(?:'([^']*)'|(\S+))", role.conninfo) if role and role.conninfo else None
    if match is None:
        return None
    host = match[1] or match[2]
    return next((peer.name for peer in (node.peers if node else ()) if peer.address == host), host)
