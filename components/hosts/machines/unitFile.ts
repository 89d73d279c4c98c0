/** The systemd unit of a program. Pure. Options and their reasons; systemd.exec(5), systemd.service(5). */
import type { Program, UnitArgs } from "../host.ts";
import { FIREWALL_UNIT } from "./firewall.ts";
import type { MachineProgram } from "./programs.ts";

export interface UnitFileArgs {
  readonly deployment: string;
  readonly host: string;
  readonly unit: Pick<
    UnitArgs,
    "program" | "command" | "stateful" | "stopTimeoutSeconds" | "listens" | "openFiles" | "devices"
  >;
  readonly machineProgram: MachineProgram;
  /** Data directory of the user's own that the unit works on as well. */
  readonly adopt: string | undefined;
}

type Options = readonly (readonly [name: string, value: string])[];

export function unitFile(args: UnitFileArgs): string {
  const sections: readonly (readonly [string, Options])[] = [
    ["Unit", order(args)],
    ["Service", [process, life, resources, files, devices, hardening].flatMap((part) => part(args))],
    ["Install", [["WantedBy", "multi-user.target"]]],
  ];
  const lines = sections.flatMap(([name, options]) => [
    `[${name}]`,
    ...options.map(([option, value]) => `${option}=${value}`),
    "",
  ]);
  return ["# Rendered by Understudy; edits are overwritten.", ...lines].join("\n");
}

const titles: Readonly<Record<Program, string>> = {
  postgres: "PostgreSQL",
  dns: "name server",
  consul: "Consul server",
  patroni: "PostgreSQL with Patroni",
  haproxy: "proxy",
};

function order({ deployment, host, unit, machineProgram, adopt }: UnitFileArgs): Options {
  const mounts = [machineProgram.directories.data, ...(adopt === undefined ? [] : [adopt])];
  return [
    ["Description", plain(`Understudy: ${titles[unit.program]} of ${host} in ${deployment}`)],
    ["After", `network-online.target ${FIREWALL_UNIT}`],
    ["Wants", "network-online.target"],
    ["RequiresMountsFor", mounts.map(word).join(" ")],
    // It is started again as often as it takes: nobody looks after a machine at night.
    ["StartLimitIntervalSec", "0"],
  ];
}

/** An agent of ours says itself when it is up, and has its control socket in a directory of its own. */
const agent: Options = [
  ["Type", "notify"],
  ["NotifyAccess", "main"],
  ["RuntimeDirectory", "understudy"],
  // What is in there says which clients are let in, and must not outlive the agent.
  ["RuntimeDirectoryPreserve", "no"],
];

/** The score below is for the supervisor and the postmaster; a backend that eats the memory is to go instead. */
const backendsGoFirst: Options = [
  ["Environment", "PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj PG_OOM_ADJUST_VALUE=0"],
];

function process({ unit, machineProgram }: UnitFileArgs): Options {
  const { account, directories } = machineProgram;
  const [program = "", ...rest] = unit.command;
  const own: Readonly<Record<Program, Options>> = {
    postgres: [...agent, ...backendsGoFirst],
    patroni: [...agent, ...backendsGoFirst],
    consul: agent,
    haproxy: agent,
    dns: [["Type", "exec"]],
  };
  return [
    ...own[unit.program],
    ["ExecStart", [absolute(program), ...rest].map(word).join(" ")],
    ["User", account],
    ["Group", account],
    ["WorkingDirectory", directories.data],
    ["Environment", "LANG=C.UTF-8"],
    ["SyslogIdentifier", `understudy-${unit.program}`],
    // Lines of a database's log are not to be dropped because there are many of them.
    ["LogRateLimitIntervalSec", "0"],
  ];
}

function life({ unit }: UnitFileArgs): Options {
  return [
    ["Restart", "always"],
    ["RestartSec", "2"],
    ["TimeoutStartSec", "90"],
    // The agent is told; the server's processes are its own to stop, in the right way. Where it died, systemd kills what
    // is left of the unit before it starts it again: nothing goes on unsupervised, and no two agents have one database.
    ["KillMode", "mixed"],
    // What a kill would buy is a crash recovery at the next start, and nothing else: a fast stop comes to its end, when
    // the checkpoint is written and the standby has everything. A reboot has a limit of its own (30 minutes).
    ["TimeoutStopSec", unit.stateful ? "infinity" : String(unit.stopTimeoutSeconds + 10)],
  ];
}

function resources({ unit: { openFiles = 65_536 } }: UnitFileArgs): Options {
  return [
    ["OOMScoreAdjust", "-900"],
    // One backend that the kernel kills is not the end of the others.
    ["OOMPolicy", "continue"],
    ["LimitNOFILE", String(openFiles)],
    // A core file of a database holds its content and its keys.
    ["LimitCORE", "0"],
    ["TasksMax", "infinity"],
  ];
}

const homes = ["/home", "/root", "/run/user"];

/**
 * The System V and POSIX shared memory of a postmaster is of no service manager's business: RemoveIPC= is off by default
 * and stays so, and logind leaves that of system accounts alone.
 */
function files({ unit, machineProgram, adopt }: UnitFileArgs): Options {
  const { data } = machineProgram.directories;
  const inHome = homes.some((home) => adopt?.startsWith(`${home}/`));
  const writable: Readonly<Record<Program, readonly string[]>> = {
    // Where disks are mounted by custom: an archive_command or a tablespace there goes on working.
    postgres: [data, "/run/postgresql", "-/mnt", "-/srv", "-/media"],
    patroni: [data, "/run/postgresql", "-/mnt", "-/srv", "-/media"],
    consul: [data],
    haproxy: [data],
    dns: [data, "/run/named"],
  };
  return [
    ["UMask", "0077"],
    // A data directory of the user's own may have its WAL, by a link, on any disk.
    ["ProtectSystem", adopt === undefined ? "strict" : "full"],
    ["ReadWritePaths", writable[unit.program].map(word).join(" ")],
    ["ProtectHome", inHome ? "no" : "yes"],
    ["PrivateTmp", "yes"],
  ];
}

function devices({ unit, machineProgram }: UnitFileArgs): Options {
  const { devices = [] } = unit;
  if (devices.length === 0) return [["PrivateDevices", "yes"]];
  return [
    ["PrivateDevices", "no"],
    ["DevicePolicy", "closed"],
    ...devices.map((path) => ["DeviceAllow", `${path} rw`] as const),
    // They are root's at every boot. As root, and where a machine has none the unit comes up without.
    ...devices.map(
      (path) => ["ExecStartPre", `-+/bin/chown ${machineProgram.account} ${word(path)}`] as const,
    ),
  ];
}

function hardening({ unit }: UnitFileArgs): Options {
  // Without being root.
  const isLow = unit.program === "dns" || unit.listens.some(({ port }) => port < 1024);
  const capabilities = isLow ? "CAP_NET_BIND_SERVICE" : "";
  return [
    ["NoNewPrivileges", "yes"],
    ["CapabilityBoundingSet", capabilities],
    ["AmbientCapabilities", capabilities],
    ["ProtectClock", "yes"],
    ["ProtectControlGroups", "yes"],
    ["ProtectHostname", "yes"],
    ["ProtectKernelLogs", "yes"],
    ["ProtectKernelModules", "yes"],
    ["ProtectKernelTunables", "yes"],
    ["ProtectProc", "invisible"],
    ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"],
    ["RestrictNamespaces", "yes"],
    ["RestrictRealtime", "yes"],
    ["RestrictSUIDSGID", "yes"],
    // Without MemoryDenyWriteExecute: PostgreSQL compiles expressions while it runs.
    ["LockPersonality", "yes"],
    ["SystemCallArchitectures", "native"],
    ["SystemCallFilter", "@system-service"],
    ["SystemCallErrorNumber", "EPERM"],
  ];
}

const programs: Readonly<Record<string, string>> = { python3: "/usr/bin/python3", sh: "/bin/sh" };

function absolute(program: string): string {
  return programs[program] ?? program;
}

/** One word of a command line or a list, as systemd reads it. */
function word(text: string): string {
  const doubled = text.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[-\w./:%$=@+]+$/.test(doubled)
    ? doubled
    : `"${doubled.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function plain(text: string): string {
  return text.replaceAll("%", "%%");
}
