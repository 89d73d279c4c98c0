/**
 * A stack of its own for a test: own state, passphrase, names, network and ports, so that it can run beside the
 * demo. Every call goes through `scripts/pulumi.ts`, as a user's does.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { own, removeOwned } from "./leftovers.ts";

const run = promisify(execFile);
const readsConfig = new Set(["up", "preview", "destroy", "refresh"]);

export interface Outcome {
  readonly code: number;
  readonly text: string;
}

export interface StackConfig {
  active: string;
  deployment: Record<string, unknown> & { database: Record<string, unknown> };
}

export interface PairConfig extends StackConfig {
  deployment: StackConfig["deployment"] & { sites: Record<string, object> };
}

export class TestStack<C extends StackConfig = PairConfig> {
  readonly name: string;
  readonly folder: string;
  readonly config: C;
  /** More environment for every call, e.g. a clock that runs ahead. */
  extraEnvironment: NodeJS.ProcessEnv = {};
  readonly #running = new Set<ChildProcess>();

  constructor(name: string, config: C) {
    this.name = name;
    this.config = config;
    this.folder = mkdtempSync(join(tmpdir(), `understudy-${name}-`));
  }

  get #label(): string {
    return `understudy.deployment=${this.name}`;
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PULUMI_BACKEND_URL: `file://${this.folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
      ...this.extraEnvironment,
    };
  }

  get configFile(): string {
    return join(this.folder, "config.yaml");
  }

  writeConfig(extra: Record<string, unknown> = {}): void {
    const config = {
      "understudy:active": this.config.active,
      "understudy:deployment": this.config.deployment,
      ...extra,
    };
    // Quoted: the YAML that Pulumi reads makes an instant of an unquoted one, and gives it on in another notation.
    writeFileSync(this.configFile, stringify({ config }, { defaultStringType: "QUOTE_DOUBLE" }));
  }

  start(...args: string[]): ChildProcess {
    const config = readsConfig.has(args[0] ?? "") ? ["--config-file", this.configFile] : [];
    const common = ["--stack", this.name, "--non-interactive", ...config];
    const child = spawn(process.execPath, ["scripts/pulumi.ts", ...args, ...common], {
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#running.add(child);
    child.once("close", () => this.#running.delete(child));
    return child;
  }

  async pulumi(...args: string[]): Promise<Outcome> {
    return await finished(this.start(...args));
  }

  async init(): Promise<void> {
    own(this.#label);
    this.writeConfig();
    const child = spawn(process.execPath, ["scripts/pulumi.ts", "stack", "init", this.name, "--no-select"], {
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const outcome = await finished(child);
    // Pulumi writes a stack file of its own into the project; this stack's configuration lies in its own folder.
    rmSync(join("stacks", `Pulumi.${this.name}.yaml`), { force: true });
    if (outcome.code !== 0) throw new Error(`stack init failed:\n${outcome.text}`);
  }

  async up(...args: string[]): Promise<Outcome> {
    this.writeConfig();
    return await this.pulumi("up", "--yes", ...args);
  }

  async preview(...args: string[]): Promise<Outcome> {
    this.writeConfig();
    return await this.pulumi("preview", ...args);
  }

  async outputs<T = Record<string, unknown>>(): Promise<T> {
    const args = ["scripts/pulumi.ts", "stack", "output", "--json", "--show-secrets", "--stack", this.name];
    const { stdout } = await run(process.execPath, args, { env: this.environment, maxBuffer: 1 << 24 });
    return JSON.parse(stdout) as T;
  }

  /** Removes what the stack made, by its label, whatever state Pulumi's own record is in. */
  async remove(): Promise<void> {
    await Promise.all([...this.#running].map(ended));
    await removeOwned(this.#label);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function docker(...args: string[]): Promise<string> {
  return (await run("docker", args, { maxBuffer: 1 << 28 })).stdout.trim();
}

/** One that still runs, because somebody interrupted it all, would go on making what is removed here. */
async function ended(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  process.kill(-pid, "SIGTERM");
  const impatient = setTimeout(() => process.kill(-pid, "SIGKILL"), 10_000);
  await gone;
  clearTimeout(impatient);
}

export function finished(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      text += chunk;
    });
    child.on("close", (code) => resolve({ code: code ?? 1, text }));
  });
}

export async function succeed(outcome: Promise<Outcome>): Promise<string> {
  const { code, text } = await outcome;
  if (code !== 0) throw new Error(text);
  return text;
}

/** A refusal with this code; its text. */
export async function refused(outcome: Promise<Outcome>, code: string): Promise<string> {
  const { code: status, text } = await outcome;
  if (status === 0 || !text.includes(code)) throw new Error(`not refused with ${code}:\n${text}`);
  return text;
}
