/** The machines of a region, held against what its hosts need. */
import { expect, test } from "vitest";
import { routesOf } from "../../../../components/hosts/machines/routes.ts";
import type { MachineFacts } from "../../../../components/hosts/machines/survey/facts.ts";
import { judge } from "../../../../components/hosts/machines/survey/judge.ts";
import { isAtLeast } from "../../../../components/hosts/machines/survey/judgePackages.ts";
import { scriptFor } from "../../../../components/hosts/machines/survey/survey.ts";
import { type SurveyWish, surveyWishes } from "../../../../components/hosts/machines/survey/wish.ts";
import { parseRegional } from "../../../../components/spec/regional/parse.ts";
import { bare, cluster, unit } from "./made.ts";

const packageMirror = {
  url: "https://mirror.example.test/deb",
  suite: "own",
  key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBGAAAAAB\n-----END PGP PUBLIC KEY BLOCK-----\n",
};
const member = "region-a-1";
const server = "region-a-consul-1";
const proxy = "region-a-proxy";

/** `database`: more of it. The rest is laid over the region's `machine`. */
function wishes({ database = {}, ...machine }: { database?: object } = {}): readonly SurveyWish[] {
  const at = (name: string, last: number) => [name, { machine: { host: `10.0.0.${last}`, keyFile: "/k" } }];
  const three = (prefix: string, first: number) =>
    Object.fromEntries([1, 2, 3].map((n) => at(`${prefix}${n}`, first + n)));
  const parsed = parseRegional({
    stack: "sur",
    active: "region-a",
    deployment: {
      domain: "sur.example.test",
      database: { kind: "patroni", ...database },
      regions: {
        "region-a": {
          target: "machines",
          machine,
          members: three("region-a-", 10),
          consulServers: three("region-a-consul-", 20),
          proxies: Object.fromEntries([at(proxy, 31)]),
        },
      },
      names: { server: { kind: "none" } },
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { deployment } = parsed;
  const readFile = () => undefined;
  return surveyWishes({
    deployment,
    routes: routesOf(deployment, { home: "/root", secretKeyFile: undefined, readFile }),
    files: { [member]: { "patroni/patroni.yml": "text" } },
    unitFiles: {},
    repair: { [member]: "twice" },
    sha256: (text) => `sum of ${text}`,
  });
}

function wishOf(host: string, more?: Parameters<typeof wishes>[0]): SurveyWish {
  const found = wishes(more).find((wish) => wish.host === host);
  if (!found) throw new Error(`no wish of ${host}`);
  return found;
}

const has = (packages: Readonly<Record<string, string>>): Partial<MachineFacts> => ({
  packages: Object.entries(packages).map(([name, version]) => ({ name, version, held: false })),
});
const offers = (candidates: Readonly<Record<string, string | null>>) => ({ candidates, packageLists: true });
const pooled = { database: { pooling: {} } };
const good = { patroni: "4.1.5-1.pgdg13+1", consul: "1.22.0-1" };

test("each host has its unit, its ports and its packages", () => {
  expect(wishes().map(({ host, unit: name }) => `${host} ${name}`)).toEqual([
    ...[1, 2, 3].map((n) => `region-a-consul-${n} understudy-consul.service`),
    ...[1, 2, 3].map((n) => `region-a-${n} understudy-patroni.service`),
    "region-a-proxy understudy-haproxy.service",
  ]);
  const ports = (host: string) => wishOf(host).ports.map(({ protocol, port }) => `${protocol}/${port}`);
  expect(ports(member)).toEqual([
    ...["tcp/5432", "tcp/8008", "tcp/8600", "udp/8600", "tcp/8301", "udp/8301", "tcp/8501"],
  ]);
  expect(ports(server)).toEqual(["tcp/8300", "tcp/8501", "tcp/8301", "udp/8301"]);
  expect(ports(proxy)).toEqual(["tcp/5432", "tcp/5433", "tcp/7000"]);
  expect(wishOf(proxy, pooled).ports).toContainEqual({ protocol: "tcp", port: 6432 });
  expect(wishOf(member)).toMatchObject({
    package: "postgresql-17",
    minimums: { patroni: "4.1", consul: "1.15" },
    database: { majorVersion: 17 },
    checksums: { "/etc/understudy/patroni/patroni.yml": "sum of text" },
    repair: "twice",
  });
  expect(wishOf(server)).not.toHaveProperty("database");
});

test("the machine is asked for what is judged, and for nothing else", () => {
  const asked = (host: string) => scriptFor(wishOf(host)).split("\n").slice(0, 4).join("\n");
  expect(asked(member)).toContain("patroni.service consul.service");
  expect(asked(member)).toMatch(/US_PACKAGES='?postgresql-17 postgresql-client-17 patroni consul/);
  expect(asked(proxy)).toMatch(/US_PACKAGES='?haproxy'?$/);
  const askedOfPooled = scriptFor(wishOf(proxy, pooled)).split("\n").slice(0, 4).join("\n");
  expect(askedOfPooled).toContain("haproxy.service pgbouncer.service");
  expect(askedOfPooled).toMatch(/US_PACKAGES='?haproxy pgbouncer'?$/);
});

test.each<[string, string, Partial<MachineFacts>, object, string]>([
  ["a fresh machine: no distribution has what is needed", member, {}, {}, "E_PACKAGE E_PACKAGE"],
  ["a mirror is asked when it is installed from", member, {}, { packageMirror }, ""],
  ["its sources have both", member, offers(good), {}, ""],
  ["Debian's own Patroni", member, offers({ ...good, patroni: "4.0.7-3~deb13u1" }), {}, "E_PATRONI_VERSION"],
  ["Debian's has no Consul", member, offers({ ...good, consul: null }), {}, "E_PACKAGE"],
  ["an old Consul", server, offers({ consul: "1.8.7+dfsg1-6" }), {}, "E_CONSUL_VERSION"],
  [
    "an old one that is installed, whatever the mirror has",
    member,
    has({ patroni: "3.3.2-1", consul: "1.22.0-1" }),
    { packageMirror },
    "E_PATRONI_VERSION",
  ],
  ["both are installed", member, has(good), {}, ""],
  ["a proxy needs nothing that the distribution has not", proxy, {}, {}, ""],
  [
    "a Patroni of somebody's",
    member,
    { ...offers(good), units: { "patroni.service": unit() } },
    {},
    "E_SERVICE",
  ],
  [
    "a Consul that would start with the machine",
    server,
    { ...offers(good), units: { "consul.service": unit({ active: "inactive" }) } },
    {},
    "E_SERVICE",
  ],
  [
    "one that somebody has put out of use",
    server,
    { ...offers(good), units: { "consul.service": unit({ active: "inactive", enabled: "disabled" }) } },
    {},
    "",
  ],
  ["a pooling proxy is a fresh machine whose distribution has PgBouncer", proxy, {}, pooled, ""],
  [
    "an old PgBouncer among its sources",
    proxy,
    offers({ pgbouncer: "1.18.0-1" }),
    pooled,
    "E_PGBOUNCER_VERSION",
  ],
  ["no PgBouncer among its sources", proxy, offers({ pgbouncer: null }), pooled, "E_PACKAGE"],
  ["one of a mirror's", proxy, offers({ pgbouncer: "1.18.0-1" }), { ...pooled, packageMirror }, ""],
  [
    "an old PgBouncer that is installed",
    proxy,
    has({ haproxy: "3.0.11-1", pgbouncer: "1.18.0-1+deb12u1" }),
    { ...pooled, packageMirror },
    "E_PGBOUNCER_VERSION",
  ],
  ["another pool", proxy, { units: { "pgbouncer.service": unit() } }, pooled, "N_OTHER_SERVICE"],
  [
    "another pool on its port",
    proxy,
    {
      listeners: [
        {
          protocol: "tcp",
          address: "127.0.0.1",
          port: 6432,
          program: "pgbouncer",
          owner: "/system.slice/pgbouncer.service",
        },
      ],
    },
    pooled,
    "E_PORT_TAKEN",
  ],
  ["another proxy", proxy, { units: { "haproxy.service": unit() } }, {}, "N_OTHER_SERVICE"],
  [
    "a port of the agent's on loopback",
    server,
    {
      ...offers(good),
      listeners: [{ protocol: "tcp", address: "127.0.0.1", port: 8501, program: "consul", owner: "" }],
    },
    {},
    "E_PORT_TAKEN",
  ],
  [
    "a proxy on a port that ours is to have",
    proxy,
    {
      listeners: [
        {
          protocol: "tcp",
          address: "0.0.0.0",
          port: 5433,
          program: "haproxy",
          owner: "/system.slice/haproxy.service",
        },
      ],
    },
    {},
    "E_PORT_TAKEN",
  ],
  [
    "the distribution's own server",
    member,
    { ...offers(good), clusters: [cluster()] },
    {},
    "E_CLUSTER_RUNNING",
  ],
  [
    "somebody's data",
    member,
    { ...offers(good), directories: { "/var/lib/understudy": ["pgdata"] } },
    {},
    "E_FOREIGN_DATA",
  ],
  [
    "a machine of another host",
    server,
    { ...offers(good), owners: { owner: { deployment: "sur", host: member } } },
    {},
    "E_OWNER",
  ],
  ["little memory for PostgreSQL", member, { ...offers(good), memoryMiB: 100 }, {}, "E_MEMORY"],
  ["little memory for a server", server, { ...offers(good), memoryMiB: 20 }, {}, "E_MEMORY"],
])("%s", (_, host, change, machine, expected) => {
  const facts = { ...bare(), ...change };
  const { refusals, notices } = judge([wishOf(host, machine)], { [host]: { reach: "up", facts } });
  const codes = [...refusals, ...notices].map(({ code }) => code).filter((code) => code !== "N_MEMORY");
  expect(codes.join(" ")).toBe(expected);
  for (const { message } of refusals) expect(message).toContain(host);
});

test("says which version there is, which is needed, and where one is to be had", () => {
  const facts = { ...bare(), ...offers({ ...good, patroni: "4.0.7-3~deb13u1" }) };
  const [refusal] = judge([wishOf(member)], { [member]: { reach: "up", facts } }).refusals;
  expect(refusal?.message).toBe(
    "region-a-1 (10.0.0.11) is to get patroni 4.1 or newer, and its sources have 4.0.7-3~deb13u1. Name a source in the machine's `packageMirror` (PostgreSQL's own apt repository has it; a mirror of your own may carry it too).",
  );
});

test("a distribution whose PgBouncer is too old is refused before its sources are asked", () => {
  const up = { reach: "up", facts: bare("debian-12") } as const;
  const [refusal] = judge([wishOf(proxy, pooled)], { [proxy]: up }).refusals;
  expect(refusal?.message).toBe(
    "region-a-proxy (10.0.0.31) is to get pgbouncer 1.21 or newer, and its distribution has 1.18.0. Name a source in the machine's `packageMirror` (PostgreSQL's own apt repository has it; a mirror of your own may carry it too).",
  );
});

test("two hosts on one machine are refused, whatever their programs are", () => {
  const facts = { ...bare(), ...has({ ...good, "postgresql-17": "17.6" }) };
  const up = { reach: "up", facts } as const;
  const found = judge([wishOf(member), wishOf(server)], { [member]: up, [server]: up }).refusals;
  expect(found.map(({ code }) => code)).toEqual(["E_SAME_MACHINE"]);
});

test.each([
  ["4.1.0-1", "4.1", true],
  ["4.0.7-3~deb13u1", "4.1", false],
  ["4.10.0", "4.9", true],
  ["1:4.1.5-2", "4.1", true],
  ["5", "4.1", true],
  ["4", "4.1", false],
  ["1.15.6+ent-1", "1.15", true],
])("%s is at least %s: %s", (version, oldest, expected) => {
  expect(isAtLeast(version, oldest)).toBe(expected);
});
