/** `database.kind: streaming`: look at the sites, define the deployment, tell what a client needs. */
import * as pulumi from "@pulumi/pulumi";
import { nodeTable } from "../access.ts";
import { desiredState } from "../desiredState.ts";
import { observePresence } from "../hosts/containers/engines.ts";
import { sshEdge } from "../hosts/machines/edge.ts";
import { routesOf } from "../hosts/machines/routes.ts";
import { lookWithSurveys, machineWishes, observeAndPlan } from "../outlook.ts";
import { certificateEpoch, certificateFiles, now } from "../pki/renewal.ts";
import { pairRecord } from "../record/pairRecord.ts";
import { recordAfter } from "../record/recordAfter.ts";
import { sightOf } from "../record/sight.ts";
import { parse } from "../spec/parse.ts";
import { accepted, rawConfiguration, secretsOf } from "./configuration.ts";
import type { Outputs } from "./outputs.ts";
import { tell } from "./tell.ts";

export async function pair(config: pulumi.Config): Promise<Outputs> {
  const deployment = accepted(parse(rawConfiguration(config)));
  const epoch = certificateEpoch(deployment.certificates, now());
  const waysFromHere = routesOf(deployment, sshEdge(deployment.name, config.get("sshPrivateKey")));
  const desiredWith = (ways: typeof waysFromHere) =>
    desiredState(deployment, certificateFiles(deployment, epoch), ways);
  const wished = desiredWith(waysFromHere);

  // Looked at before any resource is made, at preview and at update: what is refused is refused with nothing touched.
  // The providers' libraries are loaded meanwhile.
  const [seen, presenceSeen, { Deployment }] = await Promise.all([
    observeAndPlan(wished, machineWishes(deployment, wished.nodes, waysFromHere)),
    observePresence(deployment, new Date()),
    import("../deployment.ts"),
  ]);
  const kind = pairRecord;
  const found = { outlook: seen, presence: presenceSeen, routes: waysFromHere, desired: wished };
  const sight = await sightOf({ kind, deployment, found, desiredWith });
  const { outlook, presence, routes, desired, fromRecord } = sight;
  tell(outlook, fromRecord);

  const root = new Deployment(deployment.name, {
    ...{ deployment, desired, presence, routes, repair: deployment.repair },
    certificateEpoch: epoch,
    generation: outlook.generation,
    silentMachines: outlook.silentMachines,
    unseen: fromRecord,
    ...secretsOf(config),
  });
  const machines = machineWishes(deployment, desired.nodes, routes);
  return {
    active: root.active,
    endpoint: root.endpoint,
    uri: root.uri,
    evidence: root.evidence,
    caCertificate: root.caCertificate,
    nodes: nodeTable(deployment),
    names: deployment.names,
    wish: pulumi.secret(JSON.stringify({ ...desired, machines })),
    facts: pulumi.secret(
      recordAfter({
        ...{ kind, deployment, ...sight },
        look: () => lookWithSurveys(desired, machines),
        converged: root.evidence,
      }),
    ),
  };
}
