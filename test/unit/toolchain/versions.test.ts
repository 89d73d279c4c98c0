import { describe, expect, test } from "vitest";
import { cacheKey } from "../../../scripts/toolchain/cache.ts";
import { cliPlatform, pluginPlatform } from "../../../scripts/toolchain/download.ts";
import { findVersion, isAtLeast, PROVIDERS, providerVersion } from "../../../scripts/toolchain/versions.ts";

describe("choice of a version", () => {
  test.each([
    ["3.230.0", "3.230.0", true],
    ["3.229.9", "3.230.0", false],
    ["3.1000.0", "3.230.0", true],
    ["4.0.0", "3.230.0", true],
    ["1.19.8", "1.25.11", false],
    ["1.25.9", "1.25.11", false],
    ["1.26", "1.25.11", true],
    ["1.25", "1.25.11", false],
  ])("%s is at least %s: %s", (version, oldest, expected) => {
    expect(isAtLeast(version, oldest)).toBe(expected);
  });

  test("a version is found in what programs print", () => {
    expect(findVersion("v3.250.0")).toBe("3.250.0");
    expect(findVersion("v3.251.0-alpha.1+dirty\n")).toBe("3.251.0");
    expect(findVersion("warning: no version")).toBeUndefined();
  });

  test("every provider's plugin has the version that package.json pins", () => {
    for (const name of PROVIDERS) expect(providerVersion(name)).toMatch(/^\d+\.\d+\.\d+$/);
    expect(providerVersion("command")).toBe("1.2.1");
  });
});

describe("what a release is called", () => {
  test("the cache tells version, system and processor apart", () => {
    expect(cacheKey("pulumi", "3.250.0", "linux", "x64")).toBe("pulumi-3.250.0-linux-x64");
    expect(cacheKey("pulumi", "3.250.0", "linux", "arm64")).not.toBe(
      cacheKey("pulumi", "3.250.0", "linux", "x64"),
    );
  });

  test("CLI and plugins name the processor differently", () => {
    expect(cliPlatform("linux", "x64")).toBe("linux-x64");
    expect(pluginPlatform("linux", "x64")).toBe("linux-amd64");
    expect(pluginPlatform("darwin", "arm64")).toBe("darwin-arm64");
    expect(cliPlatform("linux", "s390x")).toBeUndefined();
    expect(cliPlatform("win32", "x64")).toBeUndefined();
  });
});
