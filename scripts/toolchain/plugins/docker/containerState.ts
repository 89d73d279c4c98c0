/**
 * What the engine says of a container → what differs from what was recorded. An engine cannot change the rest of a
 * container that exists, and reports much of it in another form than it was asked for: comparing that would show
 * differences where there are none. `envs` and `labels` are mixed with those of the image and are not read back.
 */

import type Dockerode from "dockerode";
import type { ResourceContext, Values } from "../resourceType.ts";
import { containerInputs } from "./containerInputs.ts";
import { driftOfNetworks, networkData } from "./containerNetworks.ts";
import { portKey } from "./containerOptions.ts";
import { defaultShares, noLimit } from "./containerUpdate.ts";
import { isGenerated } from "./generatedName.ts";
import { flag, integer, records, text } from "./values.ts";

const megabyte = 1024 * 1024;

/**
 * The inputs in the state. What was chosen for an input that was not given is in the state as well, and is left out:
 * to the program it would be a change.
 */
export function recordedInputs(
  state: Values,
  found: Dockerode.ContainerInspectInfo,
  context: ResourceContext,
): Values {
  const inputs = Object.fromEntries(Object.entries(state).filter(([key]) => key in containerInputs));
  if (isGenerated(text(state, "name") ?? "", context)) delete inputs.name;
  const asked = (found.HostConfig.PortBindings ?? {}) as Record<string, { HostPort?: string }[] | undefined>;
  if (Array.isArray(inputs.ports)) {
    inputs.ports = records(state, "ports").map((port) => {
      const chosen = asked[portKey(port)]?.every(({ HostPort }) => !HostPort || HostPort === "0");
      const { external, ...rest } = port;
      return chosen === true ? rest : port;
    });
  }
  return inputs;
}

/** Only the inputs that truly differ; null for one that was taken away. */
export function drift(state: Values, found: Dockerode.ContainerInspectInfo): Values {
  const host = found.HostConfig;
  const differing: Values = {};
  const compare = (key: string, actual: string | number | null, recorded: string | number | null) => {
    if (actual !== recorded) differing[key] = actual;
  };
  const recordedName = text(state, "name");
  if (recordedName !== undefined) compare("name", nameOf(found), recordedName);
  compare("restart", host.RestartPolicy?.Name || "no", text(state, "restart") ?? "no");
  const retries = host.RestartPolicy?.MaximumRetryCount || null;
  compare("maxRetryCount", retries, integer(state, "maxRetryCount") || null);
  compare("memory", limit(host.Memory), positive(integer(state, "memory")));
  // Without a wish the engine chooses these, so only a wish can be disappointed. Where the kernel does not account for
  // swap there is none to compare.
  const reservation = positive(integer(state, "memoryReservation"));
  if (reservation !== null) compare("memoryReservation", limit(host.MemoryReservation), reservation);
  const swap = integer(state, "memorySwap");
  if (swap !== undefined && swap !== 0 && host.MemorySwap !== undefined && host.MemorySwap > 0) {
    compare("memorySwap", Math.floor(host.MemorySwap / megabyte), swap);
  }
  const shares = host.CpuShares === defaultShares ? null : host.CpuShares || null;
  compare("cpuShares", shares, withoutDefault(integer(state, "cpuShares")));
  compare("cpuSet", host.CpusetCpus || null, text(state, "cpuSet") ?? null);
  const networks = driftOfNetworks(state, found.NetworkSettings.Networks ?? {});
  if (networks !== undefined) differing.networksAdvanced = networks;
  if (stoppedAgainstWish(state, found)) differing.mustRun = false;
  return differing;
}

/** What must run and does not is told by `mustRun: false`, as upstream: the next update starts it. */
function stoppedAgainstWish(state: Values, found: Dockerode.ContainerInspectInfo): boolean {
  const meant =
    flag(state, "mustRun") !== false && flag(state, "start") !== false && flag(state, "attach") !== true;
  return meant && !found.State.Running && !found.State.Restarting;
}

const positive = (value: number | undefined): number | null =>
  value !== undefined && value > 0 ? value : null;
const limit = (bytes: number | undefined): number | null =>
  (bytes ?? 0) >= noLimit ? null : positive(Math.floor((bytes ?? 0) / megabyte));
const withoutDefault = (shares: number | undefined): number | null =>
  shares === defaultShares ? null : shares || null;

export function nameOf(found: Dockerode.ContainerInspectInfo): string {
  return found.Name.replace(/^\//, "");
}

/** The outputs beside the inputs, and the inputs of which the engine chose a part. */
export function outputsOf(inputs: Values, found: Dockerode.ContainerInspectInfo): Values {
  const outputs: Values = {
    name: nameOf(found),
    bridge: (found.NetworkSettings as { Bridge?: string }).Bridge ?? "",
    exitCode: found.State.ExitCode,
    networkDatas: networkData(found.NetworkSettings.Networks ?? {}),
  };
  const ports = records(inputs, "ports");
  if (ports.some(chosenByEngine)) outputs.ports = ports.map((port) => withExternal(port, found));
  return outputs;
}

const chosenByEngine = (port: Values): boolean => !integer(port, "external");

function withExternal(port: Values, found: Dockerode.ContainerInspectInfo): Values {
  if (!chosenByEngine(port)) return port;
  const bindings = found.NetworkSettings.Ports?.[portKey(port)] ?? [];
  const ip = text(port, "ip") ?? "0.0.0.0";
  const external = bindings.find((binding) => binding.HostIp === ip)?.HostPort ?? bindings[0]?.HostPort;
  return external === undefined ? port : { ...port, external: Number(external) };
}
