"""The verb `observe`: everything that a plan may know of this host, in the shape of `UnitReport` (facts.ts).

It never fails as a whole, and whoever hangs costs his own part only: what cannot be read is null, and `problems` says
why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import certificate
import files
import unit
import unitfile
import watchdog
from awaiting import Together
from control import ask
from locks import lock_facts
from output import concealed

ANSWER_SECONDS = 7.5
"""For all parts at once. A conversation's other costs come on top, and the whole is to take 8 s at most, because its caller waits for 10."""
UNKNOWN_PROGRAM = {"state": "stopped", "restarts": 0, "loaded": {}}


def make(catalog: bool, offline: bool = False) -> dict[str, Any]:
    problems: list[str] = []
    config = attempt("agent.json", unit.installed, problems) or {}
    parts: dict[str, Callable[[], Any]] = {}
    if not offline:
        parts["supervisor"] = lambda: ask({"do": "state"}, timeout=2.0, patience=0.5)
        if "consul" in config:
            parts["consul"] = lambda: consul(config)
        if "pgbouncer" in config:
            parts["pooler"] = lambda: pooler(config)
    if config.get("role") == "member":
        parts["member"] = lambda: member(config, catalog, offline)
    together = Together(parts, ANSWER_SECONDS)
    problems += together.problems
    supervisor = together.found.get("supervisor")
    facts, consul_problems = together.found.get("consul", (None, []))
    of_member = together.found.get("member", {})
    problems += consul_problems + list(of_member.get("problems", []))
    generation = attempt("generation", lambda: files.read_text(files.GENERATION), problems)
    return {
        "name": config.get("name", ""),
        "clock": files.now(),
        "agent": {
            "running": supervisor["agent"] if supervisor else "",
            "installed": attempt("agent", files.agent_hash, problems) or "",
        },
        "unit": attempt("unit", lambda: unitfile.facts(supervisor), problems),
        "generation": generation.strip() if generation else None,
        "lock": attempt("lock", lock_facts, problems),
        "certificate": attempt("certificate", certificate.facts, problems),
        "files": attempt("files", unit.public_files, problems) or {},
        "programs": programs(config, supervisor, problems),
        "consul": facts,
        "snapshots": attempt("snapshots", lambda: snapshots(config), problems),
        "patroni": of_member.get("patroni"),
        "watchdog": attempt("watchdog", watchdog.facts, problems) if config.get("role") == "member" else None,
        "data": of_member.get("data"),
        **({"catalog": of_member.get("catalog")} if catalog else {}),
        "change": of_member.get("change"),
        **({"pooler": together.found.get("pooler")} if "pgbouncer" in config else {}),
        "problems": [concealed(problem) for problem in problems],
    }


def attempt(part: str, read: Callable[[], Any], problems: list[str]) -> Any:
    try:
        return read()
    except Exception as problem:
        problems.append(f"{part}: {problem}")
        return None


def programs(config: dict[str, Any], supervisor: dict[str, Any] | None, problems: list[str]) -> dict[str, Any]:
    if supervisor is not None:
        if supervisor["problem"]:
            problems.append(supervisor["problem"])
        known = ("state", "reason", "restarts", "loaded", "installed")
        return {name: {key: facts[key] for key in known} for name, facts in supervisor["programs"].items()}
    found = {}
    for spec in attempt("programs", lambda: unit.programs(config) if config else [], problems) or []:
        held = unit.hold_reason(spec.name)
        state = {"state": "held", "reason": held} if held is not None else {"reason": "its unit is stopped"}
        # Whether it would load the files as they are cannot be said beside a stopped unit: it loads them at its start.
        found[spec.name] = {**UNKNOWN_PROGRAM, **state, "installed": {}}
    return found


def consul(config: dict[str, Any]) -> Any:
    import consulfacts

    return consulfacts.look(config)


def pooler(config: dict[str, Any]) -> Any:
    import pooler

    return pooler.facts(config)


def snapshots(config: dict[str, Any]) -> Any:
    if config.get("role") != "server":
        return None
    from snapshots import facts

    return facts(config)


def member(config: dict[str, Any], catalog: bool, offline: bool) -> dict[str, Any]:
    import patroni_facts

    return patroni_facts.look(config, catalog)
