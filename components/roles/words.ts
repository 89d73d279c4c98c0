/**
 * What a node's program and data are called where it runs, and the commands of that place. The one table by target for
 * whatever is said of a node to a person; everything else is said in words that are right on each. Pure.
 */
import type { DesiredNode, DockerReach, MachineReach, Reach } from "./desired.ts";
import { putBack } from "./plan/byHand.ts";

export interface Words {
  /** What runs the node, after "its" or "a". */
  readonly unit: string;
  /** The same, with the node's name. */
  readonly theUnit: string;
  /** What outlives it and holds the data, after "its" or "a". */
  readonly data: string;
  /** Where there is room or is not, after "free". */
  readonly onData: string;
  /** Command, and where, that shows why the unit does not run. */
  readonly log: string;
  /** What somebody removed or wrote over is put back. */
  readonly putBack: string;
  /** The node's data is given up by hand, so that `pulumi up` makes the node anew. It is a person's decision. */
  readonly giveUp: string;
  /** Runs a script for the shell, without double quotes in it, as the account of the server. */
  readonly asServer: (script: string) => string;
  /** Of the server. */
  readonly dataDirectory: string;
}

type Named = Pick<DesiredNode, "name" | "site" | "adopt">;

const tables: {
  readonly [K in Reach["kind"]]: (node: Named, reach: Extract<Reach, { kind: K }>) => Words;
} = {
  docker: containerWords,
  machine: machineWords,
};

export function wordsOf({ reach, ...node }: Named & Pick<DesiredNode, "reach">): Words {
  return reach.kind === "docker" ? tables.docker(node, reach) : tables.machine(node, reach);
}

function containerWords({ name }: Named, { container, dataVolume, dockerHost }: DockerReach): Words {
  const docker = dockerHost === undefined ? "docker" : `docker --host ${dockerHost}`;
  return {
    unit: "container",
    theUnit: `the container of ${name}`,
    data: "data volume",
    onData: "on its data volume",
    log: `${docker} logs --tail 50 ${container}`,
    putBack: "`pulumi up --refresh`",
    giveUp: `delete its container and data volume (${docker} rm --force ${container}; ${docker} volume rm ${dataVolume})`,
    asServer: (script) => `${docker} exec -u postgres ${container} sh -c "${script}"`,
    dataDirectory: ownData,
  };
}

function machineWords({ name, site, adopt }: Named, { unit, ssh, account }: MachineReach): Words {
  const data = adopt ?? ownData;
  return {
    unit,
    theUnit: `${unit} on ${name}`,
    data: "data directory",
    onData: "where its data directory is",
    log: `journalctl -u ${unit} -n 50 on ${ssh.host}`,
    putBack: `${putBack(site)}, then \`pulumi up\``,
    giveUp: `stop its unit and move its data directory away (on ${ssh.host}, as root: systemctl stop ${unit}; mv ${data} ${data}.old)`,
    asServer: (script) => `on ${ssh.host}, as root: runuser -u ${account} -- sh -c "${script}"`,
    dataDirectory: data,
  };
}

/** `postgres/paths.ts` has it from there; the roles know no product's files. A test holds the two together. */
export const ownData = "/var/lib/understudy/pgdata";
