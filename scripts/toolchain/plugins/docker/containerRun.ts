/** Starts a container and sees to it that it runs: until it is healthy, until it ends, or just for a moment. */

import type Dockerode from "dockerode";
import type { ResourceContext, Values } from "../resourceType.ts";
import type { Engine } from "./client.ts";
import { nameOf } from "./containerState.ts";
import { redact, statusOf } from "./failure.ts";
import { pause, until } from "./patience.ts";
import { flag, integer, texts } from "./values.ts";

/** Answers the logs of a container that was attached to, if they are wanted. */
export async function run(
  client: Engine,
  id: string,
  inputs: Values,
  context: ResourceContext,
): Promise<string> {
  const container = client.docker.getContainer(id);
  try {
    await container.start();
  } catch (error) {
    if (statusOf(error) !== 304) throw error; // it runs already
  }
  if (flag(inputs, "attach") === true) {
    await container.wait({ abortSignal: context.signal });
    return flag(inputs, "logs") === true ? await logsOf(container) : "";
  }
  if (flag(inputs, "wait") === true) {
    await untilHealthy(container, inputs, context);
  } else if (flag(inputs, "mustRun") !== false && flag(inputs, "rm") !== true) {
    await staysUp(container, inputs, context);
  }
  return "";
}

/** What fails at once does so within this. */
const moment = 100;

async function staysUp(
  container: Dockerode.Container,
  inputs: Values,
  context: ResourceContext,
): Promise<void> {
  await pause(moment, context.signal);
  const patience = integer(inputs, "containerReadRefreshTimeoutMilliseconds") ?? 15_000;
  const found = await until(
    async () => {
      const now = await container.inspect();
      const ended = now.State.Status === "exited" || now.State.Status === "dead";
      return now.State.Running || now.State.Restarting || ended ? now : undefined;
    },
    patience,
    context.signal,
  );
  const last = found ?? (await container.inspect());
  if (!last.State.Running && !last.State.Restarting) throw await ended(container, last, inputs);
}

async function untilHealthy(
  container: Dockerode.Container,
  inputs: Values,
  context: ResourceContext,
): Promise<void> {
  const seconds = integer(inputs, "waitTimeout") ?? 60;
  const healthy = await until(
    async () => {
      const now = await container.inspect();
      if (now.State.Health === undefined || now.State.Health.Status === "none") {
        throw new Error(`The container "${nameOf(now)}" has no healthcheck, and "wait: true" waits for one.`);
      }
      if (!now.State.Running && !now.State.Restarting) throw await ended(container, now, inputs);
      return now.State.Health.Status === "healthy" ? true : undefined;
    },
    seconds * 1000,
    context.signal,
  );
  if (healthy === true) return;
  const found = await container.inspect();
  const check = found.State.Health?.Log?.at(-1);
  const says = redact(tail(check?.Output ?? "", 5), valuesOf(inputs));
  throw new Error(
    `The container "${nameOf(found)}" did not become healthy within ${seconds} s. ` +
      (check === undefined
        ? "Its healthcheck did not end once."
        : `Its healthcheck ended with ${check.ExitCode}${says === "" ? "." : ` and said:\n${says}`}`),
  );
}

async function ended(
  container: Dockerode.Container,
  found: Dockerode.ContainerInspectInfo,
  inputs: Values,
): Promise<Error> {
  const said = redact(tail(await logsOf(container), 5), valuesOf(inputs));
  const why = found.State.Error === "" ? "" : ` (${redact(found.State.Error, valuesOf(inputs))})`;
  return new Error(
    `The container "${nameOf(found)}" ended with exit code ${found.State.ExitCode}${why} instead of running.` +
      (said === "" ? "" : ` Its last words:\n${said}`),
  );
}

/** What must not be quoted: the values of the environment, in which people put passwords. */
export function valuesOf(inputs: Values): string[] {
  return (texts(inputs, "envs") ?? []).map((env) => env.slice(env.indexOf("=") + 1));
}

async function logsOf(container: Dockerode.Container): Promise<string> {
  const [found, raw] = await Promise.all([
    container.inspect(),
    container.logs({ stdout: true, stderr: true, follow: false, tail: 1000 }),
  ]);
  return found.Config.Tty ? raw.toString("utf8") : unframed(raw);
}

/** Without a terminal the engine puts a header of 8 bytes before each piece: the stream, and its length. */
export function unframed(raw: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length; ) {
    const length = raw.readUInt32BE(at + 4);
    pieces.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(pieces).toString("utf8");
}

function tail(output: string, lines: number): string {
  const kept = output.trimEnd().split("\n").slice(-lines);
  return kept.map((line) => line.slice(0, 300)).join("\n");
}
