/** Whether each member has the watchdog that is asked for. Only its own agent can tell. */
import {
  type Concern,
  everyRegion,
  type Fleet,
  type MemberView,
  type Moment,
  type Refusal,
} from "./fleet.ts";
import { renewalOf } from "./renewal.ts";
import { successionOf } from "./succession.ts";
import { refusal } from "./target.ts";

export const watchdogs: Concern = (fleet) => {
  const found = lacking(fleet, "automatic");
  if (found.length === 0) return {};
  const seen = found.map((view) => `${view.name} (${reason(view, fleet.moment)})`).join(", ");
  return {
    notices: [
      {
        code: "N_WATCHDOG_MISSING",
        message: `no watchdog for ${seen}: if Patroni hangs on a member that leads, and its PostgreSQL goes on, nobody resets it; it is told from a living one by its lock alone.`,
      },
    ],
  };
};

/** Patroni lets no such member lead: that is better said before it is found out. */
export function watchdogRefusals(fleet: Fleet): Refusal[] {
  // Who has to take over, or is on the way to it, is not kept from it by another member's device.
  if (!["none", "switchover"].includes(successionOf(fleet).kind)) return [];
  const found = lacking(fleet, "required");
  if (found.length === 0) return [];
  const seen = found.map((view) => `${view.name} (${reason(view, fleet.moment)})`).join(", ");
  return [
    refusal(
      "E_WATCHDOG_MISSING",
      `database.watchdog is "required", and there is none for ${seen}: Patroni would let none of them lead. Load a driver (softdog, or the board's own) and let the account postgres read and write the device (a udev rule), or write "automatic".`,
    ),
  ];
}

function lacking(fleet: Fleet, mode: "automatic" | "required"): MemberView[] {
  return everyRegion(fleet)
    .flatMap(({ members }) => members)
    .filter((view) => view.wish.watchdog?.mode === mode && reason(view, fleet.moment) !== null);
}

/** Null: it has one, or nothing is known of it. */
function reason(view: MemberView, moment: Moment): string | null {
  const { wish, report } = view;
  if (wish.reach.kind === "docker") return "containers have none";
  const found = report?.watchdog;
  if (found == null || found.device !== wish.watchdog?.device || found.state === "usable") return null;
  if (found.state === "missing") return `there is no ${found.device}`;
  // The unit hands the device over when it starts.
  return renewalOf(view, moment)?.kind === "restartUnit"
    ? null
    : `the account postgres may not open ${found.device}`;
}
