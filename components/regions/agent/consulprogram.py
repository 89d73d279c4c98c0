"""Consul, which can be told through its API to leave the cluster."""

from __future__ import annotations

import keyring
from files import Refusal
from output import log
from program import Program

LEFT = "it was told to leave its cluster, which needs it no more"
LONGEST_PAUSE = 2.0
"""Gossip calls a member failed after 4 s and more; with `sessionChecks` a leader's session ends then."""


class ConsulProgram(Program):
    def prepare(self) -> None:
        try:
            keyring.forget_foreign()
        except (OSError, Refusal) as problem:
            # E.g. a full disk. Consul is worth more than the note.
            log(f"consul: the gossip keys on disk were not looked at: {problem}")

    def failed(self, reason: str) -> None:
        super().failed(reason)
        self.pause = min(self.pause, LONGEST_PAUSE)

    def meant(self, code: int) -> str | None:
        """
        No signal makes it leave with the rendered configuration, and every other end has another status. Started again,
        a server that was removed would join its cluster again.
        """
        return LEFT if code == 0 else None
