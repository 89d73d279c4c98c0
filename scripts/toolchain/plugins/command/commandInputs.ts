import type { ResourceContext, Value, Values } from "../resourceType.ts";
import { isObject } from "../wire.ts";

/** What a command that runs here and one that runs elsewhere have in common. */

/** A single environment variable that is longer than this makes `exec` fail (MAX_ARG_STRLEN, 128 KiB). */
const LONGEST_VARIABLE = 120 * 1024;

const logging = ["stdout", "stderr", "stdoutAndStderr", "none"];

export function checkLogging(inputs: Values): Record<string, string> {
  return inputs.logging === undefined || logging.includes(String(inputs.logging))
    ? {}
    : { logging: `logging must be one of ${logging.join(", ")}` };
}

/** Shows the lines of the streams that are to be shown. */
export function logLine(
  inputs: Values,
  context: ResourceContext,
): (stream: "stdout" | "stderr", text: string) => void {
  const streams = inputs.logging ?? "stdoutAndStderr";
  return (stream, text) => {
    if (streams === stream || streams === "stdoutAndStderr") {
      context.log("info", text);
    }
  };
}

/** What the last run printed, for the next one; an output that no environment can carry is left out. */
export function previousOutput(
  inputs: Values,
  olds: Values,
  context: ResourceContext,
): Record<string, string> {
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

export function string(value: Value | undefined): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

export function strings(value: Value | undefined): Record<string, string> {
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, element]) => [key, String(element)]))
    : {};
}
