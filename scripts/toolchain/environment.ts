/** The environment in which Pulumi runs: where its programs, state and passphrase are. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { Cli } from "./cli.ts";
import { writeIfDifferent } from "./files.ts";
import { cacheFolder, projectFolder, projectRoot } from "./paths.ts";
import type { Progress } from "./progress.ts";

/**
 * Where the demo's state is kept. The user's choice, if he made one: PULUMI_BACKEND_URL, or a passphrase of his own.
 */
export function ensureBackend(progress: Progress, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const own: NodeJS.ProcessEnv = {};
  if (env.PULUMI_BACKEND_URL) {
    progress.found("state: in the backend that PULUMI_BACKEND_URL names");
  } else {
    const folder = join(projectFolder, "state");
    mkdirSync(folder, { recursive: true });
    own.PULUMI_BACKEND_URL = `file://${folder}`;
    progress.found("state: in .understudy/state of this folder");
  }
  if (env.PULUMI_CONFIG_PASSPHRASE === undefined && !env.PULUMI_CONFIG_PASSPHRASE_FILE) {
    own.PULUMI_CONFIG_PASSPHRASE_FILE = ensurePassphrase(join(projectFolder, "passphrase"));
  }
  return own;
}

export function ensurePassphrase(file: string): string {
  if (!existsSync(file)) writeIfDifferent(file, `${randomBytes(24).toString("base64url")}\n`, 0o600);
  return file;
}

export function pulumiEnvironment(
  parts: { cli: Cli; home: string | undefined; backend: NodeJS.ProcessEnv },
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), parts.cli.folder, env.PATH ?? ""].join(delimiter);
  return {
    ...env,
    ...parts.backend,
    ...(parts.home === undefined ? {} : { PULUMI_HOME: parts.home }),
    // Everything is in place, so a question to the vendor is a wait for nothing where he cannot be reached.
    ...(parts.cli.kind === "installed" ? {} : { PULUMI_SKIP_UPDATE_CHECK: "true" }),
    ...(parts.home === undefined ? {} : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
    // One Node each for the language host, the program and every plugin: compiled code is kept between them.
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? join(cacheFolder(), "node-compile-cache"),
    PATH: path,
    UNDERSTUDY_NODE: process.execPath,
    UNDERSTUDY_ROOT: projectRoot,
  };
}
