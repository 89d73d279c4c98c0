/**
 * The offline `docker` plugin against a real engine: what the engine does with what it is asked, and that what it then
 * reports is not taken for a change.
 */

import { execFile, spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { docker } from "../../scripts/toolchain/plugins/docker/provider.ts";
import { withDefaults } from "../../scripts/toolchain/plugins/inputs.ts";
import { grpc, messages, services, struct as wire } from "../../scripts/toolchain/plugins/proto.ts";
import type { ResourceContext, ResourceType, Values } from "../../scripts/toolchain/plugins/resourceType.ts";

const image = "debian:trixie-slim";
const prefix = `dkplug-${process.pid}`;
const sh = promisify(execFile);
const engine = async (...args: string[]) => (await sh("docker", args)).stdout.trim();
const inspect = async (name: string) => JSON.parse(await engine("inspect", name))[0];

const logged: string[] = [];
const context: ResourceContext = {
  name: prefix,
  signal: new AbortController().signal,
  config: {},
  log: (_, message) => logged.push(message),
};

const typeOf = (name: string): ResourceType => {
  const type = docker.resources.find((one) => one.token.endsWith(`:${name}`));
  if (type === undefined) throw new Error(`no ${name}`);
  return type;
};
const container = typeOf("Container");
const network = typeOf("Network");
const volume = typeOf("Volume");
const remoteImage = typeOf("RemoteImage");

interface Recorded {
  readonly type: ResourceType;
  readonly id: string;
  readonly inputs: Values;
  readonly state: Values;
}
const alive = new Set<Recorded>();

/** As the server does: defaults are filled in, inputs are echoed, outputs laid over them. */
async function create(type: ResourceType, given: Values): Promise<Recorded> {
  const inputs = withDefaults(type.inputs, given);
  const { id, outputs } = await type.create(inputs, context);
  const made = { type, id, inputs, state: { ...inputs, ...outputs } };
  alive.add(made);
  return made;
}
const read = (made: Recorded) => made.type.read?.(made.id, made.state, context);

async function update(made: Recorded, change: Values): Promise<Recorded> {
  const inputs = { ...made.inputs, ...change };
  const outputs = await made.type.update?.(made.id, made.state, inputs, context);
  alive.delete(made);
  const now = { ...made, inputs, state: { ...made.state, ...inputs, ...outputs } };
  alive.add(now);
  return now;
}

async function remove(made: Recorded): Promise<void> {
  await made.type.delete?.(made.id, made.state, context);
  alive.delete(made);
}

const sleeper = (name: string, more: Values = {}): Values => ({
  name: `${prefix}-${name}`,
  image,
  command: ["sleep", "600"],
  labels: [{ label: "dkplug", value: prefix }],
  ...more,
});

let subnet: string;
beforeAll(async () => {
  await inspect(image); // set-up makes it; without it nothing here can be tested
  subnet = `10.253.${process.pid % 256}`;
});
afterEach(async () => {
  for (const made of [...alive].reverse()) await remove(made);
  logged.length = 0;
});
afterAll(async () => {
  const left = await engine("ps", "-aq", "--filter", `label=dkplug=${prefix}`);
  expect(left, "containers left").toBe("");
});

describe("a container", () => {
  test("is made, is unchanged when read, is changed in place, is deleted", async () => {
    const data = await create(volume, { name: `${prefix}-data` });
    const made = await create(
      container,
      sleeper("full", {
        user: "65534",
        envs: ["PGDATA=/data", "SECRET=s3cret-value"],
        hostname: "pg",
        memory: 64,
        cpuShares: 512,
        restart: "unless-stopped",
        volumes: [{ volumeName: data.id, containerPath: "/data" }, { containerPath: "/scratch" }],
        ports: [{ internal: 5432, ip: "127.0.0.1" }],
        tmpfs: { "/run": "size=1m" },
        capabilities: { drops: ["ALL"] },
        securityOpts: ["no-new-privileges"],
        ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
        shmSize: 32,
        init: true,
        readOnly: true,
        stopSignal: "SIGINT",
        stopTimeout: 5,
        logOpts: { "max-size": "1m" },
        hosts: [{ host: "db", ip: "10.0.0.1" }],
        healthcheck: { tests: ["CMD", "true"], interval: "1s" },
      }),
    );
    expect(made.id).toMatch(/^[0-9a-f]{64}$/);
    expect(made.state).toMatchObject({ name: `${prefix}-full`, bridge: "", containerLogs: "", exitCode: 0 });
    expect(made.state.networkDatas).toMatchObject([{ networkName: "bridge" }]);
    expect(made.state.ports).toMatchObject([{ external: expect.any(Number) }]);

    const unchanged = await read(made);
    expect(unchanged).toMatchObject({ id: made.id, outputs: { networkDatas: made.state.networkDatas } });
    expect(unchanged).not.toHaveProperty("inputs");

    const bigger = await update(made, { memory: 256, restart: "always", cpuShares: 256 });
    const { HostConfig, State } = await inspect(made.id);
    expect(HostConfig).toMatchObject({ Memory: 256 << 20, MemorySwap: 512 << 20, CpuShares: 256 });
    expect(HostConfig.RestartPolicy.Name).toBe("always");
    expect(State.StartedAt).toBe((await inspect(bigger.id)).State.StartedAt);
    expect(await read(bigger)).not.toHaveProperty("inputs");

    const { memory: _, cpuShares: __, ...rest } = bigger.inputs;
    await container.update?.(made.id, bigger.state, rest, context);
    const unlimited = await container.read?.(made.id, { ...rest, name: `${prefix}-full` }, context);
    expect(unlimited).not.toHaveProperty("inputs");

    const anonymous = (await inspect(made.id)).Mounts.find(
      (one: Values) => one.Destination === "/scratch",
    ).Name;
    await remove(bigger);
    expect(await read(bigger)).toBeNull();
    await expect(inspect(anonymous)).rejects.toThrow(); // went with it; the named one did not
    expect(await read(data)).not.toBeNull();
    await container.delete?.(made.id, made.state, context); // once more is no error
    expect(logged.join()).not.toContain("s3cret");
  });

  test("that was stopped is told by mustRun, and is started again, on a network made anew", async () => {
    const net = await create(network, { name: `${prefix}-again`, labels: [] });
    const made = await create(
      container,
      sleeper("stopped", { networksAdvanced: [{ name: `${prefix}-again` }] }),
    );
    await engine("stop", "-t", "0", made.id);
    expect(await read(made)).toMatchObject({ inputs: { mustRun: false, name: `${prefix}-stopped`, image } });

    await remove(net);
    await create(network, { name: `${prefix}-again`, labels: [] });
    const stopped = { ...made, state: { ...made.state, mustRun: false } };
    await update(stopped, { mustRun: true });
    alive.delete(made);
    expect((await inspect(made.id)).State.Running).toBe(true);
    expect(await read(made)).not.toHaveProperty("inputs");
  });

  test("with mustRun false is left alone", async () => {
    const made = await create(container, sleeper("alone", { mustRun: false }));
    await engine("stop", "-t", "0", made.id);
    expect(await read(made)).not.toHaveProperty("inputs");
    await update(made, { memory: 64 });
    expect((await inspect(made.id)).State.Running).toBe(false);
  });

  test("that was renamed or limited by hand is told so", async () => {
    const made = await create(container, sleeper("hand"));
    await engine("rename", made.id, `${prefix}-other`);
    await engine("update", "--memory", "64m", "--memory-swap", "64m", made.id);
    expect(await read(made)).toMatchObject({ inputs: { name: `${prefix}-other`, memory: 64 } });
  });

  test("is on its networks with its addresses and aliases, and was never on the default bridge", async () => {
    const one = {
      name: `${prefix}-one`,
      ipamConfigs: [{ subnet: `${subnet}.0/25`, gateway: `${subnet}.1` }],
    };
    const two = { name: `${prefix}-two`, internal: true, ipamConfigs: [{ subnet: `${subnet}.128/25` }] };
    const nets = [await create(network, one), await create(network, two)];
    const since = Math.floor(Date.now() / 1000);
    const made = await create(
      container,
      sleeper("net", {
        networksAdvanced: [
          { name: one.name, ipv4Address: `${subnet}.10`, aliases: ["pg"] },
          { name: nets[1]?.id ?? "", ipv4Address: `${subnet}.200` },
        ],
      }),
    );
    expect(made.state.networkDatas).toMatchObject([
      { networkName: one.name, ipAddress: `${subnet}.10`, gateway: `${subnet}.1`, ipPrefixLength: 25 },
      { networkName: two.name, ipAddress: `${subnet}.200` },
    ]);
    const found = await inspect(made.id);
    expect(found.NetworkSettings.Networks[one.name].Aliases).toContain("pg");
    expect(Object.keys(found.NetworkSettings.Networks).sort()).toEqual([one.name, two.name]);
    expect(await read(made)).not.toHaveProperty("inputs");
    const events = await engine(
      ...["events", "--since", String(since), "--until", String(Date.now() / 1000)],
      ...["--filter", "type=network", "--filter", "event=connect"],
      ...["--format", "{{.Actor.Attributes.container}} {{.Actor.Attributes.name}}"],
    );
    const connected = events.split("\n").filter((line) => line.startsWith(made.id));
    expect(connected.map((line) => line.split(" ")[1]).sort()).toEqual([one.name, two.name]);

    await engine("network", "disconnect", two.name, made.id);
    const cutOff = await read(made);
    expect(cutOff?.inputs?.networksAdvanced).toHaveLength(1);
  });

  test("is waited for until it is healthy", async () => {
    const made = await create(
      container,
      sleeper("healthy", {
        command: ["sh", "-c", "sleep 1; touch /tmp/ready; sleep 600"],
        wait: true,
        healthcheck: { tests: ["CMD", "test", "-f", "/tmp/ready"], interval: "300ms", retries: 100 },
      }),
    );
    expect((await inspect(made.id)).State.Health.Status).toBe("healthy");
  });

  test("that does not become healthy is an error that quotes the check, not the environment, and is not left", async () => {
    const failing = sleeper("ill", {
      envs: ["PASSWORD=s3cret-value"],
      wait: true,
      waitTimeout: 5,
      healthcheck: { tests: ["CMD-SHELL", 'echo "no: $PASSWORD"; false'], interval: "300ms" },
    });
    await expect(create(container, failing)).rejects.toThrow(
      /"dkplug-\d+-ill" did not become healthy within 5 s. Its healthcheck ended with 1 and said:\nno: \[hidden\]/,
    );
    await expect(inspect(`${prefix}-ill`)).rejects.toThrow();
  });

  test("that ends at once is an error with its last words", async () => {
    const failing = sleeper("ends", { command: ["sh", "-c", "echo FATAL: no such data >&2; exit 3"] });
    await expect(create(container, failing)).rejects.toThrow(
      /ended with exit code 3.*\nFATAL: no such data/s,
    );
    await expect(inspect(`${prefix}-ends`)).rejects.toThrow();
  });

  test("that is attached to is waited for, and its logs are an output", async () => {
    const job = { command: ["sh", "-c", "echo done; exit 4"], attach: true, logs: true, mustRun: false };
    const made = await create(container, sleeper("job", job));
    expect(made.state).toMatchObject({ containerLogs: "done\n", exitCode: 4 });
    expect(await read(made)).not.toHaveProperty("inputs");
  });

  test("gets its time to stop", async () => {
    const slow = "trap 'sleep 1; echo bye > /out/bye; exit 0' TERM; while :; do sleep 0.1; done";
    const out = await create(volume, { name: `${prefix}-out` });
    const volumes = [{ volumeName: out.id, containerPath: "/out" }];
    const made = await create(
      container,
      sleeper("slow", { command: ["sh", "-c", slow], destroyGraceSeconds: 20, volumes }),
    );
    await remove(made);
    const said = sleeper("said", {
      command: ["cat", "/out/bye"],
      attach: true,
      logs: true,
      mustRun: false,
      volumes,
    });
    expect((await create(container, said)).state.containerLogs).toBe("bye\n");
  });

  test("that an interrupted update left is taken over; another of its name is refused", async () => {
    const inputs = withDefaults(container.inputs, sleeper("left", { envs: ["A=one"] }));
    const first = await container.create(inputs, context);
    const again = await create(container, inputs);
    expect(again.id).toBe(first.id);
    expect(logged.join()).toContain("as an interrupted update left it");
    for (const change of [{ envs: ["A=two"] }, { command: ["sleep", "1"] }, { labels: [] }]) {
      await expect(create(container, { ...inputs, ...change })).rejects.toThrow(/not of this stack/);
    }
    expect((await inspect(first.id)).State.Running).toBe(true);
  });

  test("says which port or address is taken, and which image is missing", async () => {
    const port = 20_000 + (process.pid % 10_000);
    const ports = [{ internal: 80, external: port, ip: "127.0.0.1" }];
    await create(container, sleeper("port", { ports }));
    await expect(create(container, sleeper("port2", { ports }))).rejects.toThrow(
      new RegExp(`port ${port} on 127.0.0.1 is already in use`),
    );
    await expect(inspect(`${prefix}-port2`)).rejects.toThrow();
    await expect(create(container, sleeper("none", { image: "127.0.0.1:1/none:1" }))).rejects.toThrow(
      /The image "127.0.0.1:1\/none:1" is not on the Docker host .* cannot be pulled.*docker load/s,
    );
  });

  test("without a name gets one that is no change later", async () => {
    const { name: _, ...unnamed } = sleeper("");
    const made = await create(container, unnamed);
    expect(made.state.name).toMatch(new RegExp(`^${prefix}-[0-9a-f]{7}$`));
    await engine("stop", "-t", "0", made.id);
    expect((await read(made))?.inputs).not.toHaveProperty("name");
  });
});

describe("a network", () => {
  const net = { name: `${prefix}-net`, labels: [{ label: "dkplug", value: prefix }] };

  test("is read, taken over after an interruption, refused when it is another's, and gone", async () => {
    const inputs = withDefaults(network.inputs, { ...net, ipamConfigs: [{ subnet: `${subnet}.0/24` }] });
    const first = await network.create(inputs, context);
    const again = await create(network, inputs);
    expect(again.id).toBe(first.id);
    expect(await read(again)).toEqual({ id: first.id, outputs: { scope: "local" } });
    await expect(create(network, { ...inputs, internal: true })).rejects.toThrow(/already exists/);
    await remove(again);
    expect(await read(again)).toBeNull();
    await network.delete?.(again.id, again.state, context);
  });
});

describe("a volume", () => {
  test("is read, kept with what it holds, and gone", async () => {
    const given = { name: `${prefix}-vol`, labels: [{ label: "dkplug", value: prefix }] };
    const made = await create(volume, given);
    expect(made).toMatchObject({
      id: given.name,
      state: { mountpoint: expect.stringContaining(given.name) },
    });
    expect(await read(made)).not.toHaveProperty("inputs");
    await volume.create({ name: given.name, labels: [{ label: "dkplug", value: "other" }] }, context);
    expect(logged.join()).toContain("was there already");
    await remove(made);
    expect(await read(made)).toBeNull();
  });
});

describe("an image", () => {
  test("that is present is used, and stays when it is kept", async () => {
    const made = await create(remoteImage, { name: image, keepLocally: true });
    expect(made.state.imageId).toBe((await inspect(image)).Id);
    expect(await read(made)).not.toHaveProperty("inputs");
    await remove(made);
    await inspect(image);
  });
});

describe("the engine", () => {
  const at = (host: string): ResourceContext => ({ ...context, config: { host } });

  test("that does not answer is named", async () => {
    const host = `unix://${tmpdir()}/${prefix}.sock`;
    await expect(container.create(sleeper("x"), at(host))).rejects.toThrow(
      new RegExp(`no Docker engine answers at ${host}`),
    );
    await expect(volume.read?.("x", { name: "x" }, at("tcp://127.0.0.1:1"))).rejects.toThrow(
      /connection refused/,
    );
  });

  // `ssh` is stood in for: what it starts on the other side runs here. The host key is OpenSSH's business.
  test("is reached over ssh", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dkplug-"));
    try {
      await writeFile(
        join(folder, "ssh"),
        '#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done; shift 2; exec "$@"\n',
      );
      await chmod(join(folder, "ssh"), 0o755);
      vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
      const far = at("ssh://me@site-b.example.test");
      const { id } = await container.create(
        withDefaults(container.inputs, sleeper("far", { wait: false })),
        far,
      );
      expect(await container.read?.(id, sleeper("far"), far)).toMatchObject({ id });
      await container.delete?.(id, sleeper("far"), far);
      await writeFile(join(folder, "ssh"), "#!/bin/sh\necho Host key verification failed. >&2; exit 255\n");
      await expect(volume.read?.("x", { name: "x" }, at("ssh://site-c.example.test"))).rejects.toThrow(
        /ssh:\/\/site-c.example.test cannot be reached: Host key verification failed\./,
      );
    } finally {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true });
    }
  });
});

describe("the plugin as the engine starts it", () => {
  test("checks, compares, creates, reads, updates and deletes", async () => {
    const plugin = await started();
    try {
      const urn = `urn:pulumi:stack::project::${container.token}::${prefix}`;
      const given = sleeper("grpc", { envs: ["P=s3cret-value"] });
      const refused = await plugin.call("check", (request: Messages.CheckRequest) => {
        request.setUrn(urn);
        request.setNews(struct({ ...given, gpus: "all", ports: [{ internal: 1, bogus: 2 }] }));
      });
      expect(refused.failuresList.map((one: { property: string }) => one.property)).toEqual([
        "gpus",
        "ports[0].bogus",
      ]);
      const checked = await plugin.call("check", (request: Messages.CheckRequest) => {
        request.setUrn(urn);
        request.setNews(struct(given));
      });
      expect(checked.failuresList).toEqual([]);
      const inputs = checked.inputs as Values;
      expect(inputs).toMatchObject({
        mustRun: true,
        restart: "no",
        networkMode: "bridge",
        removeVolumes: true,
      });

      const made = await plugin.call("create", (request: Messages.CreateRequest) => {
        request.setUrn(urn);
        request.setProperties(struct(inputs));
      });
      const unchanged = await plugin.call("read", (request: Messages.ReadRequest) => {
        request.setUrn(urn);
        request.setId(made.id);
        request.setInputs(struct(inputs));
        request.setProperties(struct(made.properties));
      });
      expect(unchanged.inputs).toEqual(inputs);
      expect(unchanged.properties).toEqual(made.properties);

      const diff = (news: Values) =>
        plugin.call("diff", (request: Messages.DiffRequest) => {
          request.setUrn(urn);
          request.setId(made.id);
          request.setOldInputs(struct(inputs));
          request.setOlds(struct(made.properties));
          request.setNews(struct(news));
        });
      expect(await diff(inputs)).toMatchObject({ changes: 1, replacesList: [], diffsList: [] });
      expect(await diff({ ...inputs, memory: 64 })).toMatchObject({ changes: 2, replacesList: [] });
      expect(await diff({ ...inputs, envs: ["P=2"] })).toMatchObject({
        replacesList: ["envs"],
        deletebeforereplace: true,
      });

      const bigger = { ...inputs, memory: 64 };
      const updated = await plugin.call("update", (request: Messages.UpdateRequest) => {
        request.setUrn(urn);
        request.setId(made.id);
        request.setOlds(struct(made.properties));
        request.setNews(struct(bigger));
      });
      expect(updated.properties).toMatchObject({ memory: 64, name: `${prefix}-grpc` });
      expect((await inspect(made.id)).HostConfig.Memory).toBe(64 << 20);

      await plugin.call("delete", (request: Messages.DeleteRequest) => {
        request.setUrn(urn);
        request.setId(made.id);
        request.setProperties(struct(updated.properties));
      });
      await expect(inspect(made.id)).rejects.toThrow();
    } finally {
      plugin.stop();
    }
  });
});

const struct = (values: Values) =>
  wire.Struct.fromJavaScript(values as Parameters<typeof wire.Struct.fromJavaScript>[0]);

const requests = {
  check: messages.CheckRequest,
  diff: messages.DiffRequest,
  create: messages.CreateRequest,
  read: messages.ReadRequest,
  update: messages.UpdateRequest,
  delete: messages.DeleteRequest,
} as const;

/** What a call answers: the fields of the message, its structures as plain values. */
// biome-ignore lint/suspicious/noExplicitAny: each call answers another message, and the test says what it expects
type Answer = any;

/** The main program in a process of its own, and calls to it. */
async function started() {
  const main = fileURLToPath(new URL("../../scripts/toolchain/plugins/docker/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "127.0.0.1:1"], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<string>((resolve) => {
    child.stdout.once("data", (data) => resolve(String(data).trim()));
  });
  const client = new services.ResourceProviderClient(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
  ) as unknown as Record<
    string,
    (request: unknown, done: (error: Error | null, answer: Answer) => void) => void
  >;
  return {
    stop: () => child.kill(),
    // biome-ignore lint/suspicious/noExplicitAny: as above
    call: (name: keyof typeof requests, fill: (request: any) => void): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const request = new requests[name]();
        fill(request);
        client[name]?.(request, (error, answer) => {
          if (error !== null) return reject(error);
          const plain = answer.toObject();
          for (const field of ["Inputs", "Properties"]) {
            const found = answer[`get${field}`]?.()?.toJavaScript();
            if (found !== undefined) plain[field.toLowerCase()] = found;
          }
          resolve(plain);
        });
      }),
  };
}
