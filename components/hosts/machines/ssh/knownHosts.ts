/** Looks a host up in the text of a `known_hosts` file as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", describes it. Pure. */
import { createHmac } from "node:crypto";
import { byPreference, parseHostKey } from "./hostKeys.ts";

export interface KnownHost {
  /** Keys of which the host may show one. */
  readonly keys: readonly string[];
  /** Keys that it must never show, whoever else says that they are its. */
  readonly revoked: readonly string[];
  /** An authority is named whose certificates would do; our client cannot check one. */
  readonly hasAuthority: boolean;
}

interface Entry {
  readonly marker: string;
  readonly key: string;
}

/** A port of its own is part of the name; like ssh, an entry without it does where there is none with it. */
export function lookUpHost(text: string, host: string, port: number): KnownHost {
  const plain = host.toLowerCase();
  const named = port === 22 ? plain : `[${plain}]:${port}`;
  const entries = entriesOf(text, named);
  const others = named === plain ? [] : entriesOf(text, plain);
  const found = entries.some(({ marker }) => marker === "") ? entries : [...entries, ...others];
  const revoked = keysOf("@revoked", [...entries, ...others]);
  return {
    keys: byPreference(keysOf("", found).filter((key) => !revoked.includes(key))),
    revoked,
    hasAuthority: found.some(({ marker }) => marker === "@cert-authority"),
  };
}

function keysOf(marker: string, entries: readonly Entry[]): string[] {
  return [...new Set(entries.flatMap((entry) => (entry.marker === marker ? [entry.key] : [])))];
}

function entriesOf(text: string, name: string): Entry[] {
  return text.split("\n").flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith("@") ? (words.shift() ?? "") : "";
    const [names = "", ...key] = words;
    if (names === "" || names.startsWith("#") || !matches(names, name)) return [];
    const parsed = parseHostKey(key.join(" "));
    return parsed === undefined ? [] : [{ marker, key: parsed }];
  });
}

/** One name that says no outweighs any number that say yes. */
function matches(names: string, name: string): boolean {
  const patterns = names.split(",");
  const says = (pattern: string) =>
    pattern.startsWith("|") ? isHashOf(pattern, name) : isPatternOf(pattern, name);
  const refused = patterns.some((pattern) => pattern.startsWith("!") && says(pattern.slice(1)));
  return !refused && patterns.some((pattern) => !pattern.startsWith("!") && says(pattern));
}

function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt = "", hash = ""] = hashed.split("|");
  if (version !== "1") return false;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

function isPatternOf(pattern: string, name: string): boolean {
  const source = pattern
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(name);
}
