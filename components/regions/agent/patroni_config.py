"""What this member's own files say of its Patroni. They are rendered by us, two levels deep at the places read here, so
that they can be read without a parser of YAML, which Python has none of."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import files
from files import Node, Refusal

PATRONI_YML = f"{files.CONFIG}/patroni/patroni.yml"
SECRETS_YML = f"{files.SECRETS}/patroni.yml"


def setting(path: str, section: str, key: str) -> str | None:
    """`key` of a top-level section; None where it is not there."""
    inside = False
    for line in (files.read_text(path) or "").splitlines():
        if line[:1] not in (" ", "#", ""):
            inside = line.rstrip() == f"{section}:"
        elif inside and (found := re.fullmatch(rf"  {re.escape(key)}: *(.*?) *", line)):
            return unquoted(found[1])
    return None


def unquoted(value: str) -> str:
    if value[:1] == '"':
        return str(json.loads(value))
    return value[1:-1].replace("''", "'") if value[:1] == "'" else value


def needed(path: str, section: str, key: str) -> str:
    value = setting(path, section, key)
    if not value:
        raise Refusal("E_NO_CONFIG", f"{path} has no {section}.{key}; it is not one that was rendered for a member")
    return value


def split_endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def member_node(config: dict[str, Any]) -> Node:
    """As the pair's modules want it. Who replicates from whom is Patroni's business, so there are no peers."""
    return Node(
        name=config["name"],
        major=int((files.read_text(f"{files.PGDATA}/PG_VERSION") or "0").strip()),
        bin=needed(PATRONI_YML, "postgresql", "bin_dir"),
        port=int(config["patroni"]["port"]),
        synchronous="off",
        degrade_after=0.0,
        peers=(),
        slot="",
        replication_role="replicator",
        rewind_role="rewinder",
        verifier_role="verifier",
        socket_directory="/run/postgresql",
        standby_reads=True,
    )


def has_data() -> bool:
    return os.path.exists(f"{files.PGDATA}/global/pg_control")


def data_state() -> str:
    """
    `empty`, `copy` or `ready`. The first server on a copy takes its backup_label away; until then its control file is
    the source's, and would pass for that of a primary which runs. PostgreSQL 15 and newer puts none where it runs itself.
    """
    if not has_data():
        return "empty"
    return "copy" if os.path.exists(f"{files.PGDATA}/backup_label") else "ready"


def scope_key(config: dict[str, Any], name: str) -> str:
    """A key of this cluster in Consul, as Patroni names it: without the slash at the beginning."""
    patroni = config["patroni"]
    return f"{patroni['namespace'].strip('/')}/{patroni['scope']}/{name}"
