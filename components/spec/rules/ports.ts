/** Ports: one owner each on a host. SSH's above all, because a port of ours is behind the firewall. */
import type { Deployment, Names, SshTarget } from "../model.ts";
import { type Finding, groupBy, type StreamingRule } from "./rule.ts";

/** What the name server listens on; see `dns/zone.ts`. */
const nameServerPorts = [53, 5353];

export interface Published {
  readonly who: string;
  readonly path: string;
  readonly port: number;
}

/** What the name server publishes on the Docker host. */
export function nameServerPort({ server }: Names): Published[] {
  return server.kind === "container"
    ? [{ who: "the name server", path: "deployment.names.publishedPort", port: server.publishedPort }]
    : [];
}

export function portsTwice(published: readonly Published[]): Finding[] {
  const groups = groupBy(published, ({ port }) => String(port));
  return [...groups.values()].flatMap(([first, ...others]) =>
    others.map(({ who, path, port }) => ({
      path,
      message: `${first?.who} and ${who} would both be published on port ${port} of the Docker host; set another \`${path.replace(/^.*\./, "")}\` for one of them`,
    })),
  );
}

function publishedTwice({ sites, names }: Deployment): Finding[] {
  return portsTwice([
    ...nameServerPort(names),
    ...sites.flatMap(({ name, place, node: { publishedPort } }) =>
      publishedPort === undefined || (place.target === "containers" && place.ownEngine)
        ? []
        : [{ who: name, path: `deployment.sites.${name}.publishedPort`, port: publishedPort }],
    ),
  ]);
}

/** What listens on a machine that is reached through SSH. */
export interface Listening {
  readonly path: string;
  readonly ssh: SshTarget;
  /** Whose port it is, by port. */
  readonly ports: Readonly<Record<number, string>>;
}

/** What the name server listens on where it is on a machine. */
export function nameServerListening({ server }: Names): Listening[] {
  if (server.kind !== "machine") return [];
  const ports = Object.fromEntries(nameServerPorts.map((port) => [port, "the name server"]));
  return [{ path: "deployment.names.server.machine", ssh: server.machine.ssh, ports }];
}

export function besideSsh(listening: readonly Listening[]): Finding[] {
  return listening.flatMap(({ path, ssh: { port }, ports }) => {
    const program = ports[port];
    if (program === undefined) return [];
    const message = `${port} is ${program}'s port on the machine, and cannot be SSH's too: the firewall would keep you out; let SSH listen on another one`;
    return [{ path: `${path}.port`, message }];
  });
}

function listeningOf({ sites, names }: Deployment): Listening[] {
  const ofSites = sites.flatMap(({ name, place, node }) =>
    place.target === "machines"
      ? [
          {
            path: `deployment.sites.${name}.machine`,
            ssh: place.machine.ssh,
            ports: { [node.port]: "PostgreSQL" },
          },
        ]
      : [],
  );
  return [...ofSites, ...nameServerListening(names)];
}

export const portRules: readonly StreamingRule[] = [
  {
    code: "E_PORT_CLASH",
    needs: ["deployment.sites.*.target", "deployment.names.server.kind"],
    check: (deployment) => [...publishedTwice(deployment), ...besideSsh(listeningOf(deployment))],
  },
];
