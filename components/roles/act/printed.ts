/** What a foreign program printed, as far as it may be shown: its end, without what looks like a secret. */
import { stripVTControlCharacters } from "node:util";

const keptBytes = 16 * 1024;
const shownLines = 10;
const shownColumns = 300;
const hidden = "[hidden]";

/** The last bytes of an output without end. */
export class OutputTail {
  #bytes = Buffer.alloc(0);
  #cut = false;

  add(chunk: Buffer): void {
    const all = Buffer.concat([this.#bytes, chunk]);
    this.#cut ||= all.length > keptBytes;
    this.#bytes = all.subarray(-keptBytes);
  }

  /** Without the first line where that was cut: half a secret is not recognised. */
  text(): string {
    const text = this.#bytes.toString("utf8");
    return this.#cut ? text.slice(text.indexOf("\n") + 1 || text.length) : text;
  }
}

export function lastLines(tail: OutputTail, environment: NodeJS.ProcessEnv): string[] {
  const plain = stripVTControlCharacters(tail.text())
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "");
  return withoutSecrets(plain, environment)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-shownLines)
    .map((line) => (line.length > shownColumns ? `${line.slice(0, shownColumns)}…` : line));
}

const secretName = /pass|secret|token|key|credential/i;
const shortestSecret = 6;

const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*-----[\s\S]*?(-----END [A-Z ]*-----|$)/g, hidden],
  // What is left of one whose beginning was cut off.
  [/^[A-Za-z0-9+/=]{40,}$/gm, hidden],
  [/\b(Bearer|Basic)\s+\S+/gi, `$1 ${hidden}`],
  [/(\w+:\/\/[^\s:/@]*:)[^\s@/]+@/g, `$1${hidden}@`],
  [
    /(^|\s)(--?[\w-]*(?:password|passwd|passphrase|pass|secret|token|key))(\s+)(?!-)\S+/gim,
    `$1$2$3${hidden}`,
  ],
  [
    /\b([\w-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|credentials?)[\w-]*["']?\s*[=:]\s*)("[^"\n]*"|'[^'\n]*'|[^\n]+)/gi,
    `$1${hidden}`,
  ],
  [/[A-Za-z0-9_-]{40,}/g, hidden],
];

/** By their values, where the environment has them by a telling name; otherwise by their shapes. */
export function withoutSecrets(text: string, environment: NodeJS.ProcessEnv): string {
  const known = Object.entries(environment).flatMap(([name, value = ""]) =>
    secretName.test(name) && value.length >= shortestSecret ? [value] : [],
  );
  // The longest first: one may be a part of another.
  known.sort((a, b) => b.length - a.length);
  const unnamed = known.reduce((so, value) => so.replaceAll(value, hidden), text);
  return shapes.reduce((so, [shape, instead]) => so.replace(shape, instead), unnamed);
}
