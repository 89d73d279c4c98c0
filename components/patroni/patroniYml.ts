/**
 * The files in Patroni's configuration directory, which it merges in the order of their names:
 * `bootstrap.yml` (read once, by the node that makes the cluster), `patroni.yml`, `secrets.yml` (mode 0600).
 */
import { stringify } from "yaml";
import { type AccessInput, hbaLines, identLines, patroniRoles } from "./accessRules.ts";
import { handoverStop } from "./handoverStop.ts";
import type { Settings } from "./parameters.ts";
import type { Watchdog } from "./watchdog.ts";

/** Paths on the host; the key belongs to the server's account, mode 0600. One certificate is all that a node has. */
export interface PatroniTlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface PatroniTags {
  readonly nofailover?: boolean;
  readonly noloadbalance?: boolean;
  readonly clonefrom?: boolean;
  readonly nosync?: boolean;
  readonly failoverPriority?: number;
  /** Of members that have caught up, the one with the highest becomes the synchronous standby; Patroni's default is 1. */
  readonly syncPriority?: number;
}

export interface PatroniInput {
  /** The Patroni cluster; the same on all its nodes, and no other's in this Consul. */
  readonly scope: string;
  /** e.g. `/service/`. */
  readonly namespace: string;
  /** Unique over all regions: two of one name would silently void synchronous commit. */
  readonly name: string;
  /** How others reach this node. */
  readonly address: string;
  /** What PostgreSQL and the REST interface listen on. */
  readonly listenAddress: string;
  readonly postgresPort: number;
  readonly restPort: number;
  readonly dataDirectory: string;
  readonly binDirectory: string;
  /** A file that Patroni may write; it holds no password here, because there is none. */
  readonly passwordFile: string;
  /** See `handoverStop.ts`. */
  readonly handoverFile: string;
  readonly tls: PatroniTlsFiles;
  readonly consul: {
    /** The local agent, `host:port`. Its certificate names the host. */
    readonly agent: string;
    /** Gives the scope names in Consul's DNS. */
    readonly registerService: boolean;
    /** Health checks that a session depends on; none: only its own time ends it. */
    readonly sessionChecks: readonly string[];
  };
  readonly access: AccessInput;
  /** Settings that are this node's own. */
  readonly parameters: Settings;
  /** `off`: nobody resets a host whose Patroni hangs; safety then rests on the lock's time alone. */
  readonly watchdog: Watchdog;
  readonly tags: PatroniTags;
}

export function patroniYml(node: PatroniInput): string {
  const { tls } = node;
  const byCertificate = (username: string) => ({
    username,
    sslmode: "verify-full",
    sslrootcert: tls.caFile,
    sslcert: tls.certFile,
    sslkey: tls.keyFile,
  });
  return render({
    scope: node.scope,
    namespace: node.namespace,
    name: node.name,
    log: { level: "INFO", deduplicate_heartbeat_logs: true },
    restapi: {
      listen: endpoint(node.listenAddress, node.restPort),
      connect_address: endpoint(node.address, node.restPort),
      certfile: tls.certFile,
      keyfile: tls.keyFile,
      cafile: tls.caFile,
      // Anybody may ask who leads, as HAProxy does; whoever wants a change shows a certificate.
      verify_client: "optional",
      server_tokens: "productonly",
    },
    ctl: { cacert: tls.caFile, certfile: tls.certFile, keyfile: tls.keyFile },
    consul: {
      host: node.consul.agent,
      scheme: "https",
      verify: true,
      cacert: tls.caFile,
      cert: tls.certFile,
      key: tls.keyFile,
      register_service: node.consul.registerService,
      // The names in DNS follow a failover this soon.
      ...(node.consul.registerService
        ? { service_check_interval: "1s", service_check_tls_server_name: node.name }
        : {}),
      // Patroni's own validation calls an empty list an error; without one there are none either.
      ...(node.consul.sessionChecks.length > 0 ? { checks: node.consul.sessionChecks } : {}),
    },
    postgresql: {
      listen: endpoint(node.listenAddress, node.postgresPort),
      connect_address: endpoint(node.address, node.postgresPort),
      data_dir: node.dataDirectory,
      bin_dir: node.binDirectory,
      pgpass: node.passwordFile,
      before_stop: handoverStop(node),
      use_unix_socket: true,
      use_unix_socket_repl: true,
      authentication: {
        superuser: { username: patroniRoles.superuser },
        replication: byCertificate(patroniRoles.replication),
        rewind: byCertificate(patroniRoles.rewind),
      },
      // A copy begins with a checkpoint; one that is spread keeps whoever is new or lost its data waiting for minutes.
      basebackup: [{ checkpoint: "fast" }],
      parameters: node.parameters,
      pg_hba: hbaLines(node.access),
      pg_ident: identLines(node.access),
    },
    watchdog:
      node.watchdog.mode === "off"
        ? { mode: "off" }
        : {
            mode: node.watchdog.mode,
            device: node.watchdog.device,
            safety_margin: node.watchdog.safetyMarginSeconds,
          },
    tags: tagsOf(node.tags),
  });
}

/** Read by the first node alone, before there is a cluster. Later changes of it change nothing (see dynamicConfig.ts). */
export function bootstrapYml(dynamic: Readonly<Record<string, unknown>>): string {
  return render({
    bootstrap: {
      dcs: dynamic,
      initdb: [
        "data-checksums",
        { encoding: "UTF8" },
        { locale: "C.UTF-8" },
        { "auth-local": "peer" },
        { "auth-host": "scram-sha-256" },
      ],
    },
  });
}

/** Patroni has no other place for it than its configuration and its environment, which anybody may read there. */
export function secretsYml(secrets: { readonly consulToken: string }): string {
  return render({ consul: { token: secrets.consulToken } });
}

/** Patroni takes one of the two words for a priority: a member that is not excluded may have a number instead. */
function tagsOf({
  nofailover = false,
  nosync = false,
  failoverPriority,
  syncPriority,
  ...tags
}: PatroniTags) {
  return {
    ...(nofailover || failoverPriority === undefined
      ? { nofailover }
      : { failover_priority: failoverPriority }),
    noloadbalance: tags.noloadbalance ?? false,
    clonefrom: tags.clonefrom ?? false,
    ...(nosync || syncPriority === undefined ? { nosync } : { sync_priority: syncPriority }),
  };
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** YAML 1.1, because Patroni's parser reads that: a bare `off` would be false, and `12:30` a number. */
function render(content: unknown): string {
  const text = stringify(content, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false });
  return `# Rendered by Understudy; edits are overwritten.\n${text}`;
}
