/**
 * The preview: what changes in the rendered configuration, the steps with their consequences, or why not. It has
 * no secret in it, because neither what is desired nor what is observed has one.
 */
import type { Desired } from "../desired.ts";
import type { Observed } from "../facts.ts";
import type { Plan, Step } from "../steps.ts";
import { consequences, describe } from "./consequences.ts";
import { lineDiff } from "./diff.ts";

export function renderPlan(plan: Plan, observed: Observed, desired: Desired): string {
  const sections = [
    ...desired.nodes.map(({ name }) => renderConfiguration(name, observed, desired)),
    plan.refusals.length > 0 ? renderRefusals(plan) : renderSteps(plan, observed, desired),
    renderNotices(plan),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** What is installed now against what will be; whole new files are named, not shown. */
function renderConfiguration(name: string, observed: Observed, desired: Desired): string {
  const facts = observed.nodes[name];
  const wish = desired.nodes.find((node) => node.name === name)?.files ?? {};
  if (facts?.reach !== "up") return "";
  const { installed } = facts.report.files;
  return Object.keys(wish)
    .sort()
    .filter((file) => installed[file] !== wish[file])
    .map((file) => {
      const [from, to] = [installed[file], wish[file] ?? ""];
      const byHand = facts.changedByHand?.includes(file) ? ", changed by hand; this update leaves it so" : "";
      if (from === undefined && byHand !== "") return `${name}: ${file} is gone; this update leaves it so`;
      if (from === undefined) return `${name}: ${file} is new (${to.split("\n").length - 1} lines)`;
      return [`${name}: ${file}${byHand}`, ...lineDiff(from, to).map((row) => `  ${row}`)].join("\n");
    })
    .join("\n");
}

export function renderRefusals({ refusals }: Pick<Plan, "refusals">): string {
  const lines = refusals.map(({ code, message }) => `  ${code}  ${message}`);
  return ["Refused; nothing is changed.", ...lines].join("\n");
}

function renderSteps({ steps, lookAgainAfter }: Plan, observed: Observed, desired: Desired): string {
  if (steps.length === 0 && lookAgainAfter === null) return `Nothing to do; ${desired.active} leads.`;
  const rows = steps.flatMap((step, index) => [
    ...(lookAgainAfter !== null && index === lookAgainAfter + 1 ? [lookAgain] : []),
    ...renderStep(step, index, observed, desired),
  ]);
  const ending = lookAgainAfter === steps.length - 1 ? [lookAgain.replace("; expected then:", "")] : [];
  return [
    `${steps.length === 1 ? "1 step" : `${steps.length} steps`}, ${desired.active} leads:`,
    ...rows,
    ...ending,
  ].join("\n");
}

const lookAgain =
  "      … then the nodes are looked at again, because that could not be seen from outside; expected then:";

function renderStep(step: Step, index: number, observed: Observed, desired: Desired): string[] {
  const below = consequences(step, observed, desired).map((line) => `      ${line}`);
  return [`${String(index + 1).padStart(4)}  ${describe(step)}`, ...below];
}

function renderNotices({ notices }: Plan): string {
  if (notices.length === 0) return "";
  return ["To know:", ...notices.map(({ code, message }) => `  ${code}  ${message}`)].join("\n");
}
