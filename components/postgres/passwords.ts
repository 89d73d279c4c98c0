import type * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Role } from "../spec/model.ts";

/** By login role. Secret. */
export type Passwords = Readonly<Record<string, pulumi.Output<string>>>;

export function loginPasswords(name: string, roles: readonly Role[], parent: pulumi.Resource): Passwords {
  const logins = roles.filter((role) => role.login);
  return Object.fromEntries(
    logins.map((role) => {
      // Letters and digits: the value goes into URIs, pass files and other people's configuration languages.
      const password = new random.RandomPassword(
        `${name}-${role.name}`,
        { length: 32, special: false },
        { parent },
      );
      return [role.name, password.result];
    }),
  );
}

/** As files of a host, in its directory of secrets. */
export function passwordFiles(passwords: Passwords): Passwords {
  return Object.fromEntries(Object.entries(passwords).map(([role, value]) => [`passwords/${role}`, value]));
}
