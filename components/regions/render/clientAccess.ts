/**
 * Who may come in as a client. A client that comes through HAProxy arrives with the proxy's address, so each rule
 * holds for the proxies as well; which networks may use a proxy at all, HAProxy decides.
 */
import { block, clientLine } from "../../postgres/hba.ts";
import { CERTIFICATE_MAP, VERIFIER_ROLE } from "../../postgres/paths.ts";
import { contains, parseAddress, parseCidr } from "../../spec/ip.ts";
import type { ClientAccess } from "../../spec/model.ts";
import type { RegionalDeployment } from "../../spec/regionalModel.ts";
import { membersOf, proxiesOf } from "./topology.ts";

/** Lines of pg_hba.conf in the order of `clientAccess`, after the one for the deployment's own client. */
export function clientRules(deployment: RegionalDeployment): readonly string[] {
  const proxies = proxiesOf(deployment).map(({ address }) => address);
  return [
    ...ownClients(deployment).map(
      ({ address }) => `hostssl postgres ${VERIFIER_ROLE} ${block(address)} cert map=${CERTIFICATE_MAP}`,
    ),
    `host all ${VERIFIER_ROLE} all reject`,
    ...deployment.database.clientAccess.flatMap((access) => [
      clientLine(access),
      ...proxies
        .filter((address) => !isWithin(access, address))
        .map((address) => clientLine({ ...access, network: block(address) })),
    ]),
  ];
}

/** The certificates that may be the deployment's own client. */
export function clientCertificates(
  deployment: RegionalDeployment,
): readonly { readonly name: string; readonly role: string }[] {
  return ownClients(deployment).map(({ name }) => ({ name, role: VERIFIER_ROLE }));
}

/** Blocks from which a proxy takes connections. */
export function admittedNetworks(deployment: RegionalDeployment): readonly string[] {
  return [
    ...new Set([
      ...ownClients(deployment).map(({ address }) => block(address)),
      ...deployment.database.clientAccess.map(({ network }) => network),
    ]),
  ];
}

/** Hosts that write to see whether clients can: directly, or through a proxy. */
function ownClients(deployment: RegionalDeployment) {
  return [...membersOf(deployment), ...proxiesOf(deployment)];
}

function isWithin({ network }: ClientAccess, address: string): boolean {
  const outer = parseCidr(network);
  const inner = parseAddress(address);
  return outer !== undefined && inner !== undefined && contains(outer, inner);
}
