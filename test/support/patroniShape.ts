/** One region in a test: who there is, and what the renderers make of it. */
import { randomBytes, randomUUID } from "node:crypto";
import { agentConfig } from "../../components/consul/agentConfig.ts";
import { secretsConfig } from "../../components/consul/secretsConfig.ts";
import { serverConfig } from "../../components/consul/serverConfig.ts";
import { startConfig } from "../../components/consul/startConfig.ts";
import { type HaproxyInput, haproxyCfg, initialState } from "../../components/haproxy/haproxyCfg.ts";
import { dynamicConfig } from "../../components/patroni/dynamicConfig.ts";
import { splitParameters } from "../../components/patroni/parameters.ts";
import {
  bootstrapYml,
  type PatroniInput,
  patroniYml,
  secretsYml,
} from "../../components/patroni/patroniYml.ts";
import { timingProfiles } from "../../components/patroni/timing.ts";
import { memorySettings } from "../../components/postgres/memory.ts";
import { mergeSettings } from "../../components/postgres/settings.ts";
import { nodeOf, pair } from "../unit/postgres/sample.ts";

export interface Place {
  readonly name: string;
  readonly address: string;
}

/** A file in a container: its account reads it, and nobody else does. */
export type Files = Readonly<Record<string, string>>;

export const scope = "orders";
export const namespace = "/service/";
export const datacenter = "region-a";
export const timing = timingProfiles.fast;

const FILES = "/etc/understudy";

export class PatroniShape {
  readonly subnet: string;
  readonly servers: readonly Place[];
  readonly nodes: readonly Place[];
  readonly proxy: Place;
  readonly client: Place;
  readonly managementToken = randomUUID();
  /** What an agent allows to whoever shows no token. */
  readonly defaultToken = randomUUID();
  /** By the name of a server or a node. */
  readonly memberTokens: Readonly<Record<string, string>>;
  /** By the name of a node. */
  readonly patroniTokens: Readonly<Record<string, string>>;
  readonly #gossipKey = randomBytes(32).toString("base64");

  constructor(net: string) {
    const places = (prefix: string, first: number) =>
      [1, 2, 3].map((number) => ({ name: `${prefix}-${number}`, address: `${net}.${first + number}` }));
    this.subnet = `${net}.0/24`;
    this.servers = places("consul", 20);
    this.nodes = places("node", 10);
    this.proxy = { name: "proxy", address: `${net}.31` };
    this.client = { name: "app", address: `${net}.41` };
    const tokens = (of: readonly Place[]) => Object.fromEntries(of.map(({ name }) => [name, randomUUID()]));
    this.memberTokens = tokens([...this.servers, ...this.nodes]);
    this.patroniTokens = tokens(this.nodes);
  }

  get haproxy(): HaproxyInput {
    return {
      listenAddress: this.proxy.address,
      writePort: 5000,
      readPort: 5001,
      statsPort: 7000,
      caFile: `${FILES}/ca.crt`,
      adminSocket: "/run/understudy/admin.sock",
      stateFile: `${FILES}/initial.state`,
      maxConnections: 500,
      sessionIdleSeconds: 3600,
      checks: timing.haproxy,
      servers: this.nodes.map((node) => ({ ...node, postgresPort: 5432, restPort: 8008 })),
      readsWithoutReplica: "primary",
    };
  }

  /** No agent is beside this HAProxy, so it ends lost sessions itself. */
  get proxyFiles(): Files {
    const cfg = haproxyCfg(this.haproxy).replaceAll(
      /(default-server .*)/g,
      "$1 on-marked-down shutdown-sessions",
    );
    return { "haproxy.cfg": cfg, "initial.state": initialState(this.haproxy) };
  }

  consulFiles(place: Place): Files {
    const isServer = this.servers.includes(place);
    const member = {
      datacenter,
      nodeName: place.name,
      bindAddress: place.address,
      dataDirectory: "/var/lib/understudy/consul",
      tls: tlsBelow(FILES),
    };
    return {
      "consul.json": isServer
        ? serverConfig(member)
        : agentConfig({ ...member, clientAddress: "127.0.0.1", dns: true }),
      "start.json": startConfig({
        serverAddresses: this.servers.map(({ address }) => address),
        ...(isServer ? { bootstrapExpect: this.servers.length } : {}),
      }),
      "secrets.json": secretsConfig({
        gossipKey: this.#gossipKey,
        agentToken: this.memberTokens[place.name] ?? "",
        ...(isServer
          ? { initialManagementToken: this.managementToken }
          : { defaultToken: this.defaultToken }),
      }),
    };
  }

  patroniFiles(node: Place): Files {
    const { dynamic, local } = this.#parameters();
    const input: PatroniInput = {
      scope,
      namespace,
      ...node,
      listenAddress: node.address,
      postgresPort: 5432,
      restPort: 8008,
      dataDirectory: "/var/lib/understudy/pgdata",
      binDirectory: "/usr/lib/postgresql/17/bin",
      passwordFile: "/run/understudy/pgpass",
      handoverFile: "/run/understudy/handover",
      tls: tlsBelow(FILES),
      watchdog: { mode: "off", device: "/dev/watchdog", safetyMarginSeconds: 5 },
      consul: { agent: "127.0.0.1:8501", registerService: true, sessionChecks: [] },
      access: {
        peers: this.nodes.filter(({ name }) => name !== node.name),
        clientRules: [`hostssl all app ${this.proxy.address}/32 cert`],
      },
      parameters: local[node.name] ?? {},
      tags: {},
    };
    const config = dynamicConfig({
      timing: timing.patroni,
      synchronous: "strict",
      maximumLagBytes: 1_048_576,
      parameters: dynamic,
      permanentSlots: [],
    });
    return {
      "patroni/bootstrap.yml": bootstrapYml(config),
      "patroni/patroni.yml": patroniYml(input),
      "patroni/secrets.yml": secretsYml({ consulToken: this.patroniTokens[node.name] ?? "" }),
    };
  }

  /** What our pair's nodes get, split for Patroni. */
  #parameters() {
    const deployment = pair();
    const settings = mergeSettings(deployment, { ...nodeOf(deployment), memoryMiB: 512 });
    const own = Object.keys(memorySettings(512, 100));
    return splitParameters(this.nodes.map(({ name }) => ({ node: name, settings, own })));
  }
}

/** Where the pair's nodes have theirs too: PostgreSQL's own settings name the same files. */
export function tlsBelow(folder: string) {
  const secrets = `${folder}/secrets`;
  return {
    caFile: `${secrets}/ca.crt`,
    certFile: `${secrets}/server.crt`,
    keyFile: `${secrets}/server.key`,
  };
}
