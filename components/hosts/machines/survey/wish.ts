/**
 * What each machine of a deployment is held against: plain data without a secret, so that `npm run status` can be
 * given it as an output of the stack.
 */
import { basename } from "node:path";
import { DATA_DIRECTORY as DNS_DATA, NAME_SERVER_PORT, NAME_SERVER_UNIT } from "../../../dns/zone.ts";
import { CONFIG_DIRECTORY, DATA_DIRECTORY } from "../../../postgres/paths.ts";
import { listenersOf, loopbackPorts } from "../../../regions/listeners.ts";
import { type AnyHost, programOfHost } from "../../../regions/render/programs.ts";
import type { SshRoute } from "../../../roles/desired.ts";
import type { Deployment, Machine, Site } from "../../../spec/model.ts";
import { type AnyDeployment, hostsOf, type RegionalDeployment } from "../../../spec/regionalModel.ts";
import type { Program } from "../../host.ts";
import { machineProgram, type PackageNeeds } from "../programs.ts";
import { SYSTEMD_UNITS, unitName } from "../reach.ts";

export interface SurveyWish {
  /** Name of the host: a site's, one of a region, or the name server's unit. */
  readonly host: string;
  readonly deployment: string;
  readonly route: SshRoute;
  /** The unit that is to run on it. */
  readonly unit: string;
  /** A firewall of ours is to be there. */
  readonly firewall: boolean;
  readonly ports: readonly WishedPort[];
  /** Ours alone: what is in there is ours or somebody else's. */
  readonly directories: readonly string[];
  /** Where the unit's data grows. */
  readonly dataDirectory: string;
  /** Debian's name of the program's package. */
  readonly package: string;
  /** Packages that no upgrade is to touch. */
  readonly held: readonly string[];
  /** By package: an older version cannot be used. Absent: whatever the distribution has is new enough. */
  readonly minimums?: Readonly<Record<string, string>>;
  /** Services of the distribution's that would be there beside ours. Absent: of a pair, whose port says enough. */
  readonly services?: readonly string[];
  /** Name of the note that says whose the machine is. */
  readonly ownerNote: string;
  /** The user names a source for packages. */
  readonly packageMirror: boolean;
  /** Config `repair`: another text than the last has everything written again. */
  readonly repair?: string;
  /** Of a host of a region; absent: the memory that a site's database is given is in `database`. */
  readonly memoryMiB?: number;
  /** SHA-256 of rendered files without a secret, by path: tells whether an update is going to write one. */
  readonly checksums?: Readonly<Record<string, string>>;
  /** Of a database; absent: the host has none. */
  readonly database?: WishedDatabase;
}

export interface WishedPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

export interface WishedDatabase {
  readonly majorVersion: number;
  readonly memoryMiB: number;
  readonly slotWalKeepMiB: number;
  /** Data directory of a running primary that becomes the site's. */
  readonly adopt?: string;
}

export interface WishArgs {
  readonly deployment: AnyDeployment;
  /** By the name of the host, as `SurveyWish.host`. */
  readonly routes: Readonly<Record<string, SshRoute>>;
  /** The rendered files of each node or host, by its name and theirs; see `DesiredNode.files` and `DesiredHost.files`. */
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Text of the unit's file, of hosts whose plan goes by it; see `DesiredMember.unitFile`. */
  readonly unitFiles: Readonly<Record<string, string>>;
  /** Config `repair`, by host. */
  readonly repair: Readonly<Record<string, string>>;
  readonly sha256: (text: string) => string;
}

export function surveyWishes(args: WishArgs): SurveyWish[] {
  const { deployment } = args;
  const { server } = deployment.names;
  return [
    ...("regions" in deployment ? ofRegions(args, deployment) : ofSites(args, deployment)),
    ...(server.kind === "machine" ? [ofNameServer(args, server.machine)] : []),
  ];
}

function ofSites(args: WishArgs, deployment: Deployment): SurveyWish[] {
  return deployment.sites.flatMap((site) =>
    site.place.target === "machines" ? [ofSite(args, deployment, site, site.place.machine)] : [],
  );
}

function ofRegions(args: WishArgs, deployment: RegionalDeployment): SurveyWish[] {
  return deployment.regions
    .flatMap(hostsOf)
    .flatMap((host) =>
      host.place.target === "machines" ? [ofRegionHost(args, deployment, host, host.place.machine)] : [],
    );
}

function ofSite(args: WishArgs, deployment: Deployment, site: Site, machine: Machine): SurveyWish {
  const { routes } = args;
  const { node } = site;
  const { version, slotWalKeepMiB } = deployment.database;
  const { adopt, firewall, packageMirror } = machine;
  return {
    host: site.name,
    deployment: deployment.name,
    route: routeOf(routes, site.name),
    unit: unitName("postgres"),
    ...programOf("postgres", deployment.database),
    firewall,
    ports: [{ protocol: "tcp", port: node.port }],
    dataDirectory: adopt ?? DATA_DIRECTORY,
    packageMirror: packageMirror !== undefined,
    ...repairOf(args, site.name),
    checksums: checksumsOf(args, node.name),
    database: {
      majorVersion: version,
      memoryMiB: node.memoryMiB,
      slotWalKeepMiB,
      ...(adopt === undefined ? {} : { adopt }),
    },
  };
}

function ofRegionHost(
  args: WishArgs,
  deployment: RegionalDeployment,
  host: AnyHost,
  { firewall, packageMirror }: Machine,
): SurveyWish {
  const { version, slotWalKeepMiB } = deployment.database;
  const program = programOfHost[host.role];
  const { minimums, notStarted } = machineProgram(program, deployment.database);
  return {
    host: host.name,
    deployment: deployment.name,
    route: routeOf(args.routes, host.name),
    unit: unitName(program),
    ...programOf(program, deployment.database),
    minimums,
    services: notStarted,
    firewall,
    // First the one that clients of a member's PostgreSQL come to.
    ports: [...listenersOf(deployment, host), ...loopbackPorts[host.role]].map(({ protocol, port }) => ({
      protocol,
      port,
    })),
    dataDirectory: DATA_DIRECTORY,
    packageMirror: packageMirror !== undefined,
    ...repairOf(args, host.name),
    memoryMiB: host.memoryMiB,
    checksums: { ...checksumsOf(args, host.name), ...unitChecksum(args, host.name, unitName(program)) },
    ...(host.role === "member" && {
      database: { majorVersion: version, memoryMiB: host.memoryMiB, slotWalKeepMiB },
    }),
  };
}

function ofNameServer(args: WishArgs, { firewall, packageMirror }: Machine): SurveyWish {
  const { deployment, routes } = args;
  const protocols = ["tcp", "udp"] as const;
  return {
    host: NAME_SERVER_UNIT,
    deployment: deployment.name,
    route: routeOf(routes, NAME_SERVER_UNIT),
    unit: unitName("dns"),
    ...programOf("dns", deployment.database),
    firewall,
    ports: [53, NAME_SERVER_PORT].flatMap((port) => protocols.map((protocol) => ({ protocol, port }))),
    dataDirectory: DNS_DATA,
    packageMirror: packageMirror !== undefined,
    ...repairOf(args, NAME_SERVER_UNIT),
  };
}

function programOf(
  program: Program,
  database: PackageNeeds,
): Pick<SurveyWish, "directories" | "package" | "held" | "ownerNote"> {
  const { directories, packages, held, ownerFile } = machineProgram(program, database);
  const [first = ""] = packages;
  return {
    directories: [directories.config, directories.data],
    package: first,
    held,
    ownerNote: basename(ownerFile),
  };
}

function checksumsOf({ files, sha256 }: WishArgs, host: string): Record<string, string> {
  const rendered = Object.entries(files[host] ?? {});
  return Object.fromEntries(rendered.map(([name, text]) => [`${CONFIG_DIRECTORY}/${name}`, sha256(text)]));
}

function unitChecksum({ unitFiles, sha256 }: WishArgs, host: string, unit: string): Record<string, string> {
  const text = unitFiles[host];
  return text === undefined ? {} : { [`${SYSTEMD_UNITS}/${unit}`]: sha256(text) };
}

function repairOf({ repair }: WishArgs, host: string): Pick<SurveyWish, "repair"> {
  const said = repair[host];
  return said === undefined ? {} : { repair: said };
}

function routeOf(routes: Readonly<Record<string, SshRoute>>, host: string): SshRoute {
  const route = routes[host];
  if (route === undefined) throw new Error(`internal: no way to the machine of ${host}`);
  return route;
}
