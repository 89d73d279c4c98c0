/** The output `facts`: what an update leaves for a preview that cannot reach the sites. It holds no secret. */
import { type Marks, marksAfter } from "../hosts/containers/engines.ts";
import type { Presence } from "../hosts/containers/presence.ts";
import type { SurveyWish } from "../hosts/machines/survey/wish.ts";
import type { AnyDeployment } from "../spec/regionalModel.ts";
import type { Outlooking, RecordKind } from "./kind.ts";

/** Beside these, the facts in the field of its kind. */
export interface DeploymentRecord {
  /** Raised when an older reader would misunderstand it. */
  readonly format: typeof FORMAT;
  /** When the last update that changed something left things so; the later ones found them so. */
  readonly at: string;
  /** By the Docker engine's key. */
  readonly marks: Readonly<Record<string, Marks>>;
}

const FORMAT = 1;

/** What it is read with: the output `wish` of the same update. */
export type RecordedWish<Wish = object> = Wish & { readonly machines?: readonly SurveyWish[] };

export interface Recorded<Wish, Facts> {
  readonly record: DeploymentRecord;
  readonly facts: Facts;
  readonly wish: RecordedWish<Wish>;
}

export interface RecordArgs<Wish, Look extends Outlooking> {
  readonly deployment: AnyDeployment;
  readonly desired: Wish;
  readonly observed: Look["observed"];
  readonly presence: Readonly<Record<string, Presence>>;
}

export function recordOf<Wish, Facts, Look extends Outlooking>(
  kind: RecordKind<Wish, Facts, Look>,
  { deployment, desired, observed, presence }: RecordArgs<Wish, Look>,
): DeploymentRecord {
  return {
    format: FORMAT,
    at: kind.recordedAt(observed, desired),
    marks: marksAfter(deployment, presence),
    [kind.field]: kind.recorded(observed, desired),
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

/**
 * `never`: no update has come to its end. `unreadable`: one has, and left nothing that this version can read, or the
 * record of another kind of deployment.
 */
export function readRecord<Wish, Facts, Look extends Outlooking>(
  { field }: RecordKind<Wish, Facts, Look>,
  { facts, wish }: RecordOutputs,
): Recorded<Wish, Facts> | "never" | "unreadable" {
  if (typeof wish !== "string") return "never";
  if (typeof facts !== "string") return "unreadable";
  try {
    const record = JSON.parse(facts) as DeploymentRecord & Partial<Record<typeof field, Facts>>;
    const { format, [field]: found } = record;
    if (format !== FORMAT || found === undefined) return "unreadable";
    return { record, facts: found, wish: JSON.parse(wish) as RecordedWish<Wish> };
  } catch {
    return "unreadable";
  }
}
