/**
 * A preview that reached nobody, as in a CI runner outside the sites' network: planned from what the last update left,
 * and said so. Only ever for a preview; an update observes, and refuses where it cannot. Pure.
 */
import { presenceBy } from "../hosts/containers/engines.ts";
import type { Presence } from "../hosts/containers/presence.ts";
import { machinesOf } from "../hosts/machines/routes.ts";
import type { SshRoute } from "../roles/desired.ts";
import type { AnyDeployment } from "../spec/regionalModel.ts";
import { nobodyReached } from "./heading.ts";
import type { Outlooking, RecordKind } from "./kind.ts";
import { type Recorded, type RecordOutputs, readRecord } from "./record.ts";
import { routesAgain } from "./routes.ts";

/** Everything that the program makes resources from and that depends on a look at the sites. */
export interface Sight<Wish, Look extends Outlooking> {
  readonly outlook: Look;
  readonly presence: Readonly<Record<string, Presence>>;
  readonly routes: Readonly<Record<string, SshRoute>>;
  readonly desired: Wish;
  /** Nobody was reached, and everything above is from the record. */
  readonly fromRecord: boolean;
}

export interface RecordPreviewArgs<Wish, Facts, Look extends Outlooking> {
  readonly kind: RecordKind<Wish, Facts, Look>;
  readonly deployment: AnyDeployment;
  /** What was looked for in vain. */
  readonly found: Sight<Wish, Look>;
  readonly desiredWith: (routes: Readonly<Record<string, SshRoute>>) => Wish;
  readonly outputs: RecordOutputs;
  readonly now: Date;
}

/** No node or host, no machine and no engine. A single answer is worth more than any record. */
export function isNobodyReached<Wish, Facts, Look extends Outlooking>(
  { places }: RecordKind<Wish, Facts, Look>,
  { outlook, presence, routes }: Omit<Sight<Wish, Look>, "desired" | "fromRecord">,
): boolean {
  return (
    Object.values(places(outlook.observed)).every(({ reach }) => reach === "unreachable") &&
    Object.values(presence).every(({ reachable }) => !reachable) &&
    Object.keys(routes).every((host) => outlook.silentMachines.includes(host))
  );
}

export function previewFromRecord<Wish, Facts, Look extends Outlooking>(
  args: RecordPreviewArgs<Wish, Facts, Look>,
): Sight<Wish, Look> {
  const recorded = readRecord(args.kind, args.outputs);
  if (recorded === "unreadable") return unplanned(args);
  return recorded === "never" ? asIfEmpty(args) : asRecorded(args, recorded);
}

function asRecorded<Wish, Facts, Look extends Outlooking>(
  args: RecordPreviewArgs<Wish, Facts, Look>,
  { record, facts, wish }: Recorded<Wish, Facts>,
): Sight<Wish, Look> {
  const { kind, deployment, found, desiredWith, now } = args;
  const targets = Object.entries(machinesOf(deployment)).map(([host, { ssh }]) => [host, ssh] as const);
  const routes = routesAgain(Object.fromEntries(targets), found.routes, wish);
  const desired = desiredWith(routes);
  const observed = kind.seenAgain(facts, wish, desired, now);
  const source = `from the facts that the last update left at ${record.at} (${age(record.at, now)})`;
  return {
    outlook: outlookOf(args, kind.foresee(observed, desired), source, kind.unknown),
    presence: presenceBy(deployment, record.marks, now),
    ...{ routes, desired, fromRecord: true },
  };
}

function asIfEmpty<Wish, Facts, Look extends Outlooking>(
  args: RecordPreviewArgs<Wish, Facts, Look>,
): Sight<Wish, Look> {
  const { kind, deployment, found, now } = args;
  const { routes, desired } = found;
  const source = "as for a deployment of which nothing is there yet, because no update has left facts";
  return {
    outlook: outlookOf(args, kind.foresee(kind.seenEmpty(desired, now), desired), source),
    presence: presenceBy(deployment, {}, now),
    ...{ routes, desired, fromRecord: true },
  };
}

function unplanned<Wish, Facts, Look extends Outlooking>({
  kind,
  found,
}: RecordPreviewArgs<Wish, Facts, Look>): Sight<Wish, Look> {
  const how = "not planned: the last update left no facts that this version could plan from";
  const text = [nobodyReached(kind.places(found.outlook.observed), how), found.outlook.text];
  return { ...found, outlook: { ...found.outlook, text: text.join("\n\n") } };
}

function outlookOf<Wish, Facts, Look extends Outlooking>(
  { kind, found }: RecordPreviewArgs<Wish, Facts, Look>,
  foreseen: Omit<Look, "silentMachines">,
  source: string,
  unknown?: string,
): Look {
  const heading = nobodyReached(kind.places(found.outlook.observed), `planned ${source}`, unknown);
  const { text, refusals }: Omit<Outlooking, "silentMachines"> = foreseen;
  return {
    ...found.outlook,
    ...foreseen,
    text: `${heading}\n\n${text}`,
    // Who did not answer the last update may answer the next.
    refusals: refusals.filter(({ code }) => code !== "E_NODE_UNREACHABLE"),
    silentMachines: [],
  };
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
