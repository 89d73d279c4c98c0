import type { ServerChannel } from "ssh2";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessTo, closeAll } from "../../../components/hosts/access.ts";
import { MachineAccess } from "../../../components/hosts/machines/session.ts";
import type { DesiredNode, MachineReach, SshStop } from "../../../components/roles/desired.ts";
import type { SshServer } from "../toolchain/plugins/sshServer.ts";
import { Bench } from "./ssh/machine.ts";

/** What the machine is like. A started unit is up; a stopped one has data to be looked into. */
interface Scenario {
  readonly unit?: "up" | "stopped" | "absent";
  readonly agent?: "well" | "silent" | "missing" | "dies";
  readonly sudo?: string;
  /** What systemctl says that does not start it. */
  readonly start?: string;
  readonly endsAtOnce?: boolean;
}

const user = "op";
let bench: Bench;
let server: SshServer;
let scenario: Scenario;
let access: MachineAccess;

beforeEach(async () => {
  bench = new Bench();
  scenario = {};
  server = await bench.server({ user, onExec: (channel, _, command) => answer(channel, command) });
  access = accessBy({ user });
});

afterEach(async () => {
  await access.close();
  await bench.end();
});

function accessBy(change: Partial<SshStop>, limits = {}): MachineAccess {
  return new MachineAccess("a", reachBy(change), bench.pool(), { pollMs: 10, ...limits });
}

function reachBy(change: Partial<SshStop>): MachineReach {
  const ssh = bench.stop(server.port, change);
  return { kind: "machine", ssh, unit: "understudy-postgres.service", account: "postgres" };
}

function answer(channel: ServerChannel, command: string): void {
  if (scenario.sudo) end(channel, 1, "", scenario.sudo);
  else if (command.includes("node.py")) serve(channel, command);
  else if (command.includes("systemctl show")) end(channel, 0, shown());
  else if (command.includes("systemctl start")) start(channel);
  else if (command.includes("systemctl restart")) start(channel);
  else end(channel, 127, "", "not found");
}

function start(channel: ServerChannel): void {
  if (scenario.start) end(channel, 1, "", scenario.start);
  else {
    if (!scenario.endsAtOnce) scenario = { ...scenario, unit: "up" };
    end(channel, 0);
  }
}

function end(channel: ServerChannel, code: number, stdout = "", stderr = ""): void {
  if (channel.writableEnded || channel.stderr.writableEnded) return;
  channel.write(stdout);
  channel.stderr.write(stderr);
  channel.exit(code);
  channel.end();
}

function shown(): string {
  const states = { up: "loaded active", stopped: "loaded failed", absent: "not-found inactive" };
  const [load, active] = states[scenario.unit ?? "up"].split(" ");
  return `LoadState=${load}\nActiveState=${active}\nSubState=x\nResult=signal\nExecMainStatus=9\nUnderstudyData=kept\n`;
}

function serve(channel: ServerChannel, command: string): void {
  if (scenario.agent === "missing") {
    end(channel, 2, "", "python3: can't open file '/etc/understudy/node.py': [Errno 2] No such file");
    return;
  }
  channel.write('{"ready":true,"protocol":1}\n');
  channel.on("end", () => end(channel, 0));
  channel.on("data", (data: Buffer) => {
    const { id, verb, args } = JSON.parse(String(data));
    if (scenario.agent === "dies") end(channel, 137, "", "password=hunter2\nKilled");
    else if (scenario.agent !== "silent") {
      channel.write(`${JSON.stringify({ id, result: { verb, args, command } })}\n`);
    }
  });
}

describe("observe", () => {
  const look = () => access.observe({ catalog: true });

  test("a unit that runs, asked as its account and through sudo", async () => {
    expect(await look()).toEqual({
      reach: "up",
      report: {
        verb: "observe",
        args: { catalog: true },
        command: "env LC_ALL=C.UTF-8 sudo -n -- runuser -u postgres -- python3 /etc/understudy/node.py serve",
      },
    });
  });

  test("no unit", async () => {
    scenario = { unit: "absent" };
    expect(await look()).toEqual({ reach: "absent", data: "kept" });
  });

  test("a stopped unit is looked into by an agent beside it, which is kept until the unit starts", async () => {
    scenario = { unit: "stopped" };
    expect(await look()).toMatchObject({
      reach: "stopped",
      reason: "its unit is failed (signal 9)",
      report: { command: expect.stringMatching(/serve --offline$/) },
    });
    const beside = await access.open();
    await access.startUnit(5);
    expect(beside.ended).toBe(true);
    expect(await access.open()).not.toBe(beside);
    expect(await look()).toMatchObject({ reach: "up" });
  });

  test("a stopped unit whose agent is not installed", async () => {
    scenario = { unit: "stopped", agent: "missing" };
    expect(await look()).toMatchObject({ reach: "stopped", report: null });
  });

  test("an agent that is not installed", async () => {
    scenario = { agent: "missing" };
    expect(await look()).toMatchObject({ reach: "stopped", reason: expect.stringContaining("No such file") });
  });

  test("an agent that hangs is given up in time, and the connection goes on", async () => {
    scenario = { agent: "silent" };
    access = accessBy({ user }, { observeMs: 200 });
    expect(await look()).toMatchObject({
      reach: "unreachable",
      reason: expect.stringContaining("no answer to observe within 0.2 s"),
    });
    scenario = {};
    expect(await look()).toMatchObject({ reach: "up" });
    expect(server.made).toBe(1);
  });

  test.each<[what: string, stop: Partial<SshStop>, reason: string]>([
    ["another host key", { hostKeys: [] }, "its host key is not known"],
    ["another user", { user: "somebody" }, "does not accept the key"],
    ["a host that is not there", { port: 1 }, "nothing listens on port 1"],
  ])("%s is the reason", async (_, stop, reason) => {
    access = accessBy({ user, ...stop });
    expect(await look()).toMatchObject({ reach: "unreachable", reason: expect.stringContaining(reason) });
  });

  test("sudo that asks for a password is the reason, with what to do", async () => {
    scenario = { sudo: "sudo: a password is required\n" };
    const facts = await look();
    expect(facts).toMatchObject({
      reach: "unreachable",
      reason: expect.stringContaining("op cannot become root: sudo asks for a password"),
    });
    expect(facts).toMatchObject({ reason: expect.stringContaining(`op@127.0.0.1:${server.port}`) });
  });
});

describe("a conversation", () => {
  test("is kept, also for those who ask at the same moment", async () => {
    const [one, two] = await Promise.all([access.open(), access.open()]);
    expect(one).toBe(two);
    expect(await access.open()).toBe(one);
  });

  test("another one is another channel of the same connection", async () => {
    const [one, other] = await Promise.all([access.open(), access.openAnother()]);
    expect(other).not.toBe(one);
    await other.close();
    expect(await one.call("reload", {})).toMatchObject({ verb: "reload" });
    expect(server.made).toBe(1);
  });

  test("one that dies is named, with its last words and without its password", async () => {
    scenario = { agent: "dies" };
    const first = await access.open();
    const error = await first.call("initdb", {}).catch((reason: Error) => reason);
    expect(error).toMatchObject({ node: "a", code: "E_CHANNEL" });
    expect(String(error)).toContain("a: the connection ended (exit 137)");
    expect(String(error)).toContain("Killed");
    expect(String(error)).not.toContain("hunter2");
    scenario = {};
    expect(await (await access.open()).call("reload", {})).toMatchObject({ verb: "reload" });
  });

  test("a connection that is cut ends it, and the next goes over a new one", async () => {
    const first = await access.open();
    scenario = { agent: "silent" };
    const asked = first.call("checkpoint", {});
    for (const open of server.open) open.end();
    await expect(asked).rejects.toMatchObject({ code: "E_CHANNEL" });
    await expect(asked).rejects.toThrow(/^a: op@127.0.0.1:\d+: the SSH connection was cut/);
    scenario = {};
    expect(await (await access.open()).call("reload", {})).toMatchObject({ verb: "reload" });
    expect(server.made).toBe(2);
  });
});

describe("starting the unit", () => {
  test("a masked one is not started, and that is said", async () => {
    const start = "Failed to start understudy-postgres.service: Unit understudy-postgres.service is masked.";
    scenario = { unit: "stopped", start };
    await expect(access.startUnit(5)).rejects.toMatchObject({ code: "E_UNIT" });
    await expect(access.startUnit(5)).rejects.toThrow("is masked");
  });

  test("says why it does not stay up", async () => {
    scenario = { unit: "stopped", endsAtOnce: true };
    await expect(access.startUnit(0.3)).rejects.toThrow(
      "a: the unit does not stay up within 0.3 s: its unit is failed (signal 9)",
    );
  });
});

describe("restarting the unit", () => {
  test("ends with its new agent's answer, and the conversation beside it is over", async () => {
    scenario = { unit: "stopped" };
    await access.observe({ catalog: true });
    const beside = await access.open();
    await access.restartUnit(5);
    expect(beside.ended).toBe(true);
    expect(await access.observe({ catalog: true })).toMatchObject({ reach: "up" });
  });

  test("says why it did not start, or does not stay up", async () => {
    const said =
      "Job for understudy-postgres.service failed because the control process exited with error code.";
    scenario = { start: said };
    await expect(access.restartUnit(5)).rejects.toThrow("Job for understudy-postgres.service failed");
    scenario = { unit: "stopped", endsAtOnce: true };
    await expect(access.restartUnit(0.3)).rejects.toThrow("the unit does not stay up within 0.3 s");
  });
});

describe("all of a deployment", () => {
  const nodes = () => ["a", "b"].map((name) => ({ name, reach: reachBy({ user }) }) as DesiredNode);

  test("two nodes of one machine share its connection, which ends with them", async () => {
    const all = accessTo(nodes());
    await Promise.all([...all.values()].map((node) => node.observe({ catalog: false })));
    expect(server.made).toBe(1);
    await closeAll(all);
    await expect.poll(() => server.open.size).toBe(0);
  });

  test("somebody else's connections stay", async () => {
    const pool = bench.pool();
    const all = accessTo(nodes(), pool);
    await all.get("a")?.observe({ catalog: false });
    await closeAll(all);
    expect(server.open.size).toBe(1);
  });
});
