/** `database.kind: patroni`: look at the regions, define the deployment, tell what a client needs. */
import * as pulumi from "@pulumi/pulumi";
import { hostTable, proxyTable } from "../access.ts";
import { observePresence } from "../hosts/containers/engines.ts";
import { sshEdge } from "../hosts/machines/edge.ts";
import { routesOf } from "../hosts/machines/routes.ts";
import { machineWishes } from "../outlook.ts";
import { certificateEpoch, now } from "../pki/renewal.ts";
import { recordAfter } from "../record/recordAfter.ts";
import { regionsRecord } from "../record/regionsRecord.ts";
import { sightOf } from "../record/sight.ts";
import { certificateNotes } from "../regions/render/certificates.ts";
import { allHosts } from "../regions/wish.ts";
import { regionsDesired } from "../regionsDesired.ts";
import { lookAtRegionsWithSurveys, observeAndPlanRegions } from "../regionsOutlook.ts";
import { parseRegional } from "../spec/regional/parse.ts";
import { accepted, rawConfiguration, secretsOf } from "./configuration.ts";
import type { Outputs } from "./outputs.ts";
import { tell } from "./tell.ts";

export async function regions(config: pulumi.Config): Promise<Outputs> {
  const deployment = accepted(parseRegional(rawConfiguration(config)));
  const epoch = certificateEpoch(deployment.certificates, now());
  const waysFromHere = routesOf(deployment, sshEdge(deployment.name, config.get("sshPrivateKey")));
  const desiredWith = (ways: typeof waysFromHere) =>
    regionsDesired(deployment, certificateNotes(deployment, epoch), ways);
  const wished = desiredWith(waysFromHere);

  // As for a pair: what is refused is refused with nothing touched.
  const [seen, presenceSeen, { RegionalDeployment }] = await Promise.all([
    observeAndPlanRegions(wished, machineWishes(deployment, allHosts(wished), waysFromHere)),
    observePresence(deployment, new Date()),
    import("../regionalDeployment.ts"),
  ]);
  const kind = regionsRecord;
  const found = { outlook: seen, presence: presenceSeen, routes: waysFromHere, desired: wished };
  const sight = await sightOf({ kind, deployment, found, desiredWith });
  const { outlook, presence, routes, desired, fromRecord } = sight;
  tell(outlook, fromRecord);

  const root = new RegionalDeployment(deployment.name, {
    ...{ deployment, desired, presence, routes },
    observed: outlook.observed,
    silentMachines: outlook.silentMachines,
    unseen: fromRecord,
    certificateEpoch: epoch,
    generation: outlook.generation,
    ...secretsOf(config),
  });
  const machines = machineWishes(deployment, allHosts(desired), routes);
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
    facts: pulumi.secret(
      recordAfter({
        ...{ kind, deployment, ...sight },
        look: () => lookAtRegionsWithSurveys(desired, machines),
        converged: root.evidence,
      }),
    ),
  };
}
