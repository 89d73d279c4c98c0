/** Commands that fence a site: run without a shell, and shown to everybody, so nothing secret is among the arguments. */

import type { AnyDeployment } from "../regionalModel.ts";
import { looksSecret, show } from "../show.ts";
import { areasOf } from "./areas.ts";
import type { Finding, Rule } from "./rule.ts";

const secretWord = String.raw`(?:\w+[-_])?(?:pass(?:w(?:or)?d|phrase)?|secret|token|api[-_]?key|credentials?)`;
const assigned = new RegExp(`(?:^|[\\s&?;,"'{-])["']?${secretWord}["']?\\s*[=:]\\s*\\S`, "i");
/** An option whose value follows as an argument of its own. */
const secretOption = new RegExp(`^--?${secretWord}$`, "i");
const bearer = /\b(?:bearer|basic)\s+\S/i;

/** The first argument that carries a secret, from 0; -1: none. */
export function secretArgument(command: readonly string[]): number {
  const program = command[0]?.replace(/^.*\//, "");
  return command.findIndex((argument, index) => {
    const before = command[index - 1] ?? "";
    const afterOption =
      index > 1 && (secretOption.test(before) || (before === "-P" && program === "ipmitool"));
    return (
      index > 0 && (looksSecret(argument) || assigned.test(argument) || bearer.test(argument) || afterOption)
    );
  });
}

export function fenceCommands(deployment: AnyDeployment): { path: string; command: readonly string[] }[] {
  return areasOf(deployment).flatMap(({ path, fenceCommand }) =>
    fenceCommand === undefined
      ? []
      : [{ path: `${path}.fenceCommand.command`, command: fenceCommand.command }],
  );
}

const syntax: Rule = {
  code: "E_FENCE_COMMAND",
  needs: [],
  check: (deployment) =>
    fenceCommands(deployment).flatMap(({ path, command }): Finding[] => {
      const [program = "", ...rest] = command;
      if (command.some((argument) => argument.includes("\0")))
        return [{ path, message: "has a NUL character" }];
      if (program.trim() === "")
        return [{ path, message: "begins with an empty text; write the program first" }];
      if (rest.length > 0 || !/\s/.test(program) || looksSecret(program)) return [];
      const words = program.trim().split(/\s+/).join(", ");
      return [
        {
          path,
          message: `${show(program, "")} is one word to it, because there is no shell; write [${words}]`,
        },
      ];
    }),
};

export const fenceCommandRules: readonly Rule[] = [syntax];
