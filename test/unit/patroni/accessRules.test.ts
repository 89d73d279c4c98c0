import { expect, test } from "vitest";
import { hbaLines, identLines } from "../../../components/patroni/accessRules.ts";
import { patroniInput } from "./sample.ts";

const { access } = patroniInput;

test("system roles come by certificate from the other nodes; clients after them; everybody else is refused", () => {
  expect(hbaLines(access)).toEqual([
    "local all postgres peer",
    "local replication replicator peer map=understudy-local",
    "local all all reject",
    "local replication all reject",
    "hostssl replication replicator 10.88.0.12/32 cert map=understudy",
    "hostssl postgres rewinder 10.88.0.12/32 cert map=understudy",
    "hostssl replication replicator 10.88.0.13/32 cert map=understudy",
    "hostssl postgres rewinder 10.88.0.13/32 cert map=understudy",
    "host all postgres,replicator,rewinder all reject",
    "hostssl all all 10.88.0.0/16 scram-sha-256",
    "host all all all reject",
    "host replication all all reject",
  ]);
});

test("a certificate named postgres is nobody's way in", () => {
  expect(identLines(access)).toEqual([
    "understudy-local postgres replicator",
    'understudy "node-2" replicator',
    'understudy "node-2" rewinder',
    'understudy "node-3" replicator',
    'understudy "node-3" rewinder',
  ]);
});
