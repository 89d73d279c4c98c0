/** A client's write to a pair's active node. */
import { accessTo, closeAll } from "../../components/hosts/access.ts";
import type { DesiredNode } from "../../components/roles/desired.ts";
import type { NodeAccess } from "../../components/roles/session.ts";
import type { VerifyRequest } from "../../components/roles/verification.ts";
import { addressOf, firstOf, verifyTimeoutMs } from "./verifyClient.ts";

export async function verifyPair(request: VerifyRequest): Promise<string> {
  const active = request.nodes.find(({ name }) => name === request.active);
  if (!active) throw new Error(`internal: ${request.active} is not one of the nodes`);
  const address = await addressOf(request.name, request.nameServer, active.address);
  const access = accessTo(request.nodes);
  try {
    const client = await clientOf([...request.nodes.filter((n) => n !== active), active], access);
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

async function clientOf(
  nodes: readonly DesiredNode[],
  access: ReadonlyMap<string, NodeAccess>,
): Promise<{ name: string; access: NodeAccess }> {
  const looks = nodes.map(async ({ name }) => {
    const way = access.get(name);
    const facts = await way?.observe({ catalog: false });
    const runs = facts?.reach === "up" && facts.report.server.state === "running";
    return way && runs ? { name, access: way } : undefined;
  });
  const found = await firstOf(looks);
  if (!found) throw new Error("no node answers");
  return found;
}
