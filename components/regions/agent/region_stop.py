"""demote-cluster: makes the cluster of the active region a standby cluster, and tells where its last primary stopped.

What Patroni 4.1 does when `standby_cluster` appears in the configuration (ha.py, `follow` and `demote`): the leader,
who is woken by the PATCH, stops its server with `fast`, hence with a shutdown checkpoint, while it keeps the leader's
key; afterwards it starts the same directory in recovery at once, as the standby leader. If the server takes longer to
end than its shutdown checkpoint (a walsender that lingers, about a second), it gives the key to a replica instead,
which then is the standby leader. Either way nobody of the cluster can be promoted: every member reads the
configuration in the same turn as the leader's key. With `archive_mode` it archives the last segment before it starts
again.

Under `synchronous: strict` Patroni empties `synchronous_standby_names` some 30 ms before it signals the server, because
the mode is none of a standby cluster's. What is acknowledged then is on the stopping server alone, until the shutdown
sends it on: the gate finds out, and a gate that is not passed is undone on that server.

Patroni looks once a second whether the server is down. The control file says `shut down` as soon as the shutdown
checkpoint is in it, and nothing is written after that: this is what is waited for here, by the millisecond. When the
server starts again in recovery, the state is `in archive recovery`, and checkpoint and REDO location stay those of the
shutdown checkpoint until a checkpoint record of the next primary is replayed.
"""

from __future__ import annotations

import re
import struct
import subprocess
import time
from typing import Any

import consul_kv
import files
import patroni_rest
import region_evidence
from files import Node, Refusal
from handover import await_fine, milliseconds
from observe import control_facts
from patroni_config import member_node

SHUT_DOWN, ARCHIVE_RECOVERY = 1, 5
"""`DBState` in the control file; the same numbers in every version since 9.3."""


def demote(config: dict[str, Any], standby: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Repeatable: a cluster that follows already tells where it stopped, if that is still provable."""
    begun = time.monotonic()
    node = member_node(config)
    require_valid(standby)
    status = patroni_rest.status(config)
    forked = region_evidence.fork(config)  # only of a region that did not notice that another one was promoted
    if not (status.get("role") == "primary" and status.get("state") == "running"):
        if consul_kv.dynamic(config).get("standby_cluster") != standby:
            found = f"{node.name} is {status.get('role')}, {status.get('state')}"
            raise Refusal("E_NOT_PRIMARY", f"{found}; only a primary can be demoted")
    else:
        require_leader(config, node)
        set_standby_cluster(config, standby)
    stopped = lambda: control_state() in (SHUT_DOWN, ARCHIVE_RECOVERY)  # noqa: E731
    if not await_fine(stopped, seconds, 0.002):
        raise Refusal(
            "E_DEMOTE_TIMEOUT",
            f"{node.name} has not stopped within {seconds:g} s of being told to; its Patroni goes on trying",
        )
    control = stopped_control(node)
    region_evidence.keep(config, forked)
    others_follow(config, node, max(1.0, seconds - (time.monotonic() - begun)))
    return {"control": control, "ms": milliseconds(begun)}


def require_valid(standby: dict[str, Any]) -> None:
    """Without one of these Patroni takes the section for none, and its cluster for a primary one."""
    if not any(standby.get(key) for key in ("host", "port", "restore_command")):
        raise Refusal("E_STANDBY_CLUSTER", f"standby_cluster names nobody to follow: {sorted(standby)}")


def require_leader(config: dict[str, Any], node: Node) -> None:
    cluster = patroni_rest.cluster(config)
    leader = patroni_rest.leader_of(cluster)
    if leader is None or leader["name"] != node.name:
        raise Refusal("E_NOT_LEADER", f"{leader and leader['name'] or 'nobody'} has the leader's key, not {node.name}")
    if cluster.get("pause"):
        raise Refusal("E_PAUSED", "the cluster is paused; Patroni changes no role until `patronictl resume`")


def set_standby_cluster(config: dict[str, Any], standby: dict[str, Any] | None) -> None:
    """Whatever the answer: what counts is what is in the configuration afterwards."""
    said = ""
    for _ in range(5):
        try:
            answer = patroni_rest.ask(config, "/config", "PATCH", {"standby_cluster": standby})
            if answer.status == 200 and dict(answer.json()).get("standby_cluster") == standby:
                return
            said = answer.words()
            if answer.status != 409:  # somebody else changed it in the same moment
                break
        except Refusal as silence:
            said = str(silence)
        if consul_kv.dynamic(config).get("standby_cluster") == standby:
            return
    if consul_kv.dynamic(config).get("standby_cluster") != standby:
        raise Refusal("E_PATCH", f"standby_cluster could not be set: {said}")


# ------------------------------------------------------------------------------------------- where it stopped


def control(node: Node) -> dict[str, Any]:
    """As pg_controldata has it; of a demoted primary, as its clean stop left it, as long as that is provable."""
    found = control_facts(node)
    return {**found, "state": "shut down"} if unclean(node, found) is None else found


def control_state() -> int:
    """A read of a few bytes, because a pg_controldata costs 3 ms and the server may start again within a second."""
    try:
        with open(f"{files.PGDATA}/global/pg_control", "rb") as file:
            return int(struct.unpack_from("=I", file.read(20), 16)[0])
    except (OSError, struct.error):
        return 0


def stopped_control(node: Node) -> dict[str, Any]:
    """
    As the clean stop left it. Once the server is up again in recovery, the state says so; that the checkpoint is still
    the one of a clean stop is then proven by the WAL: a shutdown record, and nothing after it on its timeline.
    """
    found = control_facts(node)
    if found["state"] == "shut down":
        return found
    problem = unclean(node, found)
    if problem is not None:
        raise Refusal("E_DEMOTE_UNCLEAN", f"{node.name} did not stop cleanly: {problem}")
    return {**found, "state": "shut down"}


def unclean(node: Node, control: dict[str, Any]) -> str | None:
    if control["state"] != "in archive recovery":
        return f"its control file says '{control['state']}'"
    argv = [f"{node.bin}/pg_waldump", "--path", f"{files.PGDATA}/pg_wal", "--timeline", str(control["timeline"])]
    argv += ["--start", control["checkpointLsn"], "--limit", "2"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False, env={"LC_ALL": "C"})
    return judge_end(control, done.stdout, done.stderr)


def judge_end(control: dict[str, Any], records: str, errors: str) -> str | None:
    """pg_waldump was asked for two records and must find one."""
    lines = [line for line in records.splitlines() if "lsn:" in line]
    if not lines:
        return f"its checkpoint at {control['checkpointLsn']} cannot be read: {' '.join(errors.split())[:300]}"
    if not re.search(r"desc: CHECKPOINT_SHUTDOWN\b", lines[0]):
        return f"the last checkpoint at {control['checkpointLsn']} is not that of a shutdown"
    if len(lines) > 1:
        return f"there is WAL after the shutdown checkpoint at {control['checkpointLsn']}"
    return None


def others_follow(config: dict[str, Any], node: Node, seconds: float) -> None:
    """Nobody of this cluster takes writes. Whoever does not answer cannot have been promoted: see above."""
    own = patroni_rest.own(config)
    members = [patroni_rest.endpoint_of(member) for member in patroni_rest.cluster(config)["members"]]
    others = [member for member in members if member.name != own.name]

    def writing() -> list[str]:
        answers = patroni_rest.statuses(others, 1.0)
        return sorted(name for name, answer in answers.items() if answer.get("role") == "primary")

    if others and not await_fine(lambda: not writing(), seconds, 0.1):
        raise Refusal("E_DEMOTE_OTHER", f"{', '.join(writing())} of the same cluster still takes writes")
