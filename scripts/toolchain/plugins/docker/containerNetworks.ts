/** Which networks a container is on. */

import type Dockerode from "dockerode";
import type { Values } from "../resourceType.ts";
import type { Engine } from "./client.ts";
import { endpoint } from "./containerOptions.ts";
import { sentenceOf } from "./failure.ts";
import { records, text } from "./values.ts";

type Attached = Readonly<Record<string, Dockerode.EndpointSettings>>;

/** An input may name a network or give its id. */
export function attachment(attached: Attached, network: string): Dockerode.EndpointSettings | undefined {
  return attached[network] ?? Object.values(attached).find((one) => one.NetworkID === network);
}

/**
 * Puts a container that does not run yet on its networks. As upstream it is made on the default bridge, which it
 * leaves here; an engine allocates networks only when it starts a container, so it is never reachable there.
 */
export async function attach(client: Engine, id: string, inputs: Values): Promise<void> {
  const wanted = records(inputs, "networksAdvanced");
  if (wanted.length === 0) return;
  const attached = await attachedTo(client, id);
  const names = wanted.map((network) => text(network, "name") ?? "");
  if ("bridge" in attached && !names.includes("bridge")) {
    await client.docker.getNetwork("bridge").disconnect({ Container: id });
  }
  for (const [at, network] of wanted.entries()) {
    const name = names[at] ?? "";
    // Its network mode put it there, without the address and the aliases.
    if (attachment(attached, name) !== undefined)
      await client.docker.getNetwork(name).disconnect({ Container: id });
    await connect(client, id, name, network);
  }
}

/**
 * Before a start: a network that was deleted and made again while the container was stopped has another id, and
 * the container would look for the old one.
 */
export async function reattach(client: Engine, id: string, inputs: Values): Promise<void> {
  const attached = await attachedTo(client, id);
  for (const network of records(inputs, "networksAdvanced")) {
    const name = text(network, "name") ?? "";
    const now = attachment(attached, name);
    const found = await client.docker.getNetwork(name).inspect();
    if (now?.NetworkID === found.Id) continue;
    if (now !== undefined)
      await client.docker.getNetwork(found.Id).disconnect({ Container: id, Force: true });
    await connect(client, id, name, network);
  }
}

async function connect(client: Engine, id: string, name: string, network: Values): Promise<void> {
  try {
    await client.docker.getNetwork(name).connect({ Container: id, EndpointConfig: endpoint(network) });
  } catch (error) {
    const why = sentenceOf(error);
    throw Object.assign(error as Error, { json: { message: `network "${name}": ${why}` } });
  }
}

async function attachedTo(client: Engine, id: string): Promise<Attached> {
  return (await client.docker.getContainer(id).inspect()).NetworkSettings.Networks ?? {};
}

/** The recorded networks as they are now: without those it was taken off, with the addresses it has. */
export function driftOfNetworks(state: Values, attached: Attached): Values[] | undefined {
  const recorded = records(state, "networksAdvanced");
  let drifted = false;
  const now = recorded.flatMap((network) => {
    const found = attachment(attached, text(network, "name") ?? "");
    if (found === undefined) {
      drifted = true;
      return [];
    }
    const actual = { ...network };
    for (const [key, address] of [
      ["ipv4Address", found.IPAMConfig?.IPv4Address],
      ["ipv6Address", found.IPAMConfig?.IPv6Address],
    ] as const) {
      if (text(network, key) === undefined || text(network, key) === address) continue;
      drifted = true;
      if (address === undefined) delete actual[key];
      else actual[key] = address;
    }
    return [actual];
  });
  return drifted ? now : undefined;
}

export function networkData(attached: Attached): Values[] {
  const names = Object.keys(attached).sort();
  return names.map((name) => {
    const one = attached[name];
    return {
      networkName: name,
      ipAddress: one?.IPAddress ?? "",
      ipPrefixLength: one?.IPPrefixLen ?? 0,
      gateway: one?.Gateway ?? "",
      globalIpv6Address: one?.GlobalIPv6Address ?? "",
      globalIpv6PrefixLength: one?.GlobalIPV6PrefixLen ?? 0,
      ipv6Gateway: one?.IPv6Gateway ?? "",
      macAddress: one?.MacAddress ?? "",
    };
  });
}
