"""Whether this member's data is being rewound. Patroni says of it only that its PostgreSQL is stopped, and over a narrow
way from another region it takes minutes."""

from __future__ import annotations

import os

import files


def is_rewinding() -> bool:
    return any(name.isdigit() and rewinds_here(name) for name in os.listdir("/proc"))


def rewinds_here(pid: str) -> bool:
    words = (files.read_text(f"/proc/{pid}/cmdline") or "").split("\0")
    return os.path.basename(words[0]) == "pg_rewind" and files.PGDATA in words
