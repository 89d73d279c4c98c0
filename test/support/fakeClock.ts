/**
 * Another time of day for one container. All share the kernel's clock, so every program that runs in it gets other code
 * where it reads that clock (as Chaos Mesh's TimeChaos does), whatever it is written in; what is started later gets it
 * from a preloaded library, unless it is linked statically. File times stay right. Needs root.
 */
import { execFile } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { docker } from "./stack.ts";
import { type Mapping, ownVdso, type Patch, shifted, unshifted, vdsoOf } from "./vdso.ts";

const run = promisify(execFile);

const image = "understudy-test/fake-clock";
const library = "/usr/local/lib/fake-clock.so";
const patchesFile = "/etc/fake-clock.patches";
const attempts = 50;

/** Ahead of the right time by so many seconds, at once; negative: behind. */
export async function shiftClock(container: string, seconds: number): Promise<void> {
  const patches = shifted(ownVdso(), seconds);
  await preload(container, patches);
  await patchAll(container, patches);
}

/** Also of what was started meanwhile. */
export async function rightClock(container: string): Promise<void> {
  await docker("exec", "-u", "0", container, "rm", "-f", "/etc/ld.so.preload", patchesFile);
  await patchAll(container, unshifted(ownVdso()));
}

async function preload(container: string, patches: readonly Patch[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-clock-"));
  try {
    await takeLibrary(join(folder, "fake-clock.so"));
    writeFileSync(join(folder, "patches"), Buffer.concat(patches.map(encoded)));
    writeFileSync(join(folder, "preload"), `${library}\n`);
    await docker("cp", "-q", join(folder, "fake-clock.so"), `${container}:${library}`);
    await docker("cp", "-q", join(folder, "patches"), `${container}:${patchesFile}`);
    await docker("cp", "-q", join(folder, "preload"), `${container}:/etc/ld.so.preload`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As preloaded.c reads it. */
function encoded({ offset, code }: Patch): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(offset, 0);
  head.writeUInt32LE(code.length, 4);
  return Buffer.concat([head, code]);
}

async function takeLibrary(target: string): Promise<void> {
  await run("docker", ["build", "--quiet", "--tag", image, "test/support/fake-clock"]);
  const source = await docker("create", image);
  try {
    await docker("cp", "-q", `${source}:/preloaded.so`, target);
  } finally {
    await docker("rm", source);
  }
}

/** While all of them stand still: for some milliseconds, and not where the code is that is changed. */
async function patchAll(container: string, patches: readonly Patch[]): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    await docker("pause", container);
    try {
      const processes = (await pidsOf(container)).flatMap((pid) => {
        const vdso = vdsoOf(pid);
        return vdso === undefined ? [] : [{ pid, vdso }];
      });
      if (processes.some(({ pid, vdso }) => isInside(pid, vdso))) continue;
      for (const { pid, vdso } of processes) write(pid, vdso, patches);
      return;
    } finally {
      await docker("unpause", container);
    }
  }
  throw new Error(`${container}: somebody has been reading the clock whenever it stood still`);
}

function write(pid: string, vdso: Mapping, patches: readonly Patch[]): void {
  const memory = openSync(`/proc/${pid}/mem`, "r+");
  try {
    for (const { offset, code } of patches) {
      writeSync(memory, code, 0, code.length, vdso.begin + offset);
      const found = Buffer.alloc(code.length);
      readSync(memory, found, 0, code.length, vdso.begin + offset);
      if (!found.equals(code)) throw new Error(`the clock of process ${pid} is what it was`);
    }
  } finally {
    closeSync(memory);
  }
}

/** By the address of the instruction that each thread executes next. */
function isInside(pid: string, { begin, end }: Mapping): boolean {
  return readdirSync(`/proc/${pid}/task`).some((thread) => {
    const [last = ""] = readFileSync(`/proc/${pid}/task/${thread}/syscall`, "utf8")
      .trim()
      .split(" ")
      .slice(-1);
    const at = Number(last);
    return at >= begin && at < end;
  });
}

/** As the machine numbers them. */
async function pidsOf(container: string): Promise<string[]> {
  const list = await docker("top", container, "-o", "pid");
  return list
    .split("\n")
    .slice(1)
    .map((pid) => pid.trim());
}
