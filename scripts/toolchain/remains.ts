/** What a deployment has on Docker hosts, found by its label and nothing else, and how it is removed. */
import { lastLines } from "./command.ts";
import { docker } from "./docker.ts";
import { SetUpProblem } from "./problem.ts";

const LABEL = "understudy.deployment";

/** A deployment's name on a Docker host (undefined: the one that `docker` uses). */
export interface Remains {
  readonly deployment: string;
  readonly dockerHost: string | undefined;
}

interface ExportedResource {
  readonly type?: string;
  readonly inputs?: { readonly host?: unknown; readonly labels?: unknown };
}

/** Reads from an exported stack which deployments it made, and on which Docker hosts. */
export function remainsOf(exported: string): Remains[] {
  const { deployment } = JSON.parse(exported) as { deployment?: { resources?: ExportedResource[] } };
  const resources = deployment?.resources ?? [];
  const names = new Set(resources.flatMap((resource) => labelsOf(resource)));
  const hosts = new Set(resources.filter(({ type }) => type === "pulumi:providers:docker").map(hostOf));
  if (hosts.size === 0) hosts.add(undefined);
  return [...names].flatMap((name) => [...hosts].map((dockerHost) => ({ deployment: name, dockerHost })));
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
    const found = await docker([...on, ...list, "--filter", `label=${LABEL}=${deployment}`]);
    if (found.code !== 0) throw new SetUpProblem("Docker cannot be asked:", ...lastLines(found.stderr, 3));
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

const KINDS = [
  {
    kind: "container",
    list: ["ps", "--all", "--format", "{{.Names}}"],
    remove: ["rm", "--force", "--volumes"],
  },
  { kind: "volume", list: ["volume", "ls", "--format", "{{.Name}}"], remove: ["volume", "rm", "--force"] },
  { kind: "network", list: ["network", "ls", "--format", "{{.Name}}"], remove: ["network", "rm"] },
] as const;
