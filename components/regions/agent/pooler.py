"""What a proxy's PgBouncer is asked and told: what its clients do, that they wait, and that it has read its files."""

from __future__ import annotations

import re
import time
from typing import Any

import files
import unit
from awaiting import milliseconds, wait_until
from console import Console
from control import ask
from files import Refusal

SERVERS = ("sv_active", "sv_active_cancel", "sv_being_canceled", "sv_idle", "sv_used", "sv_tested", "sv_login")
POLL_SECONDS = 0.02
TAKEN_SECONDS = 5.0
SETTING = re.compile(r"(\w+) = (.*)")


def facts(config: dict[str, Any]) -> dict[str, Any]:
    ours = ask({"do": "state"}, timeout=2.0, patience=0.5)["programs"]["pgbouncer"]
    with Console(config) as console:
        paused, pools = is_paused(console), pools_of(console)
    longest = max((wait_ms(pool) for pool in pools), default=0.0)
    return {
        "paused": {"resumesInMs": ours["resumesInMs"]} if paused else None,
        "clients": {
            "active": total(pools, "cl_active"),
            "waiting": total(pools, "cl_waiting"),
            "longestWaitMs": longest,
        },
        "servers": {
            "active": total(pools, "sv_active"),
            "idle": total(pools, "sv_idle") + total(pools, "sv_used"),
        },
    }


def pause_clients(config: dict[str, Any], ttl: float, drain: float) -> dict[str, Any]:
    begun = time.monotonic()
    unit.named(config, "pgbouncer")
    with Console(config) as console:
        ask({"do": "pause", "program": "pgbouncer", "ttl": ttl})
        open_ones = 0

        def drained() -> bool:
            nonlocal open_ones
            open_ones = total(pools_of(console), *SERVERS)
            return open_ones == 0 and is_paused(console)

        def busy() -> Refusal:
            message = f"after {drain:g} s {open_ones} transactions are still open; none of them is cut off"
            return Refusal("E_CLIENTS_BUSY", message)

        try:
            wait_until(drained, drain, busy, pause=POLL_SECONDS)
        except BaseException:
            resume_clients(config)
            raise
        clients = total(pools_of(console), "cl_active", "cl_waiting")
    return {"clients": clients, "ms": milliseconds(begun)}


def resume_clients(config: dict[str, Any]) -> dict[str, Any]:
    unit.named(config, "pgbouncer")
    return {"heldMs": ask({"do": "resume", "program": "pgbouncer"})["heldMs"]}


def await_settings(config: dict[str, Any]) -> None:
    """After a reload: PgBouncer says in its log alone that it could not read a file, and goes on with what it had."""
    text = files.read_text(f"{files.CONFIG}/pgbouncer/pgbouncer.ini") or ""
    wanted = dict(match.groups() for line in text.splitlines() if (match := SETTING.fullmatch(line)))
    wrong: list[str] = []

    def taken() -> bool:
        nonlocal wrong
        with Console(config) as console:
            found = {row["key"]: row["value"] for row in console.ask("SHOW CONFIG")}
        wrong = [name for name, value in wanted.items() if name in found and not same(found[name], value)]
        return not wrong

    def late() -> Refusal:
        message = f"pgbouncer did not take over {', '.join(sorted(wrong))}, and goes on with what it has; its log says why"
        return Refusal("E_RELOAD", message)

    wait_until(taken, TAKEN_SECONDS, late)


def same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


def answers(config: dict[str, Any]) -> str:
    """Why not; empty: it does."""
    try:
        with Console(config) as console:
            console.ask("SHOW VERSION")
    except Refusal as no:
        return str(no)
    return ""


def pools_of(console: Console) -> list[dict[str, str]]:
    return [pool for pool in console.ask("SHOW POOLS") if pool["database"] != "pgbouncer"]


def is_paused(console: Console) -> bool:
    return any(row["key"] == "paused" and row["value"] == "yes" for row in console.ask("SHOW STATE"))


def total(pools: list[dict[str, str]], *columns: str) -> int:
    return sum(int(pool.get(column) or 0) for pool in pools for column in columns)


def wait_ms(pool: dict[str, str]) -> float:
    return round(int(pool["maxwait"]) * 1000 + int(pool["maxwait_us"]) / 1000, 1)
