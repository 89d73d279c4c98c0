/** What a deployment leaves: on Docker hosts, found by its label and nothing else, on machines, and on this one. */
import { rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type LeaveRequest, leftBehind } from "../../components/hosts/machines/leave.ts";
import { BOOKS_DIRECTORY } from "../../components/hosts/machines/programs.ts";
import { lastLines } from "./command.ts";
import { docker } from "./docker.ts";
import { projectFolder } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";

const LABEL = "understudy.deployment";

/** A deployment's name on a Docker host (undefined: the one that `docker` uses). */
export interface Remains {
  readonly deployment: string;
  readonly dockerHost: string | undefined;
}

interface ExportedResource {
  readonly urn?: string;
  readonly type?: string;
  readonly inputs?: {
    readonly host?: unknown;
    readonly labels?: unknown;
    readonly stdin?: unknown;
    readonly delete?: unknown;
  };
}

/** An engine that does not answer is not waited for longer than this. */
const answerMs = 20_000;

/** Reads from an exported stack which deployments it made, and on which Docker hosts. */
export function remainsOf(exported: string): Remains[] {
  const resources = resourcesOf(exported);
  const names = new Set(resources.flatMap((resource) => labelsOf(resource)));
  const hosts = new Set(resources.filter(({ type }) => type === "pulumi:providers:docker").map(hostOf));
  if (hosts.size === 0) hosts.add(undefined);
  return [...names].flatMap((name) => [...hosts].map((dockerHost) => ({ deployment: name, dockerHost })));
}

function resourcesOf(exported: string): ExportedResource[] {
  const { deployment } = JSON.parse(exported) as { deployment?: { resources?: ExportedResource[] } };
  return deployment?.resources ?? [];
}

/** Whether what it made is on the engine of this machine: the one that set-up can start. */
export function needsOwnEngine(remains: readonly Remains[]): boolean {
  return remains.some(({ dockerHost }) => dockerHost === undefined || dockerHost.startsWith("unix:"));
}

/** The machines of an exported stack that are not cleared yet, as their clearing needs them. */
export function machinesOf(exported: string): LeaveRequest[] {
  return resourcesOf(exported).flatMap(({ inputs }) => {
    if (typeof inputs?.stdin !== "string" || !String(inputs.delete).endsWith("machines/leave.ts")) return [];
    return [JSON.parse(inputs.stdin) as LeaveRequest];
  });
}

/** Where data stays by the deployment's own wish, and how to be rid of it. For people. */
export function keptData(machines: readonly LeaveRequest[]): string[] {
  return machines
    .filter(({ wipe, adopted }) => !wipe || adopted !== null)
    .map(({ host, route, data, wipe, adopted }) => {
      const why = wipe ? "it was there before the deployment" : "onDestroy: keep";
      const all = [...(adopted === null ? [] : [adopted]), ...(wipe ? [] : [data, BOOKS_DIRECTORY])];
      return `the data of ${host} stays on ${route.host} in ${adopted ?? data} (${why}); to be rid of it, as root there: rm -rf ${all.join(" ")}`;
    });
}

/** Machines that a destroy did not get to, with what a person can do. */
export function notCleared(machines: readonly LeaveRequest[]): string[] {
  return machines.map(leftBehind);
}

/** Names by which files of the deployment are kept on this machine. */
export function deploymentsOf(exported: string): string[] {
  return resourcesOf(exported).flatMap(({ type, urn }) =>
    type === "understudy:index:Deployment" || type === "understudy:index:RegionalDeployment"
      ? [urn?.split("::").at(-1) ?? ""]
      : [],
  );
}

/** The secret `sshPrivateKey` as `up` put it here; see `components/hosts/machines/edge.ts`. */
export function forgetSshKeys(deployments: readonly string[], folder = projectFolder): void {
  for (const name of deployments.filter((each) => /^[a-z0-9][a-z0-9-]*$/.test(each))) {
    rmSync(join(folder, name, "ssh-key"), { force: true });
    try {
      rmdirSync(join(folder, name));
    } catch {
      // Something else is in it, or it never was.
    }
  }
}

function labelsOf(resource: ExportedResource): string[] {
  const labels = resource.inputs?.labels;
  if (!Array.isArray(labels)) return [];
  return (labels as { label?: unknown; value?: unknown }[]).flatMap(({ label, value }) =>
    label === LABEL && typeof value === "string" ? [value] : [],
  );
}

function hostOf(resource: ExportedResource): string | undefined {
  const host = resource.inputs?.host;
  return typeof host === "string" ? host : undefined;
}

/** Removes every container, volume and network of a deployment; returns what it removed, in words. */
export async function removeRemains({ deployment, dockerHost }: Remains): Promise<string[]> {
  const on = dockerHost === undefined ? [] : ["--host", dockerHost];
  const removed: string[] = [];
  for (const { kind, list, remove } of KINDS) {
    const found = await docker([...on, ...list, "--filter", `label=${LABEL}=${deployment}`], {
      timeoutMs: answerMs,
    });
    if (found.code !== 0) throw unanswered({ deployment, dockerHost }, found.stderr);
    for (const name of found.stdout.split("\n").filter((line) => line !== "")) {
      const result = await docker([...on, ...remove, name]);
      if (result.code !== 0 && !/no such/i.test(result.stderr)) {
        throw new SetUpProblem(`The ${kind} ${name} cannot be removed:`, ...lastLines(result.stderr, 3));
      }
      removed.push(`${kind} ${name}`);
    }
  }
  return removed;
}

function unanswered({ deployment, dockerHost }: Remains, stderr: string): SetUpProblem {
  const on = dockerHost === undefined ? "" : ` --host ${dockerHost}`;
  const said = lastLines(stderr, 3);
  return new SetUpProblem(
    `The Docker engine ${dockerHost ?? "of this machine"} cannot be asked, and what ${deployment} has there stays:`,
    ...(said.length > 0 ? said : [`no answer within ${answerMs / 1000} s`]),
    "When it answers again, these find it, with its data:",
    ...["ps --all", "volume ls", "network ls"].map(
      (list) => `  docker${on} ${list} --filter label=${LABEL}=${deployment}`,
    ),
  );
}

const KINDS = [
  {
    kind: "container",
    list: ["ps", "--all", "--format", "{{.Names}}"],
    remove: ["rm", "--force", "--volumes"],
  },
  { kind: "volume", list: ["volume", "ls", "--format", "{{.Name}}"], remove: ["volume", "rm", "--force"] },
  { kind: "network", list: ["network", "ls", "--format", "{{.Name}}"], remove: ["network", "rm"] },
] as const;
