/** Inputs → what the engine is asked for. Pure, so that a table can show all of it. */

import { createHash } from "node:crypto";
import type Dockerode from "dockerode";
import type { Values } from "../resourceType.ts";
import { nanoseconds } from "./containerInputs.ts";
import { defined, flag, integer, labels, map, record, records, text, texts } from "./values.ts";

const megabyte = 1024 * 1024;

/**
 * Marks a container with what it was made from, so that an update that was killed before it could record the
 * container finds it again. Values of the environment are no part of it.
 */
export const declarationLabel = "io.understudy.declaration";

export function createOptions(name: string, inputs: Values): Dockerode.ContainerCreateOptions {
  const options: Dockerode.ContainerCreateOptions = {
    name,
    ...defined({
      Image: text(inputs, "image"),
      Cmd: texts(inputs, "command"),
      Entrypoint: texts(inputs, "entrypoints"),
      User: text(inputs, "user"),
      WorkingDir: text(inputs, "workingDir"),
      Env: texts(inputs, "envs"),
      Hostname: text(inputs, "hostname"),
      Domainname: text(inputs, "domainname"),
      StopSignal: text(inputs, "stopSignal"),
      StopTimeout: integer(inputs, "stopTimeout"),
      Tty: flag(inputs, "tty"),
      OpenStdin: flag(inputs, "stdinOpen"),
      Healthcheck: healthcheck(inputs),
      ExposedPorts: exposedPorts(inputs),
      Volumes: anonymousVolumes(inputs),
    }),
    Labels: labels(inputs),
    HostConfig: hostConfig(inputs),
  };
  return { ...options, Labels: { ...options.Labels, [declarationLabel]: fingerprint(options) } };
}

function hostConfig(inputs: Values): Dockerode.HostConfig {
  const capabilities = record(inputs, "capabilities") ?? {};
  const cpus = text(inputs, "cpus");
  const logDriver = text(inputs, "logDriver");
  const logOptions = map(inputs, "logOpts");
  return {
    ...updatable(inputs),
    ...defined({
      NanoCpus: cpus === undefined ? undefined : Math.round(Number(cpus) * 1e9),
      NetworkMode: text(inputs, "networkMode"),
      PortBindings: portBindings(inputs),
      PublishAllPorts: flag(inputs, "publishAllPorts"),
      Dns: texts(inputs, "dns"),
      DnsOptions: texts(inputs, "dnsOpts"),
      DnsSearch: texts(inputs, "dnsSearches"),
      ExtraHosts: notEmpty(records(inputs, "hosts").map((one) => `${text(one, "host")}:${text(one, "ip")}`)),
      Binds: notEmpty(binds(inputs)),
      VolumesFrom: notEmpty(records(inputs, "volumes").flatMap((one) => text(one, "fromContainer") ?? [])),
      Mounts: notEmpty(records(inputs, "mounts").map(mount)),
      Tmpfs: map(inputs, "tmpfs"),
      Init: flag(inputs, "init"),
      ReadonlyRootfs: flag(inputs, "readOnly"),
      AutoRemove: flag(inputs, "rm"),
      ShmSize: megabytes(inputs, "shmSize"),
      StorageOpt: map(inputs, "storageOpts"),
      Privileged: flag(inputs, "privileged"),
      CapAdd: texts(capabilities, "adds"),
      CapDrop: texts(capabilities, "drops"),
      SecurityOpt: texts(inputs, "securityOpts"),
      Sysctls: map(inputs, "sysctls"),
      Ulimits: notEmpty(
        records(inputs, "ulimits").map((one) => ({
          Name: text(one, "name") ?? "",
          Soft: integer(one, "soft") ?? 0,
          Hard: integer(one, "hard") ?? 0,
        })),
      ),
      Devices: notEmpty(
        records(inputs, "devices").map((one) => ({
          PathOnHost: text(one, "hostPath") ?? "",
          PathInContainer: text(one, "containerPath") ?? text(one, "hostPath") ?? "",
          CgroupPermissions: text(one, "permissions") ?? "rwm",
        })),
      ),
      Runtime: text(inputs, "runtime"),
      IpcMode: text(inputs, "ipcMode"),
      PidMode: text(inputs, "pidMode"),
      UsernsMode: text(inputs, "usernsMode"),
      CgroupnsMode: text(inputs, "cgroupnsMode") as "host" | "private" | undefined,
      CgroupParent: text(inputs, "cgroupParent"),
      GroupAdd: texts(inputs, "groupAdds"),
      LogConfig:
        logDriver === undefined && logOptions === undefined
          ? undefined
          : { Type: logDriver ?? "", Config: logOptions ?? {} },
    }),
  };
}

/** The part that an engine changes while the container runs. */
export function updatable(inputs: Values): Dockerode.HostConfig {
  return {
    RestartPolicy: {
      Name: text(inputs, "restart") ?? "no",
      MaximumRetryCount: integer(inputs, "maxRetryCount") ?? 0,
    },
    ...defined({
      Memory: megabytes(inputs, "memory"),
      MemorySwap: megabytes(inputs, "memorySwap"),
      MemoryReservation: megabytes(inputs, "memoryReservation"),
      CpuShares: integer(inputs, "cpuShares"),
      CpusetCpus: text(inputs, "cpuSet"),
    }),
  };
}

/** -1 is "no limit", in the engine too. */
function megabytes(inputs: Values, key: string): number | undefined {
  const value = integer(inputs, key);
  return value === undefined || value === 0 ? undefined : value < 0 ? value : value * megabyte;
}

export function endpoint(network: Values): Dockerode.EndpointSettings {
  const address = defined({
    IPv4Address: text(network, "ipv4Address"),
    IPv6Address: text(network, "ipv6Address"),
  });
  return {
    ...defined({ Aliases: texts(network, "aliases") }),
    ...(Object.keys(address).length > 0 ? { IPAMConfig: address } : {}),
  };
}

function healthcheck(inputs: Values): Dockerode.HealthConfig | undefined {
  const health = record(inputs, "healthcheck");
  if (health === undefined) return undefined;
  const duration = (key: string) => {
    const written = text(health, key);
    return written === undefined ? undefined : nanoseconds(written);
  };
  return defined({
    Test: texts(health, "tests"),
    Interval: duration("interval"),
    Timeout: duration("timeout"),
    StartPeriod: duration("startPeriod"),
    StartInterval: duration("startInterval"),
    Retries: integer(health, "retries"),
  }) as Dockerode.HealthConfig;
}

export const portKey = (port: Values): string =>
  `${integer(port, "internal")}/${text(port, "protocol") ?? "tcp"}`;

function exposedPorts(inputs: Values): Record<string, object> | undefined {
  const ports = records(inputs, "ports");
  return ports.length === 0 ? undefined : Object.fromEntries(ports.map((port) => [portKey(port), {}]));
}

function portBindings(inputs: Values): Record<string, { HostIp: string; HostPort: string }[]> | undefined {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of records(inputs, "ports")) {
    const external = integer(port, "external") ?? 0;
    const list = bindings[portKey(port)] ?? [];
    list.push({ HostIp: text(port, "ip") ?? "0.0.0.0", HostPort: external === 0 ? "" : String(external) });
    bindings[portKey(port)] = list;
  }
  return Object.keys(bindings).length === 0 ? undefined : bindings;
}

function binds(inputs: Values): string[] {
  return records(inputs, "volumes").flatMap((volume) => {
    const source = text(volume, "volumeName") ?? text(volume, "hostPath");
    const target = text(volume, "containerPath");
    if (source === undefined || target === undefined) return [];
    return [`${source}:${target}:${flag(volume, "readOnly") === true ? "ro" : "rw"}`];
  });
}

/** A path without a source: the engine makes a volume that is deleted with the container. */
function anonymousVolumes(inputs: Values): Record<string, object> | undefined {
  const paths = records(inputs, "volumes").flatMap((volume) => {
    const source = text(volume, "volumeName") ?? text(volume, "hostPath");
    const path = text(volume, "containerPath");
    return source === undefined && path !== undefined ? [path] : [];
  });
  return paths.length === 0 ? undefined : Object.fromEntries(paths.map((path) => [path, {}]));
}

function mount(inputs: Values): Dockerode.MountConfig[number] {
  const bind = record(inputs, "bindOptions");
  const volume = record(inputs, "volumeOptions");
  const tmpfs = record(inputs, "tmpfsOptions");
  const driver = volume === undefined ? undefined : text(volume, "driverName");
  const settings = defined({
    ReadOnly: flag(inputs, "readOnly"),
    BindOptions: bind === undefined ? undefined : { Propagation: text(bind, "propagation") },
    VolumeOptions:
      volume === undefined
        ? undefined
        : defined({
            NoCopy: flag(volume, "noCopy"),
            Labels: records(volume, "labels").length > 0 ? labels(volume) : undefined,
            Subpath: text(volume, "subpath"),
            DriverConfig:
              driver === undefined
                ? undefined
                : { Name: driver, Options: map(volume, "driverOptions") ?? {} },
          }),
    TmpfsOptions:
      tmpfs === undefined
        ? undefined
        : defined({ SizeBytes: integer(tmpfs, "sizeBytes"), Mode: integer(tmpfs, "mode") }),
  });
  return {
    Type: text(inputs, "type") ?? "volume",
    Target: text(inputs, "target") ?? "",
    Source: text(inputs, "source") ?? "",
    ...settings,
  } as Dockerode.MountConfig[number];
}

function notEmpty<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined;
}

function fingerprint(options: Dockerode.ContainerCreateOptions): string {
  const names = (options.Env ?? []).map((env) => env.split("=", 1)[0]);
  const told = JSON.stringify({ ...options, Env: names });
  return createHash("sha256").update(told).digest("hex").slice(0, 32);
}
