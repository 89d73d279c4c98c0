/** The names in the certificates of a region's hosts, and the notes that tell which certificate a host is to have. */
import { type CertificateNames, namesOf } from "../../pki/certificateNames.ts";
import { certificateFile } from "../../pki/renewal.ts";
import type { RegionalDeployment } from "../../spec/regionalModel.ts";
import type { AnyHost } from "./programs.ts";
import { allHosts, proxiesOf, regionOf } from "./topology.ts";

/**
 * A client that comes through a proxy speaks TLS with the member behind it, whichever that is: so a member's
 * certificate has the floating name, and names and addresses of every region's proxies.
 */
export function certificateNamesOf(deployment: RegionalDeployment, host: AnyHost): CertificateNames {
  const { domain, names, regions, database } = deployment;
  const own = [host.name, `${host.name}.${domain}`];
  switch (host.role) {
    case "proxy":
      // Pooled clients speak TLS with the proxy itself, by whichever name they found it.
      return namesOf(
        database.pooling === undefined ? own : [...own, names.floating, `${host.region}.${domain}`],
        [host.address],
      );
    case "server":
      // By this name servers know each other; no certificate of another host has it.
      return namesOf(
        [...own, `server.${regionOf(deployment, host.region).datacenter}.consul`],
        [host.address],
      );
    case "member": {
      const proxies = proxiesOf(deployment);
      return namesOf(
        [
          ...own,
          names.floating,
          ...regions.map((region) => `${region.name}.${domain}`),
          ...proxies.map((proxy) => `${proxy.name}.${domain}`),
        ],
        [host.address, ...proxies.map(({ address }) => address)],
      );
    }
  }
}

/** `certificate.json` by host. */
export function certificateNotes(deployment: RegionalDeployment, epoch: number): Record<string, string> {
  return Object.fromEntries(
    allHosts(deployment).map((host) => [
      host.name,
      certificateFile(deployment.certificates, certificateNamesOf(deployment, host), epoch),
    ]),
  );
}
