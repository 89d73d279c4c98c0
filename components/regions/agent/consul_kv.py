"""Patroni's dynamic configuration where it lies, in Consul: through the host's own agent, with Patroni's token.

Patroni itself is not asked for it. GET /config answers from what it saw in its last turn, up to `loop_wait` ago, also
directly after a PATCH that it has answered with the new values.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import patroni_config
from files import Refusal
from patroni_rest import Answer, Endpoint, Unanswered, exchange


@dataclass(frozen=True)
class Found:
    value: dict[str, Any]
    index: int
    """For a compare-and-set."""


def request(config: dict[str, Any], method: str, path: str, body: Any = None, seconds: float = 5.0) -> Answer:
    address, port = patroni_config.split_endpoint(config["consul"]["address"])
    token = patroni_config.needed(patroni_config.SECRETS_YML, "consul", "token")
    headers = {"X-Consul-Token": token}
    try:
        # The agent's certificate is this host's own, and names it.
        return exchange(Endpoint(config["name"], address, port), method, path, body, seconds, **headers)
    except Unanswered as silence:
        raise Refusal("E_NO_CONSUL", f"the Consul agent does not answer: {silence}") from None


def read_key(config: dict[str, Any], key: str, seconds: float = 5.0) -> Found | None:
    """`consistent`: a server that has been cut off must not answer with what was."""
    answer = request(config, "GET", f"/v1/kv/{quote(key)}?consistent", None, seconds)
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise Refusal("E_CONSUL", f"reading key {key}: {answer.words()}")
    (entry,) = answer.json()
    try:
        value = json.loads(base64.b64decode(entry["Value"] or ""))
    except ValueError:
        raise Refusal("E_CONSUL", f"key {key} holds no JSON; Patroni's dynamic configuration is damaged") from None
    return Found(dict(value), int(entry["ModifyIndex"]))


def dynamic(config: dict[str, Any], seconds: float = 5.0) -> dict[str, Any]:
    """What Patroni's configuration is now. @raises Refusal also where there is none yet"""
    found = read_key(config, patroni_config.scope_key(config, "config"), seconds)
    if found is None:
        raise Refusal("E_PATRONI", "Consul holds no configuration of this cluster; its first member writes it")
    return found.value


def write_key(config: dict[str, Any], key: str, value: dict[str, Any], index: int) -> bool:
    """Compare-and-set; `index` 0: only where there is none. False: somebody else was first."""
    answer = request(config, "PUT", f"/v1/kv/{quote(key)}?cas={index}", value)
    if answer.status != 200:
        raise Refusal("E_CONSUL", f"writing key {key}: {answer.words()}")
    return answer.text.strip() == "true"
