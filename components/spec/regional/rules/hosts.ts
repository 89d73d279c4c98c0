/** Hosts of regions: one name, one address and one role each. */
import { slotName } from "../../derive.ts";
import { parseCidr } from "../../ip.ts";
import type { RegionalDeployment } from "../../regionalModel.ts";
import { onSharedNetwork } from "../../resolvePlace.ts";
import { networksApart, ownerRules, subnetSyntax } from "../../rules/addresses.ts";
import { wholeHostMaps as hostMaps } from "../../rules/areas.ts";
import { apartOf, nameServerOwner, type Owner } from "../../rules/owners.ts";
import { groupBy, type RuleContext } from "../../rules/rule.ts";
import { leastSubnetSize } from "../derive.ts";
import type { WrittenRegional } from "../schema.ts";
import { type HostAt, hostsAt, membersAt, type RegionalRule, regionPath, writtenAddress } from "./shared.ts";

/** What decides where each host is, and so its address. */
const hostPlaces = [
  ...hostMaps,
  "deployment.regions.*.target",
  ...hostMaps.slice(1).map((map) => `${map}.*.machine.host`),
];

/** Each later one of those with the same name, and the first. */
function namesakes<T extends { readonly name: string }>(items: readonly T[]): [T, T][] {
  const groups = groupBy(items, ({ name }) => name.toLowerCase());
  return [...groups.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : others.map((other): [T, T] => [first, other]),
  );
}

/** Hosts whose regions are namesakes have their names from them: there is one thing to rename. */
function hostNamesakes(hosts: readonly HostAt[]): [HostAt, HostAt][] {
  return namesakes(hosts).filter(
    ([{ host: first }, { host: other }]) =>
      first.region === other.region || first.region.toLowerCase() !== other.region.toLowerCase(),
  );
}

const called = ({ host: { role, region } }: HostAt) =>
  `a ${role === "server" ? "Consul server" : role} of ${region}`;

const isMembers = (one: HostAt, other: HostAt) => one.host.role === "member" && other.host.role === "member";
const isColocated = (one: HostAt, other: HostAt) =>
  [one, other].some(({ host }) => host.role === "server") &&
  [one, other].some(({ host }) => host.role === "member");

const nameTwice: RegionalRule = {
  code: "E_NAME_DUP",
  needs: hostMaps,
  check(deployment) {
    const regions = namesakes(deployment.regions).map(([first, { name }]) => ({
      path: regionPath(name),
      message: `"${name}" and "${first.name}" are one name, because DNS ignores case; rename one of them`,
    }));
    const hosts = hostNamesakes(hostsAt(deployment))
      .filter(([first, other]) => !isMembers(first, other) && !isColocated(first, other))
      .map(([first, other]) => ({
        path: other.path,
        message: `"${other.name}" is ${called(first)} too; rename one of them`,
      }));
    const asRegion = hostsAt(deployment).flatMap(({ name, path }) => {
      const region = deployment.regions.find((one) => one.name.toLowerCase() === name.toLowerCase());
      return region === undefined
        ? []
        : [{ path, message: `"${name}" is the name of a region; rename the host` }];
    });
    return [...regions, ...hosts, ...asRegion];
  },
};

/** Within one region too: names that differ in case only are one. */
const memberTwice: RegionalRule = {
  code: "E_MEMBER_NAME_NOT_UNIQUE",
  needs: ["deployment.regions", "deployment.regions.*.members"],
  check: (deployment) =>
    hostNamesakes(membersAt(deployment)).map(([first, { name, path }]) => ({
      path,
      message: `"${name}" is a member of ${first.host.region} too; two members of one name would let a commit wait for the wrong one: rename one of them`,
    })),
};

const colocated: RegionalRule = {
  code: "E_CONSUL_COLOCATED",
  needs: ["deployment.regions.*.members", "deployment.regions.*.consulServers"],
  check: (deployment) =>
    hostNamesakes(hostsAt(deployment))
      .filter(([first, other]) => isColocated(first, other))
      .map(([first, { name, path }]) => ({
        path,
        message: `"${name}" is ${called(first)} too; a server beside a member would die with it, and the session that keeps its lock too: give Consul a host of its own`,
      })),
};

const slotCollision: RegionalRule = {
  code: "E_SLOT_COLLISION",
  needs: ["deployment.regions", "deployment.regions.*.members"],
  check(deployment) {
    const names = [
      ...deployment.regions.map(({ name }) => ({ name, path: regionPath(name) })),
      ...membersAt(deployment),
    ];
    const groups = groupBy(names, ({ name }) => slotName(name));
    return [...groups].flatMap(([slot, [first, ...others]]) =>
      others
        .filter(({ name }) => name.toLowerCase() !== first?.name.toLowerCase())
        .map(({ name, path }) => ({
          path,
          message: `"${name}" and "${first?.name}" would both use the replication slot "${slot}"; rename one of them`,
        })),
    );
  },
};

/** The name server comes first: where a host has its address, the host is the one to move. */
function ownersOf(deployment: RegionalDeployment, { written }: RuleContext<WrittenRegional>): Owner[] {
  const hasRoom = (parseCidr(written.containers.subnet)?.size ?? 0n) >= leastSubnetSize;
  const hosts = hostsAt(deployment).map(
    (at): Owner => ({
      who: at.name,
      nameServer: false,
      path: `${at.path}.address`,
      address: at.host.address,
      written: writtenAddress(at, written),
      apart: apartOf(at.name, at.host.place),
    }),
  );
  // What would be derived in a network that is too small is no address; the rule E_SUBNET says so, once.
  const known = hosts.filter(({ written, apart }) => hasRoom || written !== undefined || apart !== undefined);
  return [...nameServerOwner(deployment, written), ...known];
}

const subnet: RegionalRule = {
  ...subnetSyntax,
  needs: [...subnetSyntax.needs, ...hostMaps],
  check(deployment, context) {
    const found = subnetSyntax.check(deployment, context);
    const block = parseCidr(deployment.containers.subnet);
    if (found.length > 0 || block === undefined || block.size >= leastSubnetSize) return found;
    const derived = hostsAt(deployment).filter(
      (at) => onSharedNetwork(at.host.place) && writtenAddress(at, context.written) === undefined,
    );
    if (derived.length === 0) return [];
    const message = `/${block.prefix} has no room for a /24 of each region, in which hosts without an \`address\` get one; write a /20 or larger, or the \`address\` of every host`;
    return [{ path: "deployment.containers.subnet", message }];
  },
};

/** As for a pair; a region has no engine of its own that could take it off the network. */
const apartFromNetwork: RegionalRule = {
  code: "W_NETWORKS_APART",
  needs: ["deployment.regions", "deployment.regions.*.target"],
  check({ regions, containers }, { written }) {
    const areas = regions.map(({ name }) => ({
      name,
      path: regionPath(name),
      shared: written.regions[name]?.target === "containers",
    }));
    return networksApart(areas, containers.subnet, (name) => `write machines for ${name} too`);
  },
};

export const hostRules: readonly RegionalRule[] = [
  nameTwice,
  memberTwice,
  colocated,
  slotCollision,
  ...ownerRules(ownersOf, hostPlaces),
  subnet,
  apartFromNetwork,
];
