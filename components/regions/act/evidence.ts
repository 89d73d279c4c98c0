/**
 * What a change of the active region leaves as proof: both control files at the gate, the timelines, the time of each
 * step, and what a client saw of it. For people, and for the stack's output of the same name.
 */
import { type FenceEvidence, gapOf, renderAccount } from "../../roles/act/evidence.ts";
import type { ProbeResult } from "../../roles/session.ts";
import type { ControlFacts, RegionChangeFacts } from "../facts.ts";
import { describe } from "../plan/consequences.ts";
import type { RegionStep } from "../steps.ts";
import type { UnitVerbs } from "../verbs.ts";

export interface RegionEvidence {
  readonly mode: "switchover" | "failover";
  /** Regions. */
  readonly from: string;
  readonly to: string;
  /** Who leads in the region that took over. */
  readonly leader: string;
  /** Of the stopped primary and of the standby leader, as the gate compared them; null: no gate was passed. */
  readonly control: { readonly old: ControlFacts | null; readonly new: ControlFacts | null };
  readonly timelines: { readonly old: number | null; readonly new: number };
  /** The old region's fence command, as it was run before the promotion; null: there was none. */
  readonly fence: FenceEvidence | null;
  readonly steps: readonly { readonly step: string; readonly ms: number }[];
  /** Between the last write acknowledged before and the first after, as a client of the proxies saw it. */
  readonly gapMs: number | null;
  /** A write and its reading as a client of the new region's proxy. */
  readonly verified: UnitVerbs["verify"]["result"] | null;
}

/** The step that moves the deployment from one region to another. */
export type Change = Extract<RegionStep, { kind: "promoteCluster" }>;

/** As the new region records it. */
export type Intent = Omit<RegionChangeFacts, "timeline">;

export function changeIn(steps: readonly RegionStep[]): Change | undefined {
  return steps.find((step): step is Change => step.kind === "promoteCluster");
}

export function intentOf({ mode, from, region, statementAt }: Change): Intent {
  return { mode, from, to: region, at: new Date().toISOString(), statementAt };
}

/** What the steps leave on their way. One for each run of `act`. */
export class RegionFindings {
  control: { old: ControlFacts | null; new: ControlFacts | null } = { old: null, new: null };
  /** The old region's primary, as `demoteCluster` stopped it. */
  stopped: ControlFacts | null = null;
  fence: FenceEvidence | null = null;
  /** The order to promote was given, whatever came of it. */
  promotionAsked = false;
  promotion: UnitVerbs["promoteCluster"]["result"] | undefined;
  probe: ProbeResult | undefined;
  verified: UnitVerbs["verify"]["result"] | undefined;
  readonly steps: { step: string; ms: number }[] = [];

  took(step: RegionStep, ms: number): void {
    this.steps.push({ step: describe(step), ms: Math.round(ms) });
  }

  evidence(change: Change): RegionEvidence | null {
    if (this.promotion === undefined) return null;
    const { timeline, leader } = this.promotion;
    return {
      mode: change.mode,
      from: change.from,
      to: change.region,
      leader,
      control: this.control,
      timelines: { old: this.control.old?.timeline ?? null, new: timeline },
      fence: this.fence,
      steps: this.steps,
      gapMs: gapOf(this.probe),
      verified: this.verified ?? null,
    };
  }
}

/** For people, and as one line for `RegionChange`. */
export function renderEvidence(evidence: RegionEvidence): string[] {
  const { timelines, leader } = evidence;
  return renderAccount(evidence, [
    ["leader", leader],
    ["timeline", `${timelines.old ?? "?"} → ${timelines.new}`],
  ]);
}
