/**
 * Which containers and which network of a deployment the engine has. Pulumi's state has them as made, also after
 * somebody removed one, and a refresh on every `up` costs seconds and asks the providers to compare what engines
 * report differently. So each is marked, at its making, with a label; the program reads the labels and asks for
 * what it finds: an unchanged mark changes nothing, a new one in the place of a missing mark makes it again.
 */
import { execFile } from "node:child_process";

export interface Presence {
  /**
   * The engine answered. One that does not is left as it was: nothing is asked of it for the sake of a mark, so that a
   * failover away from its site is not held up by it.
   */
  readonly reachable: boolean;
  /** Marks by physical name. What is not in here is not there. */
  readonly containers: Readonly<Record<string, string>>;
  readonly networks: Readonly<Record<string, string>>;
  /** Physical names of data volumes that hosts have left which are nobody's any more. Absent: nobody has looked. */
  readonly leftVolumes?: readonly string[];
  /** The mark of what is made now. */
  readonly fresh: string;
}

export const MARK_LABEL = "understudy.mark";

export interface PresenceArgs {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  /** Data volumes of hosts that are gone. */
  readonly leftVolumes: readonly string[];
  readonly dockerHost: string | undefined;
  readonly now: Date;
}

/** Never rejects: where the engine does not answer, the plan says so in its own words. */
export async function presenceOf(args: PresenceArgs): Promise<Presence> {
  const [reachable, containers, networks, volumes] = await Promise.all([
    answers(args.dockerHost),
    inspect("container", args.containers, "{{.Name}}\t{{json .Config.Labels}}", args.dockerHost),
    inspect("network", args.networks, "{{.Name}}\t{{json .Labels}}", args.dockerHost),
    inspect("volume", args.leftVolumes, "{{.Name}}", args.dockerHost),
  ]);
  return {
    reachable,
    containers: readMarks(containers),
    networks: readMarks(networks),
    leftVolumes: volumes.split("\n").filter((name) => name !== ""),
    fresh: args.now.toISOString(),
  };
}

/** Lines of name, tab, labels as JSON. What carries no mark of ours counts as unmarked, not as missing. */
export function readMarks(lines: string): Record<string, string> {
  const rows = lines.split("\n").filter((line) => line.includes("\t"));
  return Object.fromEntries(
    rows.map((row) => {
      const [name = "", labels = "null"] = row.split("\t");
      const mark = (JSON.parse(labels) as Record<string, string> | null)?.[MARK_LABEL] ?? "";
      return [name.replace(/^\//, ""), mark];
    }),
  );
}

/** What an engine that does not answer would be asked to change, were it not left as it was. */
export function leftAlone({ reachable }: Presence, inputs: readonly string[]): { ignoreChanges?: string[] } {
  return reachable ? {} : { ignoreChanges: [...inputs] };
}

const timeoutMs = 8_000;

/** `docker inspect` prints those that it finds and fails for the others; both are answers. */
function inspect(
  kind: "container" | "network" | "volume",
  names: readonly string[],
  format: string,
  dockerHost: string | undefined,
): Promise<string> {
  if (names.length === 0) return Promise.resolve("");
  return new Promise((resolve) => {
    docker([kind, "inspect", "--format", format, ...names], dockerHost, (_, stdout) => resolve(stdout));
  });
}

function answers(dockerHost: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    docker(["version", "--format", "{{.Server.Version}}"], dockerHost, (error) => resolve(error === null));
  });
}

function docker(
  args: readonly string[],
  dockerHost: string | undefined,
  done: (error: Error | null, stdout: string) => void,
): void {
  const env = dockerHost === undefined ? process.env : { ...process.env, DOCKER_HOST: dockerHost };
  execFile("docker", args, { env, timeout: timeoutMs, maxBuffer: 1 << 24 }, (error, stdout) =>
    done(error, stdout),
  );
}
