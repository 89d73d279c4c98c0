import { dockerReach } from "./hosts/containers/reach.ts";
import { nodeFiles } from "./postgres/files.ts";
import type { Desired } from "./roles/desired.ts";
import type { Deployment } from "./spec/model.ts";

/**
 * The wish as plain data, before any resource exists: `converge` can plan with it at preview, on a laptop, or in
 * a test. `certificateFiles` has the secret-free note that tells which certificate a node is to have loaded.
 */
export function desiredState(
  deployment: Deployment,
  certificateFiles: Readonly<Record<string, string>>,
): Desired {
  const { database } = deployment;
  const active = deployment.sites.find((site) => site.name === deployment.active);
  if (!active) throw new Error(`internal: active site ${deployment.active} passed validation`);
  return {
    deployment: deployment.name,
    active: active.node.name,
    nodes: deployment.sites.map(({ node }) => ({
      name: node.name,
      site: node.site,
      clientName: `${node.name}.${deployment.domain}`,
      address: node.address,
      port: node.port,
      slot: node.slot,
      majorVersion: database.version,
      reach: dockerReach(deployment, node),
      files: { ...nodeFiles(deployment, node), "certificate.json": certificateFiles[node.name] ?? "" },
    })),
    policy: {
      synchronous: database.synchronous,
      degradeAfterSeconds: database.degradeAfterSeconds,
      stepTimeoutSeconds: database.stepTimeoutSeconds,
    },
    catalog: { roles: database.roles, databases: database.databases },
    ...(deployment.failover === undefined ? {} : { failover: deployment.failover }),
    floating: { name: deployment.names.floating },
  };
}
