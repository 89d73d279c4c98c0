import type { Plan, Step } from "../../components/roles/steps.ts";

/** A plan in a few words: its steps, `|` where converge looks again, or the codes of its refusals. */
export function short({ steps, refusals, lookAgainAfter }: Plan): string {
  if (refusals.length > 0) return refusals.map(({ code }) => code).join(" ");
  const words = steps.flatMap((step, index) => [word(step), ...(index === lookAgainAfter ? ["|"] : [])]);
  return [...(lookAgainAfter === -1 ? ["|"] : []), ...words].join(" ") || "nothing";
}

function word(step: Step): string {
  switch (step.kind) {
    case "awaitStandby":
      return `await(${step.standby})`;
    case "clone":
      return `${step.discard === undefined ? "clone" : "CLONE"}(${step.node})`;
    case "slots":
      return `slots(${step.node}:${[...step.ensure.map((s) => `+${s}`), ...step.drop.map((s) => `-${s}`)].join("")})`;
    case "fence":
      return `fence(${step.node}→${step.to})`;
    case "fenceSite":
      return `fenceSite(${step.site}${step.confirmed === null ? "" : " confirmed"})`;
    case "gate":
      return `gate(${step.node}=${step.of})`;
    case "promote":
      return `promote(${[step.node, step.mode, ...(step.alone ? ["alone"] : []), ...(step.rejoin ? [`+${step.rejoin}`] : [])].join(" ")})`;
    case "rewind":
      return `rewind(${step.node}←${step.from})`;
    default:
      return `${step.kind}(${step.node})`;
  }
}
