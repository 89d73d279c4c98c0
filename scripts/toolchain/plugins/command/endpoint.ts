import type { Value, Values } from "../resourceType.ts";
import { isObject } from "../wire.ts";
import { string } from "./commandInputs.ts";
import { type HostKey, parseHostKey } from "./hostKey.ts";

/** A server to log in to: what `connection`, or the `proxy` in it, means. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly privateKeyPassword?: string | undefined;
  readonly agentSocketPath?: string | undefined;
  /** Absent: any key is accepted, as by the official provider. */
  readonly hostKey?: HostKey | undefined;
  /** How many failed attempts are followed by another one. */
  readonly dialErrorLimit: number;
  /** Of one attempt; 0: none. */
  readonly timeoutMs: number;
}

export interface Route {
  readonly target: Endpoint;
  readonly proxy?: Endpoint | undefined;
}

export const proxyProperties: readonly string[] = [
  "agentSocketPath",
  "dialErrorLimit",
  "host",
  "hostKey",
  "password",
  "perDialTimeout",
  "port",
  "privateKey",
  "privateKeyPassword",
  "user",
];

export const connectionProperties: readonly string[] = [...proxyProperties, "proxy"];

/** What is wrong with a connection, for Check: the first thing, or undefined. */
export function connectionProblem(connection: Value): string | undefined {
  const proxy = isObject(connection) ? connection.proxy : undefined;
  const unknown = isObject(proxy) && Object.keys(proxy).find((key) => !proxyProperties.includes(key));
  if (unknown) {
    return `input "connection.proxy.${unknown}" is not implemented by the offline plugin; install the official plugin or remove it`;
  }
  try {
    route(connection);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export function route(connection: Value | undefined, environment = process.env): Route {
  if (!isObject(connection)) {
    throw new Error("connection must be an object");
  }
  const target = endpoint(connection, environment);
  if (!isObject(connection.proxy)) {
    return { target };
  }
  try {
    return { target, proxy: endpoint(connection.proxy, environment) };
  } catch (error) {
    throw new Error(`proxy: ${(error as Error).message}`);
  }
}

/** The defaults are the official schema's; the SDK for Node fills them in before the plugin sees them. */
function endpoint(values: Values, environment: NodeJS.ProcessEnv): Endpoint {
  const host = string(values.host);
  if (!host) {
    throw new Error("host is required");
  }
  const hostKey = string(values.hostKey);
  return {
    host,
    port: number(values, "port", 22),
    user: string(values.user) ?? "root",
    password: string(values.password),
    privateKey: string(values.privateKey),
    privateKeyPassword: string(values.privateKeyPassword),
    agentSocketPath: string(values.agentSocketPath) ?? (environment.SSH_AUTH_SOCK || undefined),
    hostKey: hostKey === undefined ? undefined : parseHostKey(hostKey),
    dialErrorLimit: number(values, "dialErrorLimit", 10),
    timeoutMs: number(values, "perDialTimeout", 15) * 1000,
  };
}

function number(values: Values, key: string, fallback: number): number {
  const value = values[key] ?? fallback;
  // Numbers that come from a stack's config may be strings.
  const result = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof result !== "number" || !Number.isFinite(result)) {
    throw new Error(`${key} must be a number`);
  }
  return Math.trunc(result);
}
