"""Looking at something again and again beside the supervisor's loop, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BACK_OFF_SECONDS = 2.0
_begun: set[str] = set()


def keep(name: str, look: Callable[[], float], forget: Callable[[], None]) -> None:
    """
    Once for the life of the process, whatever becomes of the program that it is about. `look` says for how many seconds
    to pause before the next one; after one that failed, `forget` drops what was known.
    """
    if name in _begun:
        return
    _begun.add(name)
    threading.Thread(target=_run, args=(look, forget), name=name, daemon=True).start()


def _run(look: Callable[[], float], forget: Callable[[], None]) -> None:
    while True:
        try:
            pause = look()
        except Exception:  # noqa: BLE001  whatever it is, the programs work without us
            forget()
            pause = BACK_OFF_SECONDS
        time.sleep(pause)
