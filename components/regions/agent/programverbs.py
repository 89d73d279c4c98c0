"""The verbs about one program, and how each kind of program shows that it does its work."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from typing import Any

import files
import haproxy
import pooler
import unit
from awaiting import milliseconds, wait_until
from consulapi import Consul, ConsulError, tls_context
from control import ask
from files import Refusal
from output import COMPLAINT, concealed

CHECK_SECONDS = 30.0
TAKEN_SECONDS = 10.0
CHECKS_SECONDS = 5.0
PATRONI_TAKEN_SECONDS, PATRONI_AGAIN_SECONDS = 30.0, 2.0
"""
It reads its files between two rounds of its loop, and looks at its certificate in a reload that finds its settings as
they were (`reload_config` of Patroni 4.1): where both are new, the first reload is for the settings alone.
"""
SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


def reload(config: dict[str, Any], program: str) -> dict[str, Any]:
    """First the program itself judges the files, where it can: one that cannot use them goes on with what it had."""
    spec = unit.named(config, program)
    check_certificate(spec)
    check(spec)
    before, served = None, False
    if program == "haproxy":
        haproxy.await_master(TAKEN_SECONDS)
        before, served = haproxy.worker(), haproxy.serves()
    ask({"do": "reload", "program": program})
    if program == "haproxy":
        haproxy.await_worker(before, TAKEN_SECONDS)
        if served:
            haproxy.await_checks(CHECKS_SECONDS)
    if program == "pgbouncer":
        pooler.await_settings(config)
    if has_certificate(spec):
        await_certificate(program, endpoint(config, program))
    confirm(program)
    return {}


def confirm(program: str) -> None:
    """Until then it counts as not loaded, and the next update asks for the reload again."""
    try:
        # The limit is for a supervisor of an older version, which reads one before it says that it does not know the word.
        ask({"do": "reloaded", "program": program, "limit": 0})
    except Refusal:
        pass


def has_certificate(spec: unit.ProgramSpec) -> bool:
    return any(path.startswith("secrets/server.") for path in spec.reloads)


def check_certificate(spec: unit.ProgramSpec) -> None:
    """No program judges it beforehand, and one with a bad pair refuses every handshake from then on."""
    if not has_certificate(spec):
        return
    try:
        tls_context()
    except (OSError, ValueError) as problem:
        message = f"{spec.name} cannot use the certificate in {files.SECRETS}, and goes on with what it has: {problem}"
        raise Refusal("E_RELOAD", message) from None


def check(spec: unit.ProgramSpec) -> None:
    judges = {
        "haproxy": ["haproxy", "-c", *spec.command[spec.command.index("-f") :]] if "-f" in spec.command else None,
        "consul": ["consul", "validate", "-quiet", *spec.command[3::2]] if spec.name == "consul" else None,
        "patroni": ["patroni", "--validate-config", "--ignore-listen-port", unit.PATRONI_DIRECTORY],
    }
    # PgBouncer cannot: it is asked afterwards what it has taken over.
    judge = judges.get(spec.name)
    if judge is None:
        return
    try:
        done = subprocess.run(judge, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Refusal("E_RELOAD", f"{judge[0]} did not judge its configuration within {CHECK_SECONDS:g} s") from None
    if done.returncode == 0:
        return
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    words = [line for line in lines if COMPLAINT.search(line)] or lines
    why = concealed("; ".join(words[:4]))[:600]
    raise Refusal("E_RELOAD", f"{spec.name} cannot use what is installed, and goes on with what it has: {why}")


def endpoint(config: dict[str, Any], program: str) -> tuple[str, int]:
    if program == "consul":
        host, _, port = str(config["consul"]["address"]).rpartition(":")
        return host, int(port)
    if program == "pgbouncer":
        return str(config["pgbouncer"]["address"]), int(config["pgbouncer"]["port"])
    import patroni_rest

    own = patroni_rest.own(config)
    return own.address, own.port


def await_certificate(program: str, address: tuple[str, int]) -> None:
    """A bad certificate at a reload is a line in the log, and the old one stays: only a handshake tells."""

    seconds = PATRONI_TAKEN_SECONDS if program == "patroni" else TAKEN_SECONDS
    again_at = time.monotonic() + PATRONI_AGAIN_SECONDS

    def presented() -> bool:
        nonlocal again_at
        if handshake(address, asks=program == "pgbouncer") == installed_certificate():
            return True
        if program == "patroni" and time.monotonic() > again_at:
            ask({"do": "reload", "program": program})
            again_at = time.monotonic() + PATRONI_AGAIN_SECONDS
        return False

    where = f"{address[0]}:{address[1]}"
    message = f"{program} still presents another certificate at {where} {seconds:g} s after its reload"
    message += "; its log says why"
    wait_until(presented, seconds, lambda: Refusal("E_RELOAD", message))


def installed_certificate() -> bytes:
    with open(f"{files.SECRETS}/server.crt", encoding="ascii") as file:
        text = file.read()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(text[text.index(begin) : text.index(end) + len(end)])


def handshake(address: tuple[str, int], asks: bool) -> bytes | None:
    """
    What is presented there; None: nobody does. Nothing is said to it, so whom it belongs to need not be verified.
    `asks`: in PostgreSQL's protocol, where TLS is asked for first.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(f"{files.SECRETS}/server.crt", f"{files.SECRETS}/server.key")
    try:
        with socket.create_connection(address, timeout=2) as plain:
            if asks:
                plain.sendall(SSL_REQUEST)
                if plain.recv(1) != b"S":
                    return None
            with context.wrap_socket(plain) as secured:
                return secured.getpeercert(binary_form=True)
    except OSError:
        return None


# ------------------------------------------------------------------------------------------- starts and stops


def act(config: dict[str, Any], command: str, program: str, seconds: float, **more: Any) -> dict[str, Any]:
    """Through the supervisor; then what was started shows that it works, within the same limit."""
    begun = time.monotonic()
    unit.named(config, program)
    ask({"do": command, "program": program, "limit": seconds, **more}, seconds + 5)
    if command != "hold":
        await_work(config, program, max(1.0, seconds - (time.monotonic() - begun)), whole=command == "restart")
    return {"ms": milliseconds(begun)}


def await_work(config: dict[str, Any], program: str, seconds: float, whole: bool) -> None:
    """
    `whole`: it does its work as it did before, with everybody whom it needs. After a first start they may not be there
    yet, and that it answers is enough.
    """
    why = "it does not answer"

    def works() -> bool:
        nonlocal why
        state = ask({"do": "state"})["programs"][program]
        if state["state"] not in ("running", "starting"):
            raise Refusal("E_START_FAILED", f"{program} is {state['state']}: {state['reason']}")
        why = lack(config, program, whole)
        return why == ""

    wait_until(works, seconds, lambda: Refusal("E_START_TIMEOUT", f"{program} after {seconds:.0f} s: {why}"))


def lack(config: dict[str, Any], program: str, whole: bool) -> str:
    """What it is still short of; empty: nothing."""
    if program == "haproxy":
        return "" if haproxy.worker() is not None else "its admin socket does not answer"
    if program == "pgbouncer":
        return pooler.answers(config)
    if program == "consul":
        try:
            leader = Consul(config).get("/v1/status/leader")
        except ConsulError as no:
            return str(no)
        return "" if leader or not whole else "it knows no leader"
    import patroni_rest

    try:
        state = str(patroni_rest.status(config).get("state"))
    except (patroni_rest.Unanswered, Refusal) as no:
        return f"its REST interface does not answer ({no})"
    return "" if state in ("running", "streaming", "in archive recovery") or not whole else f"its server is {state}"
