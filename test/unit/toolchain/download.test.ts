import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cliPlatform, downloadPlugin, downloadPulumi } from "../../../scripts/toolchain/download.ts";
import { PULUMI_VERSION } from "../../../scripts/toolchain/versions.ts";

let folder: string;
let server: Server;
const reasons: string[] = [];
const tell = (reason: string) => reasons.push(reason);
const files = new Map<string, Buffer>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "understudy-download-"));
  server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    response.statusCode = file === undefined ? 404 : 200;
    response.end(request.method === "HEAD" ? undefined : file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("UNDERSTUDY_PULUMI_RELEASES", `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  vi.stubEnv("XDG_CACHE_HOME", folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  files.clear();
  reasons.length = 0;
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** A gzipped tar with one executable file in it. */
function archive(path: string): Buffer {
  const source = mkdtempSync(join(folder, "source-"));
  const file = join(source, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, 0o755);
  return execFileSync("tar", ["-C", source, "-czf", "-", "."]);
}

const cliUrl = `/sdk/pulumi-v${PULUMI_VERSION}-${cliPlatform()}.tar.gz`;

describe("the official CLI", () => {
  test("is unpacked into the cache, whole", async () => {
    files.set(cliUrl, archive("pulumi/pulumi"));
    const bin = await downloadPulumi(tell);
    expect(readdirSync(bin ?? "")).toEqual(["pulumi"]);
    expect(readFileSync(join(bin ?? "", "pulumi"), "utf8")).toBe("#!/bin/sh\n");
  });

  test("is not to be had where releases do not answer for it", async () => {
    expect(await downloadPulumi(tell)).toBeUndefined();
    expect(reasons).toEqual([]);
  });

  test.each([
    ["cut off", /could not be unpacked/, () => archive("pulumi/pulumi").subarray(0, 40)],
    ["something else", /does not hold pulumi/, () => archive("readme")],
  ])(
    "is not taken from an archive that is %s, and nothing half done is used later",
    async (_what, reason, content) => {
      files.set(cliUrl, content());
      expect(await downloadPulumi(tell)).toBeUndefined();
      expect(reasons).toEqual([expect.stringMatching(reason)]);
      const kept = readdirSync(join(folder, "understudy")).filter((name) => name.startsWith("pulumi-"));
      expect(kept.filter((name) => !name.endsWith(".partial"))).toEqual([]);
      files.set(cliUrl, archive("pulumi/pulumi"));
      expect(existsSync(join((await downloadPulumi(tell)) ?? "", "pulumi"))).toBe(true);
    },
  );
});

test("a plugin is had where its release is, in the version asked for", async () => {
  const platform = cliPlatform()?.replace("x64", "amd64");
  files.set(`/plugins/pulumi-resource-random-v1.2.3-${platform}.tar.gz`, archive("pulumi-resource-random"));
  const target = join(folder, "plugin");
  mkdirSync(target);
  expect(await downloadPlugin({ name: "random", version: "1.2.4" }, target, tell)).toBe(false);
  expect(await downloadPlugin({ name: "random", version: "1.2.3" }, target, tell)).toBe(true);
  expect(readdirSync(target)).toEqual(["pulumi-resource-random"]);
});
