"""Whether this member's host has the watchdog that its Patroni is to use. The device is never opened here: that would start
its countdown, and reset the host if nobody goes on."""

from __future__ import annotations

import os
import stat

import patroni_config


def facts() -> dict[str, str] | None:
    """None: its Patroni is to use none."""
    if patroni_config.setting(patroni_config.PATRONI_YML, "watchdog", "mode") in (None, "off"):
        return None
    device = patroni_config.needed(patroni_config.PATRONI_YML, "watchdog", "device")
    return {"device": device, "state": state_of(device)}


def state_of(device: str) -> str:
    try:
        mode = os.stat(device).st_mode
    except OSError:
        return "missing"
    if not stat.S_ISCHR(mode):
        return "missing"
    return "usable" if os.access(device, os.R_OK | os.W_OK) else "denied"
