/** What `npm run down` knows of that outlives a destroy: in engines, on machines and on this machine. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { LeaveRequest } from "../../../components/hosts/machines/leave.ts";
import { projectRoot } from "../../../scripts/toolchain/paths.ts";
import {
  deploymentsOf,
  forgetSshKeys,
  keptData,
  machinesOf,
  needsOwnEngine,
  notCleared,
  remainsOf,
  removeRemains,
} from "../../../scripts/toolchain/remains.ts";
import { needsContainers, stackOf } from "../../../scripts/toolchain/stack.ts";

const exported = (...resources: object[]) => JSON.stringify({ deployment: { resources } });

const machine: LeaveRequest = {
  ...{ deployment: "d", host: "site-a", address: "203.0.113.7", program: "postgres", held: [] },
  route: { host: "db7.example.test", port: 22, user: "root", hostKeys: [] },
  ...{ unit: "understudy-postgres.service", config: "/etc/understudy", data: "/var/lib/understudy" },
  ...{ ownerFile: "/var/lib/understudy-host/owner", wipe: false, adopted: null },
};
const departure = (request: LeaveRequest) => ({
  type: "command:local:Command",
  inputs: { delete: "node components/hosts/machines/leave.ts", stdin: JSON.stringify(request) },
});

describe("engines", () => {
  const label = { inputs: { labels: [{ label: "understudy.deployment", value: "d" }] } };
  const provider = (host: string) => ({ type: "pulumi:providers:docker", inputs: { host } });

  test("every one that the deployment has is cleared, a site's own too", () => {
    const remains = remainsOf(exported(label, provider("unix:///var/run/docker.sock"), provider("ssh://b")));
    expect(remains.map(({ dockerHost }) => dockerHost)).toEqual(["unix:///var/run/docker.sock", "ssh://b"]);
  });

  test("this machine's is not asked for where nothing is in it", () => {
    expect(needsOwnEngine(remainsOf(exported(departure(machine))))).toBe(false);
    expect(needsOwnEngine(remainsOf(exported(label, provider("ssh://b"))))).toBe(false);
    expect(needsOwnEngine(remainsOf(exported(label)))).toBe(true);
  });

  test("one that does not answer is named, with what finds the rest there", async () => {
    const dockerHost = "tcp://127.0.0.1:1";
    const problem = removeRemains({ deployment: "d", dockerHost });
    await expect(problem).rejects.toThrow(
      "The Docker engine tcp://127.0.0.1:1 cannot be asked, and what d has there stays:",
    );
    const advice = await problem.catch(({ advice: lines }) => lines.join("\n"));
    expect(advice).toContain(
      "docker --host tcp://127.0.0.1:1 volume ls --filter label=understudy.deployment=d",
    );
  });
});

describe("machines", () => {
  test("data that stays is told, with where it is and how to be rid of it", () => {
    expect(keptData(machinesOf(exported(departure(machine), {})))).toEqual([
      "the data of site-a stays on db7.example.test in /var/lib/understudy (onDestroy: keep); to be rid of it, as root there: rm -rf /var/lib/understudy /var/lib/understudy-host",
    ]);
  });

  test("data that does not stay is not", () => {
    expect(keptData([{ ...machine, wipe: true }])).toEqual([]);
  });

  test("an adopted directory stays in either case", () => {
    const adopted = "/srv/pg";
    expect(keptData([{ ...machine, adopted }])[0]).toContain("in /srv/pg (onDestroy: keep)");
    expect(keptData([{ ...machine, adopted, wipe: true }])[0]).toMatch(
      /in \/srv\/pg \(it was there before the deployment\).*rm -rf \/srv\/pg$/,
    );
  });

  test("one that destroy did not get to is named", () => {
    expect(notCleared([machine])[0]).toContain("site-a (db7.example.test)");
  });
});

describe("the secret key on this machine", () => {
  const folder = mkdtempSync(join(tmpdir(), "understudy-remains-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(["understudy:index:Deployment", "understudy:index:RegionalDeployment"])(
    "goes with its %s, whatever the stack is called, and nothing else does",
    (type) => {
      const state = exported({ type, urn: `urn:pulumi:s::understudy::${type}::d` });
      for (const name of ["d", "other"]) {
        mkdirSync(join(folder, name), { recursive: true });
        writeFileSync(join(folder, name, "ssh-key"), "secret");
      }
      forgetSshKeys([...deploymentsOf(state), "never-was", "../d"], folder);
      expect(existsSync(join(folder, "d"))).toBe(false);
      expect(existsSync(join(folder, "other", "ssh-key"))).toBe(true);
    },
  );
});

describe("a stack needs a Docker engine", () => {
  const on = (target: string, more = "") =>
    `config:\n  understudy:deployment:\n    sites:\n      a: ${target}\n${more}`;
  test.each([
    ["not on machines alone", on("{ target: machines, machine: { host: a } }"), false],
    ["not with the key in quotes", on('{ "target": "machines" }'), false],
    ["not for what a comment says", on("{ target: machines } # not target: containers"), false],
    [
      "not for a name server on a machine",
      on("{ target: machines }", "    names: { server: { kind: machine } }"),
      false,
    ],
    ["for one site in containers", on("{ target: machines }", "      b: { target: containers }"), true],
    ["for the name server", on("{ target: machines }", "    names: { server: { kind: container } }"), true],
    ["where nothing is said", "config: {}\n", true],
    ["where there is no file", undefined, true],
  ])("%s", (_, file, needs) => {
    expect(needsContainers(file)).toBe(needs);
  });

  test("the stack is the one that is named, or else the one of the environment", () => {
    expect(stackOf(["up", "--stack", "org/project/x"], {}, ["/nowhere"])).toBe("x");
    expect(stackOf(["up", "-s=y"], { PULUMI_STACK: "z" }, ["/nowhere"])).toBe("y");
    expect(stackOf(["up"], { PULUMI_STACK: "z" }, ["/nowhere"])).toBe("z");
    expect(stackOf(["up"], {}, ["/nowhere"])).toBeUndefined();
  });

  test("or the one that Pulumi has selected for this folder", () => {
    const home = mkdtempSync(join(tmpdir(), "understudy-home-"));
    const project = createHash("sha1").update(join(projectRoot, "Pulumi.yaml")).digest("hex");
    mkdirSync(join(home, "workspaces"));
    const file = join(home, "workspaces", `understudy-${project}-workspace.json`);
    writeFileSync(file, '{"stack": "organization/understudy/machines"}');
    expect(stackOf(["up"], {}, ["/nowhere", home])).toBe("machines");
    writeFileSync(file, "half a fi");
    expect(stackOf(["up"], {}, [home])).toBeUndefined();
    rmSync(home, { recursive: true });
  });
});
