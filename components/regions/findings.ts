/** What is wrong with one host of a region, and with a region as a whole. Pure. */
import { bytes, type Finding, finding, ofCertificate, when } from "../roles/findings.ts";
import { bytesBetween, furthest } from "../roles/plan/lsn.ts";
import type { DesiredHost, DesiredRegion, RegionsDesired } from "./desired.ts";
import type { HostFacts, PatroniFacts, RegionsObserved, UnitReport } from "./facts.ts";
import { isStandby } from "./plan/regionState.ts";
import { ofPooler } from "./poolerFindings.ts";
import { membersOf } from "./wish.ts";

/** The hosts of a region, with what was found of each. */
export type Found = readonly (readonly [DesiredHost, HostFacts])[];

const freeLimitBytes = 512 * 2 ** 20;

export function ofHost(host: string, facts: HostFacts, at: string): Finding[] {
  switch (facts.reach) {
    case "unreachable":
      return [finding("unknown", "W_HOST", `${host} does not answer: ${facts.reason}`)];
    case "absent":
      return [finding("wrong", "W_HOST", `${host} is not there`)];
    case "stopped":
      return [finding("wrong", "W_HOST", `${host} does not run: ${facts.reason}`)];
    case "up":
      return [
        ...ofPrograms(host, facts.report),
        ...ofPooler(host, facts.report),
        ...ofReport(host, facts.report, at),
      ];
  }
}

const programCodes: Readonly<Record<string, string>> = { superseded: "W_SUPERSEDED", held: "W_HELD" };

function ofPrograms(host: string, { programs }: UnitReport): Finding[] {
  return Object.entries(programs).flatMap(([name, { state, reason, restarts }]) => {
    if (state === "running") return [];
    const why = reason === null ? "" : `: ${reason}`;
    const often = restarts === 0 ? "" : `, it ended ${restarts} times`;
    return [
      finding("wrong", programCodes[state] ?? "W_PROGRAM", `${host}: ${name} is ${state}${why}${often}`),
    ];
  });
}

function ofReport(host: string, report: UnitReport, at: string): Finding[] {
  const { programs, certificate, consul, patroni, data } = report;
  const runs = (name: "consul" | "patroni") => programs[name]?.state === "running";
  return [
    ...(certificate === undefined ? [] : ofCertificate(host, certificate, at)),
    ...when(runs("consul") && consul === null, "W_CONSUL", `${host}: its Consul does not answer`),
    ...when(
      consul !== null && consul.leader === null,
      "W_CONSUL",
      `${host}: its Consul servers have no leader`,
    ),
    ...when(
      consul?.tokenValid === false,
      "W_CONSUL_TOKEN",
      `${host}: the servers do not know its token, so nothing that needs Consul works here`,
    ),
    ...when(runs("patroni") && patroni === null, "W_PATRONI", `${host}: its Patroni does not answer`),
    ...when(
      data !== null && data.freeBytes < freeLimitBytes,
      "W_DISK_SPACE",
      `${host}: ${bytes(data?.freeBytes ?? 0)} are free where its data is`,
    ),
    ...(patroni?.pendingRestart.length
      ? [
          finding(
            "note",
            "N_RESTART_PENDING",
            `${host}: ${patroni.pendingRestart.join(", ")} waits for a restart`,
          ),
        ]
      : []),
  ];
}

export function ofRegion(
  region: DesiredRegion,
  found: Found,
  desired: RegionsDesired,
  observed: RegionsObserved,
): Finding[] {
  const reports = found.flatMap(([, facts]) => (facts.reach === "up" ? [facts.report] : []));
  return [...ofConsul(region, reports), ...ofPatroni(region, reports, desired, observed)];
}

function ofConsul({ name }: DesiredRegion, reports: readonly UnitReport[]): Finding[] {
  const consuls = reports.flatMap(({ consul }) => (consul === null ? [] : [consul]));
  const failed = new Set(
    consuls.flatMap(({ members }) =>
      members.filter(({ status }) => status === "failed").map(({ node }) => node),
    ),
  );
  return [
    ...when(
      consuls.some(({ healthy }) => healthy === false),
      "W_CONSUL_HEALTH",
      `${name}: Consul's autopilot does not call all servers healthy`,
    ),
    ...when(
      failed.size > 0,
      "W_CONSUL_MEMBER",
      `${name}: Consul does not reach ${[...failed].sort().join(", ")}`,
    ),
  ];
}

function ofPatroni(
  region: DesiredRegion,
  reports: readonly UnitReport[],
  desired: RegionsDesired,
  observed: RegionsObserved,
): Finding[] {
  const seen = reports.flatMap((report) =>
    report.patroni === null ? [] : [{ name: report.name, patroni: report.patroni }],
  );
  if (seen.length === 0) return [];
  const leading = seen.find(({ patroni }) => leads(patroni));
  if (!leading) return [finding("wrong", "W_LEADER", `${region.name}: nobody leads`)];
  const { patroni } = leading;
  const isActive = region.name === desired.active;
  return [
    ...(isActive ? ofActive(region, patroni, desired) : ofStandby(region, leading, desired, observed)),
    ...when(
      seen.some((each) => each.patroni.paused),
      "W_PAUSED",
      `${region.name}: Patroni is paused, so nobody takes over when the leader fails`,
    ),
    ...patroni.cluster.members.flatMap(({ name, lagBytes }) =>
      when(
        (lagBytes ?? 0) > desired.policy.lagLimitBytes,
        "W_LAG",
        `${name} is ${bytes(lagBytes ?? 0)} behind ${leading.name}`,
      ),
    ),
  ];
}

function leads({ role }: PatroniFacts): boolean {
  return role === "primary" || role === "standby_leader";
}

function ofActive(
  { name, members }: DesiredRegion,
  patroni: PatroniFacts,
  desired: RegionsDesired,
): Finding[] {
  const waits = desired.policy.synchronous !== "off" && members.length > 1;
  const inSync = patroni.cluster.members.some(({ syncStandby }) => syncStandby);
  return [
    ...when(
      patroni.config !== null && isStandby(patroni.config),
      "W_STANDBY_CLUSTER",
      `${name} is to be active, and its configuration in Consul makes it a standby cluster`,
    ),
    ...when(
      waits && patroni.role === "primary" && !inSync,
      "W_SYNC",
      `${name}: no member is a synchronous standby, so a failover now could lose commits, or commits wait`,
    ),
  ];
}

function ofStandby(
  { name }: DesiredRegion,
  leading: { readonly name: string; readonly patroni: PatroniFacts },
  desired: RegionsDesired,
  observed: RegionsObserved,
): Finding[] {
  const { patroni } = leading;
  const missing = patroni.config !== null && !isStandby(patroni.config);
  const written = furthest(
    membersOf(desired, desired.active).map((member) => {
      const facts = observed.hosts[member.name];
      return facts?.reach === "up" ? facts.report.patroni?.lsn.written : null;
    }),
  );
  const has = patroni.lsn.replayed ?? patroni.lsn.received;
  const behind = written === null || has === null ? 0 : bytesBetween(has, written);
  return [
    ...when(
      missing,
      "W_STANDBY_CLUSTER_MISSING",
      `${name} is to follow ${desired.active}, and its configuration in Consul has no standby_cluster: it takes writes of its own, or is about to`,
    ),
    ...when(
      !missing && patroni.source?.streaming === false,
      "W_REGION_STREAM",
      `${leading.name}, which leads ${name}, does not stream from ${patroni.source?.host ?? "anybody"}`,
    ),
    ...when(
      behind > desired.policy.lagLimitBytes,
      "W_LAG",
      `${name} is ${bytes(behind)} behind ${desired.active}`,
    ),
  ];
}
