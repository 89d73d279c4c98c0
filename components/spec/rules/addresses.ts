/** Addresses: usable where they are, and one owner each, however they are spelt. */
import { gatewayAddress } from "../derive.ts";
import { type Address, type Cidr, contains, parseAddress, parseCidr } from "../ip.ts";
import type { DeploymentBase } from "../model.ts";
import type { AnyDeployment } from "../regionalModel.ts";
import { onSharedNetwork } from "../resolvePlace.ts";
import type { WrittenBase } from "../schemaBase.ts";
import { show } from "../show.ts";
import { octalFault, writtenAsOctal } from "../sshHost.ts";
import { type Owner, owners } from "./owners.ts";
import { type Finding, groupBy, list, type Rule, type RuleContext, type StreamingRule } from "./rule.ts";

/** One machine under two owners: meant, as the name server's and a site's, or told by the rule E_HOST_DUP. */
function oneMachine(one: Owner | undefined, other: Owner): boolean {
  if (one?.apart?.host === undefined || other.apart?.host === undefined) return false;
  return one.nameServer || one.apart.key === other.apart.key;
}

/** The rules about whoever has an address, of either kind of deployment. `needs`: what decides who that is, and where. */
export function ownerRules<D extends AnyDeployment, W extends WrittenBase>(
  ownersOf: (deployment: D, context: RuleContext<W>) => readonly Owner[],
  needs: readonly string[],
): readonly Rule<D, W>[] {
  return [
    {
      code: "E_ADDR_DUP",
      needs: ["deployment.containers.subnet", ...needs],
      check: (deployment, context) => addressTwice(ownersOf(deployment, context)),
    },
    {
      code: "E_ADDRESS",
      needs: [nameServerKind, ...needs],
      check: (deployment, context) =>
        ownersOf(deployment, context).flatMap((owner) => {
          const message =
            owner.written === undefined ? underivable(owner) : addressFault(owner.written, owner);
          return message === undefined ? [] : [{ path: owner.path, message }];
        }),
    },
    {
      code: "E_ADDR_SUBNET",
      needs: ["deployment.containers.subnet", nameServerKind, ...needs],
      check: (deployment, context) => addressOutside(deployment, ownersOf(deployment, context)),
    },
  ];
}

const nameServerKind = "deployment.names.server.kind";

function addressTwice(owners: readonly Owner[]): Finding[] {
  const known = owners.filter(({ address }) => parseAddress(address));
  const groups = groupBy(known, (owner) => owner.address);
  return [...groups.values()].flatMap(([first, ...others]) =>
    others
      .filter((owner) => !oneMachine(first, owner))
      .map((owner): Finding => {
        const spelt = owner.written ?? first?.written;
        const spelling =
          spelt !== undefined && spelt !== owner.address ? ` (written as ${show(spelt, "")})` : "";
        const message = `${first?.who} and ${owner.who} both have ${owner.address}${spelling}; set another \`address\` for one of them`;
        return { path: owner.path, message };
      }),
  );
}

function addressFault(written: string, { path, apart }: Owner): string | undefined {
  const address = parseAddress(written);
  const shown = show(written, path);
  if (!address) {
    const example = apart ? "192.0.2.11" : "10.86.0.11";
    return `${shown} is not an IP address, e.g. ${example}`;
  }
  if (writtenAsOctal(written)) return octalFault(shown, address.text);
  const fault = apart && unusable(address);
  return fault && `${shown} is ${fault}, and nodes reach each other by IPv4 addresses of their own`;
}

/** What keeps an address from being derived, where the user wrote none. */
function underivable({ apart, nameServer }: Owner): string | undefined {
  if (apart === undefined || apart.host === "") return undefined;
  if (apart.host === undefined) {
    return "is missing; write the address of the Docker host, where the node's port is published";
  }
  const address = parseAddress(apart.host);
  const fault = address ? unusable(address) : "a name";
  const users = nameServer ? "clients ask it by IPv4 address" : "nodes reach each other by IPv4 address";
  return (
    fault &&
    `is missing: \`machine.host\`, ${show(apart.host, "")}, is ${fault}, and ${users}; write the machine's`
  );
}

/** Why no other machine can reach it; undefined: it may be reachable. */
function unusable({ version, value }: Address): string | undefined {
  if (version === 6) return "IPv6";
  const first = value >> 24n;
  if (first === 0n) return "unspecified";
  if (first === 127n) return "a loopback address";
  if (first >= 224n) return first < 240n ? "a multicast address" : "a reserved address";
  return undefined;
}

export const subnetSyntax: Rule = {
  code: "E_SUBNET",
  needs: ["deployment.containers.subnet"],
  check({ containers: { subnet } }) {
    const block = parseCidr(subnet);
    const fault = !block
      ? "is not a CIDR block, e.g. 10.86.0.0/16"
      : block.version === 6
        ? "is IPv6; the deployment's network is IPv4"
        : block.prefix < 8 || block.prefix > 24
          ? "must be between /8 and /24"
          : block.aligned
            ? undefined
            : `has bits set beyond its /${block.prefix}`;
    const path = "deployment.containers.subnet";
    return fault ? [{ path, message: `${show(subnet, path)} ${fault}` }] : [];
  },
};

function addressOutside({ containers }: DeploymentBase, owners: readonly Owner[]): Finding[] {
  const subnet = parseCidr(containers.subnet);
  if (subnet?.version !== 4) return [];
  return owners.flatMap(({ path, address, written, apart }) => {
    const given = written !== undefined && apart === undefined;
    const fault = given ? placeFault(address, subnet, containers.subnet) : undefined;
    return fault ? [{ path, message: `${address} ${fault}` }] : [];
  });
}

function placeFault(text: string, subnet: Cidr, name: string): string | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  if (!contains(subnet, address)) return `is outside the deployment's network ${name}`;
  if (address.value === subnet.base) return `is the address of the network ${name} itself`;
  if (address.value === subnet.base + subnet.size - 1n) return `is the broadcast address of ${name}`;
  if (address.text === gatewayAddress(subnet)) return `is the gateway of ${name}`;
  return undefined;
}

/**
 * Docker translates what leaves its network, and a peer knows a node by its address. `ways`: what can be done where they
 * cannot reach each other.
 */
export function networksApart(
  areas: readonly { readonly name: string; readonly path: string; readonly shared: boolean }[],
  subnet: string,
  ways: (name: string) => string,
): Finding[] {
  const apart = areas.filter(({ shared }) => !shared).map(({ name }) => name);
  if (apart.length === 0) return [];
  return areas
    .filter(({ shared }) => shared)
    .map(({ name, path }) => ({
      path,
      message: `is on the containers' network ${subnet}, and ${list(apart)} must reach it there, and it them, without translation of addresses; where they cannot, ${ways(name)}`,
    }));
}

const apartFromNetwork: StreamingRule = {
  code: "W_NETWORKS_APART",
  needs: ["deployment.sites", "deployment.sites.*.target", "deployment.sites.*.dockerHost"],
  check({ sites, containers: { subnet } }) {
    const areas = sites.map(({ name, place }) => ({
      name,
      path: `deployment.sites.${name}`,
      shared: onSharedNetwork(place),
    }));
    const ways = (name: string) => `give ${name} a \`dockerHost\` and that host's \`address\``;
    return networksApart(areas, subnet, ways);
  },
};

export const addressRules: readonly StreamingRule[] = [
  ...ownerRules(owners, ["deployment.sites.*.machine.host", "deployment.sites.*.target"]),
  subnetSyntax,
  apartFromNetwork,
];
