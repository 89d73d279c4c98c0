/** Looks at every machine of a deployment at once, with one command on each, and changes nothing. */
import { readFileSync } from "node:fs";
import { DATA_DIRECTORY, REPLICATION_ROLE, REWIND_ROLE, VERIFIER_ROLE } from "../../../postgres/paths.ts";
import { BOOKS_DIRECTORY } from "../programs.ts";
import { asRoot, quoted, SshError, type SshPool } from "../ssh/connection.ts";
import { sudoFailure } from "../ssh/failure.ts";
import type { MachineFacts } from "./facts.ts";
import { parseFacts, Unread } from "./parse.ts";
import type { SurveyWish } from "./wish.ts";

export type Survey =
  | { readonly reach: "up"; readonly facts: MachineFacts }
  /** `code`: as of the connection (`E_HOST_KEY`, …), `E_SUDO`, or `E_SURVEY` where the answer makes no sense. */
  | { readonly reach: "unreachable"; readonly code: string; readonly reason: string };

/** By the name of the host. */
export type Surveys = Readonly<Record<string, Survey>>;

export const FIREWALL_UNIT = "understudy-firewall.service";

/** Above what a slow machine needs, below what an operator takes for a hang. */
const limitMs = 8_000;

/** A machine that does not answer is a fact like any other: whether it matters is the plan's question. */
export async function survey(wishes: readonly SurveyWish[], pool: SshPool): Promise<Surveys> {
  const surveys = wishes.map(async (wish) => [wish.host, await surveyOne(wish, pool)] as const);
  return Object.fromEntries(await Promise.all(surveys));
}

async function surveyOne(wish: SurveyWish, pool: SshPool): Promise<Survey> {
  try {
    const connection = await pool.connection(wish.route);
    // The script, too, goes over stdin: there is nothing to put on the machine first, and nothing to take away.
    const command = asRoot(wish.route, "sh -s");
    const sentAt = Date.now() / 1000;
    const { stdout, stderr, code } = await connection.exec(command, {
      stdin: scriptFor(wish),
      timeoutMs: limitMs,
    });
    const receivedAt = Date.now() / 1000;
    const refusal = code === 0 ? undefined : sudoFailure(wish.route, stderr);
    if (refusal) throw refusal;
    try {
      return { reach: "up", facts: parseFacts(stdout, sentAt, receivedAt) };
    } catch (error) {
      if (error instanceof Unread) throw new Unread(`${error.message} (exit ${code}): ${excerpt(stderr)}`);
      throw error;
    }
  } catch (error) {
    const code = error instanceof SshError ? error.code : "E_SURVEY";
    return { reach: "unreachable", code, reason: (error as Error).message };
  }
}

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
let script: string | undefined;

/** With its parameters before it. Each is a word or a list of words of ours, or a path of the user's. */
export function scriptFor(wish: SurveyWish): string {
  script ??= read("facts.sh");
  const { adopt, majorVersion } = wish.database ?? {};
  const parameters = {
    US_PORTS: wish.ports.map(({ protocol, port }) => `${protocol}/${port}`).join(" "),
    US_UNITS: [wish.unit, ...(wish.firewall ? [FIREWALL_UNIT] : []), ...(wish.services ?? [])].join(" "),
    US_DIRECTORIES: wish.directories.join(" "),
    US_PACKAGES: [...new Set([wish.package, ...wish.held, ...Object.keys(wish.minimums ?? {})])].join(" "),
    US_ADOPT: adopt ?? "",
    US_BOOKS: BOOKS_DIRECTORY,
    ...(adopt === undefined ? {} : ofAdoption(majorVersion)),
  };
  const assignments = Object.entries(parameters).map(([name, value]) => `${name}=${quoted(value)}\n`);
  return assignments.join("") + (adopt === undefined ? "" : `${read("adopt.sh")}\n`) + script;
}

function ofAdoption(majorVersion: number | undefined): Record<string, string> {
  return {
    US_DATA: DATA_DIRECTORY,
    US_MAJOR: String(majorVersion),
    US_REPLICATION_ROLE: REPLICATION_ROLE,
    US_REWIND_ROLE: REWIND_ROLE,
    US_VERIFIER_ROLE: VERIFIER_ROLE,
  };
}

function excerpt(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 200) || "it said nothing";
}
