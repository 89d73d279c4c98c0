import { expect, test } from "vitest";
import type { MachineFacts } from "../../../../components/hosts/machines/survey/facts.ts";
import { judge } from "../../../../components/hosts/machines/survey/judge.ts";
import { parseFacts, Unread } from "../../../../components/hosts/machines/survey/parse.ts";
import { bare, cluster, installed, type Recording, recording, surveys, unit, wishes } from "./made.ts";

type Options = Parameters<typeof wishes>[0];

function codes(facts: MachineFacts, options: Options = {}): string {
  const { refusals, notices } = judge(wishes(options), surveys(facts));
  return [...refusals, ...notices]
    .filter(({ message, code }) => message.startsWith("site-a") && code !== "N_MEMORY")
    .map(({ code }) => code)
    .join(" ");
}

function said(facts: MachineFacts, options: Options = {}): string {
  return judge(wishes(options), surveys(facts)).refusals[0]?.message ?? "";
}

test.each<[Recording, number, string]>([
  ["debian-12", 17, "E_PACKAGE"],
  ["debian-13", 17, ""],
  ["debian-13", 16, "E_PACKAGE"],
  ["ubuntu-24.04", 16, ""],
  ["ubuntu-24.04", 17, "E_PACKAGE"],
  ["alpine", 17, "E_OS E_SYSTEMD E_PORT_TAKEN"],
])("%s with PostgreSQL %i: %s", (name, version, expected) => {
  expect(codes(bare(name), { database: { version } })).toBe(expected);
});

test("banners before and between the lines are passed over; a script that was cut off is not an answer", () => {
  expect(bare("ubuntu-24.04")).toMatchObject({ os: { codename: "noble" }, architecture: "arm64" });
  const cut = recording("debian-13").replace(/@understudy\tend\n$/, "");
  expect(() => parseFacts(cut, 0, 1)).toThrow(Unread);
  expect(() => parseFacts("Welcome!\n", 0, 1)).toThrow(Unread);
});

const mirror = {
  url: "https://mirror.example.test/pg",
  suite: "bookworm-pgdg",
  key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBGAAAAAB\n-----END PGP PUBLIC KEY BLOCK-----\n",
};
const lists = { packageLists: true };

test.each<[string, MachineFacts, Options, string]>([
  [
    "a mirror that is named is trusted to have it",
    bare("debian-12"),
    { machine: { packageMirror: mirror } },
    "",
  ],
  [
    "apt's sources have it",
    { ...bare("debian-12"), ...lists, candidates: { "postgresql-17": "17.6" } },
    {},
    "",
  ],
  [
    "apt's sources do not",
    { ...bare("debian-12"), ...lists, candidates: { "postgresql-17": null } },
    {},
    "E_PACKAGE",
  ],
  ["another architecture", { ...bare(), architecture: "riscv64" }, {}, "E_ARCH"],
  ["little memory", { ...bare(), memoryMiB: 400 }, {}, "E_MEMORY"],
  ["what a kernel keeps for itself", { ...bare(), memoryMiB: 482 }, {}, ""],
  [
    "the distribution's own server",
    {
      ...bare(),
      clusters: [cluster()],
      listeners: [
        {
          protocol: "tcp",
          address: "127.0.0.1",
          port: 5432,
          program: "postgres",
          owner: "/system.slice/system-postgresql.slice/postgresql@17-main.service",
        },
      ],
    },
    {},
    "E_CLUSTER_RUNNING",
  ],
  ["one on another port", { ...bare(), clusters: [cluster({ port: 5433 })] }, {}, "N_CLUSTER"],
  ["one that does not run", { ...bare(), clusters: [cluster({ pid: null })] }, {}, "N_CLUSTER"],
  [
    "our own server on the port",
    installed({
      listeners: [
        {
          protocol: "tcp",
          address: "0.0.0.0",
          port: 5432,
          program: "postgres",
          owner: "/system.slice/understudy-postgres.service",
        },
      ],
    }),
    {},
    "",
  ],
  [
    "our own, without ss",
    installed({ listeners: [{ protocol: "tcp", address: "*", port: 5432, program: "", owner: "uid 104" }] }),
    {},
    "",
  ],
  [
    "an installation that was cut off is judged",
    { ...installed({ units: {} }), memoryMiB: 100 },
    {},
    "E_MEMORY",
  ],
  ["of an installed one only is told", installed({ memoryMiB: 100 }), {}, "N_MEMORY".replace("N_MEMORY", "")],
  [
    "a disk that became read-only stops no failover",
    installed({
      filesystems: { "/etc": { mount: "/", writable: false, sizeMiB: 1, freeMiB: 1, freeInodes: null } },
    }),
    {},
    "N_READ_ONLY",
  ],
  ["another site's machine", installed({}, "site-b"), {}, "E_OWNER"],
  ["a note that nobody wrote", { ...bare(), owners: { owner: "unreadable" } }, {}, "E_OWNER"],
  [
    "few inodes",
    {
      ...bare(),
      filesystems: {
        ...bare().filesystems,
        "/var/lib/understudy": { mount: "/", writable: true, sizeMiB: 1e5, freeMiB: 1e5, freeInodes: 100 },
      },
    },
    {},
    "E_DISK",
  ],
])("%s", (_, facts, options, expected) => {
  expect(codes(facts, options)).toBe(expected);
});

test.each<[number, number, string]>([
  [0.2, 0.1, ""],
  [1.4, 0.1, "N_CLOCK"],
  [-1.4, 0.1, "N_CLOCK"],
  [2.5, 0.1, "E_CLOCK"],
  [-2.5, 0.1, "E_CLOCK"],
  // A slow way: what is certain is only that it is 1.5 s ahead, or 0.5 s.
  [2.5, 2, "N_CLOCK"],
  [2.5, 4, ""],
])("a clock %f s off, seen to %f s: %s", (offset, trip, expected) => {
  const facts = parseFacts(
    recording("debian-13"),
    1795276132.3137 - offset - trip / 2,
    1795276132.4177 - offset + trip / 2,
  );
  expect(codes(facts)).toBe(expected);
  if (expected === "E_CLOCK") expect(said(facts)).toMatch(/2\.\d s (ahead of|behind) this machine's/);
});

const adopt = "/srv/old";
const running = cluster({ kind: "adopt", directory: adopt });
const listener = {
  protocol: "tcp",
  address: "*",
  port: 5432,
  program: "postgres",
  owner: "/system.slice/old.service",
};

test.each<[string, Partial<typeof running>, string | undefined]>([
  ["a running primary", {}, undefined],
  ["a standby", { role: "standby" }, "it is a standby's"],
  ["one that is down", { pid: null, port: null }, "no server runs on it"],
  ["another version's", { majorVersion: "16" }, "of PostgreSQL 16"],
  ["no data directory", { majorVersion: null }, "no PG_VERSION"],
  ["another account's", { account: "pg" }, "belongs to pg"],
])("to adopt: %s", (_, change, why) => {
  const facts = {
    ...bare(),
    clusters: [{ ...running, ...change }],
    listeners: change.pid === null ? [] : [listener],
  };
  expect(codes(facts, { machine: { adopt } })).toBe(why === undefined ? "" : "E_ADOPT");
  if (why !== undefined) expect(said(facts, { machine: { adopt } })).toContain(why);
  // Once it is a node's it may be anything that a node may be.
  expect(codes({ ...installed(), clusters: facts.clusters }, { machine: { adopt } })).toBe("");
});

test("two names for one machine are refused; clones are told", () => {
  const facts = bare();
  const same = { "site-a": { reach: "up", facts }, "site-b": { reach: "up", facts } } as const;
  const [refusal] = judge(wishes(), same).refusals;
  expect(refusal?.code).toBe("E_SAME_MACHINE");
  expect(refusal?.message).toMatch(/site-a \(203\.0\.113\.11\) and site-b \(203\.0\.113\.12\)/);
  const clone = {
    "site-a": { reach: "up", facts },
    "site-b": { reach: "up", facts: { ...facts, boot: "another" } },
  } as const;
  expect(judge(wishes(), clone).refusals).toEqual([]);
  expect(judge(wishes(), clone).notices.map(({ code }) => code)).toContain("N_CLONES");
});

test("a unit that is not ours is nobody's excuse for a taken port", () => {
  const nginx = {
    protocol: "tcp",
    address: "0.0.0.0",
    port: 5432,
    program: "nginx",
    owner: "/system.slice/nginx.service",
  };
  expect(said({ ...bare(), listeners: [nginx] })).toContain(
    "is taken by nginx (nginx.service), listening on 0.0.0.0",
  );
  expect(
    codes(
      installed({ listeners: [nginx], units: { "understudy-postgres.service": unit({ active: "failed" }) } }),
    ),
  ).toBe("N_PORT_TAKEN");
});

test("a name server's machine: a resolver on loopback is no obstacle, a server of somebody's is", () => {
  const [site] = wishes();
  if (!site) throw new Error("no wish");
  const { database: _, ...rest } = site;
  const ports = [{ protocol: "udp", port: 53 }] as const;
  const server = { ...rest, host: "dns", unit: "understudy-dns.service", ports, package: "bind9", held: [] };
  const taken = (facts: MachineFacts) =>
    judge([server], { dns: { reach: "up", facts } }).refusals.map(({ code }) => code);
  expect(bare("ubuntu-24.04").listeners).toHaveLength(1);
  expect(taken(bare("ubuntu-24.04"))).toEqual([]);
  const dnsmasq = { protocol: "udp", address: "0.0.0.0", port: 53, program: "dnsmasq", owner: "" };
  expect(taken({ ...bare(), listeners: [dnsmasq] })).toEqual(["E_PORT_TAKEN"]);
});
