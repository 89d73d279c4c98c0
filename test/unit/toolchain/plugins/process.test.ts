import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { grpc, messages, services, struct } from "../../../../scripts/toolchain/plugins/proto.ts";
import { urn } from "./engine.ts";
import { eventually, isRunning } from "./processes.ts";

const plugins = join(import.meta.dirname, "../../../../scripts/toolchain/plugins");
const folder = mkdtempSync(join(tmpdir(), "understudy-plugin-"));
afterAll(() => rmSync(folder, { recursive: true }));

function port(process: ChildProcess): Promise<number> {
  return new Promise((resolve) => process.stdout?.once("data", (data) => resolve(Number(String(data)))));
}

describe.each(["command", "random", "tls"])("the %s plugin as a process", (name) => {
  test("prints its port, answers there, and leaves when told to", async () => {
    const plugin = spawn(process.execPath, [join(plugins, name, "main.ts"), "--logtostderr", "127.0.0.1:9"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const client = new services.ResourceProviderClient(
      `127.0.0.1:${await port(plugin)}`,
      grpc.credentials.createInsecure(),
    );
    const schema = await new Promise<string>((resolve, reject) => {
      client.getSchema(new messages.GetSchemaRequest(), (error, response) =>
        error === null ? resolve(response.getSchema()) : reject(error),
      );
    });
    expect(JSON.parse(schema)).toMatchObject({ name });
    client.close();
    const left = new Promise((resolve) => plugin.once("exit", resolve));
    plugin.kill();
    await left;
  });
});

test("an engine that is killed takes the running command with it", async () => {
  const main = join(plugins, "command", "main.ts");
  // Stands in for the engine: it starts the plugin, tells its port and process, and is killed.
  const engine = spawn("sh", ["-c", `"${process.execPath}" "${main}" 127.0.0.1:9 & echo $! >&2; wait`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const plugin = new Promise<number>((resolve) =>
    engine.stderr.once("data", (data) => resolve(Number(data))),
  );
  const client = new services.ResourceProviderClient(
    `127.0.0.1:${await port(engine)}`,
    grpc.credentials.createInsecure(),
  );
  const witness = join(folder, "child");
  const request = new messages.CreateRequest();
  request.setUrn(urn("command:local:Command"));
  const create = `sh -c 'echo $$ > ${witness}; exec sleep 60' & wait`;
  request.setProperties(struct.Struct.fromJavaScript({ create, logging: "none" }));
  client.create(request, () => {});
  const child = await eventually(() => Number(readFileSync(witness, "utf8")) || undefined);
  engine.kill("SIGKILL");
  for (const gone of [child, await plugin]) {
    await eventually(() => (isRunning(gone) ? undefined : true));
  }
  client.close();
}, 20_000);
