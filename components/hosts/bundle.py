"""Writes one bundle of files of a unit. `request` is a `BundleRequest`; see `pythonScript.ts`.

Runs as root, on a machine or in a short-lived container that has a unit's configuration volume mounted.
"""

import os
from typing import Any

import writer


def main(request: dict[str, Any]) -> int:
    def work() -> None:
        with writer.locked(request["lock"]):
            install(request)

    return writer.reported(request["host"], work)


def install(request: dict[str, Any]) -> None:
    uid, gid = writer.account(request["owner"])
    owner, mode = (uid, 0o600) if request["secret"] else (0, 0o640)
    top = request["top"]
    below = os.path.join(top, request["directory"]) if request["directory"] else top
    files = [
        writer.File(os.path.join(below, name), "\n".join(lines).encode(), owner, gid, mode)
        for name, lines in request["files"].items()
    ]
    for path in directories(top, [file.path for file in files]):
        # Root's, so that whoever reads the files cannot put others, or a link, in their place.
        writer.directory(path, 0, gid, 0o750)
    writer.install(request["manifest"], files, top)


def directories(top: str, paths: list[str]) -> list[str]:
    """Every directory from `top` down to the files, parents first."""
    found = {top}
    for path in paths:
        parent = os.path.dirname(path)
        while parent != top:
            found.add(parent)
            parent = os.path.dirname(parent)
    return sorted(found)
