"""The agent of a host of a region: a Consul server, a member with PostgreSQL, or a proxy.

    agent.py run        the host's unit (PID 1 of a container, or a service): supervises its programs
    agent.py serve      one conversation with whoever operates the host: JSON lines in, JSON lines out;
                        with --offline beside a unit that is stopped
    agent.py may-start  asks the other regions' members whether this one's PostgreSQL may be started
    agent.py snapshot   on a Consul server: saves a snapshot of Consul's state, and says where in its status
    agent.py restore    on a Consul server, with a snapshot's path: makes Consul's whole state be what it was then
    agent.py health     exits 0 while the programs that should run do

They are processes of their own, so that a conversation that goes wrong cannot take the programs with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

# Python tells a module from its cached compilation by time and size, which prove nothing of files that are copied
# into a container: a new version must never meet an old one's cache. Compiling takes 15 ms.
sys.dont_write_bytecode = True

# Whoever starts us (systemd, sshd, sudo, runuser) has a PATH of his own, and not each has what only root starts by hand.
os.environ["PATH"] = ":".join(filter(None, [os.environ.get("PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"]))

# libpq would take from the caller's environment what we leave to its defaults. PG_… is the server's (PG_OOM_ADJUST_FILE).
for name in [name for name in os.environ if name.startswith("PG") and not name.startswith("PG_")]:
    del os.environ[name]


def main(arguments: list[str]) -> int:
    match arguments:
        case ["run"]:
            from supervise import Supervisor

            return Supervisor().run()
        case ["serve"]:
            from hostserve import serve

            return serve()
        case ["serve", "--offline"]:
            from hostserve import serve

            return serve(offline=True)
        case ["may-start"]:
            return may_start()
        case ["snapshot"]:
            return told(snapshot)
        case ["restore", path]:
            return told(lambda: restore(path))
        case ["health"]:
            from health import healthy

            return 0 if healthy() else 1
    print(__doc__, file=sys.stderr)
    return 64


def told(work: Callable[[], None]) -> int:
    from files import Refusal

    try:
        work()
    except Refusal as no:
        print(f"understudy: {no.code}: {no}", file=sys.stderr)
        return 1
    return 0


def snapshot() -> None:
    import snapshots
    import unit

    snapshots.on_schedule(unit.installed())


def restore(path: str) -> None:
    import snapshots
    import unit
    from consulapi import Consul

    snapshots.restore(Consul(unit.installed(), seconds=snapshots.SECONDS), path)
    print(f"Consul's state is that of {path}")


def may_start() -> int:
    import unit
    from guard import may_start
    from files import Refusal
    from patroniprogram import ALONE, SUPERSEDED

    try:
        reason = may_start(unit.installed())
    except Refusal as no:
        if no.code != "E_ALONE":
            raise
        print(no)
        return ALONE
    if reason is None:
        return 0
    print(reason)
    return SUPERSEDED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
