"""The verbs of a member: those of its Consul agent and those of its Patroni."""

from __future__ import annotations

from collections.abc import Callable

from consulverbs import ConsulVerbs
from patroni_verbs import PatroniVerbs


class MemberVerbs(ConsulVerbs, PatroniVerbs):
    def __init__(self, progress: Callable[[str], None], gone: Callable[[], bool]) -> None:
        ConsulVerbs.__init__(self, progress, gone)
        PatroniVerbs.__init__(self, progress, gone)
