/** What a deployment on two machines asks the engine for. Nothing is connected to. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { desiredState } from "../../components/desiredState.ts";
import { certificateEpoch, certificateFiles } from "../../components/pki/renewal.ts";
import type { SshRoute } from "../../components/roles/desired.ts";
import { parse } from "../../components/spec/parse.ts";
import { root } from "../unit/pki/authorities.ts";
import { type Recorded, record, settled } from "./recorder.ts";

const keyFile = join(mkdtempSync(join(tmpdir(), "understudy-key-")), "key");
writeFileSync(keyFile, "canary-of-an-ssh-key\n");

const route = (host: string): SshRoute => ({
  ...{ host, port: 22, user: "op", keyFile },
  hostKeys: ["ssh-rsa AAAAB3", "ssh-ed25519 AAAAC3"],
});

async function build(preview: boolean, repair: Record<string, string> = {}): Promise<readonly Recorded[]> {
  const outputs = () => ({
    certPem: root,
    privateKeyPem: "canary-of-a-key",
    certRequestPem: "REQUEST",
    result: "canary-of-a-password",
    stdout: "",
  });
  const seen = await record(outputs, preview);
  const { Deployment } = await import("../../components/deployment.ts");
  const machine = (host: string) => ({
    target: "machines",
    machine: { host, user: "op", keyFile },
  });
  const parsed = parse({
    stack: "demo",
    active: "site-a",
    deployment: {
      domain: "ha.example.test",
      database: {
        kind: "streaming",
        clientAccess: [{ databases: ["app"], roles: ["app"], network: "10.0.0.0/24" }],
      },
      sites: { "site-a": machine("10.0.0.11"), "site-b": machine("10.0.0.12") },
      names: { server: { kind: "none" } },
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { deployment } = parsed;
  const routes = { "site-a": route("10.0.0.11"), "site-b": route("10.0.0.12") };
  const epoch = certificateEpoch(deployment.certificates, new Date("2026-01-01T00:00:00Z"));
  new Deployment("demo", {
    deployment,
    desired: desiredState(deployment, certificateFiles(deployment, epoch), routes),
    certificateEpoch: epoch,
    generation: "2026-01-01T00:00:00.000Z",
    presence: {},
    silentMachines: [],
    routes,
    repair,
    caPrivateKey: undefined,
    dnsKey: undefined,
  });
  await settled();
  return [...seen];
}

const isRemote = ({ type }: Recorded) => type === "command:remote:Command";

afterAll(() => rmSync(dirname(keyFile), { recursive: true }));

describe("a deployment on two machines", () => {
  let resources: readonly Recorded[];

  beforeAll(async () => {
    resources = await build(false);
  });

  const named = (name: string) => {
    const found = resources.filter((each) => each.name === name && each.type.startsWith("command:"));
    if (found.length !== 1) throw new Error(`${found.length} resources are named ${name}`);
    return found[0]?.inputs ?? {};
  };
  const list = (all: readonly Recorded[]) => all.map(({ type, name }) => `${type} ${name}`).sort();

  test("is exactly these resources, and no Docker", () => {
    expect(list(resources)).toMatchSnapshot();
  });

  test("is the same list at preview", async () => {
    expect(list(await build(true))).toEqual(list(resources));
    resources = await build(false);
  });

  test("runs commands that are constant, hold no secret, and tell sudo not to ask", () => {
    const commands = resources.filter(isRemote).map(({ inputs }) => inputs["create"]);
    expect([...new Set(commands)].sort()).toMatchSnapshot();
    for (const { inputs } of resources.filter(isRemote)) {
      expect(inputs["environment"]).toBeUndefined();
      expect(inputs).toMatchObject({ addPreviousOutputInEnv: false, logging: "stderr" });
    }
  });

  test("keeps the key of the connection and the bundles of secrets secret, and only these", () => {
    for (const { name, inputs } of resources.filter(isRemote)) {
      expect(inputs["connection"]).toMatchObject({
        secret: { privateKey: "canary-of-an-ssh-key\n" },
      });
      expect([name, typeof inputs["stdin"]]).toEqual([name, name.endsWith("-secrets") ? "object" : "string"]);
    }
    // Everything that is readable, taken together.
    const readable = JSON.stringify(resources, (_, value) =>
      typeof value === "object" && value !== null && "secret" in value ? "[secret]" : value,
    );
    expect(readable).not.toContain("canary");
  });

  test("verifies the host by one key", () => {
    expect(named("site-b-machine")["connection"]).toMatchObject({
      secret: { host: "10.0.0.12", user: "op" },
    });
  });

  test("leaves by a command that knows the way, and by nothing that has to be made first", () => {
    const leaving = named("site-a-departure");
    expect(leaving["create"]).toBeUndefined();
    expect(leaving["delete"]).toBe("node components/hosts/machines/leave.ts");
    expect(JSON.parse(String(leaving["stdin"]))).toMatchObject({
      host: "site-a",
      wipe: false,
      route: { user: "op" },
    });
    expect(leaving["triggers"]).toEqual(["10.0.0.11"]);
  });

  test("is written again where the configuration says repair, and nowhere else", async () => {
    const stdins = (all: readonly Recorded[]) =>
      new Map(all.filter(isRemote).map(({ name, inputs }) => [name, JSON.stringify(inputs["stdin"])]));
    const before = stdins(resources);
    const after = stdins(await build(false, { "site-b": "2026-01-02" }));
    const changed = [...after].filter(([name, stdin]) => stdin !== before.get(name)).map(([name]) => name);
    expect(changed.sort()).toEqual(["site-b", "site-b-files", "site-b-machine", "site-b-secrets"]);
  });
});
