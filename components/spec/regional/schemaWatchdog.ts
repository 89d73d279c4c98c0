/** What a user may write under `deployment.database.watchdog`. */
import { z } from "zod";
import type { Watchdog } from "../../patroni/watchdog.ts";
import { field } from "../field.ts";

const modes = ["off", "automatic", "required"] as const;
const devicePath = "/dev/watchdog";
const marginSeconds = 5;

const details = z.strictObject({
  mode: field(z.enum(modes), {
    description: "As the word alone.",
    effect: "reload",
    source: "Patroni `watchdog.mode`",
  }),
  device: field(
    z
      .string()
      .regex(/^\/dev\/[\w./-]+$/, "a path below /dev/")
      .default(devicePath),
    {
      description: "The device, which the account `postgres` must be allowed to read and write.",
      effect: "reload",
      source: "Patroni `watchdog.device`",
    },
  ),
  safetyMarginSeconds: field(z.int().min(-1).default(marginSeconds), {
    description:
      "A host is reset this long before its lock ends; -1: after half of `ttlSeconds`, which holds even where a round takes as long as it may.",
    effect: "reload",
    unit: "s",
    source: "Patroni `watchdog.safety_margin`",
  }),
});

export const watchdog = z.union([z.enum(modes), details]);

export type WrittenWatchdog = z.output<typeof watchdog>;

/** Undefined: nothing was written, and it is `automatic` on machines; containers have none. */
export function resolveWatchdog(written: WrittenWatchdog | undefined): Watchdog | undefined {
  if (written === undefined || typeof written !== "string") return written;
  return { mode: written, device: devicePath, safetyMarginSeconds: marginSeconds };
}

export function watchdogOf(written: Watchdog | undefined, target: "containers" | "machines"): Watchdog {
  const mode = target === "machines" ? "automatic" : "off";
  return written ?? { mode, device: devicePath, safetyMarginSeconds: marginSeconds };
}
