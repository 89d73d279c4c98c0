/** The assessment as a table for people. */
import type { Assessment, NodeRow } from "./assess.ts";
import { bytes, type Finding, type NameAnswer, type Verdict } from "./findings.ts";

/** Title, and what is in it for a row. */
export type Column<Row, All> = readonly [title: string, cell: (row: Row, all: All) => string];

const columns: readonly Column<NodeRow, Assessment>[] = [
  ["SITE", (row) => row.site],
  ["NODE", (row) => row.node],
  ["ROLE", (row, { active }) => (row.node === active ? `${row.role} *` : row.role)],
  ["TIMELINE", (row) => dash(row.timeline)],
  ["SYNC", (row) => dash(row.sync)],
  [
    "LAG",
    (row) => (row.lagBytes === null ? "-" : `${bytes(row.lagBytes)}, ${(row.lagSeconds ?? 0).toFixed(1)} s`),
  ],
  ["SLOTS", (row) => row.slots.join(", ") || "-"],
  ["WAL HELD", (row) => (row.walHeldBytes === null ? "-" : bytes(row.walHeldBytes))],
  ["CERTIFICATE UNTIL", (row) => minute(row.certificateUntil)],
];

const verdicts: Readonly<Record<Verdict, string>> = {
  fine: "Everything is as it should be.",
  wrong: "Something is wrong.",
  unknown: "Not everything could be seen.",
};

const marks: Readonly<Record<Finding["severity"], string>> = {
  wrong: "WRONG",
  unknown: "UNKNOWN",
  note: "note",
};

export function renderStatus(assessment: Assessment): string {
  return renderSections(assessment, columns, assessment.nodes, "* is to take writes");
}

/** A table with its legend, then what the names answer, what was found, and the verdict. */
export function renderSections<
  Row,
  All extends {
    readonly names: readonly NameAnswer[];
    readonly findings: readonly Finding[];
    readonly verdict: Verdict;
  },
>(assessment: All, shown: readonly Column<Row, All>[], rows: readonly Row[], legend: string): string {
  const cells = rows.map((row) => shown.map(([, cell]) => cell(row, assessment)));
  const names = assessment.names.map(
    ({ name, addresses, error }) => `${name} → ${error ?? (addresses.join(", ") || "nothing")}`,
  );
  const findings = assessment.findings.map((f) => `${marks[f.severity].padEnd(8)}${f.code}  ${f.message}`);
  const sections = [
    `${table([shown.map(([title]) => title), ...cells])}\n${legend}`,
    ...(names.length > 0 ? [names.join("\n")] : []),
    ...(findings.length > 0 ? [findings.join("\n")] : []),
    verdicts[assessment.verdict],
  ];
  return sections.join("\n\n");
}

function table([titles = [], ...rows]: readonly (readonly string[])[]): string {
  const all = [titles, ...rows];
  const widths = titles.map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function dash(value: string | number | null): string {
  return value === null || value === "" ? "-" : String(value);
}

/** Of a time in ISO 8601: up to the minute. */
export function minute(at: string | null): string {
  return at?.slice(0, 16).replace("T", " ") ?? "-";
}
