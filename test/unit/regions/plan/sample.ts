/** Wishes made up by name, for tests of the plan: regions of three servers, three members and a proxy each. */
import type {
  DesiredHost,
  DesiredMember,
  DesiredProgram,
  DesiredRegion,
  ProgramName,
  RegionsDesired,
} from "../../../../components/regions/desired.ts";
import type { FailoverStatement } from "../../../../components/roles/desired.ts";

export const SYSTEM = "7300000000000000001";
export const now = "2026-01-01T00:00:00.000Z";

const reads: Record<ProgramName, Omit<DesiredProgram, "name">> = {
  consul: { reloads: ["secrets/consul.json"], restarts: ["consul.json"] },
  patroni: { reloads: ["patroni/patroni.yml"], restarts: ["patroni/start.yml"] },
  haproxy: { reloads: ["haproxy.cfg"], restarts: [] },
  pgbouncer: { reloads: ["pgbouncer/pgbouncer.ini"], restarts: ["pgbouncer/listen.ini"] },
};

export function patroniYml(parameters: Readonly<Record<string, unknown>> = {}, tags: object = {}): string {
  return `${JSON.stringify({ postgresql: { parameters }, tags }, null, 2)}\n`;
}

function host(region: string, name: string, last: number, programs: readonly ProgramName[]): DesiredHost {
  const files: Record<string, string> = {};
  if (programs.includes("consul")) files["consul.json"] = "{}\n";
  if (programs.includes("patroni")) files["patroni/patroni.yml"] = patroniYml();
  if (programs.includes("haproxy")) files["haproxy.cfg"] = "defaults\n";
  return {
    name,
    region,
    address: `10.${region.charCodeAt(0) - 96}.0.${last}`,
    reach: { kind: "docker", container: `demo-${name}`, dataVolume: `demo-${name}-data`, image: "patroni" },
    files,
    programs: programs.map((program) => ({ name: program, ...reads[program] })),
  };
}

export function member(region: string, number: number): DesiredMember {
  const base = host(region, `${region}-${number}`, 10 + number, ["consul", "patroni"]);
  return { ...base, port: 5432, restPort: 8008, majorVersion: 17 };
}

export function server(region: string, number: number): DesiredHost {
  return host(region, `${region}-consul-${number}`, 20 + number, ["consul"]);
}

export const dynamic = {
  ttl: 20,
  loop_wait: 1,
  synchronous_mode: true,
  postgresql: { use_slots: true, parameters: { max_connections: 100, work_mem: "4MB" } },
};

function region(name: string, others: readonly string[]): DesiredRegion {
  const numbers = [1, 2, 3];
  const standbyOf = (of: string) => ({
    host: numbers.map((number) => member(of, number).address).join(","),
    port: 5432,
    primary_slot_name: `region_${name}`,
  });
  const slot = { type: "physical", cluster_type: "primary" };
  return {
    name,
    datacenter: name,
    scope: "demo",
    namespace: "/service/",
    servers: numbers.map((number) => server(name, number)),
    members: numbers.map((number) => member(name, number)),
    proxies: [
      {
        ...host(name, `${name}-proxy`, 31, ["haproxy"]),
        writePort: 5432,
        readPort: 5433,
        clientName: `${name}-proxy.demo.test`,
      },
    ],
    access: {
      policies: [{ name: "dns", description: "", rules: 'node_prefix "" { policy = "read" }\n' }],
      tokens: { dns: ["dns"] },
    },
    dynamic: { ...dynamic, slots: Object.fromEntries(others.map((other) => [`region_${other}`, slot])) },
    standbyClusterOf: Object.fromEntries(others.map((other) => [other, standbyOf(other)])),
  };
}

export function wish(active = "a", names: readonly string[] = ["a", "b"]): RegionsDesired {
  return {
    deployment: "demo",
    active,
    regions: names.map((name) =>
      region(
        name,
        names.filter((other) => other !== name),
      ),
    ),
    policy: { synchronous: "strict", stepTimeoutSeconds: 60, lagLimitBytes: 16 * 2 ** 20, ttlSeconds: 20 },
    catalog: { roles: [], databases: [] },
  };
}

export const statement: FailoverStatement = {
  from: "a",
  to: "b",
  fenceConfirmed: "powered off",
  at: now,
  validForMinutes: 15,
  acceptDataLoss: true,
};

/** Each member's file says whom it lets copy from it: every member that is declared. Others say nothing, and let everybody. */
export function admitting(desired: RegionsDesired): RegionsDesired {
  const members = desired.regions.flatMap((region) => region.members);
  const admits = members.map(({ address }) => address);
  const text = `${JSON.stringify({ postgresql: { parameters: {} }, tags: {}, admits }, null, 2)}\n`;
  return members.reduce((each, { name }) => withFile(each, name, "patroni/patroni.yml", text), desired);
}

/** The wish with one region changed. */
export function withRegionWish(
  desired: RegionsDesired,
  name: string,
  change: (region: DesiredRegion) => Partial<DesiredRegion>,
): RegionsDesired {
  const regions = desired.regions.map((each) => (each.name === name ? { ...each, ...change(each) } : each));
  return { ...desired, regions };
}

/** The wish with a file of one host changed. */
export function withFile(desired: RegionsDesired, name: string, path: string, text: string): RegionsDesired {
  const changed = <H extends DesiredHost>(each: H): H =>
    each.name === name ? { ...each, files: { ...each.files, [path]: text } } : each;
  const regions = desired.regions.map((each) => ({
    ...each,
    servers: each.servers.map(changed),
    members: each.members.map(changed),
    proxies: each.proxies.map(changed),
  }));
  return { ...desired, regions };
}
