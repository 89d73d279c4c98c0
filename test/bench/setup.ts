/** How long it takes until a pair serves, how long an `up` without work takes, and how preview grows. */
import { accessFrom, connectWritable } from "../support/client.ts";
import { succeed } from "../support/pairStack.ts";
import { type StackConfig, TestStack } from "../support/stack.ts";
import { row } from "./statistics.ts";

/** From nothing but the images to the first write of a verified client, acknowledged by both sites. */
export async function timeToServe(rounds: number, say: (line: string) => void): Promise<string[]> {
  const serve: number[] = [];
  const noop: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const stack = new TestStack("bench-serve", pairConfig("bench-serve", 88));
    try {
      await stack.init();
      const start = performance.now();
      await succeed(stack.up());
      const { uri, caCertificate } = await stack.outputs<{ uri: string; caCertificate: string }>();
      const client = await connectWritable(accessFrom(uri, caCertificate));
      await client.query("CREATE TABLE first_write (at timestamptz DEFAULT now())");
      serve.push((performance.now() - start) / 1000);
      await client.end();
      for (let again = 0; again < 3; again++) {
        const begin = performance.now();
        await succeed(stack.up("--expect-no-changes"));
        noop.push((performance.now() - begin) / 1000);
      }
      say(
        `round ${round} of ${rounds}: serving after ${serve.at(-1)?.toFixed(1)} s, no-op ${noop.at(-1)?.toFixed(1)} s`,
      );
    } finally {
      await stack.remove();
    }
  }
  return [
    row("empty machine state, images present → serving synchronous pair", serve, "≤ 60 s"),
    row("`pulumi up` with nothing to do", noop, "≤ 5 s"),
  ];
}

/** Preview of a generated stack; nothing is started. */
export async function previewBySize(
  sizes: readonly number[],
  rounds: number,
  say: (line: string) => void,
): Promise<string[]> {
  const rows: string[] = [];
  for (const size of sizes) {
    const seconds: number[] = [];
    const stack = new TestStack("bench-preview", manySites(size));
    try {
      await stack.init();
      for (let round = 0; round < rounds; round++) {
        const begin = performance.now();
        await succeed(stack.preview());
        seconds.push((performance.now() - begin) / 1000);
      }
    } finally {
      await stack.remove();
    }
    say(`preview of ${size} sites: ${seconds.map((value) => value.toFixed(1)).join(", ")} s`);
    rows.push(row(`preview, ${size} sites`, seconds, "linear"));
  }
  return rows;
}

export function pairConfig(name: string, net: number): StackConfig {
  return {
    active: "site-a",
    deployment: {
      domain: `${name}.example.test`,
      database: { kind: "streaming", synchronous: "strict" },
      containers: { subnet: `10.${net}.0.0/16` },
      names: { publishedPort: 17053 + net },
      sites: {
        "site-a": { target: "containers", publishedPort: 17000 + 2 * net },
        "site-b": { target: "containers", publishedPort: 17001 + 2 * net },
      },
    },
  };
}

function manySites(count: number): StackConfig {
  const config = pairConfig("bench-preview", 89);
  const site = (index: number) => ({
    target: "containers",
    address: `10.89.${1 + Math.floor(index / 200)}.${10 + (index % 200)}`,
    publishedPort: 20000 + index,
  });
  const names = Array.from({ length: count }, (_, index) => `site-${String(index + 1).padStart(3, "0")}`);
  config.active = names[0] ?? "";
  config.deployment.database.settings = { max_wal_senders: count + 10, max_replication_slots: count + 10 };
  config.deployment.sites = Object.fromEntries(names.map((name, index) => [name, site(index)]));
  return config;
}
