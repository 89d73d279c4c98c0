/** The apt configuration of a package mirror that the user names. Pure. */
import type { PackageMirror } from "../../spec/model.ts";

export const SOURCES_FILE = "/etc/apt/sources.list.d/understudy.sources";
export const PREFERENCES_FILE = "/etc/apt/preferences.d/understudy";

const header = "# Rendered by Understudy; edits are overwritten.";

/** deb822 with the key in it, so that the key is good for this source and no other. */
export function sources({ url, suite, components, key }: PackageMirror): string {
  const keyLines = key
    .trim()
    .split(/\r?\n/)
    .map((line) => (line.trim() === "" ? " ." : ` ${line.trimEnd()}`));
  return [
    header,
    "Types: deb",
    `URIs: ${url}`,
    `Suites: ${suite}`,
    // A suite that ends in a slash is the whole path, and has no components.
    ...(suite.endsWith("/") ? [] : [`Components: ${components.join(" ")}`]),
    "Signed-By:",
    ...keyLines,
    "",
  ].join("\n");
}

/**
 * What we install comes from the mirror; whatever else it has comes from there only if no other source has it. A mirror
 * must not become where the rest of the machine is upgraded from.
 */
export function preferences({ url }: PackageMirror, preferred: readonly string[]): string {
  const host = hostOf(url);
  const stanza = (packages: string, priority: number) => [
    `Package: ${packages}`,
    `Pin: origin "${host}"`,
    `Pin-Priority: ${priority}`,
    "",
  ];
  return [
    header,
    ...stanza("*", 100),
    ...(preferred.length > 0 ? stanza(preferred.join(" "), 990) : []),
  ].join("\n");
}

/** apt's word for where a source is; empty for one that is a directory of the machine. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : "";
}
