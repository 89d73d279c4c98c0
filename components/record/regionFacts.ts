/** What an update leaves of regions: of each host what the plan needs, as `facts.ts` has it of a pair's nodes. Pure. */
import { generationOf } from "../regions/converge.ts";
import type { RegionsDesired } from "../regions/desired.ts";
import type { HostFacts, RegionsObserved } from "../regions/facts.ts";
import { allHosts } from "../regions/wish.ts";
import { givenUpReason, isGivenUp } from "./kind.ts";
import { type HostWish, hostWish, type RecordedUnit, recordedUnit, unitAgain } from "./regionUnit.ts";

type Up = Extract<HostFacts, { readonly reach: "up" }>;
type Stopped = Extract<HostFacts, { readonly reach: "stopped" }>;

export type RecordedHost =
  | Exclude<HostFacts, Up | Stopped>
  | (Omit<Stopped, "report"> & { readonly report: RecordedUnit | null })
  | (Omit<Up, "report"> & { readonly report: RecordedUnit });

export type RecordedHosts = Readonly<Record<string, RecordedHost>>;

export function recordedHosts(observed: RegionsObserved, desired: RegionsDesired): RecordedHosts {
  return Object.fromEntries(
    allHosts(desired).flatMap((host) => {
      const facts = observed.hosts[host.name];
      return facts === undefined ? [] : [[host.name, recordedHost(facts, hostWish(desired, host), desired)]];
    }),
  );
}

/** With the update whose generation is on all hosts that answer. */
export function recordedRegionsAt(observed: RegionsObserved, desired: RegionsDesired): string {
  return generationOf(observed, desired) ?? observed.at;
}

function recordedHost(facts: HostFacts, wish: HostWish, desired: RegionsDesired): RecordedHost {
  switch (facts.reach) {
    case "unreachable":
    case "absent":
      return facts;
    case "stopped":
      return { ...facts, report: facts.report && recordedUnit(facts.report, wish, desired) };
    case "up":
      return { ...facts, report: recordedUnit(facts.report, wish, desired) };
  }
}

export function hostsAgain(
  hosts: RecordedHosts,
  recordedWish: Pick<RegionsDesired, "regions">,
  desired: RegionsDesired,
  now: Date,
): RegionsObserved {
  const at = now.toISOString();
  const wishes = new Map(
    allHosts(recordedWish).map((host) => [host.name, hostWish(recordedWish, host)] as const),
  );
  const used = Object.values(hosts).map((host) =>
    host.reach === "up" ? host.report.change?.statementAt : null,
  );
  const facts = allHosts(desired).map(({ name, region }): [string, HostFacts] => {
    const [recorded, wish] = [hosts[name], wishes.get(name)];
    if (recorded === undefined || wish === undefined) return [name, { reach: "absent", data: "none" }];
    if (isGivenUp(region, desired.failover, used))
      return [name, { reach: "unreachable", reason: givenUpReason }];
    return [name, hostAgain(recorded, wish, at)];
  });
  return { at, until: at, hosts: Object.fromEntries(facts) };
}

/** Every host of a deployment that is not there yet. */
export function hostsEmpty(desired: RegionsDesired, now: Date): RegionsObserved {
  return hostsAgain({}, { regions: [] }, desired, now);
}

function hostAgain(host: RecordedHost, wish: HostWish, at: string): HostFacts {
  if (host.reach === "up") return { ...host, report: unitAgain(host.report, wish, at) };
  if (host.reach === "stopped") return { ...host, report: host.report && unitAgain(host.report, wish, at) };
  return host;
}
