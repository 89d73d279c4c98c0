/**
 * Clears a machine that leaves the stack. A machine that cannot be reached, or where something fails, does not keep the
 * others from going: it is said what is left on it and how to remove that, and the deletion counts as done.
 */
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { SshRoute } from "../../roles/desired.ts";
import type { Program } from "../host.ts";
import { shellCommand, shellText } from "./shellScript.ts";
import { SshPool } from "./ssh/connection.ts";
import { asRoot } from "./ssh/shell.ts";

export interface LeaveRequest {
  readonly deployment: string;
  readonly host: string;
  readonly address: string;
  readonly route: SshRoute;
  readonly program: Program;
  readonly unit: string;
  readonly config: string;
  readonly data: string;
  readonly ownerFile: string;
  readonly held: readonly string[];
  readonly wipe: boolean;
  /** Directories below `data` that go though the rest stays. */
  readonly discarded?: readonly string[];
  /** Data directory that was the user's before: it is never removed. */
  readonly adopted: string | null;
}

const connectSeconds = 20;
/** A stop in order takes as long as it takes; beyond this it is left to come to its end. */
const stopSeconds = 120;

export async function leave(request: LeaveRequest): Promise<string> {
  const pool = new SshPool();
  try {
    const late = new Promise<never>((_, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no connection within ${connectSeconds} s`)),
        connectSeconds * 1000,
      );
      timer.unref();
    });
    const connection = await Promise.race([pool.connection(request.route), late]);
    const { code, stderr } = await connection.exec(asRoot(request.route, shellCommand), {
      stdin: leaveText(request),
      timeoutMs: (stopSeconds + 60) * 1000,
    });
    if (code !== 0) throw new Error(stderr.trim() || `its script ended with exit ${code}`);
    return stderr.trim();
  } finally {
    void pool.close();
  }
}

export function leaveText(request: LeaveRequest): string {
  return shellText(readFileSync(new URL("./leave.sh", import.meta.url), "utf8"), {
    us_deployment: request.deployment,
    us_host: request.host,
    us_address: request.address,
    us_program: request.program,
    us_unit: request.unit,
    us_config: request.config,
    us_data: request.data,
    us_owner_file: request.ownerFile,
    us_held: request.held,
    us_wipe: request.wipe,
    us_discarded: request.discarded ?? [],
    us_adopted: request.adopted ?? "",
    us_stop_seconds: stopSeconds,
  });
}

/** What a person can do by hand, where this program could not. */
export function leftBehind(request: LeaveRequest): string {
  const { host, route, unit, config, data, held, wipe, adopted, discarded = [] } = request;
  const gone = wipe ? [data] : discarded;
  const commands = [
    `systemctl disable --now ${unit} understudy-firewall.service`,
    `rm -r /etc/systemd/system/understudy-* /etc/understudy-firewall ${config}`,
    "rm -f /etc/apt/sources.list.d/understudy.sources /etc/apt/preferences.d/understudy",
    "rm -f /etc/needrestart/conf.d/understudy.conf /etc/postgresql-common/createcluster.d/understudy.conf",
    ...(held.length > 0 ? [`apt-mark unhold ${held.join(" ")}`] : []),
    "systemctl daemon-reload",
    `rm -r ${["/var/lib/understudy-host", ...gone].join(" ")}`,
  ];
  const kept = adopted ?? data;
  return [
    `${host} (${route.host}) was taken out of the stack and not cleared: ${unit} may still run on it. To clear it, as root there:`,
    ...commands.map((line) => `    ${line}`),
    ...(wipe && adopted === null ? [] : [`  and ${kept}, if nobody needs the data any more.`]),
  ].join("\n");
}

if (import.meta.main) {
  const request = JSON.parse(await text(process.stdin)) as LeaveRequest;
  try {
    const said = await leave(request);
    if (said !== "") console.error(said);
  } catch (error) {
    console.error(`${request.host}: ${(error as Error).message}\n${leftBehind(request)}`);
  }
  // A connection that was given up may still be in the making.
  process.exit(0);
}
