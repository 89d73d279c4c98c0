/** A unit as a deployment asks a machine for it. */
import type { UnitArgs } from "../../../../components/hosts/host.ts";
import { machineProgram } from "../../../../components/hosts/machines/programs.ts";
import type { Machine } from "../../../../components/spec/model.ts";

export const postgresUnit: UnitArgs = {
  program: "postgres",
  command: ["python3", "/etc/understudy/node.py", "run"],
  user: "postgres",
  directories: { config: "/etc/understudy", data: "/var/lib/understudy" },
  listens: [{ port: 5432, protocol: "tcp", from: ["10.0.0.11/32", "10.0.0.12/32", "fd00::/8"] }],
  publish: [],
  stopTimeoutSeconds: 60,
  health: ["python3", "/etc/understudy/node.py", "health"],
  stateful: true,
};

export const dnsUnit: UnitArgs = {
  program: "dns",
  command: ["sh", "/etc/understudy-dns/start.sh"],
  user: "bind",
  directories: { config: "/etc/understudy-dns", data: "/var/lib/understudy-dns" },
  listens: (["tcp", "udp"] as const).map((protocol) => ({ port: 53, protocol, from: ["0.0.0.0/0", "::/0"] })),
  publish: [],
  stopTimeoutSeconds: 10,
  health: ["sh", "-c", "true"],
  stateful: false,
};

export const postgresProgram = machineProgram("postgres", { version: 17 });
export const dnsProgram = machineProgram("dns", { version: 17 });

export function exampleMachine(more: Partial<Machine> = {}): Machine {
  const hop = {
    host: "10.0.0.11",
    port: 22,
    user: "root",
    keyFile: "key",
    hostKey: undefined,
    knownHostsFile: "k",
  };
  return {
    ssh: { ...hop, jump: undefined },
    packageMirror: undefined,
    firewall: true,
    onDestroy: "keep",
    adopt: undefined,
    ...more,
  };
}

/** As the deployment asks for a region's hosts. */
export const regionUnits: Readonly<Record<"consul" | "patroni" | "haproxy", UnitArgs>> = {
  consul: regionUnit("consul", "consul", [8300, 8301]),
  patroni: { ...regionUnit("patroni", "postgres", [5432, 8008]), stateful: true, devices: ["/dev/watchdog"] },
  haproxy: regionUnit("haproxy", "haproxy", [5432, 5433]),
};

function regionUnit(
  program: UnitArgs["program"],
  user: UnitArgs["user"],
  ports: readonly number[],
): UnitArgs {
  return {
    program,
    command: ["python3", "/etc/understudy/agent.py", "run"],
    user,
    directories: { config: "/etc/understudy", data: "/var/lib/understudy" },
    listens: ports.map((port) => ({ port, protocol: "tcp", from: ["10.0.0.0/24"] })),
    publish: [],
    stopTimeoutSeconds: 30,
    health: ["python3", "/etc/understudy/agent.py", "health"],
    stateful: false,
  };
}
