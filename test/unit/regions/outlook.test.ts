/** What the survey of machines adds to what is found of regions. */
import { describe, expect, test } from "vitest";
import { asideOf } from "../../../components/hosts/machines/survey/aside.ts";
import type { Surveys } from "../../../components/hosts/machines/survey/survey.ts";
import { machineWishes } from "../../../components/outlook.ts";
import { foreseeRegions } from "../../../components/regions/converge.ts";
import { certificateNotes } from "../../../components/regions/render/certificates.ts";
import { allHosts } from "../../../components/regions/wish.ts";
import { regionsDesired } from "../../../components/regionsDesired.ts";
import { withSurveysOfRegions } from "../../../components/regionsOutlook.ts";
import type { SshRoute } from "../../../components/roles/desired.ts";
import { accepted } from "../spec/regional/configuration.ts";
import { onMachines } from "../spec/regional/onMachines.ts";
import { observe } from "./plan/observed.ts";
import { wish } from "./plan/sample.ts";
import { World } from "./plan/world.ts";

const nothing = { notices: [], left: {} };
const away: Surveys = {
  "a-2": {
    reach: "unreachable",
    code: "E_SSH_AUTH",
    reason: "root@192.0.2.12: no key of ours is known there.",
  },
};

describe("a machine that does not answer", () => {
  const world = World.healthy(wish());
  world.host("a-2").unit = "unreachable";
  const seen = withSurveysOfRegions(observe(world), away, nothing);

  test("is refused by the plan, with the reason that SSH has", () => {
    expect(foreseeRegions(seen, wish()).refusals).toEqual([
      {
        code: "E_NODE_UNREACHABLE",
        message:
          "a-2 does not answer: E_SSH_AUTH, root@192.0.2.12: no key of ours is known there. Bring it or the way to it back, then run again.",
      },
    ]);
  });

  test("is the plan's to refuse and not the survey's: a failover away from its region is not held up", () => {
    const [first] = machinesWished();
    if (first === undefined) throw new Error("there are wishes");
    const aside = asideOf([{ ...first, host: "a-2" }], away, nothing, { nodes: seen.hosts });
    expect(aside.refusals).toEqual([]);
  });
});

test("files that somebody changed are told to the plan, of hosts that answer", () => {
  const left = { "a-1": ["patroni/patroni.yml"] };
  const { hosts } = withSurveysOfRegions(observe(World.healthy(wish())), {}, { notices: [], left });
  expect(hosts["a-1"]).toMatchObject({ reach: "up", changedByHand: ["patroni/patroni.yml"] });
  expect(hosts["a-2"]).not.toHaveProperty("changedByHand");
});

describe("the wish of regions on machines", () => {
  test("has the way to each machine, and the unit and account of what runs there", () => {
    const host = (name: string) => allHosts(desiredOnMachines()).find((one) => one.name === name)?.reach;
    expect(host("region-a-1")).toEqual({
      kind: "machine",
      ssh: route("192.0.2.11"),
      unit: "understudy-patroni.service",
      account: "postgres",
    });
    expect(host("region-b-consul-2")).toMatchObject({
      unit: "understudy-consul.service",
      account: "consul",
      ssh: { host: "203.0.113.32" },
    });
    expect(host("region-a-proxy")).toMatchObject({ unit: "understudy-haproxy.service", account: "haproxy" });
  });

  test("holds each machine against what it is to be", () => {
    expect(machinesWished().map(({ host }) => host)).toEqual(Object.keys(routes()));
  });
});

function route(host: string): SshRoute {
  return { host, port: 22, user: "root", keyFile: "/keys/k", hostKeys: ["ssh-ed25519 AAAAC3"] };
}

function routes(): Record<string, SshRoute> {
  const { regions } = accepted(onMachines());
  const hosts = regions.flatMap(({ servers, members, proxies }) => [...servers, ...members, ...proxies]);
  return Object.fromEntries(hosts.map(({ name, address }) => [name, route(address)]));
}

function desiredOnMachines() {
  const deployment = accepted(onMachines());
  return regionsDesired(deployment, certificateNotes(deployment, 0), routes());
}

function machinesWished() {
  return machineWishes(accepted(onMachines()), allHosts(desiredOnMachines()), routes());
}
