/** Ports: one owner each on a host. SSH's above all, because a port of ours is behind the firewall. */
import type { Deployment, Names } from "../model.ts";
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

function besideSsh({ sites, names }: Deployment): Finding[] {
  const clash = (path: string, port: number, program: string): Finding => ({
    path,
    message: `${port} is ${program}'s port on the machine, and cannot be SSH's too: the firewall would keep you out; let SSH listen on another one`,
  });
  const ofSites = sites.flatMap(({ name, place, node }) =>
    place.target === "machines" && place.machine.ssh.port === node.port
      ? [clash(`deployment.sites.${name}.machine.port`, node.port, "PostgreSQL")]
      : [],
  );
  const { server } = names;
  const ofNames =
    server.kind === "machine" && nameServerPorts.includes(server.machine.ssh.port)
      ? [clash("deployment.names.server.machine.port", server.machine.ssh.port, "the name server")]
      : [];
  return [...ofSites, ...ofNames];
}

export const portRules: readonly StreamingRule[] = [
  {
    code: "E_PORT_CLASH",
    needs: ["deployment.sites.*.target", "deployment.names.server.kind"],
    check: (deployment) => [...publishedTwice(deployment), ...besideSsh(deployment)],
  },
];
