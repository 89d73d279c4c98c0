/** What a look at a deployment finds wrong, unseen or worth knowing, and the verdict over all of it. Pure. */

/** What the deployment's name server says of the floating name. */
export interface NameAnswer {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Why nothing was answered. */
  readonly error: string | null;
}

export type Severity = "wrong" | "unknown" | "note";

export interface Finding {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
}

export type Verdict = "fine" | "wrong" | "unknown";

export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some((finding) => finding.severity === "wrong")) return "wrong";
  return findings.some((finding) => finding.severity === "unknown") ? "unknown" : "fine";
}

export function when(condition: boolean, code: string, message: string): Finding[] {
  return condition ? [finding("wrong", code, message)] : [];
}

export function finding(severity: Severity, code: string, message: string): Finding {
  return { severity, code, message };
}

export function bytes(size: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = size;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
