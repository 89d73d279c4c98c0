/** What is written to a machine and removed from it, on a container that is a machine to whoever logs in. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MachineHostArgs } from "../../components/hosts/machines/machineHost.ts";
import { routeOf } from "../../components/hosts/machines/ssh/route.ts";
import { nodeFiles } from "../../components/postgres/files.ts";
import type { SshRoute } from "../../components/roles/desired.ts";
import type { Machine, PackageMirror } from "../../components/spec/model.ts";
import { parse } from "../../components/spec/parse.ts";
import { type HostWish, runAll, runScript, type Script, scriptsOf } from "../support/machineScripts.ts";
import { machineFingerprint, onMachine, reboot, TestMachines } from "../support/machines.ts";
import { eventually } from "../support/nodes.ts";
import { exampleMachine, postgresUnit } from "../unit/hosts/machines/example.ts";

const CANARY = "canary-Kx7Q";
const unit = "understudy-postgres.service";
const config = "/etc/understudy";
const books = "/var/lib/understudy-host";

let machines: TestMachines;
let container: string;
let route: SshRoute;
let wish: HostWish;

const on = (script: string) => onMachine(container, script);
const property = (name: string) => on(`systemctl show --property ${name} --value ${unit}`);

async function scripts(more: Partial<MachineHostArgs> = {}, files: Record<string, string> = {}) {
  const args = { ...wish.args, ...more };
  return (await scriptsOf({ ...wish, args, files: { ...wish.files, ...files } })).scripts;
}

async function oneScript(
  name: string,
  more: Partial<MachineHostArgs> = {},
  files: Record<string, string> = {},
) {
  const found = (await scripts(more, files)).find((script) => script.name === name);
  if (!found) throw new Error(`no script ${name}`);
  return found;
}

const run = (script: Script) => runScript(route, script);
const runEverything = async (more: Partial<MachineHostArgs> = {}) => await runAll(route, await scripts(more));
const quiet = { code: 0, said: "" };

beforeAll(async () => {
  machines = await TestMachines.start({ name: "ins-host", net: 187, count: 1 });
  const [first] = machines.machines;
  if (!first) throw new Error("no machine came up");
  container = first.container;
  await machines.addUser(first, "op", "NOPASSWD: ALL");
  const hop = { host: first.address, port: 22, user: "op", keyFile: machines.keyFile, hostKey: undefined };
  const ssh = { ...hop, knownHostsFile: machines.knownHosts, jump: undefined };
  const home = { home: "/", secretKeyFile: undefined };
  route = routeOf(ssh, { ...home, readFile: (path) => readFileSync(path, "utf8") });
  const machine: Machine = { ...exampleMachine(), ssh };
  wish = {
    args: {
      deployment: "demo",
      address: first.address,
      machine,
      route,
      program: "postgres",
      database: { version: 17 },
      repair: undefined,
      silent: false,
    },
    unit: { ...postgresUnit, listens: [{ port: 5432, protocol: "tcp", from: [`${first.address}/32`] }] },
    files: { ...agentFiles(), ...rendered(first.address), "certificate.json": "{}\n" },
    secrets: { "server.key": `${CANARY}\n`, "passwords/app": CANARY },
  };
});

afterAll(async () => {
  await machines?.remove();
});

function agentFiles(): Record<string, string> {
  const folder = new URL("../../components/postgres/node/", import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith(".py"));
  return Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
}

function rendered(address: string): Record<string, string> {
  const site = (host: string) => ({ target: "machines", machine: { host } });
  const clientAccess = [{ databases: ["app"], roles: ["app"], network: "10.0.0.0/24" }];
  const parsed = parse({
    stack: "demo",
    active: "site-a",
    deployment: {
      domain: "ha.example.test",
      database: { kind: "streaming", clientAccess },
      sites: { "site-a": site(address), "site-b": site("10.187.0.99") },
      names: { server: { kind: "none" } },
    },
  });
  const node = parsed.ok ? parsed.deployment.sites[0]?.node : undefined;
  if (!parsed.ok || !node) throw new Error("the example is refused");
  return nodeFiles(parsed.deployment, node);
}

/** From this machine, which is not among those that may come in. */
function reaches(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: wish.args.address, port, timeout: 1500 });
    const end = (found: boolean) => {
      socket.destroy();
      resolve(found);
    };
    socket.on("connect", () => end(true));
    socket.on("timeout", () => end(false));
    socket.on("error", () => end(false));
  });
}

describe("a bare machine", () => {
  test("with somebody's data in our place is refused, and nothing is installed on it", async () => {
    await on("mkdir /var/lib/understudy; echo precious > /var/lib/understudy/data");
    const before = await machineFingerprint(container);
    expect(await run(await oneScript("site-a-machine"))).toEqual({
      code: 1,
      said: "site-a: /var/lib/understudy is not empty, and nothing says that it is this deployment's. It is never overwritten: move it away",
    });
    expect(await machineFingerprint(container)).toBe(before);
    await on("rm -r /var/lib/understudy");
  });

  test("gets nothing from a script that is cut off before its end", async () => {
    const script = await oneScript("site-a-machine");
    const before = await machineFingerprint(container);
    await run({ ...script, stdin: script.stdin.slice(0, script.stdin.lastIndexOf("main")) });
    expect(await machineFingerprint(container)).toBe(before);
  });

  test("is finished by the next run when the connection is lost in the middle of the packages", async () => {
    const script = await oneScript("site-a-machine");
    await expect(runScript(route, script, 4_000)).rejects.toThrow();
    expect(await on(`ls ${books}/manifests`)).toBe("");
    expect(await run(script)).toEqual(quiet);
    expect(await on("dpkg --audit; apt-mark showhold")).toBe("postgresql-17\npostgresql-client-17");
    expect(await on("pg_lsclusters --no-header")).toBe("");
  });

  test("gets a unit that works, is enabled, and whose files nobody else can read", async () => {
    expect(await runEverything()).toEqual(quiet);
    expect(await on(`systemctl is-active ${unit}; systemctl is-enabled ${unit}`)).toBe("active\nenabled");
    expect(await on(`systemd-analyze verify ${unit} understudy-firewall.service 2>&1`)).toBe("");
    const modes = await on(`cd ${config}; stat -c '%a %U:%G %n' . node.py secrets secrets/passwords/app`);
    expect(modes.split("\n")).toEqual([
      "750 root:postgres .",
      "640 root:postgres node.py",
      "750 root:postgres secrets",
      "600 postgres:postgres secrets/passwords/app",
    ]);
    expect(await on(`stat -c '%a' /run/postgresql ${books}`)).toBe("2775\n700");
  });

  test("has manifests that say what is on it", async () => {
    const listed = await on(`cat ${books}/manifests/*`);
    const check = await on(
      `cat ${books}/manifests/* | awk '{ print $1 "  " $4 }' | sha256sum --check --quiet; echo $?`,
    );
    expect(check).toBe("0");
    for (const path of [`${config}/node.py`, `${config}/secrets/server.key`, `/etc/systemd/system/${unit}`]) {
      expect(listed).toContain(` ${path}\n`);
    }
  });

  test("keeps a secret in its file and nowhere else", async () => {
    expect(await on(`grep -rlF ${CANARY} /etc /var /run /tmp /root /home 2>/dev/null | sort`)).toBe(
      `${config}/secrets/passwords/app\n${config}/secrets/server.key`,
    );
    expect(await on(`journalctl --no-pager | grep -cF ${CANARY} || true`)).toBe("0");
  });
});

describe("a machine that is as it should be", () => {
  test("is left alone, whoever runs everything again", async () => {
    const state = async () => [
      await machineFingerprint(container),
      await property("MainPID,ExecMainStartTimestamp"),
    ];
    const before = await state();
    const apt = await on("stat -c %y /var/log/apt/history.log /var/lib/apt/lists");
    expect(await runEverything()).toEqual(quiet);
    expect(await state()).toEqual(before);
    expect(await on("stat -c %y /var/log/apt/history.log /var/lib/apt/lists")).toBe(apt);
  });

  test("is refused to another deployment, and to another host of the same", async () => {
    const other = await run(await oneScript("site-a-machine", { deployment: "other" }));
    expect(other.said).toMatch(/^site-a: this machine belongs to the deployment "demo" \(its host site-a\)/);
    const { scripts: theirs } = await scriptsOf({ ...wish, name: "site-z" });
    const [script] = theirs;
    if (!script) throw new Error("no script");
    expect((await run(script)).said).toMatch(/^site-z: this machine is the host site-a of this deployment/);
  });

  test("comes up again by itself after a reboot, firewall included", async () => {
    await reboot(container);
    await expect.poll(() => on(`systemctl is-active ${unit} || true`), { timeout: 20_000 }).toBe("active");
    expect(await on("nft list chain inet understudy postgres")).toContain("tcp dport 5432 counter");
  });
});

describe("a file that cannot be written", () => {
  const changed = { "pg_ident.conf": "# something else\n" };

  async function onSmallDisk(break_: string, message: RegExp): Promise<void> {
    await on(
      `cp -a ${config} /root/saved; mount -t tmpfs -o size=600k tmpfs ${config}; cp -a /root/saved/. ${config}/`,
    );
    try {
      await on(break_);
      const before = await on(`cd ${config}; sha256sum pg_ident.conf; stat -c '%a %u %g' pg_ident.conf`);
      const { code, said } = await run(await oneScript("site-a-files", {}, changed));
      expect(code).toBe(1);
      expect(said).toMatch(message);
      expect(await on(`cd ${config}; sha256sum pg_ident.conf; stat -c '%a %u %g' pg_ident.conf`)).toBe(
        before,
      );
      expect(await on(`find ${config} -name '*understudy-new'`)).toBe("");
    } finally {
      await on(`umount ${config}; rm -r /root/saved`);
    }
  }

  test("because the disk is full leaves the old one whole", () =>
    onSmallDisk(
      `dd if=/dev/zero of=${config}/fill bs=1k 2>/dev/null || true`,
      /^site-a: cannot write \/etc\/understudy\/pg_ident\.conf: No space left on device\. What was there is whole;/,
    ));

  test("because the file system is read-only leaves the old one whole", () =>
    onSmallDisk(
      `mount -o remount,ro ${config}`,
      /^site-a: cannot write \/etc\/understudy\/pg_ident\.conf: Read-only file system\. What was there is whole;/,
    ));
});

describe("what somebody changed by hand", () => {
  test("is put back, and the service restarted where that is needed", async () => {
    const pid = await property("MainPID");
    await on(
      `sed -i 's/^LimitNOFILE=.*/LimitNOFILE=1000/' /etc/systemd/system/${unit}; echo '# mine' >> ${config}/pg_ident.conf`,
    );
    expect(await runEverything({ repair: "1" })).toEqual(quiet);
    expect(await property("LimitNOFILE")).toBe("65536");
    expect(await property("NeedDaemonReload")).toBe("no");
    expect(await property("MainPID")).not.toBe(pid);
    expect(await on(`cat ${config}/pg_ident.conf`)).not.toContain("# mine");
  });

  test("restarts nothing where systemd itself goes by it", async () => {
    const pid = await property("MainPID");
    await on(`sed -i 's/^Description=.*/Description=mine/' /etc/systemd/system/${unit}`);
    expect(await run(await oneScript("site-a"))).toEqual(quiet);
    expect(await property("Description")).toBe("Understudy: PostgreSQL of site-a in demo");
    expect(await property("MainPID")).toBe(pid);
  });

  test("as an addition to the unit goes with `repair`, and is kept aside", async () => {
    await on(
      `mkdir /etc/systemd/system/${unit}.d; printf '[Service]\nNice=5\n' > /etc/systemd/system/${unit}.d/x.conf; systemctl daemon-reload`,
    );
    expect(await run(await oneScript("site-a"))).toEqual(quiet);
    expect(await property("Nice")).toBe("5");
    expect(await run(await oneScript("site-a", { repair: "2" }))).toEqual(quiet);
    expect(await property("Nice")).toBe("0");
    expect(await on(`cat ${books}/set-aside/*/x.conf`)).toContain("Nice=5");
  });

  test("is kept where it keeps the unit down: a stop, or a mask", async () => {
    await on(`systemctl disable --quiet --now ${unit}`);
    const { code, said } = await run(await oneScript("site-a"));
    expect({ code, said }).toEqual({
      code: 0,
      said: `site-a: ${unit} is stopped and stays so here; the role change decides who starts`,
    });
    expect(await on(`systemctl is-active ${unit} || true; systemctl is-enabled ${unit} || true`)).toBe(
      "inactive\ndisabled",
    );
    await on(`ln -sf /dev/null /etc/systemd/system/${unit}; systemctl daemon-reload`);
    expect((await run(await oneScript("site-a"))).said).toMatch(/is masked: somebody keeps it from starting/);
    expect((await run(await oneScript("site-a", { repair: "3" }))).code).toBe(0);
    await on(`systemctl start ${unit}`);
    expect(await on(`systemctl is-enabled ${unit}`)).toBe("enabled");
  });
});

describe("the firewall", () => {
  const listening =
    "systemd-run --quiet --unit ins-listener python3 -c 'import socket,time; s=[socket.create_server((\"\",p)) for p in (5432,6000)]; time.sleep(600)'";

  test("keeps others from the unit's port, and says nothing of any other", async () => {
    await on(`nft add table inet somebodys; ${listening}; until ss -ltn | grep -q :6000; do sleep 0.1; done`);
    expect([await reaches(5432), await reaches(6000), await reaches(22)]).toEqual([false, true, true]);
  });

  test("is loaded again when somebody has everything flushed by the distribution's service", async () => {
    // systemd passes the restart on to our unit, and waits for the other's alone.
    await on("systemctl restart nftables || systemctl start nftables");
    const tables = () => on("nft list tables | grep -c 'inet understudy'");
    expect(await eventually(20, "the table is there again", tables)).toBe("1");
    await on("systemctl disable --quiet --now nftables; nft add table inet somebodys 2>/dev/null || true");
    expect(await run(await oneScript("site-a"))).toEqual(quiet);
    expect(await on("nft list tables | grep -c 'inet understudy'")).toBe("1");
  });

  test("goes when it is not wanted, and leaves other tables alone", async () => {
    const machine = { ...wish.args.machine, firewall: false };
    expect(await run(await oneScript("site-a", { machine }))).toEqual(quiet);
    expect(await on("nft list tables | grep -v ' nat$'")).toBe("table inet somebodys");
    expect(await reaches(5432)).toBe(true);
    expect(await on("ls /etc/systemd/system /etc | grep -c understudy-firewall || true")).toBe("0");
    expect(await run(await oneScript("site-a"))).toEqual(quiet);
    expect(await reaches(5432)).toBe(false);
    await on("systemctl stop ins-listener; nft delete table inet somebodys");
  });
});

describe("a cluster of the distribution's", () => {
  const cluster = "/var/lib/postgresql/17/main";

  test("that runs is named and not touched; the one that is to be adopted is stopped and stays down", async () => {
    await on(`systemctl stop ${unit}; pg_createcluster 17 main --start 2>/dev/null`);
    const { code, said } = await run(await oneScript("site-a"));
    expect(code).toBe(1);
    expect(said).toMatch(
      /^site-a: the distribution's cluster 17\/main \(\S+, port 5432\) runs, and is not touched\. Adopt it/,
    );
    expect(await on("pg_lsclusters --no-header | cut -d ' ' -f 1-5")).toContain("online");

    const machine = { ...wish.args.machine, adopt: cluster };
    expect((await run(await oneScript("site-a", { machine }))).code).toBe(0);
    expect(await on("pg_lsclusters --no-header")).toContain("down");
    expect(await on("tail -n 1 /etc/postgresql/17/main/start.conf")).toBe("manual");
    expect(await on(`grep -c auto ${books}/start.conf-17-main`)).not.toBe("0");
    await reboot(container);
    expect(await on("pg_lsclusters --no-header")).toContain("down");
    await on("pg_dropcluster 17 main");
  });
});

describe("a package mirror", () => {
  test("that says nothing we want is named, and what it is pinned to goes with it", async () => {
    const packageMirror: PackageMirror = {
      url: "http://127.0.0.1:9/pgdg",
      suite: "trixie-pgdg",
      components: ["main"],
      key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBGAEHQwBEAC7\n-----END PGP PUBLIC KEY BLOCK-----",
    };
    await on(
      "apt-mark unhold postgresql-17 >/dev/null; dpkg --purge --force-depends python3-psycopg-c >/dev/null 2>&1",
    );
    const machine = { ...wish.args.machine, packageMirror };
    const { code, said } = await run(await oneScript("site-a-machine", { machine }));
    // Another source has it, so a mirror that is down is no reason to fail; but nobody is to take it for where it came from.
    expect(code).toBe(0);
    expect(said).toMatch(
      /^site-a: the package mirror http:\/\/127\.0\.0\.1:9\/pgdg \(trixie-pgdg\) could not be asked \(.*\), so packages come from the machine's own sources/,
    );
    expect(await on("cat /etc/apt/preferences.d/understudy")).toContain('Pin: origin "127.0.0.1"');
    expect(await on("apt-mark showhold")).toBe("postgresql-17\npostgresql-client-17");
    expect(await run(await oneScript("site-a-machine"))).toEqual(quiet);
    expect(await on("ls /etc/apt/sources.list.d /etc/apt/preferences.d | grep -c understudy || true")).toBe(
      "0",
    );
  });
});

describe("leaving", () => {
  const leave = promisify(execFile);
  const depart = async (more: object = {}) => {
    const { leaving } = await scriptsOf(wish);
    const running = leave("node", ["components/hosts/machines/leave.ts"]);
    running.child.stdin?.end(JSON.stringify({ ...leaving, ...more }));
    return (await running).stderr.trim();
  };

  test("does nothing to a machine that only got another address", async () => {
    await runEverything();
    const before = await machineFingerprint(container);
    expect(await depart({ address: "10.187.0.250" })).toBe("");
    expect(await machineFingerprint(container)).toBe(before);
  });

  test("takes everything away but the data, and what comes back finds it", async () => {
    expect(await runEverything()).toMatchObject({ code: 0 });
    await on("touch /var/lib/understudy/state/somebody-was-here");
    expect(await depart()).toBe(
      "site-a: the data stays in /var/lib/understudy, and is this host's again when it comes back into the stack",
    );
    const left = await on(
      `find /etc /run /usr/local /var/lib -xdev \\( -name '*understudy*' -o -path '*understudy*' \\) -not -path '/var/lib/understudy/*' | sort`,
    );
    expect(left.split("\n")).toEqual(
      ["/var/lib/understudy", books, `${books}/lock`, `${books}/manifests`, `${books}/owner`]
        .concat(left.split("\n").filter((path) => /set-aside|start\.conf/.test(path)))
        .sort(),
    );
    expect(await on("apt-mark showhold; nft list tables | grep -v ' nat$' || true")).toBe("");
    expect(await runEverything()).toEqual(quiet);
    expect(await on(`systemctl is-active ${unit}; ls /var/lib/understudy/state/somebody-was-here`)).toContain(
      "active\n/var",
    );
  });

  test("takes the data too where that was said, and the machine is as it was", async () => {
    expect(await depart({ wipe: true })).toBe("");
    const bare = await machineFingerprint(container, [books]);
    expect(await runEverything()).toEqual(quiet);
    expect(await depart({ wipe: true })).toBe("");
    expect(await machineFingerprint(container, [books])).toBe(bare);
    expect(await on("ls -d /var/lib/understudy 2>/dev/null || echo gone")).toBe("gone");
  });

  test("says what is left on a machine that does not answer, within 20 s and without failing", async () => {
    const begun = performance.now();
    const said = await depart({ route: { ...route, host: "10.187.0.240" } });
    expect(performance.now() - begun).toBeLessThan(21_000);
    expect(said).toContain("site-a (10.187.0.240) was taken out of the stack and not cleared");
    expect(said).toContain("systemctl disable --now understudy-postgres.service understudy-firewall.service");
  });
});
