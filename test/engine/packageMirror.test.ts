/**
 * Packages from a mirror that the configuration names: from there and nowhere else, checked against its key, kept at their
 * version while the machine is upgraded around them, and gone from apt when the site goes.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { routeOf } from "../../components/hosts/machines/ssh/route.ts";
import type { SshRoute } from "../../components/roles/desired.ts";
import type { PackageMirror } from "../../components/spec/model.ts";
import { type HostWish, runScript, scriptsOf } from "../support/machineScripts.ts";
import { onMachine, type TestMachine, TestMachines } from "../support/machines.ts";
import { MirrorMachine } from "../support/mirrorMachine.ts";
import { exampleMachine, postgresUnit } from "../unit/hosts/machines/example.ts";

const server = ["postgresql-17", "postgresql-client-17"];
/** Older than the distribution's: that it is installed shows that the mirror is asked first, and not whoever is newest. */
const older = "17.0-0mirror1";
/** Newer than everything: what a nightly upgrade would take. */
const newer = "17.99-0mirror2";

let machines: TestMachines;
let machine: TestMachine;
let mirror: MirrorMachine;
let route: SshRoute;
let wish: HostWish;

const on = (script: string) => onMachine(machine.container, script);
const versions = () => on(`dpkg-query -W -f '\${Version} ' ${server.join(" ")}`);
/** Of the mirror and what is pinned to it. */
const sources = () => on("ls /etc/apt/sources.list.d /etc/apt/preferences.d | grep understudy || true");

beforeAll(async () => {
  machines = await TestMachines.start({ name: "ubu-mirror", net: 133, count: 1 });
  machine = machines.machine("a");
  mirror = await MirrorMachine.start(machines, server);
  // Besides, something that only it has, and something of the distribution's in a version that no distribution has.
  await mirror.offer({ "postgresql-17": older, "postgresql-client-17": older, bystander: "1", sudo: "99" });
  const hop = {
    host: machine.address,
    port: 22,
    user: "root",
    keyFile: machines.keyFile,
    hostKey: undefined,
  };
  const ssh = { ...hop, knownHostsFile: machines.knownHosts, jump: undefined };
  const home = { home: "/", secretKeyFile: undefined };
  route = routeOf(ssh, { ...home, readFile: (path) => readFileSync(path, "utf8") });
  wish = {
    args: {
      deployment: "demo",
      address: machine.address,
      machine: { ...exampleMachine({ firewall: false }), ssh },
      route,
      program: "postgres",
      database: { version: 17 },
      repair: undefined,
      silent: false,
    },
    unit: postgresUnit,
    files: {},
    secrets: {},
  };
});

afterAll(async () => {
  await machines?.remove();
});

function mirrored(packageMirror: PackageMirror | undefined): HostWish {
  return { ...wish, args: { ...wish.args, machine: { ...wish.args.machine, packageMirror } } };
}

/** What makes the machine ready: its sources, packages and directories. */
async function prepare(packageMirror: PackageMirror | undefined) {
  const { scripts } = await scriptsOf(mirrored(packageMirror));
  const [first] = scripts;
  if (first?.name !== "site-a-machine") throw new Error("no script for the machine");
  return await runScript(route, first);
}

test("a mirror that another key has signed is refused as often as it is tried, and nothing comes from it or instead of it", async () => {
  for (const _ of [1, 2]) {
    const { code, said } = await prepare({ ...mirror.mirror, key: mirror.otherKey });
    expect(said).toMatch(
      /^site-a: the package mirror http:\/\/10\.133\.0\.5:8080 \(own\) is not signed with the key in `packageMirror\.key`.* Nothing was installed$/,
    );
    expect(code).toBe(1);
    expect(await on("command -v pg_lsclusters python3 || true")).toBe("");
    // apt would complain of it in every run, and upgrade nothing any more.
    expect(await sources()).toBe("");
  }
});

test("the server comes from the mirror although the distribution has a newer one, and nothing else does", async () => {
  expect(await prepare(mirror.mirror)).toEqual({ code: 0, said: "" });
  expect(await versions()).toBe(`${older} ${older}`);
  expect(await on("apt-mark showhold")).toBe(server.join("\n"));
  expect(await on("apt-cache policy sudo")).toMatch(/^ {5}99 100$/m);
  expect(await on("apt-get --simulate upgrade")).not.toMatch(/^Inst sudo/m);
});

test("an upgrade of the whole machine, as it comes at night, leaves the running server alone", async () => {
  await on("apt-get -qq -y install bystander >/dev/null");
  await mirror.offer({ "postgresql-17": newer, "postgresql-client-17": newer, bystander: "2" });
  // Of what the packages would replace, something that runs.
  await on(
    `install -d -o postgres /srv/running && cd /srv/running && runuser -u postgres -- \
       sh -c '/usr/lib/postgresql/17/bin/initdb -D /srv/running/data >/dev/null &&
              /usr/lib/postgresql/17/bin/pg_ctl -D /srv/running/data -o "-k /srv/running" -l log -w start >/dev/null'`,
  );
  const state = async () => [
    await versions(),
    await on("head -n 1 /srv/running/data/postmaster.pid"),
    await on("stat -c '%i %Y' /usr/lib/postgresql/17/bin/postgres"),
  ];
  const before = await state();
  // Nothing of the distribution's: that may be much, and is not what this is about.
  await on("mkdir /srv/only && cp /etc/apt/sources.list.d/understudy.sources /srv/only");
  const apt =
    "apt-get -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/srv/only -o APT::Get::List-Cleanup=0";
  await on(`${apt} -qq update`);
  for (const verb of ["upgrade", "dist-upgrade"]) {
    expect(await on(`DEBIAN_FRONTEND=noninteractive ${apt} -y ${verb} 2>&1`)).toMatch(
      /kept back:\s[^.]*postgresql-17/,
    );
    expect(await on("dpkg-query -W -f '${Version}' bystander")).toBe("2");
    expect(await state()).toEqual(before);
  }
  // That it was the hold which kept it: without, the same command would have taken the newer one.
  await on(`apt-mark unhold ${server.join(" ")}`);
  expect(await on("apt-get --simulate upgrade")).toMatch(new RegExp(`^Inst postgresql-17 .*${newer}`, "m"));
  expect(await prepare(mirror.mirror)).toEqual({ code: 0, said: "" });
  expect(await on("apt-mark showhold")).toBe(server.join("\n"));
  expect(await state()).toEqual(before);
  await on(
    "runuser -u postgres -- /usr/lib/postgresql/17/bin/pg_ctl -D /srv/running/data -m fast stop >/dev/null",
  );
});

test("a site that leaves takes the source, what is pinned to it and the hold with it", async () => {
  expect(await sources()).toBe("understudy\nunderstudy.sources");
  const { leaving } = await scriptsOf(mirrored(mirror.mirror));
  const running = promisify(execFile)("node", ["components/hosts/machines/leave.ts"]);
  running.child.stdin?.end(JSON.stringify(leaving));
  await running;
  expect(await sources()).toBe("");
  expect(await on("apt-mark showhold")).toBe("");
});
