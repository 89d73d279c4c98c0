import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  imageContext,
  imageNames,
  imageTag,
  onDemandImageNames,
  onDemandImageTag,
} from "../../../components/hosts/containers/images.ts";
import { mirrorAmong, mirrorUsed, renderSources } from "../../../scripts/toolchain/baseImage.ts";
import { proxyArguments } from "../../../scripts/toolchain/nodeImages.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-images-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the tag of an image", () => {
  test("names the program, its version and the content", () => {
    expect(imageTag("postgres")).toMatch(/^understudy\/postgres:17-[0-9a-f]{12}$/);
    expect(imageTag("dns")).toMatch(/^understudy\/dns:9-[0-9a-f]{12}$/);
  });

  test("is the same for the same content wherever it lies", () => {
    for (const name of imageNames) {
      const copy = join(folder, name);
      cpSync(imageContext(name), copy, { recursive: true });
      expect(imageTag(name, copy)).toBe(imageTag(name));
    }
  });

  test("changes with a file's content, its name, and the folder it is in", () => {
    const tags = new Set<string>();
    const tag = () => tags.add(imageTag("dns", folder));
    writeFileSync(join(folder, "Dockerfile"), "FROM a");
    tag();
    writeFileSync(join(folder, "Dockerfile"), "FROM b");
    tag();
    writeFileSync(join(folder, "extra"), "");
    tag();
    rmSync(join(folder, "extra"));
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "sub", "extra"), "");
    tag();
    expect(tags.size).toBe(4);
  });

  test("two files cannot be taken for one whose content has the border in it", () => {
    writeFileSync(join(folder, "a"), "1");
    writeFileSync(join(folder, "b"), "2");
    const two = imageTag("dns", folder);
    rmSync(join(folder, "b"));
    writeFileSync(join(folder, "a"), "1b\x001\x002");
    expect(imageTag("dns", folder)).not.toBe(two);
  });
});

describe("an image that is built on demand", () => {
  test("is named by its program's version, to the byte where the program comes from outside the context", () => {
    expect(onDemandImageTag("consul")).toMatch(/^understudy\/consul:1\.15\.6-[0-9a-f]{12}$/);
    expect(onDemandImageTag("haproxy")).toMatch(/^understudy\/haproxy:3\.0-[0-9a-f]{12}$/);
  });

  test("is none of those that every set-up builds", () => {
    expect(imageNames).toEqual(["postgres", "dns"]);
    expect(onDemandImageNames.filter((name) => (imageNames as string[]).includes(name))).toEqual([]);
  });

  test("of Patroni names the same release as the wheels that go into it", () => {
    const wheels = readFileSync(join(imageContext("patroni"), "requirements.txt"), "utf8");
    const version = /^understudy\/patroni:(\d+\.\d+)-/.exec(onDemandImageTag("patroni"))?.[1];
    expect(wheels).toContain(`patroni==${version}.`);
  });
});

describe("the base image that is made here", () => {
  test("takes its packages from where this Debian does, not from a vendor or the security updates", () => {
    const targets = [
      "https://vendor.example/apt|main",
      "http://mirror.example/debian-security/|main",
      "http://mirror.example/debian/|contrib",
      "http://mirror.example/debian/|main",
    ].join("\n");
    expect(mirrorAmong(targets)).toBe("http://mirror.example/debian");
    expect(mirrorAmong("https://vendor.example/apt|main")).toBeUndefined();
  });

  test("names updates only where they are", () => {
    expect(renderSources("http://m/debian", false)).toBe("deb http://m/debian trixie main\n");
    expect(renderSources("http://m/debian", true)).toContain(
      "deb http://m/debian-security trixie-security main",
    );
  });
});

test("a build gets the proxy of this machine, in either spelling, and nothing where there is none", () => {
  expect(proxyArguments({ HTTPS_PROXY: "http://p:1", no_proxy: "x" })).toEqual([
    "--build-arg",
    "https_proxy=http://p:1",
    "--build-arg",
    "no_proxy=x",
  ]);
  expect(proxyArguments({})).toEqual([]);
});

test("the mirror that debootstrap chose is read from what it left for apt", () => {
  expect(mirrorUsed("deb http://mirror.example/debian/ trixie main\n")).toBe("http://mirror.example/debian");
  expect(mirrorUsed("deb [signed-by=/k.gpg] http://mirror.example/debian trixie main\n")).toBe(
    "http://mirror.example/debian",
  );
  expect(() => mirrorUsed("")).toThrow(/no list of package sources/);
});
