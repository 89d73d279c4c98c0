import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sign, TsigError, verify } from "../../../components/dns/tsig.ts";
import { encodeRecord, encodeUpdate, lastRecord } from "../../../components/dns/wire.ts";

const key = { name: "key.test", secret: Buffer.from("0123456789abcdef0123456789abcdef").toString("base64") };
const time = new Date("2026-11-21T12:00:00Z");
const message = encodeUpdate(0x1234, "ha.test", [], []);
const request = sign(message, key, time);

/** A server's answer, signed by the definition of RFC 8945 section 4.3, written apart from the code under test. */
function answer(
  options: { error?: number; other?: Buffer; secret?: string; requestMac?: Buffer; unsigned?: boolean } = {},
): Buffer {
  const { error = 0, other = Buffer.alloc(0), secret = key.secret, requestMac = request.mac } = options;
  const plain = Buffer.from(message);
  plain.writeUInt16BE(0xa800, 2);
  const owner = Buffer.from("\x03key\x04test\x00", "latin1");
  const algorithm = Buffer.from("\x0bhmac-sha256\x00", "latin1");
  const timers = Buffer.from("00006a0ef2c0012c", "hex");
  const end = Buffer.alloc(4);
  end.writeUInt16BE(error, 0);
  end.writeUInt16BE(other.length, 2);
  const length = Buffer.from([0, 32]);
  const signed = [
    length,
    requestMac,
    plain,
    owner,
    Buffer.from([0, 255, 0, 0, 0, 0]),
    algorithm,
    timers,
    end,
    other,
  ];
  const mac = options.unsigned
    ? Buffer.alloc(0)
    : createHmac("sha256", Buffer.from(secret, "base64")).update(Buffer.concat(signed)).digest();
  const data = Buffer.concat([
    algorithm,
    timers,
    Buffer.from([0, mac.length]),
    mac,
    plain.subarray(0, 2),
    end,
    other,
  ]);
  const response = Buffer.concat([
    plain,
    encodeRecord({ name: "key.test", type: 250, class: 255, ttl: 0, data }),
  ]);
  response.writeUInt16BE(1, 10);
  return response;
}

describe("sign", () => {
  test("adds one record behind the message and counts it", () => {
    expect(request.message.subarray(0, 10)).toEqual(message.subarray(0, 10));
    expect(request.message.readUInt16BE(10)).toBe(1);
    expect(request.message.subarray(12, message.length)).toEqual(message.subarray(12));
    expect(lastRecord(request.message)).toMatchObject({ start: message.length, type: 250 });
  });

  test("covers the message, the key's name, the time and the secret", () => {
    const macs = [
      request.mac,
      sign(encodeUpdate(0x1235, "ha.test", [], []), key, time).mac,
      sign(message, { ...key, name: "other.test" }, time).mac,
      sign(message, key, new Date(time.getTime() + 1000)).mac,
      sign(message, { ...key, secret: Buffer.from("another").toString("base64") }, time).mac,
    ].map((mac) => mac.toString("hex"));
    expect(new Set(macs).size).toBe(macs.length);
  });
});

describe("verify", () => {
  test("believes an answer to this request by this key", () => {
    expect(verify(answer(), request, key)).toEqual({ error: undefined, time: new Date(0x6a0ef2c0 * 1000) });
  });

  test.each([
    ["another key", { secret: Buffer.from("another").toString("base64") }],
    ["another request", { requestMac: Buffer.alloc(32) }],
  ])("refuses an answer signed for %s", (_, options) => {
    expect(() => verify(answer(options), request, key)).toThrow(TsigError);
  });

  test("refuses an answer that was changed on its way", () => {
    const changed = answer();
    changed.writeUInt8(changed.readUInt8(3) ^ 5, 3);
    expect(() => verify(changed, request, key)).toThrow(TsigError);
  });

  test("refuses an answer without a signature, and one that was stripped of it", () => {
    expect(() => verify(message, request, key)).toThrow("not signed");
    expect(() => verify(answer({ unsigned: true }), request, key)).toThrow(TsigError);
  });

  test.each([
    [16, "BADSIG"],
    [17, "BADKEY"],
  ])("takes the verdict %i, which cannot be signed", (error, name) => {
    expect(verify(answer({ error, unsigned: true }), request, key).error).toBe(name);
  });

  test("takes the server's clock from BADTIME, if that is signed", () => {
    const other = Buffer.from("00006a0f00d0", "hex");
    expect(verify(answer({ error: 18, other }), request, key)).toEqual({
      error: "BADTIME",
      time: new Date(0x6a0f00d0 * 1000),
    });
    expect(() => verify(answer({ error: 18, other, unsigned: true }), request, key)).toThrow(TsigError);
  });
});
