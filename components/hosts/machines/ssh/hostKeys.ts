/** Public keys of hosts as OpenSSH writes them, `ssh-ed25519 AAAA…`: read, compared and named. Pure. */
import { createHash } from "node:crypto";

/** Types that our client can check, best first, and the signature algorithms by which a host proves one. */
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};
const types = Object.keys(algorithmsOf);

/** Without comment and surroundings; undefined: it is no public key of a type that can be checked. */
export function parseHostKey(text: string): string | undefined {
  const words = text.trim().split(/\s+/);
  const at = words.findIndex((word) => types.includes(word));
  const blob = blobOf(words.slice(at).join(" "));
  return at >= 0 && typeOf(blob) === words[at] ? `${words[at]} ${blob.toString("base64")}` : undefined;
}

/** Best type first, so that whoever can use only one key takes the first. */
export function byPreference(keys: readonly string[]): string[] {
  const rank = (key: string) => types.indexOf(typeOf(blobOf(key)));
  return [...keys].sort((a, b) => rank(a) - rank(b));
}

/**
 * What to ask a host for: the types that are known of it first, so that a host with several keys shows one that can
 * be compared; then the others, so that a host whose key was exchanged for one of another type can be named.
 */
export function hostKeyAlgorithms(known: readonly string[]): string[] {
  const first = new Set(byPreference(known).map((key) => typeOf(blobOf(key))));
  return [...new Set([...first, ...types])].flatMap((type) => algorithmsOf[type] ?? []);
}

export function isKnown(shown: Buffer, known: readonly string[]): boolean {
  return known.some((key) => blobOf(key).equals(shown));
}

/** As `ssh-keygen -l` and `ssh` print it. */
export function fingerprint(key: string | Buffer): string {
  const blob = typeof key === "string" ? blobOf(key) : key;
  const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return `${typeOf(blob)} SHA256:${digest}`;
}

function blobOf(key: string): Buffer {
  return Buffer.from(key.split(" ")[1] ?? "", "base64");
}

/** The type that the key itself carries, in its first field. */
function typeOf(blob: Buffer): string {
  if (blob.length < 4) return "";
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
}
