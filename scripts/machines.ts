/**
 * `npm run machines -- up|down [--name machines] [--count 2] [--subnet 10.87.0.0/24] [--release trixie]`: machines to
 * try the target `machines` on, which are containers with systemd and sshd. `down` removes them and their keys.
 */
import { parseArgs } from "node:util";
import { ensureEngine } from "./toolchain/engine.ts";
import { ensureMachineImage, releases } from "./toolchain/machines/image.ts";
import { bringUpMachines, type Machines, removeMachines } from "./toolchain/machines/machines.ts";
import { machineNames } from "./toolchain/machines/names.ts";
import { runScript, SetUpProblem } from "./toolchain/problem.ts";
import { Progress } from "./toolchain/progress.ts";

const usage =
  "npm run machines -- up|down [--name machines] [--count 2] [--subnet 10.87.0.0/24] [--release trixie]";

await runScript(async () => {
  const { command, name, count, subnet, release } = readArguments(process.argv.slice(2));
  const progress = new Progress({ quiet: true });
  const wish = { name, count, subnet };
  machineNames(wish);
  if (command === "down") {
    const removed = await removeMachines(name);
    for (const each of removed) progress.done(`removed ${each}`);
    if (removed.length === 0) progress.done(`There are no machines ${name}.`);
    return 0;
  }
  await ensureEngine(progress);
  const image = await ensureMachineImage(release, progress);
  const machines = await bringUpMachines(wish, image, progress);
  process.stdout.write(`${whatNext(machines, name)}\n`);
  return 0;
});

function readArguments(args: string[]) {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values, positionals } = asked(() =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        name: text("machines"),
        count: text("2"),
        subnet: text("10.87.0.0/24"),
        release: text(releases[0]),
      },
    }),
  );
  const [command, ...more] = positionals;
  const release = releases.find((known) => known === values.release);
  if ((command !== "up" && command !== "down") || more.length > 0) throw new SetUpProblem(`Usage: ${usage}`);
  if (release === undefined)
    throw new SetUpProblem(`--release ${values.release}: known are ${releases.join(", ")}.`);
  return { command, name: values.name, count: Number(values.count), subnet: values.subnet, release };
}

/** A misspelt option is the user's to put right, not a defect. */
function asked<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new SetUpProblem((error as Error).message, `Usage: ${usage}`);
  }
}

function whatNext({ machines, keyFile, knownHosts }: Machines, name: string): string {
  const [first] = machines;
  return [
    ...machines.map(({ container, address }) => `  ${container.padEnd(16)} ${address}`),
    "",
    "Log in:",
    `  ssh -i ${keyFile} -o UserKnownHostsFile=${knownHosts} root@${first?.address}`,
    "",
    "Try next:",
    ...(name === "machines" ? ["  npm run up -- --stack machines"] : []),
    `  docker restart ${first?.container}      # a reboot`,
    `  npm run machines -- down${name === "machines" ? "" : ` --name ${name}`}`,
  ].join("\n");
}
