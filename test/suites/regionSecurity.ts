/** What is refused to whom: row 27 of the acceptance matrix, asked of regions that serve. */
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { onDemandImageTag } from "../../components/hosts/containers/images.ts";
import { clientFor, type Target } from "../support/client.ts";
import { askConsul } from "../support/consulAdmin.ts";
import { eventually } from "../support/nodes.ts";
import { rest } from "../support/patroniRest.ts";
import type { RegionStack } from "../support/regionStack.ts";
import { docker } from "../support/stack.ts";

const run = promisify(execFile);

export function regionSecurity(regions: RegionStack): void {
  describe("(27) refused", () => {
    function target(): Target {
      const [first] = regions.access.targets;
      if (!first) throw new Error("no target");
      return first;
    }

    test("a client without TLS, with another CA, by another name, with a wrong password", async () => {
      const plain = clientFor(regions.access, target());
      Object.assign(plain, { ssl: false });
      (plain as unknown as { connection: { ssl: boolean } }).connection.ssl = false;
      await expect(plain.connect()).rejects.toThrow(/pg_hba.conf|no encryption/);
      await expect(clientFor({ ...regions.access, ca: "" }, target()).connect()).rejects.toThrow();
      await expect(
        clientFor(regions.access, { ...target(), host: "other.example.test" }).connect(),
      ).rejects.toThrow(/altnames/);
      await expect(clientFor({ ...regions.access, password: "wrong" }, target()).connect()).rejects.toThrow(
        /password authentication failed/,
      );
    });

    test("the deployment's own roles, to a client without its certificate", async () => {
      for (const user of ["postgres", "replicator", "rewinder", "verifier"]) {
        const client = clientFor({ ...regions.access, user, database: "postgres" }, target());
        await expect(client.connect(), user).rejects.toThrow(/pg_hba.conf|certificate|rejects/);
      }
    });

    test("Patroni's unsafe verbs, without a client certificate", async () => {
      const leader = await regions.leader();
      const before = await regions.incarnations();
      const asked = [
        ["POST", "/switchover", { leader }],
        ["POST", "/failover", { candidate: await regions.syncStandby() }],
        ["POST", "/restart", {}],
        ["POST", "/reload", {}],
        ["POST", "/reinitialize", {}],
        ["PATCH", "/config", { pause: true }],
        ["PUT", "/config", {}],
        ["DELETE", "/restart", undefined],
        ["DELETE", "/switchover", undefined],
      ] as const;
      for (const [method, path, body] of asked) {
        const answer = await rest(regions.rest(leader), path, {
          method,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        expect(answer.status, `${method} ${path}: ${answer.body}`).toBe(403);
      }
      expect(await regions.incarnations()).toBe(before);
    });

    test("Patroni's interface, to whoever has another CA", async () => {
      const place = regions.rest(await regions.leader());
      await expect(rest({ ...place, ca: "" }, "/patroni")).rejects.toThrow();
      await expect(rest({ ...place, name: "other.example.test" }, "/patroni")).rejects.toThrow(/altnames/);
    });

    test("another scope's keys, another host's session and the rules, with a member's token; anything without one", async () => {
      const [member, other] = regions.members(regions.active);
      if (!member || !other) throw new Error("too few members");
      const scope = regions.wish.regions[0]?.scope;
      const container = regions.container(member.name);
      const file = await docker("exec", container, "cat", "/etc/understudy/secrets/patroni.yml");
      const token = /token: *"?([\w-]+)/.exec(file)?.[1] ?? "";
      const get = (path: string, as: string) => ({ method: "GET" as const, path, token: as });
      const put = (path: string, body: unknown) => ({ method: "PUT" as const, path, token, body });
      const answers = await askConsul(container, "127.0.0.1", [
        get(`/v1/kv/service/${scope}/leader`, token),
        put("/v1/kv/service/other/leader", "mine"),
        put(`/v1/kv/service/${scope}2/leader`, "mine"),
        put("/v1/session/create", { Node: other.name, TTL: "10s" }),
        get("/v1/acl/tokens", token),
        get(`/v1/kv/service/${scope}/leader`, ""),
        put("/v1/agent/leave", undefined),
      ]);
      expect(answers.map(([status]) => status)).toEqual([200, 403, 403, 403, 403, 403, 403]);
    });

    test("Consul's interface, on another host: an agent's to everybody, a server's to whoever has no certificate", async () => {
      for (const { name, address } of regions.members(regions.active))
        for (const port of [8500, 8501]) expect(await answers(address, port), `${name}:${port}`).toBe(false);
      for (const { name, address } of regions.servers(regions.active)) {
        expect(await answers(address, 8500), name).toBe(false);
        const place = { name, address, port: 8501, ca: regions.access.ca };
        await expect(rest(place, "/v1/status/leader"), name).rejects.toThrow(
          /certificate required|bad certificate|socket hang up|ECONNRESET/,
        );
      }
    });

    test("a stranger in gossip, who has no key", async () => {
      const name = regions.stack.name;
      const [server] = regions.servers(regions.active);
      const container = await docker(
        "run",
        "-d",
        ...["--label", `understudy.deployment=${name}`, "--network", await networkOf(regions)],
        ...["--entrypoint", "consul", onDemandImageTag("consul"), "agent", "-data-dir", "/tmp/consul"],
        ...["-node", "stranger", "-datacenter", regions.active, "-retry-join", server?.address ?? ""],
      );
      try {
        await eventually(30, "it was turned away", async () => {
          return /Join cluster failed|[Ff]ailed to join/.test(await logs(container)) || undefined;
        });
        const { consul } = await regions.call(server?.name ?? "", "observe", {});
        expect(consul?.members.map(({ node }) => node)).not.toContain("stranger");
        expect(consul?.members.length).toBeGreaterThan(3);
      } finally {
        await docker("rm", "-f", "-v", container);
      }
    });
  });
}

/** An agent tells them on its standard output, Docker's client what it cannot do on the other. */
async function logs(container: string): Promise<string> {
  const { stdout, stderr } = await run("docker", ["logs", container]);
  return stdout + stderr;
}

async function networkOf(regions: RegionStack): Promise<string> {
  const container = regions.container(regions.hosts()[0]?.name ?? "");
  return await docker(
    "inspect",
    "-f",
    "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}",
    container,
  );
}

async function answers(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.on("connect", () => end(true));
    socket.on("timeout", () => end(false));
    socket.on("error", () => end(false));
  });
}
