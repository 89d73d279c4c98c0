/** What a measurement makes is removed when it ends, fails, or is interrupted. */
interface Removable {
  remove(): Promise<void>;
}

const open = new Set<Removable>();
const removals = new Map<Removable, Promise<void>>();

export async function tidily<T extends Removable, R>(thing: T, work: (thing: T) => Promise<R>): Promise<R> {
  open.add(thing);
  try {
    return await work(thing);
  } finally {
    await remove(thing);
    open.delete(thing);
  }
}

/** Ctrl-C: newest first, and all of them, whatever one says. */
export function removeWhenInterrupted(): void {
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // `npm` passes on what the terminal has sent to everybody already.
    process.on(signal, async () => {
      if (interrupted) return;
      interrupted = true;
      console.error(`${signal}: removing what was made`);
      for (const thing of [...open].reverse()) {
        await remove(thing).catch((error: Error) => console.error(error.message));
      }
      process.exit(130);
    });
  }
}

/** Once: what is interrupted fails, and its own end is then under way at the same time. */
function remove(thing: Removable): Promise<void> {
  const begun = removals.get(thing) ?? thing.remove();
  removals.set(thing, begun);
  return begun;
}
