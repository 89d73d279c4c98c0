"""Installs a unit: its file, its firewall, and a service that runs with both. `request` is a `UnitRequest`.

A stateful unit is started here once, when it is installed. Afterwards a unit that is down is somebody's intention, for
example a fence, and who starts it is the role change. Where a restart would have others vote for a leader (`restarts` is
false), one that runs is not restarted here, either: the plan does that, member by member.
"""

import os
import shutil
import sys
import time
from typing import Any

import clusters
import systemd
import writer
from systemd import UNITS
from writer import File, Problem

BOOKS = "/var/lib/understudy-host"


def main(request: dict[str, Any]) -> int:
    def work() -> None:
        with writer.locked(request["lock"]):
            Installation(request).perform()

    return writer.reported(request["host"], work)


class Installation:
    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.unit: str = request["unit"]
        self.repair = request["repair"] is not None
        self.done = f"{BOOKS}/installed-{self.unit}"
        self.pending = f"{BOOKS}/pending-{self.unit}"
        self.first = not os.path.exists(self.done)

    def perform(self) -> None:
        request = self.request
        if systemd.is_masked(self.unit) and not self.repair:
            raise Problem(
                f"{self.unit} is masked: somebody keeps it from starting. If that is over, `rm {UNITS}/{self.unit}` there, "
                f"or set config `repair` for this host"
            )
        database = request["cluster"]
        if database is not None:
            clusters.see_to_others(**database)
        self.firewall()
        self.write()
        if (self.first or self.repair) and not systemd.is_enabled(self.unit):
            systemd.systemctl("enable", self.unit)
        self.bring_up()
        if database is not None:
            # Last, when the agent runs and waits: as long as anything can fail, the old server goes on serving.
            clusters.make_way(self.unit, database["adopt"], keep=BOOKS, seconds=request["stopSeconds"])

    # ------------------------------------------------------------------------------------------------- the files

    def write(self) -> None:
        new = "\n".join(self.request["unitFile"])
        path = f"{UNITS}/{self.unit}"
        old = read(path)
        needed = systemd.changes(old, new, self.request["takenByReload"])
        if not self.request["restarts"]:
            needed.discard("restart")
        # Nobody else can tell that these were in force: whoever asks for a repair asks for their end.
        if self.repair and self.set_drop_ins_aside():
            needed |= {"reload", "restart"}
        if "restart" in needed and old:
            # Before the file: a run that is cut off in between must not be taken for one that restarted it.
            writer.write(File(self.pending, b"restart\n", 0, 0, 0o600))
        files = [File(path, new.encode(), 0, 0, 0o644), *self.firewall_files()]
        changed = writer.install(self.request["manifest"], files)
        if changed or needed or systemd.show(self.unit, "NeedDaemonReload").get("NeedDaemonReload") == "yes":
            systemd.systemctl("daemon-reload")
        if "enable" in needed and old and systemd.is_enabled(self.unit):
            systemd.systemctl("reenable", self.unit)

    def set_drop_ins_aside(self) -> bool:
        found = False
        for parent in (UNITS, "/run/systemd/system", "/etc/systemd/system.control", "/run/systemd/system.control"):
            folder = f"{parent}/{self.unit}.d"
            if os.path.isdir(folder):
                aside = f"{BOOKS}/set-aside"
                os.makedirs(aside, mode=0o700, exist_ok=True)
                shutil.move(folder, f"{aside}/{self.unit}.d-{time.time_ns()}")
                found = True
        return found

    # ---------------------------------------------------------------------------------------------- the firewall

    def firewall_files(self) -> list[File]:
        wanted = self.request["firewall"]
        if wanted is None:
            return []
        return [File(path, "\n".join(lines).encode(), 0, 0, 0o644) for path, lines in wanted["files"].items()]

    def firewall(self) -> None:
        """Before the unit, whose first moment on the network must not be an unguarded one."""
        wanted = self.request["firewall"]
        if wanted is None:
            self.no_firewall()
            return
        name = wanted["unit"]
        check(wanted["chain"])
        writer.directory(wanted["directory"], 0, 0, 0o755)
        changed = [file.path for file in self.firewall_files() if writer.write(file)]
        if any(path.startswith(UNITS) for path in changed):
            systemd.systemctl("daemon-reload")
        if not systemd.is_enabled(name):
            systemd.systemctl("enable", name)
        if changed or not systemd.is_up(name) or not loaded(wanted["table"], self.request["program"]):
            systemd.systemctl("reload-or-restart", name)

    def no_firewall(self) -> None:
        """Another unit on this machine may have rules in the same table."""
        gone = self.request["noFirewall"]
        if not writer.remove(gone["chainFile"]):
            return
        others = [name for name in os.listdir(gone["directory"]) if name.endswith(".chain")]
        if others:
            systemd.systemctl("reload-or-restart", gone["unit"])
            return
        systemd.run("systemctl", "disable", "--now", gone["unit"])
        shutil.rmtree(gone["directory"], ignore_errors=True)
        writer.remove(f"{UNITS}/{gone['unit']}")

    # ----------------------------------------------------------------------------------------------- the service

    def bring_up(self) -> None:
        up = systemd.is_up(self.unit)
        if up and os.path.exists(self.pending):
            systemd.begin("restart", self.unit)
        elif not up and (self.first or not self.request["stateful"]):
            systemd.begin("start", self.unit)
        elif not up:
            print(
                f"{self.request['host']}: {self.unit} is stopped and stays so here; the role change decides who starts",
                file=sys.stderr,
            )
            writer.remove(self.pending)
            return
        writer.remove(self.pending)
        systemd.await_job(self.unit, self.request["stopSeconds"] + self.request["startSeconds"])
        self.await_health()
        writer.write(File(self.done, b"", 0, 0, 0o600))

    def await_health(self) -> None:
        seconds = self.request["startSeconds"]
        deadline = time.monotonic() + seconds
        probe = ["runuser", "-u", self.request["user"], "--", *self.request["health"]]
        while systemd.run(*probe).returncode != 0:
            if time.monotonic() > deadline:
                state = systemd.show(self.unit, "ActiveState", "SubState")
                now = f"{state.get('ActiveState')} ({state.get('SubState')})"
                raise Problem(
                    f"{self.unit} is {now}, and does not work {seconds} s after its start: {systemd.why(self.unit)}"
                )
            time.sleep(0.2)


def check(chain: list[str]) -> None:
    """Tried on a copy first: rules that cannot be loaded replace none."""
    text = "table inet understudy_check {\n" + "\n".join(chain) + "\n}\n"
    done = systemd.run("nft", "--check", "--file", "-", stdin=text)
    if done.returncode != 0:
        raise Problem(
            f"nftables does not take the firewall's rules ({systemd.last_line(first_words(done.stderr))}). If this kernel has "
            f"no nf_tables, set `firewall: false` for this host"
        )


def first_words(text: str) -> str:
    """nft prints the line and marks its place below it; the message is the line before."""
    return next((line for line in text.split("\n") if "rror" in line or "ot " in line), text)


def loaded(table: str, chain: str) -> bool:
    return systemd.run("nft", "list", "chain", *table.split(), chain).returncode == 0


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
