/** What a machine's SSH server saw of us, by its own journal. */
import { loginsOf, onMachine } from "../support/machines.ts";

export type LoginsByHost = Readonly<Record<string, number>>;

/** Logins that the work made on each of the hosts. */
export async function withNewLogins<T>(
  containers: readonly string[],
  work: () => Promise<T>,
): Promise<{ result: T; added: LoginsByHost }> {
  const before = await logins(containers);
  const result = await work();
  const after = await logins(containers);
  const added = containers.map((each) => [each, (after[each] ?? 0) - (before[each] ?? 0)] as const);
  return { result, added: Object.fromEntries(added) };
}

/** None at all would mean that the journal was not read: every `up` looks at every host. */
export function mostNewLogins(added: LoginsByHost): number {
  const none = Object.keys(added).filter((container) => (added[container] ?? 0) < 1);
  if (none.length > 0) throw new Error(`no login in the journal of ${none.join(", ")}`);
  return Math.max(...Object.values(added));
}

/** Lines about connections that sshd turned away: too many at once, or from an address that it had enough of. */
export async function turnedAway(containers: readonly string[]): Promise<string[]> {
  const pattern = "MaxStartups|drop connection|[Pp]enalty";
  const found = await inTurn(containers, (container) =>
    onMachine(container, `journalctl --quiet --output cat --unit ssh --grep '${pattern}' || true`),
  );
  return found.flatMap(([container, lines]) =>
    lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `${container}: ${line}`),
  );
}

async function logins(containers: readonly string[]): Promise<LoginsByHost> {
  return Object.fromEntries(await inTurn(containers, loginsOf));
}

async function inTurn<T>(
  containers: readonly string[],
  ask: (container: string) => Promise<T>,
): Promise<[string, T][]> {
  const answers: [string, T][] = [];
  for (const container of containers) answers.push([container, await ask(container)]);
  return answers;
}
