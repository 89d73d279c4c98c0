/**
 * The page of the kernel's by which programs read the clock without a system call, and code for it that is wrong by so
 * much. It is the same for all programs of a machine. Only for x86-64.
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** To be put where the function begins. */
export interface Patch {
  /** From the begin of the vDSO. */
  readonly offset: number;
  readonly code: Buffer;
}

export interface Mapping {
  readonly begin: number;
  readonly end: number;
}

export interface Vdso {
  readonly image: Buffer;
  /** Where each function begins, from the begin of the image. */
  readonly functions: Readonly<Record<string, number>>;
}

/** Undefined: a kernel's thread, or a process that has ended. */
export function vdsoOf(pid: string): Mapping | undefined {
  const found = readFileSync(`/proc/${pid}/maps`, "utf8").match(/^([0-9a-f]+)-([0-9a-f]+) .*\[vdso\]$/m);
  return found ? { begin: Number(`0x${found[1]}`), end: Number(`0x${found[2]}`) } : undefined;
}

export function ownVdso(): Vdso {
  const where = vdsoOf("self");
  if (where === undefined || process.arch !== "x64") throw new Error("clocks can be faked on x86-64 alone");
  const image = Buffer.alloc(where.end - where.begin);
  const memory = openSync("/proc/self/mem", "r");
  readSync(memory, image, 0, image.length, where.begin);
  closeSync(memory);
  return { image, functions: functionsIn(image) };
}

/** Of an ELF file's dynamic symbols. */
function functionsIn(image: Buffer): Record<string, number> {
  const long = (at: number) => Number(image.readBigUInt64LE(at));
  const headers = Array.from({ length: image.readUInt16LE(60) }, (_, index) => long(40) + 64 * index);
  const symbols = headers.find((at) => image.readUInt32LE(at + 4) === 11);
  if (symbols === undefined) throw new Error("the vDSO has no symbols");
  const names = long((headers[image.readUInt32LE(symbols + 40)] ?? 0) + 24);
  const [begin, size] = [long(symbols + 24), long(symbols + 32)];
  const found: Record<string, number> = {};
  for (let at = begin; at < begin + size; at += 24) {
    const name = names + image.readUInt32LE(at);
    found[image.toString("latin1", name, image.indexOf(0, name))] = long(at + 8);
  }
  return found;
}

/**
 * Each asks the kernel by a system call, and adds so many seconds to what it says of the time of day. Clocks that only
 * count on (CLOCK_MONOTONIC) stay: a clock that is wrong, or is set, does not touch them.
 */
export function shifted({ functions }: Vdso, seconds: number): Patch[] {
  return Object.entries(codes).map(([name, [before, after]]) => {
    const added = Buffer.alloc(4);
    added.writeInt32LE(seconds);
    return patch(
      functions,
      name,
      Buffer.concat([Buffer.from(before, "hex"), added, Buffer.from(after, "hex")]),
    );
  });
}

/** What was there before. */
export function unshifted(vdso: Vdso): Patch[] {
  return shifted(vdso, 0).map(({ offset, code }) => ({
    offset,
    code: vdso.image.subarray(offset, offset + code.length),
  }));
}

function patch(functions: Vdso["functions"], name: string, code: Buffer): Patch {
  const offset = functions[name];
  if (offset === undefined) throw new Error(`the vDSO has no ${name}`);
  return { offset, code };
}

/** x86-64, before and after the 32 bits of the seconds. */
const codes = {
  // mov eax,228; syscall; test eax,eax; jne ret; test edi,edi; je add; cmp edi,5; jne ret; add: add qword [rsi],…; ret
  __vdso_clock_gettime: ["b8e40000000f0585c0751085ff740583ff057507488106", "c3"],
  // mov eax,96; syscall; test eax,eax; jne ret; test rdi,rdi; je ret; add qword [rdi],…; ret
  __vdso_gettimeofday: ["b8600000000f0585c0750c4885ff7407488107", "c3"],
  // mov eax,201; syscall; add rax,…; test rdi,rdi; je ret; mov [rdi],rax; ret
  __vdso_time: ["b8c90000000f054805", "4885ff7403488907c3"],
} as const;
