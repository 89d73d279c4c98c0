/** The assessment of regions as a table for people. */
import { bytes } from "../roles/findings.ts";
import { type Column, dash, minute, renderSections } from "../roles/renderStatus.ts";
import type { HostRow, RegionsAssessment } from "./assess.ts";

const columns: readonly Column<HostRow, RegionsAssessment>[] = [
  ["REGION", (row, { active }) => (row.region === active ? `${row.region} *` : row.region)],
  ["HOST", (row) => row.host],
  ["ROLE", (row) => row.role],
  ["STATE", (row) => row.state],
  ["TIMELINE", (row) => dash(row.timeline)],
  ["SYNC", (row) => dash(row.sync)],
  ["LAG", (row) => (row.lagBytes === null ? "-" : bytes(row.lagBytes))],
  ["CONSUL LED BY", (row) => dash(row.consul)],
  ["CERTIFICATE UNTIL", (row) => minute(row.certificateUntil)],
];

export function renderRegionsStatus(assessment: RegionsAssessment): string {
  return renderSections(assessment, columns, assessment.hosts, "* is to take writes");
}
