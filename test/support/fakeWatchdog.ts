/**
 * A watchdog for one machine of a test, whose kernel has none: the null device under another name, and Python programs
 * that are started from then on (Patroni is one) find that it answers as a watchdog does. It resets nobody; it says in
 * its user's log what it is told.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "./stack.ts";

const device = "/dev/watchdog";
const packages = "/usr/lib/python3/dist-packages";

/** WDIOC_GETSUPPORT, WDIOC_SETTIMEOUT and WDIOC_GETTIMEOUT of the kernel's watchdog API; "1" feeds it, "V" lets it go. */
const module = `import fcntl, os, sys

real_ioctl, real_write, timeout = fcntl.ioctl, os.write, [60]


def say(what):
    sys.stderr.write(f"watchdog: {what}\\n")
    sys.stderr.flush()


def ioctl(fd, request, arg=0, *more):
    if (request >> 8) & 0xFF != ord("W"):
        return real_ioctl(fd, request, arg, *more)
    number = request & 0xFF
    if number == 0:
        arg.options = 0x0080 | 0x0100 | 0x8000
    elif number == 6:
        timeout[0] = arg.value
        say(f"timeout {arg.value}")
    elif number == 7:
        arg.value = timeout[0]
    return 0


def write(fd, data):
    if data in (b"1", b"V") and os.readlink(f"/proc/self/fd/{fd}") == "${device}":
        say("fed" if data == b"1" else "let go")
    return real_write(fd, data)


fcntl.ioctl, os.write = ioctl, write
`;

export async function giveWatchdog(container: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-watchdog-"));
  try {
    writeFileSync(join(folder, "fake_watchdog.py"), module);
    writeFileSync(join(folder, "fake_watchdog.pth"), "import fake_watchdog\n");
    await docker("cp", "-q", `${folder}/.`, `${container}:${packages}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  // Root's alone, as the kernel makes them.
  await docker("exec", container, "mknod", "-m", "600", device, "c", "1", "3");
}

export async function takeWatchdog(container: string): Promise<void> {
  const files = ["fake_watchdog.py", "fake_watchdog.pth"].map((name) => `${packages}/${name}`);
  await docker("exec", container, "rm", "-f", device, ...files);
}
