/** What a name server says of a name it is authoritative for. */
import { randomInt } from "node:crypto";
import dnsPacket from "dns-packet";
import { exchange, type ServerAddress } from "./transport.ts";
import { encodeValue, type RecordType } from "./wire.ts";

/** All records of one name and type. An empty one does not exist. */
export interface RecordSet {
  readonly values: readonly string[];
  /** Seconds. 0 in an empty set. */
  readonly ttl: number;
}

/** The server answered, and its answer is no. */
export class RefusedError extends Error {
  readonly rcode: string;
  constructor(rcode: string, message: string) {
    super(message);
    this.rcode = rcode;
  }
}

export async function lookUp(
  server: ServerAddress,
  name: string,
  type: RecordType,
  timeoutMs: number,
): Promise<RecordSet> {
  const query = dnsPacket.encode({ type: "query", id: randomInt(0x10000), questions: [{ type, name }] });
  const answer = dnsPacket.decode(await exchange(server, query, timeoutMs));
  const rcode = (answer as { rcode?: string }).rcode ?? "NOERROR";
  if (rcode !== "NOERROR" && rcode !== "NXDOMAIN") {
    throw new RefusedError(
      rcode,
      `the name server at ${server.host}:${server.port} answers ${rcode} to "${name}"`,
    );
  }
  if (!answer.flag_aa) {
    throw new RefusedError(
      "NOTAUTH",
      `the name server at ${server.host}:${server.port} does not serve "${name}"`,
    );
  }
  const records = (answer.answers ?? []).filter((record) => record.type === type);
  const values = records.map((record) => String((record as { data: unknown }).data)).sort();
  const ttls = records.map((record) => (record as { ttl?: number }).ttl ?? 0);
  return { values, ttl: ttls.length === 0 ? 0 : Math.min(...ttls) };
}

/** Compares what is meant, not how it is spelt (`2001:DB8::1`, `2001:db8:0::1`). */
export function sameValues(type: RecordType, a: readonly string[], b: readonly string[]): boolean {
  const canonical = (values: readonly string[]) =>
    values
      .map((value) => encodeValue(type, value).toString("hex"))
      .sort()
      .join();
  return canonical(a) === canonical(b);
}
