"""The keys of gossip that a host's Consul has on its disk, which win over the one in its configuration."""

from __future__ import annotations

import hashlib
import json

import files
from consulapi import secret_config, secret_tokens
from output import log

RING, SNAPSHOT = (f"{files.DATA}/consul/serf/local.{name}" for name in ("keyring", "snapshot"))
NOTE = f"{files.STATE}/gossip-member"


def forget_foreign() -> None:
    """
    Before Consul is started. A volume that was left behind holds the keys of a cluster that is no more, or of the time
    before its key was changed: nobody would hear this host. Whether it is the same membership is told by the agent's
    token, which is made anew with it. In the same one another key than the configuration's is a change that goes on.
    """
    token, key = secret_tokens().get("agent"), secret_config().get("encrypt")
    if token is None or key is None:
        return
    now = hashlib.sha256(token.encode()).hexdigest()
    before = files.read_text(NOTE)
    if before is not None and before != now and key not in keys():
        log("consul: the gossip keys on disk are of another membership, and are forgotten")
        for path in (RING, SNAPSHOT):
            files.remove_durably(path)
    if before != now:
        files.ensure_state()
        files.write_durably(NOTE, now)


def keys() -> list[str]:
    try:
        return list(json.loads(files.read_text(RING) or "[]"))
    except ValueError:
        return []
