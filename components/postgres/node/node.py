"""The agent of a PostgreSQL node.

    node.py run      the node's unit (PID 1 of a container, or a service): supervises the server, decides whether
                     clients are let in
    node.py serve    one conversation with whoever operates the node: JSON lines in, JSON lines out;
                     with --offline beside a unit that is stopped
    node.py adoption what is to be known of a data directory before it is adopted, while its old server still runs
    node.py health   exits 0 while the node can do its work

`run` and `serve` are two processes, so that a conversation that goes wrong cannot take the server with it.
"""

from __future__ import annotations

import os
import sys

# Python tells a module from its cached compilation by time and size, which prove nothing of files that are copied
# into a container: a new version must never meet an old one's cache. Compiling takes 15 ms.
sys.dont_write_bytecode = True


# libpq would take from the caller's environment what we leave to its defaults. PG_… is the server's (PG_OOM_ADJUST_FILE).
for name in [name for name in os.environ if name.startswith("PG") and not name.startswith("PG_")]:
    del os.environ[name]


def main(arguments: list[str]) -> int:
    match arguments:
        case ["run"]:
            from supervisor import Supervisor

            return Supervisor().run()
        case ["serve"]:
            from serve import serve

            return serve()
        case ["serve", "--offline"]:
            from serve import serve

            return serve(offline=True)
        case ["adoption"]:
            from adoption import show

            return show()
        case ["health"]:
            from control import healthy

            return 0 if healthy() else 1
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
