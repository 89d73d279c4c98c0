/** Patroni's times and names, and settings of PostgreSQL under it. */
import type { RuleCase } from "../../ruleCase.ts";
import { database, hosts, regionA } from "../configuration.ts";

const timing = (fields: object) => database({ timing: fields });
const settings = (fields: object) => database({ settings: fields });
const settingPath = (name: string) => `deployment.database.settings.${name}`;
const memberSetting = (fields: object) =>
  regionA({ members: { ...hosts("region-a-1", "region-a-2"), "region-a-3": { settings: fields } } });
const memberPath = "deployment.regions.region-a.members.region-a-3.settings";
const manyMembers = (count: number) => hosts(...Array.from({ length: count }, (_, n) => `region-a-${n + 1}`));

const tenMembers = { regions: { "region-a": { members: manyMembers(10) } } };

export const patroniCases: readonly RuleCase[] = [
  {
    code: "E_SESSION_CHECKS",
    wrong: database({ sessionChecks: ["serfHealth"], synchronous: "off" }),
    path: "deployment.database.sessionChecks",
    message:
      "serfHealth with `synchronous: off`: a leader that is cut off would acknowledge writes that are lost while another one leads already; write `synchronous: strict` or `available`, or take the check out",
    fine: database({ sessionChecks: ["serfHealth"], synchronous: "available" }),
  },
  {
    code: "E_PATRONI_TIMING",
    wrong: timing({ profile: "lan", ttlSeconds: 24 }),
    path: "deployment.database.timing",
    message: "loop_wait + 2 * retry_timeout = 5 + 2*10 = 25 > ttl 24; raise ttl or lower one of them",
    fine: timing({ profile: "lan", ttlSeconds: 25 }),
  },
  {
    code: "E_PATRONI_TIMING",
    wrong: timing({ profile: "fast", ttlSeconds: 19 }),
    path: "deployment.database.timing",
    message: "ttl is 19; at least 20 is needed",
    fine: timing({ profile: "fast", ttlSeconds: 20 }),
  },
  {
    code: "E_PATRONI_TIMING",
    wrong: timing({ primaryStartTimeoutSeconds: -1 }),
    path: "deployment.database.timing",
    message: "primary_start_timeout is -1; at least 0 is needed",
    fine: timing({ primaryStartTimeoutSeconds: 0 }),
  },
  {
    code: "E_WATCHDOG_TIMING",
    wrong: database({ timing: "fast", watchdog: { mode: "automatic", safetyMarginSeconds: 11 } }),
    path: "deployment.database.watchdog",
    message:
      "the watchdog resets a host after 9 s (ttl 20 - safety_margin 11), and a healthy leader may take 10 s (loop_wait 1 + retry_timeout 9); raise ttl, or lower one of the others",
    fine: database({ timing: "fast", watchdog: { mode: "automatic", safetyMarginSeconds: 10 } }),
  },
  {
    code: "E_WATCHDOG_MISSING",
    wrong: database({ watchdog: "required" }),
    path: "deployment.database.watchdog",
    message:
      '"required", and region-a-1, region-a-2, region-a-3, region-b-1, region-b-2, region-b-3 are containers, which have no watchdog: nobody there would ever lead. Write "automatic" or "off", or put these members on machines.',
    fine: database({ watchdog: "automatic" }),
  },
  {
    code: "E_SCOPE",
    wrong: database({ scope: "shop/" }),
    path: "deployment.database.scope",
    message:
      '"shop/" does not name a service; write letters, digits, ".", "_" and "-", with a letter or digit at both ends',
    fine: database({ scope: "shop.2" }),
  },
  {
    code: "E_SCOPE",
    wrong: { stack: "demo-" },
    path: "deployment.database.scope",
    message:
      '"demo-" (the deployment\'s name) does not name a service; write letters, digits, ".", "_" and "-", with a letter or digit at both ends',
    fine: { stack: "demo-", ...database({ scope: "demo" }) },
  },
  {
    code: "E_PG_VERSION",
    wrong: database({ version: 16 }),
    path: "deployment.database.version",
    message: "16; our image of Patroni has PostgreSQL 17",
    fine: database({ version: 17 }),
  },
  {
    code: "E_PATRONI_SETTING",
    wrong: settings({ max_connections: 24 }),
    path: settingPath("max_connections"),
    message: "24; Patroni takes 25 or more, and would use a default of its own",
    fine: settings({ max_connections: 25 }),
  },
  {
    code: "E_STANDBY_PARAM",
    wrong: memberSetting({ max_connections: 200 }),
    path: `${memberPath}.max_connections`,
    message:
      "max_connections must be the same on all members, any of which may lead; write it under `database.settings`",
    fine: memberSetting({ work_mem: "8MB" }),
  },
  {
    code: "E_REPLICATION_CAPACITY",
    wrong: settings({ max_wal_senders: 4 }),
    path: settingPath("max_wal_senders"),
    message: "4; 2 regions of up to 3 members need at least 5",
    fine: settings({ max_wal_senders: 5 }),
  },
  {
    code: "E_REPLICATION_CAPACITY",
    wrong: { deployment: { database: { settings: { max_replication_slots: 20 } }, ...tenMembers } },
    path: settingPath("max_wal_senders"),
    message: "10; 2 regions of up to 10 members need at least 12",
    fine: regionA({ members: manyMembers(8) }),
  },
  {
    code: "E_GUC_MANAGED",
    wrong: settings({ restore_command: "cp /x/%f %p" }),
    path: settingPath("restore_command"),
    message:
      "restore_command is not yours to set: Patroni writes it; a standby has its WAL from its leader, and a slot there",
    fine: settings({ archive_command: "cp %p /x/%f" }),
  },
  {
    code: "E_GUC_MANAGED",
    wrong: memberSetting({ restart_after_crash: "off" }),
    path: `${memberPath}.restart_after_crash`,
    message:
      "restart_after_crash is not yours to set: after a crash PostgreSQL recovers by itself, and Patroni sees to what does not",
    fine: memberSetting({ restart_after_crash: "on" }),
  },
  {
    code: "E_GUC_UNKNOWN",
    wrong: memberSetting({ shared_bufers: "1GB" }),
    path: `${memberPath}.shared_bufers`,
    message:
      'PostgreSQL 17 has no setting "shared_bufers" and would not start. Did you mean "shared_buffers"?',
    fine: memberSetting({ shared_buffers: "128MB" }),
  },
  {
    code: "E_DURABILITY_LOWERED",
    wrong: memberSetting({ fsync: "off" }),
    path: `${memberPath}.fsync`,
    message:
      "member region-a-3 sets fsync = off: a crash would destroy the database, not only the last commits",
    fine: memberSetting({ fsync: "on" }),
  },
  {
    code: "E_WAL_RETENTION",
    wrong: database({ slotWalKeepMiB: 63 }),
    path: "deployment.database.slotWalKeepMiB",
    message: "63 MiB is less than four WAL segments; write 64 or more",
    fine: database({ slotWalKeepMiB: 64 }),
  },
  {
    code: "E_HBA_WEAK",
    wrong: database({
      clientAccess: [{ databases: ["app"], roles: ["app"], network: "192.0.2.0/24", method: "md5" }],
    }),
    path: "deployment.database.clientAccess[0].method",
    message: '"md5" is refused; write "scram-sha-256" (password) or "cert" (client certificate)',
    fine: database({ clientAccess: [{ databases: ["app"], roles: ["app"], network: "192.0.2.0/24" }] }),
  },
];
