/** What the records of all kinds leave out, so that an unchanged deployment leaves an unchanged one. Pure. */
import type { DesiredCatalog } from "../roles/desired.ts";
import type { CatalogFacts, Lsn } from "../roles/facts.ts";

/** Stands for every position of a server that runs: nothing is behind or ahead. */
export const somewhere: Lsn = "0/0";

export function anywhere(position: Lsn | null): Lsn | null {
  return position === null ? null : somewhere;
}

/** Settings of roles and databases that nobody declared are nobody's business, and a value may be a password. */
export function recordedCatalog({ roles, databases }: CatalogFacts, wish: DesiredCatalog): CatalogFacts {
  return {
    roles: withoutSettings(
      roles,
      wish.roles.map(({ name }) => name),
    ),
    databases: withoutSettings(
      databases,
      wish.databases.map(({ name }) => name),
    ),
  };
}

function withoutSettings<T extends { readonly settings: Readonly<Record<string, string>> }>(
  found: Readonly<Record<string, T>>,
  declared: readonly string[],
): Record<string, T> {
  const entries = Object.entries(found).map(([name, facts]): [string, T] => [
    name,
    declared.includes(name) ? facts : { ...facts, settings: {} },
  ]);
  return Object.fromEntries(entries);
}
