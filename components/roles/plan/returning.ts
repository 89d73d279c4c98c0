/**
 * A node whose history ended before the leader's began comes back. Where it wrote nothing after the fork it follows
 * as it is (the rows of `repair.ts`); otherwise what only it has is kept aside, and it is rewound to the fork.
 */
import type { Lsn, NodeReport } from "../facts.ts";
import type { Step } from "../steps.ts";
import type { Contribution, Fleet, NodeView } from "./fleet.ts";
import { bytesBetween, furthest } from "./lsn.ts";
import { follow } from "./repair.ts";
import { isSuperseded } from "./succession.ts";

/** First of all: a primary that another has succeeded takes no more writes. */
export function silence(fleet: Fleet): Contribution {
  const running = fleet.standbys.filter((view) => mayTakeWrites(view) && isSuperseded(view, fleet));
  return {
    steps: running.map(({ name }) => ({ kind: "stop", node: name })),
    notices: running.map(({ name }) => ({
      code: "N_SUPERSEDED",
      message: `${name} came back as a primary; ${fleet.active.name} has the record of the promotion that took its role. It is stopped and made a standby; what only it has is kept aside.`,
    })),
  };
}

function mayTakeWrites({ state, report }: NodeView): boolean {
  return state === "primary" || state === "starting" || report?.server.state === "stopping";
}

export function returning(fleet: Fleet): Contribution {
  const recipes = fleet.standbys.map((view) => recipe(view, fleet.active));
  return { steps: recipes.flatMap(({ steps }) => steps), lookAgain: recipes.some(({ unsure }) => unsure) };
}

interface Recipe {
  readonly steps: readonly Step[];
  /** What is found when it runs decides. */
  readonly unsure: boolean;
}

const asItIs: Recipe = { steps: [], unsure: false };

function recipe(view: NodeView, leader: NodeView): Recipe {
  const switchLsn = forkOf(view, leader);
  if (switchLsn === null) return asItIs;
  const rewind = rewound(view, leader, switchLsn);
  const wrote = wroteBeyond(view.report, switchLsn);
  switch (view.state) {
    case "stopped-clean":
      // One that ran when it was looked at has written since.
      return wrote || view.report?.data.control?.state !== "shut down" ? rewind : asItIs;
    case "stopped-dirty":
    case "failed":
    case "stopped-clean-standby":
      if (wrote || view.role === "primary") return rewind;
      // A standby's end is only known when it has replayed; it is harmless meanwhile, because it cannot follow.
      return {
        steps: [...follow(view, leader), { kind: "start", node: view.name, as: "standby" }],
        unsure: true,
      };
    case "standby-lagging":
      return wrote ? { ...rewind, steps: [{ kind: "stop", node: view.name }, ...rewind.steps] } : asItIs;
    default:
      return asItIs;
  }
}

function rewound(view: NodeView, leader: NodeView, switchLsn: Lsn): Recipe {
  return {
    steps: [
      { kind: "keepDivergent", node: view.name, switchLsn },
      { kind: "rewind", node: view.name, from: leader.name },
    ],
    unsure: false,
  };
}

/** Where the timeline that the node is on ended in the leader's history; null: it is on the leader's, or nobody knows. */
function forkOf(view: NodeView, leader: NodeView): Lsn | null {
  const { timeline } = view;
  if (timeline === null || leader.timeline === null || timeline >= leader.timeline) return null;
  const entry = leader.report?.history?.find((past) => past.timeline === timeline);
  const record = leader.report?.promotion;
  return entry?.switchLsn ?? (record?.timeline === timeline + 1 ? record.switchLsn : null);
}

/**
 * A control file has the start of the last checkpoint record: one that starts before the fork ends there or before,
 * one that starts at the fork is nobody else's.
 */
function wroteBeyond(report: NodeReport | null, switchLsn: Lsn): boolean {
  if (report === null) return false;
  const sql = report.server.sql;
  const end = furthest([sql?.currentLsn, sql?.receiveLsn, sql?.replayLsn, report.data.endLsn]);
  const checkpoint = report.data.control?.checkpointLsn;
  return (
    (end !== null && bytesBetween(switchLsn, end) > 0) ||
    (checkpoint !== undefined && bytesBetween(switchLsn, checkpoint) >= 0)
  );
}
