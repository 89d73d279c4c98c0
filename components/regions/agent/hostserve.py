"""`serve`: a conversation about this host, with the verbs of its role."""

from __future__ import annotations

import files
import unit
from conversation import converse
from files import Refusal
from hostverbs import HostVerbs, ProxyVerbs


def serve(offline: bool = False) -> int:
    if offline:
        from offlinehost import OfflineVerbs

        return converse(OfflineVerbs)
    return converse(verbs())


def verbs() -> type[HostVerbs]:
    """A host whose configuration is not there can be observed all the same."""
    try:
        role = unit.installed()["role"]
    except Refusal:
        return HostVerbs
    if role == "proxy":
        return ProxyVerbs
    if role == "server":
        from consulverbs import ServerVerbs

        return ServerVerbs
    if role == "member":
        from memberverbs import MemberVerbs

        return MemberVerbs
    raise Refusal("E_NO_CONFIG", f"{files.CONFIG}/agent.json: there is no role {role!r}")
