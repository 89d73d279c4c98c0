/** Who may do what in a region's Consul. The tokens' secrets are made by the program and lie with the servers. */
import { dnsPolicy, memberPolicy, observerPolicy, patroniPolicy } from "../../consul/aclPolicies.ts";
import type { Region, RegionalDeployment } from "../../spec/regionalModel.ts";
import type { DesiredRegion } from "../desired.ts";

/** Names of tokens, which are also those of the files' entries. */
export const tokenNames = {
  agent: (host: string) => `agent-${host}`,
  patroni: (member: string) => `patroni-${member}`,
  /** What a request without a token may do. */
  dns: "dns",
  observer: "observer",
} as const;

export function accessOf({ database }: RegionalDeployment, region: Region): DesiredRegion["access"] {
  const { scope, namespace } = database;
  const grants = [
    ...[...region.servers, ...region.members].map(({ name }) => ({
      token: tokenNames.agent(name),
      policy: memberPolicy(name),
    })),
    ...region.members.map(({ name }) => ({
      token: tokenNames.patroni(name),
      policy: patroniPolicy({ nodeName: name, scope, namespace, registerService: true }),
    })),
    { token: tokenNames.dns, policy: dnsPolicy([scope]) },
    { token: tokenNames.observer, policy: observerPolicy(namespace, [scope]) },
  ];
  return {
    policies: grants.map(({ policy }) => policy),
    tokens: Object.fromEntries(grants.map(({ token, policy }) => [token, [policy.name]])),
  };
}
