/** Opens the engine that the provider's configuration names. Nothing is connected, nor the client loaded, before. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type Dockerode from "dockerode";
import type { Values } from "../resourceType.ts";
import type { sshAgent } from "./sshDial.ts";
import { text, texts } from "./values.ts";

export const defaultHost = "unix:///var/run/docker.sock";

export interface Engine {
  readonly docker: Dockerode;
  /** As the user wrote it, for messages. */
  readonly host: string;
}

const opened = new Map<string, Promise<Engine>>();

/** One client per configuration, so that its connections are shared. */
export function engine(config: Values): Promise<Engine> {
  const key = JSON.stringify([hostOf(config), config]);
  let client = opened.get(key);
  if (client === undefined) {
    client = open(config);
    client.catch(() => opened.delete(key));
    opened.set(key, client);
  }
  return client;
}

/** The configured host, else DOCKER_HOST, else the usual socket. */
export function hostOf(config: Values): string {
  const host = text(config, "host") ?? process.env.DOCKER_HOST;
  if (host === undefined || host === "") return defaultHost;
  return host.includes("://") ? host : `tcp://${host}`;
}

/** Every option is given: the client fills those that are not from DOCKER_* in the environment. */
export interface ConnectionOptions {
  protocol: "http" | "https";
  host: string | undefined;
  port: string | undefined;
  socketPath: string | undefined;
  pathPrefix: string;
  username: undefined;
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  agent: ReturnType<typeof sshAgent> | undefined;
}

export async function connection(config: Values): Promise<ConnectionOptions> {
  const host = hostOf(config);
  const options: ConnectionOptions = {
    protocol: "http",
    host: undefined,
    port: undefined,
    socketPath: undefined,
    pathPrefix: "/",
    username: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    agent: undefined,
  };
  if (host.startsWith("unix://")) {
    return { ...options, socketPath: host.slice("unix://".length) || "/var/run/docker.sock" };
  }
  if (!URL.canParse(host)) throw new Error(`The Docker host "${host}" is not an address.`);
  const url = new URL(host);
  switch (url.protocol) {
    case "ssh:":
      return { ...options, host: "docker", port: "80", agent: await dial(host, config) };
    case "tcp:":
    case "http:":
    case "https:": {
      const tls = await certificates(config);
      const secure = tls !== undefined || url.protocol === "https:";
      return {
        ...options,
        ...tls,
        protocol: secure ? "https" : "http",
        host: url.hostname,
        port: url.port || (secure ? "2376" : "2375"),
      };
    }
    default:
      throw new Error(`The Docker host "${host}" is not one of unix://, tcp://, https://, ssh://.`);
  }
}

async function open(config: Values): Promise<Engine> {
  const [{ default: Client }, options] = await Promise.all([import("dockerode"), connection(config)]);
  return { docker: new Client(options as Dockerode.DockerOptions), host: hostOf(config) };
}

/** Loaded only here: most engines are not reached over SSH. */
async function dial(host: string, config: Values): Promise<ReturnType<typeof sshAgent>> {
  const { sshAgent } = await import("./sshDial.ts");
  return sshAgent(host, sshOptions(config));
}

/** A list, which reaches a provider as JSON in a string. */
function sshOptions(config: Values): string[] {
  const written = text(config, "sshOpts");
  return (
    (written === undefined ? texts(config, "sshOpts") : texts({ list: JSON.parse(written) }, "list")) ?? []
  );
}

async function certificates(config: Values): Promise<{ ca: string; cert: string; key: string } | undefined> {
  const [ca, cert, key] = ["caMaterial", "certMaterial", "keyMaterial"].map((name) => text(config, name));
  if (ca !== undefined && cert !== undefined && key !== undefined) return { ca, cert, key };
  const folder = text(config, "certPath") ?? process.env.DOCKER_CERT_PATH;
  if (folder === undefined || folder === "") return undefined;
  const read = (file: string) => readFile(join(folder, file), "utf8");
  return { ca: await read("ca.pem"), cert: await read("cert.pem"), key: await read("key.pem") };
}
