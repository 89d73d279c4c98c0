import dnsPacket from "dns-packet";
import { describe, expect, test } from "vitest";
import {
  encodeName,
  encodeRecord,
  encodeUpdate,
  encodeValue,
  lastRecord,
} from "../../../components/dns/wire.ts";

describe("names", () => {
  test.each([
    ["Db.Example", "\x02db\x07example\x00"],
    ["db.example.", "\x02db\x07example\x00"],
  ])("%s in canonical form", (name, bytes) => {
    expect(encodeName(name).toString("latin1")).toBe(bytes);
  });

  test.each([["a..b"], [""], [`${"x".repeat(64)}.test`]])("refuses %j", (name) => {
    expect(() => encodeName(name)).toThrow(/is not a DNS name/);
  });
});

describe("values", () => {
  test.each([
    ["A", "10.86.0.11", "0a56000b"],
    ["AAAA", "fd00::1", "fd000000000000000000000000000001"],
    ["AAAA", "::", "00000000000000000000000000000000"],
    ["AAAA", "1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["AAAA", "::ffff:10.0.0.1", "00000000000000000000ffff0a000001"],
    ["CNAME", "a.test", "016104746573740".concat("0")],
  ] as const)("%s %s", (type, value, hex) => {
    expect(encodeValue(type, value).toString("hex")).toBe(hex);
  });

  test.each([
    ["A", "fd00::1"],
    ["A", "10.0.0.256"],
    ["AAAA", "10.0.0.1"],
  ] as const)("%s refuses %s", (type, value) => {
    expect(() => encodeValue(type, value)).toThrow(/is not an address for a record of type/);
  });
});

test("an update is what RFC 2136 says, as another implementation reads it", () => {
  const record = { name: "db.ha.test", type: 1, ttl: 0, data: Buffer.alloc(0) };
  const value = Buffer.from([10, 0, 0, 1]);
  const message = encodeUpdate(
    0xbeef,
    "ha.test",
    [{ ...record, class: 254 }],
    [
      { ...record, class: 255 },
      { ...record, class: 1, ttl: 5, data: value },
    ],
  );
  // Id, opcode 5, one zone, one prerequisite, two updates, nothing more.
  expect(message.subarray(0, 12).toString("hex")).toBe("beef28000001000100020000");
  const zone = Buffer.concat([encodeName("ha.test"), Buffer.from([0, 6, 0, 1])]);
  expect(message.subarray(12, 12 + zone.length)).toEqual(zone);
  expect(lastRecord(message)).toMatchObject({ type: 1, data: value });
  const added = encodeRecord({ ...record, class: 1, ttl: 5, data: value });
  const alone = dnsPacket.encode({
    type: "response",
    answers: [{ type: "A", name: "db.ha.test", ttl: 5, data: "10.0.0.1" }],
  });
  expect(added).toEqual(alone.subarray(12));
  expect(message.subarray(-added.length)).toEqual(added);
});
