"""What can be known of a postmaster, and done to it, without asking it: its lock file, its log, its orphans."""

from __future__ import annotations

import collections
import os
import re
import signal
import threading
import time

import files
from files import Refusal

READY = ("ready", "standby")
STREAMING = re.compile(rb"started streaming WAL from primary")
WAL_GONE = re.compile(rb"has already been removed|can no longer (get changes|access)|slot has been invalidated")


class ServerLog(threading.Thread):
    """Passes the server's log on to ours and remembers its end, which says why a start failed."""

    def __init__(self, source: int) -> None:
        super().__init__(daemon=True)
        self.source = source
        self.tail: collections.deque[bytes] = collections.deque(maxlen=60)
        self.gone_at = self.streaming_at = float("-inf")
        self.start()

    def run(self) -> None:
        rest = b""
        while chunk := os.read(self.source, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            self.tail.extend(lines)
            for line in lines:
                self.notice(line)
            while chunk:
                chunk = chunk[os.write(2, chunk) :]
        os.close(self.source)

    def notice(self, line: bytes) -> None:
        if WAL_GONE.search(line):
            self.gone_at = time.monotonic()
        elif STREAMING.search(line):
            self.streaming_at = time.monotonic()

    def wal_gone(self) -> bool:
        """A standby's source said that it has removed what the standby needs. Nothing in the server remembers that
        between two attempts, each of which begins like a good one and ends at once."""
        resumed = self.streaming_at > self.gone_at and time.monotonic() - self.streaming_at > 1
        return self.gone_at > float("-inf") and not resumed

    def why(self) -> str:
        """The last errors. Statements and details are left out: they may hold values, even a secret."""
        self.join(0.2)
        lines = [line.decode("utf-8", "replace") for line in self.tail]
        errors = [re.sub(r"^.*?(FATAL|PANIC|HINT|LOG):\s*", r"\1: ", line) for line in lines if wanted(line)]
        return "; ".join(errors[-3:])


def wanted(line: str) -> bool:
    return bool(re.search(r"\b(FATAL|PANIC|HINT):|LOG:.*(error|could not|invalid|unrecognized|terminated by)", line))


def spawn(node: files.Node, sink: int) -> int:
    """Starts a postmaster that logs to `sink`, and returns its number."""
    program = f"{node.bin}/postgres"
    argv = [program, "-D", files.PGDATA, "-c", f"config_file={files.CONFIG}/postgresql.conf"]
    defaults = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    null = os.open(os.devnull, os.O_RDONLY)
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, sink, 1), (os.POSIX_SPAWN_DUP2, sink, 2)]
    try:
        return os.posix_spawn(program, argv, os.environ, file_actions=actions, setsigdef=defaults)
    except OSError as problem:
        raise Refusal("E_NOT_STARTABLE", f"{program}: {problem.strerror}") from None
    finally:
        os.close(null)


def unfit() -> str | None:
    """Why the data directory is not to be started."""
    reasons = {
        "empty": "there is no data directory",
        "building": "the first build of the data directory was cut off",
        "rewinding": "pg_rewind was cut off; this data directory must not be started",
    }
    if (other := files.elsewhere()) is not None:
        return f"this node's data is in {other}, and node.json names {files.PGDATA}"
    if (pid := other_server()) is not None:
        return f"another server runs on {files.PGDATA} (process {pid}); it has to be stopped first"
    return reasons.get(files.data_state()) or files.missing_config()


def postmaster_status(pid: int) -> str | None:
    """`starting`, `ready`, `standby` or `stopping`: line 8 of postmaster.pid, if it is this postmaster's."""
    lines = (files.read_text(f"{files.PGDATA}/postmaster.pid") or "").split("\n")
    return lines[7].strip() if len(lines) > 7 and lines[0].strip() == str(pid) else None


def serves_here(pid: int | str) -> bool:
    """
    Whether the process is a PostgreSQL of this data directory, which each has as its working directory. Others may
    run on the machine, and numbers are used again. Of one that may not be looked at the server itself is to judge.
    """
    try:
        if (files.read_text(f"/proc/{pid}/comm") or "").strip() not in ("postgres", "postmaster"):
            return False
        return os.readlink(f"/proc/{pid}/cwd") == files.PGDATA
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return True


def other_server() -> int | None:
    """The server that runs on this data directory, for one who has not started any."""
    pid = (files.read_text(f"{files.PGDATA}/postmaster.pid") or "").split("\n")[0].strip()
    return int(pid) if pid.isdigit() and serves_here(pid) else None


def remove_stale_locks(node: files.Node) -> None:
    """
    After a restart of the container or machine the old postmaster's number may be some other program's, or a
    thread's, and the server would refuse to start. Only locks of this data directory that cannot be a postmaster's
    go; the server judges the rest, and says whose they are.
    """
    for path in (f"{files.PGDATA}/postmaster.pid", f"{node.socket_directory}/.s.PGSQL.{node.port}.lock"):
        try:
            pid, directory = ((files.read_text(path) or "").split("\n") + ["", ""])[:2]
        except PermissionError:
            continue  # another account's
        ours = path.startswith(f"{files.PGDATA}/") or os.path.realpath(directory.strip()) == files.PGDATA
        if ours and pid.strip().isdigit() and not serves_here(pid.strip()):
            os.unlink(path)


def orphaned_backends() -> list[int]:
    """They come to us as their next ancestor that asked for it; nobody else's child is ever touched."""
    me = os.getpid()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and serves_here(name):
            status = files.read_text(f"/proc/{name}/stat") or ""
            state, parent = (status.rpartition(")")[2].split() + ["", ""])[:2]
            if parent == str(me) and state != "Z":
                found.append(int(name))
    return found
