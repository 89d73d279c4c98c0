/**
 * The inputs of a container: which are implemented, which replace it, what is filled in. As upstream, nearly
 * everything replaces; an engine can change only limits and the restart policy of a container that exists.
 */

import type { InputSpec, Values } from "../resourceType.ts";
import { flag, integer, record, records, text, texts } from "./values.ts";

const replaces = { replaces: true } as const;
const inPlace = {} as const;

export const containerInputs: Readonly<Record<string, InputSpec>> = {
  name: replaces,
  image: { required: true, replaces: true },
  command: replaces,
  entrypoints: replaces,
  user: replaces,
  groupAdds: replaces,
  workingDir: replaces,
  envs: replaces,
  labels: { replaces: true, properties: ["label", "value"] },
  hostname: replaces,
  domainname: replaces,
  tty: { replaces: true, default: false },
  stdinOpen: { replaces: true, default: false },

  networkMode: { replaces: true, default: "bridge" },
  networksAdvanced: { replaces: true, properties: ["name", "aliases", "ipv4Address", "ipv6Address"] },
  ports: { replaces: true, properties: ["internal", "external", "ip", "protocol"] },
  publishAllPorts: replaces,
  dns: replaces,
  dnsOpts: replaces,
  dnsSearches: replaces,
  hosts: { replaces: true, properties: ["host", "ip"] },

  volumes: {
    replaces: true,
    properties: ["volumeName", "containerPath", "hostPath", "readOnly", "fromContainer"],
  },
  mounts: {
    replaces: true,
    properties: ["target", "source", "type", "readOnly", "bindOptions", "volumeOptions", "tmpfsOptions"],
  },
  // Upstream records a change of these three and leaves the container as it was. A new container is the only way.
  tmpfs: replaces,
  init: replaces,
  healthcheck: {
    replaces: true,
    properties: ["tests", "interval", "timeout", "startPeriod", "startInterval", "retries"],
  },
  readOnly: { replaces: true, default: false },
  shmSize: replaces,
  storageOpts: replaces,

  privileged: replaces,
  capabilities: { replaces: true, properties: ["adds", "drops"] },
  securityOpts: replaces,
  sysctls: replaces,
  ulimits: { replaces: true, properties: ["name", "soft", "hard"] },
  devices: { replaces: true, properties: ["hostPath", "containerPath", "permissions"] },
  runtime: replaces,
  ipcMode: replaces,
  pidMode: replaces,
  usernsMode: replaces,
  cgroupnsMode: replaces,
  cgroupParent: replaces,
  cpus: replaces,

  stopSignal: replaces,
  stopTimeout: replaces,
  logDriver: replaces,
  logOpts: replaces,

  // The engine changes these while the container runs.
  restart: { default: "no" },
  maxRetryCount: inPlace,
  memory: inPlace,
  memorySwap: inPlace,
  memoryReservation: inPlace,
  cpuShares: inPlace,
  cpuSet: inPlace,

  // These are about how the plugin treats the container, not about the container.
  mustRun: { default: true },
  start: { default: true },
  wait: { default: false },
  waitTimeout: { default: 60 },
  attach: { default: false },
  logs: { default: false },
  rm: { default: false },
  removeVolumes: { default: true },
  destroyGraceSeconds: inPlace,
  containerReadRefreshTimeoutMilliseconds: { default: 15_000 },
};

/** What the engine would refuse or, worse, take and not do. */
export function checkContainer(inputs: Values): Record<string, string> {
  const problems: Record<string, string> = {};
  const refuse = (property: string, wrong: boolean, message: string) => {
    if (wrong) problems[property] = message;
  };
  const oneOf = (property: string, allowed: readonly string[]) => {
    const value = text(inputs, property);
    refuse(
      property,
      value !== undefined && !allowed.includes(value),
      `${property} is one of ${allowed.join(", ")}`,
    );
  };
  oneOf("restart", ["no", "on-failure", "always", "unless-stopped"]);
  for (const [index, env] of (texts(inputs, "envs") ?? []).entries()) {
    // Its position, not its content: that may be a secret.
    refuse("envs", !/^[^=]+=/.test(env), `envs[${index}] is not of the form NAME=value`);
  }
  refuse("command", texts(inputs, "command")?.includes("") ?? false, "command has an empty argument");
  for (const limit of ["memory", "cpuShares", "shmSize", "memoryReservation", "destroyGraceSeconds"]) {
    refuse(limit, (integer(inputs, limit) ?? 0) < 0, `${limit} is not negative`);
  }
  refuse("memorySwap", (integer(inputs, "memorySwap") ?? 0) < -1, "memorySwap is -1 (no limit) or more");
  const health = record(inputs, "healthcheck");
  refuse(
    "healthcheck",
    health !== undefined && texts(health, "tests") === undefined,
    "healthcheck needs tests",
  );
  for (const key of ["interval", "timeout", "startPeriod", "startInterval"]) {
    const duration = health === undefined ? undefined : text(health, key);
    const wrong = duration !== undefined && nanoseconds(duration) === undefined;
    refuse("healthcheck", wrong, `healthcheck.${key} is a duration such as 500ms, 10s or 1m30s`);
  }
  refuse("volumes", records(inputs, "volumes").some(misplaced), "each of volumes needs a containerPath");
  for (const mount of records(inputs, "mounts")) {
    const type = text(mount, "type") ?? "";
    refuse("mounts", !["bind", "volume", "tmpfs"].includes(type), "mounts are of type bind, volume or tmpfs");
  }
  for (const port of records(inputs, "ports")) {
    for (const side of ["internal", "external"]) {
      const number = integer(port, side);
      refuse(
        "ports",
        number !== undefined && (number < 0 || number > 65_535),
        `ports: ${number} is not a port`,
      );
    }
  }
  refuse("logs", flag(inputs, "logs") === true && flag(inputs, "attach") !== true, "logs needs attach: true");
  return problems;
}

const misplaced = (volume: Values): boolean =>
  text(volume, "containerPath") === undefined && text(volume, "fromContainer") === undefined;

/** A Go duration, which is how Docker writes times: `1h2m3.5s`, `250ms`. */
export function nanoseconds(duration: string): number | undefined {
  if (duration === "0") return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(duration)) return undefined;
  const unit: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
  let total = 0;
  for (const [, amount, name] of duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (unit[name ?? ""] ?? 0);
  }
  return Math.round(total);
}
