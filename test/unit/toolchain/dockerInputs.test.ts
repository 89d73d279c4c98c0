import { createRequire } from "node:module";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { checkContainer, nanoseconds } from "../../../scripts/toolchain/plugins/docker/containerInputs.ts";
import { docker } from "../../../scripts/toolchain/plugins/docker/provider.ts";
import type { Values } from "../../../scripts/toolchain/plugins/resourceType.ts";

// The official typings are the measure: what an input is called, which are required, what an output is called.
const load = createRequire(import.meta.url);
const typings = load.resolve("@pulumi/docker").replace(/index\.js$/, "");

/** The properties of an interface, and whether each is required. */
function properties(file: string, name: string): Map<string, boolean> {
  const path = `${typings}${file}.d.ts`;
  const source = ts.createSourceFile(path, ts.sys.readFile(path) ?? "", ts.ScriptTarget.Latest, true);
  const found = new Map<string, boolean>();
  source.forEachChild((node) => {
    const named = ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node);
    if (!named || node.name?.text !== name) return;
    for (const member of node.members) {
      if (!ts.isPropertySignature(member) && !ts.isPropertyDeclaration(member)) continue;
      if (member.name !== undefined && ts.isIdentifier(member.name)) {
        found.set(member.name.text, member.questionToken === undefined);
      }
    }
  });
  if (found.size === 0) throw new Error(`no ${name} in ${file}`);
  return found;
}

const official = load("@pulumi/docker") as Record<string, { __pulumiType: string }>;

/** Every input of the offline plugin, and whether a change of it replaces the resource. */
const replacing: Record<string, string> = {
  Container:
    "name image command entrypoints user groupAdds workingDir envs labels hostname domainname tty stdinOpen networkMode " +
    "networksAdvanced ports publishAllPorts dns dnsOpts dnsSearches hosts volumes mounts tmpfs init healthcheck readOnly " +
    "shmSize storageOpts privileged capabilities securityOpts sysctls ulimits devices runtime ipcMode pidMode usernsMode " +
    "cgroupnsMode cgroupParent cpus stopSignal stopTimeout logDriver logOpts",
  Network: "name driver internal attachable ingress ipv6 ipamDriver ipamOptions ipamConfigs labels options",
  Volume: "name driver driverOpts labels",
  RemoteImage: "name pullTriggers triggers",
};
const inPlace: Record<string, string> = {
  Container:
    "restart maxRetryCount memory memorySwap memoryReservation cpuShares cpuSet mustRun start wait waitTimeout attach " +
    "logs rm removeVolumes destroyGraceSeconds containerReadRefreshTimeoutMilliseconds",
  Network: "",
  Volume: "",
  RemoteImage: "keepLocally forceRemove",
};
const words = (list: string | undefined): string[] => (list ?? "").split(" ").filter((word) => word !== "");

describe.each([
  ["Container", "container"],
  ["Network", "network"],
  ["Volume", "volume"],
  ["RemoteImage", "remoteImage"],
] as const)("%s is as in the official typings", (name, file) => {
  const type = docker.resources.find((one) => one.token === official[name]?.__pulumiType);
  const inputs = Object.entries(type?.inputs ?? {});

  test("its token is known", () => expect(type).toBeDefined());

  test("its inputs are called so, and the same are required", () => {
    const expected = properties(file, `${name}Args`);
    for (const [input, spec] of inputs) {
      expect(expected.has(input), input).toBe(true);
      expect(spec.required ?? false, input).toBe(expected.get(input));
    }
    for (const [input, required] of expected) if (required) expect(type?.inputs).toHaveProperty(input);
  });

  test("its outputs are called so", () => {
    const expected = properties(file, name);
    for (const output of type?.outputs ?? []) expect([...expected.keys()]).toContain(output);
    for (const output of expected.keys()) {
      const known = (type?.outputs ?? []).includes(output) || output in (type?.inputs ?? {});
      const isInput = properties(file, `${name}Args`).has(output);
      expect(known || isInput, output).toBe(true);
    }
  });

  test("these inputs replace it, and the others do not", () => {
    const names = (replaces: boolean) =>
      inputs.filter(([, spec]) => (spec.replaces ?? false) === replaces).map(([input]) => input);
    expect(names(true).sort()).toEqual(words(replacing[name]).sort());
    expect(names(false).sort()).toEqual(words(inPlace[name]).sort());
  });
});

test.each([
  ["ContainerLabel", "labels"],
  ["ContainerNetworksAdvanced", "networksAdvanced"],
  ["ContainerPort", "ports"],
  ["ContainerHost", "hosts"],
  ["ContainerVolume", "volumes"],
  ["ContainerMount", "mounts"],
  ["ContainerHealthcheck", "healthcheck"],
  ["ContainerCapabilities", "capabilities"],
  ["ContainerUlimit", "ulimits"],
  ["ContainerDevice", "devices"],
])("the properties of %s are called so", (name, input) => {
  const expected = properties("types/input", name);
  const container = docker.resources.find((one) => one.token.endsWith(":Container"));
  const implemented = container?.inputs[input]?.properties ?? [];
  expect(implemented).not.toHaveLength(0);
  for (const property of implemented) expect([...expected.keys()]).toContain(property);
  for (const [property, required] of expected) if (required) expect(implemented).toContain(property);
});

test("only a container is deleted before it is replaced", () => {
  const first = docker.resources.filter((type) => type.deleteBeforeReplace).map((type) => type.token);
  expect(first).toEqual(["docker:index/container:Container"]);
});

test("the provider's configuration is called as in the official typings", () => {
  const expected = properties("provider", "ProviderArgs");
  for (const key of Object.keys(docker.config)) expect([...expected.keys()]).toContain(key);
});

describe("a container's inputs are refused when", () => {
  const cases: [string, Values, string][] = [
    ["the restart policy is none", { restart: "sometimes" }, "restart"],
    ["a variable has no name", { envs: ["PGDATA=/x", "=s3cret-value"] }, "envs"],
    ["an argument is empty", { command: ["postgres", ""] }, "command"],
    ["memory is negative", { memory: -1 }, "memory"],
    ["a healthcheck has no test", { healthcheck: { interval: "1s" } }, "healthcheck"],
    ["a duration is not one", { healthcheck: { tests: ["CMD", "true"], interval: "soon" } }, "healthcheck"],
    ["a volume has no path", { volumes: [{ volumeName: "data" }] }, "volumes"],
    ["a mount has no such type", { mounts: [{ type: "nfs", target: "/x" }] }, "mounts"],
    ["a port is none", { ports: [{ internal: 70_000 }] }, "ports"],
    ["logs are wanted of what is not attached to", { logs: true }, "logs"],
  ];
  test.each(cases)("%s", (_, inputs, property) => {
    const problems = checkContainer({ image: "x", ...inputs });
    expect(Object.keys(problems)).toEqual([property]);
    expect(JSON.stringify(problems)).not.toContain("s3cret");
  });

  test("and not otherwise", () => {
    expect(
      checkContainer({
        image: "x",
        restart: "unless-stopped",
        envs: ["A=b=c", "EMPTY="],
        memory: 256,
        memorySwap: -1,
        healthcheck: { tests: ["CMD", "true"], interval: "1m30s", timeout: "500ms" },
        volumes: [{ volumeName: "data", containerPath: "/data" }, { fromContainer: "other" }],
        ports: [{ internal: 5432, external: 0 }],
      }),
    ).toEqual({});
  });
});

test.each([
  ["0s", 0],
  ["500ms", 5e8],
  ["1m30s", 9e10],
  ["1.5h", 5.4e12],
  ["ten", undefined],
  ["10", undefined],
])("the duration %s is %s ns", (written, expected) => expect(nanoseconds(written)).toBe(expected));
