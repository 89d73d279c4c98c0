/** The table of measurements in the README: one line per thing measured and target. Pure. */
import type { Target } from "../support/nodeHandle.ts";
import { summarize } from "./statistics.ts";

export interface Row {
  /** Together with `target` what a row is found again by, so nothing in it may differ from run to run. */
  readonly what: string;
  readonly target: Target;
  /** Circumstances, as they were measured. */
  readonly under?: string;
  readonly values: readonly number[];
  /** Default: seconds. */
  readonly unit?: "s" | "logins";
  readonly wanted: string;
}

const columns = ["what", "on", "under", "median", "min", "p95", "max", "rounds", "wanted"];
const [begin, end] = ["<!-- bench:begin -->", "<!-- bench:end -->"];

export function table(rows: readonly Row[]): string {
  return [...heading(), ...rows.map(line)].join("\n");
}

/** Rows that were measured again are replaced where they are, new ones come last, all others stay. */
export function insertRows(readme: string, rows: readonly Row[]): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no ${begin} followed by ${end}`);
  const old = readme
    .slice(from + begin.length, to)
    .split("\n")
    .filter((each) => each !== "");
  const [title, underline] = heading();
  if (old[0] !== title) throw new Error(`the table's columns are not "${title}" but "${old[0]}"`);
  const lines = new Map(old.slice(2).map((each) => [keyOf(each), each]));
  for (const row of rows) lines.set(keyOf(line(row)), line(row));
  const body = [title, underline, ...lines.values()].join("\n");
  return `${readme.slice(0, from + begin.length)}\n${body}\n${readme.slice(to)}`;
}

function heading(): [string, string] {
  return [cells(columns), `|${columns.map(() => "---").join("|")}|`];
}

function line({ what, target, under = "", values, unit = "s", wanted }: Row): string {
  const { median, min, p95, max, rounds } = summarize(values);
  const figures = [median, min, p95, max].map((value) =>
    unit === "s" ? `${value.toFixed(2)} s` : String(Math.round(value * 10) / 10),
  );
  return cells([what, target, under, ...figures, String(rounds), wanted]);
}

function cells(texts: readonly string[]): string {
  return `| ${texts.join(" | ")} |`;
}

function keyOf(text: string): string {
  return text.split(" | ", 2).join(" | ");
}
