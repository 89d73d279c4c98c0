/**
 * The preview: what changes in the rendered files, the steps with their consequences, or why not. It has no secret in
 * it, because neither what is desired nor what is observed has one.
 */
import { lineDiff } from "../../roles/plan/diff.ts";
import { renderRefusals } from "../../roles/plan/render.ts";
import type { DesiredHost, RegionsDesired } from "../desired.ts";
import type { RegionsObserved } from "../facts.ts";
import type { RegionStep, RegionsPlan } from "../steps.ts";
import { consequences, describe } from "./consequences.ts";

export { renderRefusals };

export function renderPlan(plan: RegionsPlan, observed: RegionsObserved, desired: RegionsDesired): string {
  const hosts = desired.regions.flatMap(({ servers, members, proxies }) => [
    ...servers,
    ...members,
    ...proxies,
  ]);
  const sections = [
    ...hosts.map((host) => renderFiles(host, observed)),
    plan.refusals.length > 0 ? renderRefusals(plan) : renderSteps(plan, observed, desired),
    renderNotices(plan),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** What is installed now against what will be; whole new files are named, not shown. */
function renderFiles({ name, files }: DesiredHost, observed: RegionsObserved): string {
  const facts = observed.hosts[name];
  if (facts?.reach !== "up") return "";
  const installed = facts.report.files;
  return Object.keys(files)
    .sort()
    .filter((path) => installed[path] !== files[path])
    .map((path) => {
      const [from, to] = [installed[path], files[path] ?? ""];
      const byHand = facts.changedByHand?.includes(path) ? ", changed by hand; this update leaves it so" : "";
      if (from === undefined) return `${name}: ${path} is new (${to.split("\n").length - 1} lines)`;
      return [`${name}: ${path}${byHand}`, ...lineDiff(from, to).map((row) => `  ${row}`)].join("\n");
    })
    .join("\n");
}

function renderSteps(
  { steps, lookAgainAfter }: RegionsPlan,
  observed: RegionsObserved,
  desired: RegionsDesired,
): string {
  if (steps.length === 0 && lookAgainAfter === null) return `Nothing to do; ${desired.active} is active.`;
  const rows = steps.flatMap((step, index) => [
    ...(lookAgainAfter !== null && index === lookAgainAfter + 1 ? [lookAgain] : []),
    ...renderStep(step, index, observed, desired),
  ]);
  const ending = lookAgainAfter === steps.length - 1 ? [lookAgain.replace("; expected then:", "")] : [];
  return [
    `${steps.length === 1 ? "1 step" : `${steps.length} steps`}, ${desired.active} is active:`,
    ...rows,
    ...ending,
  ].join("\n");
}

const lookAgain =
  "      … then the hosts are looked at again, because that could not be seen from outside; expected then:";

function renderStep(
  step: RegionStep,
  index: number,
  observed: RegionsObserved,
  desired: RegionsDesired,
): string[] {
  const below = consequences(step, observed, desired).map((line) => `      ${line}`);
  return [`${String(index + 1).padStart(4)}  ${describe(step)}`, ...below];
}

function renderNotices({ notices }: RegionsPlan): string {
  if (notices.length === 0) return "";
  return ["To know:", ...notices.map(({ code, message }) => `  ${code}  ${message}`)].join("\n");
}
