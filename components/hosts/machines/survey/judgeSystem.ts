/** What the machine is: system, packages, clock, memory, ports. */
import type { Refusal } from "../../../roles/steps.ts";
import { distributionNames, distributionOf } from "./distributions.ts";
import type { ListenerFacts, MachineFacts } from "./facts.ts";
import { packageRules } from "./judgePackages.ts";
import { named, type Rule } from "./rule.ts";
import type { SurveyWish } from "./wish.ts";

/** See the rule `E_PG_VERSION` of the configuration. */
const oldestSupported = 16;
const architectures = ["amd64", "arm64"];

const clockRefusedSeconds = 2;
const clockNoticedSeconds = 1;
/** A kernel keeps some of a machine's memory for itself: one that is sold as 1 GiB says 960 MiB. */
const memoryToldShare = 0.92;
const memoryNoticedFactor = 4;

export const systemRules: readonly Rule[] = [
  distribution,
  architecture,
  systemd,
  packages,
  ...packageRules,
  clock,
  memory,
  ports,
];

function distribution({ os }: MachineFacts, wish: SurveyWish): Refusal[] {
  if (distributionOf(os)) return [];
  const seen = os.name || [os.id, os.version].join(" ").trim() || "something without /etc/os-release";
  return [
    {
      code: "E_OS",
      message: `${named(wish)} runs ${seen}. A machine has to run one of ${distributionNames.join(", ")}.`,
    },
  ];
}

function architecture({ architecture: found }: MachineFacts, wish: SurveyWish): Refusal[] {
  const word = { x86_64: "amd64", aarch64: "arm64" }[found] ?? found;
  if (architectures.includes(word)) return [];
  return [
    {
      code: "E_ARCH",
      message: `${named(wish)} is ${found || "of an unknown architecture"}; only ${architectures.join(" and ")} are supported.`,
    },
  ];
}

function systemd({ init }: MachineFacts, wish: SurveyWish): Refusal[] {
  if (init === "running") return [];
  return [
    {
      code: "E_SYSTEMD",
      message: `${named(wish)} is not run by systemd (PID 1 is ${init || "unknown"}), and services are installed as its units.`,
    },
  ];
}

/** A fresh machine has no lists yet, which installing fetches: there, what its distribution is known to have counts. */
function packages(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  const { os, packageLists, programs, candidates } = facts;
  const wanted = wish.package;
  const missing = !facts.packages.some(({ name }) => name === wanted);
  if (!missing || distributionOf(os) === undefined) return [];
  if (!programs.includes("apt-get")) {
    return [
      {
        code: "E_PACKAGE",
        message: `${named(wish)} has no apt-get, and ${wanted} is to be installed with it.`,
      },
    ];
  }
  const own = distributionOf(os);
  const orElse =
    own && own.postgres >= oldestSupported ? `, or set \`database.version\` to ${own.postgres}` : "";
  const native = wish.database === undefined || own?.postgres === wish.database.majorVersion;
  if (wish.packageMirror || native || typeof candidates[wanted] === "string") return [];
  const seen = packageLists ? "its sources do not have it" : `${own?.name} has PostgreSQL ${own?.postgres}`;
  return [
    {
      code: "E_PACKAGE",
      message: `${named(wish)} is to get ${wanted}, and ${seen}. Name a source that has it in the machine's \`packageMirror\` (PostgreSQL's own apt repository has it in the suite ${os.codename}-pgdg)${orElse}.`,
    },
  ];
}

/** The bounds leave out what the way to it took: only what is certain is refused. */
function clock({ clockOffset, clockSynchronized }: MachineFacts, wish: SurveyWish): Refusal[] {
  const { atLeastSeconds, atMostSeconds } = clockOffset;
  const ahead = atLeastSeconds > 0;
  const seconds = Math.max(atLeastSeconds, -atMostSeconds);
  if (!(seconds > clockNoticedSeconds)) return [];
  const ntp = clockSynchronized
    ? "although it says that it is synchronised: look at this machine's clock too"
    : "and it is not synchronised: set it right (NTP, e.g. systemd-timesyncd)";
  return [
    {
      code: seconds > clockRefusedSeconds ? "E_CLOCK" : "N_CLOCK",
      message: `${named(wish)}: its clock is ${seconds.toFixed(1)} s ${ahead ? "ahead of" : "behind"} this machine's (more than ${clockRefusedSeconds} s are refused), ${ntp}.`,
    },
  ];
}

function memory({ memoryMiB: has }: MachineFacts, wish: SurveyWish): Refusal[] {
  const wanted = wish.database?.memoryMiB ?? wish.memoryMiB;
  if (wanted === undefined) return [];
  if (wanted * memoryToldShare > has) {
    const consequence = wish.database ? ": PostgreSQL would be sized for more than there is" : "";
    return [
      {
        code: "E_MEMORY",
        message: `${named(wish)} has ${has} MiB of memory, and memoryMiB is ${wanted}${consequence}. Set memoryMiB of ${wish.host} to at most ${has}.`,
      },
    ];
  }
  if (!wish.database || has < wanted * memoryNoticedFactor) return [];
  return [
    {
      code: "N_MEMORY",
      message: `${named(wish)} has ${has} MiB of memory, and memoryMiB is ${wanted}: PostgreSQL is sized for that. Raise memoryMiB of ${wish.host} if the machine is for it alone.`,
    },
  ];
}

function ports(facts: MachineFacts, wish: SurveyWish): Refusal[] {
  const taken = wish.ports.flatMap(({ protocol, port }) => {
    const others = facts.listeners.filter(
      (listener) =>
        listener.protocol === protocol && listener.port === port && !isExpected(listener, facts, wish),
    );
    return others[0] === undefined ? [] : [others[0]];
  });
  return taken.map((listener) => ({
    code: "E_PORT_TAKEN",
    message: `${named(wish)}: port ${listener.port}/${listener.protocol} is taken by ${holder(listener)}, listening on ${listener.address}. Stop it, or set another port for ${wish.host}.`,
  }));
}

/** Our own, the primary that is to be adopted, one of the distribution's (judged as such), or a resolver on loopback. */
function isExpected(listener: ListenerFacts, facts: MachineFacts, wish: SurveyWish): boolean {
  const { owner, program, address, port } = listener;
  const untold = owner === "" || owner.startsWith("uid ");
  if (owner.includes(wish.unit) || (untold && facts.units[wish.unit]?.active === "active")) return true;
  const isPostgres = program === "postgres" || owner.includes("postgresql") || untold;
  if (isPostgres && facts.clusters.some((cluster) => cluster.pid !== null && cluster.port === port))
    return true;
  // systemd-resolved: the name server does not listen on addresses that no interface has.
  return wish.database === undefined && /^127\.0\.0\.5[34](%|$)/.test(address);
}

function holder({ program, owner }: ListenerFacts): string {
  const unit = owner.split("/").findLast((part) => part.endsWith(".service"));
  if (program !== "" && unit !== undefined) return `${program} (${unit})`;
  return program || unit || (owner === "" ? "an unknown process" : `a process of ${owner}`);
}
