/**
 * The hosts of a region as services of machines: one Consul server, one member, one proxy, with their packages there
 * already, and without Pulumi. What the agent needs of systemd, and systemd of the agent.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessToUnits, closeAll } from "../../components/hosts/access.ts";
import type { MachineHostArgs } from "../../components/hosts/machines/machineHost.ts";
import { machineReach } from "../../components/hosts/machines/reach.ts";
import { routeOf } from "../../components/hosts/machines/ssh/route.ts";
import { unitArgs } from "../../components/regions/hostSetup.ts";
import { accessOf } from "../../components/regions/render/access.ts";
import { type AnyHost, programOfHost } from "../../components/regions/render/programs.ts";
import type { UnitAccess } from "../../components/regions/session.ts";
import type { UnitVerbs } from "../../components/regions/verbs.ts";
import type { SshRoute } from "../../components/roles/desired.ts";
import type { Machine } from "../../components/spec/model.ts";
import { hostsOf, type Pooling, type RegionalDeployment } from "../../components/spec/regionalModel.ts";
import { ensureStockedMachineImage } from "../../scripts/toolchain/machines/mirrorImages.ts";
import { Progress } from "../../scripts/toolchain/progress.ts";
import { AgentHosts } from "../support/agentHosts.ts";
import { giveWatchdog, takeWatchdog } from "../support/fakeWatchdog.ts";
import { leave, runAll, type Script, scriptsOf } from "../support/machineScripts.ts";
import { onMachine, reboot, type TestMachine, TestMachines } from "../support/machines.ts";
import { eventually } from "../support/nodes.ts";
import { exampleMachine } from "../unit/hosts/machines/example.ts";

const NET = 188;
const letters = { "member-1": "a", "consul-1": "b", proxy: "c" } as const;
type Name = keyof typeof letters;
const [member, server, proxy] = ["member-1", "consul-1", "proxy"] as const;
const limit = { timeoutSeconds: 60 } as const;

const sample = new AgentHosts("region-units", `10.${NET}.0`);
let machines: TestMachines;
let deployment: RegionalDeployment;
let access: Map<string, UnitAccess>;

const machineOf = (name: Name): TestMachine => machines.machine(letters[name]);
const on = (name: Name, script: string) => onMachine(machineOf(name).container, script);
const unitOf = (name: Name) => `understudy-${programOfHost[hostOf(name).role]}.service`;

function hostOf(name: string): AnyHost {
  const found = deployment.regions.flatMap(hostsOf).find((host) => host.name === name);
  if (!found) throw new Error(`no host ${name}`);
  return found;
}

function routeTo({ address }: TestMachine): SshRoute {
  const hop = { host: address, port: 22, user: "root", keyFile: machines.keyFile };
  const target = { ...hop, hostKey: undefined, knownHostsFile: machines.knownHosts, jump: undefined };
  const readFile = (path: string) => readFileSync(path, "utf8");
  return routeOf(target, { home: "/", secretKeyFile: undefined, readFile });
}

/** The sample's hosts at the machines' addresses, with one server. */
function deploymentOf(pooling?: Pooling): RegionalDeployment {
  const [region] = sample.deployment.regions;
  if (!region) throw new Error("the sample has no region");
  const placed = <H extends AnyHost>(hosts: readonly H[]): H[] =>
    hosts
      .filter(({ name }) => name in letters)
      .map((host) => {
        const { address } = machineOf(host.name as Name);
        return { ...host, address, place: { target: "machines" as const, machine: machine() } };
      });
  const { servers, members, proxies } = region;
  const pooled = placed(proxies).map((proxy) => ({ ...proxy, pooledPort: pooling?.port }));
  return {
    ...sample.deployment,
    database: { ...sample.deployment.database, pooling },
    regions: [{ ...region, servers: placed(servers), members: placed(members), proxies: pooled }],
  };
}

const machine = (): Machine => exampleMachine();

async function scriptsFor(name: Name, more: Partial<MachineHostArgs> = {}) {
  const host = hostOf(name);
  const { files, secrets } = sample.contentOf(deployment, host);
  return await scriptsOf({
    name,
    args: {
      deployment: deployment.name,
      address: host.address,
      machine: machine(),
      route: routeTo(machineOf(name)),
      program: programOfHost[host.role],
      database: deployment.database,
      repair: undefined,
      silent: false,
      ...more,
    },
    unit: unitArgs(deployment, host),
    files,
    secrets,
  });
}

async function call<V extends keyof UnitVerbs>(
  name: Name,
  verb: V,
  args: UnitVerbs[V]["args"],
): Promise<UnitVerbs[V]["result"]> {
  const found = access.get(name);
  if (!found) throw new Error(`no way to ${name}`);
  // The kept one: where the service is down, with an agent beside it.
  const session = await found.open();
  return await session.call(verb, args, { timeoutMs: 90_000 });
}

beforeAll(async () => {
  const stocked = await ensureStockedMachineImage(new Progress({ quiet: true }));
  const images = Object.fromEntries(Object.values(letters).map((letter) => [letter, stocked]));
  machines = await TestMachines.start({ name: "region-units", net: NET, count: 4, images });
  deployment = deploymentOf();
  await sample.certify(deployment.regions.flatMap(hostsOf));
  const names = Object.keys(letters) as Name[];
  access = accessToUnits(
    names.map((name) => ({
      name,
      reach: machineReach(routeTo(machineOf(name)), programOfHost[hostOf(name).role]),
    })),
  );
});

afterAll(async () => {
  await closeAll(access ?? new Map());
  await machines?.remove();
});

test("on a bare machine without a newer source Debian's own Patroni is refused, and nothing is installed", async () => {
  const bare = routeTo(machines.machine("d"));
  const [prepare] = (await scriptsFor(member)).scripts;
  expect(await runAll(bare, prepare ? [prepare] : [])).toEqual({
    code: 1,
    said: expect.stringMatching(
      /^member-1: patroni \S+ is what its sources have: name a newer source in `packageMirror`; 4\.1 or newer is needed\. Nothing was installed$/,
    ),
  });
  const { container } = machines.machine("d");
  expect(await onMachine(container, "ls /usr/lib/postgresql 2>&1 || true")).toContain("No such file");
});

test("they come up, and nothing of the distribution's runs beside ours", async () => {
  const names = Object.keys(letters) as Name[];
  const wanted: [Name, readonly Script[]][] = [];
  for (const name of names) wanted.push([name, (await scriptsFor(name)).scripts]);
  const ran = wanted.map(
    async ([name, scripts]) => [name, await runAll(routeTo(machineOf(name)), scripts)] as const,
  );
  expect(Object.fromEntries(await Promise.all(ran))).toEqual(
    Object.fromEntries(names.map((name) => [name, { code: 0, said: "" }])),
  );
  for (const name of names) {
    expect(await on(name, `systemctl is-active ${unitOf(name)}; systemctl is-enabled ${unitOf(name)}`)).toBe(
      "active\nenabled",
    );
    const foreign = "systemctl is-active patroni consul haproxy; systemctl is-enabled patroni consul haproxy";
    expect(await on(name, `{ ${foreign}; } 2>&1 | grep -xE 'active|enabled' || echo none`)).toBe("none");
    expect(await on(name, `systemd-analyze verify ${unitOf(name)} understudy-firewall.service 2>&1`)).toBe(
      "",
    );
  }
  expect((await on(member, "apt-mark showhold")).split("\n")).toEqual([
    "consul",
    "patroni",
    "postgresql-17",
    "postgresql-client-17",
  ]);
}, 400_000);

const comesUp = async () => {
  await call(server, "awaitConsul", limit);
  await call(server, "awaitVoters", { expected: 1, ...limit });
  await call(server, "grant", accessOf(deployment, deployment.regions[0] ?? expect.unreachable()));
  await call(member, "awaitConsul", limit);
  await call(member, "awaitLeader", { as: "primary", ...limit });
  await call(proxy, "awaitBackend", { member, ...limit });
};

test("they are one region that leads; an operator asks it as PostgreSQL's account", async () => {
  await comesUp();
  const list = await on(member, "sudo -u postgres patronictl -c /run/understudy/patroni list -f json");
  expect(JSON.parse(list)).toMatchObject([{ Member: member, Role: "Leader", State: "running" }]);
  for (const name of [member, server, proxy]) {
    const found = await access.get(name)?.observe({ catalog: false });
    expect(found).toMatchObject({ reach: "up", report: { problems: [] } });
  }
});

test("pooling that is turned on brings PgBouncer into the proxy's unit, and takes it away when it is turned off", async () => {
  const install = async () => {
    const ran = await runAll(routeTo(machineOf(proxy)), (await scriptsFor(proxy)).scripts);
    expect(ran).toEqual({ code: 0, said: "" });
    await call(proxy, "awaitBackend", { member, ...limit });
  };
  const pooling: Pooling = {
    ...{ port: 6432, poolSize: 20, reservePoolSize: 0, maxClients: 500, preparedStatements: 200 },
    pauseSeconds: 30,
  };
  deployment = deploymentOf(pooling);
  await install();
  expect(await call(proxy, "observe", {})).toMatchObject({ problems: [], pooler: { paused: null } });
  expect(await on(proxy, "systemctl is-active pgbouncer; systemctl is-enabled pgbouncer; true")).toBe(
    "inactive\ndisabled",
  );
  // The whole of what there is. A machine of this test may have less than a unit asks for.
  const allOfIt = "awk '/^Max open files/ { print $4 == $5 }' /proc/$pid/limits";
  const limits = `systemctl show --value -p LimitNOFILE ${unitOf(proxy)}; pid=$(pgrep -x pgbouncer); ${allOfIt}`;
  expect(await on(proxy, `${limits}; stat -c %U /proc/$pid`)).toBe("524288\n1\nhaproxy");
  const { address } = machineOf(proxy);
  expect(await on(proxy, `ss -Hltn 'sport = :6432'; nft list chain inet understudy haproxy`)).toMatch(
    new RegExp(`${address}:6432 [\\s\\S]*tcp dport 6432 ip saddr`),
  );
  await eventually(10, "PgBouncer is steady", async () => {
    const { programs } = await call(proxy, "observe", {});
    return programs["pgbouncer"]?.state === "running" || undefined;
  });
  await call(proxy, "pauseClients", { ttlSeconds: 20, drainSeconds: 2 });
  expect((await call(proxy, "observe", {})).pooler?.paused?.resumesInMs).toBeGreaterThan(0);
  expect((await call(proxy, "resumeClients", {})).heldMs).toBeGreaterThan(0);
  deployment = deploymentOf();
  await install();
  expect(await on(proxy, "pgrep -x pgbouncer || ls /etc/understudy/secrets")).not.toMatch(/^\d|pgbouncer/m);
  expect((await call(proxy, "observe", {})).programs).not.toHaveProperty("pgbouncer");
});

test("a watchdog is fed while its member leads, and let go by a stop in order", async () => {
  const { container } = machineOf(member);
  const watchdog = async () => (await call(member, "observe", {})).watchdog;
  const told = async () =>
    await on(member, `journalctl -u ${unitOf(member)} -o cat | grep -o 'watchdog: .*'`);
  const restart = async (does: string) => {
    await on(member, `systemctl ${does} ${unitOf(member)}`);
    await call(member, "awaitLeader", { as: "primary", ...limit });
  };
  expect(await watchdog()).toEqual({ device: "/dev/watchdog", state: "missing" });
  await giveWatchdog(container);
  expect(await watchdog()).toEqual({ device: "/dev/watchdog", state: "denied" });
  await restart("restart");
  expect(await watchdog()).toEqual({ device: "/dev/watchdog", state: "usable" });
  // Of the profile `fast`: its lock's life but for the margin of 5 s; then once in each of Patroni's rounds.
  const fed = await eventually(30, "it is fed", async () => {
    const said = await told();
    return said.split("\n").length > 3 ? said : undefined;
  });
  expect(fed).toMatch(/^watchdog: timeout 15\n(watchdog: fed\n?){3,}$/);
  await on(member, `systemctl stop ${unitOf(member)}`);
  expect(await told()).toMatch(/fed\nwatchdog: let go$/);
  await takeWatchdog(container);
  await restart("start");
});

test("a stop is one in order: Patroni with its PostgreSQL, then Consul", async () => {
  await on(member, `systemctl stop ${unitOf(member)}`);
  const log = (
    await on(member, `journalctl -u ${unitOf(member)} -o cat --no-pager | grep '^understudy: '`)
  ).split("\n");
  const ended = log.slice(-3);
  expect(ended).toEqual([
    "understudy: patroni is stopped",
    "understudy: consul is stopped",
    "understudy: stopped",
  ]);
  expect(await on(member, "pgrep -x 'postgres|consul|patroni' || echo none")).toBe("none");
  const control = "/usr/lib/postgresql/17/bin/pg_controldata -D /var/lib/understudy/pgdata";
  expect(await on(member, `runuser -u postgres -- ${control} | grep 'cluster state'`)).toMatch(
    /: +shut down$/,
  );
});

test("beside a service that is down its host is seen, and a program is held for the next start", async () => {
  const found = await access.get(member)?.observe({ catalog: false });
  expect(found).toMatchObject({ reach: "stopped" });
  await call(member, "hold", { program: "patroni", ...limit });
  await access.get(member)?.startUnit(60);
  expect((await call(member, "observe", {})).programs.patroni).toMatchObject({ state: "held" });
  await call(member, "start", { program: "patroni", ...limit });
  await call(member, "awaitLeader", { as: "primary", ...limit });
});

test("an agent that is killed takes everything of its unit with it, and all of it comes back", async () => {
  const processes = () => on(member, "pgrep -x 'postgres|consul|patroni' | sort");
  const before = (await processes()).split("\n");
  await on(member, `systemctl kill --kill-whom=main --signal KILL ${unitOf(member)}`);
  await access.get(member)?.startUnit(60);
  await call(member, "awaitLeader", { as: "primary", ...limit });
  const after = (await processes()).split("\n");
  expect(after.filter((pid) => before.includes(pid))).toEqual([]);
});

test.each([member, server, proxy] as const)("%s comes back with its machine", async (name) => {
  await reboot(machineOf(name).container);
  await comesUp();
  expect(await on(name, `systemctl is-active ${unitOf(name)}`)).toBe("active");
});

test("a member that leaves keeps its database and nothing of Consul's; the others leave nothing", async () => {
  const leaving = async (name: Name) => await leave((await scriptsFor(name)).leaving);
  expect(await leaving(member)).toBe(
    `${member}: the data stays in /var/lib/understudy, and is this host's again when it comes back into the stack`,
  );
  expect(await on(member, "ls /var/lib/understudy")).toBe("pgdata\nstate");
  await leaving(server);
  await leaving(proxy);
  const rest =
    "ls -d /var/lib/understudy /etc/understudy /var/lib/understudy-host /etc/systemd/system/understudy* 2>&1";
  for (const name of [server, proxy] as const) {
    expect(await on(name, `${rest} | grep -v 'No such file' || echo nothing`)).toBe("nothing");
    expect(await on(name, "apt-mark showhold")).toBe("");
  }
});
