"""Starting a program as a process whose words come to us."""

from __future__ import annotations

import os
import re
import shutil
import signal

import steadyclock
from output import Output
from unit import ProgramSpec

DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
"""What Python ignores or handles, and a program is to find as the system has it."""
PYTHON = re.compile(rb"#!\s*(/\S*python3[\d.]*)\s*$")
"""The first line of a program that is written in it."""


def start(spec: ProgramSpec) -> tuple[int, Output]:
    """In a group of its own: what is left of it when it ends can then be found."""
    argv = steadily(spec.command)
    source, sink = os.pipe()
    null = os.open(os.devnull, os.O_RDONLY)
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, sink, 1), (os.POSIX_SPAWN_DUP2, sink, 2)]
    try:
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions, setsigdef=DEFAULTS, setpgroup=0)
    except OSError:
        os.close(source)
        raise
    finally:
        os.close(sink)
        os.close(null)
    return pid, Output(spec.name, source)


def steadily(command: tuple[str, ...]) -> tuple[str, ...]:
    """A program in Python, which Patroni is, with a clock that only counts on; every other as it is."""
    path = shutil.which(command[0])
    if path is None:
        return command
    with open(path, "rb") as program:
        found = PYTHON.match(program.readline(256))
    if found is None:
        return command
    # Without the agent's directory on the path: its modules are not Patroni's.
    return (found[1].decode(), "-P", os.path.abspath(steadyclock.__file__), path, *command[1:])
