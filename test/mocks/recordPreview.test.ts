/** Machines at a preview that reached nobody, on a machine without their keys: everything shows but the way to them. */
import type * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { desiredState } from "../../components/desiredState.ts";
import type { SshRoute } from "../../components/roles/desired.ts";
import { parse } from "../../components/spec/parse.ts";
import { root } from "../unit/pki/authorities.ts";
import { type Recorded, record, settled } from "./recorder.ts";

const host = (address: string) => ({ target: "machines", machine: { host: address, user: "op" } });

/** As a runner finds it: neither the host's key nor the file with its own. */
const unknown = (address: string): SshRoute => ({
  ...{ host: address, port: 22, user: "op", hostKeys: [] },
  keyFile: "/nonexistent/key",
});

async function build(
  unseen: boolean,
  wayTo: (address: string) => SshRoute,
): Promise<{ resources: readonly Recorded[]; ignored: ReadonlyMap<string, readonly string[]> }> {
  const outputs = () => ({
    ...{ certPem: root, privateKeyPem: "key", certRequestPem: "REQUEST", result: "password", stdout: "" },
  });
  const seen = await record(outputs, true);
  const { Deployment } = await import("../../components/deployment.ts");
  const parsed = parse({
    stack: "demo",
    active: "site-a",
    deployment: {
      domain: "ha.example.test",
      database: { kind: "streaming" },
      sites: { "site-a": host("10.0.0.11"), "site-b": host("10.0.0.12") },
      names: { server: { kind: "none" } },
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { deployment } = parsed;
  const ignored = new Map<string, readonly string[]>();
  const note: pulumi.ResourceTransformation = ({ type, name, opts }) => {
    if (type === "command:remote:Command") ignored.set(name, opts.ignoreChanges ?? []);
    return undefined;
  };
  new Deployment(
    "demo",
    {
      deployment,
      desired: desiredState(
        deployment,
        {},
        {
          "site-a": wayTo("10.0.0.11"),
          "site-b": wayTo("10.0.0.12"),
        },
      ),
      ...{ certificateEpoch: 0, generation: "g", presence: {}, silentMachines: [], repair: {}, unseen },
      routes: { "site-a": wayTo("10.0.0.11"), "site-b": wayTo("10.0.0.12") },
      ...{ caPrivateKey: undefined, dnsKey: undefined },
    },
    { transformations: [note] },
  );
  await settled();
  return { resources: [...seen], ignored };
}

const known = (address: string): SshRoute => ({
  ...{ host: address, port: 22, user: "op", hostKeys: ["ssh-ed25519 AAAAC3"] },
});

test("asks for the same resources with the same content, and leaves only the connections as they were", async () => {
  const there = await build(false, known);
  const elsewhere = await build(true, unknown);
  const content = ({ resources }: typeof there) =>
    resources
      .filter(({ type }) => type === "command:remote:Command")
      .map(({ name, inputs: { create, stdin } }) => ({ name, create, stdin }))
      .sort((a, b) => a.name.localeCompare(b.name));
  expect(content(elsewhere)).toEqual(content(there));
  expect(content(there).length).toBeGreaterThan(7);
  expect([...new Set([...elsewhere.ignored.values()].flat())]).toEqual(["connection"]);
  expect([...elsewhere.ignored.values()].every((each) => each.length === 1)).toBe(true);
  expect([...there.ignored.values()].flat()).toEqual([]);
});
