/** What runs on a host of a region, and what each program reads: once for its agent, once for the plan. */
import type { Program } from "../../hosts/host.ts";
import { CONFIG_DIRECTORY } from "../../postgres/paths.ts";
import type {
  ConsulServerHost,
  Member,
  Proxy as ProxyHost,
  RegionalDeployment,
} from "../../spec/regionalModel.ts";
import type { DesiredProgram } from "../desired.ts";
import { FILES, PATRONI_DIRECTORY, RUNTIME_DIRECTORY, secret } from "./paths.ts";

export type AnyHost = ConsulServerHost | Member | ProxyHost;

/** Whose image or packages have everything that runs on such a host. */
export const programOfHost: Readonly<Record<AnyHost["role"], Program>> = {
  server: "consul",
  member: "patroni",
  proxy: "haproxy",
};

/** As `agent.json` has it. */
export interface SupervisedProgram extends DesiredProgram {
  readonly command: readonly string[];
  /** Has it read its `reloads` again; null: it cannot. */
  readonly reloadSignal: "HUP" | "USR2" | null;
  readonly stopSignal: "TERM" | "INT";
  readonly stopTimeoutSeconds: number;
}

/** In the order in which they are started. */
export function programsOf(deployment: RegionalDeployment, host: AnyHost): readonly SupervisedProgram[] {
  switch (host.role) {
    case "server":
      return [consul];
    case "member":
      return [consul, patroni(deployment)];
    case "proxy":
      return deployment.database.pooling === undefined ? [haproxy] : [haproxy, pgbouncer];
  }
}

export function desiredProgram({ name, reloads, restarts }: SupervisedProgram): DesiredProgram {
  return { name, reloads, restarts };
}

/** A change of a certificate is known before it is issued by its note alone. */
const certificate = [FILES.certificate, secret("ca"), secret("certificate"), secret("key")];

const consul: SupervisedProgram = {
  name: "consul",
  command: [
    "consul",
    "agent",
    ...[FILES.consul, FILES.consulStart, secret("consul")].flatMap((file) => [
      "-config-file",
      `${CONFIG_DIRECTORY}/${file}`,
    ]),
  ],
  reloadSignal: "HUP",
  // With the rendered configuration no signal makes it leave the cluster.
  stopSignal: "TERM",
  stopTimeoutSeconds: 20,
  // It takes certificates and tokens by a reload. A gossip key is brought in by its own verb.
  // The note about that key is how a preview knows of a new one.
  reloads: [...certificate, FILES.gossipKey, secret("consul")],
  // Not consul-start.json, which whoever runs needs no more.
  restarts: [FILES.consul],
};

function patroni({ database }: RegionalDeployment): SupervisedProgram {
  return {
    name: "patroni",
    command: ["patroni", PATRONI_DIRECTORY],
    reloadSignal: "HUP",
    stopSignal: "TERM",
    // It stops PostgreSQL, which waits until the standbys have everything; killing it earlier costs a recovery.
    stopTimeoutSeconds: database.stepTimeoutSeconds,
    // Without bootstrap.yml, which is read once, by whoever makes the cluster.
    reloads: [FILES.patroni, secret("patroni"), ...certificate],
    restarts: [FILES.session],
  };
}

const haproxy: SupervisedProgram = {
  name: "haproxy",
  // The master's socket is the only way to the workers that a reload leaves behind.
  command: [
    ...["haproxy", "-W", "-db", "-S", `${RUNTIME_DIRECTORY}/haproxy-master.sock,mode,0600,level,admin`],
    ...["-f", `${CONFIG_DIRECTORY}/${FILES.haproxy}`],
  ],
  reloadSignal: "USR2",
  stopSignal: "TERM",
  stopTimeoutSeconds: 10,
  // It verifies others; its host's own certificate is none of its business.
  reloads: [FILES.haproxy, FILES.haproxyState, secret("ca")],
  restarts: [],
};

const pgbouncer: SupervisedProgram = {
  name: "pgbouncer",
  command: ["pgbouncer", `${CONFIG_DIRECTORY}/${FILES.pgbouncer}`],
  reloadSignal: "HUP",
  // Transactions that are open end first.
  stopSignal: "INT",
  stopTimeoutSeconds: 10,
  reloads: [FILES.pgbouncer, FILES.pgbouncerHba, secret("pgbouncerUsers"), ...certificate],
  restarts: [FILES.pgbouncerListen],
};
