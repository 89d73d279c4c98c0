/** What is meant by what was written about places: machines, engines, the name server, and who are clients by default. */
import { describe, expect, test } from "vitest";
import type { Deployment } from "../../../components/spec/model.ts";
import { type Given, parseWith } from "./configuration.ts";
import { keys, onMachines, siteA } from "./onMachines.ts";

function deploymentOf(given: Given): Deployment {
  const parsed = parseWith(given);
  return parsed.ok ? parsed.deployment : expect.unreachable(JSON.stringify(parsed.problems));
}

const siteOf = (given: Given) => deploymentOf(given).sites[0];

test("a machine takes defaults for all but its host", () => {
  expect(siteOf(onMachines())).toEqual({
    name: "site-a",
    place: {
      target: "machines",
      machine: {
        ssh: {
          host: "192.0.2.11",
          port: 22,
          user: "root",
          keyFile: undefined,
          hostKey: undefined,
          knownHostsFile: "~/.ssh/known_hosts",
          jump: undefined,
        },
        packageMirror: undefined,
        firewall: true,
        onDestroy: "keep",
        adopt: undefined,
      },
    },
    fenceCommand: undefined,
    node: {
      name: "site-a",
      site: "site-a",
      address: "192.0.2.11",
      port: 5432,
      client: { host: "192.0.2.11", port: 5432 },
      publishedPort: undefined,
      slot: "site_a",
      memoryMiB: 512,
      image: undefined,
      settings: {},
    },
  });
});

test("a host has one spelling, and its key no comment", () => {
  const machine = { host: "DB-1.Example.test.", hostKey: ` ${keys.ed25519}  root@db-1 ` };
  expect(siteOf(siteA({ address: "::ffff:192.0.2.11", machine }))).toMatchObject({
    place: { machine: { ssh: { host: "db-1.example.test", hostKey: keys.ed25519 } } },
    node: { address: "192.0.2.11" },
  });
});

test("a node on an engine of its own is reached at its host's address, by nodes and by clients", () => {
  const site = { dockerHost: "ssh://root@192.0.2.11", address: "192.0.2.11" };
  const on = (more: object) => siteOf({ deployment: { sites: { "site-a": { ...site, ...more } } } });
  const place = { target: "containers", dockerHost: "ssh://root@192.0.2.11", ownEngine: true };
  expect(on({})).toMatchObject({
    place,
    node: {
      address: "192.0.2.11",
      port: 5432,
      publishedPort: 5432,
      client: { host: "192.0.2.11", port: 5432 },
    },
  });
  expect(on({ publishedPort: 15_432 })).toMatchObject({
    node: { port: 15_432, publishedPort: 15_432, client: { host: "192.0.2.11", port: 15_432 } },
  });
});

test("sites without an engine of their own share the one of the target", () => {
  const given = { deployment: { containers: { dockerHost: "ssh://root@192.0.2.9" } } };
  expect(siteOf(given)?.place).toEqual({
    target: "containers",
    dockerHost: "ssh://root@192.0.2.9",
    ownEngine: false,
  });
});

describe("who serves names", () => {
  const server = (given: Given) => deploymentOf(given).names.server;

  test("a container of ours, or nobody where every site is on machines", () => {
    expect(server({})).toEqual({ kind: "container", address: "10.86.0.2", publishedPort: 15_353 });
    expect(server(onMachines())).toEqual({ kind: "none" });
    const mixed = { sites: { "site-b": { target: "containers", machine: undefined } } };
    expect(server(onMachines(mixed)).kind).toBe("container");
  });

  test("a machine of its own, or a site's", () => {
    const machine = { host: "192.0.2.53", user: "admin" };
    expect(server(onMachines({ names: { server: { kind: "machine", machine } } }))).toMatchObject({
      kind: "machine",
      address: "192.0.2.53",
      machine: { ssh: { host: "192.0.2.53", user: "admin" }, firewall: true },
    });
  });

  test("a server of the user's", () => {
    const written = { kind: "external", host: "NS.example.test", keyName: "pair" };
    expect(server(onMachines({ names: { server: written } }, { dnsKeyGiven: true }))).toEqual({
      kind: "external",
      host: "ns.example.test",
      port: 53,
      keyName: "pair",
    });
  });
});

describe("clients by default", () => {
  const networks = (given: Given) =>
    deploymentOf(given).database.clientAccess.map(({ network, databases, roles }) => [
      network,
      databases,
      roles,
    ]);
  const nobodySaid = { database: { clientAccess: undefined } };
  const app = [["app"], ["app"]];

  test("on machines: the nodes alone", () => {
    expect(networks(onMachines(nobodySaid))).toEqual([
      ["192.0.2.11/32", ...app],
      ["192.0.2.12/32", ...app],
    ]);
  });

  test("with a site in containers: their network too", () => {
    const mixed = { ...nobodySaid, sites: { "site-b": { target: "containers", machine: undefined } } };
    expect(networks(onMachines(mixed))).toEqual([
      ["10.86.0.0/16", ...app],
      ["192.0.2.11/32", ...app],
    ]);
  });

  test("what the user wrote is what holds", () => {
    expect(networks(onMachines())).toEqual([["198.51.100.0/24", ...app]]);
  });
});
