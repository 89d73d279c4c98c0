/** What a check by a real client needs, whoever is checked: the address behind the name, and a host that can write. */
import { setTimeout as sleep } from "node:timers/promises";
import { lookUp } from "../../components/dns/lookup.ts";
import type { Endpoint } from "../../components/spec/model.ts";

export const verifyTimeoutMs = 15_000;
const lookUpTimeoutMs = 5_000;
/** How long each of those that come first is waited for. */
const preferenceMs = 2_000;

/** `otherwise`: where nobody serves names. */
export async function addressOf(
  name: string,
  nameServer: Endpoint | undefined,
  otherwise: string,
): Promise<string> {
  if (nameServer === undefined) return otherwise;
  const { values } = await lookUp(nameServer, name, "A", lookUpTimeoutMs);
  const [address, ...more] = values;
  if (address === undefined || more.length > 0) {
    throw new Error(`the name server has ${values.length} addresses for ${name}: ${values.join(", ")}`);
  }
  return address;
}

/** All are asked at once, because one that is away would keep the others waiting for it. undefined: nobody answers. */
export async function firstOf<T>(looks: readonly Promise<T | undefined>[]): Promise<T | undefined> {
  const last = looks.at(-1);
  for (const look of looks) {
    const found = await (look === last ? look : Promise.race([look, sleep(preferenceMs, undefined)]));
    if (found) return found;
  }
  return undefined;
}
