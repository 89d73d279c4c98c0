/** Addresses and ports: inside the deployment's network, and one owner each, however they are spelt. */
import { gatewayAddress } from "../derive.ts";
import { type Cidr, contains, parseAddress, parseCidr } from "../ip.ts";
import type { Deployment } from "../model.ts";
import { show } from "../show.ts";
import { type Finding, groupBy, type Rule, type RuleContext } from "./rule.ts";

interface Owner {
  readonly who: string;
  readonly path: string;
  readonly address: string;
  /** As the user wrote it; undefined when it is derived. */
  readonly written: string | undefined;
}

/** The name server comes first: where a site has its address, the site is the one to move. */
function owners(deployment: Deployment, { written }: RuleContext): Owner[] {
  const { server: place } = deployment.names;
  const servers: Owner[] =
    place.kind !== "container"
      ? []
      : [
          {
            who: "the name server",
            path: "deployment.names.serverAddress",
            address: place.address,
            written: written.names.serverAddress,
          },
        ];
  const nodes = deployment.sites.map(({ name, node }) => ({
    who: name,
    path: `deployment.sites.${name}.address`,
    address: node.address,
    written: written.sites[name]?.address,
  }));
  return [...servers, ...nodes];
}

const addressTwice: Rule = {
  code: "E_ADDR_DUP",
  needs: ["deployment.containers.subnet"],
  check(deployment, context) {
    const groups = groupBy(owners(deployment, context), (owner) => owner.address);
    return [...groups.values()].flatMap(([first, ...others]) =>
      others.map((owner): Finding => {
        const spelt = owner.written ?? first?.written;
        const spelling =
          spelt !== undefined && spelt !== owner.address ? ` (written as ${show(spelt, "")})` : "";
        const message = `${first?.who} and ${owner.who} both have ${owner.address}${spelling}; set another \`address\` for one of them`;
        return { path: owner.path, message };
      }),
    );
  },
};

const addressSyntax: Rule = {
  code: "E_ADDRESS",
  needs: [],
  check(deployment, context) {
    return owners(deployment, context).flatMap(({ path, written }) => {
      if (written === undefined) return [];
      const address = parseAddress(written);
      if (!address)
        return [{ path, message: `${show(written, path)} is not an IP address, e.g. 10.86.0.11` }];
      if (!/(^|\.)0\d/.test(written)) return [];
      const message = `${show(written, path)} has leading zeros, which some programs read as octal; write ${address.text}`;
      return [{ path, message }];
    });
  },
};

const subnetSyntax: Rule = {
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

const addressOutside: Rule = {
  code: "E_ADDR_SUBNET",
  needs: ["deployment.containers.subnet"],
  check(deployment, context) {
    const subnet = parseCidr(deployment.containers.subnet);
    if (subnet?.version !== 4) return [];
    return owners(deployment, context).flatMap(({ path, address, written }) => {
      const fault = written === undefined ? undefined : placeFault(address, subnet, deployment);
      return fault ? [{ path, message: `${address} ${fault}` }] : [];
    });
  },
};

function placeFault(text: string, subnet: Cidr, deployment: Deployment): string | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  const name = deployment.containers.subnet;
  if (!contains(subnet, address)) return `is outside the deployment's network ${name}`;
  if (address.value === subnet.base) return `is the address of the network ${name} itself`;
  if (address.value === subnet.base + subnet.size - 1n) return `is the broadcast address of ${name}`;
  if (address.text === gatewayAddress(subnet)) return `is the gateway of ${name}`;
  return undefined;
}

const portTwice: Rule = {
  code: "E_PORT_CLASH",
  needs: [],
  check({ sites, names }) {
    const published = [
      ...(names.server.kind === "container"
        ? [
            {
              who: "the name server",
              path: "deployment.names.publishedPort",
              port: names.server.publishedPort,
            },
          ]
        : []),
      ...sites.flatMap(({ name, place, node: { publishedPort } }) =>
        publishedPort === undefined || (place.target === "containers" && place.ownEngine)
          ? []
          : [{ who: name, path: `deployment.sites.${name}.publishedPort`, port: publishedPort }],
      ),
    ];
    const groups = groupBy(published, ({ port }) => String(port));
    return [...groups.values()].flatMap(([first, ...others]) =>
      others.map(({ who, path, port }) => ({
        path,
        message: `${first?.who} and ${who} would both be published on port ${port} of the Docker host; set another \`publishedPort\` for one of them`,
      })),
    );
  },
};

export const addressRules: readonly Rule[] = [
  addressTwice,
  addressSyntax,
  subnetSyntax,
  addressOutside,
  portTwice,
];
