import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { readArguments, stacksOfMachines } from "../../../../scripts/toolchain/machines/arguments.ts";
import { machineNames, mirrorName } from "../../../../scripts/toolchain/machines/names.ts";

const pair = { name: "machines", count: 2, subnet: "10.87.0.0/24" };

describe("npm run machines", () => {
  test("is for a pair unless it is told otherwise", () => {
    expect(readArguments(["up"])).toEqual({ command: "up", wish: pair, release: "trixie", regions: false });
    expect(readArguments(["down", "--name", "others", "--count", "3"]).wish).toEqual({
      ...pair,
      name: "others",
      count: 3,
    });
  });

  test("has machines of their own for a region, which every other option changes", () => {
    const { wish, regions } = readArguments(["up", "--regions"]);
    expect(regions).toBe(true);
    expect(machineNames(wish).map(({ container }) => container)).toHaveLength(7);
    expect(wish.subnet).not.toBe(pair.subnet);
    expect(readArguments(["up", "--regions", "--count", "14"]).wish).toEqual({ ...wish, count: 14 });
  });

  test.each([
    [[], "Usage"],
    [["sideways"], "Usage"],
    [["up", "down"], "Usage"],
    [["up", "--region"], "--region"],
    [["up", "--release", "sid"], "--release sid"],
    [["up", "--regions", "--count", "0"], "--count 0"],
  ])("refuses %o", (args, said) => {
    expect(() => readArguments(args)).toThrow(said);
  });

  test.each([[["up"]], [["up", "--regions"]]])(
    "%o makes the machines that the stack of their name is written for",
    (args) => {
      const { wish } = readArguments(args);
      expect(stacksOfMachines).toContain(wish.name);
      const written = JSON.stringify(parseYaml(readFileSync(`stacks/Pulumi.${wish.name}.yaml`, "utf8")));
      const hosts = [...written.matchAll(/"host":"([\d.]+)"/g)].map(([, host]) => host);
      expect(hosts).toEqual(machineNames(wish).map(({ address }) => address));
      expect(hosts).not.toContain(mirrorName(wish).address);
      expect(written).toContain(wish.subnet);
    },
  );
});
