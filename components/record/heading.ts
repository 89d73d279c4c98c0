/** What stands above a plan that nobody was looked at for: that it is so, and why nobody answered. Pure. */
import type { Reaches } from "./kind.ts";

/** So many with one reason are not told apart. */
const few = 3;

/** `how`: what this preview is instead. `unknown`: see `RecordKind`. */
export function nobodyReached(places: Reaches, how: string, unknown?: string): string {
  return [
    `NOBODY WAS REACHED from this machine. This preview is ${how}.`,
    "How things are now was not seen; `pulumi up` looks, plans anew, and refuses where it reaches nobody.",
    ...(unknown === undefined ? [] : [unknown]),
    ...reasons(places),
  ].join("\n");
}

function reasons(places: Reaches): string[] {
  const said = Object.entries(places).map(
    ([name, { reach, reason }]) => [name, reason === undefined ? reach : withoutName(name, reason)] as const,
  );
  const [[, first] = ["", ""]] = said;
  if (said.length > few && said.every(([, reason]) => reason === first))
    return [`  all ${said.length} hosts: ${first}`];
  return said.map(([name, reason]) => `  ${name}: ${reason}`);
}

/** What comes from a conversation begins with it. */
function withoutName(name: string, reason: string): string {
  return reason.startsWith(`${name}: `) ? reason.slice(name.length + 2) : reason;
}
