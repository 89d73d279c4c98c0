/** What lies on the machine: room, other people's data, other people's servers. */
import type { Refusal } from "../../../roles/steps.ts";
import { BOOKS_DIRECTORY } from "../programs.ts";
import type { ClusterFacts, MachineFacts } from "./facts.ts";
import { isInstalled, isOurs, named, ownerOf, type Rule } from "./rule.ts";
import type { SurveyWish } from "./wish.ts";

/** A new system with its WAL, and room to notice that it fills up. */
const baseMiB = 512;
/** PostgreSQL with its libraries, or bind9. */
const packagesMiB = 512;
const inodesNeeded = 4_000;

export const dataRules: readonly Rule[] = [readOnly, disk, foreignOwner, foreignData, clusters, adoption];

function readOnly({ filesystems }: MachineFacts, wish: SurveyWish): Refusal[] {
  const stuck = ["/etc", ...wish.directories].flatMap((path) => {
    const at = filesystems[path];
    return at && !at.writable ? [`${path} (on ${at.mount})`] : [];
  });
  if (stuck.length === 0) return [];
  return [
    {
      code: "E_READ_ONLY",
      message: `${named(wish)}: ${[...new Set(stuck)].join(", ")} cannot be written, not even by root: the file system is read-only. Mount it writable; if the kernel made it read-only, look at its disk first (dmesg).`,
    },
  ];
}

interface Need {
  readonly mount: string;
  readonly freeMiB: number;
  readonly needMiB: number;
  readonly what: string;
}

/** Of what is still to come: a database that is there already has its room. */
function disk(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  const needs = [...packagesNeed(facts, wish), ...dataNeed(facts, wish)];
  const mounts = [...new Set(needs.map(({ mount }) => mount))];
  const short = mounts.flatMap((mount) => {
    const here = needs.filter((need) => need.mount === mount);
    const sum = here.reduce((total, { needMiB }) => total + needMiB, 0);
    const free = here[0]?.freeMiB ?? 0;
    if (free >= sum) return [];
    return [
      {
        code: "E_DISK",
        message: `${named(wish)} has ${free} MiB free on ${mount} and needs ${sum} MiB: ${here.map(({ what }) => what).join(" and ")}. Make room, or give it a larger disk.`,
      },
    ];
  });
  return [...short, ...inodes(facts, wish)];
}

function packagesNeed(facts: MachineFacts, wish: SurveyWish): Need[] {
  const at = facts.filesystems["/"];
  if (!at || facts.packages.some(({ name }) => name === wish.package)) return [];
  const what = `${packagesMiB} MiB for ${wish.package} and what it needs`;
  return [{ mount: at.mount, freeMiB: at.freeMiB, needMiB: packagesMiB, what }];
}

function dataNeed({ filesystems, directories }: MachineFacts, wish: SurveyWish): Need[] {
  const at = filesystems[wish.dataDirectory];
  const there = (directories[wish.dataDirectory] ?? []).length > 0 || wish.database?.adopt !== undefined;
  if (!at || !wish.database || there) return [];
  const { slotWalKeepMiB } = wish.database;
  const what = `${slotWalKeepMiB} MiB of WAL that may be kept for an absent standby (slotWalKeepMiB), ${baseMiB} MiB for a new database`;
  return [{ mount: at.mount, freeMiB: at.freeMiB, needMiB: slotWalKeepMiB + baseMiB, what }];
}

function inodes({ filesystems }: MachineFacts, wish: SurveyWish): Refusal[] {
  const at = filesystems[wish.dataDirectory];
  if (!at || at.freeInodes === null || at.freeInodes >= inodesNeeded) return [];
  return [
    {
      code: "E_DISK",
      message: `${named(wish)} has ${at.freeInodes} inodes free on ${at.mount}, and a new database needs ${inodesNeeded}.`,
    },
  ];
}

function foreignOwner({ owners }: MachineFacts, wish: SurveyWish): Refusal[] {
  return Object.entries(owners).flatMap(([name, owner]) => {
    const note = `${BOOKS_DIRECTORY}/${name}`;
    if (owner === "unreadable") {
      const right = name === wish.ownerNote ? `, and put it right: ${ownerLine(wish)}` : "";
      return refused(
        wish,
        `${note} cannot be understood, so nobody knows whose machine it is. Find out${right}`,
      );
    }
    if (owner.deployment !== wish.deployment) {
      return refused(
        wish,
        `it belongs to the deployment ${owner.deployment} (its host ${owner.host}; ${note} says so), and this is ${wish.deployment}. One machine carries one deployment: correct the machine's \`host\`, or take that deployment away from it first.`,
      );
    }
    if (name === wish.ownerNote && owner.host !== wish.host) {
      return refused(
        wish,
        `it is the host ${owner.host} of this deployment already (${note} says so), with data of its own. Correct the machine's \`host\`.`,
      );
    }
    return [];
  });
}

function refused(wish: SurveyWish, why: string): Refusal[] {
  return [{ code: "E_OWNER", message: `${named(wish)}: ${why}` }];
}

function foreignData(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  if (ownerOf(facts, wish) !== undefined) return [];
  const full = wish.directories.flatMap((path) => {
    const names = facts.directories[path] ?? [];
    return names.length === 0 ? [] : [`${path} (${names.join(", ")})`];
  });
  if (full.length === 0) return [];
  return [
    {
      code: "E_FOREIGN_DATA",
      message: `${named(wish)}: there is something in ${full.join(" and ")}, and nothing says that it is this deployment's. It is never overwritten: move it away. If you are certain that it is this deployment's own: mkdir -p -m 700 ${BOOKS_DIRECTORY} && echo '${ownerLine(wish)}' > ${BOOKS_DIRECTORY}/${wish.ownerNote}`,
    },
  ];
}

function ownerLine({ deployment, host }: SurveyWish): string {
  return JSON.stringify({ deployment, host });
}

function clusters(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  const { database } = wish;
  if (!database) return [];
  const port = wish.ports[0]?.port;
  return facts.clusters
    .filter(({ kind }) => kind === "distribution")
    .flatMap((cluster) => {
      const which = `a PostgreSQL ${cluster.majorVersion} of the distribution's in ${cluster.directory}`;
      if (cluster.pid !== null && cluster.port === port) {
        return [
          {
            code: "E_CLUSTER_RUNNING",
            message: `${named(wish)}: ${which} runs (process ${cluster.pid}) and has port ${port}. Make it the site's (\`machine.adopt: ${cluster.directory}\`), set another port for ${wish.host}, or stop it for good: ${stopCommand(cluster)}`,
          },
        ];
      }
      const running = cluster.pid === null ? "does not run" : `runs on port ${cluster.port}`;
      return [
        {
          code: "N_CLUSTER",
          message: `${named(wish)}: there is ${which}; it ${running} and is left alone. Its memory is not counted.`,
        },
      ];
    });
}

/** Debian's layout: /var/lib/postgresql/<version>/<name>. */
function stopCommand({ directory }: ClusterFacts): string {
  const [version, name] = directory.split("/").slice(-2);
  return `systemctl disable --now postgresql@${version}-${name}`;
}

/** What can be told from outside; the plan judges what is in it. Once it is ours, it is a node's. */
function adoption(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  const { database } = wish;
  if (database?.adopt === undefined || facts.adoption?.found.taken || isInstalled(facts, wish)) return [];
  const path = database.adopt;
  const found = facts.clusters.find(({ kind }) => kind === "adopt");
  const why =
    facts.adoptMissing || !found
      ? "there is no such directory (a site that is to be copied from another has no `adopt`)"
      : unfit(found, database.majorVersion, isOurs(facts, wish));
  if (why === undefined) return [];
  return [
    {
      code: "E_ADOPT",
      message: `${named(wish)} is to adopt ${path}, and ${why}. Nothing was changed there.`,
    },
  ];
}

/** `begun`: an update that was cut short may have stopped its server. */
function unfit(found: ClusterFacts, majorVersion: number, begun: boolean): string | undefined {
  const { majorVersion: has, account, mode, role, pid } = found;
  if (has === null) return "it is no data directory of PostgreSQL: it has no PG_VERSION";
  if (has !== String(majorVersion)) {
    return `it is of PostgreSQL ${has}, while \`database.version\` is ${majorVersion}; a major upgrade comes before, or set the version to ${has}`;
  }
  if (account !== "postgres") return `it belongs to ${account}; give it to postgres first (chown -R)`;
  if (!/^7[05]0$/.test(mode)) return `its mode is ${mode}, with which PostgreSQL does not start; make it 700`;
  if (role === "standby")
    return "it is a standby's (standby.signal or recovery.signal is there); adopt its primary";
  if (pid === null && !begun) {
    return "no server runs on it. Start it once more: only of one that runs is it certain that it is whole";
  }
  return undefined;
}
