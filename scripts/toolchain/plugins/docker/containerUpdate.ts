/** What an engine is told to change on a container that exists. */

import type Dockerode from "dockerode";
import type { Values } from "../resourceType.ts";
import { updatable } from "./containerOptions.ts";

/** What a container gets that was not given any shares. */
export const defaultShares = 1024;

/**
 * An engine does not take a limit of memory away; it takes one that no machine reaches (in bytes, and exact in a
 * JavaScript number).
 */
export const noLimit = 2 ** 52;

/**
 * Undefined when nothing of it changed. A limit that is taken away must be said, since the engine leaves alone what
 * it is not told; and so must the swap that goes with the memory, or more memory than the old sum is refused.
 */
export function updateOptions(olds: Values, news: Values): Dockerode.HostConfig | undefined {
  const before = updatable(olds);
  const after = updatable(news);
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined;
  const changes: Dockerode.HostConfig = { ...after };
  if (before.Memory !== after.Memory || before.MemorySwap !== after.MemorySwap) {
    changes.Memory = after.Memory ?? noLimit;
    // As the engine does at the creation: as much swap as memory, in one sum.
    changes.MemorySwap = after.MemorySwap ?? (after.Memory === undefined ? noLimit : 2 * after.Memory);
  }
  if (before.MemoryReservation !== undefined && after.MemoryReservation === undefined) {
    changes.MemoryReservation = after.Memory ?? noLimit;
  }
  if (before.CpuShares !== undefined && after.CpuShares === undefined) changes.CpuShares = defaultShares;
  if (before.CpusetCpus !== undefined && after.CpusetCpus === undefined) {
    throw new Error("An engine does not take cpuSet away from a container; give it all CPUs, e.g. 0-3.");
  }
  return changes;
}
