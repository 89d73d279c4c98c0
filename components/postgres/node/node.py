"""The agent of a PostgreSQL node.

    node.py run      PID 1 of the node: supervises the server, decides whether clients are let in
    node.py serve    one conversation with whoever operates the node: JSON lines in, JSON lines out
    node.py health   exits 0 while the node can do its work

`run` and `serve` are two processes, so that a conversation that goes wrong cannot take the server with it.
"""

from __future__ import annotations

import os
import sys

RUN = os.environ.get("UNDERSTUDY_RUN", "/run/understudy")
HERE = os.path.dirname(os.path.abspath(__file__))


def use_cache() -> None:
    """
    Compiled modules are kept where this user may write, by the modules' times and sizes: those of files that are
    copied into a container prove nothing, so that a new version must never meet an old one's cache.
    """
    import hashlib

    digest = hashlib.sha256()
    for name in sorted(os.listdir(HERE)):
        if name.endswith(".py"):
            with open(f"{HERE}/{name}", "rb") as file:
                digest.update(file.read())
    sys.pycache_prefix = f"{RUN}/cache/{digest.hexdigest()[:12]}"


def main(arguments: list[str]) -> int:
    use_cache()
    match arguments:
        case ["run"]:
            from supervisor import Supervisor

            return Supervisor().run()
        case ["serve"]:
            from serve import serve

            return serve()
        case ["health"]:
            from control import ask

            return 1 if ask({"do": "state"}, patience=0)["state"] == "failed" else 0
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
