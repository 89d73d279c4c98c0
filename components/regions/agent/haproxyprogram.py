"""HAProxy, whose sessions to a server that was lost are ended by us."""

from __future__ import annotations

import lostsessions
from program import Program


class HaproxyProgram(Program):
    def prepare(self) -> None:
        lostsessions.ensure()
