/** Converge against real servers, without Pulumi: every way in which a pair can be found is brought back by `apply`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { desiredState } from "../../components/desiredState.ts";
import { accessTo, closeAll } from "../../components/hosts/access.ts";
import { apply, type Preview, preview } from "../../components/roles/converge.ts";
import type { Desired } from "../../components/roles/desired.ts";
import type { NodeAccess } from "../../components/roles/session.ts";
import { docker } from "../node/docker.ts";
import { Pair } from "../node/pair.ts";

describe("a strict pair", () => {
  let pair: Pair;
  let access: Map<string, NodeAccess>;

  beforeAll(async () => {
    pair = await Pair.create({ synchronous: "strict" });
    access = accessTo(desired().nodes);
  });
  afterAll(async () => {
    await closeAll(access ?? new Map());
    await pair?.remove();
  });

  function desired(): Desired {
    const wish = desiredState(pair.deployment(), { "site-a": "{}\n", "site-b": "{}\n" }, {});
    const reach = (name: string) => {
      const container = `${pair.name}-${name}`;
      return { kind: "docker", container, dataVolume: `${container}-data`, image: "" } as const;
    };
    return { ...wish, nodes: wish.nodes.map((node) => ({ ...node, reach: reach(node.name) })) };
  }

  const look = (): Promise<Preview> => preview({ desired: desired(), access });

  /** What preview shows is what runs; afterwards nothing is left. */
  async function converge(generation: string): Promise<string[]> {
    const { steps, refusals } = await look();
    expect(refusals).toEqual([]);
    await apply({ desired: desired(), access, generation, report: () => undefined });
    expect(await look()).toMatchObject({ steps: [], refusals: [], generation });
    return steps.map((step) => `${step.kind} ${step.node}`);
  }

  it("is made from nothing", async () => {
    expect(await converge("g1")).toEqual([
      "initdb site-a",
      "start site-a",
      "slots site-a",
      "clone site-b",
      "start site-b",
      "awaitStandby site-a",
      "sql site-a",
      "password site-a",
      "sql site-a",
    ]);
    expect(await pair.a.clientSql("CREATE TABLE t (n int); INSERT INTO t VALUES (1) RETURNING n")).toBe("1");
  });

  it("is left alone when there is nothing to do", async () => {
    const before = [await pair.a.postmaster(), await pair.b.postmaster()];
    expect(await converge("g2")).toEqual([]);
    expect([await pair.a.postmaster(), await pair.b.postmaster()]).toEqual(before);
  });

  it("gets its killed standby back", async () => {
    await docker("kill", pair.b.container);
    expect(await converge("g3")).toEqual(["startUnit site-b", "awaitStandby site-a"]);
  });

  it("gets its killed primary back, as primary, with its data", async () => {
    await docker("kill", pair.a.container);
    await converge("g4");
    expect(await pair.a.clientSql("SELECT n FROM t")).toBe("1");
  });

  it("gets both back", async () => {
    await docker("kill", pair.a.container, pair.b.container);
    await converge("g5");
    expect(await pair.a.clientSql("SELECT n FROM t")).toBe("1");
  });

  it("gets a standby whose data was deleted back", async () => {
    await pair.b.call("stop", { timeoutSeconds: 30 });
    await pair.b.exec("sh", "-c", "rm -rf /var/lib/understudy/pgdata");
    expect(await converge("g6")).toEqual(["clone site-b", "start site-b", "awaitStandby site-a"]);
  });

  it("gets a standby whose slot was dropped back", async () => {
    await pair.b.call("stop", { timeoutSeconds: 30 });
    await pair.a.sql("SELECT pg_drop_replication_slot('site_b')");
    expect(await converge("g7")).toEqual(["slots site-a", "start site-b", "awaitStandby site-a"]);
  });

  it("refuses to make a database in the place of a lost one", async () => {
    await pair.a.call("stop", { timeoutSeconds: 30 });
    await pair.a.exec("mv", "/var/lib/understudy/pgdata", "/var/lib/understudy/elsewhere");
    const run = apply({ desired: desired(), access, generation: "g8", report: () => undefined });
    await expect(run).rejects.toThrow(/E_NO_PRIMARY.*site-a is empty.*The data is on site-b/);
    await pair.a.exec("mv", "/var/lib/understudy/elsewhere", "/var/lib/understudy/pgdata");
    await converge("g8");
  });

  it("reloads what can be reloaded, and restarts what cannot, standby first", async () => {
    pair.options = { ...pair.options, settings: { work_mem: "9MB" } };
    const before = await pair.a.postmaster();
    await Promise.all(pair.nodes.map((node) => node.install()));
    expect(await converge("g9")).toEqual(["reload site-b", "reload site-a"]);
    expect(await pair.a.postmaster()).toBe(before);
    expect(await pair.a.sql("SHOW work_mem")).toBe("9MB");

    const restarts = (first: string, second: string) =>
      [first, second].flatMap((n) => [`restart ${n}`, "awaitStandby site-a"]);
    for (const [connections, order] of [
      [250, restarts("site-b", "site-a")],
      [60, restarts("site-a", "site-b")],
    ] as const) {
      pair.options = { ...pair.options, settings: { work_mem: "9MB", max_connections: connections } };
      await Promise.all(pair.nodes.map((node) => node.install()));
      expect((await converge(`connections ${connections}`)).filter((s) => !s.startsWith("reload"))).toEqual(
        order,
      );
      expect(await pair.b.sql("SHOW max_connections")).toBe(String(connections));
    }
  });
});
