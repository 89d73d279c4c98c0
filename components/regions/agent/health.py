"""Whether this host does what it should: a program that is kept down on purpose is no failure."""

from __future__ import annotations

import sys

from control import ask
from files import Refusal

WANTED = ("running", "starting", "held", "superseded")


def healthy() -> bool:
    try:
        found = ask({"do": "state"}, patience=0)
    except Refusal as no:
        print(no, file=sys.stderr)
        return False
    complaints = [] if found["problem"] is None else [found["problem"]]
    for name, program in found["programs"].items():
        if program["state"] not in WANTED:
            complaints.append(f"{name} is {program['state']}: {program['reason']}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return not complaints
