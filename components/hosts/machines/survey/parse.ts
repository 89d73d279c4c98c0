/**
 * From the lines of `facts.sh` to facts. Pure: it reads the marked lines and nothing else, whatever a banner or a
 * shell's start-up file has put between them.
 */
import type { ClusterFacts, FileDrift, Filesystem, MachineFacts, Owner, UnitFacts } from "./facts.ts";
import { adoptionOf } from "./parseAdoption.ts";

/** The script was cut short, or something else ran in its place. */
export class Unread extends Error {
  override readonly name = "Unread";
}

/** `sentAt` and `receivedAt`: by our clock, in seconds, before the script was sent and after its last line. */
export function parseFacts(stdout: string, sentAt: number, receivedAt: number): MachineFacts {
  const rows = stdout
    .split(/\r?\n/)
    .filter((line) => line.startsWith(mark))
    .map((line) => line.slice(mark.length).split("\t"));
  const all = (name: string) => rows.filter(([first]) => first === name).map((row) => row.slice(1));
  const one = (name: string) => all(name)[0] ?? [];
  if (all("end").length === 0) throw new Unread("the survey's script did not come to its end");

  const [id = "", version = "", codename = "", osName = ""] = one("os");
  const [kernel = "", processor = ""] = one("kernel");
  const [machineId = "", boot = ""] = one("machine");
  const [memoryKiB = "", memoryLimit = ""] = one("memory");
  const files = one("files")[0];
  return {
    os: { id, version, codename, name: osName },
    architecture: one("architecture")[0] || processor,
    kernel,
    init: one("systemd")[0] ?? "",
    memoryMiB: memoryMiB(memoryKiB, memoryLimit),
    cpus: Number(one("cpus")[0] ?? 0),
    clockOffset: clockOffset(all("clock"), sentAt, receivedAt),
    clockSynchronized: one("ntp")[0] === "synchronized",
    machineId,
    boot,
    hostKeys: all("hostkey").map(([kind, key]) => `${kind} ${key}`),
    programs: all("program").map(([name = ""]) => name),
    filesystems: Object.fromEntries(all("filesystem").map(filesystem)),
    listeners: all("listener").map(([protocol = "", address = "", port, program = "", owner = ""]) => ({
      protocol,
      address,
      port: Number(port),
      program,
      owner,
    })),
    packages: all("package").map(([name = "", installed = "", want]) => ({
      name,
      version: installed,
      held: want === "hold",
    })),
    candidates: Object.fromEntries(
      all("candidate").map(([name = "", found = ""]) => [
        name,
        found === "" || found === "(none)" ? null : found,
      ]),
    ),
    packageLists: all("lists").some(([there]) => there === "yes"),
    clusters: all("cluster")
      .filter(([kind]) => kind !== "missing")
      .map(cluster),
    adoptMissing: all("cluster").some(([kind]) => kind === "missing"),
    adoption: adoptionOf(all("adopt")),
    directories: Object.fromEntries(
      all("directory").map(([path = "", names = ""]) => [path, names.split(" ").filter(Boolean)]),
    ),
    owners: Object.fromEntries(all("owner").map(([note = "", line = ""]) => [note, owner(line)])),
    units: Object.fromEntries(all("unit").map(unit)),
    firewallTable: one("table")[0] === undefined ? null : one("table")[0] === "yes",
    manifestFiles: files === undefined ? null : Number(files),
    recorded: all("recorded").map(([resource = "", path = "", sum = ""]) => ({ resource, path, sum })),
    drift: all("drift").map(([resource = "", path = "", what, detail = ""]) => ({
      resource,
      path,
      what: what as FileDrift["what"],
      detail,
    })),
  };
}

const mark = "@understudy\t";

/** Of a machine that is a container, its own limit and not the memory around it. */
function memoryMiB(totalKiB: string, limitBytes: string): number {
  const total = Math.floor(Number(totalKiB) / 1024);
  return /^\d+$/.test(limitBytes) ? Math.min(total, Math.floor(Number(limitBytes) / 2 ** 20)) : total;
}

/**
 * The clock is read at the script's begin, after we sent it, and at its end, before we had its last line: what it took
 * in between does not count. A `date` without fractions is right to a second.
 */
function clockOffset(
  readings: readonly (readonly string[])[],
  sentAt: number,
  receivedAt: number,
): MachineFacts["clockOffset"] {
  const at = (moment: string) => readings.find(([name]) => name === moment)?.[1] ?? "";
  const slack = /\.\d+$/.test(at("begin")) ? 0 : 1;
  const [begin, end] = [Number.parseFloat(at("begin")), Number.parseFloat(at("end"))];
  return { atLeastSeconds: end - receivedAt, atMostSeconds: begin - sentAt + slack };
}

function filesystem(row: readonly string[]): [string, Filesystem] {
  const [path = "", access, inodes = "", sizeKiB, freeKiB, mount = ""] = row;
  const free = Number.parseInt(inodes, 10);
  return [
    path,
    {
      mount,
      writable: access === "writable",
      sizeMiB: Math.floor(Number(sizeKiB ?? 0) / 1024),
      freeMiB: Math.floor(Number(freeKiB ?? 0) / 1024),
      // btrfs says 0, others a dash.
      freeInodes: Number.isNaN(free) || free === 0 ? null : free,
    },
  ];
}

function cluster(row: readonly string[]): ClusterFacts {
  const [kind, directory = "", version = "", account = "", mode = "", role, pid = "", port = ""] = row;
  return {
    kind: kind === "adopt" ? "adopt" : "distribution",
    directory,
    majorVersion: version || null,
    account,
    mode,
    role: role === "standby" ? "standby" : "primary",
    pid: pid === "" ? null : Number(pid),
    port: port === "" ? null : Number(port),
  };
}

function owner(line: string): Owner | "unreadable" {
  try {
    const { deployment, host, repair } = JSON.parse(line) as Partial<Owner>;
    if (typeof deployment !== "string" || typeof host !== "string") return "unreadable";
    return { deployment, host, ...(typeof repair === "string" ? { repair } : {}) };
  } catch {
    return "unreadable";
  }
}

function unit(row: readonly string[]): [string, UnitFacts] {
  const [id = "", load = "", active = "", enabled = "", reload, dropIns = ""] = row;
  return [
    id,
    {
      load,
      active,
      enabled,
      needsReload: reload === "yes",
      dropIns: dropIns.split(" ").filter((path) => path !== "" && !/^(\/usr)?\/lib\//.test(path)),
    },
  ];
}
