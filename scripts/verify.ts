/**
 * `node scripts/verify.ts`, with a `VerifyRequest` as JSON on stdin: one write and its read back over the published
 * name, as a client does it. The name is looked up at the deployment's own server; the client is a node that is not
 * active, where one answers, so that the way is the one over the network. Exit 1 and the reason on stderr.
 */
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { lookUp } from "../components/dns/lookup.ts";
import { accessTo, closeAll } from "../components/hosts/access.ts";
import type { DesiredNode } from "../components/roles/desired.ts";
import type { NodeAccess } from "../components/roles/session.ts";
import type { VerifyRequest } from "../components/roles/verification.ts";

const lookUpTimeoutMs = 5_000;
const verifyTimeoutMs = 15_000;
/** How long each of those that come first is waited for. */
const preferenceMs = 2_000;

async function main(request: VerifyRequest): Promise<string> {
  const active = request.nodes.find(({ name }) => name === request.active);
  if (!active) throw new Error(`internal: ${request.active} is not one of the nodes`);
  const address = await addressOf(request, active);
  const access = accessTo(request.nodes);
  try {
    const client = await firstThatAnswers([...request.nodes.filter((n) => n !== active), active], access);
    const session = await client.access.open();
    const target = { name: request.name, address, port: active.port };
    const { server, timeline, ms } = await session.call("verify", target, { timeoutMs: verifyTimeoutMs });
    if (server !== active.name) {
      throw new Error(
        `${request.name} (${address}) leads to ${server}, and ${active.name} is the active node`,
      );
    }
    return `${request.name} → ${address}: a write from ${client.name} is acknowledged by ${active.name}, timeline ${timeline}, after ${Math.round(ms)} ms`;
  } finally {
    await closeAll(access);
  }
}

async function addressOf({ name, nameServer }: VerifyRequest, active: DesiredNode): Promise<string> {
  if (nameServer === undefined) return active.address;
  const { values } = await lookUp(nameServer, name, "A", lookUpTimeoutMs);
  const [address, ...more] = values;
  if (address === undefined || more.length > 0) {
    throw new Error(`the name server has ${values.length} addresses for ${name}: ${values.join(", ")}`);
  }
  return address;
}

/** All are asked at once, because one that is away would keep the others waiting for it. */
async function firstThatAnswers(
  nodes: readonly DesiredNode[],
  access: ReadonlyMap<string, NodeAccess>,
): Promise<{ name: string; access: NodeAccess }> {
  const looks = nodes.map(async ({ name }) => {
    const way = access.get(name);
    const facts = await way?.observe({ catalog: false });
    const runs = facts?.reach === "up" && facts.report.server.state === "running";
    return way && runs ? { name, access: way } : undefined;
  });
  const last = looks.at(-1);
  for (const look of looks) {
    const found = await (look === last ? look : Promise.race([look, sleep(preferenceMs, undefined)]));
    if (found) return found;
  }
  throw new Error("no node answers");
}

try {
  console.log(await main(JSON.parse(await text(process.stdin)) as VerifyRequest));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
