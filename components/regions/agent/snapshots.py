"""Snapshots of Consul's state: configuration of the regions, locks, policies. They hold tokens: mode 0600."""

from __future__ import annotations

import calendar
import io
import os
import tarfile
import time
from typing import Any

import files
from consulapi import Consul
from files import Refusal
from output import concealed

DIRECTORY = f"{files.DATA}/snapshots"
FAILURE = f"{DIRECTORY}/failure"
"""Why the last one could not be taken, until one is."""
KEPT = 7
ATTEMPTS = 4
SECONDS = 60.0


def schedule(config: dict[str, Any]) -> dict[str, int] | None:
    found = config.get("consul", {}).get("snapshots")
    return {"everyHours": int(found["everyHours"]), "keep": int(found["keep"])} if found else None


def on_schedule(config: dict[str, Any]) -> None:
    os.makedirs(DIRECTORY, mode=0o700, exist_ok=True)
    try:
        save(Consul(config, seconds=SECONDS), (schedule(config) or {"keep": KEPT})["keep"])
    except (Refusal, OSError) as problem:
        files.write_durably(FAILURE, f"{concealed(str(problem))}\n")
        raise


def save(consul: Consul, keep: int = KEPT) -> dict[str, Any]:
    content = whole(consul)
    os.makedirs(DIRECTORY, mode=0o700, exist_ok=True)
    path = f"{DIRECTORY}/consul-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.snap"
    write(path, content)
    for old in held()[:-keep]:
        files.remove_durably(f"{DIRECTORY}/{old}")
    files.remove_durably(FAILURE)
    return {"path": path, "bytes": len(content)}


def held() -> list[str]:
    """The oldest first."""
    try:
        return sorted(name for name in os.listdir(DIRECTORY) if name.endswith(".snap"))
    except FileNotFoundError:
        return []


def newest() -> float | None:
    """When it was taken, in seconds since 1970; its name says so, whoever copied it where."""
    for name in reversed(held()):
        try:
            return float(calendar.timegm(time.strptime(name, "consul-%Y%m%dT%H%M%SZ.snap")))
        except ValueError:
            continue
    return None


def facts(config: dict[str, Any]) -> dict[str, Any] | None:
    """`SnapshotFacts` in facts.ts."""
    found = schedule(config)
    if found is None:
        return None
    last, failure = newest(), files.read_text(FAILURE)
    return {
        "everyHours": found["everyHours"],
        "held": len(held()),
        "newestAt": None if last is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(last)),
        "failure": failure.strip() if failure else None,
    }


def restore(consul: Consul, path: str) -> None:
    """Consul's whole state becomes that of the snapshot, on all servers: whatever was written since is gone."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as problem:
        raise Refusal("E_SNAPSHOT", f"{path} cannot be read: {problem.strerror}") from None
    verify(content, path)
    status, answer = consul.exchange("PUT", "/v1/snapshot", consul.management, content)
    if status != 200:
        words = answer.decode("utf-8", "replace").strip()[:300]
        raise Refusal("E_SNAPSHOT", f"Consul did not restore {path}, it answered {status}: {words}")


def whole(consul: Consul) -> bytes:
    """A server that does not lead has it from the one that does, over a connection that may end before its answer."""
    for attempt in range(ATTEMPTS):
        time.sleep(attempt)
        status, content = consul.exchange("GET", "/v1/snapshot", consul.management, None)
        if status == 200:
            verify(content, "what Consul sent")
            return content
    words = content.decode("utf-8", "replace").strip()[:300]
    raise Refusal("E_SNAPSHOT", f"Consul answered {status}, {ATTEMPTS} times: {words}")


def verify(content: bytes, what: str) -> None:
    """An answer that broke off is no archive, or one without what Consul needs of it."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            names = set(archive.getnames())
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise Refusal("E_SNAPSHOT", f"{what} is no whole snapshot: {problem}") from None
    if not {"meta.json", "state.bin", "SHA256SUMS"} <= names:
        found = ", ".join(sorted(names)) or "nothing"
        raise Refusal("E_SNAPSHOT", f"{what} is no snapshot: it holds {found}")


def write(path: str, content: bytes) -> None:
    descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(f"{path}.new", path)
    files.sync_directory(DIRECTORY)
