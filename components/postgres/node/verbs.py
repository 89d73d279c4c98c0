"""The acting verbs of `Verbs` (roles/session.ts). Each can be repeated, and returns when its effect is proven."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import build
import files
import pg
import role_password
import systemroles
from control import ask
from files import Node, Refusal
from observe import Report, config_errors, control_facts, rows
from role import follower_role, write_role


class Verbs:
    """One conversation. `progress` tells the caller, `gone` says whether there still is one."""

    def __init__(self, progress: Callable[[str], None], gone: Callable[[], bool]) -> None:
        self.progress = progress
        self.gone = gone
        self.session = pg.Session()

    def observe(self, catalog: bool = False) -> dict[str, Any]:
        return Report(self.session, catalog).make()

    # ------------------------------------------------------------------------------------------- data directory

    def initdb(self) -> dict[str, Any]:
        with alone():
            self.require_down()
            build.initdb(files.installed_node(), self.progress)
        return {}

    def clone(self, **args: str) -> dict[str, Any]:
        # `from` is a word of Python's, so it cannot be named as a parameter.
        with alone():
            self.require_down()
            node = files.installed_node()
            return {"bytes": build.clone(node, args["from"], args.get("discard"), self.progress, self.gone)}

    def follow(self, **args: str) -> dict[str, Any]:
        """The durable fence: from here on, whoever starts this data directory gets a standby."""
        with alone():
            self.require_down()
            self.fence(files.installed_node(), args["from"])
        return {}

    def fence(self, node: Node, source: str) -> None:
        peer = node.peer(source)
        if files.data_state() != "ready":
            raise Refusal("E_NO_DATA", f"the data directory is {files.data_state()}; nothing can follow with it")
        # The signal first: cut off in between, the node is a standby of nobody and not a second primary.
        if not files.is_standby():
            files.write_durably(files.STANDBY_SIGNAL, "")
        files.sync_directory(files.PGDATA)
        write_role(follower_role(node, peer))

    # --------------------------------------------------------------------------------------------------- server

    def start(self, timeoutSeconds: float) -> dict[str, Any]:
        with alone():
            return self.proven("start", timeoutSeconds)

    def restart(self, timeoutSeconds: float) -> dict[str, Any]:
        with alone():
            self.session.close()
            return self.proven("restart", timeoutSeconds)

    def stop(self, timeoutSeconds: float, follow: str | None = None) -> dict[str, Any]:
        """With what the next step of a role change needs, so that it need not be asked for while nobody can write."""
        with alone():
            self.session.close()
            answer = ask({"do": "stop", "limit": timeoutSeconds}, timeoutSeconds + 5)
            node = files.installed_node()
            control = control_facts(node) if files.data_state() == "ready" else None
            if follow is not None:
                self.fence(node, follow)
        return {"ms": answer["ms"], "control": control}

    def proven(self, command: str, seconds: float) -> dict[str, Any]:
        """The supervisor says that the server is ready; a query says that it answers."""
        answer = ask({"do": command, "limit": seconds}, seconds + 5)
        self.session.get(files.installed_node())
        return {"ms": answer["ms"]}

    def reload(self) -> dict[str, Any]:
        """Errors are what the server could not use; it goes on with what it had."""
        with alone():
            node = files.installed_node()
            connection = self.session.get(node)
            before = connection.execute("SELECT pg_conf_load_time()").fetchone()
            ask({"do": "reload"})
            wait_until(
                lambda: connection.execute("SELECT pg_conf_load_time()").fetchone() != before,
                5,
                ("E_RELOAD_TIMEOUT", "the server did not take the configuration over within 5 s"),
            )
            certificate = certificate_errors(node)
            if certificate:
                # Not loaded, whatever the supervisor has noted: the next update asks for the reload again.
                files.remove_durably(f"{files.LOADED}/certificate.json")
            return {"errors": config_errors(connection) + certificate}

    # --------------------------------------------------------------------------------------------------- contents

    def slots(self, ensure: list[str], drop: list[str]) -> dict[str, Any]:
        node = files.installed_node()
        connection = self.session.get(node)
        if ensure and not rows(connection, "SELECT pg_is_in_recovery() AS it")[0]["it"]:
            systemroles.ensure(connection, node)  # whom the slot is for comes in as one of them
        query = "SELECT slot_name AS name, slot_type AS kind, active FROM pg_replication_slots"
        found = {slot["name"]: slot for slot in rows(connection, query)}
        for name in drop:
            if (slot := found.pop(name, None)) is not None:
                if slot["active"]:
                    raise Refusal("E_SLOT_ACTIVE", f"slot {name} is in use")
                connection.execute("SELECT pg_drop_replication_slot(%s)", (name,))
        for name in ensure:
            if name not in found:
                connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", (name,))
            elif found[name]["kind"] != "physical":
                raise Refusal("E_SLOT_KIND", f"slot {name} is there and is a logical one")
        return {}

    def sql(self, database: str, statements: list[str]) -> dict[str, Any]:
        with pg.connect(self.primary(), "agent", database, timeout_ms=0) as connection:
            for statement in statements:
                connection.execute(statement)
        return {}

    def password(self, role: str) -> dict[str, Any]:
        role_password.apply(self.primary(), role)
        return {}

    def awaitStandby(self, standby: str, timeoutSeconds: float) -> dict[str, Any]:
        node = self.primary()
        begun = time.monotonic()
        connection = self.session.get(node)
        target = rows(connection, "SELECT pg_current_wal_flush_lsn() AS lsn")[0]["lsn"]
        missing = "nothing seen yet"

        def arrived() -> bool:
            nonlocal missing
            if (missing := self.lacks(node, standby, target)) != "":
                ask({"do": "poke"})  # the guard sees at once what it waits for
            return missing == ""

        try:
            wait_until(arrived, timeoutSeconds, ("E_STANDBY_TIMEOUT", ""), pause=0.02)
        except Refusal as late:
            raise Refusal(late.code, f"standby {standby} after {timeoutSeconds:g} s: {missing}") from None
        return {"ms": round((time.monotonic() - begun) * 1000, 1)}

    def lacks(self, node: Node, standby: str, target: str) -> str:
        """What the standby is still short of; empty: nothing."""
        found = (
            self.session.get(node)
            .execute(
                """SELECT state, sync_state, replay_lsn >= %s::pg_lsn FROM pg_stat_replication
               WHERE application_name = %s ORDER BY state = 'streaming' DESC""",
                (target, standby),
            )
            .fetchone()
        )
        if found is None:
            return "not connected"
        state, sync_state, replayed = found
        if state != "streaming":
            return f"its state is {state}"
        if not replayed:
            return f"it has not replayed {target} yet"
        if node.synchronous == "off":
            return ""
        if sync_state not in ("sync", "quorum"):
            return f"its sync state is {sync_state}"
        if files.read_marker() is not None:
            return "it has not confirmed yet what was committed without it"
        return "" if os.path.exists(files.ADMITTED) else "clients are not let in yet"

    def generation(self, value: str) -> dict[str, Any]:
        files.ensure_state()
        files.write_durably(files.GENERATION, f"{value}\n")
        return {}

    def require_down(self) -> None:
        state = ask({"do": "state"})
        if state["pid"] is not None or state["state"] in ("starting", "running", "stopping"):
            raise Refusal("E_RUNNING", f"the server is {state['state']}; this needs it down")

    def primary(self) -> Node:
        node = files.loaded_node()
        if rows(self.session.get(node), "SELECT pg_is_in_recovery() AS it")[0]["it"]:
            raise Refusal("E_IN_RECOVERY", f"{node.name} is a standby; it takes no write")
        return node


@contextmanager
def alone() -> Iterator[None]:
    """One acting verb at a time on a node; the lock ends with its process, however that ends."""
    files.ensure_state()
    fd = os.open(files.LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Refusal("E_BUSY", "another operation is at work on this node") from None
                time.sleep(0.01)
        yield
    finally:
        os.close(fd)


def wait_until(done: Callable[[], bool], seconds: float, late: tuple[str, str], pause: float = 0.003) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise Refusal(*late)
        time.sleep(pause)


def certificate_errors(node: Node) -> list[str]:
    """A bad certificate at a reload is a line in the log, and the old one stays: only a handshake tells."""
    import ssl

    try:
        with open(f"{files.SECRETS}/server.crt", encoding="ascii") as file:
            leaf = file.read().partition("-----END CERTIFICATE-----")
        installed = ssl.PEM_cert_to_DER_cert(leaf[0][leaf[0].index("-----BEGIN") :] + leaf[1])
        with socket.create_connection(("127.0.0.1", node.port), timeout=2) as plain:
            plain.sendall((8).to_bytes(4, "big") + (80877103).to_bytes(4, "big"))  # SSLRequest
            if plain.recv(1) != b"S":
                return ["the server does not offer TLS"]
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(plain) as secured:
                presented = secured.getpeercert(binary_form=True)
    except ConnectionRefusedError:
        return []  # it listens elsewhere
    except (OSError, ValueError) as problem:
        return [f"TLS: {pg.one_line(problem)}"]
    return [] if presented == installed else ["the server still presents another certificate; its log says why"]
