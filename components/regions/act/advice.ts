/** What to look at first when a step of a kind fails. */
import type { RegionStep } from "../steps.ts";

const patroniLog = "Patroni's log, which is the host's, says what keeps it.";
const consulLog = "Consul's log, which is the host's, says what keeps it.";

const byKind: Readonly<Record<Exclude<RegionStep["kind"], "startUnit" | "restartUnit">, string>> = {
  startProgram: "The host's log says why the program does not come up.",
  reloadProgram: "Correct what the program refused.",
  restartProgram: "The host's log says why the program does not come up; if it is a setting, set it back.",
  awaitConsul: `See that a majority of the region's Consul servers runs and that the hosts reach each other. ${consulLog}`,
  grant: `See that the region's Consul servers have a leader. ${consulLog}`,
  awaitVoters: `See that all Consul servers of the region run and reach each other. ${consulLog}`,
  removeServer: "See that the Consul servers that stay are a majority.",
  forgetNode: consulLog,
  useGossipKey: "See that every Consul agent of the region answers: a key is changed where all take it.",
  awaitLeader: `See that Consul has a leader and that a member has data. ${patroniLog}`,
  awaitMember: `See that it reaches its leader, and that there is room for the data. ${patroniLog}`,
  patchConfig: "Correct what Patroni refused.",
  restartMember:
    "PostgreSQL's log on the host says why it does not come up; if it is a setting, set it back.",
  switchover: `See that the candidate streams and is in sync: npm run status. ${patroniLog}`,
  pauseClients: "PgBouncer's log, which is the host's, says what keeps it.",
  resumeClients: "PgBouncer's log, which is the host's, says what keeps it.",
  sql: "Correct what PostgreSQL refused.",
  password: "See that the role exists and that its password file is on the host.",
  checkpoint: "PostgreSQL's log on the host says what it waits for.",
  demoteCluster: "It was not forced. See what keeps it: a long checkpoint or an archiver that is stuck.",
  gate: "The standby leader's log says what it misses; see that it streams and that its replay is not paused.",
  promoteCluster: patroniLog,
  resumeCluster: patroniLog,
  hold: "It was not forced. See what keeps it: a long checkpoint or an archiver that is stuck.",
  fenceRegion:
    'Nobody was promoted. Correct what the command says; or, when the region is certain to take no writes by other means, say so: pulumi config set --path failover.fenceConfirmed "why it takes no writes".',
  becomeStandbyCluster: "See that Consul has a leader in that region.",
};

export function adviceOn(step: RegionStep): string {
  return "log" in step ? `Look at its log: ${step.log}.` : byKind[step.kind];
}
