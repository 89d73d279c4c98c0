/** The versions that set-up makes or accepts, and how versions compare. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./paths.ts";

/** What set-up downloads or builds; `pulumi-cli/go.mod` names the same. */
export const PULUMI_VERSION = "3.250.0";

/** The oldest official CLI that is used when one is installed. */
export const OLDEST_PULUMI = "3.230.0";

/** What `pulumi-cli/go.mod` needs to build. */
export const GO_VERSION = "1.25.11";

export const PROVIDERS = ["command", "docker", "random", "tls"] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** The first `1.2.3` in a program's answer to "which version are you?"; undefined if there is none. */
export function findVersion(text: string): string | undefined {
  return /(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

export function isAtLeast(version: string, oldest: string): boolean {
  const parts = (text: string) => text.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [have, want] = [parts(version), parts(oldest)];
  for (const [index, wanted] of want.entries()) {
    const part = have[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/** The version of a provider's npm package; its plugin must have the same, or the CLI does not take it. */
export function providerVersion(name: ProviderName): string {
  const file = join(projectRoot, "node_modules", "@pulumi", name, "package.json");
  const { pulumi, version } = JSON.parse(readFileSync(file, "utf8")) as {
    version: string;
    pulumi?: { version?: string };
  };
  return (pulumi?.version ?? version).replace(/^v/, "");
}
