import { describe, expect, test } from "vitest";
import { clientsConf, pgHbaConf } from "../../../components/postgres/hba.ts";
import { pgIdentConf } from "../../../components/postgres/ident.ts";
import type { ClientAccess } from "../../../components/spec/model.ts";
import { nodeOf, pair } from "./sample.ts";

/** Those of the deployment's own client. */
const ownLines = 3;

function clientsOf(...clientAccess: ClientAccess[]): string[] {
  const deployment = pair();
  const text = clientsConf(
    { ...deployment, database: { ...deployment.database, clientAccess } },
    nodeOf(deployment),
  );
  return text
    .trimEnd()
    .split("\n")
    .slice(1 + ownLines);
}

const access: ClientAccess = {
  databases: ["app"],
  roles: ["app"],
  network: "10.0.0.0/8",
  method: "scram-sha-256",
};

describe("pg_hba.conf", () => {
  // Byte for byte and in this order: the first line that matches decides.
  test("of a node", () => {
    const deployment = pair();
    expect(pgHbaConf(deployment, nodeOf(deployment))).toBe(`# Rendered by Understudy; edits are overwritten.
# The node's agent, as the operating system's user postgres. Nobody else has a socket.
local all postgres peer
local all all reject
local replication all reject
# The other node: a certificate of the deployment's authority, from its address, for its role.
hostssl replication replicator 10.86.0.12/32 cert map=understudy
hostssl postgres rewinder 10.86.0.12/32 cert map=understudy
# Nobody else is one of the system's roles, whatever \`all\` in a client's line would say.
host all postgres,replicator,rewinder all reject
# Clients, while the node's agent lets them in.
include_if_exists /run/understudy/clients.conf
# \`all\` does not cover replication, and \`host\` covers connections with and without TLS.
host all all all reject
host replication all all reject
`);
  });

  test.each([
    ["10.0.0.7", "10.0.0.7/32"],
    ["fd00::7", "fd00::7/128"],
    ["b.example.test", "b.example.test"],
  ])("names the peer %s as %s", (address, block) => {
    const deployment = pair();
    const [a, b] = deployment.sites;
    if (!a || !b) throw new Error("two sites expected");
    const moved = { ...deployment, sites: [a, { ...b, node: { ...b.node, address } }] };
    expect(pgHbaConf(moved, a.node)).toContain(
      `hostssl replication replicator ${block} cert map=understudy\n`,
    );
  });

  test("has no weak method and lets nobody in without TLS", () => {
    const deployment = pair();
    const text = pgHbaConf(deployment, nodeOf(deployment)) + clientsConf(deployment, nodeOf(deployment));
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines.filter((line) => /\b(trust|md5|password|ident)\b/.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith("host ") && !line.endsWith(" reject"))).toEqual([]);
  });
});

describe("clients.conf", () => {
  test("default: the declared databases and login roles, from the deployment's network", () => {
    expect(clientsConf(pair(), nodeOf(pair()))).toBe(`# Rendered by Understudy; edits are overwritten.
hostssl postgres verifier 10.86.0.11/32 cert map=understudy
hostssl postgres verifier 10.86.0.12/32 cert map=understudy
host all verifier all reject
hostssl "app" "app" 10.86.0.0/16 scram-sha-256
`);
  });

  test("quotes names, so that none is taken for a keyword or a list", () => {
    expect(
      clientsOf({ ...access, databases: ["replication", 'a"b', "c,d"], roles: ["+staff", "all"] }),
    ).toEqual(['hostssl "replication","a""b","c,d" +"staff",all 10.0.0.0/8 scram-sha-256']);
  });

  test("keeps the order of the user, and IPv6 and certificates as they are", () => {
    expect(
      clientsOf({ ...access, method: "cert", network: "fd00::/8" }, { ...access, databases: ["all"] }),
    ).toEqual(['hostssl "app" "app" fd00::/8 cert', 'hostssl all "app" 10.0.0.0/8 scram-sha-256']);
  });

  test.each([["/regex"], ["a\nb"], [""], ["+"]])("refuses the name %j, which the file cannot say", (name) => {
    expect(() => clientsOf({ ...access, roles: [name] })).toThrow(/cannot name/);
  });
});

describe("pg_ident.conf", () => {
  test("maps certificates to the system's roles, as whole names", () => {
    const deployment = pair();
    expect(
      pgIdentConf(deployment, nodeOf(deployment, "site-b")),
    ).toBe(`# Rendered by Understudy; edits are overwritten.
understudy "site-a" replicator
understudy "site-a" rewinder
understudy "site-a" verifier
understudy "site-b" verifier
`);
  });
});

test("behind an engine of its own a node's own client arrives as the gateway", () => {
  const deployment = pair();
  const place = { target: "containers", dockerHost: "ssh://one", ownEngine: true } as const;
  const sites = deployment.sites.map((site) => ({ ...site, place }));
  const lines = clientsConf({ ...deployment, sites }, nodeOf(deployment)).split("\n");
  expect(lines).toContain("hostssl postgres verifier 10.86.0.1/32 cert map=understudy");
  expect(clientsConf(deployment, nodeOf(deployment))).not.toContain("10.86.0.1/32");
});
