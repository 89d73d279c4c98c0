/**
 * From what the user said of a machine to everything that a connection takes: the host's public keys are looked up,
 * the private key's file is found. Read here once, so that whoever connects later reads no configuration of SSH.
 */
import type { SshRoute, SshStop } from "../../../roles/desired.ts";
import type { SshHop, SshTarget } from "../../../spec/model.ts";
import { parseHostKey } from "./hostKeys.ts";
import { type KnownHost, lookUpHost } from "./knownHosts.ts";

export interface RouteEdge {
  /** Of the user who runs Pulumi; `~` in a path. */
  readonly home: string;
  /** Where the secret `sshPrivateKey` was put, for machines without a `keyFile`; undefined: there is none. */
  readonly secretKeyFile: string | undefined;
  /** Content of a file; undefined: it is not there. */
  readonly readFile: (path: string) => string | undefined;
}

export function routeOf({ jump, ...target }: SshTarget, edge: RouteEdge): SshRoute {
  return { ...stopOf(target, edge), ...(jump && { jump: stopOf(jump, edge) }) };
}

function stopOf(hop: SshHop, edge: RouteEdge): SshStop {
  const { host, port, user } = hop;
  const keyFile = hop.keyFile === undefined ? edge.secretKeyFile : expand(hop.keyFile, edge);
  const { hostKeys, whyUnknown } = hostKeysOf(hop, edge);
  return {
    ...{ host, port, user, hostKeys },
    ...(whyUnknown !== undefined && { whyUnknown }),
    ...(keyFile !== undefined && { keyFile }),
  };
}

function hostKeysOf(hop: SshHop, edge: RouteEdge): Pick<SshStop, "hostKeys" | "whyUnknown"> {
  const text = readFile(hop.knownHostsFile, edge);
  const known = lookUpHost(text ?? "", hop.host, hop.port);
  if (hop.hostKey !== undefined) return given(hop.hostKey, known, hop.knownHostsFile);
  if (known.keys.length > 0) return { hostKeys: known.keys };
  const whyUnknown = text === undefined ? `${hop.knownHostsFile} cannot be read` : lack(known, hop);
  return { hostKeys: [], whyUnknown };
}

function given(
  hostKey: string,
  { revoked }: KnownHost,
  file: string,
): Pick<SshStop, "hostKeys" | "whyUnknown"> {
  const key = parseHostKey(hostKey);
  if (key === undefined) {
    return { hostKeys: [], whyUnknown: "`hostKey` is no public key, such as `ssh-ed25519 AAAA…`" };
  }
  if (revoked.includes(key)) return { hostKeys: [], whyUnknown: `${file} revokes the \`hostKey\` given` };
  return { hostKeys: [key] };
}

function lack({ revoked, hasAuthority }: KnownHost, { knownHostsFile, host, port }: SshHop): string {
  const name = port === 22 ? host : `[${host}]:${port}`;
  if (hasAuthority) {
    return `${knownHostsFile} names only a certificate authority for ${name}, and certificates of hosts are not supported`;
  }
  if (revoked.length > 0) return `${knownHostsFile} revokes what it has of ${name}`;
  return `${knownHostsFile} has no key of ${name}`;
}

/** A file that cannot be read is as good as none: its lack is said when the host is connected to. */
function readFile(path: string, edge: RouteEdge): string | undefined {
  try {
    return edge.readFile(expand(path, edge));
  } catch {
    return undefined;
  }
}

function expand(path: string, { home }: RouteEdge): string {
  return path === "~" || path.startsWith("~/") ? home + path.slice(1) : path;
}
