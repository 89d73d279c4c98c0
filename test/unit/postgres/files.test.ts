import { expect, test } from "vitest";
import { nodeFiles } from "../../../components/postgres/files.ts";
import { nodeJson } from "../../../components/postgres/nodeJson.ts";
import { nodeOf, pair } from "./sample.ts";

test("the files of a node are those that it reports, but for the certificate's", () => {
  const deployment = pair();
  expect(Object.keys(nodeFiles(deployment, nodeOf(deployment))).sort()).toEqual([
    "clients.conf",
    "node.json",
    "pg_hba.conf",
    "pg_ident.conf",
    "postgresql.conf",
  ]);
});

// Byte for byte: it is what the node's agent reads, and a changed byte is a change of the deployment.
test("node.json", () => {
  const deployment = pair({
    database: { synchronous: "available", degradeAfterSeconds: 45, standbyReads: false },
  });
  expect(nodeJson(deployment, nodeOf(deployment, "site-b"))).toBe(`{
  "deployment": "demo",
  "node": "site-b",
  "majorVersion": 17,
  "binDirectory": "/usr/lib/postgresql/17/bin",
  "dataDirectory": "/var/lib/understudy/pgdata",
  "port": 5432,
  "synchronous": "available",
  "degradeAfterSeconds": 45,
  "standbyReads": false,
  "peers": [
    {
      "name": "site-a",
      "address": "10.86.0.11",
      "port": 5432,
      "slot": "site_a"
    }
  ],
  "slot": "site_b",
  "replicationRole": "replicator",
  "rewindRole": "rewinder",
  "verifierRole": "verifier"
}
`);
});

test("rendering twice gives the same bytes, and the active site is in none of them", () => {
  const before = pair({ active: "site-a" });
  const after = pair({ active: "site-b" });
  expect(nodeFiles(after, nodeOf(after))).toEqual(nodeFiles(before, nodeOf(before)));
});
