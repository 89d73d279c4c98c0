/** Programs that are built from a Go module whose files lie in a folder here. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { type CommandResult, runCommand } from "./command.ts";
import { cacheFolder, projectRoot } from "./paths.ts";

export interface GoProgram {
  /** Below `scripts/toolchain/`: go.mod and go.sum. */
  readonly moduleFolder: string;
  readonly package: string;
  /** Name of the file that is made; its log is called after it. */
  readonly program: string;
  /** Beside leaving out what a debugger needs. */
  readonly linkerFlags?: string;
  /** For another platform than this machine's. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Leaves the program in `draft`. What its failure means is the caller's to say. */
export async function buildGoProgram(go: string, draft: string, build: GoProgram): Promise<CommandResult> {
  // Built from a copy, so that nothing that Go writes next to a module file lands in the clone.
  const source = join(draft, "source");
  cpSync(join(projectRoot, "scripts", "toolchain", build.moduleFolder), source, { recursive: true });
  const flags = ["-s -w", ...(build.linkerFlags === undefined ? [] : [build.linkerFlags])].join(" ");
  const output = join(draft, build.program);
  return await runCommand(
    go,
    ["build", "-buildvcs=false", "-trimpath", "-ldflags", flags, "-o", output, build.package],
    {
      cwd: source,
      env: { ...process.env, CGO_ENABLED: "0", ...build.environment },
      logFile: join(cacheFolder(), "logs", `${build.program}-build.log`),
    },
  );
}
