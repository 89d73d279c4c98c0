import { bootstrapYml, patroniYml } from "../../patroni/patroniYml.ts";
import { PGDATA } from "../../postgres/paths.ts";
import { watchdogOf } from "../../spec/regional/schemaWatchdog.ts";
import type { Member, RegionalDeployment } from "../../spec/regionalModel.ts";
import { clientCertificates, clientRules } from "./clientAccess.ts";
import { initialDynamic } from "./dynamic.ts";
import { parametersOf } from "./parameters.ts";
import { CONSUL_AGENT, FILES, RUNTIME_DIRECTORY, tlsFiles } from "./paths.ts";
import { membersOf, regionOf } from "./topology.ts";

export function patroniFiles(deployment: RegionalDeployment, member: Member): Record<string, string> {
  const { database } = deployment;
  const region = regionOf(deployment, member.region);
  return {
    [FILES.patroni]: patroniYml({
      scope: database.scope,
      namespace: database.namespace,
      name: member.name,
      address: member.address,
      listenAddress: member.address,
      postgresPort: member.port,
      restPort: member.restPort,
      dataDirectory: PGDATA,
      // Debian's layout, which the image has.
      binDirectory: `/usr/lib/postgresql/${database.version}/bin`,
      passwordFile: `${RUNTIME_DIRECTORY}/pgpass`,
      handoverFile: `${RUNTIME_DIRECTORY}/handover`,
      tls: tlsFiles,
      consul: { agent: CONSUL_AGENT, registerService: true, sessionChecks: database.sessionChecks },
      access: {
        // Of all regions: whichever leads, the others stream and rewind from it.
        peers: membersOf(deployment).filter(({ name }) => name !== member.name),
        clientRules: clientRules(deployment),
        clientCertificates: clientCertificates(deployment),
      },
      watchdog: watchdogOf(database.watchdog, member.place.target),
      parameters: parametersOf(deployment).local[member.name] ?? {},
      // Only a synchronous standby takes over where commits wait for one: the member that is to lead has to be it.
      tags:
        member.name === region.leader && !member.tags.nosync
          ? { ...member.tags, syncPriority: 2 }
          : member.tags,
    }),
    [FILES.bootstrap]: bootstrapYml(initialDynamic(deployment, region)),
    ...sessionNote(database.sessionChecks),
  };
}

/**
 * Patroni takes the checks out of its file at its start alone, however often it is reloaded. This note, which nobody
 * reads, tells a change of them from all others. Without checks there is none.
 */
function sessionNote(checks: readonly string[]): Record<string, string> {
  return checks.length === 0 ? {} : { [FILES.session]: `${JSON.stringify({ checks })}\n` };
}
