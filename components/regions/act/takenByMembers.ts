/**
 * Waits until every member knows that it has to be restarted for a change of Patroni's configuration. Each finds out with
 * its next turn, and a look in between would take the leader for the only one that waits, and begin with it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isRestartSetting } from "../plan/restartSettings.ts";
import { regionOfHost } from "../wish.ts";
import { open, type RegionContext, type StepOf } from "./context.ts";

/** Two turns of Patroni and something for a slow host; one that had the value already never says that it waits. */
const turns = 2;
const slackMs = 5_000;
const pauseMs = 200;

export async function takenByMembers(
  { host, patch }: StepOf<"patchConfig">,
  context: RegionContext,
): Promise<void> {
  const changed = Object.keys(parametersOf(patch)).filter(isRestartSetting);
  if (changed.length === 0) return;
  const region = regionOfHost(context.desired, host);
  const loopWaitSeconds = Number(region.dynamic.loop_wait ?? 10);
  const until = performance.now() + turns * loopWaitSeconds * 1000 + slackMs;
  await Promise.all(region.members.map(({ name }) => knows(name, changed, until, context)));
}

/** One that cannot be asked is seen, as it is, by the next look. */
async function knows(
  member: string,
  changed: readonly string[],
  until: number,
  context: RegionContext,
): Promise<void> {
  try {
    const session = await open(member, context);
    while (performance.now() < until) {
      const { patroni } = await session.call("observe", {});
      if (changed.every((name) => patroni?.pendingRestart.includes(name))) return;
      await sleep(pauseMs);
    }
  } catch (error) {
    context.progress(`${member} was not seen to take the change: ${(error as Error).message}`);
  }
}

function parametersOf(patch: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const postgresql = (patch.postgresql ?? {}) as { readonly parameters?: Record<string, unknown> };
  return postgresql.parameters ?? {};
}
