/**
 * What a role change leaves as proof: both control files at the gate, the timelines, the time of each step, and what
 * a client saw of it. It is for people, and for the stack's output of the same name.
 */
import type { ControlFacts, Lsn } from "../facts.ts";
import { describe } from "../plan/consequences.ts";
import type { ProbeResult, Verbs } from "../session.ts";
import type { Step } from "../steps.ts";

export interface Evidence {
  readonly mode: "switchover" | "failover";
  readonly from: string;
  readonly to: string;
  /** The stopped primary's control file and the standby's, as the gate compared them; null: no gate was passed. */
  readonly control: { readonly old: ControlFacts | null; readonly new: ControlFacts | null };
  readonly timelines: { readonly old: number | null; readonly new: number };
  readonly switchLsn: Lsn;
  /** The old site's fence command, as it was run before the promotion; null: there was none. */
  readonly fence: FenceEvidence | null;
  readonly steps: readonly { readonly step: string; readonly ms: number }[];
  /** Between the last write acknowledged before and the first after, as a client saw it; null: nobody measured. */
  readonly gapMs: number | null;
  /** A write and its reading as a client of the new primary; null: not asked for. */
  readonly verified: Verbs["verify"]["result"] | null;
}

export interface FenceEvidence {
  readonly site: string;
  readonly command: readonly string[];
  readonly at: string;
  readonly ms: number;
  /** null: a signal ended it, or it did not begin. */
  readonly exitCode: number | null;
  /** It ended with 0, in time. */
  readonly proven: boolean;
  /** The statement's own word. Where nothing was proven, the promotion rests on it. */
  readonly confirmed: string | null;
}

export type Change = Extract<Step, { kind: "promote" }>;

/** As the new primary records it. */
export type Intent = Verbs["promote"]["args"]["change"];

export function intentOf({ mode, from, node, statementAt }: Change): Intent {
  return { mode, from, to: node, at: new Date().toISOString(), statementAt };
}

/** What the steps leave on their way. One for each run of `act`. */
export class Findings {
  control: { old: ControlFacts | null; new: ControlFacts | null } = { old: null, new: null };
  /** The old primary's control file as its stop left it; the fence is written then. */
  stopped: ControlFacts | null = null;
  fence: FenceEvidence | null = null;
  promotion: Verbs["promote"]["result"] | undefined;
  probe: ProbeResult | undefined;
  verified: Verbs["verify"]["result"] | undefined;
  readonly steps: { step: string; ms: number }[] = [];

  took(step: Step, ms: number): void {
    this.steps.push({ step: describe(step), ms: Math.round(ms) });
  }

  evidence(change: Change): Evidence | null {
    if (this.promotion === undefined) return null;
    const { timeline, switchLsn } = this.promotion;
    return {
      mode: change.mode,
      from: change.from,
      to: change.node,
      control: this.control,
      timelines: { old: this.control.old?.timeline ?? null, new: timeline },
      switchLsn,
      fence: this.fence,
      steps: this.steps,
      gapMs: gapOf(this.probe),
      verified: this.verified ?? null,
    };
  }
}

/** The longest pause is the write gap only where it lies between the two primaries. */
export function gapOf(probe: ProbeResult | undefined): number | null {
  const spans = probe?.before && probe.after && probe.before.timeline < probe.after.timeline;
  return probe && spans ? probe.gapMs : null;
}

/** For people, and as one line for `RoleChange`. */
export function renderEvidence(evidence: Evidence): string[] {
  const { timelines } = evidence;
  const timeline = `${timelines.old ?? "?"} → ${timelines.new}, forked at ${evidence.switchLsn}`;
  return renderAccount(evidence, [["timeline", timeline]]);
}

/** What every change leaves to be told, between two nodes or two regions. `first`: what only this kind has. */
export function renderAccount(
  evidence: Omit<Evidence, "switchLsn">,
  first: readonly (readonly [string, string])[],
): string[] {
  const { control, verified } = evidence;
  const rows: (readonly [string, string])[] = [
    ...first,
    ...(control.old && control.new
      ? ([
          [`${evidence.from} stopped`, position(control.old)],
          [`${evidence.to} took over`, position(control.new)],
        ] as const)
      : []),
    ...(evidence.fence ? [["fenced", fenced(evidence.fence)] as const] : []),
    [
      "write gap",
      evidence.gapMs === null ? "not measured" : `${Math.round(evidence.gapMs)} ms, as a client saw it`,
    ],
    ...(verified
      ? [
          [
            "verified",
            `a write and its reading through ${verified.server}, timeline ${verified.timeline}, ${Math.round(verified.ms)} ms`,
          ] as const,
        ]
      : []),
    ...evidence.steps.map(({ step, ms }) => [`${ms} ms`, step] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${evidence.mode === "switchover" ? "Switchover" : "Failover"} from ${evidence.from} to ${evidence.to}:`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    `evidence: ${JSON.stringify(evidence)}`,
  ];
}

function fenced({ site, at, ms, exitCode, proven, confirmed }: FenceEvidence): string {
  const end = exitCode === null ? "no exit code" : `exit code ${exitCode}`;
  const ran = `the command of ${site} at ${at}, ${end}, ${ms} ms`;
  return proven ? ran : `NOT by ${ran}; by the statement: ${confirmed ?? ""}`;
}

function position({ systemIdentifier, timeline, redoLsn }: ControlFacts): string {
  return `system ${systemIdentifier}, timeline ${timeline}, REDO ${redoLsn}`;
}
