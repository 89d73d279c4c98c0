/**
 * Writes a bundle of files into a unit's configuration volume. It is what `ContainerHost.files` runs; the
 * request comes as JSON on stdin, because argv and environment are readable by others on the machine.
 */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { type OwnFile, readOwnFile } from "../ownFiles.ts";
import { type BundleRequest, pythonStart, pythonText } from "../pythonScript.ts";

export interface InstallRequest {
  readonly volume: string;
  readonly image: string;
  /** Names the manifest of what this bundle wrote, so that two bundles in one volume leave each other alone. */
  readonly bundle: string;
  /** Relative to the volume's root; "" for the root. */
  readonly directory: string;
  readonly owner: string;
  readonly secret: boolean;
  /** Of the container that reads them: a container that is made again has its files written again. */
  readonly mark: string;
  /** `name=value`, for a volume that is not there any more. */
  readonly labels: readonly string[];
  /** Content as lines: the preview of a change then shows the lines that differ. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  readonly ownFiles?: Readonly<Record<string, OwnFile>>;
}

const TIMEOUT_MS = 60_000;
const TARGET = "/target";

async function install(request: InstallRequest): Promise<void> {
  // Does nothing where the volume is. Where somebody removed it, `docker run` would make one without labels.
  const labels = request.labels.flatMap((label) => ["--label", label]);
  await docker(["volume", "create", ...labels, request.volume], "");
  const run = ["run", "--rm", "-i", "--network", "none", "--user", "0:0"];
  const python = ["--entrypoint", "python3", request.image, "-Ic", pythonStart];
  await docker([...run, "--volume", `${request.volume}:${TARGET}`, ...python], bundleDocument(request));
}

type Bundle = Pick<InstallRequest, "bundle" | "directory" | "owner" | "secret" | "files" | "ownFiles">;

/** On stdin of `python3 -Ic` with `pythonStart`, in a container that has the volume at /target. */
export function bundleDocument({ bundle, directory, owner, secret, files, ownFiles = {} }: Bundle): string {
  const own = Object.entries(ownFiles).map(([name, file]) => [name, readOwnFile(file).split("\n")] as const);
  const request: BundleRequest = {
    host: bundle,
    top: TARGET,
    directory,
    owner,
    secret,
    manifest: `${TARGET}/.bundle-${bundle}`,
    lock: null,
    files: { ...files, ...Object.fromEntries(own) },
  };
  return pythonText(["writer", "bundle"], request);
}

function docker(args: readonly string[], stdin: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: ["pipe", "ignore", "pipe"], timeout: TIMEOUT_MS });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr = (stderr + chunk).slice(-2000);
    });
    child.on("error", (error) => reject(new Error(`cannot run docker: ${error.message}`)));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`docker ${args[0]} failed (exit ${code}): ${stderr.trim()}`));
    });
    child.stdin.on("error", () => undefined); // an early exit of docker is reported by its exit code
    child.stdin.end(stdin);
  });
}

if (import.meta.main) {
  try {
    await install(JSON.parse(await text(process.stdin)) as InstallRequest);
  } catch (error) {
    console.error(`files were not installed: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
