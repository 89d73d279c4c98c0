"""What the supervisor is asked for over its control socket, and the programs that it is asked about."""

from __future__ import annotations

import secrets
import socket
import time
from typing import Any

import files
import unit
import unitfile
from consulprogram import ConsulProgram
from control import Waiter
from files import Refusal
from haproxyprogram import HaproxyProgram
from patroniprogram import PatroniProgram
from pgbouncerprogram import PgbouncerProgram
from program import Program
from unit import ProgramSpec


class Commands:
    def __init__(self) -> None:
        self.programs: dict[str, Program] = {}
        """In the order in which they are started; they are stopped in the reverse one."""
        self.key = secrets.token_bytes(32)
        self.agent = files.agent_hash()
        self.unit_file = unitfile.read()
        """As systemd had it when it started us: the file may have been written anew since."""
        self.leaving = False
        self.problem: str | None = None

    def configure(self) -> None:
        """As agent.json says now: a command, a signal, a limit counts from the next time on that it is used."""
        config = unit.installed()
        specs = unit.programs(config)
        for spec in specs:
            if spec.name in self.programs:
                self.programs[spec.name].spec = spec
            else:
                self.programs[spec.name] = program_of(spec, self.key, config)

    def command(self, connection: socket.socket, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None: it is given when the goal is reached."""
        if request["do"] == "state":
            return self.report()
        if self.leaving:
            raise Refusal("E_STOPPING", "the host's unit is stopping")
        self.configure()
        program = self.programs.get(str(request["program"]))
        if program is None:
            raise Refusal("E_UNKNOWN_PROGRAM", f"this host runs no {request['program']!r}")
        if request["do"] == "reload":
            program.reload()
            return {}
        if request["do"] == "reloaded":
            program.reloaded()
            return {}
        if request["do"] in ("pause", "resume"):
            return self.hold_back(program, request)
        begun = time.monotonic()
        waiter = Waiter(connection, "running", begun, begun + float(request["limit"]))
        match request["do"]:
            case "start":
                return self.start(program, waiter)
            case "restart":
                return self.restart(program, waiter)
            case "hold":
                return self.hold(program, waiter, str(request["reason"]))
        raise Refusal("E_UNKNOWN", f"there is no command {request['do']!r}")

    def report(self) -> dict[str, Any]:
        facts = {name: program.facts() for name, program in self.programs.items()}
        return {"agent": self.agent, "unit": self.unit_file, "problem": self.problem, "programs": facts}

    def start(self, program: Program, waiter: Waiter) -> dict[str, Any] | None:
        unit.let_go(program.spec.name)
        if program.state == "running" and program.stopping is None:
            return {"ms": 0}
        program.waiters.append(waiter)
        if program.stopping is not None:
            program.stopping = "again"
        elif program.pid is None:
            program.launch()
        return None

    def restart(self, program: Program, waiter: Waiter) -> dict[str, Any] | None:
        """One request, so that a caller who dies in the middle does not leave the program down."""
        if (held := unit.hold_reason(program.spec.name)) is not None:
            raise Refusal("E_HELD", f"{program.spec.name} is held: {held}")
        program.waiters.append(waiter)
        program.stop("again")
        return None

    def hold_back(self, program: Program, request: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(program, PgbouncerProgram):
            raise Refusal("E_UNKNOWN", f"{program.spec.name} has no clients to hold back")
        if request["do"] == "resume":
            return {"heldMs": program.let_clients_go()}
        program.hold_clients(float(request["ttl"]))
        return {}

    def hold(self, program: Program, waiter: Waiter, reason: str) -> dict[str, Any] | None:
        unit.hold(program.spec.name, reason)
        waiter.goal = "down"
        program.waiters.append(waiter)
        program.stop("held")
        return None


def program_of(spec: ProgramSpec, key: bytes, config: dict[str, Any]) -> Program:
    match spec.name:
        case "patroni":
            return PatroniProgram(spec, key, config)
        case "consul":
            return ConsulProgram(spec, key)
        case "haproxy":
            return HaproxyProgram(spec, key)
        case "pgbouncer":
            return PgbouncerProgram(spec, key)
    return Program(spec, key)
