/** The program: read the configuration, look at the sites, define the deployment, export what a client needs. */
import * as pulumi from "@pulumi/pulumi";
import { nodeTable } from "./components/access.ts";
import { desiredState } from "./components/desiredState.ts";
import { observePresence } from "./components/hosts/containers/engines.ts";
import { sshEdge } from "./components/hosts/machines/edge.ts";
import { routesOf } from "./components/hosts/machines/routes.ts";
import { isLoud } from "./components/hosts/machines/survey/aside.ts";
import { machineWishes, observeAndPlan } from "./components/outlook.ts";
import { certificateEpoch, certificateFiles, now } from "./components/pki/renewal.ts";
import { plainSecrets } from "./components/plainSecrets.ts";
import { ownOutputs } from "./components/record/ownOutputs.ts";
import { isNobodyReached, previewFromRecord } from "./components/record/preview.ts";
import { recordAfter } from "./components/record/recordAfter.ts";
import { parse } from "./components/spec/parse.ts";
import { renderProblems } from "./components/spec/problems.ts";

// The SDK keeps the stack of every promise, and Pulumi's runner translates each by source maps, which took a third of a
// run without work. Types are stripped in place here: positions are right without a map.
Reflect.deleteProperty(Error, "prepareStackTrace");

const config = new pulumi.Config("understudy");
const given = (key: string) => Boolean(config.get(key));
const parsed = parse({
  stack: pulumi.getStack(),
  active: config.get("active"),
  deployment: config.getObject("deployment"),
  failover: config.getObject("failover"),
  repair: config.getObject("repair"),
  caPrivateKeyGiven: given("caPrivateKey"),
  dnsKeyGiven: given("dnsKey"),
  plainSecrets: plainSecrets(given, process.env.PULUMI_CONFIG_SECRET_KEYS),
});
if (!parsed.ok) throw new pulumi.RunError(renderProblems(parsed.problems));
const { deployment, warnings } = parsed;
for (const warning of warnings) pulumi.log.warn(`${warning.code}  ${warning.path}: ${warning.message}`);

const epoch = certificateEpoch(deployment.certificates, now());
const waysFromHere = routesOf(deployment, sshEdge(deployment.name, config.get("sshPrivateKey")));
const desiredWith = (ways: typeof waysFromHere) =>
  desiredState(deployment, certificateFiles(deployment, epoch), ways);
const wished = desiredWith(waysFromHere);

// Looked at before any resource is made, at preview and at update: what is refused is refused with nothing touched.
// The providers' libraries are loaded meanwhile.
const [seen, presenceSeen, { Deployment }] = await Promise.all([
  observeAndPlan(wished, machineWishes(deployment, wished, waysFromHere)),
  observePresence(deployment, new Date()),
  import("./components/deployment.ts"),
]);
const found = {
  ...{ outlook: seen, presence: presenceSeen, routes: waysFromHere, desired: wished },
  fromRecord: false,
};
const dryRun = pulumi.runtime.isDryRun();
const sight =
  dryRun && isNobodyReached(found)
    ? previewFromRecord({ deployment, found, desiredWith, outputs: await ownOutputs(), now: new Date() })
    : found;
const { outlook, presence, routes, desired, fromRecord } = sight;
if (outlook.refusals.length > 0) throw new pulumi.RunError(outlook.text);
if (fromRecord) pulumi.log.warn(outlook.text);
else if (dryRun) pulumi.log.info(outlook.text);
else for (const { code, message } of outlook.notices.filter(isLoud)) pulumi.log.warn(`${code}  ${message}`);

const root = new Deployment(deployment.name, {
  deployment,
  desired,
  certificateEpoch: epoch,
  generation: outlook.generation,
  presence,
  routes,
  silentMachines: outlook.silentMachines,
  unseen: fromRecord,
  repair: deployment.repair,
  dnsKey: config.getSecret("dnsKey"),
  caPrivateKey: config.getSecret("caPrivateKey"),
});
const machines = machineWishes(deployment, desired, routes);

/** The site that takes writes. */
export const active = root.active;
/** The floating name and its port. */
export const endpoint = root.endpoint;
/** libpq URI for clients on this machine. Secret. */
export const uri = root.uri;
/** What proves the role change of the last update: both control files, the steps' times, the gap that a client saw. */
export const evidence = root.evidence;
export const caCertificate = root.caCertificate;
/** Name, site, address and ports of every node. */
export const nodes = nodeTable(deployment);
/** Where the deployment's names are served, for `npm run status`. */
export const names = deployment.names;
/** What `npm run status` holds the nodes against. It holds no secret; marked as one, the screen stays readable. */
export const wish = pulumi.secret(JSON.stringify({ ...desired, machines }));
/** What a preview that reaches nobody plans from. It holds no secret, either; see `components/record/`. */
export const facts = pulumi.secret(recordAfter({ deployment, ...sight, machines, converged: root.evidence }));
