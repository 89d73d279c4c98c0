"""Starting a program as a process whose words come to us."""

from __future__ import annotations

import os
import signal

from output import Output
from unit import ProgramSpec

DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
"""What Python ignores or handles, and a program is to find as the system has it."""


def start(spec: ProgramSpec) -> tuple[int, Output]:
    """In a group of its own: what is left of it when it ends can then be found."""
    source, sink = os.pipe()
    null = os.open(os.devnull, os.O_RDONLY)
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, sink, 1), (os.POSIX_SPAWN_DUP2, sink, 2)]
    argv = spec.command
    try:
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions, setsigdef=DEFAULTS, setpgroup=0)
    except OSError:
        os.close(source)
        raise
    finally:
        os.close(sink)
        os.close(null)
    return pid, Output(spec.name, source)
