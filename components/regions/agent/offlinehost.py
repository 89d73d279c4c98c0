"""`serve --offline`: an agent beside a unit that is stopped, with that unit's volumes, no network and no program.

    docker run --rm -i --volumes-from <container> --network none <image> python3 /etc/understudy/agent.py serve --offline
    runuser -u postgres -- python3 /etc/understudy/agent.py serve --offline        (of a service that is down)

It can read what is there, and hold a program so that the unit's next start does not start it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import files
import report
import unit
from files import Refusal
from hostverbs import HELD, HostVerbs
from locks import holding

ALLOWED = frozenset({"observe", "lock", "unlock", "hold", "control"})


class OfflineVerbs(HostVerbs):
    def perform(self, verb: str, args: dict[str, Any]) -> Any:
        if verb not in ALLOWED:
            raise Refusal("E_OFFLINE", f"{verb} needs the host's unit, which is stopped")
        with volumes():
            return super().perform(verb, args)

    def observe(self, catalog: bool = False) -> dict[str, Any]:
        return report.make(catalog, offline=True)

    def hold(self, program: str, timeoutSeconds: float) -> dict[str, Any]:
        spec = unit.named(unit.installed(), program)
        unit.hold(spec.name, HELD)
        return {"ms": 0}

    def control(self) -> dict[str, Any]:
        import patroni_config
        from observe import control_facts

        return control_facts(patroni_config.member_node(unit.installed()))


def volumes() -> AbstractContextManager[None]:
    """Nobody else's for the time of a verb. A unit that is started meanwhile waits for it."""
    return holding(files.SUPERVISOR_LOCK, 0.2, Refusal("E_RUNNING", "the host's unit is up: its supervisor runs"))
