/**
 * Configuration that somebody changed by hand on a machine. It is left alone, and does not stop what has nothing to do
 * with it; but what nobody reviewed is not brought into force on the way.
 */
import type { DesiredNode } from "../desired.ts";
import type { NodeFacts, NodeReport } from "../facts.ts";
import type { Refusal, Step } from "../steps.ts";
import { everyNode, type Fleet, type Moment } from "./fleet.ts";

/**
 * At preview the survey of the machine tells these files from those that the update is going to write. Afterwards every
 * one that is not as wished is one of them. In containers nobody is expected to write: see `staleFiles`.
 */
export function changedByHand(
  wish: DesiredNode,
  facts: NodeFacts,
  report: NodeReport | null,
  moment: Moment,
): readonly string[] {
  if (wish.reach.kind !== "machine" || report === null) return [];
  if (moment === "preview") return facts.reach === "up" ? (facts.changedByHand ?? []) : [];
  return Object.keys(wish.files).filter((name) => report.files.installed[name] !== wish.files[name]);
}

/** Steps in which a server reads its configuration files. */
const loading: ReadonlySet<Step["kind"]> = new Set(["start", "startUnit", "restart", "reload", "promote"]);

export function loadsByHand(fleet: Fleet, steps: readonly Step[]): Refusal[] {
  return everyNode(fleet).flatMap(({ name, wish, changedByHand: files }) => {
    const loads = steps.some((step) => loading.has(step.kind) && nodesIn(step).includes(name));
    if (!loads || files.length === 0) return [];
    return [
      {
        code: "E_FILES_STALE",
        message: `${name}: ${files.join(", ")} was changed by hand, and this update would bring that into force. Put it back, first or in the same update: ${putBack(wish.site)}`,
      },
    ];
  });
}

function nodesIn(step: Step): string[] {
  return step.kind === "promote" && step.rejoin !== null ? [step.node, step.rejoin] : [step.node];
}

/** Has everything on a machine written again. */
export function putBack(host: string): string {
  return `pulumi config set --path 'repair.${host}' "$(date +%FT%T)"`;
}
