import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {
  ProviderType,
  ResourceType,
  Values,
} from "../../../../scripts/toolchain/plugins/resourceType.ts";
import { secret, UNKNOWN } from "../../../../scripts/toolchain/plugins/wire.ts";
import { Engine, urn } from "./engine.ts";

const NONE = 1;
const SOME = 2;
const kinds = { add: 0, addReplace: 1, delete: 2, deleteReplace: 3, update: 4, updateReplace: 5 };

const thing = "toy:index:Thing";
const fixed = "toy:index:Fixed";
const received: Values[] = [];
let readAnswer: Values | null = {};

const toy: ResourceType = {
  token: thing,
  inputs: {
    name: { required: true, replaces: true },
    size: { default: 3 },
    mode: { implied: "plain" },
    labels: {},
    ports: { replaces: true, properties: ["inner", "outer"] },
    password: {},
  },
  outputs: ["address", "token", "count"],
  updatedOutputs: ["count"],
  secretOutputs: ["token"],
  deleteBeforeReplace: true,
  check: (inputs) => ({
    ...(Number(inputs.size) > 9 ? { size: "too big" } : {}),
    ...(inputs.labels === undefined ? { labels: "are needed" } : {}),
  }),
  async create(inputs, context) {
    received.push(inputs);
    context.log("info", `making ${context.name}`);
    context.log("warning", `with ${String(inputs.password)}`);
    if (inputs.size === 7) {
      throw new Error(`cannot log in with ${String(inputs.password)}`);
    }
    return {
      id: "id-1",
      outputs: { address: "here", token: "t0k3n-value", password: inputs.password ?? null },
    };
  },
  async read(id) {
    return readAnswer === null ? null : { id, inputs: readAnswer, outputs: { address: "there" } };
  },
  async update(_id, olds, news) {
    received.push(olds, news);
    return { count: 2, address: null };
  },
};

const immutable: ResourceType = {
  token: fixed,
  inputs: { a: {} },
  secretInputsSpread: true,
  create: async () => ({ id: "x", outputs: { made: "of a" } }),
};

const provider: ProviderType = {
  name: "toy",
  version: "1.0.0",
  config: { host: { replaces: true }, options: {} },
  resources: [toy, immutable],
  functions: [
    {
      token: "toy:index:echo",
      inputs: { text: { required: true } },
      invoke: async (inputs, context) => ({ ...inputs, said: inputs.text ?? null, config: context.config }),
    },
  ],
};

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.of(provider);
});
afterAll(() => engine.stop());

describe("check", () => {
  test("fills in defaults, and leaves implied values to the state", async () => {
    const { inputs, failures } = await engine.check(thing, { name: "n", labels: {} });
    expect(failures).toEqual({});
    expect(inputs).toEqual({ name: "n", labels: {}, size: 3 });
  });

  test("refuses an input that is not implemented, by name, at the top and nested", async () => {
    const { failures } = await engine.check(thing, {
      name: "n",
      foo: 1,
      ports: [{ inner: 1 }, { inner: 2, protocol: "udp" }],
    });
    expect(failures.foo).toBe(
      'toy:index:Thing: input "foo" is not implemented by the offline plugin; install the official plugin or remove it',
    );
    expect(failures["ports[1].protocol"]).toContain('input "ports[1].protocol" is not implemented');
    expect(Object.keys(failures)).toHaveLength(2);
  });

  test("refuses it inside a secret, too", async () => {
    const { failures } = await engine.check(thing, { name: "n", ports: secret([{ bad: 1 }]) });
    expect(Object.keys(failures)).toEqual(["ports[0].bad"]);
  });

  test("misses what is required, and takes null for absent", async () => {
    const { failures } = await engine.check(thing, { name: null, bar: null, labels: {} });
    expect(failures).toEqual({ name: 'toy:index:Thing: input "name" is required' });
  });

  test("passes secrets and unknowns through", async () => {
    const news = { name: UNKNOWN, size: 1, labels: { a: UNKNOWN }, password: secret("hidden value") };
    const { inputs, failures } = await engine.check(thing, news);
    expect(failures).toEqual({});
    expect(inputs).toEqual(news);
  });

  test("asks the type about known inputs only, and about absent ones only when all is known", async () => {
    const tooBig = await engine.check(thing, { name: UNKNOWN, size: 10 });
    expect(tooBig.failures).toEqual({ size: "too big" });
    const complete = await engine.check(thing, { name: "n" });
    expect(complete.failures).toEqual({ labels: "are needed" });
  });

  test("ignores what bridged providers leave in inputs", async () => {
    const { inputs, failures } = await engine.check(thing, { name: "n", labels: {}, __defaults: ["size"] });
    expect(failures).toEqual({});
    expect(inputs).not.toHaveProperty("__defaults");
  });
});

describe("diff", () => {
  const olds = { name: "n", size: 3, labels: { a: "1", "b.c": "2" }, ports: [{ inner: 1 }] };

  test("none where nothing changed, however it was written down", async () => {
    const same = await engine.diff(thing, olds, { ...olds, mode: "plain", password: null });
    expect(same).toMatchObject({ changes: NONE, replaces: [], detailed: {}, deleteBeforeReplace: false });
    const { size: _, ...withoutDefault } = olds;
    const official = {
      ...withoutDefault,
      __defaults: ["size"],
      ports: [{ inner: 1, __defaults: [] }],
      extra: 1,
    };
    expect((await engine.diff(thing, official, olds)).changes).toBe(NONE);
  });

  test("none where a value became secret, or stopped being one", async () => {
    const hidden = { ...olds, labels: secret(olds.labels) };
    expect((await engine.diff(thing, olds, hidden)).changes).toBe(NONE);
    expect((await engine.diff(thing, hidden, olds)).changes).toBe(NONE);
  });

  test("an update, property by property", async () => {
    const news = { ...olds, size: 4, labels: { a: "1", "b.c": "3", d: "4" }, mode: "other" };
    const found = await engine.diff(thing, olds, news);
    expect(found).toMatchObject({ changes: SOME, replaces: [], deleteBeforeReplace: false });
    expect(found.detailed).toEqual({
      size: kinds.update,
      'labels["b.c"]': kinds.update,
      "labels.d": kinds.add,
      mode: kinds.update,
    });
  });

  test("a replacement, and how", async () => {
    const found = await engine.diff(thing, olds, { ...olds, name: "m", ports: [] });
    expect(found).toEqual({
      changes: SOME,
      replaces: ["name", "ports"],
      deleteBeforeReplace: true,
      detailed: { name: kinds.updateReplace, "ports[0]": kinds.deleteReplace },
    });
  });

  test("an unknown is a change", async () => {
    const found = await engine.diff(thing, olds, { ...olds, ports: [{ inner: UNKNOWN }] });
    expect(found.detailed).toEqual({ "ports[0].inner": kinds.updateReplace });
    expect((await engine.diff(thing, olds, { ...olds, name: secret(UNKNOWN) })).replaces).toEqual(["name"]);
  });

  test("a type without update replaces on everything", async () => {
    expect((await engine.diff(fixed, { a: 1 }, { a: 2 })).replaces).toEqual(["a"]);
  });
});

describe("create", () => {
  test("gives the plugin plain values and records inputs, implied values and outputs", async () => {
    received.length = 0;
    const inputs = {
      name: "n",
      size: 3,
      labels: { a: secret("s3cr3t-label") },
      password: secret("pass-word"),
    };
    const { id, state } = await engine.create(thing, inputs);
    expect(id).toBe("id-1");
    expect(received).toEqual([
      { name: "n", size: 3, labels: { a: "s3cr3t-label" }, password: "pass-word", mode: "plain" },
    ]);
    expect(state).toEqual({
      ...inputs,
      mode: "plain",
      address: "here",
      token: secret("t0k3n-value"),
    });
  });

  test("at preview does nothing: inputs are known, outputs are not", async () => {
    received.length = 0;
    const { id, state } = await engine.create(thing, { name: UNKNOWN, password: secret("pass-word") }, true);
    expect(received).toEqual([]);
    expect(id).toBe("");
    expect(state).toEqual({
      name: UNKNOWN,
      mode: "plain",
      password: secret("pass-word"),
      address: UNKNOWN,
      count: UNKNOWN,
      token: secret(UNKNOWN),
    });
  });

  test("logs under the resource, without secrets", async () => {
    engine.logged.length = 0;
    await engine.create(thing, { name: "n", password: secret("pass-word") });
    expect(engine.logged).toEqual([
      { urn: urn(thing), severity: 1, message: "making thing", ephemeral: true },
      { urn: urn(thing), severity: 2, message: "with [secret]", ephemeral: false },
    ]);
  });

  test("fails with a message, without secret and without stack", async () => {
    const failing = engine.create(thing, { name: "n", size: 7, password: secret("pass-word") });
    await expect(failing).rejects.toMatchObject({ code: 2, details: "cannot log in with [secret]" });
  });

  test("spreads the secrecy of an input over the outputs, for a type that asks for it", async () => {
    const { state } = await engine.create(fixed, { a: secret("hidden") });
    expect(state).toEqual({ a: secret("hidden"), made: secret("of a") });
    expect((await engine.create(fixed, { a: "open" })).state).toEqual({ a: "open", made: "of a" });
  });

  test("refuses a type that it does not have", async () => {
    await expect(engine.create("toy:index:Other", {})).rejects.toThrow(
      /toy:index:Other is not implemented by the offline plugin/,
    );
  });
});

describe("update", () => {
  const state = {
    name: "n",
    labels: { gone: "1" },
    address: "here",
    token: secret("t0k3n-value"),
    __meta: "{}",
    other: 1,
  };

  test("keeps outputs that it was not told about, and drops the ones set to null", async () => {
    received.length = 0;
    const updated = await engine.update(thing, state, { name: "n", size: 4 });
    expect(received[0]).toMatchObject({ token: "t0k3n-value" });
    expect(updated).toEqual({
      name: "n",
      size: 4,
      mode: "plain",
      count: 2,
      token: secret("t0k3n-value"),
      __meta: "{}",
      other: 1,
    });
  });

  test("at preview knows what does not change", async () => {
    expect(await engine.update(thing, state, { name: "n", size: UNKNOWN }, true)).toEqual({
      name: "n",
      size: UNKNOWN,
      mode: "plain",
      count: UNKNOWN,
      address: "here",
      token: secret("t0k3n-value"),
      __meta: "{}",
      other: 1,
    });
  });
});

describe("read", () => {
  const state = {
    name: "n",
    labels: { a: "1" },
    password: secret("pass-word"),
    address: "here",
    __meta: "{}",
  };
  const inputs = { name: "n", labels: { a: "1" }, password: secret("pass-word") };

  test("records what is found: values, secrecy, and what is missing", async () => {
    readAnswer = { name: "n", password: "changed-word" };
    expect(await engine.read(thing, "id-1", state, inputs)).toEqual({
      id: "id-1",
      inputs: { name: "n", password: secret("changed-word") },
      state: { name: "n", password: secret("changed-word"), address: "there", __meta: "{}" },
    });
  });

  test("says that it is gone", async () => {
    readAnswer = null;
    expect((await engine.read(thing, "id-1", state, inputs)).id).toBe("");
  });

  test("of a type without read returns the recorded state, and imports nothing", async () => {
    const recorded = { a: secret("x"), made: "of a" };
    const read = await engine.read(fixed, "x", recorded, { a: secret("x") });
    expect(read).toEqual({ id: "x", state: recorded, inputs: { a: secret("x") } });
    await expect(engine.read(fixed, "x", {}, {})).rejects.toThrow(/cannot be read or imported/);
  });
});

describe("the provider itself", () => {
  test("refuses configuration by name", async () => {
    const { failures } = await engine.checkConfig({ host: "h", version: "1.0.0", __internal: {}, port: "1" });
    expect(failures).toEqual({
      port: 'pulumi:providers:toy: input "port" is not implemented by the offline plugin; install the official plugin or remove it',
    });
  });

  test("replaces on a changed host, not on other options", async () => {
    expect((await engine.diffConfig({ host: "a" }, { host: "b" })).replaces).toEqual(["host"]);
    const options = await engine.diffConfig({ host: "a", options: "[1]" }, { host: "a", options: "[2]" });
    expect(options).toMatchObject({ changes: SOME, replaces: [] });
  });

  test("gives functions its configuration, decoded, and checks what they are given", async () => {
    await engine.configure({ host: secret("h"), options: '[{"a":true}]', version: "1.0.0" });
    const { result } = await engine.invoke("toy:index:echo", { text: secret("quiet") });
    expect(result).toEqual({
      text: secret("quiet"),
      said: secret("quiet"),
      config: secret({ host: "h", options: [{ a: true }] }),
    });
    const { failures } = await engine.invoke("toy:index:echo", { loud: true });
    expect(Object.keys(failures)).toEqual(["loud", "text"]);
  });
});
