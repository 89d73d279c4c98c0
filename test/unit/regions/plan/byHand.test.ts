/** Files that somebody changed by hand on a machine, and what is called what there. */
import { expect, test } from "vitest";
import { machineReach } from "../../../../components/hosts/machines/reach.ts";
import type { RegionsDesired } from "../../../../components/regions/desired.ts";
import type { RegionsObserved } from "../../../../components/regions/facts.ts";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { renderPlan } from "../../../../components/regions/plan/render.ts";
import { hostWords } from "../../../../components/regions/plan/units.ts";
import { allHosts } from "../../../../components/regions/wish.ts";
import { observe } from "./observed.ts";
import { wish } from "./sample.ts";
import { planned, withFacts, withReport } from "./short.ts";
import { World } from "./world.ts";

const file = "patroni/patroni.yml";
const edited = "# by hand\n";

function onMachines(desired: RegionsDesired): RegionsDesired {
  const reach = machineReach(
    { host: "192.0.2.11", port: 22, user: "root", keyFile: "k", hostKeys: [] },
    "patroni",
  );
  const moved = <T extends object>(hosts: readonly T[]) => hosts.map((host) => ({ ...host, reach }));
  return {
    ...desired,
    regions: desired.regions.map((region) => ({
      ...region,
      servers: moved(region.servers),
      members: moved(region.members),
      proxies: moved(region.proxies),
    })),
  };
}

const desired = onMachines(wish());
const healthy = () => observe(World.healthy(desired));

/** `file` of a-2 has somebody's words in it; `told`: by the survey. `program` has been stopped. */
function changed(told: boolean, program?: "consul" | "patroni"): RegionsObserved {
  const observed = withReport(healthy(), "a-2", ({ files, programs }) => ({
    files: { ...files, [file]: edited },
    programs: {
      ...programs,
      ...(programs.patroni && {
        patroni: { ...programs.patroni, installed: { ...programs.patroni.installed, [file]: "other" } },
      }),
      ...(program && programs[program] && { [program]: { ...programs[program], state: "held" as const } }),
    },
  }));
  const facts = observed.hosts["a-2"];
  if (facts?.reach !== "up") throw new Error("a-2 is up");
  return told ? withFacts(observed, "a-2", { ...facts, changedByHand: [file] }) : observed;
}

test("the sample on machines is as it should be", () => {
  expect(planned(healthy(), desired)).toBe("nothing");
});

test("what was changed by hand is left, and said at preview", () => {
  expect(planned(changed(true), desired, "preview")).toBe("nothing");
  const plan = planRegions(changed(true), desired, "preview");
  expect(renderPlan(plan, changed(true), desired)).toContain(
    `a-2: ${file}, changed by hand; this update leaves it so`,
  );
});

test("one that the survey does not call so is going to be written, and taken over", () => {
  expect(planned(changed(false), desired, "preview")).toContain("reload(a-2:patroni)");
});

test("it holds up nothing that has nothing to do with it", () => {
  expect(planned(changed(false), desired, "apply")).toBe("nothing");
});

test("no step brings it into force", () => {
  for (const moment of ["preview", "apply"] as const) {
    const { refusals } = planRegions(changed(true, "patroni"), desired, moment);
    expect(refusals).toEqual([
      {
        code: "E_FILES_STALE",
        message: `a-2: ${file} was changed by hand, and this update would bring that into force. Put it back, first or in the same update: pulumi config set --path 'repair.a-2' "$(date +%FT%T)", then \`pulumi up\``,
      },
    ]);
  }
});

test("a step that reads other files goes on beside it", () => {
  expect(planned(changed(true, "consul"), desired, "preview")).toContain("start(a-2:consul)");
});

test("a host on a machine is repaired by its own name, and has its log in the journal", () => {
  const host = allHosts(desired).find(({ name }) => name === "a-2");
  if (host === undefined) throw new Error("a-2 is in the sample");
  expect(hostWords(host)).toMatchObject({
    unit: "understudy-patroni.service",
    log: "journalctl -u understudy-patroni.service -n 50 on 192.0.2.11",
    putBack: expect.stringContaining("repair.a-2"),
  });
});
