/** Somebody else's converge is at work: an update now would be refused by the lock itself. */
import { type Contribution, type Fleet, nodesOf } from "./fleet.ts";

export function locked(fleet: Fleet): Contribution {
  // At apply the lock is ours.
  if (fleet.moment === "apply") return {};
  const notices = nodesOf(fleet).flatMap(({ name, report }) =>
    report?.lock?.alive
      ? [
          {
            code: "N_LOCKED",
            message: `${name} is locked by ${report.lock.owner} since ${report.lock.since}: an update is refused until that has ended.`,
          },
        ]
      : [],
  );
  return { notices };
}
