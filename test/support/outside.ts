/** A machine outside the deployment's network, as a CI runner is: plain Pulumi, and no engine that answers. */
import { spawn } from "node:child_process";
import { setUp } from "../../scripts/toolchain/setUp.ts";
import { finished, type Outcome, type StackConfig, type TestStack } from "./stack.ts";

/** An engine where nobody listens; a stack that names none has everything that looks ask this one. */
export const noEngine = { DOCKER_HOST: "tcp://127.0.0.1:9" };

/** Not `scripts/pulumi.ts`, which would make sure of an engine first. The stack's configuration has to be written. */
export async function outside<C extends StackConfig>(
  { name, configFile, environment }: TestStack<C>,
  ...args: string[]
): Promise<Outcome> {
  const { env } = await setUp({ quiet: true, containers: false });
  const common = ["--stack", name, "--non-interactive", "--config-file", configFile];
  const child = spawn("pulumi", [...args, ...common], {
    env: { ...environment, ...env, ...backendOf(environment), ...noEngine },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return await finished(child);
}

/** The set-up's are the demo's. */
function backendOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = env;
  return { PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE };
}
