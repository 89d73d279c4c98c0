"""`serve`: a conversation about a node of a pair; see roles/session.ts."""

from __future__ import annotations

from conversation import converse
from roleverbs import RoleVerbs


def serve(offline: bool = False) -> int:
    return converse(verbs(offline))


def verbs(offline: bool) -> type[RoleVerbs]:
    if not offline:
        return RoleVerbs
    from offline import OfflineVerbs

    return OfflineVerbs
