/** The whole of a deployment, as the resources that the engine is asked for. Nothing runs. */
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { desiredState } from "../../components/desiredState.ts";
import { certificateEpoch, certificateFiles } from "../../components/pki/renewal.ts";
import { parse } from "../../components/spec/parse.ts";
import { root } from "../unit/pki/authorities.ts";

interface Seen {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

const seen: Seen[] = [];

async function build(preview: boolean): Promise<readonly Seen[]> {
  seen.length = 0;
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        seen.push({ type: args.type, name: args.name, inputs: args.inputs });
        const outputs = {
          certPem: root,
          privateKeyPem: "canary-of-a-key",
          certRequestPem: "REQUEST",
          result: "canary-of-a-password",
        };
        return { id: `${args.name}-id`, state: { ...args.inputs, ...outputs, stdout: "" } };
      },
      call: (args) => {
        throw new Error(`unexpected call of ${args.token}`);
      },
    },
    "understudy",
    "demo",
    preview,
  );
  const { Deployment } = await import("../../components/deployment.ts");
  const parsed = parse({
    stack: "demo",
    active: "site-a",
    deployment: {
      domain: "ha.example.test",
      database: { kind: "streaming", synchronous: "strict" },
      sites: { "site-a": { target: "containers" }, "site-b": { target: "containers" } },
    },
  });
  if (!parsed.ok) throw new Error("the example is refused");
  const { deployment } = parsed;
  const epoch = certificateEpoch(deployment.certificates, new Date("2026-01-01T00:00:00Z"));
  const made = new Deployment("demo", {
    deployment,
    desired: desiredState(deployment, certificateFiles(deployment, epoch), {}),
    certificateEpoch: epoch,
    generation: "2026-01-01T00:00:00.000Z",
    presence: {
      "": { reachable: true, containers: {}, networks: {}, fresh: "2026-01-01T00:00:00.000Z" },
    },
    routes: {},
    silentMachines: [],
    repair: {},
    caPrivateKey: undefined,
    dnsKey: undefined,
  });
  await new Promise((resolve) =>
    pulumi.all([made.active, made.uri ?? "", made.caCertificate]).apply(resolve),
  );
  return [...seen];
}

const list = (resources: readonly Seen[]) => resources.map(({ type, name }) => `${type} ${name}`).sort();

describe("the demo's resources", () => {
  let resources: readonly Seen[];

  beforeAll(async () => {
    resources = await build(false);
  });

  const named = (name: string): Record<string, unknown> => {
    const found = resources.filter(
      (resource) => resource.name === name && !resource.type.startsWith("understudy:"),
    );
    if (found.length !== 1) throw new Error(`${found.length} resources are named ${name}`);
    return found[0]?.inputs ?? {};
  };

  test("are exactly these", () => {
    expect(list(resources)).toMatchSnapshot();
  });

  test("have no two of the same type and name", () => {
    const names = list(resources);
    expect(new Set(names).size).toBe(names.length);
  });

  test("are the same list at preview: nothing is made in an apply", async () => {
    const atUpdate = list(resources);
    expect(list(await build(true))).toEqual(atUpdate);
  });

  test("publish on loopback only", () => {
    for (const { type, inputs } of resources) {
      if (type !== "docker:index/container:Container") continue;
      const ports = inputs["ports"] as { ip: string }[];
      expect(ports.length).toBeGreaterThan(0);
      expect(ports.every(({ ip }) => ip === "127.0.0.1")).toBe(true);
    }
  });

  test("run as nobody's root, are stopped gently, and are started by the role change alone", () => {
    for (const name of ["site-a", "site-b"]) {
      expect(named(name)).toMatchObject({
        user: "999:999",
        mustRun: false,
        stopSignal: "SIGTERM",
        destroyGraceSeconds: 60,
        securityOpts: ["no-new-privileges"],
      });
    }
  });

  test("carry secrets as secrets: what goes to the nodes' secret files, and the name server's key", () => {
    for (const name of ["site-a-secrets", "site-b-secrets", "demo-dns-secrets"]) {
      expect(pulumi.runtime.isRpcSecret(named(name)["stdin"]), name).toBe(true);
    }
  });

  test("show configuration in the clear, so that its diff can be read", () => {
    for (const name of ["site-a-files", "demo-roles"]) {
      const stdin = named(name)["stdin"];
      expect(typeof stdin, name).toBe("string");
      expect(stdin, name).not.toMatch(/canary/);
    }
  });
});
