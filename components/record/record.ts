/** The output `facts`: what an update leaves for a preview that cannot reach the sites. It holds no secret. */
import { type Marks, marksAfter } from "../hosts/containers/engines.ts";
import type { Presence } from "../hosts/containers/presence.ts";
import type { SurveyWish } from "../hosts/machines/survey/wish.ts";
import type { Desired } from "../roles/desired.ts";
import type { Observed } from "../roles/facts.ts";
import type { Deployment } from "../spec/model.ts";
import { type RecordedNodes, recordedAt, recordedNodes } from "./facts.ts";

export interface DeploymentRecord {
  /** Raised when an older reader would misunderstand it. */
  readonly format: typeof FORMAT;
  /** When the last update that changed something left things so; the later ones found them so. */
  readonly at: string;
  readonly nodes: RecordedNodes;
  /** By the Docker engine's key. */
  readonly marks: Readonly<Record<string, Marks>>;
}

const FORMAT = 1;

/** What it is read with: the output `wish` of the same update. */
export interface RecordedWish extends Desired {
  readonly machines?: readonly SurveyWish[];
}

export interface Recorded {
  readonly record: DeploymentRecord;
  readonly wish: RecordedWish;
}

export function recordOf(
  deployment: Deployment,
  desired: Desired,
  observed: Observed,
  presence: Readonly<Record<string, Presence>>,
): DeploymentRecord {
  return {
    format: FORMAT,
    at: recordedAt(observed, desired),
    nodes: recordedNodes(observed, desired),
    marks: marksAfter(deployment, presence),
  };
}

/** The same facts are the same text, in whatever order they came. */
export function textOf(record: DeploymentRecord): string {
  return JSON.stringify(record, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** Outputs of the stack, as JSON. */
export interface RecordOutputs {
  readonly facts?: unknown;
  readonly wish?: unknown;
}

/** `never`: no update has come to its end. `unreadable`: one has, and left nothing that this version can read. */
export function readRecord({ facts, wish }: RecordOutputs): Recorded | "never" | "unreadable" {
  if (typeof wish !== "string") return "never";
  if (typeof facts !== "string") return "unreadable";
  try {
    const record = JSON.parse(facts) as DeploymentRecord;
    return record.format === FORMAT ? { record, wish: JSON.parse(wish) as RecordedWish } : "unreadable";
  } catch {
    return "unreadable";
  }
}
