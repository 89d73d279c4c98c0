import type Dockerode from "dockerode";
import { describe, expect, test } from "vitest";
import {
  createOptions,
  declarationLabel,
  endpoint,
} from "../../../scripts/toolchain/plugins/docker/containerOptions.ts";
import { unframed } from "../../../scripts/toolchain/plugins/docker/containerRun.ts";
import {
  drift,
  outputsOf,
  recordedInputs,
} from "../../../scripts/toolchain/plugins/docker/containerState.ts";
import { noLimit, updateOptions } from "../../../scripts/toolchain/plugins/docker/containerUpdate.ts";
import { networkOptions } from "../../../scripts/toolchain/plugins/docker/network.ts";
import { withTag } from "../../../scripts/toolchain/plugins/docker/remoteImage.ts";
import { volumeOptions } from "../../../scripts/toolchain/plugins/docker/volume.ts";
import type { ResourceContext, Values } from "../../../scripts/toolchain/plugins/resourceType.ts";

const context: ResourceContext = {
  name: "db",
  signal: new AbortController().signal,
  config: {},
  log: () => {},
};
const mb = 1024 * 1024;

describe("what the engine is asked for", () => {
  test("a database's container", () => {
    const options = createOptions("pg-1", {
      image: "debian:trixie-slim",
      command: ["postgres", "-D", "/data"],
      user: "postgres",
      envs: ["PGDATA=/data"],
      labels: [{ label: "stack", value: "demo" }],
      restart: "unless-stopped",
      memory: 256,
      networkMode: "bridge",
      ports: [
        { internal: 5432, external: 15_432, ip: "127.0.0.1" },
        { internal: 53, protocol: "udp" },
      ],
      volumes: [
        { volumeName: "data", containerPath: "/data" },
        { hostPath: "/etc/x", containerPath: "/x", readOnly: true },
        { containerPath: "/scratch" },
      ],
      healthcheck: { tests: ["CMD", "pg_isready"], interval: "1s", retries: 3 },
      hosts: [{ host: "db", ip: "10.0.0.1" }],
      capabilities: { drops: ["ALL"] },
      ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
      tmpfs: { "/run": "size=1m" },
      shmSize: 64,
      stopSignal: "SIGINT",
      stopTimeout: 60,
      init: true,
      logDriver: "json-file",
      logOpts: { "max-size": "10m" },
    });
    expect(options).toMatchObject({
      name: "pg-1",
      Image: "debian:trixie-slim",
      Cmd: ["postgres", "-D", "/data"],
      User: "postgres",
      Env: ["PGDATA=/data"],
      Labels: { stack: "demo" },
      Healthcheck: { Test: ["CMD", "pg_isready"], Interval: 1e9, Retries: 3 },
      ExposedPorts: { "5432/tcp": {}, "53/udp": {} },
      Volumes: { "/scratch": {} },
      StopSignal: "SIGINT",
      StopTimeout: 60,
      HostConfig: {
        RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: 0 },
        Memory: 256 * mb,
        ShmSize: 64 * mb,
        NetworkMode: "bridge",
        PortBindings: {
          "5432/tcp": [{ HostIp: "127.0.0.1", HostPort: "15432" }],
          "53/udp": [{ HostIp: "0.0.0.0", HostPort: "" }],
        },
        Binds: ["data:/data:rw", "/etc/x:/x:ro"],
        ExtraHosts: ["db:10.0.0.1"],
        CapDrop: ["ALL"],
        Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 2048 }],
        Tmpfs: { "/run": "size=1m" },
        Init: true,
        LogConfig: { Type: "json-file", Config: { "max-size": "10m" } },
      },
    });
    expect(options.HostConfig).not.toHaveProperty("MemorySwap");
    expect(options).not.toHaveProperty("Entrypoint");
  });

  test("a container is marked with its declaration, which no value of the environment is part of", () => {
    const mark = (inputs: Values) => createOptions("x", { image: "i", ...inputs }).Labels?.[declarationLabel];
    expect(mark({ envs: ["P=one"] })).toBe(mark({ envs: ["P=two"] }));
    expect(mark({ envs: ["P=one"] })).not.toBe(mark({ envs: ["Q=one"] }));
    expect(mark({})).not.toBe(mark({ command: ["x"] }));
  });

  test("an end of a network, with its static address", () => {
    expect(endpoint({ name: "n", ipv4Address: "10.9.0.2", aliases: ["pg"] })).toEqual({
      Aliases: ["pg"],
      IPAMConfig: { IPv4Address: "10.9.0.2" },
    });
    expect(endpoint({ name: "n" })).toEqual({});
  });

  test("a network, and that no second one of its name is made", () => {
    expect(
      networkOptions("n", {
        ipamConfigs: [{ subnet: "10.9.0.0/24", gateway: "10.9.0.1" }],
        internal: true,
        labels: [{ label: "a", value: "b" }],
      }),
    ).toEqual({
      Name: "n",
      CheckDuplicate: true,
      Internal: true,
      IPAM: { Driver: "default", Config: [{ Subnet: "10.9.0.0/24", Gateway: "10.9.0.1" }] },
      Labels: { a: "b" },
    });
  });

  test("a volume", () => {
    expect(volumeOptions("v", { driverOpts: { type: "tmpfs" } })).toEqual({
      Name: "v",
      DriverOpts: { type: "tmpfs" },
      Labels: {},
    });
  });

  test("one image, not all of a repository", () => {
    expect(withTag("debian")).toBe("debian:latest");
    expect(withTag("localhost:5000/debian")).toBe("localhost:5000/debian:latest");
    expect(withTag("debian:trixie-slim")).toBe("debian:trixie-slim");
    expect(withTag("debian@sha256:0")).toBe("debian@sha256:0");
  });
});

describe("what is changed in place", () => {
  test("nothing, when nothing of it changed", () => {
    expect(updateOptions({ memory: 64, wait: false }, { memory: 64, wait: true })).toBeUndefined();
  });
  test.each<[string, Values, Values, Dockerode.HostConfig]>([
    [
      "more memory, and the swap with it",
      { memory: 64 },
      { memory: 256 },
      { Memory: 256 * mb, MemorySwap: 512 * mb },
    ],
    [
      "swap as it is wished",
      { memory: 64 },
      { memory: 256, memorySwap: -1 },
      { Memory: 256 * mb, MemorySwap: -1 },
    ],
    ["a limit is taken away", { memory: 64 }, {}, { Memory: noLimit, MemorySwap: noLimit }],
    ["the restart policy, and no memory", { restart: "no" }, { restart: "always" }, {}],
    ["shares are taken away", { cpuShares: 512 }, {}, { CpuShares: 1024 }],
  ])("%s", (_, olds, news, expected) => {
    const name = typeof news.restart === "string" ? news.restart : "no";
    expect(updateOptions(olds, news)).toEqual({
      RestartPolicy: { Name: name, MaximumRetryCount: 0 },
      ...expected,
    });
  });
  test("a set of CPUs cannot be taken away, and that is said", () => {
    expect(() => updateOptions({ cpuSet: "0" }, {})).toThrow(/give it all CPUs/);
  });
});

/** As an engine tells it, with what this reads. */
function inspected(change: {
  host?: object;
  state?: object;
  networks?: object;
  ports?: object;
  name?: string;
}): Dockerode.ContainerInspectInfo {
  return {
    Id: "1",
    Name: change.name ?? "/db",
    State: { Running: true, Restarting: false, ExitCode: 0, ...change.state },
    HostConfig: {
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      Memory: 0,
      MemorySwap: 0,
      CpuShares: 0,
      CpusetCpus: "",
      ...change.host,
    },
    NetworkSettings: { Bridge: "", Ports: change.ports ?? {}, Networks: change.networks ?? {} },
  } as unknown as Dockerode.ContainerInspectInfo;
}

describe("what differs from what was recorded", () => {
  const net = { NetworkID: "id-1", IPAddress: "10.9.0.2", IPAMConfig: { IPv4Address: "10.9.0.2" } };
  test.each<[string, Values, Parameters<typeof inspected>[0], Values]>([
    ["nothing", { name: "db", restart: "no" }, {}, {}],
    ["nothing of an image by its tag", { name: "db", image: "debian:trixie-slim", envs: ["A=b"] }, {}, {}],
    ["its name", { name: "db" }, { name: "/renamed" }, { name: "renamed" }],
    ["its restart policy", { restart: "always" }, {}, { restart: "no" }],
    ["its memory", { memory: 64 }, { host: { Memory: 128 * mb, MemorySwap: 256 * mb } }, { memory: 128 }],
    ["a limit that was set", {}, { host: { Memory: 128 * mb } }, { memory: 128 }],
    ["no limit that no machine reaches", {}, { host: { Memory: noLimit, MemorySwap: noLimit } }, {}],
    [
      "no swap that the engine chose",
      { memory: 64 },
      { host: { Memory: 64 * mb, MemorySwap: 128 * mb } },
      {},
    ],
    ["no swap where there is none", { memorySwap: 99 }, { host: { MemorySwap: -1 } }, {}],
    ["no default shares", {}, { host: { CpuShares: 1024 } }, {}],
    ["shares that were taken away", { cpuShares: 512 }, {}, { cpuShares: null }],
    ["that it does not run", { mustRun: true }, { state: { Running: false } }, { mustRun: false }],
    ["not that it is restarting", { mustRun: true }, { state: { Running: false, Restarting: true } }, {}],
    ["not that it is left alone", { mustRun: false }, { state: { Running: false } }, {}],
    ["not that it was never to start", { start: false }, { state: { Running: false } }, {}],
    ["no network by its name", { networksAdvanced: [{ name: "net" }] }, { networks: { net } }, {}],
    ["no network by its id", { networksAdvanced: [{ name: "id-1" }] }, { networks: { net } }, {}],
    ["a network it was taken off", { networksAdvanced: [{ name: "net" }] }, {}, { networksAdvanced: [] }],
    ["no network it was put on besides", { networksAdvanced: [] }, { networks: { net } }, {}],
    [
      "an address",
      { networksAdvanced: [{ name: "net", ipv4Address: "10.9.0.9" }] },
      { networks: { net } },
      { networksAdvanced: [{ name: "net", ipv4Address: "10.9.0.2" }] },
    ],
  ])("%s", (_, state, found, expected) => expect(drift(state, inspected(found))).toEqual(expected));

  test("what was chosen for the program is no input of it", () => {
    const ports = [{ internal: 80, ip: "127.0.0.1" }];
    const found = inspected({
      host: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } },
      ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "32768" }] },
    });
    const outputs = outputsOf({ ports }, found);
    expect(outputs.ports).toEqual([{ internal: 80, ip: "127.0.0.1", external: 32_768 }]);
    const state = { ...outputs, name: "db-0a1b2c3", image: "i" };
    expect(recordedInputs(state, found, context)).toEqual({ ports, image: "i" });
    expect(recordedInputs({ name: "db-1" }, found, context)).toEqual({ name: "db-1" });
  });
});

test("logs are freed of the engine's frames", () => {
  const frame = (text: string) => Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length, ...Buffer.from(text)]);
  expect(unframed(Buffer.concat([frame("one\n"), frame("two\n")]))).toBe("one\ntwo\n");
});
