/** Commands as a machine's shell gets them. Pure. */
import type { SshStop } from "../../../roles/desired.ts";

/** For a route's user: as it is for root, by sudo for others. sudo that wants to ask somebody fails at once. */
export function asRoot({ user }: SshStop, command: string): string {
  if (user === "root") return command;
  const isPlain = /^[\w@%+:,./-]+( [\w@%+=:,./-]+)*$/.test(command);
  // Its refusals are read (see failure.ts), and so must not come in the machine's own language.
  return `env LC_ALL=C.UTF-8 sudo -n -- ${isPlain ? command : `sh -c ${quoted(command)}`}`;
}

/** One word for a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
