/**
 * Whose clock is wrong, seen from the machine that runs the plan, and what that stops. Data does not depend on a clock;
 * certificates, signatures, statements and recovery targets do. Shared by pairs and regions.
 */
import type { Notice, Refusal } from "../steps.ts";

/** Two machines' clocks may differ by this much. */
export const clockToleranceMs = 2_000;

/** Whoever tells the time in a report. */
export interface Clocked {
  readonly name: string;
  readonly report: {
    /** ISO 8601. */
    readonly clock: string;
    readonly certificate?: { readonly notBefore?: string; readonly notAfter: string } | null;
  } | null;
}

/** By our own clock, ISO 8601: all reports were made between these. */
export interface Observation {
  readonly at: string;
  readonly until: string;
}

export interface WrongClock {
  readonly name: string;
  /** ISO 8601, as the host tells it. */
  readonly clock: string;
  /** How far it is ahead of ours at least, in ms; negative: behind. */
  readonly offMs: number;
}

/** Those that are off by more than is tolerated. The time that the observation took is nobody's error. */
export function wrongClocks(hosts: readonly Clocked[], observation: Observation): WrongClock[] {
  const [begin, end] = [Date.parse(observation.at), Date.parse(observation.until)];
  return hosts.flatMap(({ name, report }) => {
    if (report === null) return [];
    const shown = Date.parse(report.clock);
    const offMs = shown > end ? shown - end : Math.min(0, shown - begin);
    return Math.abs(offMs) > clockToleranceMs ? [{ name, clock: report.clock, offMs }] : [];
  });
}

/** `b says 2026-01-01T00:05:00Z (300.0 s ahead)`. */
export function inWords({ name, clock, offMs }: WrongClock): string {
  return `${name} says ${clock} (${howFar(offMs)})`;
}

/** For a change of roles. `said`: each clock in words. */
export function clockRefusal(said: readonly string[], { until }: Observation): Refusal {
  return {
    code: "E_CLOCK",
    message: `Clocks differ by more than 2 s: ${said.join(", ")}, here it is ${until}. Set them right (NTP) first.`,
  };
}

/**
 * A clock that shows a time at which the host's own certificate is not valid: it refuses everybody's certificates, and
 * whatever is tried there fails as something else. An end that our own clock has seen as well is no clock's error.
 */
export function certificateRefusals(hosts: readonly Clocked[], observation: Observation): Refusal[] {
  return hosts.flatMap((host) => {
    const [wrong] = wrongClocks([host], observation);
    const certificate = host.report?.certificate;
    if (!wrong || !certificate) return [];
    const shown = Date.parse(wrong.clock);
    const { notBefore, notAfter } = certificate;
    const early = notBefore !== undefined && shown < Date.parse(notBefore);
    const late = shown > Date.parse(notAfter) && Date.parse(observation.until) <= Date.parse(notAfter);
    if (!early && !late) return [];
    const then = early
      ? `before its certificate begins (${notBefore})`
      : `after its certificate ends (${notAfter})`;
    return [
      {
        code: "E_CLOCK",
        message: `${inWords(wrong)}, which is ${then}: TLS fails there, and everything that needs it. Set its clock right (NTP), then run again.`,
      },
    ];
  });
}

/** What is worth knowing although nothing depends on it now. */
export function clockNotices(hosts: readonly Clocked[], observation: Observation): Notice[] {
  return wrongClocks(hosts, observation).map((wrong) => ({
    code: "N_CLOCK",
    message: `${inWords(wrong)}, here it is ${observation.until}. No data depends on it; a planned change of roles is refused until it is set right (NTP).`,
  }));
}

function howFar(offMs: number): string {
  return `${(Math.abs(offMs) / 1000).toFixed(1)} s ${offMs > 0 ? "ahead" : "behind"}`;
}
