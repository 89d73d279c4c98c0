/** A wish for two regions of Patroni, as small as one can be. */
import type {
  DesiredHost,
  DesiredMember,
  DesiredProxy,
  DesiredRegion,
  RegionsDesired,
} from "../../components/regions/desired.ts";

export const following = (of: string) => ({
  host: `${of}-1,${of}-2`,
  port: 5432,
  primary_slot_name: of.replaceAll("-", "_"),
});

function host(region: string, name: string, address: string): DesiredHost {
  const reach = {
    kind: "docker",
    container: `demo-${name}`,
    dataVolume: `demo-${name}-data`,
    image: "x",
  } as const;
  return { name, region, address, reach, files: {}, programs: [] };
}

function region(name: string, others: readonly string[], net: number): DesiredRegion {
  const address = (n: number) => `10.9.${net}.${n}`;
  const members = [1, 2].map(
    (n): DesiredMember => ({
      ...host(name, `${name}-${n}`, address(n)),
      port: 5432,
      restPort: 8008,
      majorVersion: 17,
    }),
  );
  const proxy: DesiredProxy = {
    ...host(name, `${name}-proxy`, address(20)),
    ...{ writePort: 5432, readPort: 5433, clientName: `${name}-proxy.demo.test` },
  };
  return {
    ...{ name, datacenter: name, scope: "demo", namespace: "/service/" },
    servers: [host(name, `${name}-consul-1`, address(11))],
    members,
    proxies: [proxy],
    access: { policies: [], tokens: { [`agent-${name}-1`]: ["agent"] } },
    dynamic: { ttl: 20 },
    standbyClusterOf: Object.fromEntries(others.map((of) => [of, following(of)])),
  };
}

/** Two regions, a and b, of one server, two members and one proxy each. */
export function regionsWish(active = "a"): RegionsDesired {
  return {
    deployment: "demo",
    active,
    regions: [region("a", ["b"], 1), region("b", ["a"], 2)],
    policy: { synchronous: "strict", stepTimeoutSeconds: 30, lagLimitBytes: 16 * 2 ** 20, ttlSeconds: 20 },
    catalog: { roles: [], databases: [] },
    floating: { name: "db.demo.test" },
  };
}
