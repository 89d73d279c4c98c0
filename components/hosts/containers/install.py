"""Writes one bundle of files below /target, the mounted configuration volume.

Runs in a short-lived container, as root, with the bundle as JSON on standard input. Each file goes to a
temporary name with its final owner and mode, is flushed to disk and renamed: a reader sees the old content or
the new one. A file that the same bundle wrote before and no longer lists is removed.
"""

import json
import os
import sys

TARGET = "/target"


def main() -> None:
    bundle = json.load(sys.stdin)
    uid, gid = (int(part) for part in bundle["owner"].split(":"))
    owner, mode, directory_mode = (uid, 0o600, 0o700) if bundle["secret"] else (0, 0o640, 0o750)
    os.chown(TARGET, 0, gid)
    os.chmod(TARGET, 0o750)
    manifest = os.path.join(TARGET, ".bundle-" + bundle["bundle"])
    files = {os.path.join(bundle["directory"], name): "\n".join(lines) for name, lines in bundle["files"].items()}
    previous = read_manifest(manifest)
    for name, content in files.items():
        make_directories(os.path.dirname(name), owner, gid, directory_mode)
        write(os.path.join(TARGET, name), content, owner, gid, mode)
    write(manifest, "\n".join(sorted(files)) + "\n", 0, 0, 0o600)
    for name in previous - set(files):
        remove(os.path.join(TARGET, name))


def read_manifest(path: str) -> set[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return set(file.read().split("\n")) - {""}
    except FileNotFoundError:
        return set()


def make_directories(relative: str, uid: int, gid: int, mode: int) -> None:
    path = TARGET
    for part in [part for part in relative.split("/") if part]:
        path = os.path.join(path, part)
        if not os.path.isdir(path):
            os.mkdir(path, mode)
        os.chown(path, uid, gid)
        os.chmod(path, mode)


def write(path: str, content: str, uid: int, gid: int, mode: int) -> None:
    temporary = path + ".new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.rename(temporary, path)
    directory = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def remove(path: str) -> None:
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


main()
