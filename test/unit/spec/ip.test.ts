import { expect, test } from "vitest";
import { contains, covers, parseAddress, parseCidr } from "../../../components/spec/ip.ts";

test.each([
  ["10.86.0.1", "10.86.0.1"],
  ["010.086.000.001", "10.86.0.1"],
  ["::ffff:10.86.0.1", "10.86.0.1"],
  ["::FFFF:0a56:0001", "10.86.0.1"],
  ["fd00::1", "fd00:0:0:0:0:0:0:1"],
  ["FD00:0:0::0001", "fd00:0:0:0:0:0:0:1"],
  ["::", "0:0:0:0:0:0:0:0"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
])("%s is %s", (text, canonical) => {
  expect(parseAddress(text)?.text).toBe(canonical);
});

test.each([
  "",
  "10.86.0",
  "10.86.0.256",
  "10.86.0.1 ",
  "10.86.0.-1",
  "10.86.0.1/32",
  "0x0a.0.0.1",
  ":",
  ":::",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1::2::3",
  "1:2:3:4:5:6:7::8",
  "g::1",
  "12345::",
  "::1.2.3.256",
])("%j is no address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1", "fd00::/129", "x/8"])(
  "%j is no block",
  (text) => {
    expect(parseCidr(text)).toBeUndefined();
  },
);

test("blocks contain addresses and cover blocks", () => {
  const [wide, narrow, six] = ["10.0.0.0/8", "10.86.0.0/16", "fd00::/8"].map(parseCidr);
  const [inside, outside] = ["10.86.255.255", "10.87.0.0"].map(parseAddress);
  if (!wide || !narrow || !six || !inside || !outside) expect.unreachable();
  expect([contains(narrow, inside), contains(narrow, outside), contains(six, inside)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([covers(wide, narrow), covers(narrow, wide), covers(six, narrow)]).toEqual([true, false, false]);
  expect(parseCidr("10.86.1.0/16")?.aligned).toBe(false);
});
