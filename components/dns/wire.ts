/**
 * The parts of the DNS wire format (RFC 1035, RFC 2136) that an update needs and `dns-packet` cannot write: the class
 * NONE, records without data, and the exact place of the last record, over which a signature is made.
 */
import { isIPv4, isIPv6 } from "node:net";

export type RecordType = "A" | "AAAA" | "CNAME";

export const typeCodes: Readonly<Record<RecordType, number>> = { A: 1, CNAME: 5, AAAA: 28 };
export const tsigType = 250;
export const soaType = 6;

export const classes = { in: 1, none: 254, any: 255 } as const;

const headerBytes = 12;
const opcodeUpdate = 5 << 11;

export interface WireRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly data: Buffer;
}

/** Lower case and uncompressed: the canonical form, which signatures are made over. */
export function encodeName(name: string): Buffer {
  const labels = name.toLowerCase().replace(/\.$/, "").split(".");
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, "ascii");
    if (bytes.length === 0 || bytes.length > 63) {
      throw new Error(`"${name}" is not a DNS name`);
    }
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

export function encodeValue(type: RecordType, value: string): Buffer {
  if (type === "CNAME") {
    return encodeName(value);
  }
  if (type === "A" ? !isIPv4(value) : !isIPv6(value)) {
    throw new Error(`"${value}" is not an address for a record of type ${type}`);
  }
  return type === "A" ? Buffer.from(value.split(".").map(Number)) : encodeIPv6(value);
}

export function encodeRecord(record: WireRecord): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(record.type, 0);
  fixed.writeUInt16BE(record.class, 2);
  fixed.writeUInt32BE(record.ttl, 4);
  fixed.writeUInt16BE(record.data.length, 8);
  return Buffer.concat([encodeName(record.name), fixed, record.data]);
}

/** An UPDATE (RFC 2136 section 2): the zone, what must be true, and what is then done, all or nothing. */
export function encodeUpdate(
  id: number,
  zone: string,
  prerequisites: readonly WireRecord[],
  updates: readonly WireRecord[],
): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(opcodeUpdate, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(prerequisites.length, 6);
  header.writeUInt16BE(updates.length, 8);
  const zoneTypeAndClass = Buffer.from([0, soaType, 0, classes.in]);
  const records = [...prerequisites, ...updates].map(encodeRecord);
  return Buffer.concat([header, encodeName(zone), zoneTypeAndClass, ...records]);
}

/** Where the last record begins, and its parts; undefined in a message without records. */
export function lastRecord(message: Buffer): { start: number; type: number; data: Buffer } | undefined {
  let offset = headerBytes;
  for (let i = 0; i < message.readUInt16BE(4); i++) {
    offset = afterName(message, offset) + 4;
  }
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  let last: { start: number; type: number; data: Buffer } | undefined;
  for (let i = 0; i < records; i++) {
    const fixed = afterName(message, offset);
    const end = fixed + 10 + message.readUInt16BE(fixed + 8);
    last = { start: offset, type: message.readUInt16BE(fixed), data: message.subarray(fixed + 10, end) };
    offset = end;
  }
  return last;
}

/** The offset behind a name, which may end in a pointer. */
export function afterName(message: Buffer, offset: number): number {
  let at = offset;
  for (;;) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) {
      return at + 2;
    }
    at += 1 + length;
    if (length === 0) {
      return at;
    }
  }
}

function encodeIPv6(value: string): Buffer {
  const [head = "", tail] = withoutDottedEnd(value).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups.entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  }
  return bytes;
}

/** `::ffff:10.0.0.1` → `::ffff:a00:1` */
function withoutDottedEnd(value: string): string {
  return value.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const pair = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
    return `${pair(a, b)}:${pair(c, d)}`;
  });
}
