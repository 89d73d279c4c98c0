/** From what was written about regions to what is meant; as `../resolve.ts`, it decides nothing. */
import { type Timing, timingProfiles } from "../../patroni/timing.ts";
import type { Cidr } from "../ip.ts";
import type { ContainerPlace } from "../model.ts";
import type {
  ConsulServerHost,
  Member,
  PatroniDatabase,
  Proxy as ProxyHost,
  Region,
  RegionalDeployment,
  RegionalHost,
} from "../regionalModel.ts";
import { type Beside, resolveBase, resolveCatalog, subnetOf } from "../resolveBase.ts";
import { canonicalAddress } from "../resolvePlace.ts";
import {
  defaultMembers,
  defaultProxy,
  defaultServers,
  type HostRole,
  hostAddress,
  proxyPorts,
} from "./derive.ts";
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

const postgresPort = 5432;
const restPort = 8008;
const readPort = 5433;
const namespace = "/service/";

export function resolveRegional(written: WrittenRegional, beside: Beside): RegionalDeployment {
  const base = resolveBase(written, beside, "container");
  return {
    ...base,
    database: resolveDatabase(written, base.name),
    regions: Object.entries(written.regions).map(([name, region]) => resolveRegion(name, region, written)),
  };
}

function resolveDatabase({ database, containers }: WrittenRegional, deployment: string): PatroniDatabase {
  const { timing, scope, sessionChecks, ...rest } = database;
  return {
    ...rest,
    ...resolveCatalog(database, [containers.subnet]),
    scope: scope ?? deployment,
    namespace,
    ...resolveTiming(timing),
    sessionChecks: [...new Set(sessionChecks)],
  };
}

function resolveTiming(written: WrittenTiming): Pick<PatroniDatabase, "profile" | "timing"> {
  if (typeof written === "string") return { profile: written, timing: timingProfiles[written] };
  const { profile, ...times } = written;
  const given = Object.fromEntries(Object.entries(times).filter(([, seconds]) => seconds !== undefined));
  const base: Timing = timingProfiles[profile];
  return Object.keys(given).length === 0
    ? { profile, timing: base }
    : { profile: "custom", timing: { ...base, patroni: { ...base.patroni, ...given } } };
}

interface Surroundings {
  readonly region: string;
  readonly place: ContainerPlace;
  readonly subnet: Cidr;
}

function resolveRegion(name: string, written: WrittenRegion, whole: WrittenRegional): Region {
  const place: ContainerPlace = {
    target: "containers",
    dockerHost: whole.containers.dockerHost,
    ownEngine: false,
  };
  const around = { region: name, place, subnet: subnetOf(whole) };
  const members = written.members ?? named(defaultMembers(name), member.parse({}));
  const servers = written.consulServers ?? named(defaultServers(name), consulServer.parse({}));
  const proxies = written.proxies ?? named([defaultProxy(name)], proxy.parse({}));
  return {
    name,
    datacenter: name,
    leader: written.leader,
    servers: Object.entries(servers).map(([host, one]) => resolveServer(host, one, around)),
    members: Object.entries(members).map(([host, one]) => resolveMember(host, one, around)),
    proxies: Object.entries(proxies).map(([host, one]) => resolveProxy(host, one, around)),
    fenceCommand: written.fenceCommand,
  };
}

function named<T>(names: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

function resolveHost(
  name: string,
  role: HostRole,
  written: { readonly address?: string | undefined; readonly memoryMiB: number },
  { region, place, subnet }: Surroundings,
): RegionalHost {
  const address = canonicalAddress(written.address) ?? hostAddress({ name, region }, role, subnet);
  return { name, region, place, address, memoryMiB: written.memoryMiB };
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
  const derived = proxyPorts({ name, region: around.region });
  const published = {
    write: written.publishedWritePort ?? derived.write,
    read: written.publishedReadPort ?? derived.read,
  };
  return {
    ...resolveHost(name, "proxy", written, around),
    role: "proxy",
    writePort: postgresPort,
    readPort,
    client: {
      write: { host: "127.0.0.1", port: published.write },
      read: { host: "127.0.0.1", port: published.read },
    },
    published,
  };
}
