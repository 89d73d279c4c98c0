import { describe, expect, test } from "vitest";
import { planRegions } from "../../../../components/regions/plan/plan.ts";
import { converge } from "./apply.ts";
import { observe } from "./observed.ts";
import { server, wish, withFile, withRegionWish } from "./sample.ts";
import { planned, withReport } from "./short.ts";
import { World } from "./world.ts";

const five = withRegionWish(wish(), "a", ({ servers }) => ({
  servers: [...servers, server("a", 4), server("a", 5)],
}));

describe("servers", () => {
  test("3 → 5: each gets its vote", () => {
    const world = World.healthy(five);
    world.region("a").peers = ["a-consul-1", "a-consul-2", "a-consul-3"];
    expect(planned(observe(world), five)).toBe("awaitVoters(a-consul-4) awaitVoters(a-consul-5)");
  });

  test("5 → 3: one at a time, when the others are well, by one that stays", () => {
    const world = World.healthy(five);
    world.region("a").peers = ["a-consul-5", "a-consul-4", "a-consul-1", "a-consul-2", "a-consul-3"];
    // The one that leads is the last to go.
    expect(planned(observe(world), wish())).toBe(
      "removeServer(a-consul-4) removeServer(a-consul-5) awaitVoters(a-consul-1)",
    );
    expect(converge(world, wish()).refused).toEqual([]);
    expect(planned(observe(world), wish())).toBe("nothing");
  });

  test("a replacement has its vote before the old one goes", () => {
    const replaced = withRegionWish(wish(), "a", ({ servers }) => ({
      servers: [...servers.slice(1), server("a", 4)],
    }));
    const world = World.healthy(replaced);
    world.region("a").peers = ["a-consul-1", "a-consul-2", "a-consul-3"];
    expect(planned(observe(world), replaced)).toBe(
      "awaitVoters(a-consul-4) removeServer(a-consul-1) awaitVoters(a-consul-2)",
    );
  });

  test("never where those that stay are no majority", () => {
    const world = World.healthy(five);
    world.region("a").peers = [1, 2, 3, 4, 5].map((n) => `a-consul-${n}`);
    for (const n of [1, 2]) world.host(`a-consul-${n}`).unit = "stopped";
    expect(planRegions(observe(world), wish()).steps.map(({ kind }) => kind)).not.toContain("removeServer");
    expect(converge(world, wish()).refused).toEqual([]);
    expect(planned(observe(world), wish())).toBe("nothing");
  });

  test("none leaves, and it is said why, while one that stays takes no part", () => {
    const world = World.healthy(five);
    world.region("a").peers = [1, 2, 3, 4, 5].map((n) => `a-consul-${n}`);
    const deaf = withReport(observe(world), "a-consul-2", () => ({ consul: null }));
    const { refusals, steps } = planRegions(deaf, wish());
    expect(steps).toEqual([]);
    expect(refusals.map(({ code }) => code)).toEqual(["E_CONSUL_QUORUM"]);
    expect(refusals[0]?.message).toMatch(
      /a-consul-4, a-consul-5 .* a-consul-2 has a Consul that does not answer/,
    );
  });

  test("a preview says that it cannot see who would leave where nobody leads; a new cluster is nothing to see", () => {
    const world = World.healthy(five);
    Object.assign(world.region("a"), { led: false, peers: [] });
    const codes = (found: ReturnType<typeof observe>) =>
      planRegions(found, wish(), "preview").notices.map(({ code }) => code);
    expect(codes(observe(world))).toContain("N_CONSUL_UNLED");
    expect(codes(observe(World.healthy(five)))).not.toContain("N_CONSUL_UNLED");
    const unmade = new World(wish());
    for (const host of Object.values(unmade.hosts)) host.unit = "absent";
    expect(codes(observe(unmade))).not.toContain("N_CONSUL_UNLED");
  });

  test("another list of servers restarts and reloads nobody", () => {
    const start = JSON.stringify({ retry_join: ["10.0.0.9"], bootstrap_expect: 5 });
    const desired = wish()
      .regions.flatMap(({ servers, members }) => [...servers, ...members])
      .reduce((made, { name }) => withFile(made, name, "consul-start.json", start), wish());
    expect(planned(observe(World.healthy(wish())), desired, "preview")).toBe("nothing");
  });

  test("a member of gossip that is gone for good is forgotten", () => {
    const world = World.healthy(wish());
    world.region("a").failed = ["a-9", "a-2"];
    expect(planned(observe(world), wish())).toBe("forgetNode(a-9)");
  });

  test("one that has left and is still known to a single server is forgotten, unless another says that it lives", () => {
    const known = (status: string) => [{ node: "a-9", status, server: true }];
    const late = withReport(observe(World.healthy(wish())), "a-consul-3", ({ consul }) => ({
      consul: consul && { ...consul, members: known("left") },
    }));
    expect(planned(late, wish())).toBe("forgetNode(a-9)");
    const alive = withReport(late, "a-consul-2", ({ consul }) => ({
      consul: consul && { ...consul, members: known("alive") },
    }));
    expect(planned(alive, wish())).toBe("nothing");
  });

  test("Autopilot that is not content is waited for", () => {
    const observed = withReport(observe(World.healthy(wish())), "a-consul-1", ({ consul }) => ({
      consul: consul && { ...consul, healthy: false },
    }));
    expect(planned(observed, wish())).toBe("awaitVoters(a-consul-1)");
  });
});

describe("access", () => {
  test("a policy or a token that differs is granted anew, and named", () => {
    const rules = 'node_prefix "" { policy = "write" }\n';
    const desired = withRegionWish(wish(), "b", ({ access }) => ({
      access: {
        policies: [{ name: "dns", description: "", rules }],
        tokens: { ...access.tokens, app: ["dns"] },
      },
    }));
    const { steps } = planRegions(observe(World.healthy(wish())), desired);
    expect(steps).toEqual([
      { kind: "grant", host: "b-consul-1", changed: ["policy dns", "token app is new"] },
    ]);
  });

  test("a member whose token is not known yet is waited for", () => {
    const observed = withReport(observe(World.healthy(wish())), "a-2", ({ consul }) => ({
      consul: consul && { ...consul, tokenValid: false },
    }));
    expect(planned(observed, wish())).toBe("awaitConsul(a-2)");
  });
});

describe("files", () => {
  test("a new gossip key is brought into use before the agents read its file", () => {
    const world = World.healthy(wish());
    for (const [name, host] of Object.entries(world.hosts)) {
      if (name.startsWith("b") && !name.endsWith("proxy")) host.secret.installed = "2";
    }
    expect(planned(observe(world), wish())).toMatch(
      /^useGossipKey\(b-consul-1\) reload\(b-consul-2:consul\) reload\(b-consul-3:consul\) reload\(b-consul-1:consul\) reload\(b-1:consul\)/,
    );
    expect(converge(world, wish()).refused).toEqual([]);
    expect(planned(observe(world), wish())).toBe("nothing");
  });

  test("servers are restarted one at a time and Raft's leader last, each with its vote back before the next", () => {
    const desired = [1, 2, 3].reduce(
      (made, n) => withFile(made, `a-consul-${n}`, "consul.json", "{ }\n"),
      wish(),
    );
    const expected = [2, 3, 1]
      .map((n) => `restart(a-consul-${n}:consul) awaitVoters(a-consul-${n})`)
      .join(" ");
    expect(planned(observe(World.healthy(wish())), desired, "preview")).toBe(expected);
  });

  test("a member's agent is restarted beside its Patroni", () => {
    const desired = withFile(wish(), "a-1", "consul.json", "{ }\n");
    expect(planned(observe(World.healthy(wish())), desired, "preview")).toBe(
      "restart(a-1:consul) awaitConsul(a-1)",
    );
  });

  test("HAProxy reloads", () => {
    const desired = withFile(wish(), "a-proxy", "haproxy.cfg", "global\n");
    expect(planned(observe(World.healthy(wish())), desired, "preview")).toBe("reload(a-proxy:haproxy)");
  });
});
