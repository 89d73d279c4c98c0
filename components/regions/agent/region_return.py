"""A region comes back that led when another one was promoted in its place: before any Patroni of it is started, its
configuration in Consul says whom it follows.

What Patroni 4.1 makes of that (seen, with and without WAL of its own on the old timeline): whoever starts finds the
configuration before it does anything, recovers a crashed directory in single-user mode, holds its history against the
remote primary's, and rewinds if it forked, as rewinder at that primary, standby leader and replicas alike; then it
follows. Nobody needs to be copied anew, and `remove_data_directory_on_*` does not come into it. A rewind that fails
leaves the directory as it is; `POST /reinitialize` then copies a replica anew.
"""

from __future__ import annotations

import json
from typing import Any

import files
import region_evidence
from consul_kv import read_key, write_key
from files import Refusal
from patroni_config import scope_key
from region_stop import require_valid

CACHE = f"{files.PGDATA}/patroni.dynamic.json"
"""Patroni's copy of its configuration. It is used, and put back into Consul, when Consul has lost its own."""


def become_standby_cluster(config: dict[str, Any], standby: dict[str, Any]) -> None:
    require_valid(standby)
    region_evidence.keep(config, region_evidence.fork(config))
    key = scope_key(config, "config")
    for _ in range(5):
        found = read_key(config, key)
        value, index = (found.value, found.index) if found is not None else (cached(key), 0)
        if found is not None and value.get("standby_cluster") == standby:
            break
        if write_key(config, key, {**value, "standby_cluster": standby}, index):
            break
    else:
        raise Refusal("E_CONSUL", f"key {key} kept being changed by others; it was not written")
    keep_in_cache(standby)


def cached(key: str) -> dict[str, Any]:
    """Consul has lost the cluster: what this member last knew, which is what Patroni would put there."""
    try:
        return dict(json.loads(files.read_text(CACHE) or "null"))
    except (TypeError, ValueError):
        missing = f"Consul has no key {key}, and there is no {CACHE}: nothing tells how this cluster is configured"
        raise Refusal("E_NO_CLUSTER", missing) from None


def keep_in_cache(standby: dict[str, Any]) -> None:
    """This member's copy must not bring the old role back either, if Consul is lost before Patroni has read it."""
    text = files.read_text(CACHE)
    if text is None:
        return
    try:
        value = dict(json.loads(text))
    except (TypeError, ValueError):
        return  # Patroni cannot read it either
    if value.get("standby_cluster") != standby:
        files.write_durably(CACHE, json.dumps({**value, "standby_cluster": standby}))
