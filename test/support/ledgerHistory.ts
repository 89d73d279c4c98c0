/**
 * What a ledger recorded, and what it proves: pure, so that the judge of every fault test is itself tested with
 * histories made by hand.
 */

/** As in Jepsen. `ok`: acknowledged. `fail`: the server said that it is rolled back. `info`: nobody can know. */
export type Kind = "ok" | "fail" | "info";

export interface Write {
  readonly writer: number;
  readonly seq: number;
  readonly id: string;
  readonly kind: Kind;
  /** Milliseconds of the machine's monotonic clock, the same in every process (see `monotonicMs`). */
  readonly sentAt: number;
  readonly doneAt: number;
  /** Who acknowledged; for `fail` and `info` who was asked. */
  readonly server: string;
  readonly system: string;
  /** 0: not known. */
  readonly timeline: number;
  /** Why it is not `ok`. */
  readonly reason?: string;
}

export interface History {
  readonly writes: readonly Write[];
}

/** `id`s that a copy holds, one for each row. */
export type Copies = Readonly<Record<string, readonly string[]>>;

export interface Violation {
  readonly invariant: "I1" | "I2" | "I3";
  readonly message: string;
}

export interface Change {
  readonly from: Reign;
  readonly to: Reign;
  /** Between the last acknowledged write before and the first after. */
  readonly gapMs: number;
}

/** The time in which one server acknowledged on one timeline. */
export interface Reign {
  readonly server: string;
  readonly system: string;
  readonly timeline: number;
  readonly firstAckAt: number;
  readonly lastAckAt: number;
  readonly acknowledged: number;
}

export interface Verdict {
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** Acknowledged writes a second, of the longest reign. */
  readonly ratePerSecond: number;
  readonly reigns: readonly Reign[];
  readonly changes: readonly Change[];
  /** The longest time in which nothing was acknowledged, wherever it lies. */
  readonly longestGapMs: number;
  readonly lost: number;
  readonly violations: readonly Violation[];
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function check(history: History, copies: Copies): Verdict {
  const acks = history.writes.filter((write) => write.kind === "ok");
  const reigns = reignsOf(acks);
  const changes = reigns
    .slice(1)
    .map((to, index) => [reigns[index], to] as const)
    .flatMap(([from, to]) => (from ? [{ from, to, gapMs: to.firstAckAt - from.lastAckAt }] : []));
  const present = Object.entries(copies).map(([copy, ids]) => [copy, counted(ids)] as const);
  const missing = present.flatMap(([copy, rows]) => missingOn(copy, rows, acks));
  return {
    acknowledged: acks.length,
    failed: history.writes.filter((write) => write.kind === "fail").length,
    unknown: history.writes.filter((write) => write.kind === "info").length,
    ratePerSecond: rateOf(reigns),
    reigns,
    changes,
    longestGapMs: longestGap(acks),
    lost: new Set(missing.map(({ id }) => id)).size,
    violations: [
      ...summed("I1", "acknowledged and not there", missing),
      ...present.flatMap(([copy, rows]) => onceOnly(copy, rows, history)),
      ...present.flatMap(([copy, rows]) => absent(copy, rows, history)),
      ...oneAtATime(reigns),
    ],
  };
}

interface Found extends Write {
  readonly copy: string;
}

function counted(ids: readonly string[]): Map<string, number> {
  const rows = new Map<string, number>();
  for (const id of ids) rows.set(id, (rows.get(id) ?? 0) + 1);
  return rows;
}

function missingOn(copy: string, rows: ReadonlyMap<string, number>, acks: readonly Write[]): Found[] {
  return acks.filter((write) => !rows.has(write.id)).map((write) => ({ ...write, copy }));
}

/** Twice is as wrong as never, also for a write whose outcome nobody knows; and a row that nobody wrote is an invention. */
function onceOnly(copy: string, rows: ReadonlyMap<string, number>, { writes }: History): Violation[] {
  const known = new Map(writes.map((write) => [write.id, write]));
  const all = [...rows];
  const doubled = all.filter(([id, count]) => count > 1 && known.has(id));
  const invented = all.filter(([id]) => !known.has(id));
  return [
    ...listed("I1", `there more than once on ${copy}`, doubled),
    ...listed("I1", `on ${copy} and written by nobody`, invented),
  ];
}

function absent(copy: string, rows: ReadonlyMap<string, number>, { writes }: History): Violation[] {
  const found = writes.filter((write) => write.kind === "fail" && rows.has(write.id));
  return summed(
    "I2",
    "refused and there nevertheless",
    found.map((write) => ({ ...write, copy })),
  );
}

function reignsOf(acks: readonly Write[]): Reign[] {
  const reigns = new Map<string, Reign>();
  for (const { server, system, timeline, doneAt } of acks) {
    const key = `${system} ${timeline} ${server}`;
    const reign = reigns.get(key);
    reigns.set(key, {
      server,
      system,
      timeline,
      firstAckAt: Math.min(reign?.firstAckAt ?? doneAt, doneAt),
      lastAckAt: Math.max(reign?.lastAckAt ?? doneAt, doneAt),
      acknowledged: (reign?.acknowledged ?? 0) + 1,
    });
  }
  return [...reigns.values()].sort((a, b) => a.timeline - b.timeline || a.firstAckAt - b.firstAckAt);
}

function oneAtATime(reigns: readonly Reign[]): Violation[] {
  const systems = new Set(reigns.map((reign) => reign.system));
  const pairs = reigns.flatMap((earlier, index) =>
    reigns.slice(index + 1).map((later) => [earlier, later] as const),
  );
  return [
    ...(systems.size > 1 ? [violation("I3", `acknowledged by ${systems.size} database systems`)] : []),
    ...pairs
      .filter(([earlier, later]) => earlier.timeline === later.timeline)
      .map(([earlier, later]) =>
        violation("I3", `${earlier.server} and ${later.server} both on timeline ${later.timeline}`),
      ),
    ...pairs
      .filter(([earlier, later]) => earlier.lastAckAt >= later.firstAckAt)
      .map(([earlier, later]) => {
        const overlap = (earlier.lastAckAt - later.firstAckAt).toFixed(1);
        return violation(
          "I3",
          `${named(earlier)} acknowledged for ${overlap} ms after ${named(later)} had begun`,
        );
      }),
  ];
}

function named({ server, timeline }: Reign): string {
  return `${server} (timeline ${timeline})`;
}

function longestGap(acks: readonly Write[]): number {
  const times = acks.map((write) => write.doneAt).sort((a, b) => a - b);
  return times.reduce((longest, time, index) => Math.max(longest, time - (times[index - 1] ?? time)), 0);
}

function rateOf(reigns: readonly Reign[]): number {
  const rates = reigns.map((reign) => {
    const seconds = (reign.lastAckAt - reign.firstAckAt) / 1000;
    return { seconds, rate: seconds > 0 ? reign.acknowledged / seconds : 0 };
  });
  return rates.sort((a, b) => b.seconds - a.seconds)[0]?.rate ?? 0;
}

function summed(invariant: Violation["invariant"], what: string, found: readonly Found[]): Violation[] {
  if (found.length === 0) return [];
  const copies = [...new Set(found.map((write) => write.copy))].join(", ");
  const examples = found.slice(0, 3).map((write) => {
    return `${write.writer}/${write.seq} (${write.server}, timeline ${write.timeline}, ${write.doneAt.toFixed(1)} ms)`;
  });
  return [violation(invariant, `${found.length} ${what} on ${copies}: ${examples.join(", ")}`)];
}

function listed(
  invariant: Violation["invariant"],
  what: string,
  rows: readonly (readonly [string, number])[],
): Violation[] {
  if (rows.length === 0) return [];
  const examples = rows.slice(0, 3).map(([id]) => id);
  return [violation(invariant, `${rows.length} ${what}: ${examples.join(", ")}`)];
}

function violation(invariant: Violation["invariant"], message: string): Violation {
  return { invariant, message };
}

/** One line about a run, for the test's own output. */
export function summary({ acknowledged, failed, unknown, ratePerSecond, changes, lost }: Verdict): string {
  const gaps = changes.map((change) => `${(change.gapMs / 1000).toFixed(3)} s`).join(", ");
  return [
    `${acknowledged} acknowledged (${Math.round(ratePerSecond)}/s), ${failed} refused, ${unknown} unknown, ${lost} lost`,
    ...(gaps === "" ? [] : [`gap ${gaps}`]),
  ].join("; ");
}
