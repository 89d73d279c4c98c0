/**
 * What a killed `pulumi up` leaves behind, and how the next one gets past it.
 *
 * Pulumi's file backend keeps the lock of a dead process for ever, and a resource whose creation was cut off is
 * known only as a pending operation: the engine would create it a second time and meet its own container's name.
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "./command.ts";
import { isAlive } from "./process.ts";

/** The parts of `pulumi stack export` that matter here. */
export interface Checkpoint {
  readonly deployment?: {
    readonly pending_operations?: readonly PendingOperation[] | null;
  };
}

interface PendingOperation {
  readonly type: string;
  readonly resource: { readonly type: string; readonly inputs?: Readonly<Record<string, unknown>> };
}

export interface Leftovers {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  /** Every pending operation, including those of resources that are simply done again. */
  readonly count: number;
}

/**
 * Docker objects whose creation was cut off. A volume is never among them: to create it again is harmless, and to
 * remove it could be the end of a database.
 */
export function leftoversOf(checkpoint: Checkpoint): Leftovers {
  const pending = checkpoint.deployment?.pending_operations ?? [];
  const named = (type: string) =>
    pending
      .filter((operation) => operation.type === "creating" && operation.resource.type === type)
      .map((operation) => operation.resource.inputs?.name)
      .filter((name) => typeof name === "string");
  return {
    containers: named("docker:index/container:Container"),
    networks: named("docker:index/network:Network"),
    count: pending.length,
  };
}

export interface Engine {
  readonly pulumi: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  say(line: string): void;
}

/** Removes locks of dead processes and what their cut-off creations left; returns when `pulumi up` can go on. */
export async function clearInterrupted(stack: string, engine: Engine): Promise<void> {
  const backend = engine.env.PULUMI_BACKEND_URL ?? "";
  if (backend.startsWith("file://")) await removeDeadLocks(backendFolder(backend), stack, engine);
  const checkpoint = await readCheckpoint(stack, backend, engine);
  if (checkpoint === undefined) return;
  const leftovers = leftoversOf(checkpoint);
  if (leftovers.count === 0) return;
  engine.say(
    `an update of ${stack} was cut off with ${leftovers.count} operation(s) under way; clearing up after it`,
  );
  for (const name of leftovers.containers) await removeObject("container", name, engine);
  for (const name of leftovers.networks) await removeObject("network", name, engine);
  await forgetPending(stack, checkpoint, engine);
}

function backendFolder(url: string): string {
  return join(fileURLToPath(url), ".pulumi");
}

async function removeDeadLocks(folder: string, stack: string, engine: Engine): Promise<void> {
  const locks = join(folder, "locks");
  const files = await readdir(locks, { recursive: true }).catch(() => []);
  for (const file of files.filter((name) => name.includes(`/${stack}/`) && name.endsWith(".json"))) {
    const lock = JSON.parse(await readFile(join(locks, file), "utf8")) as { pid?: number; hostname?: string };
    if (lock.pid === undefined || lock.hostname !== hostname() || isAlive(lock.pid)) continue;
    await rm(join(locks, file), { force: true });
    engine.say(`the stack's lock was held by process ${lock.pid}, which has died; it is removed`);
  }
}

async function readCheckpoint(
  stack: string,
  backend: string,
  engine: Engine,
): Promise<Checkpoint | undefined> {
  if (backend.startsWith("file://")) {
    // Read directly, because it costs a second to ask the CLI and this runs before every `up`.
    const file = join(backendFolder(backend), "stacks", "understudy", `${stack}.json`);
    const text = await readFile(file, "utf8").catch(() => undefined);
    const latest =
      text === undefined ? undefined : (JSON.parse(text) as { checkpoint?: { latest?: object } });
    const pending = latest?.checkpoint?.latest as Checkpoint["deployment"];
    if (text === undefined || (pending?.pending_operations ?? []).length === 0) return undefined;
  }
  const exported = await runCommand(engine.pulumi, ["stack", "export", "--stack", stack], engine);
  return exported.code === 0 ? (JSON.parse(exported.stdout) as Checkpoint) : undefined;
}

async function removeObject(kind: "container" | "network", name: string, engine: Engine): Promise<void> {
  const args = kind === "container" ? ["rm", "--force", name] : ["network", "rm", name];
  const removed = await runCommand(
    "docker",
    [...(kind === "container" ? ["container"] : []), ...args],
    engine,
  );
  if (removed.code === 0) engine.say(`${kind} ${name}: its creation was cut off; removed, it is made again`);
}

async function forgetPending(stack: string, checkpoint: Checkpoint, engine: Engine): Promise<void> {
  const cleaned = { ...checkpoint, deployment: { ...checkpoint.deployment, pending_operations: [] } };
  const imported = await runCommand(engine.pulumi, ["stack", "import", "--stack", stack], {
    ...engine,
    input: JSON.stringify(cleaned),
  });
  if (imported.code !== 0) throw new Error(`pulumi stack import failed: ${imported.stderr.trim()}`);
}
