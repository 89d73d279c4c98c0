/**
 * The way back of a change of the active region that failed before the other region took writes: the old one gets its
 * role again. Its cluster stands as a standby cluster of a region that was not promoted, or is about to; nothing but
 * the key `standby_cluster` has to go. Nothing here is done while it is not certain that nobody else was promoted.
 */
import type { HostFacts, PatroniFacts } from "../facts.ts";
import { isStandby } from "../plan/regionState.ts";
import { membersOf } from "../wish.ts";
import type { RegionContext } from "./context.ts";
import type { Change } from "./evidence.ts";
import { resume } from "./handover.ts";

/** The other region was promoted after all, or may have been: there is only the way forward. */
export class CannotGoBack extends Error {}

export async function takeBack(change: Change, context: RegionContext): Promise<"leads again" | "as before"> {
  await notPromoted(change, context);
  const seen = await look(change.from, context);
  const primary = seen.find(({ patroni }) => patroni.role === "primary" && isOwnMaster(patroni));
  if (primary) return "as before";
  const host = (seen.find(({ host, patroni }) => patroni.cluster.leader === host) ?? seen[0])?.host;
  if (host === undefined) throw new Error(`no member of ${change.from} answers`);
  // Also of a demotion that still goes on: Patroni finishes it, and promotes whoever has the lock then.
  await resume(host, change.from, context);
  return "leads again";
}

/** An order to promote that was given may still be carried out: only one that was never taken down is none. */
async function notPromoted(change: Change, context: RegionContext): Promise<void> {
  const seen = await look(change.region, context);
  const other = seen.find(({ patroni }) => patroni.config !== null);
  if (!other) {
    // Where nobody was asked to promote, one that cannot be seen has not been promoted either.
    if (!context.findings.promotionAsked) return;
    throw new CannotGoBack(`no member of ${change.region} says whether it was promoted`);
  }
  const promoted = seen.some(({ patroni }) => patroni.role === "primary");
  if (promoted || isOwnMaster(other.patroni)) throw new CannotGoBack(`${change.region} was promoted`);
}

/** What tells an active region: nothing in its configuration says that it follows another one. */
function isOwnMaster({ config }: PatroniFacts): boolean {
  return config !== null && !isStandby(config);
}

async function look(
  region: string,
  context: RegionContext,
): Promise<{ host: string; patroni: PatroniFacts }[]> {
  const looks = membersOf(context.desired, region).map(async ({ name }) => {
    const facts: HostFacts | undefined = await context.access.get(name)?.observe({ catalog: false });
    const patroni = facts?.reach === "up" ? facts.report.patroni : null;
    return patroni === null ? [] : [{ host: name, patroni }];
  });
  return (await Promise.all(looks)).flat();
}
