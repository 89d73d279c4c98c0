"""Files that a resource owns: written whole or not at all, and listed with what they are, so that drift can be seen.

A file goes to a temporary name that nobody but root can read, gets its final owner and mode there, is flushed to disk
and renamed: a reader sees the old content or the new one, and never a moment with a mode that is too wide. Where
that fails (disk full, file system read-only) the old file is whole and the temporary one is gone.
"""

import fcntl
import hashlib
import os
import pwd
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


REMEDY = "mend that and run `pulumi up` again"


class Problem(Exception):
    """What is wrong and what to do, for a person. Holds no content of a file."""


@dataclass(frozen=True)
class File:
    path: str
    content: bytes
    uid: int
    gid: int
    mode: int

    def line(self) -> str:
        digest = hashlib.sha256(self.content).hexdigest()
        return f"{digest} {self.mode:04o} {self.uid}:{self.gid} {self.path}"


def account(name: str) -> tuple[int, int]:
    """Of an account's name, or of `uid:gid`."""
    if ":" in name:
        uid, gid = name.split(":")
        return int(uid), int(gid)
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise Problem(f"there is no account {name}; the package that makes it is not installed") from None
    return found.pw_uid, found.pw_gid


def install(manifest: str, files: list[File], root: str = "/") -> list[str]:
    """Returns the paths that changed. What the manifest lists from before and `files` does not is removed."""
    changed = [file.path for file in files if write(file)]
    wanted = {file.path for file in files}
    for path in listed(manifest, root):
        if path not in wanted and remove(path):
            changed.append(path)
    text = "".join(sorted(file.line() + "\n" for file in files))
    write(File(manifest, text.encode(), 0, 0, 0o600))
    return changed


def listed(manifest: str, root: str = "/") -> list[str]:
    try:
        with open(manifest, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    # Manifests had bare names once.
    return [os.path.join(root, line.split(" ", 3)[-1]) for line in lines if line]


def write(file: File) -> bool:
    """Whether there was something to do."""
    if is_as_wanted(file):
        return False
    temporary = f"{file.path}.understudy-new"
    try:
        try:
            forget(temporary)  # of a run that was cut off
            write_temporary(temporary, file)
            os.rename(temporary, file.path)
            sync_directory(os.path.dirname(file.path))
        except BaseException:
            forget(temporary)
            raise
    except OSError as problem:
        raise Problem(f"cannot write {file.path}: {problem.strerror}. What was there is whole; {REMEDY}") from None
    return True


def is_as_wanted(file: File) -> bool:
    try:
        found = os.lstat(file.path)
        owned = (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (file.uid, file.gid, file.mode)
        if not stat.S_ISREG(found.st_mode) or not owned:
            return False
        with open(file.path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW)) as present:
            return present.read() == file.content
    except OSError:
        return False


def write_temporary(path: str, file: File) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as temporary:
        os.fchown(descriptor, file.uid, file.gid)
        os.fchmod(descriptor, file.mode)
        temporary.write(file.content)
        temporary.flush()
        os.fsync(descriptor)


def forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def remove(path: str) -> bool:
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as problem:
        raise Problem(f"cannot remove {path}: {problem.strerror}; {REMEDY}") from None
    sync_directory(os.path.dirname(path))
    return True


def directory(path: str, uid: int, gid: int, mode: int) -> None:
    try:
        try:
            os.mkdir(path, mode)
        except FileExistsError:
            pass
        found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode):
            raise Problem(f"{path} is no directory; move it away and run `pulumi up` again")
        if (found.st_uid, found.st_gid) != (uid, gid):
            os.chown(path, uid, gid, follow_symlinks=False)
        if stat.S_IMODE(found.st_mode) != mode:
            os.chmod(path, mode)
    except OSError as problem:
        raise Problem(f"cannot make the directory {path}: {problem.strerror}; {REMEDY}") from None


def sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: str | None, seconds: float = 600) -> Iterator[None]:
    """One script at a time on a machine: also a run that was cut off may still be at it."""
    if path is None:
        yield
        return
    deadline = time.monotonic() + seconds
    with open(path, "a", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Problem(f"another run has held {path} for {seconds:.0f} s; see what it waits for") from None
                time.sleep(0.05)
        yield


def reported(host: str, work: Callable[[], None]) -> int:
    """An exit code. A person reads the last line, so a traceback, which could show content, is never printed."""
    try:
        work()
    except Problem as problem:
        print(f"{host}: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        name = problem.filename or "a file"
        print(f"{host}: {name}: {problem.strerror}; {REMEDY}", file=sys.stderr)
        return 1
    return 0
