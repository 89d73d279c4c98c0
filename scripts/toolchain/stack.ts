/** The stack that `up` makes and `down` removes, and the stack file that git knows. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastLines, runCommand } from "./command.ts";
import { readIfThere } from "./files.ts";
import { projectRoot } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";

export const DEFAULT_STACK = "demo";

export function stackFile(stack: string): string {
  return join(projectRoot, "stacks", `Pulumi.${stack}.yaml`);
}

/** `--stack NAME` or `-s NAME` among the arguments; what is left goes to Pulumi as it is. */
export function takeStack(args: readonly string[]): { stack: string; rest: string[] } {
  const rest: string[] = [];
  let stack = DEFAULT_STACK;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    const [flag, value] = argument.split("=", 2);
    if (flag !== "--stack" && flag !== "-s") {
      rest.push(argument);
      continue;
    }
    stack = value ?? args[++index] ?? "";
    if (stack === "") throw new SetUpProblem(`${flag} needs the name of a stack.`);
  }
  return { stack, rest };
}

/**
 * Whether anything of a stack runs in a Docker engine, by a look at its file: nobody with two machines needs one. What is
 * not certain to need none gets one. The program itself reads the file in full, and asks no engine that it does not use.
 */
export function needsContainers(file: string | undefined): boolean {
  const text = (file ?? "").replace(/(^|\s)#.*$/gm, "");
  const says = (key: string, value: string) =>
    new RegExp(`\\b${key}["']?\\s*:\\s*["']?${value}\\b`).test(text);
  return !says("target", "machines") || says("target", "containers") || says("kind", "container");
}

/** The stack that a command is about: the one that it names, or else the one that is selected, if that can be told. */
export function stackOf(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  homes: readonly string[],
): string | undefined {
  const named = args.some((argument) => /^(-s|--stack)(=|$)/.test(argument));
  if (named) return takeStack(args).stack.split("/").at(-1);
  const project = createHash("sha1").update(join(projectRoot, "Pulumi.yaml")).digest("hex");
  const selected = homes.flatMap((home) => {
    const workspace = readIfThere(join(home, "workspaces", `understudy-${project}-workspace.json`));
    return (workspace && stackIn(workspace)) || [];
  });
  const stack = env.PULUMI_STACK || selected[0];
  return stack?.split("/").at(-1);
}

function stackIn(workspace: string): string | undefined {
  try {
    const { stack } = JSON.parse(workspace) as { stack?: unknown };
    return typeof stack === "string" ? stack : undefined;
  } catch {
    return undefined;
  }
}

export async function pulumi(env: NodeJS.ProcessEnv, ...args: readonly string[]) {
  return runCommand("pulumi", [...args, "--non-interactive"], { env, cwd: projectRoot });
}

export async function stackExists(env: NodeJS.ProcessEnv, stack: string): Promise<boolean> {
  const result = await pulumi(env, "stack", "ls", "--json");
  if (result.code !== 0) throw new SetUpProblem("The state cannot be read:", ...lastLines(result.stderr));
  const stacks = JSON.parse(result.stdout) as { name: string }[];
  return stacks.some(({ name }) => name === stack || name.endsWith(`/${stack}`));
}

/** Selects the stack, or makes it from its file. */
export async function ensureStack(env: NodeJS.ProcessEnv, stack: string): Promise<void> {
  if (await stackExists(env, stack)) {
    const selected = await pulumi(env, "stack", "select", stack);
    if (selected.code !== 0) throw new SetUpProblem("", ...lastLines(selected.stderr));
    return;
  }
  const file = stackFile(stack);
  const original = readIfThere(file);
  if (original === undefined) {
    throw new SetUpProblem(
      `There is no stack file ${file}.`,
      "Copy one of those beside it and change what differs.",
    );
  }
  // A salt belongs to the passphrase of the clone that it was made in. One that came with the file from elsewhere
  // would be taken for a wrong passphrase; as long as nothing is encrypted with it, it is of no use to anybody.
  const clean = withoutUnusedSalt(original);
  if (clean !== original) writeFileSync(file, clean);
  const made = await pulumi(env, "stack", "init", stack);
  if (made.code !== 0)
    throw new SetUpProblem(`The stack ${stack} could not be made:`, ...lastLines(made.stderr));
  // Pulumi writes the whole file anew, in a style of its own: what the user wrote is put back, with the salt.
  const salt = saltLine(readFileSync(file, "utf8"));
  if (salt !== undefined) writeFileSync(file, `${withoutUnusedSalt(clean).trimEnd()}\n${salt}\n`);
}

/** Leaves the stack file as git knows it, if the salt is all that was added to it. */
export function forgetSalt(stack: string): void {
  const file = stackFile(stack);
  const text = readIfThere(file);
  if (text === undefined) return;
  const clean = withoutUnusedSalt(text);
  if (clean !== text) writeFileSync(file, clean);
}

const SALT = /^encryptionsalt: .*$/m;

function saltLine(text: string): string | undefined {
  return SALT.exec(text)?.[0];
}

export function withoutUnusedSalt(text: string): string {
  const encrypted = /^\s+secure: /m.test(text) || /\{\s*secure:/.test(text);
  return encrypted ? text : text.replace(/^encryptionsalt: .*\n?/m, "");
}
