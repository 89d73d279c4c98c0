/** What only a new start of a member's Patroni, or of its unit, takes over: nobody fails over for it. */
import { describe, expect, test } from "vitest";
import { machineReach } from "../../../../components/hosts/machines/reach.ts";
import type { DesiredHost, DesiredMember, RegionsDesired } from "../../../../components/regions/desired.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { renderPlan } from "../../../../components/regions/plan/render.ts";
import { converge } from "./apply.ts";
import { observe } from "./observed.ts";
import { wish, withFile, withRegionWish } from "./sample.ts";
import { planned, withFacts, withPatroni, withReport } from "./short.ts";
import { World } from "./world.ts";

const note = "patroni/start.yml";
const members = ["a-1", "a-2", "a-3", "b-1", "b-2", "b-3"];
const without = "[Service]\nUser=postgres\nTimeoutStopSec=60\nPrivateDevices=yes\n";
const with_ = without.replace("PrivateDevices=yes", "PrivateDevices=no\nDeviceAllow=/dev/watchdog rw");

/** All members on machines, whose units are to have this file. */
function onMachines(unitFile: string, desired: RegionsDesired = wish()): RegionsDesired {
  const placed = (each: DesiredMember) => ({
    ...each,
    unitFile,
    reach: machineReach(routeTo(each.name), "patroni"),
  });
  return desired.regions.reduce(
    (made, { name }) => withRegionWish(made, name, (region) => ({ members: region.members.map(placed) })),
    desired,
  );
}

/** Their supervisors were started with `running`, and `installed` is there now. */
function worldOf(
  running: string,
  installed = running,
  desired: RegionsDesired = onMachines(installed),
): World {
  const world = World.healthy(desired);
  for (const name of members) world.host(name).unitFile = { running, installed };
  return world;
}

describe("a unit's file that has changed", () => {
  const standbys = "restartUnit(b-2) await(b-2) restartUnit(b-3) await(b-3) restartUnit(b-1) await(b-1)";
  const replicas = "restartUnit(a-2) await(a-2) restartUnit(a-3) await(a-3)";
  const leader = "switchover(a-1→a-2) await(a-1) restartUnit(a-1) await(a-1)";

  test("restarts the units one at a time, and the leader's after a switchover; the preview says so", () => {
    const desired = onMachines(with_);
    const before = observe(worldOf(without));
    expect(planned(before, desired, "preview")).toBe(`${standbys} ${replicas} | ${leader}`);
    const made = planRegions(before, desired, "preview");
    const text = renderPlan(made, before, desired);
    expect(text).toContain("restart the unit of a-2 (DeviceAllow, PrivateDevices)");
    expect(text).toContain("a-1 is restarted for DeviceAllow, PrivateDevices");
    expect(made.notices.map(({ code }) => code)).toEqual(["N_WRITE_GAP"]);
  });

  test("is in force on all when it was carried out, and another leads as planned", () => {
    const world = worldOf(without, with_);
    const { steps, refused } = converge(world, onMachines(with_));
    expect(refused).toEqual([]);
    expect(steps.filter(({ kind }) => kind === "restartUnit")).toHaveLength(6);
    expect(steps.filter(({ kind }) => kind === "switchover")).toHaveLength(1);
    expect(planned(observe(world), onMachines(with_))).toBe("nothing");
    expect(world.splits).toEqual([]);
  });

  test("can be cut off at any step", () => {
    const whole = converge(worldOf(without, with_), onMachines(with_)).steps;
    for (let cut = 0; cut < whole.length; cut += 1) {
      const world = worldOf(without, with_);
      converge(world, onMachines(with_), cut);
      expect(converge(world, onMachines(with_)).refused, `${cut}`).toEqual([]);
      expect(planned(observe(world), onMachines(with_)), `${cut}`).toBe("nothing");
    }
  });

  test("restarts nobody for what systemd goes by itself", () => {
    const longer = without.replace("=60", "=90");
    expect(planned(observe(worldOf(without, longer)), onMachines(longer))).toBe("nothing");
    expect(planned(observe(worldOf(without)), onMachines(longer), "preview")).toBe("nothing");
  });

  test("by somebody's hand is left alone, before the update and after it", () => {
    const desired = onMachines(without);
    const edited = observe(worldOf(without, with_, desired));
    expect(planned(edited, desired)).toBe("nothing");
    const started = observe(worldOf(with_, with_, desired));
    expect(planned(started, desired)).toBe("nothing");
    const known = members.reduce((found, name) => {
      const facts = found.hosts[name];
      if (facts?.reach !== "up") throw new Error(`${name} is not up`);
      const changedByHand = ["/etc/systemd/system/understudy-patroni.service"];
      return withFacts(found, name, { ...facts, changedByHand });
    }, started);
    expect(planned(known, desired, "preview")).toBe("nothing");
  });

  test("hands over a watchdog that is asked for from now on, and that the account may not open before", () => {
    const watchdog = { mode: "required", device: "/dev/watchdog" } as const;
    const wanted = (unitFile: string) => {
      const made = onMachines(unitFile);
      return ["a", "b"].reduce(
        (all, name) =>
          withRegionWish(all, name, (region) => ({
            members: region.members.map((each) => ({ ...each, watchdog })),
          })),
        made,
      );
    };
    const denied = (world: World) =>
      members.reduce(
        (found, name) =>
          withReport(found, name, () => ({ watchdog: { device: watchdog.device, state: "denied" } })),
        observe(world),
      );
    expect(planned(denied(worldOf(without, with_)), wanted(with_))).toContain("restartUnit(a-2)");
    expect(planned(denied(worldOf(with_)), wanted(with_))).toBe("E_WATCHDOG_MISSING");
  });

  test("says nothing where the supervisor does not tell what it was started with, or is older still", () => {
    const found = observe(worldOf(without));
    const silent = members.reduce(
      (all, name) => withReport(all, name, () => ({ unit: { running: null, installed: with_ } })),
      found,
    );
    expect(planned(silent, onMachines(with_), "preview")).toBe("nothing");
    expect(planned(observe(World.healthy(onMachines(with_))), onMachines(with_))).toBe("nothing");
  });

  test("stands in for a restart that settings wait for", () => {
    const pending = members.reduce(
      (found, name) => withPatroni(found, name, () => ({ pendingRestart: ["wal_buffers"] })),
      observe(worldOf(without, with_)),
    );
    expect(planned(pending, onMachines(with_))).toBe(`${standbys} ${replicas} |`.concat(` ${leader}`));
  });

  test("waits where a setting goes down, whose order is the other one", () => {
    const pending = members.slice(0, 3).reduce(
      (found, name) =>
        withPatroni(found, name, () => ({
          pendingRestart: ["max_connections"],
          pendingValues: { max_connections: { from: "100", to: "50" } },
        })),
      observe(worldOf(without, with_)),
    );
    expect(planned(pending, onMachines(with_))).toBe(
      "restartMember(a-1) await(a-1) restartMember(a-3) await(a-3) restartMember(a-2) await(a-2) |",
    );
  });

  test("restarts no unit of a member whose Patroni is stopped, nor any while Patroni is paused", () => {
    const world = worldOf(without, with_);
    world.member("b-3").patroni = "held";
    expect(planned(observe(world), onMachines(with_))).not.toMatch(/restartUnit\(b-3\)/);
    const paused = members.reduce(
      (found, name) => withPatroni(found, name, () => ({ paused: true })),
      observe(worldOf(without, with_)),
    );
    expect(planned(paused, onMachines(with_))).toContain("E_PAUSED");
  });
});

describe("what Patroni takes over at its start alone", () => {
  const changed = (text: string | undefined) => {
    const world = World.healthy(wish());
    for (const name of ["a-1", "a-2", "a-3"]) {
      const host = world.host(name);
      host.loaded[note] = "old\n";
      if (text !== undefined) host.files[note] = text;
    }
    return world;
  };
  const replicas = "restart(a-2:patroni) await(a-2) restart(a-3:patroni) await(a-3)";
  const leader = "switchover(a-1→a-2) await(a-1) restart(a-1:patroni) await(a-1)";

  test.each([
    ["changed", "new\n"],
    ["gone", undefined],
  ])("is restarted for, replicas first: %s", (_, text) => {
    expect(planned(observe(changed(text)), wish())).toBe(`${replicas} | ${leader}`);
    const world = changed(text);
    expect(converge(world, wish()).refused).toEqual([]);
    expect(planned(observe(world), wish())).toBe("nothing");
    expect(world.region("a").leader).toBe("a-2");
  });

  test("is foreseen when it is new, and when it is to go", () => {
    const healthy = observe(World.healthy(wish()));
    const desired = withFile(wish(), "a-3", note, "new\n");
    expect(planned(healthy, desired, "preview")).toBe("restart(a-3:patroni) await(a-3)");
    const world = World.healthy(desired);
    expect(planned(observe(world), wish(), "preview")).toBe("restart(a-3:patroni) await(a-3)");
  });

  test("is taken over by the leader where it is, if there is nobody else", () => {
    const alone = withRegionWish(wish(), "a", ({ members: all }) => ({ members: all.slice(0, 1) }));
    const world = World.healthy(alone);
    world.host("a-1").loaded[note] = "old\n";
    expect(planned(observe(world), alone)).toBe("restart(a-1:patroni) await(a-1)");
    expect(planRegions(observe(world), alone).notices.map(({ code }) => code)).toContain("N_WRITE_GAP");
  });
});

describe("the unit of a proxy or of a server of Consul", () => {
  const [before, after] = ["[Service]\nLimitNOFILE=65536\n", "[Service]\nLimitNOFILE=524288\n"];
  const hosts = ["a-proxy", "b-consul-2"];

  function noticesFor(running: string, wished: string, moment: "preview" | "apply" = "preview") {
    const world = World.healthy(wish());
    for (const name of hosts) world.host(name).unitFile = { running, installed: running };
    const placed = <T extends DesiredHost>(each: T): T =>
      hosts.includes(each.name)
        ? { ...each, unitFile: wished, reach: machineReach(routeTo(each.name), programOf(each.name)) }
        : each;
    const desired = ["a", "b"].reduce(
      (made, name) =>
        withRegionWish(made, name, ({ servers, proxies }) => ({
          servers: servers.map(placed),
          proxies: proxies.map(placed),
        })),
      wish(),
    );
    return planRegions(observe(world), desired, moment).notices;
  }

  test("is restarted by the update itself: the preview says so, and what it costs", () => {
    expect(noticesFor(before, after)).toEqual([
      {
        code: "N_UNIT_RESTART",
        message:
          "a-proxy: this update restarts its understudy-haproxy.service (LimitNOFILE), one host after another: connections through it are cut once.",
      },
      {
        code: "N_UNIT_RESTART",
        message:
          "b-consul-2: this update restarts its understudy-consul.service (LimitNOFILE), one host after another: the other servers of Consul go on, and nobody fails over.",
      },
    ]);
  });

  test("is not spoken of when nothing waits for its start, and when the update is over", () => {
    expect(noticesFor(before, before)).toEqual([]);
    expect(noticesFor(before, `${before}TimeoutStopSec=90\n`)).toEqual([]);
    expect(noticesFor(before, after, "apply")).toEqual([]);
  });
});

function routeTo(host: string) {
  return { host, port: 22, user: "root", keyFile: "k", hostKeys: [] };
}

function programOf(host: string): "consul" | "haproxy" {
  return host.includes("consul") ? "consul" : "haproxy";
}
