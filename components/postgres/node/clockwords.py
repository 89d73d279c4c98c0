"""TLS blames the certificate where a clock is wrong. Whose clock it is cannot be told from here, so ours is named."""

from __future__ import annotations

import re

import files

OF_TIME = re.compile(
    r"certificate is not yet valid|certificate has expired|certificate expired|expired certificate|alert bad certificate"
    r"|certificate verify failed(?!:)",  # libpq does not say why
    re.IGNORECASE,
)
AND_CLOCK = "a wrong clock looks like this too"


def with_clock(words: str) -> str:
    """What was said of a failed connection, with the time that this host has, where a wrong clock may be the cause."""
    if not OF_TIME.search(words) or AND_CLOCK in words:
        return words
    return f"{words}; {AND_CLOCK}: here it is {files.now()}, set clocks right with NTP"
