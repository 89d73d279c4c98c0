/**
 * `docker:index/volume:Volume`. Every change is a new volume, as upstream: protect the ones that hold data. As
 * upstream too, a volume of that name that is there already is taken with its content.
 */

import type Dockerode from "dockerode";
import type { ResourceType, Values } from "../resourceType.ts";
import { engine } from "./client.ts";
import { failure, isGone, sentenceOf } from "./failure.ts";
import { generatedName } from "./generatedName.ts";
import { until } from "./patience.ts";
import { defined, labels, map, text } from "./values.ts";

const leaveMilliseconds = 30_000;

export const volume: ResourceType = {
  token: "docker:index/volume:Volume",
  inputs: {
    name: { replaces: true },
    driver: { replaces: true },
    driverOpts: { replaces: true },
    labels: { replaces: true, properties: ["label", "value"] },
  },
  outputs: ["mountpoint"],

  async create(inputs, context) {
    const { docker, host } = await engine(context.config);
    const name = text(inputs, "name") ?? generatedName(context);
    try {
      await docker.createVolume(volumeOptions(name, inputs));
      const made = await docker.getVolume(name).inspect();
      const wanted = labels(inputs);
      if (Object.entries(wanted).some(([label, value]) => made.Labels?.[label] !== value)) {
        context.log("warning", `Volume "${name}" was there already: it is used with what it holds.`);
      }
      return { id: name, outputs: { name, mountpoint: made.Mountpoint } };
    } catch (error) {
      throw failure(error, host, `create the volume "${name}"`);
    }
  },

  async read(id, state, context) {
    const { docker, host } = await engine(context.config);
    try {
      const found = await docker.getVolume(id).inspect();
      const outputs = { mountpoint: found.Mountpoint };
      // Nothing of a volume can drift but its existence, so what was recorded stays as it was written.
      if (text(state, "name") !== undefined) return { id: found.Name, outputs };
      return { id: found.Name, inputs: importedInputs(found), outputs };
    } catch (error) {
      if (isGone(error)) return null;
      throw failure(error, host, `read the volume "${id}"`);
    }
  },

  async delete(id, _state, context) {
    const { docker, host } = await engine(context.config);
    try {
      const gone = await until(
        async () => {
          try {
            await docker.getVolume(id).remove({ force: true });
            return true;
          } catch (error) {
            if (/volume is in use/.test(sentenceOf(error))) return undefined;
            throw error;
          }
        },
        leaveMilliseconds,
        context.signal,
      );
      if (gone === true) return;
      const users = await docker.listContainers({ all: true, filters: { volume: [id] } });
      const names = users.flatMap((one) => one.Names.map((name) => name.replace(/^\//, "")));
      throw new Error(`it is in use by ${names.join(", ")}`);
    } catch (error) {
      if (isGone(error)) return;
      throw failure(error, host, `delete the volume "${id}"`);
    }
  },
};

export function volumeOptions(name: string, inputs: Values): Dockerode.VolumeCreateOptions {
  const options = {
    Name: name,
    Driver: text(inputs, "driver"),
    DriverOpts: map(inputs, "driverOpts"),
  };
  return { ...defined(options), Labels: labels(inputs) };
}

function importedInputs(found: Dockerode.VolumeInspectInfo): Values {
  return {
    name: found.Name,
    driver: found.Driver,
    ...defined({ driverOpts: found.Options ?? undefined }),
    labels: Object.entries(found.Labels ?? {}).map(([label, value]) => ({ label, value })),
  };
}
