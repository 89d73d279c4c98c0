/** What is asked of a node before it takes the primary's role, whatever the way there. */
import type { Refusal } from "../steps.ts";
import { wordsOf } from "../words.ts";
import type { NodeView } from "./fleet.ts";

const mebibyte = 2 ** 20;
const segmentBytes = 16 * mebibyte;
const freeLimitBytes = Math.max(512 * mebibyte, 2 * 16 * segmentBytes);

/** It is no standby with data that could be promoted; the other rules have nothing to judge then. */
export function unfitTarget(target: NodeView, from: NodeView): Refusal | undefined {
  const { name, state, role } = target;
  const back = `Set active back to ${from.wish.site} and run \`pulumi up\`, which makes ${name} its standby; then move the role.`;
  switch (role) {
    case "standby":
      if (state !== "unit-stopped") return undefined;
      return {
        code: "E_TARGET_UNKNOWN",
        message: `${name} is to lead, and its ${wordsOf(target.wish).unit} is stopped: what it has received is only known when it runs. ${back}`,
      };
    case "unknown":
      return {
        code: "E_TARGET_UNKNOWN",
        message: `${name} is to lead, and nobody can look into it (${state}). ${back}`,
      };
    case "none":
      return {
        code: "E_STANDBY_NOT_SYNC",
        message: `${name} is to lead, and has no copy of the data (${state}). ${back}`,
      };
    case "primary":
      return {
        code: "E_STANDBY_NOT_SYNC",
        message: `${name} is to lead, and was superseded by ${from.name}: what it wrote after that is not in the present history. ${back}`,
      };
  }
}

export function diskSpace({ name, report, wish }: NodeView): Refusal[] {
  const free = report?.data.freeBytes;
  if (free === undefined || free >= freeLimitBytes) return [];
  return [
    {
      code: "E_DISK_SPACE",
      message: `${name} is to lead and has ${Math.floor(free / mebibyte)} MiB free ${wordsOf(wish).onData}, less than ${freeLimitBytes / mebibyte} MiB: it would stop at the next load. Make room first.`,
    },
  ];
}
