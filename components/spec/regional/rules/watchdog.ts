/** A watchdog that fits the times, and none where there can be none. */
import { watchdogProblems } from "../../../patroni/watchdog.ts";
import { watchdogOf } from "../schemaWatchdog.ts";
import type { RegionalRule } from "./shared.ts";

const path = "deployment.database.watchdog";

const timing: RegionalRule = {
  code: "E_WATCHDOG_TIMING",
  needs: [path, "deployment.database.timing", "deployment.regions"],
  check: ({ database, regions }) => {
    const places = regions.flatMap(({ members }) => members.map(({ place }) => place.target));
    const problems = places.flatMap((target) =>
      watchdogProblems(database.timing.patroni, watchdogOf(database.watchdog, target)),
    );
    return [...new Set(problems)].map((message) => ({ path, message }));
  },
};

/** Of machines it is seen whether they have one, when their agents answer. */
const missing: RegionalRule = {
  code: "E_WATCHDOG_MISSING",
  needs: [path, "deployment.regions"],
  check: ({ database, regions }) => {
    if (database.watchdog?.mode !== "required") return [];
    const without = regions
      .flatMap(({ members }) => members)
      .filter(({ place }) => place.target === "containers")
      .map(({ name }) => name);
    if (without.length === 0) return [];
    const who = without.length === 1 ? "a container" : "containers";
    const message = `"required", and ${without.join(", ")} ${without.length === 1 ? "is" : "are"} ${who}, which have no watchdog: nobody there would ever lead. Write "automatic" or "off", or put these members on machines.`;
    return [{ path, message }];
  },
};

export const watchdogRules: readonly RegionalRule[] = [timing, missing];
