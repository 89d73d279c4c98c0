/**
 * Dynamic updates (RFC 2136) signed with TSIG, as compare-and-set: what was read is the condition of the change,
 * in one atomic message. Two runs that move the same name at the same time cannot both believe they did.
 */
import { randomInt } from "node:crypto";
import { lookUp, type RecordSet, RefusedError, sameValues } from "./lookup.ts";
import { exchange, type ServerAddress } from "./transport.ts";
import { sign, TsigError, type TsigKey, verify } from "./tsig.ts";
import { classes, encodeUpdate, encodeValue, type RecordType, typeCodes, type WireRecord } from "./wire.ts";

export interface UpdateServer extends ServerAddress {
  readonly key: TsigKey;
}

export interface RecordWish {
  readonly server: UpdateServer;
  readonly zone: string;
  /** Fully qualified. */
  readonly name: string;
  readonly type: RecordType;
  /** Seconds. */
  readonly ttl: number;
  readonly value: string;
  /** Refuse when the name is something else than this (null: than nothing); absent: than what is read now. */
  readonly expectedOld?: string | null;
  /** For one question to the server. Default 3000. */
  readonly timeoutMs?: number;
  /** Stands in for the clock of this machine. */
  readonly now?: () => Date;
}

export interface RecordChange {
  readonly changed: boolean;
  readonly before: RecordSet;
}

/** Somebody else changed the name; nothing was overwritten. */
export class ConflictError extends Error {}

const rcodes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
const conflicts: Readonly<Record<number, string>> = {
  3: "NXDOMAIN",
  6: "YXDOMAIN",
  7: "YXRRSET",
  8: "NXRRSET",
};
const nothing: RecordSet = { values: [], ttl: 0 };

/** Makes the name have this value and TTL and no other, and proves it by asking the server. */
export async function ensureRecord(wish: RecordWish): Promise<RecordChange> {
  const before = await current(wish);
  if (isWished(wish, before)) {
    return { changed: false, before };
  }
  expectOld(wish, before);
  const { outcome } = await send(wish, before, [record(wish, classes.in, wish.ttl, wish.value)]);
  const after = await current(wish);
  if (isWished(wish, after)) {
    return { changed: outcome === "done", before };
  }
  if (outcome === "conflict") {
    throw conflict(wish, show(before), after);
  }
  throw new Error(
    `${wish.name} is ${show(after)} after the server accepted ${wish.value} with TTL ${wish.ttl}`,
  );
}

/** Removes the name if it still has the value; what somebody else made of it is left alone. */
export async function deleteRecord(wish: RecordWish): Promise<RecordChange> {
  const before = await current(wish);
  if (!sameValues(wish.type, before.values, [wish.value])) {
    return { changed: false, before };
  }
  const { outcome } = await send(wish, before, []);
  return { changed: outcome === "done", before };
}

/** As an operator reads it. */
export function show(set: RecordSet): string {
  return set.values.length === 0 ? "not there" : `${set.values.join(", ")} (TTL ${set.ttl})`;
}

function current(wish: RecordWish): Promise<RecordSet> {
  return lookUp(wish.server, wish.name, wish.type, timeout(wish));
}

function isWished(wish: RecordWish, set: RecordSet): boolean {
  return set.ttl === wish.ttl && sameValues(wish.type, set.values, [wish.value]);
}

function expectOld(wish: RecordWish, before: RecordSet): void {
  const { expectedOld } = wish;
  if (expectedOld === undefined || sameValues(wish.type, before.values, [wish.value])) {
    return;
  }
  if (!sameValues(wish.type, before.values, expectedOld === null ? [] : [expectedOld])) {
    throw conflict(wish, expectedOld ?? show(nothing), before);
  }
}

function conflict(wish: RecordWish, expected: string, found: RecordSet): ConflictError {
  return new ConflictError(
    `${wish.name} was to change from ${expected} to ${wish.value}, but it is ${show(found)}: ` +
      "something else writes this name. It was left as it is; find out what that is, and run again.",
  );
}

async function send(
  wish: RecordWish,
  before: RecordSet,
  additions: readonly WireRecord[],
): Promise<{ outcome: "done" | "conflict" }> {
  const { server, zone } = wish;
  const prerequisites =
    before.values.length === 0
      ? [record(wish, classes.none, 0)]
      : before.values.map((value) => record(wish, classes.in, 0, value));
  const removals = before.values.length === 0 ? [] : [record(wish, classes.any, 0)];
  const message = encodeUpdate(randomInt(0x10000), zone, prerequisites, [...removals, ...additions]);
  const clock = wish.now ?? (() => new Date());
  const request = sign(message, server.key, clock());
  const response = await exchange(server, request.message, timeout(wish));
  const rcode = response.readUInt16BE(2) & 15;
  const reason = checkSignature(response, request, server, clock);
  if (reason !== undefined) {
    throw new RefusedError(reason.rcode, reason.message);
  }
  if (rcode === 0) {
    return { outcome: "done" };
  }
  if (conflicts[rcode] !== undefined) {
    return { outcome: "conflict" };
  }
  throw new RefusedError(rcodes[rcode] ?? `RCODE${rcode}`, explainRefusal(rcode, wish));
}

function checkSignature(
  response: Buffer,
  request: ReturnType<typeof sign>,
  server: UpdateServer,
  clock: () => Date,
): { rcode: string; message: string } | undefined {
  const { key } = server;
  const who = `the name server at ${server.host}:${server.port}`;
  try {
    const { error, time } = verify(response, request, key);
    switch (error) {
      case undefined:
        return undefined;
      case "BADTIME": {
        const skew = Math.round((clock().getTime() - time.getTime()) / 1000);
        const message = `the clocks differ by ${Math.abs(skew)} s (it is ${time.toISOString()} at ${who}); set them right`;
        return { rcode: error, message };
      }
      case "BADKEY":
        return { rcode: error, message: `${who} does not know the key "${key.name}"` };
      default:
        return { rcode: error, message: `${who} has another secret for the key "${key.name}"` };
    }
  } catch (failure) {
    // A server that refuses everything (an access list, a firewall's answer) does not sign; see the rcode then.
    const rcode = response.readUInt16BE(2) & 15;
    if (failure instanceof TsigError && rcode === 5) {
      return { rcode: "REFUSED", message: `${who} refuses updates of its zone from here` };
    }
    throw failure;
  }
}

function explainRefusal(rcode: number, wish: RecordWish): string {
  const who = `the name server at ${wish.server.host}:${wish.server.port}`;
  switch (rcode) {
    case 5:
      return `${who} does not let the key "${wish.server.key.name}" change ${wish.name} ${wish.type} (update-policy)`;
    case 9:
    case 10:
      return `${who} is not the primary of ${wish.zone}, or ${wish.name} is not in that zone`;
    default:
      return `${who} answers ${rcodes[rcode] ?? `code ${rcode}`} to the update of ${wish.name}`;
  }
}

function record(wish: RecordWish, recordClass: number, ttl: number, value?: string): WireRecord {
  const data = value === undefined ? Buffer.alloc(0) : encodeValue(wish.type, value);
  return { name: wish.name, type: typeCodes[wish.type], class: recordClass, ttl, data };
}

function timeout(wish: RecordWish): number {
  return wish.timeoutMs ?? 3000;
}
