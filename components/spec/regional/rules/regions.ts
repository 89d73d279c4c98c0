/** Regions as sets of hosts: enough of each role, in a place that exists, and somebody who may lead. */
import type { Member, Region } from "../../regionalModel.ts";
import { list } from "../../rules/rule.ts";
import { didYouMean } from "../../suggest.ts";
import { type RegionalRule, regionPath } from "./shared.ts";

const enough: RegionalRule = {
  code: "E_REGIONS",
  needs: ["deployment.regions"],
  check: ({ regions }) =>
    regions.length > 0
      ? []
      : [{ path: "deployment.regions", message: "no region; write at least one, which `active` names" }],
};

const consulQuorum: RegionalRule = {
  code: "E_CONSUL_QUORUM",
  needs: ["deployment.regions.*.consulServers"],
  check: ({ regions }) =>
    regions.flatMap(({ name, servers: { length } }) => {
      if (length === 3 || length === 5) return [];
      const path = `${regionPath(name)}.consulServers`;
      return [{ path, message: `${quorumFault(length)}; write 3 or 5` }];
    }),
};

function quorumFault(servers: number): string {
  if (servers === 0) return "no server: without Consul nobody may lead";
  const tolerated = Math.ceil(servers / 2) - 1;
  if (tolerated === 0) return `${counted(servers, "server")} can spare none`;
  const same = `${servers} servers can spare ${tolerated}`;
  return servers % 2 === 0
    ? `${same}, the same as ${servers - 1}`
    : `${same}, and every change waits for more`;
}

const members: RegionalRule = {
  code: "E_MEMBERS",
  needs: ["deployment.regions.*.members", "deployment.regions.*.members.*.nofailover"],
  check: ({ regions }) =>
    regions.flatMap((region) => {
      const path = `${regionPath(region.name)}.members`;
      if (region.members.length === 0) return [{ path, message: "no member; write three, or at least one" }];
      if (mayLead(region).length > 0) return [];
      return [{ path, message: "every member has `nofailover`, and somebody must lead" }];
    }),
};

const proxies: RegionalRule = {
  code: "E_PROXIES",
  needs: ["deployment.regions.*.proxies"],
  check: ({ regions }) =>
    regions
      .filter((region) => region.proxies.length === 0)
      .map(({ name }) => ({
        path: `${regionPath(name)}.proxies`,
        message: "no proxy, and clients connect to one; write at least one",
      })),
};

const leaderUnknown: RegionalRule = {
  code: "E_LEADER_UNKNOWN",
  needs: ["deployment.regions.*.members"],
  check: ({ regions }) =>
    regions.flatMap(({ name, leader, members: all }) => {
      const names = all.map((one) => one.name);
      if (leader === undefined || names.includes(leader)) return [];
      const message = `"${leader}" is not one of the members ${list(names)}.${didYouMean(leader, names)}`;
      return [{ path: `${regionPath(name)}.leader`, message }];
    }),
};

const leaderExcluded: RegionalRule = {
  code: "E_LEADER_EXCLUDED",
  needs: ["deployment.regions.*.members", "deployment.regions.*.members.*.nofailover"],
  check: ({ regions }) =>
    regions.flatMap(({ name, leader, members: all }) => {
      if (!all.find((one) => one.name === leader)?.tags.nofailover) return [];
      const message = `"${leader}" has \`nofailover\` and never leads; take that out, or name another member`;
      return [{ path: `${regionPath(name)}.leader`, message }];
    }),
};

const priority: RegionalRule = {
  code: "E_FAILOVER_PRIORITY",
  needs: ["deployment.regions.*.members.*.nofailover"],
  check: ({ regions }) =>
    regions.flatMap(({ name: region, members: all }) =>
      all
        .filter(({ tags }) => tags.nofailover && tags.failoverPriority !== undefined)
        .map(({ name }) => ({
          path: `${regionPath(region)}.members.${name}.failoverPriority`,
          message: `${name} has \`nofailover\` and never takes over; take one of the two out`,
        })),
    ),
};

const mayLead = ({ members: all }: Region) => all.filter(({ tags }) => !tags.nofailover);
const mayBeWaitedFor = ({ members: all }: Region) => all.filter(({ tags }) => !tags.nosync);

/** Whoever leads cannot wait for itself. */
function canWait(region: Region): boolean {
  return mayLead(region).some((leader: Member) => mayBeWaitedFor(region).some((other) => other !== leader));
}

const synchronousNeeds = [
  "deployment.database.synchronous",
  "deployment.regions.*.members",
  "deployment.regions.*.members.*.nosync",
  "deployment.regions.*.members.*.nofailover",
];

const synchronousCount: RegionalRule = {
  code: "E_SYNC_COUNT",
  needs: synchronousNeeds,
  check({ regions, database: { synchronous } }) {
    const without = regions.filter((region) => region.members.length > 0 && mayLead(region).length > 0);
    const names = without.filter((region) => !canWait(region)).map(({ name }) => name);
    if (synchronous === "off" || names.length === 0) return [];
    const message = `"${synchronous}" waits for a second member, and ${list(names)} has none without \`nosync\`; add a member, or write \`off\``;
    return [{ path: "deployment.database.synchronous", message }];
  },
};

const fewMembers: RegionalRule = {
  code: "W_MEMBERS",
  needs: synchronousNeeds,
  check: ({ regions, database: { synchronous } }) =>
    regions.flatMap((region) => {
      const counting =
        synchronous === "off"
          ? mayLead(region).length
          : region.members.filter(({ tags }) => !(tags.nosync || tags.nofailover)).length;
      if (counting >= 3 || mayLead(region).length === 0) return [];
      if (synchronous !== "off" && !canWait(region)) return [];
      const path = `${regionPath(region.name)}.members`;
      return [{ path, message: `${counted(counting, "member")}${fewerThanThree(counting, synchronous)}` }];
    }),
};

function fewerThanThree(counting: number, synchronous: "strict" | "available" | "off"): string {
  if (synchronous === "strict")
    return " that may lead and be waited for: commits wait while one is away; with three they go on";
  if (counting < 2) return " that may take over: when it is lost the region has nobody; three are usual";
  return synchronous === "available"
    ? " that may lead and be waited for: while one is away nothing has the last commits twice; with three something has"
    : " that may lead: while one is away nobody can take over; with three somebody can";
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export const regionRules: readonly RegionalRule[] = [
  enough,
  consulQuorum,
  members,
  proxies,
  leaderUnknown,
  leaderExcluded,
  priority,
  synchronousCount,
  fewMembers,
];
