/**
 * What each machine of a deployment is held against: plain data without a secret, so that `npm run status` can be
 * given it as an output of the stack.
 */
import { basename } from "node:path";
import { DATA_DIRECTORY as DNS_DATA, NAME_SERVER_PORT, NAME_SERVER_UNIT } from "../../../dns/zone.ts";
import { CONFIG_DIRECTORY, DATA_DIRECTORY } from "../../../postgres/paths.ts";
import type { SshRoute } from "../../../roles/desired.ts";
import type { Deployment, Machine, Site } from "../../../spec/model.ts";
import type { InstalledProgram } from "../../host.ts";
import { machineProgram } from "../programs.ts";
import { unitName } from "../reach.ts";

export interface SurveyWish {
  /** Name of the host: a site's, or the name server's unit. */
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
  /** Name of the note that says whose the machine is. */
  readonly ownerNote: string;
  /** The user names a source for packages. */
  readonly packageMirror: boolean;
  /** Config `repair`: another text than the last has everything written again. */
  readonly repair?: string;
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
  /** SHA-256 of the rendered files without a secret, by path: tells whether an update is going to write one. */
  readonly checksums: Readonly<Record<string, string>>;
}

export interface WishArgs {
  readonly deployment: Deployment;
  readonly routes: Readonly<Record<string, SshRoute>>;
  /** The rendered files of each node, by node and name; see `DesiredNode.files`. */
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Config `repair`, by host. */
  readonly repair: Readonly<Record<string, string>>;
  readonly sha256: (text: string) => string;
}

export function surveyWishes(args: WishArgs): SurveyWish[] {
  const { server } = args.deployment.names;
  return [
    ...args.deployment.sites.flatMap((site) =>
      site.place.target === "machines" ? [ofSite(args, site, site.place.machine)] : [],
    ),
    ...(server.kind === "machine" ? [ofNameServer(args, server.machine)] : []),
  ];
}

function ofSite(args: WishArgs, site: Site, machine: Machine): SurveyWish {
  const { deployment, routes, files, sha256 } = args;
  const { node } = site;
  const { version, slotWalKeepMiB } = deployment.database;
  const { adopt, firewall, packageMirror } = machine;
  const checksums = Object.entries(files[node.name] ?? {}).map(([name, content]) => [
    `${CONFIG_DIRECTORY}/${name}`,
    sha256(content),
  ]);
  return {
    host: site.name,
    deployment: deployment.name,
    route: routeOf(routes, site.name),
    unit: unitName("postgres"),
    ...programOf("postgres", version),
    firewall,
    ports: [{ protocol: "tcp", port: node.port }],
    dataDirectory: adopt ?? DATA_DIRECTORY,
    packageMirror: packageMirror !== undefined,
    ...repairOf(args, site.name),
    database: {
      majorVersion: version,
      memoryMiB: node.memoryMiB,
      slotWalKeepMiB,
      ...(adopt === undefined ? {} : { adopt }),
      checksums: Object.fromEntries(checksums),
    },
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
    ...programOf("dns", deployment.database.version),
    firewall,
    ports: [53, NAME_SERVER_PORT].flatMap((port) => protocols.map((protocol) => ({ protocol, port }))),
    dataDirectory: DNS_DATA,
    packageMirror: packageMirror !== undefined,
    ...repairOf(args, NAME_SERVER_UNIT),
  };
}

function programOf(
  program: InstalledProgram,
  version: number,
): Pick<SurveyWish, "directories" | "package" | "held" | "ownerNote"> {
  const { directories, packages, held, ownerFile } = machineProgram(program, version);
  const [first = ""] = packages;
  return {
    directories: [directories.config, directories.data],
    package: first,
    held,
    ownerNote: basename(ownerFile),
  };
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
