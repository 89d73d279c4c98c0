/**
 * Values in messages. Messages end up in logs and in the comments of pull requests, so a value is shown only
 * where it can hold no secret: commands and connection strings may carry a password, and so may any text that
 * looks like one.
 */

const secretPath = /passw|secret|token|credential|private|passphrase|conninfo|_command|_key$|\.key$/i;
const secretText = /PRIVATE KEY|passw(?:or)?d\s*[=:]|:\/\/[^/\s:@]*:[^/\s@]+@/i;
const longest = 80;

/** Text that carries a password or a key, wherever it stands. */
export function looksSecret(value: unknown): boolean {
  return typeof value === "string" && secretText.test(value);
}

export function show(value: unknown, path: string): string {
  if (secretPath.test(path) || looksSecret(value)) return "the value (not shown)";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value);
}
