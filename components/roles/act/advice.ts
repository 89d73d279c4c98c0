/** What to look at first when a step of a kind fails. */
import type { Step } from "../steps.ts";

const byKind: Readonly<Record<Exclude<Step["kind"], "startUnit">, string>> = {
  initdb: "Look at the space and the rights where its data is.",
  clone:
    "See that the nodes reach each other, that both certificates are valid, and that there is room for the data.",
  follow: "Look at the rights where its data is.",
  start: "PostgreSQL's log on the node says why it does not come up.",
  restart: "PostgreSQL's log on the node says why it does not come up; if it is a setting, set it back.",
  stop: "It was not forced. See what keeps it: a long checkpoint or an archiver that is stuck.",
  slots: "See that max_replication_slots leaves room.",
  reload: "Correct the line.",
  sql: "Correct what PostgreSQL refused.",
  password: "See that the role exists and that its password file is on the node.",
  awaitStandby:
    "The standby's log says why it does not stream; until it does, `strict` lets no client commit.",
  checkpoint: "PostgreSQL's log on the node says what it waits for.",
  fence: "Look at the rights and the space where its data is.",
  fenceSite:
    'Nobody was promoted. Correct what the command says; or, when the site is certain to take no writes by other means, say so: pulumi config set --path failover.fenceConfirmed "why it takes no writes".',
  lead: "Look at the rights where its data is.",
  gate: "The standby's log says what it misses; see that it streams and that its replay is not paused.",
  promote: "PostgreSQL's log on the node says what keeps it in recovery.",
  keepDivergent:
    "See that there is room for the copy where its data is; the rewind waits until what it takes away is kept.",
  rewind: "A data directory that was begun with is replaced by a new copy the next time.",
};

export function adviceOn(step: Step): string {
  return step.kind === "startUnit" ? `Look at its log: ${step.log}.` : byKind[step.kind];
}
