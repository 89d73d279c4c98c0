/** The rendered name server and the update client against each other: bind is the oracle for both. */
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { lookUp } from "../../components/dns/lookup.ts";
import type { RecordRequest } from "../../components/dns/rfc2136Server.ts";
import { deleteRecord, ensureRecord, type RecordWish, show } from "../../components/dns/update.ts";
import {
  CONFIG_DIRECTORY,
  KEY_FILE,
  keyFile,
  keyName,
  NAME_SERVER_PORT,
  nameServerFiles,
} from "../../components/dns/zone.ts";
import { accountNumbers } from "../../components/hosts/containers/images.ts";
import { eventually } from "../support/nodes.ts";
import { pair } from "../unit/postgres/sample.ts";

const run = promisify(execFile);
const container = `rnd-dns-${process.pid}`;
const deployment = pair();
const secret = randomBytes(32).toString("base64");
const [a, b] = ["10.86.0.11", "10.86.0.12"] as const;
let port = 0;

async function docker(...args: string[]): Promise<string> {
  return (await run("docker", args)).stdout.trim();
}

async function write(path: string, content: string): Promise<void> {
  const encoded = Buffer.from(content).toString("base64");
  await docker(
    "exec",
    "-u",
    "0",
    container,
    "sh",
    "-ec",
    `mkdir -p $(dirname ${path}); printf %s ${encoded} | base64 -d > ${path}`,
  );
}

function wish(change: Partial<RecordWish> = {}, keySecret = secret): RecordWish {
  const key = { name: keyName(deployment), secret: keySecret };
  const server = { host: "127.0.0.1", port, key };
  return {
    server,
    zone: deployment.domain,
    name: "db.ha.example.test",
    type: "A",
    ttl: 5,
    value: a,
    ...change,
  };
}

/** The script as Pulumi runs it. */
async function script(
  verb: string,
  change: Partial<RecordRequest> = {},
): Promise<{ code: number; out: string; err: string }> {
  const { server, zone, name, type, ttl, value } = wish();
  const key = { keyName: server.key.name, keySecret: server.key.secret };
  const request = {
    host: server.host,
    port,
    zone,
    ...key,
    incarnation: null,
    name,
    type,
    ttl,
    value,
    ...change,
  };
  const child = spawn(process.execPath, ["scripts/dnsRecord.ts", verb], {
    env: { ...process.env, UNDERSTUDY_DNS_PATIENCE_MS: "2000" },
  });
  child.stdin.end(JSON.stringify(request));
  const code = new Promise<number>((resolve) => child.on("close", (value) => resolve(value ?? -1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out: out.trim(), err: err.trim() };
}

async function answered(): Promise<void> {
  // A stopped container has no port; after each start it is another one.
  const published = await docker("port", container, `${NAME_SERVER_PORT}/tcp`);
  port = Number(published.split("\n")[0]?.split(":").at(-1));
  await eventually(10, "an answer", () => lookUp({ host: "127.0.0.1", port }, deployment.domain, "A", 500));
}

beforeAll(async () => {
  const image = (await run(process.execPath, ["scripts/image.ts", "dns"])).stdout.trim();
  const publish = ["-p", `127.0.0.1::${NAME_SERVER_PORT}/tcp`, "-p", `127.0.0.1::${NAME_SERVER_PORT}/udp`];
  const hardened = ["--user", accountNumbers.bind, "--security-opt", "no-new-privileges"];
  const waiting = `while [ ! -e ${CONFIG_DIRECTORY}/ready ]; do sleep 0.1; done; exec sh ${CONFIG_DIRECTORY}/start.sh`;
  await docker(
    "run",
    "-d",
    "--name",
    container,
    ...hardened,
    ...publish,
    "--entrypoint",
    "sh",
    image,
    "-c",
    waiting,
  );
  for (const [name, content] of Object.entries(nameServerFiles(deployment))) {
    await write(`${CONFIG_DIRECTORY}/${name}`, content);
  }
  await write(KEY_FILE, keyFile(deployment, secret));
  await write(`${CONFIG_DIRECTORY}/ready`, "");
  await answered();
});

afterAll(async () => {
  await docker("rm", "-fv", container);
});

describe("what is rendered", () => {
  test("is accepted by bind's own checkers", async () => {
    await docker("exec", container, "named-checkconf", "-z", `${CONFIG_DIRECTORY}/named.conf`);
    const zone = await docker(
      "exec",
      container,
      "named-checkzone",
      deployment.domain,
      `${CONFIG_DIRECTORY}/initial.zone`,
    );
    expect(zone).toContain("loaded serial 1\nOK");
  });

  test("answers on port 53 as well, for resolvers in the deployment's network", async () => {
    const ns = await docker(
      "exec",
      container,
      "dig",
      "+short",
      "@127.0.0.1",
      "-p",
      "53",
      "ns.ha.example.test",
    );
    expect(ns).toBe("10.86.0.2");
  });

  test.each([
    ["recursion", ["A", "example.org"], "status: REFUSED"],
    ["a transfer without the key", ["AXFR", "ha.example.test"], "Transfer failed"],
    ["its version", ["CH", "TXT", "version.bind"], "ANSWER: 0"],
  ])("refuses %s", async (_, question, expected) => {
    const answer = await docker(
      "exec",
      container,
      "dig",
      "@127.0.0.1",
      "-p",
      String(NAME_SERVER_PORT),
      ...question,
    );
    expect(answer).toContain(expected);
  });
});

describe("a record", () => {
  beforeEach(async () => {
    const { values } = await lookUp(wish().server, wish().name, "A", 1000);
    for (const value of values) await deleteRecord(wish({ value }));
  });

  test("is created, left alone, changed in value and TTL, and deleted", async () => {
    expect(await ensureRecord(wish())).toEqual({ changed: true, before: { values: [], ttl: 0 } });
    expect(await ensureRecord(wish())).toEqual({ changed: false, before: { values: [a], ttl: 5 } });
    expect(await ensureRecord(wish({ value: b, ttl: 7 }))).toEqual({
      changed: true,
      before: { values: [a], ttl: 5 },
    });
    expect(await ensureRecord(wish({ value: b, ttl: 9 }))).toMatchObject({ changed: true });
    expect(await lookUp(wish().server, wish().name, "A", 1000)).toEqual({ values: [b], ttl: 9 });
    const dig = await docker(
      "exec",
      container,
      "dig",
      "+noall",
      "+answer",
      "@127.0.0.1",
      "-p",
      "5353",
      wish().name,
    );
    expect(dig.split(/\s+/)).toEqual(["db.ha.example.test.", "9", "IN", "A", b]);
    expect(await deleteRecord(wish({ value: b }))).toMatchObject({ changed: true });
    expect(show(await lookUp(wish().server, wish().name, "A", 1000))).toBe("not there");
  });

  test("may be an IPv6 address, however it is spelt", async () => {
    const six = { type: "AAAA", name: "site-a.ha.example.test", value: "FD00:0::10.86.0.11" } as const;
    expect(await ensureRecord(wish(six))).toMatchObject({ changed: true });
    expect(await ensureRecord(wish({ ...six, value: "fd00::a56:b" }))).toMatchObject({ changed: false });
    expect(await deleteRecord(wish(six))).toMatchObject({ changed: true });
  });

  test("that is something else than expected is not overwritten", async () => {
    await ensureRecord(wish({ value: b }));
    await expect(ensureRecord(wish({ expectedOld: "10.86.0.99" }))).rejects.toThrow(
      "db.ha.example.test was to change from 10.86.0.99 to 10.86.0.11, but it is 10.86.0.12 (TTL 5): something else " +
        "writes this name. It was left as it is; find out what that is, and run again.",
    );
    await expect(ensureRecord(wish({ expectedOld: null }))).rejects.toThrow(/from not there to 10.86.0.11/);
    expect(await ensureRecord(wish({ expectedOld: b }))).toMatchObject({ changed: true });
  });

  test("is changed by one of many at the same time; the others are told who was first", async () => {
    const values = Array.from({ length: 12 }, (_, i) => `10.86.1.${i}`);
    await ensureRecord(wish());
    const outcomes = await Promise.allSettled(
      values.map((value) => ensureRecord(wish({ value, expectedOld: a }))),
    );
    const won = outcomes.flatMap((outcome, i) => (outcome.status === "fulfilled" ? [values[i]] : []));
    expect(won).toHaveLength(1);
    expect((await lookUp(wish().server, wish().name, "A", 1000)).values).toEqual(won);
    const lost = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [String(outcome.reason)] : [],
    );
    expect(lost.filter((reason) => !reason.includes(`but it is ${won[0]}`))).toEqual([]);
  });

  test("that somebody else changed is not deleted", async () => {
    await ensureRecord(wish({ value: b }));
    expect(await deleteRecord(wish({ value: a }))).toEqual({
      changed: false,
      before: { values: [b], ttl: 5 },
    });
  });

  test("outlives a kill of the server: it is in the journal when the update is answered", async () => {
    await ensureRecord(wish({ value: b }));
    await docker("kill", container);
    expect(await docker("exec", container, "true").catch(() => "down")).toBe("down");
    await docker("start", container);
    await answered();
    expect(await lookUp(wish().server, wish().name, "A", 1000)).toEqual({ values: [b], ttl: 5 });
  });
});

describe("what the server refuses", () => {
  const other = "10.86.0.66";

  test("a key with another secret", async () => {
    await expect(ensureRecord(wish({ value: other }, randomBytes(32).toString("base64")))).rejects.toThrow(
      `the name server at 127.0.0.1:${port} has another secret for the key "understudy.ha.example.test"`,
    );
  });

  test("a key that it does not know", async () => {
    const server = { ...wish().server, key: { name: "nobody", secret } };
    await expect(ensureRecord(wish({ server, value: other }))).rejects.toThrow(
      /does not know the key "nobody"/,
    );
  });

  test("a clock that is wrong, with the difference", async () => {
    const now = () => new Date(Date.now() - 3_600_000);
    await expect(ensureRecord(wish({ now, value: other }))).rejects.toThrow(
      /the clocks differ by (3599|360\d) s .*set them right/,
    );
  });

  test("a name outside the zone", async () => {
    await expect(ensureRecord(wish({ name: "db.example.org" }))).rejects.toThrow(
      /answers REFUSED to "db.example.org"/,
    );
  });

  test("a name that the key may not change", async () => {
    await expect(ensureRecord(wish({ name: "ha.example.test" }))).rejects.toThrow(/update-policy/);
  });

  test("nothing, because it is not there", async () => {
    const server = { ...wish().server, port: 1 };
    await expect(ensureRecord(wish({ server }))).rejects.toThrow(
      /127.0.0.1:1 cannot be reached: .*ECONNREFUSED/,
    );
  });
});

describe("a new configuration", () => {
  test("is loaded without a restart, and a broken one is not", async () => {
    const startedAt = await docker("inspect", "-f", "{{.State.StartedAt}}", container);
    const other = keyFile(deployment, randomBytes(32).toString("base64"));
    await write(KEY_FILE, "this is no key");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await ensureRecord(wish({ value: "10.86.2.1" }))).toMatchObject({ changed: true });
    await write(KEY_FILE, other);
    let attempt = 0;
    await eventually(10, "the new key in force", () =>
      ensureRecord(wish({ value: `10.86.3.${attempt++}` })).then(
        () => undefined,
        (error: Error) => (error.message.includes("another secret") ? true : undefined),
      ),
    );
    await write(KEY_FILE, keyFile(deployment, secret));
    // The script waits for it, as it must directly after the files were written.
    const { code, out } = await script("ensure", { value: a });
    expect({ code, out }).toMatchObject({ code: 0 });
    expect(await docker("inspect", "-f", "{{.State.StartedAt}}", container)).toBe(startedAt);
  });
});

describe("the script", () => {
  test("prints the name as it is now, and never the key", async () => {
    await ensureRecord(wish({ value: b }));
    const first = await script("ensure");
    expect(first).toEqual({ code: 0, out: `db.ha.example.test A ${a} TTL 5, was ${b} (TTL 5)`, err: "" });
    expect((await script("ensure")).out).toBe(`db.ha.example.test A ${a} TTL 5, as before`);
    const refused = await script("ensure", { keySecret: randomBytes(32).toString("base64"), value: b });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("another secret");
    expect(refused.err).not.toContain(secret);
  });

  test("deletes, twice, and does not fail when the server is gone or knows the key no longer", async () => {
    await ensureRecord(wish());
    expect(await script("delete")).toEqual({ code: 0, out: "", err: "" });
    expect(await script("delete")).toMatchObject({
      code: 0,
      err: "db.ha.example.test was left alone: it is not there",
    });
    expect((await script("delete", { port: 1 })).code).toBe(0);
    await script("ensure");
    expect(await script("delete", { keyName: "nobody" })).toMatchObject({ code: 0 });
  });
});
