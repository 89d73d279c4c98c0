/** What to look at first when a step of a kind fails. */
import type { Step } from "../steps.ts";

export const advice: Readonly<Record<Step["kind"], string>> = {
  startUnit: "Look at the container's own log.",
  initdb: "Look at the space and the rights on the data volume.",
  clone:
    "See that the nodes reach each other, that both certificates are valid, and that the volume has room.",
  follow: "Look at the rights on the data volume.",
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
  fence: "Look at the rights and the space on the data volume.",
  fenceSite:
    'Nobody was promoted. Correct what the command says; or, when the site is certain to take no writes by other means, say so: pulumi config set --path failover.fenceConfirmed "why it takes no writes".',
  lead: "Look at the rights on the data volume.",
  gate: "The standby's log says what it misses; see that it streams and that its replay is not paused.",
  promote: "PostgreSQL's log on the node says what keeps it in recovery.",
  keepDivergent:
    "See that the data volume has room for the copy; the rewind waits until what it takes away is kept.",
  rewind: "A data directory that was begun with is replaced by a new copy the next time.",
};
