/** From what was written about regions to what is meant; as `../resolve.ts`, it decides nothing. */
import { type Timing, timingProfiles } from "../../patroni/timing.ts";
import {
  type ConsulServerHost,
  hostsOf,
  type Member,
  type PatroniDatabase,
  type Proxy as ProxyHost,
  type Region,
  type RegionalDeployment,
} from "../regionalModel.ts";
import { type Beside, resolveBase, resolveCatalog, subnetOf } from "../resolveBase.ts";
import { defaultMembers, defaultProxy, defaultServers, proxyPorts } from "./derive.ts";
import { resolveHost, type Surroundings, said } from "./resolveHost.ts";
import {
  consulServer,
  member,
  proxy,
  type WrittenMember,
  type WrittenProxy,
  type WrittenRegion,
  type WrittenRegional,
  type WrittenServer,
} from "./schema.ts";
import type { WrittenTiming } from "./schemaDatabase.ts";
import { resolveWatchdog } from "./schemaWatchdog.ts";

const postgresPort = 5432;
const restPort = 8008;
const readPort = 5433;
const namespace = "/service/";

export function resolveRegional(written: WrittenRegional, beside: Beside): RegionalDeployment {
  const all = Object.entries(written.regions);
  const allOnMachines = all.length > 0 && all.every(([, { target }]) => target === "machines");
  const base = resolveBase(written, beside, allOnMachines ? "none" : "container");
  const regions = all.map(([name, region]) => resolveRegion(name, region, written));
  return { ...base, database: resolveDatabase(written, base.name, regions), regions };
}

function resolveDatabase(
  { database, containers }: WrittenRegional,
  deployment: string,
  regions: readonly Region[],
): PatroniDatabase {
  const { timing, scope, sessionChecks, pooling, watchdog, ...rest } = database;
  return {
    ...rest,
    ...resolveCatalog(database, defaultNetworks(regions, containers.subnet)),
    scope: scope ?? deployment,
    pooling,
    watchdog: resolveWatchdog(watchdog),
    namespace,
    ...resolveTiming(timing),
    sessionChecks: [...new Set(sessionChecks)],
  };
}

/** As for a pair: clients are on the containers' network, and on the members' own machines. */
function defaultNetworks(regions: readonly Region[], subnet: string): string[] {
  const hosts = regions.flatMap(hostsOf);
  const onMachines = hosts.filter(({ role, place }) => role === "member" && place.target === "machines");
  const inContainers = hosts.length === 0 || hosts.some(({ place }) => place.target === "containers");
  return [...(inContainers ? [subnet] : []), ...onMachines.map(({ address }) => `${address}/32`)];
}

function resolveTiming(written: WrittenTiming): Pick<PatroniDatabase, "profile" | "timing"> {
  if (typeof written === "string") return { profile: written, timing: timingProfiles[written] };
  const { profile, ...times } = written;
  const given = said(times);
  const base: Timing = timingProfiles[profile];
  return Object.keys(given).length === 0
    ? { profile, timing: base }
    : { profile: "custom", timing: { ...base, patroni: { ...base.patroni, ...given } } };
}

function resolveRegion(name: string, written: WrittenRegion, whole: WrittenRegional): Region {
  const around = {
    ...{ region: name, written, subnet: subnetOf(whole) },
    dockerHost: whole.containers.dockerHost,
    pooledPort: whole.database.pooling?.port,
  };
  // Nobody can derive a machine: the rules say of an empty map what is missing.
  const derived = (names: readonly string[]) => (written.target === "machines" ? [] : names);
  const members = written.members ?? named(derived(defaultMembers(name)), member.parse({}));
  const servers = written.consulServers ?? named(derived(defaultServers(name)), consulServer.parse({}));
  const proxies = written.proxies ?? named(derived([defaultProxy(name)]), proxy.parse({}));
  return {
    name,
    datacenter: name,
    leader: written.leader,
    servers: Object.entries(servers).map(([host, one]) => resolveServer(host, one, around)),
    members: Object.entries(members).map(([host, one]) => resolveMember(host, one, around)),
    proxies: Object.entries(proxies).map(([host, one]) => resolveProxy(host, one, around)),
    consul: written.consul,
    fenceCommand: written.fenceCommand,
    retired: [...new Set(written.retired)],
  };
}

function named<T>(names: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

function resolveServer(name: string, written: WrittenServer, around: Surroundings): ConsulServerHost {
  return { ...resolveHost(name, "server", written, around), role: "server" };
}

function resolveMember(name: string, written: WrittenMember, around: Surroundings): Member {
  const { settings, nofailover, nosync, noloadbalance, failoverPriority } = written;
  return {
    ...resolveHost(name, "member", written, around),
    role: "member",
    port: postgresPort,
    restPort,
    settings,
    tags: {
      nofailover,
      nosync,
      noloadbalance,
      ...(failoverPriority === undefined ? {} : { failoverPriority }),
    },
  };
}

function resolveProxy(name: string, written: WrittenProxy, around: Surroundings): ProxyHost {
  const host = resolveHost(name, "proxy", written, around);
  const { pooledPort } = around;
  const own = { ...host, role: "proxy", writePort: postgresPort, readPort, pooledPort } as const;
  if (host.place.target === "machines") {
    const at = (port: number) => ({ host: host.address, port });
    const pooled = pooledPort === undefined ? {} : { pooled: at(pooledPort) };
    return {
      ...own,
      client: { write: at(postgresPort), read: at(readPort), ...pooled },
      published: undefined,
    };
  }
  const derived = proxyPorts({ name, region: around.region });
  const published = {
    write: written.publishedWritePort ?? derived.write,
    read: written.publishedReadPort ?? derived.read,
    ...(pooledPort === undefined ? {} : { pooled: written.publishedPooledPort ?? derived.pooled }),
  };
  const at = (port: number) => ({ host: "127.0.0.1", port });
  return {
    ...own,
    client: {
      write: at(published.write),
      read: at(published.read),
      ...(published.pooled === undefined ? {} : { pooled: at(published.pooled) }),
    },
    published,
  };
}
