import { readdirSync, readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../hosts/host.ts";
import type { NodeCertificate } from "../pki/nodeCertificate.ts";
import type { Deployment, Node } from "../spec/model.ts";
import { loginPasswords, type Passwords, passwordFiles } from "./passwords.ts";
import { CONFIG_DIRECTORY, DATA_DIRECTORY, NODE_ACCOUNT } from "./paths.ts";

export interface StreamingPairArgs {
  readonly deployment: Deployment;
  /** By node name. */
  readonly hosts: Readonly<Record<string, Host>>;
  readonly certificates: Readonly<Record<string, NodeCertificate>>;
  /** Rendered, secret-free files by node name; see `nodeFiles`. */
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The nodes of a streaming deployment: configuration, secrets, and a running agent on each. Which of them leads
 * is not decided here (see `RoleChange`): a node comes up as what its data directory says, or idle without one.
 */
export class StreamingPair extends pulumi.ComponentResource {
  /** By node name. */
  readonly units: Readonly<Record<string, pulumi.Resource>>;
  /** Generated passwords of login roles, by role. Secret. */
  readonly passwords: Passwords;

  constructor(name: string, args: StreamingPairArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:postgres:StreamingPair", name, {}, opts);
    const { deployment } = args;
    this.passwords = loginPasswords(name, deployment.database.roles, this);
    const units: Record<string, pulumi.Resource> = {};
    for (const node of standbysFirst(deployment)) {
      const host = required(args.hosts, node.name);
      const files = this.#configuration(node, host, args);
      // One node at a time, the active one last: a change that replaces containers (image) finds the others healthy.
      const dependsOn = [...files, ...Object.values(units)];
      units[node.name] = host.unit(node.name, unitArgs(node, deployment), { parent: this, dependsOn });
    }
    this.units = units;
    this.registerOutputs({});
  }

  #configuration(node: Node, host: Host, args: StreamingPairArgs): pulumi.Resource[] {
    const certificate = required(args.certificates, node.name);
    const shared = { unit: node.name, owner: NODE_ACCOUNT };
    const opts = { parent: this };
    return [
      host.files(
        `${node.name}-files`,
        { ...shared, directory: "", files: { ...agentFiles(), ...required(args.files, node.name) } },
        opts,
      ),
      host.files(
        `${node.name}-secrets`,
        {
          ...shared,
          directory: "secrets",
          secret: true,
          files: {
            "ca.crt": certificate.caBundle,
            "server.crt": certificate.certificate,
            "server.key": certificate.privateKey,
            ...passwordFiles(this.passwords),
          },
        },
        opts,
      ),
    ];
  }
}

function unitArgs(node: Node, deployment: Deployment): Parameters<Host["unit"]>[1] {
  return {
    program: "postgres",
    ...(node.image === undefined ? {} : { image: node.image }),
    command: ["python3", `${CONFIG_DIRECTORY}/node.py`, "run"],
    user: NODE_ACCOUNT,
    directories: { config: CONFIG_DIRECTORY, data: DATA_DIRECTORY },
    listens: [{ port: node.port, protocol: "tcp", from: clientNetworks(deployment) }],
    publish:
      node.publishedPort === undefined
        ? []
        : [{ port: node.port, publishedPort: node.publishedPort, protocol: "tcp" }],
    memoryMiB: node.memoryMiB,
    // A fast stop waits for the standby to have everything; killing it earlier costs a recovery.
    stopTimeoutSeconds: deployment.database.stepTimeoutSeconds,
    health: ["python3", `${CONFIG_DIRECTORY}/node.py`, "health"],
    stateful: true,
  };
}

/** Every address block that pg_hba.conf lets in: the nodes' own, and what clients may come from. */
function clientNetworks(deployment: Deployment): string[] {
  const nodes = deployment.sites.map(({ node }) => `${node.address}/${isIPv6(node.address) ? 128 : 32}`);
  return [...new Set([...nodes, ...deployment.database.clientAccess.map(({ network }) => network)])];
}

/** Standbys in the order of the stack file, the active node last. */
function standbysFirst(deployment: Deployment): Node[] {
  const nodes = deployment.sites.map((site) => site.node);
  const isActive = (node: Node) => node.site === deployment.active;
  return [...nodes.filter((node) => !isActive(node)), ...nodes.filter(isActive)];
}

/** The agent's own source. It lies in the configuration volume, so that a new agent needs no new container. */
function agentFiles(): Record<string, string> {
  const directory = new URL("./node/", import.meta.url);
  const names = readdirSync(directory).filter((name) => name.endsWith(".py"));
  return Object.fromEntries(
    names.sort().map((name) => [name, readFileSync(new URL(name, directory), "utf8")]),
  );
}

function required<T>(record: Readonly<Record<string, T>>, key: string): T {
  const value = record[key];
  if (value === undefined) throw new Error(`internal: nothing given for node ${key}`);
  return value;
}
