/** An apt repository in a container beside test machines, and what makes a machine use it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PackageMirror } from "../../../components/spec/model.ts";
import { lastLines } from "../command.ts";
import { docker } from "../docker.ts";
import { SetUpProblem } from "../problem.ts";
import { inside, type Machines, succeed, useProxy } from "./machines.ts";
import { MACHINES_LABEL, type MachinesWish, mirrorName } from "./names.ts";

const PORT = 8080;
const SUITE = "own";
const START_MS = 20_000;

export interface Mirror {
  readonly container: string;
  readonly address: string;
  /** As a stack's configuration names it. */
  readonly source: PackageMirror;
}

/**
 * Makes it be there and serve, reachable past a proxy for every one of the machines. It is one of them to whoever
 * removes them.
 */
export async function bringUpMirror(
  wish: MachinesWish,
  { machines, network }: Machines,
  image: string,
): Promise<Mirror> {
  const { container, address } = mirrorName(wish);
  await ensureServing(container, address, network, wish.name, image);
  const key = await publicKey(container);
  await Promise.all(machines.map((machine) => admit(machine.container, address)));
  const source = { url: `http://${address}:${PORT}`, suite: SUITE, components: ["main"], key };
  return { container, address, source };
}

/** Among the machine's own sources, and asked for what it has, as its owner would have done it. */
export async function addSource(machine: string, { source }: Mirror): Promise<void> {
  const key = source.key.split("\n").map((line) => ` ${line === "" ? "." : line}`);
  const text = [
    "Types: deb",
    `URIs: ${source.url}`,
    `Suites: ${source.suite}`,
    `Components: ${source.components.join(" ")}`,
    "Signed-By:",
    ...key,
    "",
  ].join("\n");
  await written(machine, "/etc/apt/sources.list.d/own.sources", text);
  await succeed(inside(machine, "apt-get -qq update"), `The package sources of ${machine} cannot be asked`);
}

/** The public part of a key of the repository's; made if it is not there. ASCII-armoured. */
export async function publicKey(container: string, name = "signer"): Promise<string> {
  const script = `repository key ${name}`;
  return `${await succeed(inside(container, script), `The key of ${container} cannot be read`)}\n`;
}

async function ensureServing(
  container: string,
  address: string,
  network: string,
  name: string,
  image: string,
): Promise<void> {
  const there = await docker(["container", "inspect", "--format", "{{.State.Running}}", container]);
  const label = `${MACHINES_LABEL}=${name}`;
  const run = [
    "run",
    "--detach",
    "--name",
    container,
    "--network",
    network,
    "--ip",
    address,
    "--label",
    label,
  ];
  if (there.code !== 0) {
    await succeed(docker([...run, image]), `The package mirror ${container} cannot be started`);
    await useProxy(container, process.env);
  } else if (there.stdout.trim() !== "true") {
    await succeed(docker(["start", container]), `The package mirror ${container} cannot be started`);
  }
  await serving(container);
}

async function serving(container: string): Promise<void> {
  const limit = Date.now() + START_MS;
  const ask = `busybox wget -q -O - http://127.0.0.1:${PORT}/dists/${SUITE}/InRelease`;
  while (Date.now() < limit) {
    if ((await inside(container, ask)).code === 0) return;
    await sleep(100);
  }
  const { stderr } = await docker(["logs", container]);
  throw new SetUpProblem(
    `The package mirror ${container} does not serve after ${START_MS / 1000} s:`,
    ...lastLines(stderr, 4),
  );
}

/** Where packages are reached through a proxy otherwise. */
async function admit(machine: string, address: string): Promise<void> {
  await written(machine, "/etc/apt/apt.conf.d/91mirror", `Acquire::http::Proxy::${address} "DIRECT";\n`);
}

async function written(machine: string, path: string, text: string): Promise<void> {
  await succeed(inside(machine, `cat > ${path}`, text), `${path} cannot be written on ${machine}`);
}
