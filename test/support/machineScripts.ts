/**
 * What a `MachineHost` asks the engine for, as commands that a test can run by itself: the same texts over the same kind
 * of connection, without an engine in between.
 */
import * as pulumi from "@pulumi/pulumi";
import type { UnitArgs } from "../../components/hosts/host.ts";
import { type LeaveRequest, leave } from "../../components/hosts/machines/leave.ts";
import type { MachineHostArgs } from "../../components/hosts/machines/machineHost.ts";
import { SshPool } from "../../components/hosts/machines/ssh/connection.ts";
import type { SshRoute } from "../../components/roles/desired.ts";
import { record, settled } from "../mocks/recorder.ts";

export interface Script {
  readonly name: string;
  readonly command: string;
  readonly stdin: string;
}

export interface Ran {
  readonly code: number | null;
  readonly said: string;
}

export interface HostWish {
  readonly name?: string;
  readonly args: MachineHostArgs;
  readonly unit: UnitArgs;
  readonly files: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface HostScripts {
  readonly scripts: readonly Script[];
  readonly leaving: LeaveRequest;
}

/** In the order in which they depend on each other: machine, files, secrets, unit. */
export async function scriptsOf({
  name = "site-a",
  args,
  unit,
  files,
  secrets,
}: HostWish): Promise<HostScripts> {
  const seen = await record(() => ({ stdout: "" }));
  const { MachineHost } = await import("../../components/hosts/machines/machineHost.ts");
  const parent = new pulumi.ComponentResource("test:index:Parent", "parent");
  const host = new MachineHost(name, args, parent);
  const shared = { unit: name, owner: unit.user };
  host.files(`${name}-files`, { ...shared, directory: "", files }, { parent });
  host.files(
    `${name}-secrets`,
    { ...shared, directory: "secrets", secret: true, files: secrets },
    { parent },
  );
  host.unit(name, unit, { parent });
  await settled();
  const inputsOf = (resource: string) => {
    const found = seen.find((each) => each.name === resource)?.inputs;
    if (!found) throw new Error(`no resource ${resource}`);
    return found;
  };
  return {
    scripts: [`${name}-machine`, `${name}-files`, `${name}-secrets`, name].map((resource) => ({
      name: resource,
      command: String(inputsOf(resource)["create"]),
      stdin: text(inputsOf(resource)["stdin"]),
    })),
    leaving: JSON.parse(text(inputsOf(`${name}-departure`)["stdin"])) as LeaveRequest,
  };
}

function text(value: unknown): string {
  return typeof value === "object" && value !== null && "secret" in value
    ? String(value.secret)
    : String(value);
}

/** One connection for each script, as the provider has it. `cutAfterMs`: it is lost in the middle. */
export async function runScript(
  route: SshRoute,
  { command, stdin }: Script,
  cutAfterMs?: number,
): Promise<Ran> {
  const pool = new SshPool();
  try {
    const connection = await pool.connection(route);
    if (cutAfterMs !== undefined) setTimeout(() => void pool.close(), cutAfterMs);
    const { code, stderr, stdout } = await connection.exec(command, { stdin, timeoutMs: 300_000 });
    return { code, said: (stdout + stderr).trim() };
  } finally {
    await pool.close();
  }
}

/** Stops at the first that fails. */
export async function runAll(route: SshRoute, scripts: readonly Script[]): Promise<Ran> {
  let said = "";
  for (const script of scripts) {
    const ran = await runScript(route, script);
    said = [said, ran.said].filter(Boolean).join("\n");
    if (ran.code !== 0) return { ...ran, said };
  }
  return { code: 0, said };
}

export { leave };
