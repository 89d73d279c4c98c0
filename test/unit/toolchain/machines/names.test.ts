import { describe, expect, test } from "vitest";
import { knownHostsLines, machineNames, runArguments } from "../../../../scripts/toolchain/machines/names.ts";

const wish = { name: "try", count: 2, subnet: "10.87.0.0/24" };

describe("test machines", () => {
  test("have letters and addresses in order", () => {
    expect(machineNames(wish)).toEqual([
      { container: "try-a", address: "10.87.0.11" },
      { container: "try-b", address: "10.87.0.12" },
    ]);
    expect(machineNames({ ...wish, count: 26 }).at(-1)?.container).toBe("try-z");
  });

  test.each([
    [{ name: "Try" }, "--name Try"],
    [{ name: "a b" }, "--name a b"],
    [{ count: 0 }, "--count 0"],
    [{ count: 27 }, "--count 27"],
    [{ count: Number("two") }, "--count NaN"],
    [{ subnet: "10.87.0.0/16" }, "--subnet 10.87.0.0/16"],
  ])("are refused as %o", (wrong, said) => {
    expect(() => machineNames({ ...wish, ...wrong })).toThrow(said);
  });

  test("get no right beyond what systemd takes, and share no control groups with the host", () => {
    const [first] = machineNames({ ...wish, extra: { a: ["--volume", "v:/v"] } });
    if (!first) throw new Error("no machine");
    const line = runArguments("net", first).join(" ");
    expect(line).not.toContain("--privileged");
    expect(line).not.toContain("/sys/fs/cgroup");
    expect(line).toContain("--network net --ip 10.87.0.11");
    expect(line).toMatch(/--volume v:\/v$/);
  });

  test("are known by the keys that they have", () => {
    const keys = "ssh-ed25519 AAAA root@try-a\necdsa-sha2-nistp256 BBBB root@try-a\n";
    expect(knownHostsLines("10.87.0.11", keys)).toBe(
      "10.87.0.11 ssh-ed25519 AAAA\n10.87.0.11 ecdsa-sha2-nistp256 BBBB\n",
    );
    expect(() => knownHostsLines("10.87.0.11", "")).toThrow("10.87.0.11 has no host key");
  });
});
