"""agent.json: what this host is in the deployment, and the programs that it runs."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
from dataclasses import dataclass
from typing import Any

import files
from files import Refusal

HELD = f"{files.STATE}/held"
"""One file a program that must not be started by anybody but a converge, whatever happens to the host."""
PATRONI_DIRECTORY = f"{files.RUN}/patroni"
"""Patroni takes one directory; its files lie in two, because one of them is secret."""
ADMIN_SOCKET = f"{files.RUN}/haproxy.sock"
MASTER_SOCKET = f"{files.RUN}/haproxy-master.sock"
"""See components/regions/render/programs.ts."""


@dataclass(frozen=True)
class ProgramSpec:
    name: str
    command: tuple[str, ...]
    reload_signal: int | None
    stop_signal: int
    stop_timeout: float
    reloads: tuple[str, ...]
    restarts: tuple[str, ...]

    def fingerprints(self, key: bytes, paths: tuple[str, ...] | None = None) -> dict[str, str]:
        """By path; what is not there is left out, which differs from every file that is."""
        found = {path: fingerprint(path, key) for path in (paths or self.reloads + self.restarts)}
        return {path: value for path, value in found.items() if value is not None}


def fingerprint(path: str, key: bytes) -> str | None:
    """
    SHA-256 of an installed file. Of a secret one keyed, with a key that nobody else knows: a plain hash of a short
    secret could be guessed at by whoever reads a report.
    """
    try:
        with open(f"{files.CONFIG}/{path}", "rb") as file:
            content = file.read()
    except OSError:
        return None
    if path.startswith("secrets/"):
        return hmac.new(key, content, hashlib.sha256).hexdigest()
    return hashlib.sha256(content).hexdigest()


def installed() -> dict[str, Any]:
    path = f"{files.CONFIG}/agent.json"
    text = files.read_text(path)
    if text is None:
        raise Refusal("E_NO_CONFIG", f"{path} is not installed")
    try:
        config = json.loads(text)
        config["name"], config["role"], config["programs"]
    except (KeyError, TypeError, ValueError) as problem:
        raise Refusal("E_NO_CONFIG", f"{path} cannot be used: {type(problem).__name__} {problem}") from None
    return dict(config)


def programs(config: dict[str, Any]) -> list[ProgramSpec]:
    try:
        return [spec(raw) for raw in config["programs"]]
    except (KeyError, TypeError, ValueError) as problem:
        message = f"{files.CONFIG}/agent.json: programs: {type(problem).__name__} {problem}"
        raise Refusal("E_NO_CONFIG", message) from None


def spec(raw: dict[str, Any]) -> ProgramSpec:
    reload_signal = raw["reloadSignal"]
    return ProgramSpec(
        name=str(raw["name"]),
        command=tuple(str(word) for word in raw["command"]),
        reload_signal=None if reload_signal in (None, "null") else signal.Signals[f"SIG{reload_signal}"],
        stop_signal=signal.Signals[f"SIG{raw['stopSignal']}"],
        stop_timeout=float(raw["stopTimeoutSeconds"]),
        reloads=tuple(raw["reloads"]),
        restarts=tuple(raw["restarts"]),
    )


def named(config: dict[str, Any], program: str) -> ProgramSpec:
    for found in programs(config):
        if found.name == program:
            return found
    raise Refusal("E_UNKNOWN_PROGRAM", f"{config['name']} runs no {program} (agent.json of its role {config['role']})")


def public_files() -> dict[str, str]:
    """Content of the secret-free files, by path below the configuration directory; the agent's modules have a hash."""
    found: dict[str, str] = {}
    for directory, folders, names in os.walk(files.CONFIG):
        below = os.path.relpath(directory, files.CONFIG)
        folders[:] = [name for name in folders if not (below == "." and name == "secrets") and name[0] not in "._"]
        for name in names:
            path = name if below == "." else f"{below}/{name}"
            if name.endswith((".py", ".understudy-new")) or name[0] == ".":
                continue
            if (text := files.read_text(f"{files.CONFIG}/{path}")) is not None:
                found[path] = text
    return dict(sorted(found.items()))


# ------------------------------------------------------------------------------------------------------- held


def hold_reason(program: str) -> str | None:
    """Why it is held; None: it is not."""
    text = files.read_text(f"{HELD}/{program}")
    if text is None:
        return None
    return text.strip() or "held"


def hold(program: str, reason: str) -> None:
    files.ensure_state()
    os.makedirs(HELD, mode=0o700, exist_ok=True)
    files.sync_directory(files.STATE)
    files.write_durably(f"{HELD}/{program}", f"{reason}\n")


def let_go(program: str) -> None:
    files.remove_durably(f"{HELD}/{program}")
