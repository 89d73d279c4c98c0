/**
 * The report of a region's host in a record: without what changes by itself. Files are written as their difference to the
 * wish, and of those that programs read only which ones they have not taken. Pure.
 */
import type { DesiredHost, DesiredRegion, RegionsDesired } from "../regions/desired.ts";
import type { MemberDataFacts, ProgramFacts, UnitReport } from "../regions/facts.ts";
import { regionOfHost } from "../regions/wish.ts";
import { applied, type Difference, difference } from "./difference.ts";
import { consulAgain, type RecordedConsul, recordedConsul } from "./regionConsul.ts";
import { patroniAgain, type RecordedPatroni, recordedPatroni } from "./regionPatroni.ts";
import { recordedCatalog, somewhere } from "./shared.ts";

/** What changes by itself, or no plan reads. */
type Passing = "clock" | "lock" | "certificate" | "snapshots" | "pooler" | "problems";
type Rewritten = "unit" | "files" | "programs" | "consul" | "patroni";

export interface RecordedUnit extends Omit<UnitReport, Passing | Rewritten> {
  /** To the file of the systemd unit as it is wished: of the one that runs, and of the one that is installed. */
  readonly unit?: Difference | null;
  /** To the files of the wish. */
  readonly files: Difference;
  readonly programs: Readonly<Record<string, ProgramFacts["state"]>>;
  /** By program, files that it has not taken as they are installed. */
  readonly stale?: Readonly<Record<string, readonly string[]>>;
  readonly consul: RecordedConsul | null;
  readonly patroni: RecordedPatroni | null;
}

/** A host as an update wished it. */
export interface HostWish {
  readonly host: DesiredHost;
  readonly region: DesiredRegion;
}

export function hostWish(desired: Pick<RegionsDesired, "regions">, host: DesiredHost): HostWish {
  return { host, region: regionOfHost(desired, host.name) };
}

export function recordedUnit(
  { clock, lock, certificate, snapshots, pooler, problems, ...report }: UnitReport,
  { host, region }: HostWish,
  desired: Pick<RegionsDesired, "catalog">,
): RecordedUnit {
  const { unit, catalog, consul, patroni, ...kept } = report;
  const files = Object.entries(kept.files).filter(([path]) => host.files[path] !== undefined);
  const programs = Object.entries(kept.programs).flatMap(([name, facts]) => (facts ? [{ name, facts }] : []));
  const stale = programs
    .map(({ name, facts }) => [name, staleIn(facts)] as const)
    .filter(([, paths]) => paths.length > 0);
  return {
    ...kept,
    ...(unit !== undefined && { unit: unit && difference(wishedUnit(host), textsOf(unit)) }),
    ...(catalog !== undefined && { catalog: catalog && recordedCatalog(catalog, desired.catalog) }),
    data: kept.data && recordedData(kept.data, patroni !== null),
    files: difference(host.files, Object.fromEntries(files)),
    programs: Object.fromEntries(programs.map(({ name, facts }) => [name, facts.state])),
    ...(stale.length > 0 && { stale: Object.fromEntries(stale) }),
    consul: consul && recordedConsul(consul, region),
    patroni: patroni && recordedPatroni(patroni, region),
  };
}

/** Of secret files there is a keyed hash, which is nobody's business. */
function staleIn({ loaded, installed }: ProgramFacts): string[] {
  const paths = [...new Set([...Object.keys(loaded), ...Object.keys(installed)])];
  return paths.filter((path) => loaded[path] !== installed[path]).sort();
}

/** Positions of a server that runs are those of a moment; of one that is down they are final. */
function recordedData({ control, ...data }: MemberDataFacts, runs: boolean): MemberDataFacts {
  const moved = runs ? { checkpointLsn: somewhere, redoLsn: somewhere } : {};
  return { ...data, control: control && { ...control, ...moved }, freeBytes: 0 };
}

export function unitAgain(
  { stale = {}, unit, ...recorded }: RecordedUnit,
  { host, region }: HostWish,
  at: string,
): UnitReport {
  const { data, consul, patroni } = recorded;
  const programs = Object.entries(recorded.programs).map(([name, state]) => [
    name,
    programAgain(state, stale[name] ?? []),
  ]);
  return {
    ...recorded,
    ...(unit !== undefined && { unit: unit && unitFileAgain(applied(unit, wishedUnit(host))) }),
    clock: at,
    lock: null,
    files: applied(recorded.files, host.files),
    programs: Object.fromEntries(programs),
    // How much is free is for the update to see.
    data: data && { ...data, freeBytes: Number.MAX_SAFE_INTEGER },
    consul: consul && consulAgain(consul, region),
    patroni: patroni && patroniAgain(patroni, region),
    problems: [],
  };
}

function programAgain(state: ProgramFacts["state"], stale: readonly string[]): ProgramFacts {
  const all = (content: string) => Object.fromEntries(stale.map((path) => [path, content]));
  return { state, reason: null, restarts: 0, loaded: all("as it was"), installed: all("as it is") };
}

function wishedUnit({ unitFile }: HostWish["host"]): Record<string, string> {
  return unitFile === undefined ? {} : { running: unitFile, installed: unitFile };
}

function textsOf({ running, installed }: NonNullable<UnitReport["unit"]>): Record<string, string> {
  return running === null ? { installed } : { running, installed };
}

function unitFileAgain({ running, installed = "" }: Readonly<Record<string, string>>) {
  return { running: running ?? null, installed };
}
