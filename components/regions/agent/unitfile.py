"""The file of the systemd unit that runs this agent on a member's machine. A container has none."""

from __future__ import annotations

from typing import Any

import files

PATH = "/etc/systemd/system/understudy-patroni.service"


def read() -> str | None:
    return files.read_text(PATH)


def facts(supervisor: dict[str, Any] | None) -> dict[str, Any] | None:
    """As the supervisor found it at its start (null: nobody knows), and as it is installed. Null: there is no unit."""
    installed = read()
    if installed is None:
        return None
    return {"running": supervisor.get("unit") if supervisor else None, "installed": installed}
