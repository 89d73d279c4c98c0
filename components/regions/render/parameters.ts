/** PostgreSQL's settings of all members, as Patroni wants them: what is dynamic, and what is each member's own. */
import { type SplitParameters, splitParameters } from "../../patroni/parameters.ts";
import { memorySettings } from "../../postgres/memory.ts";
import { mergeLayers, ownedEverywhere } from "../../postgres/settings.ts";
import type { Member, RegionalDeployment } from "../../spec/regionalModel.ts";
import { membersOf } from "./topology.ts";

/** What Patroni, Consul's agent and ours take of a member's memory. */
const companionsMiB = 160;
const leastMiB = 256;

/**
 * Over all regions at once: a standby region whose limits were lower than the active one's would stop replaying, and
 * after a change of the active region its configuration is the one in force.
 *
 * @throws with all problems, as `splitParameters`
 */
export function parametersOf(deployment: RegionalDeployment): SplitParameters {
  return splitParameters(
    membersOf(deployment).map((member) => ({
      node: member.name,
      settings: settingsOf(deployment, member),
      own: [...memoryNames, ...Object.keys(member.settings).map((name) => name.toLowerCase())],
    })),
  );
}

const memoryNames = Object.keys(memorySettings(leastMiB, 100));

function settingsOf({ database }: RegionalDeployment, { name, memoryMiB, settings }: Member) {
  return mergeLayers({
    name,
    database,
    memoryMiB: Math.max(leastMiB, memoryMiB - companionsMiB),
    settings,
    owned: {
      ...ownedEverywhere(database),
      // A crash of one backend is the server's to recover from; Patroni sees to a server that does not.
      restart_after_crash: "on",
    },
  });
}
