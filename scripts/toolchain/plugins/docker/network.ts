/** `docker:index/network:Network`. An engine cannot change a network, so every change is a new one. */

import type Dockerode from "dockerode";
import type { ResourceContext, ResourceType, Values } from "../resourceType.ts";
import { type Engine, engine } from "./client.ts";
import { failure, isGone, sentenceOf, statusOf } from "./failure.ts";
import { generatedName } from "./generatedName.ts";
import { until } from "./patience.ts";
import { defined, flag, labels, map, records, text } from "./values.ts";

/** As long as upstream: a container that is just stopping lets go of its network within this. */
const leaveMilliseconds = 30_000;

export const network: ResourceType = {
  token: "docker:index/network:Network",
  inputs: {
    name: { replaces: true },
    driver: { replaces: true },
    internal: { replaces: true },
    attachable: { replaces: true },
    ingress: { replaces: true },
    ipv6: { replaces: true },
    ipamDriver: { replaces: true, default: "default" },
    ipamOptions: { replaces: true },
    ipamConfigs: { replaces: true, properties: ["subnet", "gateway", "ipRange", "auxAddress"] },
    labels: { replaces: true, properties: ["label", "value"] },
    options: { replaces: true },
  },
  outputs: ["scope"],

  async create(inputs, context) {
    const { docker, host } = await engine(context.config);
    const name = text(inputs, "name") ?? generatedName(context);
    try {
      const made = await docker.createNetwork(networkOptions(name, inputs));
      return { id: made.id, outputs: { name, ...(await outputsOf(docker, made.id)) } };
    } catch (error) {
      const left = statusOf(error) === 409 ? await leftOver(docker, name, inputs) : undefined;
      if (left === undefined) throw failure(error, host, `create the network "${name}"`);
      context.log(
        "info",
        `Network "${name}" is there already, as an interrupted update left it: it is used.`,
      );
      return { id: left, outputs: { name, ...(await outputsOf(docker, left)) } };
    }
  },

  async read(id, state, context) {
    const { docker, host } = await engine(context.config);
    try {
      const found = await docker.getNetwork(id).inspect();
      const outputs = { scope: found.Scope };
      // Nothing of a network can drift but its existence, so what was recorded stays as it was written.
      if (text(state, "name") !== undefined) return { id: found.Id, outputs };
      return { id: found.Id, inputs: importedInputs(found), outputs };
    } catch (error) {
      if (isGone(error)) return null;
      throw failure(error, host, `read the network "${text(state, "name") ?? id}"`);
    }
  },

  async delete(id, state, context) {
    const client = await engine(context.config);
    const name = text(state, "name") ?? id;
    try {
      if (await removed(client, id, context)) return;
    } catch (error) {
      if (isGone(error)) return;
      throw failure(error, client.host, `delete the network "${name}"`);
    }
    const users = await usersOf(client.docker, id);
    throw new Error(`Cannot delete the network "${name}": still connected to it: ${users.join(", ")}.`);
  },
};

/** What the engine is asked for. */
export function networkOptions(name: string, inputs: Values): Dockerode.NetworkCreateOptions {
  const pools = records(inputs, "ipamConfigs").map((pool) =>
    defined({
      Subnet: text(pool, "subnet"),
      Gateway: text(pool, "gateway"),
      IPRange: text(pool, "ipRange"),
      AuxiliaryAddresses: map(pool, "auxAddress"),
    }),
  );
  const ipam = defined({
    Driver: text(inputs, "ipamDriver") ?? "default",
    Options: map(inputs, "ipamOptions"),
    Config: pools.length > 0 ? (pools as unknown as { [key: string]: string }[]) : undefined,
  });
  return {
    Name: name,
    // Older engines make a second network of the same name when they are not told otherwise.
    CheckDuplicate: true,
    IPAM: ipam as Dockerode.NetworkCreateOptions["IPAM"],
    ...defined({
      Driver: text(inputs, "driver"),
      Internal: flag(inputs, "internal"),
      Attachable: flag(inputs, "attachable"),
      Ingress: flag(inputs, "ingress"),
      EnableIPv6: flag(inputs, "ipv6"),
      Options: map(inputs, "options"),
    }),
    Labels: labels(inputs),
  };
}

/**
 * A network of this name with exactly these labels and settings is what an update made that was killed before it
 * could record it. Without labels it could be anyone's.
 */
async function leftOver(docker: Dockerode, name: string, inputs: Values): Promise<string | undefined> {
  const wanted = networkOptions(name, inputs);
  const found = (await docker.listNetworks({ filters: { name: [name] } })).find((one) => one.Name === name);
  if (found === undefined || Object.keys(wanted.Labels ?? {}).length === 0) return undefined;
  const same =
    equal(found.Labels ?? {}, wanted.Labels) &&
    found.Driver === (wanted.Driver ?? "bridge") &&
    found.Internal === (wanted.Internal ?? false) &&
    found.EnableIPv6 === (wanted.EnableIPv6 ?? false) &&
    (wanted.IPAM?.Config ?? []).every((pool, at) => includes(found.IPAM?.Config?.[at] ?? {}, pool)) &&
    includes(found.Options ?? {}, wanted.Options ?? {});
  return same ? found.Id : undefined;
}

const sorted = (value: object): string =>
  JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
const equal = (a: object, b: object | undefined): boolean => sorted(a) === sorted(b ?? {});
const includes = (whole: object, part: object): boolean => equal({ ...whole, ...part }, whole);

async function outputsOf(docker: Dockerode, id: string): Promise<Values> {
  return { scope: (await docker.getNetwork(id).inspect()).Scope };
}

function importedInputs(found: Dockerode.NetworkInspectInfo): Values {
  const pools = (found.IPAM?.Config ?? []).map((pool) =>
    defined({ subnet: pool.Subnet, gateway: pool.Gateway, ipRange: pool.IPRange }),
  );
  return {
    name: found.Name,
    driver: found.Driver,
    internal: found.Internal,
    attachable: found.Attachable,
    ipv6: found.EnableIPv6,
    ipamDriver: found.IPAM?.Driver ?? "default",
    ipamConfigs: pools as Values[],
    labels: Object.entries(found.Labels ?? {}).map(([label, value]) => ({ label, value })),
    options: found.Options ?? {},
  };
}

async function removed(client: Engine, id: string, context: ResourceContext): Promise<boolean> {
  const answer = await until(
    async () => {
      try {
        await client.docker.getNetwork(id).remove();
        return true;
      } catch (error) {
        if (/has active endpoints/.test(sentenceOf(error))) return undefined;
        throw error;
      }
    },
    leaveMilliseconds,
    context.signal,
  );
  return answer === true;
}

async function usersOf(docker: Dockerode, id: string): Promise<string[]> {
  const found = await docker.getNetwork(id).inspect();
  return Object.values(found.Containers ?? {}).map((one) => one.Name);
}
