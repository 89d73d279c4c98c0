// A lock file against two set-ups at once, in plain JavaScript because `run.mjs` needs it before a modern Node
// is there. The file says who holds it; a holder that no longer runs loses it, so a killed set-up blocks nobody.
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** Tells a process from a later one with the same id: its start time, where the system gives it. */
export function processIdentity(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not looked yet.
    return fields[0] === "Z" ? undefined : `${pid}@${fields[19]}`;
  } catch {
    try {
      process.kill(pid, 0);
      return `${pid}@`;
    } catch (error) {
      return error.code === "EPERM" ? `${pid}@` : undefined;
    }
  }
}

/** Whether the process with this identity is there still, and not a later one with its number. */
export function stillRuns(identity) {
  return identity !== "" && processIdentity(Number(identity.split("@")[0])) === identity;
}

/** One try: `{ release }` when it is ours now, else `{ holder }`. */
export function tryLock(path) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = processIdentity(process.pid) ?? `${process.pid}@`;
  // Written aside and linked into place: nobody ever reads a lock that does not say whose it is.
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const file = openSync(draft, "wx");
  writeSync(file, mine);
  closeSync(file);
  try {
    if (claim(draft, path) || (discardStale(path) && claim(draft, path))) {
      return { release: () => releaseIfOurs(path, mine) };
    }
    return { holder: Number(readHolder(path)?.split("@")[0] ?? 0) };
  } finally {
    unlinkSync(draft);
  }
}

function claim(draft, path) {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function readHolder(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function discardStale(path) {
  const seen = readHolder(path);
  if (seen === undefined) return true;
  if (stillRuns(seen)) return false;
  // Moved away before it is removed: of several that find it stale, only one moves it.
  const grave = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, grave);
  } catch {
    return true;
  }
  const moved = readHolder(grave);
  if (moved !== seen) claim(grave, path);
  unlinkSync(grave);
  return moved === seen;
}

function releaseIfOurs(path, mine) {
  if (readHolder(path) !== mine) return;
  try {
    unlinkSync(path);
  } catch {
    // Gone already, with the folder that it was in.
  }
}
