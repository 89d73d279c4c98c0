"""How a data directory comes to be. It is built under another name and renamed when it is whole and on disk, so
that a build that was cut off at any point is told from a data directory, and never started."""

from __future__ import annotations

import os
import re
import select
import subprocess
from collections.abc import Callable

import files
from files import Node, Refusal
from observe import control_facts
from role import Role, conninfo, follower_role, write_role
from systemroles import schema

Progress = Callable[[str], None]
Cancelled = Callable[[], bool]


def initdb(node: Node, progress: Progress) -> None:
    refuse_if_present()
    if files.is_adopted():
        raise Refusal("E_ADOPT_EMPTY", f"{files.PGDATA} is to be adopted; none is made in its place")
    files.ensure_state()
    files.discard(files.BUILDING)
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if node.major >= 17 else ["--locale=C.UTF-8"]
    argv = [f"{node.bin}/initdb", "-D", files.BUILDING, "-U", "postgres", "--encoding=UTF8", *locale]
    argv += ["--data-checksums", "--auth-local=peer", "--auth-host=reject", "--no-sync", "--no-instructions"]
    progress("initdb")
    run(argv, "E_INITDB")
    single_user(node, schema(node))
    run([f"{node.bin}/initdb", "-D", files.BUILDING, "--sync-only"], "E_INITDB")
    files.remove_durably(files.DEGRADED)
    install(Role(node.synchronous_names()))


def clone(node: Node, source: str, discard: str | None, progress: Progress, cancelled: Cancelled) -> int:
    """`discard` is the system identifier of a whole data directory that may be given up; see `Verbs.clone`."""
    peer = node.peer(source)
    refuse_elsewhere()
    present = files.data_state() in ("ready", "rewinding")
    if present:
        refuse_discard(node, discard)
    files.ensure_state()
    files.discard(files.BUILDING)
    if present:
        give_up(progress)
    # Not this node's own name: it would count as the synchronous standby and confirm commits into a build.
    info = conninfo(node, peer, node.replication_role, f"{node.name}:clone", options="-csynchronous_commit=off")
    argv = ["setpriv", "--pdeathsig", "TERM", f"{node.bin}/pg_basebackup", "-D", files.BUILDING, "-d", info, "-w"]
    argv += ["-X", "stream", "--slot", node.slot, "--checkpoint=fast", "--progress"]
    progress(f"base backup from {source}")
    stream(argv, "E_CLONE", progress, cancelled)
    files.write_durably(f"{files.BUILDING}/standby.signal", "")
    for note in (files.DEGRADED, files.RECEIVED, files.PROMOTION):
        files.remove_durably(note)  # of another data directory
    install(follower_role(node, peer))
    return tree_bytes(files.PGDATA)


def refuse_elsewhere() -> None:
    if (other := files.elsewhere()) is not None:
        raise Refusal("E_DATA_PRESENT", f"this node's data is in {other}; none is made in {files.PGDATA} beside it")


def refuse_if_present() -> None:
    refuse_elsewhere()
    if files.data_state() in ("ready", "rewinding"):
        raise Refusal("E_DATA_PRESENT", f"{files.PGDATA} is there; it is never overwritten")


def refuse_discard(node: Node, discard: str | None) -> None:
    """A data directory may be the only copy: it goes only by name, and only where it is a copy by its own word."""
    if discard is None:
        raise Refusal("E_DATA_PRESENT", f"{files.PGDATA} is there and was not named as one to discard")
    found = control_facts(node)["systemIdentifier"]
    if found != discard:
        raise Refusal("E_DATA_PRESENT", f"{files.PGDATA} is of system {found}; {discard} was to be discarded")
    if not files.is_standby() and files.data_state() != "rewinding":
        raise Refusal("E_DATA_PRESENT", f"{files.PGDATA} is not a standby's; it is not discarded")


def give_up(progress: Progress) -> None:
    """Under the name of a build at once, so that no half-removed data directory is ever taken for a whole one."""
    progress("removing the old data directory")
    os.rename(files.PGDATA, files.BUILDING)
    files.sync_directory(os.path.dirname(files.PGDATA))
    files.remove_durably(files.REWINDING)
    files.discard(files.BUILDING)


def install(role: Role) -> None:
    write_role(role)
    files.sync_directory(files.BUILDING)
    if os.path.isdir(files.PGDATA):
        os.rmdir(files.PGDATA)  # empty, or it would not have been taken for absent
    os.rename(files.BUILDING, files.PGDATA)
    files.sync_directory(os.path.dirname(files.PGDATA))
    files.note_adoption()


def single_user(node: Node, statements: list[str]) -> None:
    """Without a server nobody can connect to it meanwhile. Its exit status says nothing of failed statements."""
    argv = [f"{node.bin}/postgres", "--single", "-D", files.BUILDING, "-c", "log_min_messages=error", "postgres"]
    text = "".join(f"{statement}\n" for statement in statements)
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or re.search(r"\b(ERROR|FATAL|PANIC):", done.stdout + done.stderr):
        raise Refusal("E_INITDB", f"system roles: {last_lines(done.stderr)}")


def run(argv: list[str], code: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise Refusal(code, f"{os.path.basename(argv[0])}: {last_lines(done.stderr)}")


def stream(argv: list[str], code: str, progress: Progress, cancelled: Cancelled) -> None:
    """
    Runs a program that reports as it goes. It ends with its caller: a base backup that nobody waits for any more
    would be in the way of the next one.
    """
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    seen = b""
    try:
        while True:
            chunk = wait_readable(process.stderr.fileno())
            if chunk == b"":
                break
            if cancelled():
                raise Refusal("E_CANCELLED", "whoever asked is gone")
            if chunk:
                seen = (seen + chunk)[-8192:]
                if line := last_lines(chunk.decode("utf-8", "replace"), 1):
                    progress(line)
    finally:
        if process.poll() is None and cancelled():
            process.terminate()
        process.wait()
    if process.returncode != 0:
        raise Refusal(code, f"pg_basebackup: {last_lines(seen.decode('utf-8', 'replace'))}")


def wait_readable(fd: int) -> bytes | None:
    """What came within half a second; None: nothing did; empty: the end."""
    if not select.select([fd], [], [], 0.5)[0]:
        return None
    return os.read(fd, 65536)


def last_lines(text: str, count: int = 4) -> str:
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    return "; ".join(lines[-count:])


def tree_bytes(path: str) -> int:
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)
