/**
 * `docker:index/remoteImage:RemoteImage`: an image that the engine has or can pull. One that is there already is
 * used without asking a registry, so that it works where there is none.
 */

import type Dockerode from "dockerode";
import type { ResourceContext, ResourceType, Values } from "../resourceType.ts";
import { type Engine, engine } from "./client.ts";
import { failure, isGone, sentenceOf } from "./failure.ts";
import { flag, text } from "./values.ts";

export const remoteImage: ResourceType = {
  token: "docker:index/remoteImage:RemoteImage",
  inputs: {
    name: { required: true, replaces: true },
    keepLocally: {},
    forceRemove: {},
    pullTriggers: { replaces: true },
    triggers: { replaces: true },
  },
  outputs: ["imageId", "repoDigest"],

  async create(inputs, context) {
    const client = await engine(context.config);
    const name = text(inputs, "name") ?? "";
    const image = (await inspect(client, name)) ?? (await pull(client, name, context));
    return { id: idOf(image, name), outputs: outputsOf(image) };
  },

  async read(_id, state, context) {
    const client = await engine(context.config);
    const name = text(state, "name") ?? "";
    const image = await inspect(client, name);
    if (image === undefined) return null;
    return { id: idOf(image, name), outputs: outputsOf(image) };
  },

  // keepLocally and forceRemove are wishes about the deletion: there is nothing to do now.
  async update(_id, _olds, news, context) {
    const client = await engine(context.config);
    const image = await inspect(client, text(news, "name") ?? "");
    return image === undefined ? {} : outputsOf(image);
  },

  async delete(_id, state, context) {
    if (flag(state, "keepLocally") === true) return;
    const client = await engine(context.config);
    const name = text(state, "name") ?? "";
    try {
      await client.docker.getImage(name).remove({ force: flag(state, "forceRemove") ?? false });
    } catch (error) {
      if (isGone(error)) return;
      throw failure(error, client.host, `delete the image "${name}"`);
    }
  },
};

/** As upstream: the hash and the name in one, so that a re-tagged image is another resource. */
const idOf = (image: Dockerode.ImageInspectInfo, name: string): string => image.Id + name;

function outputsOf(image: Dockerode.ImageInspectInfo): Values {
  return { imageId: image.Id, repoDigest: image.RepoDigests?.[0] ?? "" };
}

async function inspect(client: Engine, name: string): Promise<Dockerode.ImageInspectInfo | undefined> {
  try {
    return await client.docker.getImage(name).inspect();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw failure(error, client.host, `read the image "${name}"`);
  }
}

/** Pulls it if it is missing. */
export async function present(client: Engine, name: string, context: ResourceContext): Promise<void> {
  if ((await inspect(client, name)) === undefined) await pull(client, name, context);
}

async function pull(
  client: Engine,
  name: string,
  context: ResourceContext,
): Promise<Dockerode.ImageInspectInfo> {
  context.log("info", `Image "${name}" is not on ${client.host}: pulling it.`);
  try {
    const progress = await client.docker.pull(withTag(name));
    await new Promise<void>((resolve, reject) => {
      client.docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    const why = sentenceOf(error);
    throw new Error(
      `The image "${name}" is not on the Docker host ${client.host} and cannot be pulled: ${why}. ` +
        "Check its name, or build, import or load it there (docker load) and run this again.",
    );
  }
  const image = await inspect(client, name);
  if (image === undefined) throw new Error(`The image "${name}" was pulled but is not on ${client.host}.`);
  return image;
}

/** Without a tag an engine would pull every tag of the repository. */
export function withTag(name: string): string {
  const last = name.slice(name.lastIndexOf("/") + 1);
  return last.includes(":") || last.includes("@") ? name : `${name}:latest`;
}
