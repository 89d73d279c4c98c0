"""Snapshots of Consul's state: configuration of the regions, locks, policies. They hold tokens: mode 0600."""

from __future__ import annotations

import io
import os
import tarfile
import time
from typing import Any

import files
from consulapi import Consul
from files import Refusal

DIRECTORY = f"{files.DATA}/snapshots"
KEPT = 7
ATTEMPTS = 4


def save(consul: Consul) -> dict[str, Any]:
    content = whole(consul)
    os.makedirs(DIRECTORY, mode=0o700, exist_ok=True)
    path = f"{DIRECTORY}/consul-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.snap"
    write(path, content)
    for old in sorted(name for name in os.listdir(DIRECTORY) if name.endswith(".snap"))[:-KEPT]:
        files.remove_durably(f"{DIRECTORY}/{old}")
    return {"path": path, "bytes": len(content)}


def whole(consul: Consul) -> bytes:
    """A server that does not lead has it from the one that does, over a connection that may end before its answer."""
    for attempt in range(ATTEMPTS):
        time.sleep(attempt)
        status, content = consul.exchange("GET", "/v1/snapshot", consul.management, None)
        if status == 200:
            verify(content)
            return content
    words = content.decode("utf-8", "replace").strip()[:300]
    raise Refusal("E_SNAPSHOT", f"Consul answered {status}, {ATTEMPTS} times: {words}")


def verify(content: bytes) -> None:
    """An answer that broke off is no archive, or one without what Consul needs of it."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            names = set(archive.getnames())
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise Refusal("E_SNAPSHOT", f"what Consul sent is no whole snapshot: {problem}") from None
    if not {"meta.json", "state.bin", "SHA256SUMS"} <= names:
        held = ", ".join(sorted(names)) or "nothing"
        raise Refusal("E_SNAPSHOT", f"what Consul sent is no snapshot: it holds {held}")


def write(path: str, content: bytes) -> None:
    descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(f"{path}.new", path)
    files.sync_directory(DIRECTORY)
