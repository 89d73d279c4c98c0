import { describe, expect, test } from "vitest";
import { act } from "../../../components/roles/act/act.ts";
import { apply, preview } from "../../../components/roles/converge.ts";
import { observe } from "../../../components/roles/observe.ts";
import type { NodeAccess } from "../../../components/roles/session.ts";
import { desired, files, nodeIn, observed } from "../../support/facts.ts";
import { SimFleet } from "../../support/fleet.ts";

const wish = desired("strict");

function fleet(a: Parameters<typeof nodeIn>[0], b: Parameters<typeof nodeIn>[0]): SimFleet {
  return SimFleet.from(
    observed({ a: nodeIn(a, "a", ["b"], "primary"), b: nodeIn(b, "b", ["a"], "standby") }),
    wish,
  );
}

async function converge(nodes: SimFleet, generation = "g2"): Promise<string> {
  const lines: string[] = [];
  await apply({ desired: wish, access: nodes.access(), generation, report: (line) => lines.push(line) });
  return lines.join("\n");
}

describe("apply", () => {
  test("makes a pair from nothing with exactly these calls", async () => {
    const nodes = fleet("empty", "empty");
    await converge(nodes);
    expect(nodes.calls).toEqual([
      "a initdb",
      "a start",
      "a slots",
      "b clone",
      "b start",
      "a awaitStandby",
      "b generation",
      "a generation",
    ]);
  });

  test("on a healthy pair records the generation and nothing else", async () => {
    const nodes = fleet("primary", "standby-streaming");
    await converge(nodes);
    expect(nodes.calls).toEqual(["b generation", "a generation"]);
  });

  test("looks again where it could not see", async () => {
    const nodes = fleet("unit-stopped", "unit-stopped");
    await converge(nodes);
    expect(nodes.calls.slice(0, 3)).toEqual(["a startUnit", "b startUnit", "a awaitStandby"]);
  });

  test("a volume that turned out to be empty is not taken for a database", async () => {
    const nodes = fleet("unit-stopped", "unit-stopped");
    Object.assign(nodes.node("b"), { data: "empty" });
    await converge(nodes);
    expect(nodes.calls).toContain("b clone");
  });

  test("a failing step names itself, the node, the reason and what to do", async () => {
    const nodes = fleet("empty", "empty");
    nodes.refuses.set("b clone", "no route to host");
    await expect(converge(nodes)).rejects.toThrow(
      /copy a to b \(empty\) failed on b: b: no route to host\nThe steps before it are done and stay\. See that the nodes reach each other.*run `pulumi up` again/,
    );
    expect(nodes.calls).not.toContain("a generation");
  });

  test("work that is left after the last step is an error that lists it", async () => {
    const nodes = fleet("primary", "empty");
    // A standby that says it streams and is gone the moment it said so.
    const access = nodes.access();
    const a = access.get("a");
    if (!a) throw new Error("no a");
    const broken: NodeAccess = {
      ...a,
      open: async () => {
        const session = await a.open();
        return {
          ...session,
          call: async (verb, args, limits) => {
            const result = await session.call(verb, args, limits);
            if (verb === "awaitStandby") nodes.node("b").server = "failed";
            return result;
          },
        };
      },
    };
    access.set("a", broken);
    const run = apply({ desired: wish, access, generation: "g2", report: () => undefined });
    await expect(run).rejects.toThrow(/still finds work:\n {2}start PostgreSQL on b as standby/);
  });

  test("a server that comes up in another role than planned stops everything", async () => {
    const nodes = fleet("empty", "empty");
    const access = nodes.access();
    nodes.node("a").data = "ready";
    nodes.node("a").standby = true;
    const run = act([{ kind: "start", node: "a", as: "primary" }], {
      access,
      timeoutSeconds: 1,
      report: () => undefined,
    });
    await expect(run).rejects.toThrow("it came up as standby and should be primary");
  });

  test("shows each step with its time", async () => {
    expect(await converge(fleet("empty", "empty"))).toMatch(
      /\+\d+ ms {2}4\/6 {2}copy a to b \(empty\)\n +\+\d+ ms {5}40000000 bytes/,
    );
  });
});

describe("preview", () => {
  const look = (nodes: SimFleet, wanted = wish) =>
    preview({ desired: wanted, access: nodes.access(), now: () => new Date("2026-01-01T00:00:00Z") });

  test("nothing to do keeps the generation, so that the resource does not run", async () => {
    const made = await look(fleet("primary", "standby-streaming"));
    expect(made).toMatchObject({
      generation: "g1",
      steps: [],
      text: "Nothing to do; a leads.",
    });
  });

  test.each([
    ["work", "primary", "empty"],
    ["a refusal", "primary", "primary"],
    ["a stopped container", "unit-stopped", "standby-lagging"],
  ] as const)("%s proposes a new one", async (_what, a, b) => {
    expect((await look(fleet(a, b))).generation).toBe("2026-01-01T00:00:00.000Z");
  });

  test("a converge that was cut off before it could record is run again", async () => {
    const nodes = fleet("primary", "standby-streaming");
    nodes.node("a").generation = null;
    expect(await look(nodes)).toMatchObject({ steps: [], generation: "2026-01-01T00:00:00.000Z" });
  });

  test("changes nothing", async () => {
    const nodes = fleet("empty", "empty");
    await look(nodes);
    expect(nodes.calls).toEqual([]);
  });

  test("its steps are the ones that run", async () => {
    const nodes = fleet("empty", "half-built");
    const { steps } = await look(nodes);
    await converge(nodes);
    const verbs = nodes.calls.filter((call) => !call.endsWith("generation"));
    expect(steps.map((step) => `${step.node} ${step.kind}`)).toEqual(verbs);
  });

  test("reads like this", async () => {
    const nodes = fleet("primary", "standby-streaming");
    const wanted = {
      ...wish,
      nodes: wish.nodes.map((n) => ({ ...n, files: files({ max_connections: 200 }) })),
    };
    expect((await look(nodes, wanted)).text).toMatchInlineSnapshot(`
      "a: postgresql.conf
        - max_connections = '100'
        + max_connections = '200'
          max_wal_senders = '10'
          work_mem = '4MB'

      b: postgresql.conf
        - max_connections = '100'
        + max_connections = '200'
          max_wal_senders = '10'
          work_mem = '4MB'

      4 steps, a leads:
         1  restart PostgreSQL on b, the standby (max_connections)
            commits wait while it is away, about 1 s
         2  wait until b follows a
         3  restart PostgreSQL on a, the primary (max_connections)
            clients are disconnected, no writes for about 1 s and until its standby is in sync
         4  wait until b follows a

      To know:
        N_WRITE_GAP  a takes writes and is restarted: clients are disconnected and writes stop for about a second, until its standby is in sync again."
    `);
  });

  test("says where it cannot see further, and why it refuses", async () => {
    expect((await look(fleet("unit-stopped", "standby-lagging"))).text).toMatchInlineSnapshot(`
      "2 steps, a leads:
         1  start the container of a
            PostgreSQL comes up in the role that its data directory has
            … then the nodes are looked at again, because that could not be seen from outside; expected then:
         2  wait until b follows a

      To know:
        N_CATALOG_UNSEEN  Roles and databases are compared when a answers; what is missing of them is made then."
    `);
    expect((await look(fleet("empty", "standby-lagging"))).text).toMatchInlineSnapshot(`
      "Refused; nothing is changed.
        E_NO_PRIMARY  No node can lead: a is empty, b is standby-lagging. The data is on b: make it the active site, or restore a from a backup."
    `);
  });
});

describe("observe", () => {
  test("a node that never answers becomes a fact in time", async () => {
    const hanging = { observe: () => new Promise(() => undefined) } as unknown as NodeAccess;
    const throwing = { observe: () => Promise.reject(new Error("broken")) } as unknown as NodeAccess;
    const access = new Map([
      ["a", hanging],
      ["b", throwing],
    ]);
    expect((await observe(access, { catalogOf: "a", limitMs: 20 })).nodes).toEqual({
      a: { reach: "unreachable", reason: "no answer within 0.02 s" },
      b: { reach: "unreachable", reason: "broken" },
    });
  });

  test("only the active node is asked for its catalog", async () => {
    const asked: string[] = [];
    const node = (name: string): NodeAccess =>
      ({
        observe: async ({ catalog }: { catalog: boolean }) => {
          if (catalog) asked.push(name);
          return { reach: "absent", data: "none" };
        },
      }) as unknown as NodeAccess;
    await observe(new Map(["a", "b"].map((name) => [name, node(name)])), { catalogOf: "b" });
    expect(asked).toEqual(["b"]);
  });
});
