/**
 * start.json: what a Consul needs that does not know its cluster yet, and reads at its start alone. One that runs goes by
 * gossip, and comes back by the members that it has written down; so a change of the list of servers restarts nobody,
 * which is why this is a file of its own.
 */
import { renderJson } from "./common.ts";

export interface ConsulStart {
  /** Addresses of all servers, its own too: the list is then the same on every member. */
  readonly serverAddresses: readonly string[];
  /**
   * On a server: with how many a new cluster begins; all of them, because two sets that overlap could begin two clusters.
   * One that has Raft's data, or meets a server that has, takes no notice of it.
   */
  readonly bootstrapExpect?: number;
}

export function startConfig({ serverAddresses, bootstrapExpect }: ConsulStart): string {
  return renderJson({
    retry_join: serverAddresses,
    retry_interval: "1s",
    ...(bootstrapExpect === undefined ? {} : { bootstrap_expect: bootstrapExpect }),
  });
}
