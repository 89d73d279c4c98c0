/** What a user may write under `deployment.regions.<name>.consul`. */
import { z } from "zod";
import { field } from "../field.ts";

const [hoursInAMonth, mostKept] = [720, 1000];

export const consul = z.strictObject({
  snapshotEveryHours: field(z.int().min(1).max(hoursInAMonth).default(24), {
    description:
      "Each server saves a snapshot of Consul's state below `/var/lib/understudy/snapshots` when its last one is this old. Takes effect within a minute, by itself.",
    effect: "none",
    unit: "h",
  }),
  snapshotsKept: field(z.int().min(1).max(mostKept).default(7), {
    description: "Snapshots that each server keeps, the newest ones.",
    effect: "none",
  }),
  gossipKeyRotation: field(z.string().min(1).optional(), {
    description:
      "Any text, e.g. a date. Another text makes a new gossip key, which Consul's keyring brings into use everywhere before the old one is removed; all members must be there.",
    effect: "reload",
    derived: "none",
  }),
});

export type WrittenConsul = z.output<typeof consul>;
