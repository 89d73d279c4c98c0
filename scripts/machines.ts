/**
 * `npm run machines -- up|down [--regions] [--name machines] [--count 2] [--subnet 10.87.0.0/24] [--release trixie]`:
 * machines to try the target `machines` on, which are containers with systemd and sshd. With `--regions`, those of one
 * region of Patroni, and a package mirror that has what Debian does not. `down` removes them and their keys.
 */
import { ensureEngine } from "./toolchain/engine.ts";
import { type MachinesOrder, readArguments, stacksOfMachines } from "./toolchain/machines/arguments.ts";
import { ensureMachineImage } from "./toolchain/machines/image.ts";
import { bringUpMachines, type Machines, removeMachines } from "./toolchain/machines/machines.ts";
import { addSource, bringUpMirror } from "./toolchain/machines/mirror.ts";
import { ensurePackagesImage } from "./toolchain/machines/mirrorImages.ts";
import { runScript } from "./toolchain/problem.ts";
import { Progress } from "./toolchain/progress.ts";

await runScript(async () => {
  const order = readArguments(process.argv.slice(2));
  const progress = new Progress({ quiet: true });
  if (order.command === "down") {
    const { name } = order.wish;
    const removed = await removeMachines(name);
    for (const each of removed) progress.done(`removed ${each}`);
    if (removed.length === 0) progress.done(`There are no machines ${name}.`);
    return 0;
  }
  await ensureEngine(progress);
  const machines = await bringUp(order, progress);
  process.stdout.write(`${whatNext(machines, order)}\n`);
  return 0;
});

async function bringUp({ wish, release, regions }: MachinesOrder, progress: Progress): Promise<Machines> {
  const mirrorImage = regions ? await ensurePackagesImage(progress) : undefined;
  const machines = await bringUpMachines(wish, await ensureMachineImage(release, progress), progress);
  if (mirrorImage !== undefined) {
    const mirror = await bringUpMirror(wish, machines, mirrorImage);
    await Promise.all(machines.machines.map(({ container }) => addSource(container, mirror)));
  }
  return machines;
}

function whatNext({ machines, keyFile, knownHosts }: Machines, { wish, regions }: MachinesOrder): string {
  const [first] = machines;
  const down = regions ? " --regions" : "";
  const named = stacksOfMachines.includes(wish.name);
  return [
    ...machines.map(({ container, address }) => `  ${container.padEnd(wish.name.length + 8)} ${address}`),
    "",
    "Log in:",
    `  ssh -i ${keyFile} -o UserKnownHostsFile=${knownHosts} root@${first?.address}`,
    "",
    "Try next:",
    ...(named ? [`  npm run up -- --stack ${wish.name}`] : []),
    `  docker restart ${first?.container}      # a reboot`,
    `  npm run machines -- down${named ? down : ` --name ${wish.name}`}`,
  ].join("\n");
}
