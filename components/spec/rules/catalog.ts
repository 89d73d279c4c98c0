/** Roles, databases and extensions: names that PostgreSQL takes, that mean what they say, and that exist. */
import type { Role } from "../model.ts";
import { ownedRoles } from "../ownedSettings.ts";
import { numberOf, settingDefaults } from "../settingsInfo.ts";
import { show } from "../show.ts";
import { didYouMean } from "../suggest.ts";
import { type Finding, groupBy, type Rule } from "./rule.ts";

/** Words with a meaning of their own in SQL or in pg_hba.conf; as a name each would be read as that. */
const reservedRoles = [
  "all",
  "public",
  "none",
  "current_role",
  "current_user",
  "session_user",
  "replication",
];
const reservedDatabases = [
  "all",
  "sameuser",
  "samerole",
  "samegroup",
  "replication",
  "postgres",
  "template0",
  "template1",
];

function identifierFault(name: string): string | undefined {
  const bytes = Buffer.byteLength(name, "utf8");
  if (bytes > 63) return `is ${bytes} bytes; PostgreSQL would cut it at 63`;
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) {
    return 'may have letters, digits, "_", "-" and ".", and begins with a letter or "_"';
  }
  return undefined;
}

function roleFault(name: string): string | undefined {
  if (ownedRoles.includes(name)) return "is a role of the deployment's own";
  if (/^pg_/i.test(name)) return 'begins with "pg_", which is reserved for PostgreSQL';
  return reservedRoles.includes(name.toLowerCase()) ? "is a word of PostgreSQL's own" : identifierFault(name);
}

function databaseFault(name: string): string | undefined {
  return reservedDatabases.includes(name.toLowerCase())
    ? "is a word or a database of PostgreSQL's own"
    : identifierFault(name);
}

function identifiers(
  kind: "roles" | "databases",
  named: readonly { readonly name: string }[],
  fault: (name: string) => string | undefined,
): Finding[] {
  const path = (name: string) => `deployment.database.${kind}.${name}`;
  const wrong = named.flatMap(({ name }) => {
    const found = fault(name);
    return found ? [{ path: path(name), message: `${show(name, "")} ${found}` }] : [];
  });
  const twice = [...groupBy(named, ({ name }) => name.toLowerCase()).values()].flatMap(([first, ...others]) =>
    others.map(({ name }) => ({
      path: path(name),
      message: `"${name}" and "${first?.name}" differ in case only, and SQL without quotes takes both for "${name.toLowerCase()}"; rename one of them`,
    })),
  );
  return [...wrong, ...twice];
}

const identifier: Rule = {
  code: "E_IDENT",
  needs: [],
  check({ database }) {
    const found = [
      ...identifiers("roles", database.roles, roleFault),
      ...identifiers("databases", database.databases, databaseFault),
    ];
    for (const { name, extensions } of database.databases) {
      const path = `deployment.database.databases.${name}.extensions`;
      extensions.forEach((extension, index) => {
        if (!/^[a-zA-Z_][a-zA-Z0-9_-]{0,62}$/.test(extension)) {
          found.push({ path, message: `${show(extension, "")} is not an extension's name` });
        } else if (extensions.indexOf(extension) !== index) {
          found.push({ path, message: `"${extension}" is listed twice` });
        }
      });
    }
    return found;
  },
};

const owner: Rule = {
  code: "E_OWNER_UNKNOWN",
  needs: ["deployment.database.roles.*.login"],
  check({ database: { roles, databases } }) {
    const names = roles.map((role) => role.name);
    return databases.flatMap((one) => {
      if (names.includes(one.owner)) return [];
      const path = `deployment.database.databases.${one.name}.owner`;
      const message =
        one.owner === ""
          ? `no role is called "${one.name}", and there is not exactly one login role to own it; set \`owner\``
          : `${show(one.owner, "")} is not a declared role; declare it under \`roles\`.${didYouMean(one.owner, names)}`;
      return [{ path, message }];
    });
  },
};

const predefined = [
  "pg_checkpoint",
  "pg_create_subscription",
  "pg_database_owner",
  "pg_execute_server_program",
  "pg_maintain",
  "pg_monitor",
  "pg_read_all_data",
  "pg_read_all_settings",
  "pg_read_all_stats",
  "pg_read_server_files",
  "pg_signal_autovacuum_worker",
  "pg_signal_backend",
  "pg_stat_scan_tables",
  "pg_use_reserved_connections",
  "pg_write_all_data",
  "pg_write_server_files",
];
/** Their members act as the operating system's user that runs the server. */
const powerful = ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"];

const rolePath = (role: Role) => `deployment.database.roles.${role.name}.memberOf`;

const member: Rule = {
  code: "E_MEMBER_UNKNOWN",
  needs: [],
  check({ database: { roles } }) {
    const known = [
      ...roles.map((role) => role.name),
      ...predefined.filter((one) => one !== "pg_database_owner"),
    ];
    return roles.flatMap((role) =>
      role.memberOf
        .filter((group) => !known.includes(group))
        .map((group) => {
          const advice = ownedRoles.includes(group)
            ? "is a role of the deployment's own"
            : "is not a declared role";
          return {
            path: rolePath(role),
            message: `${show(group, "")} ${advice}.${didYouMean(group, known)}`,
          };
        }),
    );
  },
};

const cycle: Rule = {
  code: "E_ROLE_CYCLE",
  needs: [],
  check({ database: { roles } }) {
    const groups = new Map(roles.map((role) => [role.name, role.memberOf]));
    const reaches = (from: string, to: string, seen: Set<string>): boolean =>
      (groups.get(from) ?? []).some((group) => {
        if (group === to) return true;
        if (seen.has(group)) return false;
        seen.add(group);
        return reaches(group, to, seen);
      });
    return roles
      .filter((role) => reaches(role.name, role.name, new Set()))
      .map((role) => ({ path: rolePath(role), message: `"${role.name}" would be a member of itself` }));
  },
};

const powerfulRole: Rule = {
  code: "W_ROLE_POWERFUL",
  needs: [],
  check({ database: { roles } }) {
    return roles.flatMap((role) =>
      role.memberOf
        .filter((group) => powerful.includes(group))
        .map((group) => ({
          path: rolePath(role),
          message: `members of ${group} reach the server's files, and with them its keys and passwords`,
        })),
    );
  },
};

/** A superuser keeps three connections, and a limit above all of them limits nothing. */
const connectionLimit: Rule = {
  code: "W_CONNECTION_LIMIT",
  needs: ["deployment.database.settings.max_connections"],
  check({ database }) {
    const most = numberOf("max_connections", database.settings) ?? settingDefaults.max_connections;
    return database.roles
      .filter((role) => role.connectionLimit > most)
      .map((role) => ({
        path: `deployment.database.roles.${role.name}.connectionLimit`,
        message: `${role.connectionLimit} is more than the server's max_connections, ${most}`,
      }));
  },
};

export const catalogRules: readonly Rule[] = [
  identifier,
  owner,
  member,
  cycle,
  powerfulRole,
  connectionLimit,
];
