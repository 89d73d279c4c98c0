"""The file of the systemd unit that runs this agent on a machine. A container has none."""

from __future__ import annotations

from typing import Any

import files
import unit

DIRECTORY = "/etc/systemd/system"
UNITS = {"server": "consul", "member": "patroni", "proxy": "haproxy"}
"""Whose unit it is, by the host's role."""


def read() -> str | None:
    try:
        program = UNITS[unit.installed()["role"]]
    except (files.Refusal, KeyError):
        return None
    return files.read_text(f"{DIRECTORY}/understudy-{program}.service")


def facts(supervisor: dict[str, Any] | None) -> dict[str, Any] | None:
    """As the supervisor found it at its start (null: nobody knows), and as it is installed. Null: there is no unit."""
    installed = read()
    if installed is None:
        return None
    return {"running": supervisor.get("unit") if supervisor else None, "installed": installed}
