import { createHash } from "node:crypto";

/** The key that a server must have. */
export interface HostKey {
  readonly blob: Buffer;
  readonly type: string;
  /**
   * What to agree on with the server, so that it shows its key of this type. A server has several, and the one that
   * it prefers need not be the one that was given.
   */
  readonly algorithms: readonly HostKeyAlgorithm[];
}

type HostKeyAlgorithm =
  | "ssh-ed25519"
  | "ecdsa-sha2-nistp256"
  | "ecdsa-sha2-nistp384"
  | "ecdsa-sha2-nistp521"
  | "rsa-sha2-512"
  | "rsa-sha2-256"
  | "ssh-rsa";

const algorithms: Readonly<Record<string, readonly HostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
};

/**
 * Reads the first key of a text in the format of authorized_keys, as the official provider does: `type base64`, with
 * anything before and after, so that a line of known_hosts is understood as well.
 */
export function parseHostKey(text: string): HostKey {
  for (const line of text.split("\n")) {
    const [, name, encoded] = line.startsWith("#") ? [] : (/(?:^|\s)([a-z]\S*)\s+(AAAA\S+)/.exec(line) ?? []);
    if (name === undefined || encoded === undefined) {
      continue;
    }
    const blob = Buffer.from(encoded, "base64");
    const type = typeOf(blob);
    const known = algorithms[type];
    if (type !== name) {
      throw new Error(`hostKey: it says ${name} and is something else`);
    }
    if (known === undefined) {
      const types = Object.keys(algorithms).join(", ");
      throw new Error(
        `hostKey: keys of type ${type} are not implemented by the offline plugin, only ${types}; install the official plugin or give another key of that host`,
      );
    }
    return { blob, type, algorithms: known };
  }
  throw new Error('hostKey: ssh: no key found; expected e.g. "ssh-ed25519 AAAA..."');
}

/** As `ssh-keygen -l` shows it. */
export function fingerprint(blob: Buffer): string {
  const hash = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return `${typeOf(blob)} SHA256:${hash}`;
}

function typeOf(blob: Buffer): string {
  const length = blob.length >= 4 ? blob.readUInt32BE() : 0;
  return blob.subarray(4, 4 + length).toString("latin1");
}
