import { randomBytes } from "node:crypto";
import type {
  FunctionType,
  InputSpec,
  ResourceContext,
  ResourceType,
  Value,
  Values,
} from "../resourceType.ts";
import { isObject } from "../wire.ts";
import { type Printed, run } from "./shell.ts";

/** A single environment variable that is longer than this makes `exec` fail (MAX_ARG_STRLEN, 128 KiB). */
const LONGEST_VARIABLE = 120 * 1024;

const logging = ["stdout", "stderr", "stdoutAndStderr", "none"];

const commonInputs: Record<string, InputSpec> = {
  addPreviousOutputInEnv: {},
  dir: {},
  environment: {},
  interpreter: {},
  logging: {},
  stdin: {},
};

/**
 * `command:local:Command`: `create` when it is made, `update` (or else `create` again) when any input changed,
 * `delete`, as recorded, when it goes. Changed triggers replace it. Nothing is read back: a refresh sees no drift.
 */
export const localCommand: ResourceType = {
  token: "command:local:Command",
  inputs: {
    ...commonInputs,
    create: {},
    delete: {},
    triggers: { replaces: true },
    update: {},
  },
  outputs: ["stdout", "stderr"],
  updatedOutputs: ["stdout", "stderr"],
  secretInputsSpread: true,
  check: checkLogging,

  async create(inputs, context) {
    const id = `${context.name ?? "command"}${randomBytes(4).toString("hex")}`;
    const command = inputs.create;
    return {
      id,
      outputs:
        typeof command === "string"
          ? printed(await shell(command, inputs, {}, context))
          : { stdout: "", stderr: "" },
    };
  },

  async update(_id, olds, news, context) {
    const command = news.update ?? news.create;
    return typeof command === "string" ? printed(await shell(command, news, olds, context)) : {};
  },

  async delete(_id, state, context) {
    if (typeof state.delete === "string") {
      await shell(state.delete, state, state, context);
    }
  },
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

function printed({ stdout, stderr }: Printed): Values {
  return { stdout, stderr };
}

function checkLogging(inputs: Values): Record<string, string> {
  return inputs.logging === undefined || logging.includes(String(inputs.logging))
    ? {}
    : { logging: `logging must be one of ${logging.join(", ")}` };
}

function shell(command: string, inputs: Values, olds: Values, context: ResourceContext): Promise<Printed> {
  const streams = inputs.logging ?? "stdoutAndStderr";
  const interpreter = Array.isArray(inputs.interpreter) ? inputs.interpreter.map(String) : [];
  return run({
    command,
    interpreter: interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"],
    stdin: string(inputs.stdin),
    environment: { ...strings(inputs.environment), ...previousOutput(inputs, olds, context) },
    dir: string(inputs.dir),
    signal: context.signal,
    line(stream, text) {
      if (streams === stream || streams === "stdoutAndStderr") {
        context.log("info", text);
      }
    },
  });
}

/** What the last run printed, for the next one; an output that no environment can carry is left out. */
function previousOutput(inputs: Values, olds: Values, context: ResourceContext): Record<string, string> {
  if (inputs.addPreviousOutputInEnv === false) {
    return {};
  }
  const variables: Record<string, string> = {};
  for (const stream of ["stdout", "stderr"] as const) {
    const value = string(olds[stream]);
    const name = `PULUMI_COMMAND_${stream.toUpperCase()}`;
    if (value !== undefined && Buffer.byteLength(value) > LONGEST_VARIABLE) {
      context.log("warning", `${name} is left out: the last run's ${stream} is too long for the environment`);
    } else if (value) {
      variables[name] = value;
    }
  }
  return variables;
}

function string(value: Value | undefined): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

function strings(value: Value | undefined): Record<string, string> {
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, element]) => [key, String(element)]))
    : {};
}
