/**
 * Brings running servers to their rendered files: a reload where that is enough, a restart where PostgreSQL needs
 * one, the standby first. A server that this plan starts anyhow reads its files then.
 */
import type { NodeReport, SqlFacts } from "../facts.ts";
import type { Notice, Refusal, Step } from "../steps.ts";
import { type Words, wordsOf } from "../words.ts";
import { changedSettings, readConf, sharedWhere } from "./conf.ts";
import { type Contribution, type Fleet, type NodeView, nodesOf } from "./fleet.ts";
import { answers } from "./state.ts";

const confFile = "postgresql.conf";

export interface Changes {
  /** Settings and files that a reload brings into force. */
  readonly reload: readonly string[];
  /** Settings that only a restart brings into force. */
  readonly restart: readonly string[];
}

const nothing: Changes = { reload: [], restart: [] };

/** What a node that runs as it was observed still has to take over. */
export function changesOf(view: NodeView): Changes {
  const { report } = view;
  const sql = report?.server.sql;
  if (report === null || !sql || view.configured || !answers(view.state)) return nothing;
  const target = { ...report.files.installed, ...view.wish.files };
  const wanted = readConf(target[confFile] ?? "");
  const sinceStart = changedSettings(readConf(report.files.started[confFile] ?? ""), wanted);
  const sinceLoad = changedSettings(readConf(report.files.loaded[confFile] ?? ""), wanted);
  const needsRestart = new Set(sql.restartSettings);
  // What somebody wrote by hand is not brought into force, nor is what it replaced: the file that would be read is his.
  const isOurs = (file: string) => !view.changedByHand.includes(file);
  const restart = sinceStart.filter((name) => isOurs(confFile) && needsRestart.has(name));
  const reload = sinceLoad.filter((name) => isOurs(confFile) && !restart.includes(name));
  const files = Object.keys(target).filter(
    (name) => name !== confFile && isOurs(name) && target[name] !== report.files.loaded[name],
  );
  return { restart, reload: [...reload, ...files.sort()] };
}

/**
 * Shared-memory settings that go down have to go down on the primary before any standby is started with less than
 * it has, also before one that is only being repaired.
 */
export function lowering(fleet: Fleet): Contribution {
  const tooWide = raisedAndLowered(fleet);
  if (tooWide) return { refusals: [tooWide] };
  const { active, standbys } = fleet;
  if (sharedIn(active, (from, to) => to < from).length === 0) return {};
  return {
    steps: [
      ...restart(active, "primary"),
      ...standbys.filter((view) => answers(view.state)).map(waitFor(active)),
    ],
    notices: writeGap(fleet),
  };
}

/** Standbys first, so that what is wrong with a change shows where nobody writes. */
export function configuration(fleet: Fleet): Contribution {
  const { active, standbys } = fleet;
  const wait = waitFor(active);
  const followers = standbys.flatMap((view) => [
    ...reload(view),
    ...restart(view, "standby").flatMap((step) => [step, wait(view)]),
  ]);
  const primary = restart(active, "primary").flatMap((step) => [step, ...standbys.map(wait)]);
  return {
    steps: [...followers, ...reload(active), ...primary],
    notices: [...(primary.length > 0 ? writeGap(fleet) : []), ...nodesOf(fleet).flatMap(complaints)],
  };
}

function restart(view: NodeView, as: "primary" | "standby"): Step[] {
  const changes = changesOf(view);
  if (changes.restart.length === 0) return [];
  return [{ kind: "restart", node: view.name, as, changed: [...changes.restart, ...changes.reload] }];
}

function reload(view: NodeView): Step[] {
  const changes = changesOf(view);
  if (changes.restart.length > 0 || changes.reload.length === 0) return [];
  return [{ kind: "reload", node: view.name, changed: changes.reload }];
}

function waitFor(primary: NodeView): (standby: NodeView) => Step {
  return (standby) => ({ kind: "awaitStandby", node: primary.name, standby: standby.name });
}

function sharedIn(view: NodeView, compare: (from: number, to: number) => boolean): string[] {
  const { report } = view;
  if (changesOf(view).restart.length === 0 || report === null) return [];
  const from = readConf(report.files.started[confFile] ?? "");
  return sharedWhere(from, readConf(view.wish.files[confFile] ?? ""), compare);
}

/** One order of restarts cannot be right for both. */
function raisedAndLowered(fleet: Fleet): Refusal | undefined {
  const across = (compare: (from: number, to: number) => boolean) =>
    [...new Set(nodesOf(fleet).flatMap((view) => sharedIn(view, compare)))].join(", ");
  const raised = across((from, to) => to > from);
  const lowered = across((from, to) => to < from);
  if (raised === "" || lowered === "") return undefined;
  return {
    code: "E_CHANGE_TOO_WIDE",
    message: `${raised} goes up, which must reach the standby first, and ${lowered} goes down, which must reach the primary first. Make it two updates.`,
  };
}

function writeGap({ active, desired }: Fleet): Notice[] {
  const until = desired.policy.synchronous === "strict" ? ", until its standby is in sync again" : "";
  return [
    {
      code: "N_WRITE_GAP",
      message: `${active.name} takes writes and is restarted: clients are disconnected and writes stop for about a second${until}.`,
    },
  ];
}

function complaints({ name, report, facts, wish }: NodeView): Notice[] {
  // An agent beside a stopped container has no server to ask, and says so.
  if (!report || facts.reach !== "up") return [];
  const unread = (report.problems ?? []).map((problem) => ({
    code: "N_UNREADABLE",
    message: `${name} could not read a part of its own state: ${problem}`,
  }));
  return report.server.sql
    ? [...unread, ...complaintsOfServer(name, wordsOf(wish), report, report.server.sql)]
    : unread;
}

/** The file may be edited while the server runs, because nothing else writes it then. */
function takenOut(settings: readonly string[], { asServer, dataDirectory }: Words): string {
  const lines = `'/^(${settings.join("|")})[ =]/d'`;
  return asServer(
    `sed -i -E ${lines} ${dataDirectory}/postgresql.auto.conf && psql -c 'SELECT pg_reload_conf()'`,
  );
}

function complaintsOfServer(name: string, words: Words, { agent }: NodeReport, sql: SqlFacts): Notice[] {
  const byHand = Object.keys(sql.alterSystem).sort();
  return [
    // No database is restarted for the sake of its agent.
    ...(agent.running === agent.installed
      ? []
      : [
          {
            code: "N_AGENT_OLD",
            message: `${name}: its supervisor runs version ${agent.running} of the agent, ${agent.installed} is installed and takes over when its ${words.unit} is next started.`,
          },
        ]),
    ...sql.configErrors.map((error) => ({
      code: "N_CONFIG_ERROR",
      message: `${name}: PostgreSQL cannot use a line of its present configuration: ${error}`,
    })),
    ...(byHand.length === 0
      ? []
      : [
          {
            code: "N_ALTER_SYSTEM",
            message: `${name}: ${byHand.join(", ")} was set with ALTER SYSTEM and wins over the rendered configuration. What should stay belongs into \`database.settings\`. To take it out (ALTER SYSTEM RESET is not allowed where allow_alter_system is off, which is how we configure it): ${takenOut(byHand, words)}`,
          },
        ]),
  ];
}
