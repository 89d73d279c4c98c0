/**
 * Transaction signatures (RFC 8945) with hmac-sha256: a request is signed with a key that the server knows, and
 * the answer is believed only when it is signed with the same key over the same request.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { afterName, classes, encodeName, encodeRecord, lastRecord, tsigType } from "./wire.ts";

export interface TsigKey {
  readonly name: string;
  /** Base64. */
  readonly secret: string;
}

export interface SignedMessage {
  readonly message: Buffer;
  readonly mac: Buffer;
}

/** What the server says of the signature; `time` is the server's clock, given with BADTIME. */
export interface TsigVerdict {
  readonly error: "BADSIG" | "BADKEY" | "BADTIME" | "BADTRUNC" | undefined;
  readonly time: Date;
}

/** The answer's signature is not what the key makes of it. */
export class TsigError extends Error {}

const algorithm = "hmac-sha256";
/** Seconds that the two clocks may differ; RFC 8945's recommendation. */
const fudgeSeconds = 300;
const errors: Readonly<Record<number, TsigVerdict["error"]>> = {
  16: "BADSIG",
  17: "BADKEY",
  18: "BADTIME",
  22: "BADTRUNC",
};

export function sign(message: Buffer, key: TsigKey, time: Date): SignedMessage {
  const timers = encodeTimers(time, fudgeSeconds);
  const mac = hmac(key, [message, variables(key.name, timers, 0, Buffer.alloc(0))]);
  const id = message.subarray(0, 2);
  const none = Buffer.alloc(2);
  const data = Buffer.concat([encodeName(algorithm), timers, uint16(mac.length), mac, id, none, none]);
  const record = encodeRecord({ name: key.name, type: tsigType, class: classes.any, ttl: 0, data });
  const signed = Buffer.concat([message, record]);
  signed.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return { message: signed, mac };
}

/**
 * Checks the answer to a signed request.
 *
 * @throws TsigError when it is not signed, or not by the key. An answer that says BADKEY or BADSIG cannot be
 * signed (section 5.3.2): its verdict is returned, and it proves nothing but that the request was not accepted.
 */
export function verify(response: Buffer, request: SignedMessage, key: TsigKey): TsigVerdict {
  const last = lastRecord(response);
  if (last === undefined || last.type !== tsigType) {
    throw new TsigError("the server's answer is not signed");
  }
  const { timers, mac, originalId, error, other } = decode(last.data);
  const verdict = { error: errors[error], time: serverTime(error === 18 ? other : timers) };
  if (mac.length === 0 && (error === 16 || error === 17)) {
    return verdict;
  }
  const unsigned = Buffer.from(response.subarray(0, last.start));
  originalId.copy(unsigned, 0);
  unsigned.writeUInt16BE(response.readUInt16BE(10) - 1, 10);
  const expected = hmac(key, [
    uint16(request.mac.length),
    request.mac,
    unsigned,
    variables(key.name, timers, error, other),
  ]);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
    throw new TsigError("the server's answer is signed with another key");
  }
  return verdict;
}

/** Section 4.3.3: the fields of the record that are part of what is signed. */
function variables(keyName: string, timers: Buffer, error: number, other: Buffer): Buffer {
  const classAndTtl = Buffer.from([0, classes.any, 0, 0, 0, 0]);
  return Buffer.concat([
    encodeName(keyName),
    classAndTtl,
    encodeName(algorithm),
    timers,
    uint16(error),
    uint16(other.length),
    other,
  ]);
}

function decode(data: Buffer): {
  timers: Buffer;
  mac: Buffer;
  originalId: Buffer;
  error: number;
  other: Buffer;
} {
  const timersAt = afterName(data, 0);
  const macAt = timersAt + 10;
  const macEnd = macAt + data.readUInt16BE(timersAt + 8);
  return {
    timers: data.subarray(timersAt, timersAt + 8),
    mac: data.subarray(macAt, macEnd),
    originalId: data.subarray(macEnd, macEnd + 2),
    error: data.readUInt16BE(macEnd + 2),
    other: data.subarray(macEnd + 6, macEnd + 6 + data.readUInt16BE(macEnd + 4)),
  };
}

/** 48 bits of seconds since 1970, 16 bits of fudge. */
function encodeTimers(time: Date, fudge: number): Buffer {
  const timers = Buffer.alloc(8);
  timers.writeUIntBE(Math.floor(time.getTime() / 1000), 0, 6);
  timers.writeUInt16BE(fudge, 6);
  return timers;
}

function serverTime(bytes: Buffer): Date {
  return new Date(bytes.length < 6 ? 0 : bytes.readUIntBE(0, 6) * 1000);
}

function hmac(key: TsigKey, parts: readonly Buffer[]): Buffer {
  const mac = createHmac("sha256", Buffer.from(key.secret, "base64"));
  for (const part of parts) {
    mac.update(part);
  }
  return mac.digest();
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value, 0);
  return bytes;
}
