/** A client's write through the active region's proxy, to whoever leads there. */
import { accessToUnits, closeAll } from "../../components/hosts/access.ts";
import type { RegionsVerifyRequest } from "../../components/regions/regionsVerification.ts";
import type { UnitAccess, UnitFleet } from "../../components/regions/session.ts";
import { addressOf, firstOf, verifyTimeoutMs } from "./verifyClient.ts";

export async function verifyRegions(request: RegionsVerifyRequest): Promise<string> {
  const active = request.regions.find(({ name }) => name === request.active);
  const [proxy] = active?.proxies ?? [];
  if (!active || !proxy) throw new Error(`internal: ${request.active} is no region with a proxy`);
  const address = await addressOf(request.name, request.nameServer, proxy.address);
  const at = active.proxies.find((candidate) => candidate.address === address);
  if (!at) {
    throw new Error(
      `${request.name} leads to ${address}, which is no proxy of the active region ${active.name}`,
    );
  }
  const others = request.regions.filter((region) => region !== active);
  const members = [...others, active].flatMap((region) => region.members);
  const access = accessToUnits(members);
  try {
    const client = await clientOf(
      members.map(({ name }) => name),
      access,
    );
    const session = await client.access.open();
    const target = { name: request.name, address, port: at.writePort };
    const { server, timeline, ms } = await session.call("verify", target, { timeoutMs: verifyTimeoutMs });
    if (!active.members.some(({ name }) => name === server)) {
      throw new Error(
        `${request.name} (${address}) leads to ${server}, which is no member of the active region ${active.name}`,
      );
    }
    return `${request.name} → ${address}: a write from ${client.name} is acknowledged by ${server}, timeline ${timeline}, after ${Math.round(ms)} ms`;
  } finally {
    await closeAll(access);
  }
}

/** Members only: a proxy's host has no client library. */
async function clientOf(
  names: readonly string[],
  access: UnitFleet,
): Promise<{ name: string; access: UnitAccess }> {
  const look = async (name: string) => {
    const way = access.get(name);
    const facts = await way?.observe({ catalog: false });
    return way && facts?.reach === "up" ? { name, access: way } : undefined;
  };
  // Once more: right after a first `up` of many hosts on one machine none may answer in time.
  const found = (await firstOf(names.map(look))) ?? (await firstOf(names.map(look)));
  if (!found) throw new Error("no member of any region answers");
  return found;
}
