/** What SSH is told about a host: one spelling of its name, and what is wrong with a name, a user or a public key. */
import { parseAddress } from "./ip.ts";
import type { SshHop, SshTarget } from "./model.ts";
import { hostnameFault } from "./rules/names.ts";
import { show } from "./show.ts";

/** In lower case and without the root's dot, as `known_hosts` has it; an address in its one spelling. */
export function canonicalHost(written: string): string {
  const lower = written.toLowerCase().replace(/\.$/, "");
  const address = parseAddress(lower);
  return address?.version === 4 ? address.text : lower;
}

/** Equal for two ways to write one machine. Behind different jump hosts one address may be two machines. */
export function machineKey({ jump, ...target }: SshTarget): string {
  return JSON.stringify([target, ...(jump ? [jump] : [])].map(hopKey));
}

const hopKey = ({ host, port }: SshHop) => [parseAddress(host)?.text ?? host, port];

/** What is wrong with a host's name or address; undefined when nothing is. */
export function hostFault(written: string): string | undefined {
  if (written.trim() === "") return "is empty; write the machine's name or address";
  const shown = show(written, "");
  if (/^[a-z]+:\/\//i.test(written)) return `${shown} is a URL; write the host's name or address alone`;
  if (written.includes("@")) return `${shown} has a user in it; write it as \`user\``;
  if (/^\[.*\]/.test(written))
    return `${shown} has brackets; write the address alone, and the port as \`port\``;
  if (/^[^:]*:\d+$/.test(written)) return `${shown} has a port in it; write it as \`port\``;
  const address = parseAddress(written);
  if (address) return writtenAsOctal(written) ? octalFault(shown, address.text) : undefined;
  if (/^[\d.]+$/.test(written)) return `${shown} is not an IP address, e.g. 192.0.2.11`;
  const fault = hostnameFault(canonicalHost(written));
  return fault && `${shown} is neither an IP address nor a host's name: ${fault}`;
}

/** 010.0.0.1 is 10.0.0.1 to a reader, and 8.0.0.1 to some programs. */
export const writtenAsOctal = (written: string) => /(^|\.)0\d/.test(written);

export const octalFault = (shown: string, meant: string) =>
  `${shown} has leading zeros, which some programs read as octal; write ${meant}`;

export function userFault(user: string): string | undefined {
  if (/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/.test(user)) return undefined;
  return `${show(user, "")} is not a user's name; use letters, digits, ".", "_" and "-", at most 32`;
}

/** A private key, as a file or as the lines inside it. The text of one is never shown. */
export const isPrivateKey = (text: string) => /PRIVATE KEY|^\s*b3BlbnNzaC1rZXktdjE/.test(text);

export function keyFileFault(path: string): string | undefined {
  if (path.trim() === "" || /[\0\r\n]/.test(path)) return "is not a file's path";
  if (keyTypes.has(path.split(/\s/)[0] ?? ""))
    return "is a public key; write the path of the private key's file";
  if (path.endsWith(".pub"))
    return `${show(path, "")} is the public key's file; write that of the private key`;
  if (/^~[^/]/.test(path))
    return `${show(path, "")}: \`~\` is the home of the user who runs Pulumi; write the path in full`;
  return undefined;
}

/** Field lengths after the type: a number is the exact length of that field. */
const keyTypes: ReadonlyMap<string, readonly (number | "any")[]> = new Map([
  ["ssh-ed25519", [32]],
  ["ecdsa-sha2-nistp256", [8, 65]],
  ["ecdsa-sha2-nistp384", [8, 97]],
  ["ecdsa-sha2-nistp521", [8, 133]],
  ["ssh-rsa", ["any", "any"]],
]);

const anExample = "e.g. `ssh-ed25519 AAAA…`";

export function hostKeyFault(written: string): string | undefined {
  const text = written.trim();
  if (text === "" || /[\r\n]/.test(text)) return `is not one public key; write one line, ${anExample}`;
  if (/^(SHA256:|MD5:|([0-9a-f]{2}:){15})/i.test(text)) {
    return "is a fingerprint; write the key itself, as `ssh-keyscan -t ed25519 <host>` prints it, and compare the fingerprint with `ssh-keygen -lf -`";
  }
  const [type = "", body = ""] = text.split(/\s+/);
  const fields = keyTypes.get(type);
  if (fields) return bodyFault(type, body, fields);
  if (type === "ssh-dss")
    return "is a DSA key, which SSH no longer accepts; write the host's `ssh-ed25519` key";
  if (/^rsa-sha2-/.test(type)) return `${show(type, "")} is a signature; the key's type is \`ssh-rsa\``;
  if (/^AAAA/.test(type)) return `has no type before the key; write it, ${anExample}`;
  if (keyTypes.has(body)) return `begins with a host's name, as in known_hosts; leave it out, ${anExample}`;
  return `is not a public key of a host; expected one of ${[...keyTypes.keys()].join(", ")} and the key, ${anExample}`;
}

/** The key is a row of fields, each after its length in four bytes; the first is the type once more. */
function bodyFault(type: string, body: string, lengths: readonly (number | "any")[]): string | undefined {
  const bytes = Buffer.from(body, "base64");
  const intact = body !== "" && bytes.toString("base64").replace(/=+$/, "") === body.replace(/=+$/, "");
  const fields = intact ? fieldsOf(bytes) : undefined;
  if (fields === undefined) return `the key after \`${type}\` is cut off or damaged; copy the whole line`;
  const inside = fields[0]?.toString("latin1") ?? "";
  if (inside !== type) return `says \`${type}\`, and the key is ${show(inside, "")}; copy the whole line`;
  const rest = fields.slice(1);
  const fits =
    rest.length === lengths.length && lengths.every((n, i) => n === "any" || rest[i]?.length === n);
  return fits ? undefined : `the key after \`${type}\` is cut off or damaged; copy the whole line`;
}

function fieldsOf(bytes: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
