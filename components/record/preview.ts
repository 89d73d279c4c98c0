/**
 * A preview that reached nobody, as in a CI runner outside the sites' network: planned from what the last update left,
 * and said so. Only ever for a preview; an update observes, and refuses where it cannot. Pure.
 */
import { presenceBy } from "../hosts/containers/engines.ts";
import type { Presence } from "../hosts/containers/presence.ts";
import { machinesOf } from "../hosts/machines/routes.ts";
import type { Outlook } from "../outlook.ts";
import { foresee } from "../roles/converge.ts";
import type { Desired, SshRoute } from "../roles/desired.ts";
import type { Deployment } from "../spec/model.ts";
import { seenAgain, seenEmpty } from "./facts.ts";
import { type Recorded, type RecordOutputs, readRecord } from "./record.ts";
import { routesAgain } from "./routes.ts";

/** Everything that the program makes resources from and that depends on a look at the sites. */
export interface Sight {
  readonly outlook: Outlook;
  readonly presence: Readonly<Record<string, Presence>>;
  readonly routes: Readonly<Record<string, SshRoute>>;
  readonly desired: Desired;
  /** Nobody was reached, and everything above is from the record. */
  readonly fromRecord: boolean;
}

export interface RecordPreviewArgs {
  readonly deployment: Deployment;
  /** What was looked for in vain. */
  readonly found: Sight;
  readonly desiredWith: (routes: Readonly<Record<string, SshRoute>>) => Desired;
  readonly outputs: RecordOutputs;
  readonly now: Date;
}

/** No node, no machine and no engine. A single answer is worth more than any record. */
export function isNobodyReached({
  outlook,
  presence,
  routes,
}: Omit<Sight, "desired" | "fromRecord">): boolean {
  return (
    Object.values(outlook.observed.nodes).every(({ reach }) => reach === "unreachable") &&
    Object.values(presence).every(({ reachable }) => !reachable) &&
    Object.keys(routes).every((host) => outlook.silentMachines.includes(host))
  );
}

export function previewFromRecord(args: RecordPreviewArgs): Sight {
  const recorded = readRecord(args.outputs);
  if (recorded === "unreadable") return unplanned(args.found);
  return recorded === "never" ? asIfEmpty(args) : asRecorded(args, recorded);
}

function asRecorded(args: RecordPreviewArgs, { record, wish }: Recorded): Sight {
  const { deployment, found, desiredWith, now } = args;
  const targets = Object.entries(machinesOf(deployment)).map(([host, { ssh }]) => [host, ssh] as const);
  const routes = routesAgain(Object.fromEntries(targets), found.routes, wish);
  const desired = desiredWith(routes);
  const observed = seenAgain(record.nodes, wish, desired, now);
  const source = `from the facts that the last update left at ${record.at} (${age(record.at, now)})`;
  return {
    outlook: outlookOf(found, foresee(observed, desired), source),
    presence: presenceBy(deployment, record.marks, now),
    ...{ routes, desired, fromRecord: true },
  };
}

function asIfEmpty({ deployment, found, now }: RecordPreviewArgs): Sight {
  const { routes, desired } = found;
  const source = "as for a deployment of which nothing is there yet, because no update has left facts";
  return {
    outlook: outlookOf(found, foresee(seenEmpty(desired, now), desired), source),
    presence: presenceBy(deployment, {}, now),
    ...{ routes, desired, fromRecord: true },
  };
}

function unplanned(found: Sight): Sight {
  const text = [
    heading(found, "not planned: the last update left no facts that this version could plan from"),
    found.outlook.text,
  ];
  return { ...found, outlook: { ...found.outlook, text: text.join("\n\n") } };
}

function outlookOf(found: Sight, foreseen: Omit<Outlook, "silentMachines">, source: string): Outlook {
  return {
    ...foreseen,
    text: `${heading(found, `planned ${source}`)}\n\n${foreseen.text}`,
    // Who did not answer the last update may answer the next.
    refusals: foreseen.refusals.filter(({ code }) => code !== "E_NODE_UNREACHABLE"),
    silentMachines: [],
  };
}

function heading({ outlook }: Sight, how: string): string {
  const reasons = Object.entries(outlook.observed.nodes).map(
    ([name, facts]) => `  ${name}: ${"reason" in facts ? withoutName(name, facts.reason) : facts.reach}`,
  );
  return [
    `NOBODY WAS REACHED from this machine. This preview is ${how}.`,
    "How things are now was not seen; `pulumi up` looks, plans anew, and refuses where it reaches nobody.",
    ...reasons,
  ].join("\n");
}

/** What comes from a conversation begins with it. */
function withoutName(name: string, reason: string): string {
  return reason.startsWith(`${name}: `) ? reason.slice(name.length + 2) : reason;
}

/** For a person, who wants to know whether it is old. */
export function age(at: string, now: Date): string {
  const minutes = Math.floor((now.getTime() - Date.parse(at)) / 60_000);
  const [count, unit] =
    minutes < 120
      ? [minutes, "minute"]
      : minutes < 48 * 60
        ? [Math.floor(minutes / 60), "hour"]
        : [Math.floor(minutes / (24 * 60)), "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}
