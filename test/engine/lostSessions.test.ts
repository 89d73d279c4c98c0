/**
 * Clients of a server that HAProxy marks down, with the agent beside a real HAProxy: those of its worker, those that
 * reloads have left with older ones, and one who is being connected at that moment.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { haproxyCfg, initialState } from "../../components/haproxy/haproxyCfg.ts";
import { onDemandImageTag } from "../../components/hosts/containers/images.ts";
import { agentSources } from "../../components/regions/agentSources.ts";
import { programsOf } from "../../components/regions/render/programs.ts";
import { dockerWith } from "../node/docker.ts";
import { haproxyInput } from "../unit/haproxy/sample.ts";
import { regionNamed, twoRegions } from "../unit/regions/render/sample.ts";

const script = readFileSync(new URL("../support/proxySessions.py", import.meta.url), "utf8");
const { intervalMs, fastIntervalMs, fall } = haproxyInput.checks;
/** An answer that says no comes at once; a second for everything else. */
const cutLimitSeconds = (intervalMs + (fall - 1) * fastIntervalMs + 1000) / 1000;
/** `timeout connect`, and the same second. */
const connectLimitSeconds = 5;

interface Report {
  readonly workersLeft: number;
  readonly stillServed: readonly boolean[];
  readonly left: readonly (number | null)[];
  readonly fresh: readonly (number | null)[];
  readonly connecting: number | null;
  readonly streamsLeft: number;
}

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ["scripts/image.ts", "haproxy"]);
});

test("all of them are let go, and no reload costs one whose server is well", async () => {
  const deployment = twoRegions();
  const [proxy] = regionNamed(deployment, "region-a").proxies;
  if (proxy === undefined) throw new Error("there is no proxy");
  const input = {
    ...haproxyInput,
    listenAddress: "127.0.0.1",
    adminSocket: "/run/understudy/haproxy.sock",
    stateFile: "/etc/understudy/haproxy.state",
    servers: ["a", "b"].map((name, index) => ({
      name,
      address: "127.0.0.1",
      postgresPort: 6001 + index,
      restPort: 7001 + index,
    })),
  };
  const given = {
    sources: agentSources(),
    files: {
      "haproxy.cfg": haproxyCfg(input).replaceAll(/ check-ssl .*/g, ""),
      "haproxy.state": initialState(input),
    },
    command: programsOf(deployment, proxy)[0]?.command,
  };
  const container = ["run", "--rm", "-i", "--name", `test-lost-sessions-${process.pid}`, "--network", "none"];
  const said = await dockerWith(
    JSON.stringify(given),
    ...[...container, "-u", "0", "--entrypoint", "python3", onDemandImageTag("haproxy"), "-c", script],
  );
  const report = JSON.parse(said.trim().split("\n").at(-1) ?? "") as Report;
  console.log(
    `cut after ${report.fresh} s, left behind by reloads ${report.left} s; connecting for ${report.connecting} s`,
  );
  expect(report.workersLeft).toBe(2);
  expect(report.stillServed).toEqual([true, true, true, true]);
  for (const seconds of [...report.left, ...report.fresh]) {
    expect(seconds ?? Number.POSITIVE_INFINITY).toBeLessThan(cutLimitSeconds);
  }
  expect(report.connecting ?? Number.POSITIVE_INFINITY).toBeLessThan(connectLimitSeconds);
  expect(report.streamsLeft).toBe(0);
});
