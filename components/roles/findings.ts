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

/** Codes of refusals that say that something could not be seen, not that it is wrong. */
const blind = new Set(["E_NODE_UNREACHABLE"]);

/** Notices that do not stop a plan and still say that all is not well. */
const noticed: Readonly<Record<string, Severity>> = {
  // Known and as the operator stated it; and a deployment that one more failure ends.
  N_ALONE: "wrong",
  N_CLOCK: "wrong",
  N_CONFIG_ERROR: "wrong",
  N_UNREADABLE: "unknown",
};

interface Coded {
  readonly code: string;
  readonly message: string;
}

/** What a plan says of a deployment that nobody is changing: whatever it would do is missing. */
export function ofPlan<S>(
  made: {
    readonly steps: readonly S[];
    readonly refusals: readonly Coded[];
    readonly notices: readonly Coded[];
  },
  due: (step: S) => Finding,
): Finding[] {
  return [
    ...made.refusals.map(({ code, message }) =>
      finding(blind.has(code) ? "unknown" : "wrong", code, message),
    ),
    ...made.steps.map(due),
    ...made.notices.map(({ code, message }) => finding(noticed[code] ?? "note", code, message)),
  ];
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

const certificateHours = 24;

/** `at`: when the host was looked at, ISO 8601. */
export function ofCertificate(
  host: string,
  certificate: { readonly notAfter: string } | null,
  at: string,
): Finding[] {
  if (certificate === null) return [finding("wrong", "W_CERTIFICATE", `${host} has no readable certificate`)];
  const { notAfter } = certificate;
  const hours = (Date.parse(notAfter) - Date.parse(at)) / 3_600_000;
  return [
    ...when(hours < 0, "W_CERTIFICATE", `${host}: its certificate ended on ${notAfter}`),
    ...when(
      hours >= 0 && hours < certificateHours,
      "W_CERTIFICATE",
      `${host}: its certificate ends on ${notAfter}; pulumi up renews it`,
    ),
  ];
}
