import { machineProgram } from "./hosts/machines/programs.ts";
import { unitFile } from "./hosts/machines/unitFile.ts";
import { reachOfHost } from "./hosts/reach.ts";
import type {
  DesiredHost,
  DesiredMember,
  DesiredProxy,
  DesiredRegion,
  RegionsDesired,
} from "./regions/desired.ts";
import { unitArgs } from "./regions/hostSetup.ts";
import { accessOf } from "./regions/render/access.ts";
import { dynamicOf, standbyOf } from "./regions/render/dynamic.ts";
import { hostFiles } from "./regions/render/hostFiles.ts";
import { FILES } from "./regions/render/paths.ts";
import { type AnyHost, desiredProgram, programOfHost, programsOf } from "./regions/render/programs.ts";
import { othersThan } from "./regions/render/topology.ts";
import type { FailoverStatement, SshRoute } from "./roles/desired.ts";
import type { Failover } from "./spec/model.ts";
import { watchdogOf } from "./spec/regional/schemaWatchdog.ts";
import type { Member, Proxy as ProxyHost, Region, RegionalDeployment } from "./spec/regionalModel.ts";

/** As for a pair: a region that is further behind does not take over by a switchover. */
const lagLimitBytes = 16 * 1024 * 1024;

/**
 * The wish as plain data, before any resource exists; see `desiredState`. `certificateNotes` has, by host, the
 * secret-free note that tells which certificate it is to have loaded; `routes` the ways to the machines.
 */
export function regionsDesired(
  deployment: RegionalDeployment,
  certificateNotes: Readonly<Record<string, string>>,
  routes: Readonly<Record<string, SshRoute>>,
): RegionsDesired {
  const { database, names } = deployment;
  const host: HostOf = (one) => hostOf(deployment, one, certificateNotes[one.name] ?? "", routes);
  return {
    deployment: deployment.name,
    active: deployment.active,
    regions: deployment.regions.map((region) => regionOf(deployment, region, host)),
    policy: {
      synchronous: database.synchronous,
      stepTimeoutSeconds: database.stepTimeoutSeconds,
      lagLimitBytes,
      ttlSeconds: database.timing.patroni.ttlSeconds,
    },
    catalog: { roles: database.roles, databases: database.databases },
    ...(deployment.failover === undefined ? {} : { failover: statementOf(deployment.failover) }),
    ...(names.server.kind === "none" ? {} : { floating: { name: names.floating } }),
  };
}

function statementOf({ fenceConfirmed, ...said }: Failover): FailoverStatement {
  return { ...said, ...(fenceConfirmed === undefined ? {} : { fenceConfirmed }) };
}

type HostOf = (host: AnyHost) => DesiredHost;

function regionOf(deployment: RegionalDeployment, region: Region, host: HostOf): DesiredRegion {
  const { scope, namespace } = deployment.database;
  const { leader, fenceCommand } = region;
  return {
    name: region.name,
    datacenter: region.datacenter,
    scope,
    namespace,
    ...(leader === undefined ? {} : { leader }),
    servers: region.servers.map(host),
    members: region.members.map((member) => memberOf(deployment, member, host(member))),
    proxies: region.proxies.map((proxy) => proxyOf(deployment, proxy, host(proxy))),
    access: accessOf(deployment, region),
    dynamic: dynamicOf(deployment, region),
    standbyClusterOf: Object.fromEntries(
      othersThan(deployment, region).map((other) => [other.name, standbyOf(region, other)]),
    ),
    ...(fenceCommand === undefined ? {} : { fenceCommand }),
  };
}

function hostOf(
  deployment: RegionalDeployment,
  host: AnyHost,
  note: string,
  routes: Readonly<Record<string, SshRoute>>,
): DesiredHost {
  return {
    name: host.name,
    region: host.region,
    address: host.address,
    reach: reachOfHost(deployment.name, host, programOfHost[host.role], routes),
    ...unitFileOf(deployment, host),
    files: { ...hostFiles(deployment, host), [FILES.certificate]: note },
    programs: programsOf(deployment, host).map(desiredProgram),
  };
}

function memberOf(deployment: RegionalDeployment, member: Member, host: DesiredHost): DesiredMember {
  const { database } = deployment;
  const { mode, device } = watchdogOf(database.watchdog, member.place.target);
  return {
    ...host,
    port: member.port,
    restPort: member.restPort,
    majorVersion: database.version,
    ...(mode === "off" ? {} : { watchdog: { mode, device } }),
  };
}

function unitFileOf(deployment: RegionalDeployment, host: AnyHost): Pick<DesiredHost, "unitFile"> {
  const { name, place } = host;
  if (place.target !== "machines") return {};
  const unit = unitArgs(deployment, host);
  const machine = machineProgram(unit.program, deployment.database);
  const { adopt } = place.machine;
  return {
    unitFile: unitFile({ deployment: deployment.name, host: name, unit, machineProgram: machine, adopt }),
  };
}

function proxyOf(
  { domain, database }: RegionalDeployment,
  proxy: ProxyHost,
  host: DesiredHost,
): DesiredProxy {
  const { pooling } = database;
  return {
    ...host,
    writePort: proxy.writePort,
    readPort: proxy.readPort,
    clientName: `${proxy.name}.${domain}`,
    ...(pooling === undefined ? {} : { pooled: { port: pooling.port, pauseSeconds: pooling.pauseSeconds } }),
  };
}
