/** `database.kind: patroni`: look at the regions, define the deployment, tell what a client needs. */
import * as pulumi from "@pulumi/pulumi";
import { hostTable, proxyTable } from "../access.ts";
import { observePresence } from "../hosts/containers/engines.ts";
import { sshEdge } from "../hosts/machines/edge.ts";
import { routesOf } from "../hosts/machines/routes.ts";
import { machineWishes } from "../outlook.ts";
import { certificateEpoch, now } from "../pki/renewal.ts";
import { certificateNotes } from "../regions/render/certificates.ts";
import { allHosts } from "../regions/wish.ts";
import { regionsDesired } from "../regionsDesired.ts";
import { observeAndPlanRegions } from "../regionsOutlook.ts";
import { parseRegional } from "../spec/regional/parse.ts";
import { accepted, rawConfiguration, secretsOf } from "./configuration.ts";
import type { Outputs } from "./outputs.ts";
import { tell } from "./tell.ts";

export async function regions(config: pulumi.Config): Promise<Outputs> {
  const deployment = accepted(parseRegional(rawConfiguration(config)));
  const epoch = certificateEpoch(deployment.certificates, now());
  const routes = routesOf(deployment, sshEdge(deployment.name, config.get("sshPrivateKey")));
  const desired = regionsDesired(deployment, certificateNotes(deployment, epoch), routes);
  const machines = machineWishes(deployment, allHosts(desired), routes);

  // As for a pair: what is refused is refused with nothing touched.
  const [outlook, presence, { RegionalDeployment }] = await Promise.all([
    observeAndPlanRegions(desired, machines),
    observePresence(deployment, new Date()),
    import("../regionalDeployment.ts"),
  ]);
  tell(outlook);

  const root = new RegionalDeployment(deployment.name, {
    ...{ deployment, desired, presence, routes },
    observed: outlook.observed,
    silentMachines: outlook.silentMachines,
    certificateEpoch: epoch,
    generation: outlook.generation,
    ...secretsOf(config),
  });
  return {
    active: root.active,
    endpoint: root.endpoint,
    readEndpoint: root.readEndpoint,
    ...(root.pooledEndpoint === undefined ? {} : { pooledEndpoint: root.pooledEndpoint }),
    uri: root.uri,
    evidence: root.evidence,
    caCertificate: root.caCertificate,
    nodes: proxyTable(deployment),
    hosts: hostTable(deployment),
    names: deployment.names,
    consulManagementTokens: root.consulManagementTokens,
    wish: pulumi.secret(JSON.stringify({ ...desired, machines })),
  };
}
