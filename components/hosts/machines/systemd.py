"""Units of systemd as text and as what runs: what a change of one needs, and systemctl without its surprises."""

import os
import re
import subprocess
import time
from writer import Problem

UNITS = "/etc/systemd/system"

Options = dict[str, list[str]]


def parse(text: str) -> Options:
    """`Section.Option` to its values in their order."""
    section, found = "", {}
    for line in text.replace("\\\n", " ").split("\n"):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            section = line.strip("[]")
            continue
        name, _, value = line.partition("=")
        found.setdefault(f"{section}.{name.strip()}", []).append(value.strip())
    return found


def changes(old: str, new: str, taken_by_reload: str) -> set[str]:
    """Of {reload, enable, restart}: what makes `new` the one in force where `old` is. See `unitChange.ts`."""
    before, after = parse(old), parse(new)
    differ = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    needed = {"reload"} if old != new else set()
    if any(name.startswith("Install.") for name in differ):
        needed.add("enable")
    if any(not re.fullmatch(taken_by_reload, name) for name in differ):
        needed.add("restart")
    return needed


def run(*argv: str, stdin: str | None = None, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    source = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=seconds, check=False, **source)
    except FileNotFoundError:
        raise Problem(f"there is no program {argv[0]}") from None
    except subprocess.TimeoutExpired:
        raise Problem(f"`{' '.join(argv)}` has not ended after {seconds:.0f} s") from None


def systemctl(*argv: str) -> None:
    done = run("systemctl", *argv)
    if done.returncode != 0:
        raise Problem(f"`systemctl {' '.join(argv)}` failed: {last_line(done.stderr)}")


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return lines[-1] if lines else "it did not say why"


def show(unit: str, *properties: str) -> dict[str, str]:
    done = run("systemctl", "show", "--property", ",".join(properties), unit)
    return dict(line.split("=", 1) for line in done.stdout.split("\n") if "=" in line)


def is_up(unit: str) -> bool:
    """It runs, or systemd is about to have it run."""
    return show(unit, "ActiveState").get("ActiveState") in ("active", "activating", "reloading", "deactivating")


def is_masked(unit: str) -> bool:
    path = f"{UNITS}/{unit}"
    return os.path.islink(path) and os.readlink(path) == "/dev/null"


def is_enabled(unit: str) -> bool:
    return run("systemctl", "is-enabled", "--quiet", unit).returncode == 0


def begin(verb: str, unit: str) -> None:
    """`start` or `restart`. The job is systemd's from here on, whatever becomes of us."""
    systemctl("reset-failed", unit)
    systemctl(verb, "--no-block", unit)


def await_job(unit: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        state = show(unit, "ActiveState", "SubState", "Job")
        if state.get("Job", "0") in ("", "0"):
            return
        if time.monotonic() > deadline:
            now = f"{state.get('ActiveState')} ({state.get('SubState')})"
            raise Problem(
                f"{unit} is still {now} after {seconds:.0f} s and is left to come to its end; run `pulumi up` again then"
            )
        time.sleep(0.05)


TELLING = re.compile(r"^understudy: |\b(FATAL|PANIC|HINT):|: (critical|error): |^[\w@.-]+: (Failed|Main process exited)")


def why(unit: str) -> str:
    """The last lines of its log that say what is wrong. Statements and details, which may hold values, do not."""
    done = run("journalctl", "--unit", unit, "--lines", "40", "--output", "cat", "--no-pager")
    lines = [line.strip() for line in done.stdout.split("\n") if TELLING.search(line)]
    return "; ".join(lines[-3:]) or f"`journalctl -u {unit}` may say why"
