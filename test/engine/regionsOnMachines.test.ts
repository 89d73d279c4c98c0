/**
 * Two regions on fourteen machines: what they live through in containers, and what only a machine does: packages, units,
 * a firewall, a reboot, and what is left when they leave. One story, because bringing them up is the expensive part.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { regionRows } from "../suites/regionRows.ts";
import { tidyUp } from "../suites/regionTidy.ts";
import { Faults } from "../support/faults.ts";
import { monotonicMs } from "../support/ledgerHistory.ts";
import { onMachine, reboot } from "../support/machines.ts";
import { eventually, sql } from "../support/nodes.ts";
import { expectNoSecretExposed } from "../support/regionSecrets.ts";
import { RegionStack } from "../support/regionStack.ts";
import { succeed } from "../support/stack.ts";
import { say, seconds } from "../support/told.ts";

describe("two regions on machines", () => {
  const regions = new RegionStack({
    ...{ name: "test-mregions", target: "machines", net: 163, port: 17470 },
    database: { pooling: {} },
  });
  const faults = new Faults();
  const on = (host: string, script: string) => onMachine(regions.container(host), script);
  const onAll = (script: string) => Promise.all(regions.hosts().map(({ name }) => on(name, script)));

  beforeAll(async () => {
    const began = monotonicMs();
    await regions.prepare();
    const there = monotonicMs();
    console.log(`the machines are there after ${seconds(there - began)}`);
    await regions.bringUp();
    console.log(`serving ${seconds(monotonicMs() - there)} after that`);
  });

  tidyUp(regions, faults);

  test("they come up whole, and a second up changes nothing and restarts nothing", async () => {
    await regions.settled();
    expect(await regions.complaints()).toEqual([]);
    const before = await regions.incarnations();
    await regions.expectNoChanges();
    expect(await regions.incarnations()).toBe(before);
  });

  test("what was bare has its packages, from the mirror where that has them, held, and none of their own services has run", async () => {
    const packages = ["patroni", "consul", "haproxy", "postgresql-17"];
    const versions = `dpkg-query -W -f '\${Package} \${Version} \${db:Status-Want}\n' ${packages.join(" ")} 2>/dev/null; true`;
    const member = await on("region-a-1", versions);
    expect(member).toMatch(/^patroni 4\.1\.\S+ hold$/m);
    expect(member).toMatch(/^consul 1\.\S+ hold$/m);
    expect(member).toMatch(/^postgresql-17 17\.\S+ hold$/m);
    expect(await on("region-a-consul-1", versions)).toMatch(/^consul 1\.\S+ hold$/);
    expect(await on("region-a-proxy", versions.replace("patroni", "pgbouncer"))).toMatch(
      /^pgbouncer 1\.\S+ install$/m,
    );
    const services = "patroni.service consul.service haproxy.service pgbouncer.service";
    for (const host of ["region-a-1", "region-a-consul-1", "region-a-proxy"]) {
      expect(await on(host, `systemctl is-active ${services}; true`), host).not.toMatch(/^active/m);
      expect(await on(host, `systemctl is-enabled ${services}; true`), host).not.toMatch(/^enabled/m);
      expect(await on(host, `journalctl --quiet --no-pager ${services.replaceAll(/(^| )/g, " -u ")}`)).toBe(
        "",
      );
    }
  });

  regionRows(regions, faults, { agentRounds: 1 });

  test("the leader's machine reboots: another one leads at once, and it comes back as a replica, by itself", async () => {
    const ledger = await regions.startLedger();
    const old = await regions.leader();
    await reboot(regions.container(old));
    await eventually(60, `${old} follows`, async () => {
      return (await sql(regions.container(old), "SELECT pg_is_in_recovery()")) === "t" || undefined;
    });
    const verdict = await regions.judge(ledger);
    say("the leader's machine reboots", verdict);
    expect(await regions.leader()).not.toBe(old);
    expect(verdict.changes).toHaveLength(1);
    await regions.expectNoChanges();
  });

  test("no secret is in argv, environment, units, journals, or in what Pulumi printed", async () => {
    await expectNoSecretExposed(regions);
  });

  test("destroy takes everything of ours off the machines but the members' data", async () => {
    await succeed(regions.stack.pulumi("state", "unprotect", "--all", "--yes"));
    await succeed(regions.stack.pulumi("destroy", "--yes", "--skip-preview"));
    const ours =
      "ls -d /etc/understudy /etc/systemd/system/*understudy* 2>/dev/null; nft list tables 2>/dev/null | grep understudy";
    const left = await onAll(
      `${ours}; pgrep -l 'consul|patroni|postgres|haproxy|pgbouncer'; apt-mark showhold; ls /etc/apt/sources.list.d | grep understudy; true`,
    );
    expect(left.join("")).toBe("");
    for (const { name } of regions.allMembers()) {
      expect(await on(name, "ls /var/lib/understudy/pgdata/PG_VERSION")).not.toBe("");
      expect(await on(name, "ls -d /var/lib/understudy/consul 2>/dev/null; true")).toBe("");
    }
  });
});
