import type { FunctionType, InputSpec, ResourceContext, ResourceType, Values } from "../resourceType.ts";
import { checkLogging, logLine, previousOutput, string, strings } from "./commandInputs.ts";
import { lifecycle, printed } from "./lifecycle.ts";
import type { Printed } from "./printed.ts";
import { run } from "./shell.ts";

const commonInputs: Record<string, InputSpec> = {
  addPreviousOutputInEnv: {},
  dir: {},
  environment: {},
  interpreter: {},
  logging: {},
  stdin: {},
};

/** `command:local:Command`: a command that runs where the engine runs. */
export const localCommand: ResourceType = {
  token: "command:local:Command",
  inputs: {
    ...commonInputs,
    create: {},
    delete: {},
    triggers: { replaces: true },
    update: {},
  },
  secretInputsSpread: true,
  check: checkLogging,
  ...lifecycle(shell),
};

/** `command:local:run`: runs at every preview and every update. */
export const localRun: FunctionType = {
  token: "command:local:run",
  inputs: { ...commonInputs, command: { required: true } },
  async invoke(inputs, context) {
    const wrong = Object.values(checkLogging(inputs));
    if (wrong.length > 0) {
      throw new Error(wrong.join("; "));
    }
    return { ...inputs, ...printed(await shell(string(inputs.command) ?? "", inputs, {}, context)) };
  },
};

function shell(command: string, inputs: Values, olds: Values, context: ResourceContext): Promise<Printed> {
  const interpreter = Array.isArray(inputs.interpreter) ? inputs.interpreter.map(String) : [];
  return run({
    command,
    interpreter: interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"],
    stdin: string(inputs.stdin),
    environment: { ...strings(inputs.environment), ...previousOutput(inputs, olds, context) },
    dir: string(inputs.dir),
    signal: context.signal,
    line: logLine(inputs, context),
  });
}
