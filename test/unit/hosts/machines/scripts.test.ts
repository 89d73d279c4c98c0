/** The texts that are sent to machines: what they do when they are cut off, and what is in them. */
import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { leaveText, leftBehind } from "../../../../components/hosts/machines/leave.ts";
import { preferences, sources } from "../../../../components/hosts/machines/packageSources.ts";
import { prepareText } from "../../../../components/hosts/machines/prepare.ts";
import { machineProgram } from "../../../../components/hosts/machines/programs.ts";
import { connectionArgs } from "../../../../components/hosts/machines/remoteConnection.ts";
import { shellText } from "../../../../components/hosts/machines/shellScript.ts";
import { pythonStart, pythonText } from "../../../../components/hosts/pythonScript.ts";
import { exampleMachine, postgresProgram } from "./example.ts";

const mirror = {
  url: "https://mirror.example.test/pgdg",
  suite: "trixie-pgdg",
  components: ["main", "17"],
  key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBGAEHQwBEAC7\n-----END PGP PUBLIC KEY BLOCK-----\n",
};

describe("a package mirror", () => {
  test("has its key in its own source", () => {
    expect(sources(mirror)).toMatchSnapshot();
  });

  test("has no components where its suite is a path", () => {
    expect(sources({ ...mirror, suite: "./" })).not.toContain("Components");
  });

  test("is where our packages come from, and nothing else that others have", () => {
    expect(preferences(mirror, ["postgresql-17", "libpq5"])).toMatchSnapshot();
  });
});

describe("a shell program", () => {
  const program = "main() { echo done; }\n";
  const run = (text: string) => spawnSync("sh", ["-s"], { input: text, encoding: "utf8" }).stdout;

  test("runs when it is whole", () => {
    expect(run(shellText(program, {}))).toBe("done\n");
  });

  test("does nothing wherever it is cut off", () => {
    const text = shellText(program, { us_a: "x y", us_b: ["p", "q"] });
    const call = text.indexOf("main </dev/null");
    for (let length = 0; length < call + "main".length; length += 1) {
      expect([length, run(text.slice(0, length))]).toEqual([length, ""]);
    }
  });

  test("gets its parameters as they are", () => {
    const nasty = `it's "$HOME" \`id\`\n\\n`;
    const text = shellText('main() { printf "%s|%s|%s|%s" "$us_a" "$us_b" "$us_c" "$us_d"; }', {
      us_a: nasty,
      us_b: ["p", "q"],
      us_c: true,
      us_d: false,
    });
    expect(run(text)).toBe(`${nasty}|p q|1|`);
  });

  test.each(["prepare", "leave"])("%s.sh is one that defines functions and runs nothing", (name) => {
    const text = execFileSync("cat", [`components/hosts/machines/${name}.sh`], { encoding: "utf8" });
    expect(spawnSync("sh", ["-n"], { input: text }).status).toBe(0);
    const topLevel = text.split("\n").filter((line) => /^[^\s#}]/.test(line));
    expect(topLevel.filter((line) => !/^\w+\(\) \{|^us_\w+=\/|^[$'-]|^create_main/.test(line))).toEqual([]);
  });
});

describe("a Python program", () => {
  test("does nothing when its text is cut off", () => {
    const text = pythonText(["writer", "bundle"], { host: "site-a" });
    for (const part of [0, 0.3, 0.9, 0.999]) {
      const { status, stdout } = spawnSync("python3", ["-Ic", pythonStart], {
        input: text.slice(0, Math.floor(text.length * part)),
        encoding: "utf8",
      });
      expect([part, status, stdout]).toEqual([part, 1, ""]);
    }
  });

  test("is a text to Pulumi, whose diff shows lines", () => {
    expect(() => JSON.parse(pythonText(["writer", "bundle"], {}))).toThrow();
    expect(pythonText(["writer", "bundle"], { files: { a: ["one", "two"] } })).toContain('\n        "two"\n');
  });
});

const prepareArgs = {
  deployment: "demo",
  host: "site-a",
  address: "10.0.0.11",
  program: "postgres",
  machineProgram: postgresProgram,
  resource: "site-a-machine",
  repair: undefined,
} as const;

test("preparing installs what the image has, holds the server, and no more", () => {
  const assigned = (text: string) => text.split("\n").filter((line) => /^us_\w+='/.test(line));
  expect(assigned(prepareText({ ...prepareArgs, machine: exampleMachine() }))).toMatchSnapshot();
  const open = prepareText({ ...prepareArgs, machine: exampleMachine({ firewall: false }) });
  expect(assigned(open).join("\n")).not.toContain("nftables");
});

test.each(["patroni", "consul", "haproxy"] as const)("preparing a host for %s", (program) => {
  const text = prepareText({
    ...prepareArgs,
    program,
    machineProgram: machineProgram(program, { version: 17 }),
    machine: exampleMachine(),
  });
  expect(text.split("\n").filter((line) => /^us_\w+='/.test(line))).toMatchSnapshot();
});

test("preparing a proxy that pools brings PgBouncer, new enough, and does not let the package start it", () => {
  const text = prepareText({
    ...prepareArgs,
    program: "haproxy",
    machineProgram: machineProgram("haproxy", { version: 17, pooling: {} }),
    machine: exampleMachine({ packageMirror: mirror }),
  });
  const assigned = (name: string) => text.split("\n").find((line) => line.startsWith(`${name}='`));
  expect(assigned("us_packages")).toBe("us_packages='haproxy python3 pgbouncer nftables'");
  expect(assigned("us_minimums")).toBe("us_minimums='pgbouncer=1.21'");
  expect(assigned("us_not_started")).toBe("us_not_started='haproxy.service pgbouncer.service'");
  expect(text).toContain("Package: pgbouncer\nPin: origin");
});

describe("leaving", () => {
  const request = {
    deployment: "demo",
    host: "site-a",
    address: "10.0.0.11",
    route: { host: "10.0.0.11", port: 22, user: "root", hostKeys: [] },
    program: "postgres",
    unit: "understudy-postgres.service",
    config: "/etc/understudy",
    data: "/var/lib/understudy",
    ownerFile: "/var/lib/understudy-host/owner",
    held: ["postgresql-17"],
    wipe: false,
    adopted: null,
  } as const;

  test("removes data only where that was said", () => {
    expect(leaveText(request)).toContain("us_wipe=''");
    expect(leaveText({ ...request, wipe: true })).toContain("us_wipe='1'");
  });

  test("removes what a new Consul would not take, though the database stays", () => {
    const discarded = ["/var/lib/understudy/consul"];
    expect(leaveText({ ...request, discarded })).toContain("us_discarded='/var/lib/understudy/consul'");
    expect(leftBehind({ ...request, discarded })).toContain(
      "rm -r /var/lib/understudy-host /var/lib/understudy/consul\n",
    );
  });

  test("says what is left on a machine that cannot be reached, and how to remove it", () => {
    expect(leftBehind(request)).toMatchSnapshot();
    expect(leftBehind({ ...request, wipe: true })).toContain(
      "rm -r /var/lib/understudy-host /var/lib/understudy",
    );
  });

  test("never tells to remove an adopted directory without a thought", () => {
    const text = leftBehind({ ...request, wipe: true, adopted: "/srv/pg" });
    expect(text).toContain("and /srv/pg, if nobody needs the data any more");
    expect(text).not.toMatch(/rm .*\/srv\/pg/);
  });
});

describe("a connection", () => {
  const keys = ["ssh-rsa AAAAB3", "ecdsa-sha2-nistp256 AAAAE2", "ssh-ed25519 AAAAC3"];
  const stop = { host: "10.0.0.11", port: 22, user: "root", hostKeys: keys };

  test("is verified by the best key that is known", () => {
    expect(connectionArgs("site-a", stop, String)).toMatchObject({ hostKey: "ssh-ed25519 AAAAC3" });
    expect(connectionArgs("site-a", { ...stop, hostKeys: keys.slice(0, 2) }, String)).toMatchObject({
      hostKey: "ecdsa-sha2-nistp256 AAAAE2",
    });
  });

  test("fails without a key: the provider would take whoever answers", () => {
    expect(() => connectionArgs("site-a", { ...stop, hostKeys: [] }, String)).toThrow(
      /^site-a: no host key of 10\.0\.0\.11:22 is known, so it is not connected to/,
    );
    const jump = { ...stop, host: "jump", hostKeys: [] };
    expect(() => connectionArgs("site-a", { ...stop, jump }, String)).toThrow(/jump:22/);
  });

  test("goes through a jump host that is verified as well", () => {
    const jump = { ...stop, host: "jump", user: "op" };
    expect(connectionArgs("site-a", { ...stop, jump }, String)).toMatchObject({
      proxy: { host: "jump", user: "op", hostKey: "ssh-ed25519 AAAAC3" },
    });
  });

  test("gives a dead host up within 31 s", () => {
    const { perDialTimeout, dialErrorLimit } = connectionArgs("site-a", stop, String);
    expect((Number(dialErrorLimit) + 1) * Number(perDialTimeout)).toBeLessThanOrEqual(30);
  });
});
