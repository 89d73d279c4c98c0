/** Shell programs of ours that run where nothing of ours is installed: parameters and program come on stdin. */
import { quoted } from "./ssh/shell.ts";

export const shellCommand = "sh -s";

export type ShellParameters = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * Parameters first, which is what a diff is read for; then `program`, which defines functions and nothing else; then the
 * call. A text that is cut off in the middle defines something and does nothing. Lists are words with spaces between.
 */
export function shellText(program: string, parameters: ShellParameters): string {
  const assignments = Object.entries(parameters).map(([name, value]) => `${name}=${quoted(plain(value))}`);
  // What a program that it starts would read from stdin is this text.
  return [...assignments, program.trimEnd(), "main </dev/null", ""].join("\n");
}

function plain(value: ShellParameters[string]): string {
  if (typeof value === "boolean") return value ? "1" : "";
  return typeof value === "object" ? value.join(" ") : String(value);
}
