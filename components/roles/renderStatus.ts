/** The assessment as a table for people. */
import { type Assessment, bytes, type Finding, type NodeRow } from "./assess.ts";

type Column = readonly [title: string, cell: (row: NodeRow, assessment: Assessment) => string];

const columns: readonly Column[] = [
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
  ["CERTIFICATE UNTIL", (row) => row.certificateUntil?.slice(0, 16).replace("T", " ") ?? "-"],
];

const verdicts: Readonly<Record<Assessment["verdict"], string>> = {
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
  const rows = assessment.nodes.map((row) => columns.map(([, cell]) => cell(row, assessment)));
  const names = assessment.names.map(
    ({ name, addresses, error }) => `${name} → ${error ?? (addresses.join(", ") || "nothing")}`,
  );
  const findings = assessment.findings.map((f) => `${marks[f.severity].padEnd(8)}${f.code}  ${f.message}`);
  const sections = [
    table([columns.map(([title]) => title), ...rows]),
    "* is to take writes",
    ...(names.length > 0 ? [names.join("\n")] : []),
    ...(findings.length > 0 ? [findings.join("\n")] : []),
    verdicts[assessment.verdict],
  ];
  return sections.join("\n\n").replace("\n\n* is", "\n* is");
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function dash(value: string | number | null): string {
  return value === null || value === "" ? "-" : String(value);
}
