/** The names in a node's certificate: every one by which a client or another node may call it with `verify-full`. */
import { isIP } from "node:net";
import type { Deployment, Node } from "../spec/model.ts";

export interface CertificateNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

export function certificateNames(deployment: Deployment, node: Node): CertificateNames {
  const { domain, names } = deployment;
  const addressIsName = isIP(node.address) === 0;
  const dns = [
    node.name,
    `${node.name}.${domain}`,
    node.site,
    `${node.site}.${domain}`,
    names.floating,
    // Clients on the Docker host reach the published port, under whichever name they use for this machine.
    "localhost",
    ...(addressIsName ? [node.address] : []),
  ];
  const ip = ["127.0.0.1", "::1", ...(addressIsName ? [] : [node.address])];
  return { dns: [...new Set(dns)], ip: [...new Set(ip)] };
}
