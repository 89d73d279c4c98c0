/**
 * Keeps one DNS record: `dnsRecord.ts ensure|delete`, the request as JSON on standard input, because it holds a key.
 * Prints one line with the name as the server answers it. Run by the resources of `components/dns`.
 */
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { RefusedError } from "../components/dns/lookup.ts";
import type { RecordRequest } from "../components/dns/rfc2136Server.ts";
import { UnreachableError } from "../components/dns/transport.ts";
import { deleteRecord, ensureRecord, type RecordWish, show } from "../components/dns/update.ts";
import type { RecordType } from "../components/dns/wire.ts";

/** A name server that was just told of a new name or key loads it within a second; see its start script. */
const patienceMs = Number(process.env.UNDERSTUDY_DNS_PATIENCE_MS ?? 10_000);

async function ensure(wish: RecordWish): Promise<void> {
  const { changed, before } = await patiently(() => ensureRecord(wish));
  const change = changed ? `, was ${show(before)}` : ", as before";
  console.log(`${wish.name} ${wish.type} ${wish.value} TTL ${wish.ttl}${change}`);
}

/** A server that is gone, or knows the key no longer, has no record of ours to be rid of: destroying must not fail on it. */
async function remove(wish: RecordWish): Promise<void> {
  try {
    const { changed, before } = await deleteRecord(wish);
    if (!changed) console.error(`${wish.name} was left alone: it is ${show(before)}`);
  } catch (error) {
    if (!(error instanceof UnreachableError || error instanceof RefusedError)) throw error;
    console.error(`${wish.name} was not removed: ${error.message}`);
  }
}

async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const passing =
        error instanceof UnreachableError ||
        (error instanceof RefusedError && ["REFUSED", "BADKEY", "BADSIG", "SERVFAIL"].includes(error.rcode));
      if (!passing || Date.now() >= end) throw error;
      await sleep(250);
    }
  }
}

function wishOf(request: RecordRequest): RecordWish {
  const { host, port, zone, keyName, keySecret, name, type, ttl, value } = request;
  const key = { name: keyName, secret: keySecret };
  return { server: { host, port, key }, zone, name, type: type as RecordType, ttl, value };
}

if (import.meta.main) {
  try {
    const wish = wishOf(JSON.parse(await text(process.stdin)) as RecordRequest);
    await (process.argv[2] === "delete" ? remove(wish) : ensure(wish));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
