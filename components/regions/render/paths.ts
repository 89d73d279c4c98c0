/** Where things are on a region's host; what a pair's node has too is in `postgres/paths.ts`. */
import { CONFIG_DIRECTORY, DATA_DIRECTORY, SECRETS_DIRECTORY } from "../../postgres/paths.ts";

/** Sockets and whatever else need not outlive the host's next start. */
export const RUNTIME_DIRECTORY = "/run/understudy";

/** Patroni takes one directory; the agent puts links to the rendered files and the secret one there. */
export const PATRONI_DIRECTORY = `${RUNTIME_DIRECTORY}/patroni`;

export const CONSUL_DATA = `${DATA_DIRECTORY}/consul`;

export const AGENT = ["python3", `${CONFIG_DIRECTORY}/agent.py`] as const;

/** One certificate is all that a host has, for every program on it. */
export const tlsFiles = {
  caFile: `${SECRETS_DIRECTORY}/ca.crt`,
  certFile: `${SECRETS_DIRECTORY}/server.crt`,
  keyFile: `${SECRETS_DIRECTORY}/server.key`,
} as const;

/** Names below `/etc/understudy`, as `DesiredHost.files` and the programs' lists have them. */
export const FILES = {
  agent: "agent.json",
  certificate: "certificate.json",
  consul: "consul.json",
  consulStart: "consul-start.json",
  gossipKey: "gossip-key.json",
  haproxy: "haproxy.cfg",
  haproxyState: "haproxy.state",
  patroni: "patroni/patroni.yml",
  bootstrap: "patroni/bootstrap.yml",
  session: "patroni/session.json",
  pgbouncer: "pgbouncer/pgbouncer.ini",
  pgbouncerListen: "pgbouncer/listen.ini",
  pgbouncerHba: "pgbouncer/hba.conf",
} as const;

/** Names below `/etc/understudy/secrets`. */
export const SECRET_FILES = {
  ca: "ca.crt",
  certificate: "server.crt",
  key: "server.key",
  consul: "consul.json",
  tokens: "tokens.json",
  patroni: "patroni.yml",
  pgbouncerUsers: "pgbouncer.users",
} as const;

export function secret(name: keyof typeof SECRET_FILES): string {
  return `secrets/${SECRET_FILES[name]}`;
}

/** Agents answer Consul's API here, over TLS. */
export const CONSUL_AGENT = "127.0.0.1:8501";
