/** agent.json: what the host's agent (`agent/agent.py`) needs to know of the deployment. No secret, no role. */
import type { RegionalDeployment } from "../../spec/regionalModel.ts";
import { CONSUL_AGENT } from "./paths.ts";
import { type AnyHost, programsOf, type SupervisedProgram } from "./programs.ts";
import { membersOf, regionOf } from "./topology.ts";

export interface AgentJson {
  readonly name: string;
  readonly region: string;
  readonly role: AnyHost["role"];
  readonly datacenter: string;
  readonly deployment: string;
  readonly programs: readonly SupervisedProgram[];
  /** On a server and on a member. */
  readonly consul?: {
    readonly address: string;
    /** On a server: how old its last snapshot may become, and how many are kept. */
    readonly snapshots?: { readonly everyHours: number; readonly keep: number };
  };
  /** On a member. */
  readonly patroni?: {
    readonly scope: string;
    readonly namespace: string;
    readonly restPort: number;
    readonly port: number;
  };
  /** On a proxy with pooled clients. */
  readonly pgbouncer?: { readonly address: string; readonly port: number };
  /** On a member: those of other regions, which are asked whether one of them leads before Patroni is started. */
  readonly others: readonly {
    readonly name: string;
    readonly region: string;
    readonly address: string;
    readonly restPort: number;
  }[];
}

/** Pretty and in a fixed order: its diff is read at preview. */
export function agentJson(deployment: RegionalDeployment, host: AnyHost): string {
  const { scope, namespace } = deployment.database;
  const content: AgentJson = {
    name: host.name,
    region: host.region,
    role: host.role,
    datacenter: regionOf(deployment, host.region).datacenter,
    deployment: deployment.name,
    programs: programsOf(deployment, host),
    ...(host.role === "proxy" ? {} : { consul: consulOf(deployment, host) }),
    ...(host.role === "member"
      ? { patroni: { scope, namespace, restPort: host.restPort, port: host.port } }
      : {}),
    ...(host.role === "proxy" && host.pooledPort !== undefined
      ? { pgbouncer: { address: host.address, port: host.pooledPort } }
      : {}),
    others: host.role === "member" ? othersOf(deployment, host.region) : [],
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function consulOf(
  deployment: RegionalDeployment,
  { region, role }: AnyHost,
): NonNullable<AgentJson["consul"]> {
  const { snapshotEveryHours: everyHours, snapshotsKept: keep } = regionOf(deployment, region).consul;
  return { address: CONSUL_AGENT, ...(role === "server" ? { snapshots: { everyHours, keep } } : {}) };
}

function othersOf(deployment: RegionalDeployment, region: string): AgentJson["others"] {
  return membersOf(deployment)
    .filter((member) => member.region !== region)
    .map(({ name, region: of, address, restPort }) => ({ name, region: of, address, restPort }));
}
