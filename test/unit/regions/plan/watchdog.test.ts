import { describe, expect, test } from "vitest";
import type { RegionsDesired } from "../../../../components/regions/desired.ts";
import type { RegionsObserved, UnitReport } from "../../../../components/regions/facts.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import type { DockerReach, MachineReach, Reach } from "../../../../components/roles/desired.ts";
import { observe } from "./observed.ts";
import { statement, wish } from "./sample.ts";
import { withFacts, withReport } from "./short.ts";
import { World } from "./world.ts";

const device = "/dev/watchdog";
const onMachine = { kind: "machine" } as MachineReach;

function asked(
  mode: "automatic" | "required",
  { reach = onMachine, active = "a" }: { reach?: Reach; active?: string } = {},
): RegionsDesired {
  const desired = wish(active);
  const regions = desired.regions.map((region) => ({
    ...region,
    members: region.members.map((member) => ({ ...member, reach, watchdog: { mode, device } })),
  }));
  return { ...desired, regions };
}

function seen(state: NonNullable<UnitReport["watchdog"]>["state"], ...hosts: string[]): RegionsObserved {
  const found = { watchdog: { device, state } };
  return hosts.reduce((all, host) => withReport(all, host, () => found), observe(World.healthy(wish())));
}

const codes = (observed: RegionsObserved, desired: RegionsDesired) => {
  const { refusals, notices } = planRegions(observed, desired, "preview");
  return [...refusals, ...notices].map(({ code }) => code).filter((code) => code.includes("WATCHDOG"));
};

describe("required", () => {
  test("every member without one is named, with the reason", () => {
    const denied = withReport(seen("missing", "a-1"), "b-2", () => ({
      watchdog: { device, state: "denied" },
    }));
    const { refusals, steps } = planRegions(denied, asked("required"), "apply");
    expect(steps).toEqual([]);
    expect(refusals).toMatchObject([
      {
        code: "E_WATCHDOG_MISSING",
        message: expect.stringContaining(
          "a-1 (there is no /dev/watchdog), b-2 (the account postgres may not open /dev/watchdog)",
        ),
      },
    ]);
  });

  test("with one, or where nothing is known of it yet, nothing is said", () => {
    expect(codes(seen("usable", "a-1", "a-2"), asked("required"))).toEqual([]);
    expect(codes(observe(World.healthy(wish())), asked("required"))).toEqual([]);
  });

  test("a device that is no longer asked for says nothing of the new one", () => {
    const observed = withReport(seen("missing"), "a-1", () => ({
      watchdog: { device: "/dev/watchdog1", state: "missing" },
    }));
    expect(codes(observed, asked("required"))).toEqual([]);
  });

  test("it keeps nobody from taking over a region that is lost", () => {
    let observed = seen("missing", "b-1");
    for (const host of Object.keys(observed.hosts).filter((name) => name.startsWith("a-"))) {
      observed = withFacts(observed, host, { reach: "unreachable", reason: "no answer" });
    }
    const desired = { ...asked("required", { active: "b" }), failover: statement };
    expect(codes(observed, desired)).toEqual([]);
  });
});

describe("automatic", () => {
  test("who has none is told and goes on", () => {
    const { refusals, notices } = planRegions(seen("missing", "a-2"), asked("automatic"), "preview");
    expect(refusals).toEqual([]);
    expect(notices).toContainEqual({
      code: "N_WATCHDOG_MISSING",
      message: expect.stringMatching(/^no watchdog for a-2 \(there is no \/dev\/watchdog\): /),
    });
  });

  test("of containers it is known before they are made", () => {
    const reach = { kind: "docker", container: "a-1" } as DockerReach;
    const desired = asked("automatic", { reach });
    const { notices } = planRegions(seen("usable"), desired, "preview");
    const told = notices.filter(({ code }) => code === "N_WATCHDOG_MISSING");
    expect(told).toHaveLength(1);
    for (const { name } of desired.regions.flatMap(({ members }) => members))
      expect(told[0]?.message).toContain(`${name} (containers have none)`);
  });
});
