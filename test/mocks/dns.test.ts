import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { NameServer } from "../../components/dns/nameServer.ts";
import { DnsRecord, FloatingRecord } from "../../components/dns/record.ts";
import type { FilesArgs, Host, UnitArgs } from "../../components/hosts/host.ts";
import type { Deployment } from "../../components/spec/model.ts";
import { nodeOf, pair } from "../unit/postgres/sample.ts";
import { isSecret, type Recorded, record, resolved, settled } from "./recorder.ts";

const canary = "c2VjcmV0LWNhbmFyeQ==";

class Marker extends pulumi.CustomResource {
  constructor(kind: string, name: string, inputs: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
    super(`test:index:${kind}`, name, inputs, opts);
  }
}

/** A host that makes a resource of what it is asked for. */
const host: Host = {
  name: "dns",
  site: "dns",
  address: "10.86.0.2",
  files: (name: string, args: FilesArgs, opts) => new Marker("Files", name, { ...args }, opts),
  unit: (name: string, args: UnitArgs, opts) => new Marker("Unit", name, { ...args }, opts),
  leaveData: () => undefined,
};

async function make(
  deployment: Deployment,
  preview = false,
): Promise<{ seen: Recorded[]; floating: FloatingRecord; site: DnsRecord }> {
  const seen = await record((type, name) => {
    if (type.includes("RandomPassword")) return { result: canary };
    return type === "command:local:Command" ? { stdout: `answer of ${name}` } : {};
  }, preview);
  const { endpoint: server, unit } = new NameServer("t-dns", {
    deployment,
    place: { kind: "container", address: "10.86.0.2", publishedPort: 15_353 },
    host,
  });
  const opts = { dependsOn: [unit] };
  const site = new DnsRecord(
    "t-site-a",
    { server, name: "site-a.ha.example.test", value: "10.86.0.11" },
    opts,
  );
  const floating = new FloatingRecord(
    "t-floating",
    {
      server,
      names: deployment.names,
      site: deployment.active,
      address: nodeOf(deployment, deployment.active).address,
    },
    opts,
  );
  await settled();
  return { seen, floating, site };
}

const inputsOf = (seen: Recorded[], name: string) =>
  seen.find((resource) => resource.name === name)?.inputs ?? {};

function requestOf(seen: Recorded[], name: string): unknown {
  const stdin = inputsOf(seen, name).stdin as { secret: string };
  return JSON.parse(stdin.secret);
}

describe("the name server and its records", () => {
  test("are these resources and no others, at preview as at update", async () => {
    const expected = [
      "command:local:Command t-dns-self-update",
      "command:local:Command t-floating-update",
      "command:local:Command t-site-a-update",
      "random:index/randomPassword:RandomPassword t-dns-key",
      "test:index:Files t-dns-files",
      "test:index:Files t-dns-secrets",
      "test:index:Unit dns",
      "understudy:dns:DnsRecord t-dns-self",
      "understudy:dns:DnsRecord t-site-a",
      "understudy:dns:FloatingRecord t-floating",
      "understudy:dns:NameServer t-dns",
    ];
    const names = (seen: Recorded[]) => seen.map(({ type, name }) => `${type} ${name}`).sort();
    expect(names((await make(pair())).seen)).toEqual(expected);
    expect(names((await make(pair(), true)).seen)).toEqual(expected);
  });

  test("the key is a secret wherever it is, and nowhere else", async () => {
    const { seen } = await make(pair());
    const plain = JSON.stringify(seen, (_, value) => (value?.secret === undefined ? value : "secret"));
    expect(plain).not.toContain(canary);
    expect(JSON.stringify(inputsOf(seen, "t-dns-secrets"))).toContain(canary);
    expect(inputsOf(seen, "t-dns-secrets")).toMatchObject({
      secret: true,
      directory: "secrets",
      owner: "bind",
    });
  });

  test("a record runs the script with everything on its standard input", async () => {
    const { seen } = await make(pair());
    const { stdin, ...rest } = inputsOf(seen, "t-floating-update");
    expect(rest).toEqual({
      create: "node scripts/dnsRecord.ts ensure",
      delete: "node scripts/dnsRecord.ts delete",
      triggers: ["ha.example.test", "db.ha.example.test", "A"],
      logging: "stderr",
      addPreviousOutputInEnv: false,
    });
    expect(Object.keys(stdin as object)).toEqual(["secret"]);
    expect(requestOf(seen, "t-floating-update")).toEqual({
      host: "127.0.0.1",
      port: 15_353,
      zone: "ha.example.test",
      keyName: "understudy.ha.example.test",
      keySecret: canary,
      incarnation: "dns-id",
      name: "db.ha.example.test",
      type: "A",
      ttl: 5,
      value: "10.86.0.11",
    });
  });

  test("the floating name follows the active site; a site's name does not", async () => {
    const { seen, floating } = await make(pair({ active: "site-b" }));
    expect(requestOf(seen, "t-floating-update")).toMatchObject({ value: "10.86.0.12" });
    expect(requestOf(seen, "t-site-a-update")).toMatchObject({ value: "10.86.0.11", ttl: 60 });
    expect(await resolved(floating.site)).toBe("site-b");
  });

  test("what comes out is no secret, though the key went in", async () => {
    const { floating, site } = await make(pair());
    expect(await resolved(site.answer)).toBe("answer of t-site-a-update");
    expect(await Promise.all([floating.site, site.answer].map((output) => isSecret(output)))).toEqual([
      false,
      false,
    ]);
  });

  test("the unit publishes one port for both protocols", async () => {
    const { seen } = await make(pair());
    expect(inputsOf(seen, "dns")).toMatchObject({
      program: "dns",
      user: "bind",
      command: ["sh", "/etc/understudy-dns/start.sh"],
      publish: [
        { port: 5353, publishedPort: 15_353, protocol: "tcp" },
        { port: 5353, publishedPort: 15_353, protocol: "udp" },
      ],
      stateful: false,
    });
  });
});
