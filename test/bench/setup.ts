/** How long it takes until a pair serves, how long an `up` without work takes, and how preview grows. */
import { connectWritable } from "../support/client.ts";
import type { Target } from "../support/nodeHandle.ts";
import { PairStack, succeed } from "../support/pairStack.ts";
import { type StackConfig, TestStack } from "../support/stack.ts";
import { tidily } from "./cleanUp.ts";
import { mostNewLogins, withNewLogins } from "./sshd.ts";
import type { Row } from "./table.ts";

const noopsEach = 3;

const serving = {
  containers: {
    options: { name: "bench-serve", net: 88, port: 17176 },
    what: "empty machine state, images present → serving synchronous pair",
    wanted: { serve: "≤ 60 s", noop: "≤ 5 s" },
  },
  machines: {
    options: { name: "bench-mserve", net: 88, port: 17176 },
    what: "two bare machines, packages from a mirror → serving synchronous pair",
    wanted: { serve: "≤ 120 s", noop: "≤ 6 s" },
  },
} as const;

/** From nothing to the first write of a verified client, acknowledged by both sites. Machines are new in every round. */
export async function timeToServe(
  target: Target,
  rounds: number,
  say: (line: string) => void,
): Promise<Row[]> {
  const { options, what, wanted } = serving[target];
  const serve: number[] = [];
  const noop: number[] = [];
  const logins: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await tidily(new PairStack({ ...options, target }), async (pair) => {
      await pair.prepare();
      serve.push(await secondsOf(() => firstWrite(pair)));
      const reachedBySsh = target === "machines" ? pair.containers : [];
      for (let again = 0; again < noopsEach; again++) {
        const { result, added } = await withNewLogins(reachedBySsh, () =>
          secondsOf(() => succeed(pair.up("--expect-no-changes"))),
        );
        noop.push(result);
        if (target === "machines") logins.push(mostNewLogins(added));
      }
    });
    say(
      `${target}, round ${round} of ${rounds}: serving after ${serve.at(-1)?.toFixed(1)} s, no-op ${noop.at(-1)?.toFixed(1)} s`,
    );
  }
  const noopWhat = "`pulumi up` with nothing to do, 2 sites";
  return [
    { what, target, values: serve, wanted: wanted.serve },
    { what: noopWhat, target, values: noop, wanted: wanted.noop },
    ...(target === "machines" ? [loginsRow(2, logins)] : []),
  ];
}

export function loginsRow(sites: number, values: readonly number[]): Row {
  return {
    what: `SSH logins on a host during a \`pulumi up\` with nothing to do, ${sites} sites (the host with the most)`,
    target: "machines",
    values,
    unit: "logins",
    wanted: "≤ 3",
  };
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function firstWrite(pair: PairStack): Promise<void> {
  await succeed(pair.up());
  await pair.findAccess();
  const client = await connectWritable(pair.access);
  await client.query("CREATE TABLE first_write (at timestamptz DEFAULT now())");
  await client.end();
}

/** Preview of a generated stack in containers; nothing is started. */
export async function previewBySize(
  sizes: readonly number[],
  rounds: number,
  say: (line: string) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const size of sizes) {
    const seconds: number[] = [];
    await tidily(new TestStack("bench-preview", manySites(size)), async (stack) => {
      await stack.init();
      for (let round = 0; round < rounds; round++)
        seconds.push(await secondsOf(() => succeed(stack.preview())));
    });
    say(`preview of ${size} sites: ${seconds.map((value) => value.toFixed(1)).join(", ")} s`);
    rows.push({ what: `preview, ${size} sites`, target: "containers", values: seconds, wanted: "linear" });
  }
  return rows;
}

function manySites(count: number): StackConfig {
  const site = (index: number) => ({
    target: "containers",
    address: `10.89.${1 + Math.floor(index / 200)}.${10 + (index % 200)}`,
    publishedPort: 20000 + index,
  });
  const names = siteNames(count);
  return {
    active: names[0] ?? "",
    deployment: {
      domain: "bench-preview.example.test",
      database: manyStandbys(count),
      containers: { subnet: "10.89.0.0/16" },
      names: { publishedPort: 17142 },
      sites: Object.fromEntries(names.map((name, index) => [name, site(index)])),
    },
  };
}

export function siteNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `site-${String(index + 1).padStart(3, "0")}`);
}

/** Of `deployment.database`: one primary that all the others follow. */
export function manyStandbys(sites: number): Record<string, unknown> {
  const settings = { max_wal_senders: sites + 10, max_replication_slots: sites + 10 };
  return { kind: "streaming", synchronous: "strict", settings };
}
