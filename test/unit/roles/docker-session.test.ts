import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DockerAccess } from "../../../components/hosts/containers/session.ts";
import type { DockerReach } from "../../../components/roles/desired.ts";

const stub = fileURLToPath(new URL("../../support/docker-stub", import.meta.url));
const reach: DockerReach = {
  kind: "docker",
  container: "demo-a",
  dataVolume: "demo-a-data",
  image: "postgres",
};
const running = {
  Running: true,
  Paused: false,
  Restarting: false,
  Status: "running",
  ExitCode: 0,
  OOMKilled: false,
};
const exited = { ...running, Running: false, Status: "exited", ExitCode: 137 };

let access: DockerAccess;

function behave(scenario: object): void {
  vi.stubEnv("DOCKER_STUB", JSON.stringify(scenario));
}

beforeEach(() => {
  vi.stubEnv("PATH", [stub, process.env.PATH].join(delimiter));
  access = new DockerAccess("a", reach, { engineMs: 5_000, observeMs: 5_000, pollMs: 10 });
});

afterEach(async () => {
  await access.close();
  vi.unstubAllEnvs();
});

describe("observe", () => {
  const look = () => access.observe({ catalog: false });

  test("no container, no volume", async () => {
    behave({});
    expect(await look()).toEqual({ reach: "absent", data: "none" });
  });

  test("no container, a volume that was kept", async () => {
    behave({ volume: true });
    expect(await look()).toEqual({ reach: "absent", data: "kept" });
  });

  test("a container that was killed", async () => {
    behave({ state: exited });
    expect(await look()).toEqual({
      reach: "stopped",
      reason: "its container is exited (exit 137)",
      report: null,
    });
  });

  test("a stopped container is looked into by an agent beside it, which is kept until the container starts", async () => {
    behave({ state: exited, beside: true });
    const facts = await look();
    expect(facts).toMatchObject({
      reach: "stopped",
      report: {
        command: [
          ...["run", "--rm", "-i", "--volumes-from", "demo-a", "--network", "none", "--user", "postgres"],
          ...["--entrypoint", "python3", "postgres", "/etc/understudy/node.py", "serve", "--offline"],
        ],
      },
    });
    const beside = await access.open();
    expect(await beside.call("control", {})).toMatchObject({
      command: expect.arrayContaining(["--offline"]),
    });
    behave({ state: running });
    await access.startUnit(5);
    expect(beside.ended).toBe(true);
    expect(await access.open()).not.toBe(beside);
  });

  test("an agent beside it that hangs is given up in time, and the container is stopped all the same", async () => {
    behave({ state: exited, beside: true, agent: "silent" });
    access = new DockerAccess("a", reach, { observeMs: 300 });
    expect(await look()).toMatchObject({ reach: "stopped", report: null });
  });

  test("out of memory is said", async () => {
    behave({ state: { ...exited, OOMKilled: true } });
    expect(await look()).toEqual({
      reach: "stopped",
      reason: "its container is exited (out of memory)",
      report: null,
    });
  });

  test("a container that cannot stay up", async () => {
    behave({ state: { ...running, Restarting: true, ExitCode: 2 } });
    expect(await look()).toEqual({
      reach: "stopped",
      reason: "its container ends again and again (exit 2)",
      report: null,
    });
  });

  test("paused is not stopped", async () => {
    behave({ state: { ...running, Paused: true } });
    expect(await look()).toEqual({ reach: "unreachable", reason: "its container is paused" });
  });

  test("an agent that is not installed", async () => {
    behave({ state: running, agent: "missing" });
    const facts = await look();
    expect(facts).toMatchObject({ reach: "stopped", reason: expect.stringContaining("No such file") });
  });

  test("a report", async () => {
    behave({ state: running });
    expect(await look()).toMatchObject({
      reach: "up",
      report: { verb: "observe", args: { catalog: false } },
      image: "postgres",
    });
  });

  test("an engine that is down", async () => {
    behave({ engine: "down" });
    expect(await look()).toMatchObject({
      reach: "unreachable",
      reason: expect.stringContaining("Cannot connect"),
    });
  });

  test("an engine that hangs is given up in time", async () => {
    behave({ engine: "hangs" });
    access = new DockerAccess("a", reach, { engineMs: 200 });
    const began = performance.now();
    expect(await look()).toEqual({
      reach: "unreachable",
      reason: "a: the Docker engine did not answer within 0.2 s",
    });
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test("an agent that hangs is given up in time", async () => {
    behave({ state: running, agent: "silent" });
    access = new DockerAccess("a", reach, { observeMs: 500 });
    expect(await look()).toMatchObject({
      reach: "unreachable",
      reason: expect.stringContaining("no answer to observe within 0.5 s"),
    });
  });

  test("no docker command", async () => {
    behave({});
    vi.stubEnv("PATH", "/nowhere");
    expect(await look()).toMatchObject({
      reach: "unreachable",
      reason: expect.stringContaining("no `docker` command"),
    });
  });
});

describe("a conversation", () => {
  test("is kept, and its channel is used again", async () => {
    behave({ state: running });
    expect(await access.open()).toBe(await access.open());
  });

  test("another one is another channel", async () => {
    behave({ state: running });
    const other = await access.openAnother();
    expect(other).not.toBe(await access.open());
    await other.close();
  });

  test("goes to the engine that the deployment names", async () => {
    behave({});
    access = new DockerAccess("a", { ...reach, dockerHost: "tcp://10.0.0.9:2376" });
    const session = await access.open();
    expect(await session.call("reload", {})).toMatchObject({ dockerHost: "tcp://10.0.0.9:2376" });
  });

  test("an answer that comes byte by byte", async () => {
    behave({ agent: "chunks" });
    const session = await access.open();
    expect(await session.call("slots", { ensure: ["b"], drop: [] })).toEqual({
      echo: { ensure: ["b"], drop: [] },
      text: 'ä\u2028"',
    });
  });

  test("questions that overlap get their own answers", async () => {
    behave({ agent: "chunks" });
    const session = await access.open();
    const answers = await Promise.all([
      session.call("password", { role: "x" }),
      new Promise((resolve) => setTimeout(resolve, 300)).then(() => session.call("password", { role: "y" })),
    ]);
    expect(answers).toMatchObject([{ echo: { role: "x" } }, { echo: { role: "y" } }]);
  });

  test("no is an error with the node's code", async () => {
    behave({ agent: "refuses" });
    const session = await access.open();
    await expect(session.call("initdb", {})).rejects.toMatchObject({ node: "a", code: "E_DATA_PRESENT" });
    expect(session.ended).toBe(false);
  });

  test("progress is shown, and each sign of it starts the limit anew", async () => {
    behave({ agent: "slow" });
    const lines: string[] = [];
    const session = await access.open();
    const call = session.call(
      "clone",
      { from: "b" },
      { timeoutMs: 400, onProgress: (line) => lines.push(line) },
    );
    expect(await call).toEqual({ bytes: 1 });
    expect(lines).toEqual(["3 to go", "2 to go", "1 to go"]);
  });

  test("a container that dies in the middle is named, with its last words and without its password", async () => {
    behave({ agent: "dies" });
    const session = await access.open();
    const error = await session.call("initdb", {}).then(
      () => new Error("it answered"),
      (reason: Error) => reason,
    );
    expect(error.message).toMatch(/^a: the connection ended \(exit 137\): /);
    expect(error.message).toContain("Killed");
    expect(error.message).not.toContain("hunter2");
    await expect(session.call("observe", {})).rejects.toThrow("the connection ended");
  });

  test("after an end, a new channel is opened", async () => {
    behave({ agent: "dies" });
    const first = await access.open();
    await first.call("initdb", {}).catch(() => undefined);
    behave({});
    const second = await access.open();
    expect(await second.call("reload", {})).toMatchObject({ verb: "reload" });
  });

  test("an agent of another age is not talked to", async () => {
    behave({ agent: "silent", protocol: 9 });
    const session = await access.open();
    await expect(session.call("initdb", {})).rejects.toThrow("it speaks protocol 9, we 1");
  });

  test("words that are no answer end it", async () => {
    behave({ agent: "babbles" });
    const session = await access.open();
    await expect(session.call("initdb", {})).rejects.toMatchObject({ code: "E_PROTOCOL" });
    expect(session.ended).toBe(true);
  });
});

describe("starting the container", () => {
  test("ends when the agent answers", async () => {
    behave({ state: running });
    await access.startUnit(5);
  });

  test("says why it does not stay up", async () => {
    behave({ state: exited });
    await expect(access.startUnit(2)).rejects.toThrow("its container is exited (exit 137)");
  });
});
