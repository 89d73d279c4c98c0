/** Regions as sets of hosts, and what is said of regions where a pair speaks of sites. */
import type { RuleCase } from "../../ruleCase.ts";
import { database, hosts, regionA } from "../configuration.ts";

const path = "deployment.regions.region-a";
const two = hosts("region-a-1", "region-a-2");
const three = { ...two, "region-a-3": {} };
const statement = {
  from: "region-a",
  to: "region-b",
  fenceConfirmed: "powered off, ticket 7",
  at: "2026-06-01T11:55:00Z",
};
const withBoth = (fields: object, members: object) => ({
  deployment: { database: fields, regions: { "region-a": { members } } },
});

export const regionCases: readonly RuleCase[] = [
  {
    code: "E_ACTIVE_UNKNOWN",
    wrong: { active: "region-c" },
    path: "active",
    message: 'active "region-c" is not one of regions [region-a, region-b]. Did you mean "region-a"?',
    fine: { active: "region-b" },
  },
  {
    code: "E_REGIONS",
    wrong: { active: "region-a", deployment: { regions: { "region-a": undefined, "region-b": undefined } } },
    also: ["E_ACTIVE_UNKNOWN"],
    path: "deployment.regions",
    message: "no region; write at least one, which `active` names",
    fine: { deployment: { regions: { "region-b": undefined } } },
  },
  {
    code: "E_RETIRED",
    wrong: regionA({ members: three, retired: ["region-a-3", "region-a-9"] }),
    path: `${path}.retired`,
    message: `region-a-3 is to go and is declared at ${path}.members.region-a-3; take it out of one of them`,
    fine: regionA({ members: three, retired: ["region-a-4"] }),
  },
  {
    code: "E_RETIRED",
    wrong: regionA({ retired: ["Region A"] }),
    path: `${path}.retired`,
    message: '"Region A" is not a host\'s name, which is a DNS label in lower case',
    fine: regionA({ retired: ["region-a-4"] }),
  },
  {
    code: "E_CONSUL_QUORUM",
    wrong: regionA({ consulServers: hosts("c-1", "c-2", "c-3", "c-4") }),
    path: `${path}.consulServers`,
    message: "4 servers can spare 1, the same as 3; write 3 or 5",
    fine: regionA({ consulServers: hosts("c-1", "c-2", "c-3", "c-4", "c-5") }),
  },
  {
    code: "E_CONSUL_QUORUM",
    wrong: regionA({ consulServers: hosts("c-1") }),
    path: `${path}.consulServers`,
    message: "1 server can spare none; write 3 or 5",
    fine: regionA({ consulServers: hosts("c-1", "c-2", "c-3") }),
  },
  {
    code: "E_CONSUL_QUORUM",
    wrong: regionA({ consulServers: {} }),
    path: `${path}.consulServers`,
    message: "no server: without Consul nobody may lead; write 3 or 5",
    fine: {},
  },
  {
    code: "E_CONSUL_QUORUM",
    wrong: regionA({ consulServers: hosts("c-1", "c-2", "c-3", "c-4", "c-5", "c-6", "c-7") }),
    path: `${path}.consulServers`,
    message: "7 servers can spare 3, and every change waits for more; write 3 or 5",
    fine: {},
  },
  {
    code: "E_MEMBERS",
    wrong: regionA({ members: {} }),
    path: `${path}.members`,
    message: "no member; write three, or at least one",
    fine: regionA({ members: three }),
  },
  {
    code: "E_MEMBERS",
    wrong: regionA({
      members: {
        "region-a-1": { nofailover: true },
        "region-a-2": { nofailover: true },
        "region-a-3": { nofailover: true },
      },
    }),
    path: `${path}.members`,
    message: "every member has `nofailover`, and somebody must lead",
    fine: regionA({ members: { ...three, "region-a-4": { nofailover: true } } }),
  },
  {
    code: "E_PROXIES",
    wrong: regionA({ proxies: {} }),
    path: `${path}.proxies`,
    message: "no proxy, and clients connect to one; write at least one",
    fine: regionA({ proxies: hosts("region-a-proxy", "region-a-proxy-2") }),
  },
  {
    code: "E_LEADER_UNKNOWN",
    wrong: regionA({ leader: "region-b-2" }),
    path: `${path}.leader`,
    message:
      '"region-b-2" is not one of the members [region-a-1, region-a-2, region-a-3]. Did you mean "region-a-2"?',
    fine: regionA({ leader: "region-a-2" }),
  },
  {
    code: "E_LEADER_EXCLUDED",
    wrong: regionA({ leader: "region-a-4", members: { ...three, "region-a-4": { nofailover: true } } }),
    path: `${path}.leader`,
    message: '"region-a-4" has `nofailover` and never leads; take that out, or name another member',
    fine: regionA({ leader: "region-a-4", members: { ...three, "region-a-4": { nosync: true } } }),
  },
  {
    code: "E_FAILOVER_PRIORITY",
    wrong: regionA({ members: { ...three, "region-a-4": { nofailover: true, failoverPriority: 2 } } }),
    path: `${path}.members.region-a-4.failoverPriority`,
    message: "region-a-4 has `nofailover` and never takes over; take one of the two out",
    fine: regionA({ members: { ...three, "region-a-4": { failoverPriority: 2 } } }),
  },
  {
    code: "E_SYNC_COUNT",
    wrong: regionA({ members: hosts("region-a-1") }),
    path: "deployment.database.synchronous",
    message:
      '"strict" waits for a second member, and [region-a] has none without `nosync`; add a member, or write `off`',
    fine: regionA({ members: three }),
  },
  {
    // The one that may be waited for is the only one that may lead.
    code: "E_SYNC_COUNT",
    wrong: withBoth(
      { synchronous: "available" },
      {
        "region-a-1": {},
        "region-a-2": { nosync: true, nofailover: true },
        "region-a-3": { nosync: true, nofailover: true },
      },
    ),
    path: "deployment.database.synchronous",
    message:
      '"available" waits for a second member, and [region-a] has none without `nosync`; add a member, or write `off`',
    fine: withBoth({ synchronous: "available" }, { ...three, "region-a-4": { nosync: true } }),
  },
  {
    code: "W_MEMBERS",
    wrong: regionA({ members: two }),
    path: `${path}.members`,
    message:
      "2 members that may lead and be waited for: commits wait while one is away; with three they go on",
    fine: regionA({ members: three }),
  },
  {
    code: "W_MEMBERS",
    wrong: withBoth({ synchronous: "available" }, { ...two, "region-a-3": { nosync: true } }),
    path: `${path}.members`,
    message:
      "2 members that may lead and be waited for: while one is away nothing has the last commits twice; with three something has",
    fine: withBoth({ synchronous: "available" }, three),
  },
  {
    code: "W_MEMBERS",
    wrong: withBoth({ synchronous: "off" }, two),
    path: `${path}.members`,
    message: "2 members that may lead: while one is away nobody can take over; with three somebody can",
    fine: withBoth({ synchronous: "off" }, { ...two, "region-a-3": { nosync: true } }),
  },
  {
    code: "W_MEMBERS",
    wrong: withBoth({ synchronous: "off" }, hosts("region-a-1")),
    path: `${path}.members`,
    message: "1 member that may take over: when it is lost the region has nobody; three are usual",
    fine: database({ synchronous: "off" }),
  },
  {
    code: "E_FAILOVER_SITE",
    wrong: { active: "region-b", failover: { ...statement, from: "region-c" } },
    path: "failover.from",
    message: '"region-c" is not one of regions [region-a, region-b]. Did you mean "region-a"?',
    fine: { active: "region-b", failover: statement },
  },
  {
    code: "E_FENCE_UNCONFIRMED",
    wrong: { active: "region-b", failover: { ...statement, fenceConfirmed: undefined } },
    path: "failover.fenceConfirmed",
    message: 'is missing; write why "region-a" is certain not to take writes any more',
    fine: {
      active: "region-b",
      failover: { ...statement, fenceConfirmed: undefined },
      ...regionA({ fenceCommand: { command: ["poweroff", "region-a"] } }),
    },
  },
  {
    code: "E_FENCE_COMMAND",
    wrong: regionA({ fenceCommand: { command: ["poweroff now"] } }),
    path: `${path}.fenceCommand.command`,
    message: '"poweroff now" is one word to it, because there is no shell; write [poweroff, now]',
    fine: regionA({ fenceCommand: { command: ["poweroff", "now"] } }),
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: regionA({ fenceCommand: { command: ["fence", "--token", "x"] } }),
    path: `${path}.fenceCommand.command`,
    message:
      "argument 2 looks like a password or a token, and a command is shown; let the program read it from a file",
    fine: regionA({ fenceCommand: { command: ["fence", "--token-file", "x"] } }),
  },
];
