/** `docker:index/container:Container`. */

import type Dockerode from "dockerode";
import type { ResourceContext, ResourceType, Values } from "../resourceType.ts";
import { type Engine, engine } from "./client.ts";
import { checkContainer, containerInputs } from "./containerInputs.ts";
import { attach, attachment, reattach } from "./containerNetworks.ts";
import { createOptions, declarationLabel } from "./containerOptions.ts";
import { run, valuesOf } from "./containerRun.ts";
import { drift, outputsOf, recordedInputs } from "./containerState.ts";
import { updateOptions } from "./containerUpdate.ts";
import { failure, isGone, sentenceOf, statusOf } from "./failure.ts";
import { generatedName } from "./generatedName.ts";
import { until } from "./patience.ts";
import { present } from "./remoteImage.ts";
import { flag, integer, labels, records, text } from "./values.ts";

export const container: ResourceType = {
  token: "docker:index/container:Container",
  inputs: containerInputs,
  outputs: ["bridge", "containerLogs", "exitCode", "networkDatas"],
  deleteBeforeReplace: true,
  check: checkContainer,

  async create(inputs, context) {
    const client = await engine(context.config);
    const name = text(inputs, "name") ?? generatedName(context);
    await present(client, text(inputs, "image") ?? "", context);
    const made = await make(client, name, inputs, context);
    try {
      const logs = await bringUp(client, made.id, inputs, made.fresh, context);
      return { id: made.id, outputs: await outputs(client, made.id, inputs, logs) };
    } catch (error) {
      // It is not recorded, so it must not stay: its name would be in the way of the next attempt. What runs in it
      // may have opened a volume with data, so it gets its time to stop.
      await stopAndRemove(client, made.id, inputs, context).catch(() => {});
      throw failureOf(error, client, `start the container "${name}"`, inputs);
    }
  },

  async read(id, state, context) {
    const client = await engine(context.config);
    const image = text(state, "image");
    if (image === undefined) {
      throw new Error(
        "The offline docker plugin does not import containers; install the official plugin for that.",
      );
    }
    try {
      const found = await client.docker.getContainer(id).inspect();
      const differing = drift(state, found);
      const inputs = recordedInputs(state, found, context);
      const outputs = { ...outputsOf(inputs, found), containerLogs: text(state, "containerLogs") ?? "" };
      if (Object.keys(differing).length === 0) return { id: found.Id, outputs };
      const now = { ...inputs, ...differing };
      const given = Object.entries(now).filter(([, value]) => value !== null);
      return { id: found.Id, inputs: Object.fromEntries(given), outputs };
    } catch (error) {
      if (isGone(error)) return null;
      throw failure(error, client.host, `read the container "${text(state, "name") ?? id}"`);
    }
  },

  async update(id, olds, news, context) {
    const client = await engine(context.config);
    const name = text(news, "name") ?? text(olds, "name") ?? id;
    try {
      const changes = updateOptions(olds, news);
      if (changes !== undefined) await client.docker.getContainer(id).update(changes);
      const wanted = flag(news, "mustRun") !== false && flag(news, "start") !== false;
      const wasWanted = flag(olds, "mustRun") !== false && flag(olds, "start") !== false;
      if (wanted && !wasWanted) await startAgain(client, id, news, context);
      return await outputs(client, id, news);
    } catch (error) {
      throw failureOf(error, client, `update the container "${name}"`, news);
    }
  },

  async delete(id, state, context) {
    const client = await engine(context.config);
    const name = text(state, "name") ?? id;
    try {
      await stopAndRemove(client, id, state, context);
    } catch (error) {
      if (isGone(error)) return;
      throw failure(error, client.host, `delete the container "${name}"`);
    }
  },
};

interface Made {
  readonly id: string;
  /** Not one that an interrupted update left. */
  readonly fresh: boolean;
}

async function make(client: Engine, name: string, inputs: Values, context: ResourceContext): Promise<Made> {
  const options = createOptions(name, inputs);
  try {
    return { id: (await client.docker.createContainer(options)).id, fresh: true };
  } catch (error) {
    const taken = statusOf(error) === 409 && /name .* is already in use/.test(sentenceOf(error));
    if (!taken) throw failureOf(error, client, `create the container "${name}"`, inputs);
    const found = await client.docker.getContainer(name).inspect();
    if (!leftOver(found, options, inputs)) {
      throw new Error(
        `Cannot create the container "${name}": a container of this name exists on ${client.host} that is not of ` +
          `this stack, or was made from other settings. See "docker inspect ${name}"; remove it with ` +
          `"docker rm -f ${name}", or choose another name.`,
      );
    }
    context.log(
      "info",
      `Container "${name}" is there already, as an interrupted update left it: it is used.`,
    );
    return { id: found.Id, fresh: false };
  }
}

/**
 * A container that was made from exactly this declaration, labels included, is what an update made that was killed
 * before it could record it. Without labels it could be anyone's.
 */
function leftOver(
  found: Dockerode.ContainerInspectInfo,
  options: Dockerode.ContainerCreateOptions,
  inputs: Values,
): boolean {
  const environment = new Set(found.Config.Env ?? []);
  return (
    Object.keys(labels(inputs)).length > 0 &&
    found.Config.Labels?.[declarationLabel] === options.Labels?.[declarationLabel] &&
    (options.Env ?? []).every((env) => environment.has(env))
  );
}

async function bringUp(client: Engine, id: string, inputs: Values, fresh: boolean, context: ResourceContext) {
  if (fresh) await attach(client, id, inputs);
  else await attachMissing(client, id, inputs);
  return flag(inputs, "start") === false ? "" : await run(client, id, inputs, context);
}

/** One that was left while it was being put on its networks, or after. */
async function attachMissing(client: Engine, id: string, inputs: Values): Promise<void> {
  const found = await client.docker.getContainer(id).inspect();
  const attached = found.NetworkSettings.Networks ?? {};
  const wanted = records(inputs, "networksAdvanced").map((network) => text(network, "name") ?? "");
  const complete = wanted.every((name) => attachment(attached, name) !== undefined);
  if (!complete || (wanted.length > 0 && !wanted.includes("bridge") && "bridge" in attached)) {
    await attach(client, id, inputs);
  }
}

async function startAgain(
  client: Engine,
  id: string,
  inputs: Values,
  context: ResourceContext,
): Promise<void> {
  const { State } = await client.docker.getContainer(id).inspect();
  if (!State.Running) await reattach(client, id, inputs);
  await run(client, id, inputs, context);
}

async function stopAndRemove(
  client: Engine,
  id: string,
  state: Values,
  context: ResourceContext,
): Promise<void> {
  const one = client.docker.getContainer(id);
  const grace = integer(state, "destroyGraceSeconds") ?? 0;
  if (grace > 0 && flag(state, "attach") !== true) {
    try {
      await one.stop({ t: grace });
    } catch (error) {
      if (statusOf(error) !== 304) throw error; // it does not run
    }
  }
  try {
    await one.remove({ force: true, v: flag(state, "removeVolumes") !== false });
  } catch (error) {
    if (!/is already in progress/.test(sentenceOf(error))) throw error;
  }
  // One with `rm` is removed by the engine, which may still be at it.
  await until(
    () =>
      one.inspect().then(
        () => undefined,
        (error) => {
          if (isGone(error)) return true;
          throw error;
        },
      ),
    30_000,
    context.signal,
  );
}

async function outputs(client: Engine, id: string, inputs: Values, logs?: string): Promise<Values> {
  try {
    const found = await client.docker.getContainer(id).inspect();
    return { ...outputsOf(inputs, found), ...(logs === undefined ? {} : { containerLogs: logs }) };
  } catch (error) {
    // One with `rm` that ended is gone already.
    if (isGone(error) && flag(inputs, "rm") === true) return { containerLogs: logs ?? "" };
    throw error;
  }
}

/** The engine's errors are put into words; ours are in words already. */
function failureOf(error: unknown, client: Engine, action: string, inputs: Values): Error {
  const ofEngine = statusOf(error) !== undefined || (error as { code?: string }).code !== undefined;
  return ofEngine || !(error instanceof Error)
    ? failure(error, client.host, action, valuesOf(inputs))
    : error;
}
