import { describe, expect, test } from "vitest";
import { asideOf, machineFindings, withSurveys } from "../../../../components/hosts/machines/survey/aside.ts";
import { driftOf } from "../../../../components/hosts/machines/survey/drift.ts";
import type { FileDrift, MachineFacts } from "../../../../components/hosts/machines/survey/facts.ts";
import type { Surveys } from "../../../../components/hosts/machines/survey/survey.ts";
import type { Observed } from "../../../../components/roles/facts.ts";
import { report, up } from "../../../support/facts.ts";
import { bare, installed, surveys, unit, wishes } from "./made.ts";

const conf = "/etc/understudy/postgresql.conf";
const resource = "site-a-config";
const byHand: FileDrift = { resource, path: conf, what: "content", detail: "" };

/** As site-a's wish has it: what is recorded is what is wished. */
function changed(change: Partial<MachineFacts> = {}): MachineFacts {
  const sum = wishes()[0]?.checksums?.[conf] ?? expect.unreachable();
  return installed({ drift: [byHand], recorded: [{ resource, path: conf, sum }], ...change });
}

function texts(facts: MachineFacts, options: Parameters<typeof wishes>[0] = {}, known = false): string[] {
  const { notices } = driftOf(wishes(options), surveys(facts, installed({}, "site-b")), known);
  return notices.map(({ code, message }) => `${code}  ${message}`);
}

const left = (facts: MachineFacts, options: Parameters<typeof wishes>[0] = {}) =>
  driftOf(wishes(options), surveys(facts, installed({}, "site-b")), false).left["site-a"];

describe("files", () => {
  test("none", () => expect(texts(installed())).toEqual([]));

  test("one that this update does not write: how to put it back", () => {
    expect(texts(changed())).toEqual([
      `N_DRIFT  site-a (203.0.113.11): ${conf} was changed by hand (content). To put it back: pulumi config set --path 'repair.site-a' "$(date +%FT%T)", then pulumi up.`,
    ]);
    expect(left(changed())).toEqual(["postgresql.conf"]);
  });

  test("one that this update writes, because its content is to change", () => {
    const facts = changed({ recorded: [{ resource, path: conf, sum: "0".repeat(64) }] });
    expect(texts(facts)).toEqual([expect.stringContaining("This update puts it back.")]);
    expect(left(facts)).toEqual([]);
  });

  test("one whose neighbour in the same resource is to change", () => {
    const hba = "/etc/understudy/pg_hba.conf";
    const facts = changed();
    const more = { ...facts, recorded: [...facts.recorded, { resource, path: hba, sum: "0".repeat(64) }] };
    expect(left(more)).toEqual([]);
  });

  test.each<[string | undefined, readonly string[], RegExp]>([
    // What the machine noted of the last repair decides; where it noted nothing, the update does.
    ["monday", ["postgresql.conf"], /To put it back/],
    ["tuesday", [], /This update puts it back/],
    [undefined, [], /If repair\.site-a is new/],
  ])("a repair `monday` is asked for, and the last was %s", (repair, expected, said) => {
    const owner = { deployment: "sur", host: "site-a", ...(repair === undefined ? {} : { repair }) };
    const facts = changed({ owners: { owner } });
    const options = { repair: { "site-a": "monday" } };
    expect(left(facts, options)).toEqual(expected);
    expect(texts(facts, options)[0]).toMatch(said);
  });

  test("mode and owner are told and change nothing in what is loaded", () => {
    const facts = changed({
      drift: [
        { resource, path: conf, what: "mode", detail: "644 and not 640" },
        { resource, path: conf, what: "owner", detail: "1:1 and not 0:104" },
      ],
    });
    expect(texts(facts)[0]).toContain("(mode 644 and not 640, owner 1:1 and not 0:104)");
    expect(left(facts)).toEqual([]);
  });
});

const postgres = "understudy-postgres.service";
test.each<[string, Partial<MachineFacts>, string]>([
  ["masked", { units: { [postgres]: unit({ load: "masked", enabled: "masked" }) } }, "is masked"],
  ["disabled", { units: { [postgres]: unit({ enabled: "disabled" }) } }, "a reboot does not start it"],
  ["drop-in", { units: { [postgres]: unit({ dropIns: ["/etc/x.conf"] }) } }, "(/etc/x.conf)"],
  ["file not read", { units: { [postgres]: unit({ needsReload: true }) } }, "has not read the present file"],
  ["no table", { firewallTable: false }, "the table inet understudy of nftables is missing"],
  [
    "not held",
    { packages: [{ name: "postgresql-17", version: "17", held: false }] },
    "postgresql-17 is not held",
  ],
])("a unit or package: %s", (_, change, said) => {
  const [text, ...more] = texts(installed(change));
  expect(more).toEqual([]);
  expect(text).toMatch(/^N_DRIFT {2}site-a .*repair\.site-a/);
  expect(text).toContain(said);
});

test("a firewall that is newly asked for is not missed", () => {
  expect(texts(installed({ units: { [postgres]: unit() }, firewallTable: false }))).toEqual([]);
});

describe("a machine on which nothing of ours is", () => {
  test("in a first deployment is what was to be expected", () => {
    expect(driftOf(wishes(), surveys(bare(), bare()), false).notices).toEqual([]);
  });
  test("beside one of ours may be new or installed anew", () => {
    expect(texts(bare())).toEqual([
      expect.stringMatching(
        /^N_MACHINE_BARE {2}site-a .*new to the deployment or its host key is another one; otherwise.*repair\.site-a/,
      ),
    ]);
  });
  test("of a stack that is up was installed anew", () => {
    expect(texts(bare(), {}, true)).toEqual([
      expect.stringMatching(/^N_MACHINE_BARE .*was installed anew, or it is another one/),
    ]);
  });
});

describe("machines that do not answer", () => {
  const silent = (code: string): Surveys => ({
    "site-a": { reach: "unreachable", code, reason: "root@203.0.113.11: why" },
    "site-b": { reach: "up", facts: installed({}, "site-b") },
  });
  const observed: Observed = {
    at: "2026-01-01T00:00:00Z",
    nodes: { "site-a": { reach: "unreachable", reason: "something" }, "site-b": up(report("site-b")) },
  };
  const nothing = { notices: [], left: {} };

  test("the plan decides, and gives SSH's reason", () => {
    const seen = withSurveys(observed, silent("E_SSH_AUTH"), nothing);
    expect(seen.nodes["site-a"]).toEqual({
      reach: "unreachable",
      reason: "E_SSH_AUTH, root@203.0.113.11: why",
    });
    expect(asideOf(wishes(), silent("E_SSH_AUTH"), nothing, seen).refusals).toEqual([]);
  });

  test("another host's key is said in any case, and is wrong for status", () => {
    expect(asideOf(wishes(), silent("E_HOST_KEY"), nothing, observed).notices).toContainEqual({
      code: "N_HOST_KEY",
      message: "site-a (203.0.113.11): E_HOST_KEY, root@203.0.113.11: why",
    });
    expect(machineFindings(wishes(), silent("E_HOST_KEY"), nothing, observed)).toContainEqual(
      expect.objectContaining({ code: "N_HOST_KEY", severity: "wrong" }),
    );
  });

  test("of a host that is no node, only a first deployment is certain that it is needed", () => {
    const [site] = wishes();
    if (!site) throw new Error("no wish");
    const server = { ...site, host: "dns" };
    const surveyed: Surveys = { dns: { reach: "unreachable", code: "E_SSH_UNREACHABLE", reason: "why" } };
    const first: Observed = { ...observed, nodes: { "site-b": { reach: "absent", data: "none" } } };
    expect(asideOf([server], surveyed, nothing, first).refusals).toEqual([
      { code: "E_SSH_UNREACHABLE", message: "dns: why" },
    ]);
    const later = asideOf([server], surveyed, nothing, observed);
    expect(later.refusals).toEqual([]);
    expect(later.notices).toEqual([expect.objectContaining({ code: "N_MACHINE_UNREACHABLE" })]);
  });

  test("drift is something wrong", () => {
    const drift = driftOf(wishes(), surveys(changed(), installed({}, "site-b")), true);
    const findings = machineFindings(wishes(), surveys(changed(), installed({}, "site-b")), drift, observed);
    expect(findings).toContainEqual(expect.objectContaining({ code: "N_DRIFT", severity: "wrong" }));
  });
});
