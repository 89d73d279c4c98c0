/** The names in a host's certificate: every one by which a client or another host may call it with `verify-full`. */
import { isIP } from "node:net";
import type { Deployment, Node } from "../spec/model.ts";

export interface CertificateNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

export function certificateNames(deployment: Deployment, node: Node): CertificateNames {
  const { domain, names } = deployment;
  return namesOf(
    [node.name, `${node.name}.${domain}`, node.site, `${node.site}.${domain}`, names.floating],
    [node.address],
  );
}

/** By these names, at these addresses (which may be names), and from the host itself. */
export function namesOf(names: readonly string[], addresses: readonly string[]): CertificateNames {
  const isName = (address: string) => isIP(address) === 0;
  const dns = [
    ...names,
    // Clients on the Docker host reach the published port, under whichever name they use for this machine.
    "localhost",
    ...addresses.filter(isName),
  ];
  const ip = ["127.0.0.1", "::1", ...addresses.filter((address) => !isName(address))];
  return { dns: [...new Set(dns)], ip: [...new Set(ip)] };
}
