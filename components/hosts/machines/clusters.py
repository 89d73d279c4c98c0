"""PostgreSQL clusters of the distribution's own making, beside or instead of which ours runs."""

import os
import shutil
import time
from dataclasses import dataclass

from systemd import last_line, run, show
from writer import Problem


@dataclass(frozen=True)
class Cluster:
    version: str
    name: str
    port: int
    running: bool
    directory: str

    @property
    def unit(self) -> str:
        return f"postgresql@{self.version}-{self.name}.service"

    @property
    def start_conf(self) -> str:
        return f"/etc/postgresql/{self.version}/{self.name}/start.conf"


def found() -> list[Cluster]:
    if shutil.which("pg_lsclusters") is None:
        return []
    rows = [line.split() for line in run("pg_lsclusters", "--no-header").stdout.split("\n")]
    return [
        Cluster(row[0], row[1], int(row[2]), row[3].startswith("online"), os.path.realpath(row[5]))
        for row in rows
        if len(row) > 5
    ]


def see_to_others(version: int, port: int, adopt: str | None) -> None:
    """What serves on our port, or would at the next boot, is somebody's database: it is named, and left alone."""
    for cluster in found():
        if is_at(cluster, adopt):
            continue
        if cluster.port == port or (cluster.version, cluster.name) == (str(version), "main"):
            refuse(cluster, port)


def make_way(unit: str, adopt: str | None, keep: str, seconds: float) -> None:
    """The one that is to be adopted is stopped, the way its owner would stop it, and kept from coming back."""
    for cluster in found():
        if is_at(cluster, adopt):
            keep_down(cluster, keep)
            stop(cluster, unit, seconds)


def is_at(cluster: Cluster, directory: str | None) -> bool:
    return directory is not None and cluster.directory == os.path.realpath(directory)


def refuse(cluster: Cluster, port: int) -> None:
    what = f"the distribution's cluster {cluster.version}/{cluster.name} ({cluster.directory}, port {cluster.port})"
    drop = f"pg_dropcluster --stop {cluster.version} {cluster.name}"
    if cluster.running:
        raise Problem(
            f"{what} runs, and is not touched. Adopt it (`adopt: {cluster.directory}`); or, if nobody needs its data, "
            f"`{drop}`; or give one of the two another port than {port} and cluster another name than main"
        )
    if starts_by_itself(cluster):
        raise Problem(
            f"{what} would start with the machine, beside ours. If nobody needs its data, `{drop}`; otherwise write "
            f"`manual` into {cluster.start_conf}"
        )


def starts_by_itself(cluster: Cluster) -> bool:
    try:
        with open(cluster.start_conf, encoding="utf-8") as file:
            words = [line.split("#")[0].strip() for line in file]
    except FileNotFoundError:
        return True
    return [word for word in words if word][:1] in ([], ["auto"])


def keep_down(cluster: Cluster, keep: str) -> None:
    """Before it is stopped: a machine that reboots in between must not have two servers on one directory."""
    if not starts_by_itself(cluster):
        return
    copy = os.path.join(keep, f"start.conf-{cluster.version}-{cluster.name}")
    if os.path.exists(cluster.start_conf):
        shutil.copy2(cluster.start_conf, copy)
    owner = os.stat(os.path.dirname(cluster.start_conf))
    temporary = f"{cluster.start_conf}.understudy-new"
    with open(temporary, "w", encoding="utf-8") as file:
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        os.fchmod(file.fileno(), 0o644)
        file.write(f"# Its data directory is Understudy's now. What was here is in {copy}.\nmanual\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, cluster.start_conf)
    # The generator that makes the dependency at boot reads the file when systemd reloads.
    run("systemctl", "daemon-reload")


def stop(cluster: Cluster, ours: str, seconds: float) -> None:
    if not runs_without_us(cluster, ours):
        return
    if show(cluster.unit, "ActiveState").get("ActiveState") == "active":
        done = run("systemctl", "stop", "--no-block", cluster.unit)
    else:
        # Somebody started it by hand.
        control = ("pg_ctlcluster", "--skip-systemctl-redirect", cluster.version, cluster.name)
        done = run(*control, "stop", "--mode", "fast", "--", "--no-wait")
    if done.returncode != 0:
        raise Problem(f"{cluster.unit} cannot be stopped: {last_line(done.stderr)}")
    deadline = time.monotonic() + seconds
    while runs_without_us(cluster, ours):
        if time.monotonic() > deadline:
            raise Problem(
                f"the server on {cluster.directory} is still stopping after {seconds:.0f} s and is left to; run `pulumi up` "
                f"again when it is down"
            )
        time.sleep(0.1)


def runs_without_us(cluster: Cluster, ours: str) -> bool:
    """A server has the directory, and it is not the one that our own unit runs there since it was adopted."""
    try:
        with open(f"{cluster.directory}/postmaster.pid", encoding="utf-8") as file:
            pid = int(file.readline())
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            if file.read().strip() != "postgres":
                return False
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            return f"/{ours}" not in file.read()
    except (OSError, ValueError):
        return False
