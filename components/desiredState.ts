import { reachOf } from "./hosts/reach.ts";
import { nodeFiles } from "./postgres/files.ts";
import type { Desired, DesiredNode, FailoverStatement, SshRoute } from "./roles/desired.ts";
import type { Deployment, Failover, Site } from "./spec/model.ts";

/**
 * The wish as plain data, before any resource exists: `converge` can plan with it at preview, on a laptop, or in
 * a test. `certificateFiles` has the secret-free note that tells which certificate a node is to have loaded;
 * `routes` the ways to the machines, by site.
 */
export function desiredState(
  deployment: Deployment,
  certificateFiles: Readonly<Record<string, string>>,
  routes: Readonly<Record<string, SshRoute>>,
): Desired {
  const { database } = deployment;
  const active = deployment.sites.find((site) => site.name === deployment.active);
  if (!active) throw new Error(`internal: active site ${deployment.active} passed validation`);
  return {
    deployment: deployment.name,
    active: active.node.name,
    nodes: deployment.sites.map((site) => nodeOf(deployment, site, certificateFiles, routes)),
    policy: {
      synchronous: database.synchronous,
      degradeAfterSeconds: database.degradeAfterSeconds,
      stepTimeoutSeconds: database.stepTimeoutSeconds,
    },
    catalog: { roles: database.roles, databases: database.databases },
    ...(deployment.failover === undefined ? {} : { failover: statementOf(deployment.failover) }),
    ...(deployment.names.server.kind === "none" ? {} : { floating: { name: deployment.names.floating } }),
  };
}

function statementOf({ fenceConfirmed, ...said }: Failover): FailoverStatement {
  return { ...said, ...(fenceConfirmed === undefined ? {} : { fenceConfirmed }) };
}

function nodeOf(
  deployment: Deployment,
  site: Site,
  certificateFiles: Readonly<Record<string, string>>,
  routes: Readonly<Record<string, SshRoute>>,
): DesiredNode {
  const { node, fenceCommand } = site;
  const adopt = site.place.target === "machines" ? site.place.machine.adopt : undefined;
  return {
    name: node.name,
    site: node.site,
    clientName: `${node.name}.${deployment.domain}`,
    address: node.address,
    port: node.port,
    slot: node.slot,
    majorVersion: deployment.database.version,
    ...(adopt === undefined ? {} : { adopt }),
    reach: reachOf(deployment, site, routes),
    ...(fenceCommand === undefined ? {} : { fenceCommand }),
    files: { ...nodeFiles(deployment, node), "certificate.json": certificateFiles[node.name] ?? "" },
  };
}
