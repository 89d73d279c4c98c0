/** What set-up and the image script ask of a Docker engine, through the `docker` program. */
import { type CommandOptions, type CommandResult, runCommand } from "./command.ts";

export function docker(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return runCommand("docker", args, options);
}

export async function hasImage(tag: string): Promise<boolean> {
  return (await docker(["image", "inspect", "--format", "{{.Id}}", tag])).code === 0;
}
