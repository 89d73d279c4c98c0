/** The Docker engine: the one that answers, or else, for root, one that is installed and started here. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { canInstallPackages, installPackages } from "./apt.ts";
import { withLock } from "./cache.ts";
import { lastLines, onPath, runCommand } from "./command.ts";
import { readIfThere, writeIfDifferent } from "./files.ts";
import { processIdentity } from "./lock.mjs";
import { cacheFolder } from "./paths.ts";
import { SetUpProblem } from "./problem.ts";
import { type Progress, timed } from "./progress.ts";

const START_MS = 60_000;
const STOP_MS = 60_000;

/** What we started, so that `down` can stop it: the engine's process, or the word `systemd`. */
const recordFile = () => join(cacheFolder(), "engine", "started");
const logFile = () => join(cacheFolder(), "engine", "dockerd.log");

export async function ensureEngine(progress: Progress): Promise<{ started: boolean }> {
  const found = await askEngine();
  if (found.version !== undefined) {
    progress.found(`docker: engine ${found.version} answers`);
    return { started: false };
  }
  refuseWhatWeCannotStart(found.complaint);
  return withLock("engine", async () => {
    if ((await askEngine()).version !== undefined) return { started: false };
    if (onPath("dockerd") === undefined || onPath("docker") === undefined) await installEngine(progress);
    // Installing it may have started it: Debian's package does so under systemd.
    if ((await askEngine()).version === undefined) await startEngine(progress);
    return { started: true };
  });
}

interface Answer {
  readonly version: string | undefined;
  readonly complaint: string;
}

async function askEngine(): Promise<Answer> {
  const result = await runCommand("docker", ["version", "--format", "{{.Server.Version}}"], {
    timeoutMs: 10_000,
  });
  const version = result.code === 0 ? result.stdout.trim() : "";
  return { version: version === "" ? undefined : version, complaint: result.stderr };
}

function refuseWhatWeCannotStart(complaint: string): void {
  const host = process.env.DOCKER_HOST;
  if (host) {
    throw new SetUpProblem(
      `DOCKER_HOST is ${host}, and no Docker engine answers there:`,
      ...lastLines(complaint, 3),
    );
  }
  if (/permission denied/i.test(complaint)) {
    throw new SetUpProblem(
      "A Docker engine runs here, and this user may not use it.",
      "Become a member of its group (sudo usermod -aG docker $USER, then log in again), or run this as root.",
    );
  }
  if (process.getuid?.() !== 0) {
    throw new SetUpProblem(
      "No Docker engine answers, and only root can start one.",
      "Install Docker (Debian, Ubuntu: sudo apt-get install docker.io) and start it (sudo systemctl start docker),",
      "or name one that runs elsewhere: DOCKER_HOST=ssh://user@host",
    );
  }
}

async function installEngine(progress: Progress): Promise<void> {
  if (!canInstallPackages()) {
    throw new SetUpProblem(
      "Docker is not installed.",
      "Install it (docs.docker.com/engine/install) and run this again.",
    );
  }
  await installPackages(["docker.io", "iptables"], progress);
}

async function startEngine(progress: Progress): Promise<void> {
  const { took } = await timed(() => progress.during("docker: starting the engine", launch));
  progress.done(`docker: engine started (${took}); npm run down stops it when nothing else runs in it`);
}

async function launch(): Promise<void> {
  if (existsSync("/run/systemd/system")) {
    const result = await runCommand("systemctl", ["start", "docker"]);
    if (result.code !== 0)
      throw new SetUpProblem("systemctl start docker failed:", ...lastLines(result.stderr));
    record("systemd");
    return awaitAnswer(() => true);
  }
  // A pid file of an engine that was killed stops the next one.
  if (await isStale("/var/run/docker.pid")) rmSync("/var/run/docker.pid", { force: true });
  mkdirSync(dirname(logFile()), { recursive: true });
  const log = openSync(logFile(), "a");
  const engine = spawn("dockerd", [], { detached: true, stdio: ["ignore", log, log] });
  let ended = false;
  engine.on("exit", () => {
    ended = true;
  });
  engine.on("error", () => {
    ended = true;
  });
  engine.unref();
  if (engine.pid !== undefined) record(processIdentity(engine.pid) ?? "");
  await awaitAnswer(() => !ended);
}

async function isStale(pidFile: string): Promise<boolean> {
  const pid = readIfThere(pidFile);
  return pid !== undefined && processIdentity(Number(pid)) === undefined;
}

function record(what: string): void {
  writeIfDifferent(recordFile(), what, 0o644);
}

async function awaitAnswer(isRunning: () => boolean): Promise<void> {
  const limit = Date.now() + START_MS;
  while (Date.now() < limit && isRunning()) {
    if ((await askEngine()).version !== undefined) return;
    await sleep(300);
  }
  rmSync(recordFile(), { force: true });
  throw new SetUpProblem(
    "The Docker engine did not start. The end of its log:",
    ...lastLines(readIfThere(logFile()) ?? "", 6),
    `All of it: ${logFile()}`,
  );
}

/** Stops the engine if set-up started it and no container runs in it. */
export async function stopEngineIfOurs(progress: Progress): Promise<void> {
  const started = readIfThere(recordFile());
  if (started === undefined) return;
  const pid = Number(started.split("@")[0]);
  if (started !== "systemd" && processIdentity(pid) !== started) {
    rmSync(recordFile(), { force: true });
    return;
  }
  const running = await runCommand("docker", ["ps", "--quiet"], { timeoutMs: 10_000 });
  if (running.code !== 0 || running.stdout.trim() !== "") {
    progress.done("docker: the engine that set-up started stays, something else runs in it");
    return;
  }
  await progress.during("docker: stopping the engine", async () => {
    if (started === "systemd") await runCommand("systemctl", ["stop", "docker.socket", "docker"]);
    else await endProcess(pid, started);
  });
  rmSync(recordFile(), { force: true });
  progress.done("docker: the engine that set-up started is stopped");
}

async function endProcess(pid: number, identity: string): Promise<void> {
  process.kill(pid, "SIGTERM");
  const limit = Date.now() + STOP_MS;
  while (processIdentity(pid) === identity) {
    if (Date.now() > limit) throw new SetUpProblem(`The Docker engine (process ${pid}) does not stop.`);
    await sleep(200);
  }
}
