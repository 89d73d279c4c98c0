/** Surveys made up from what bare machines said, for tests of what is made of them. Everything not asked for is fine. */
import { readFileSync } from "node:fs";
import type { ClusterFacts, MachineFacts } from "../../../../components/hosts/machines/survey/facts.ts";
import { parseFacts } from "../../../../components/hosts/machines/survey/parse.ts";
import type { Surveys } from "../../../../components/hosts/machines/survey/survey.ts";
import type { SurveyWish } from "../../../../components/hosts/machines/survey/wish.ts";
import { surveyedDeployment } from "../../../support/surveyed.ts";

export type Recording = "debian-12" | "debian-13" | "ubuntu-24.04" | "alpine";

export const recording = (name: Recording): string =>
  readFileSync(new URL(`${name}.txt`, import.meta.url), "utf8");

/** By whose clock it is as late as on the machine. */
export const bare = (name: Recording = "debian-13"): MachineFacts =>
  parseFacts(recording(name), 1795276132.3, 1795276132.45);

export const unit = (change: Partial<MachineFacts["units"][string]> = {}): MachineFacts["units"][string] => ({
  load: "loaded",
  active: "active",
  enabled: "enabled",
  needsReload: false,
  dropIns: [],
  ...change,
});

/** As an update leaves it. */
export function installed(change: Partial<MachineFacts> = {}, host = "site-a"): MachineFacts {
  return {
    ...bare(),
    owners: { owner: { deployment: "sur", host } },
    units: { "understudy-postgres.service": unit(), "understudy-firewall.service": unit() },
    packages: ["postgresql-17", "postgresql-client-17"].map((name) => ({
      name,
      version: "17.6-0",
      held: true,
    })),
    firewallTable: true,
    manifestFiles: 60,
    directories: { "/etc/understudy": ["postgresql.conf"], "/var/lib/understudy": ["pgdata"] },
    ...change,
  };
}

export const cluster = (change: Partial<ClusterFacts> = {}): ClusterFacts => ({
  kind: "distribution",
  directory: "/var/lib/postgresql/17/main",
  majorVersion: "17",
  account: "postgres",
  mode: "700",
  role: "primary",
  pid: 812,
  port: 5432,
  ...change,
});

export function wishes(
  options: Partial<Parameters<typeof surveyedDeployment>[0]> & { machine?: object } = {},
): SurveyWish[] {
  const { machine, ...more } = options;
  return surveyedDeployment({
    machines: {
      "site-a": { host: "203.0.113.11", keyFile: "/k", ...machine },
      "site-b": { host: "203.0.113.12", keyFile: "/k" },
    },
    readFile: () => undefined,
    ...more,
  }).wishes;
}

/** Of site-a, and of a site-b that is another machine. */
export function surveys(facts: MachineFacts, other: MachineFacts = bare()): Surveys {
  const elsewhere = { ...other, boot: `${other.boot}-b`, machineId: "b".repeat(32), hostKeys: [] };
  return { "site-a": { reach: "up", facts }, "site-b": { reach: "up", facts: elsewhere } };
}
