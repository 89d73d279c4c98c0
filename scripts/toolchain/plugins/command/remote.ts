import type { ResourceType } from "../resourceType.ts";
import { checkLogging } from "./commandInputs.ts";
import { connectionProblem, connectionProperties } from "./endpoint.ts";
import { lifecycle } from "./lifecycle.ts";

/**
 * `command:remote:Command`: a command that runs on another host, over an SSH connection of its own. What it prints is
 * a secret only if the program says so, as with the official provider: the connection always is one.
 */
export const remoteCommand: ResourceType = {
  token: "command:remote:Command",
  inputs: {
    addPreviousOutputInEnv: {},
    connection: { required: true, properties: connectionProperties },
    create: {},
    delete: {},
    environment: {},
    logging: {},
    stdin: {},
    triggers: { replaces: true },
    update: {},
  },
  secretOutputs: ["connection"],
  check(inputs) {
    const problem = inputs.connection === undefined ? undefined : connectionProblem(inputs.connection);
    return { ...checkLogging(inputs), ...(problem && { connection: problem }) };
  },
  // Loaded by the first command that runs: most stacks have none, and ssh2 would cost every start 30 ms and 17 MB.
  ...lifecycle(async (...run) => (await import("./overSsh.ts")).overSsh(...run)),
};
