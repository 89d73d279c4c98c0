/** A pair that is up, and a machine outside its network that previews changes of it, as a CI runner does. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { noEngine, outside as outsideOf } from "../support/outside.ts";
import { PairStack, refused, succeed } from "../support/pairStack.ts";
import type { Outcome } from "../support/stack.ts";

const pair = new PairStack({ name: "rec-preview", net: 97, port: 16802 });
const { stack } = pair;

const nobody = /NOBODY WAS REACHED/;

beforeAll(async () => {
  await pair.prepare();
});

afterAll(async () => {
  stack.extraEnvironment = {};
  await pair.remove();
});

async function outside(...args: string[]): Promise<Outcome> {
  stack.writeConfig();
  return await outsideOf(stack, ...args);
}

async function facts(): Promise<{ at: string; nodes: Record<string, unknown> }> {
  const { facts } = await stack.outputs<{ facts: string }>();
  return JSON.parse(facts);
}

test("before the first update it is planned as for nothing at all", async () => {
  const text = await succeed(outside("preview"));
  expect(text).toMatch(nobody);
  expect(text).toContain("no update has left facts");
  expect(text).toContain("make a new database system on site-a");
});

test("an update from there is refused", async () => {
  const text = await refused(outside("up", "--yes", "--skip-preview"), "E_NODE_UNREACHABLE");
  expect(text).toContain("site-a");
});

test("an update leaves facts, small and without a secret, and a second one leaves the same", async () => {
  await succeed(pair.up("--skip-preview"));
  const { facts: text, uri } = await stack.outputs<{ facts: string; uri: string }>();
  const password = new URL(uri.replace(/@.*/, "@host/")).password;
  expect(password).not.toBe("");
  expect(text).not.toContain(password);
  expect(Buffer.byteLength(text)).toBeLessThan(10_000);
  await pair.expectNoChanges();
  expect((await stack.outputs<{ facts: string }>()).facts).toBe(text);
});

test("an unchanged stack previews as unchanged, and says from when the facts are", async () => {
  const text = await succeed(outside("preview", "--expect-no-changes"));
  expect(text).toMatch(nobody);
  expect(text).toContain(`left at ${(await facts()).at} (`);
  expect(text).toMatch(/site-a: .*127\.0\.0\.1:9/);
  expect(text).toContain("Nothing to do; site-a leads.");
  expect(text).toMatch(/Resources:\n\s+\d+ unchanged\n/);
  expect(text).not.toContain("Outputs:");
});

test("a setting shows as a difference of the files and as the steps that bring it into force", async () => {
  stack.config.deployment.database["settings"] = { work_mem: "8MB" };
  const text = await succeed(outside("preview", "--diff"));
  expect(text).toMatch(nobody);
  expect(text).toMatch(/\+ work_mem = '8MB'/);
  expect(text).toContain("reload site-b (work_mem)");
  expect(text).toContain("reload site-a (work_mem)");
  for (const site of ["site-a", "site-b"]) {
    const resource = text.slice(text.indexOf(`::${site}-files]`));
    expect(resource.slice(0, resource.indexOf("[urn="))).toContain(`=> "work_mem = '8MB'"`);
  }
});

test("a move shows the switchover, and an update from there is refused with nothing changed", async () => {
  delete stack.config.deployment.database["settings"];
  stack.config.active = "site-b";
  const before = await facts();
  const wanted = await succeed(outside("preview"));
  expect(wanted).toContain("promote site-b, and start site-a as its standby");
  for (const more of [[], ["--skip-preview"]]) {
    await refused(outside("up", "--yes", ...more), "E_NODE_UNREACHABLE");
  }
  expect(await facts()).toEqual(before);
  stack.config.active = "site-a";
  await pair.expectNoChanges();
  // Not even the refused updates have cost the record.
  const text = await succeed(outside("preview", "--expect-no-changes"));
  expect(text).toContain(`left at ${before.at} (`);
});

test("after a real move the record is of the new roles", async () => {
  await pair.moveTo("site-b");
  const text = await succeed(outside("preview", "--expect-no-changes"));
  expect(text).toContain("Nothing to do; site-b leads.");
});

test("`npm run pulumi -- preview` says that there is no engine, and goes on", async () => {
  stack.extraEnvironment = noEngine;
  const text = await succeed(pair.preview("--expect-no-changes"));
  expect(text).toContain("no Docker engine answers there");
  expect(text).toMatch(nobody);
});
