/** Stopped units are started, and so are programs that gave up. What Patroni may do is decided by `returning.ts`. */
import { wordsOf } from "../../roles/words.ts";
import type { DesiredHost } from "../desired.ts";
import type { RegionStep } from "../steps.ts";
import {
  type Concern,
  type Contribution,
  type Fleet,
  type HostView,
  hostsOf,
  programOf,
  type RegionView,
} from "./fleet.ts";
import { successionOf } from "./succession.ts";

export function hostWords({ name, reach }: DesiredHost) {
  return wordsOf({ name, site: name, reach });
}

/** Regions that are worked with. One that is about to be given up is not: what is down there stays down. */
export function workable(fleet: Fleet): readonly RegionView[] {
  const succession = successionOf(fleet);
  if (succession.kind !== "failover") return fleet.regions;
  return fleet.regions.filter(({ name }) => name !== succession.from.name);
}

export const units: Concern = (fleet) => {
  const stopped = workable(fleet).flatMap((region) => hostsOf(region).filter(isStopped));
  if (stopped.length === 0) return {};
  return {
    steps: stopped.map(({ name, wish }) => ({ kind: "startUnit", host: name, log: hostWords(wish).log })),
    lookAgain: true,
  };
};

function isStopped({ facts }: HostView): boolean {
  return facts.reach === "stopped";
}

/** Consul, HAProxy and PgBouncer run whatever role a host has. */
export const programs: Concern = (fleet): Contribution => {
  const steps = workable(fleet).flatMap((region) =>
    hostsOf(region).flatMap((host) =>
      (["consul", "haproxy", "pgbouncer"] as const).flatMap((program): RegionStep[] => {
        const state = programOf(host, program)?.state;
        if (state !== "held" && state !== "superseded" && state !== "stopped") return [];
        return [{ kind: "startProgram", host: host.name, program }];
      }),
    ),
  );
  return { steps, lookAgain: steps.length > 0 };
};

/** Somebody else's converge is at work: an update now would be refused by the lock itself. */
export const locked: Concern = (fleet) => {
  // At apply the lock is ours.
  if (fleet.moment === "apply") return {};
  const notices = fleet.regions.flatMap((region) =>
    hostsOf(region).flatMap(({ name, report }) =>
      report?.lock?.alive
        ? [
            {
              code: "N_LOCKED",
              message: `${name} is locked by ${report.lock.owner} since ${report.lock.since}: an update is refused until that has ended.`,
            },
          ]
        : [],
    ),
  );
  return { notices: notices.slice(0, 1) };
};
