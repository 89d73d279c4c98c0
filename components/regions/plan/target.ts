/** What is asked of a region before it becomes the active one, whatever the way there. */
import { leaderView, type Refusal, type RegionView } from "./fleet.ts";
import { hostWords } from "./units.ts";

const mebibyte = 2 ** 20;
const freeLimitBytes = 512 * mebibyte;

/** It is no standby cluster that could be promoted; the other rules have nothing to judge then. */
export function unfitTarget(target: RegionView, from: RegionView): Refusal | undefined {
  const { name, role } = target;
  const back = `Set active back to ${from.name} and run \`pulumi up\`, which makes ${name} its standby cluster; then change it.`;
  switch (role) {
    case "standby":
      if (leaderView(target)?.patroni != null) return undefined;
      return refusal(
        "E_TARGET_UNKNOWN",
        `${name} is to become active, and nobody leads its standby cluster (${condition(target)}): what it has received is not known. ${back}`,
      );
    case "unknown":
      return refusal(
        "E_TARGET_UNKNOWN",
        `${name} is to become active, and nobody can look into it (${condition(target)}). ${back}`,
      );
    case "none":
      return refusal(
        "E_STANDBY_NOT_SYNC",
        `${name} is to become active, and none of its members has a copy of the data. ${back}`,
      );
    case "primary":
      return refusal(
        "E_STANDBY_NOT_SYNC",
        `${name} is to become active, and was superseded by ${from.name}: what it wrote after that is not in the present history. ${back}`,
      );
  }
}

/** Each member in a few words, for whoever has to find out what is wrong there. */
export function condition({ members }: RegionView): string {
  return members
    .map(({ name, facts }) => {
      if (facts.reach === "unreachable") return `${name} does not answer: ${facts.reason}`;
      if (facts.reach !== "up") return `${name} is ${facts.reach}`;
      const { patroni, programs } = facts.report;
      if (patroni !== null) return `${name}: ${patroni.role}, ${patroni.state}`;
      return `${name}: Patroni is ${programs.patroni?.state ?? "not there"}`;
    })
    .join("; ");
}

export function diskSpace(region: RegionView): Refusal[] {
  const leader = leaderView(region);
  const free = leader?.report?.data?.freeBytes;
  if (leader === undefined || free === undefined || free >= freeLimitBytes) return [];
  return [
    refusal(
      "E_DISK_SPACE",
      `${leader.name} is to take writes and has ${Math.floor(free / mebibyte)} MiB free ${hostWords(leader.wish).onData}, less than ${freeLimitBytes / mebibyte} MiB: it would stop at the next load. Make room first.`,
    ),
  ];
}

/** The change is written into it, and Patroni acts by it. */
export function quorum({ name, servers, consul }: RegionView): Refusal[] {
  const up = servers.filter(({ facts }) => facts.reach === "up");
  if (consul.led && up.length * 2 > servers.length) return [];
  return [
    refusal(
      "E_CONSUL_QUORUM",
      `The Consul of ${name} has ${consul.led ? "a leader" : "no leader"}, and ${up.length} of its ${servers.length} servers answer: Patroni could not be told anything there. Bring a majority of them back first.`,
    ),
  ];
}

export function refusal(code: string, message: string): Refusal {
  return { code, message };
}
