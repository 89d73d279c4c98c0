import type { ResourceContext, Values } from "../resourceType.ts";
import { isObject, masker, secret } from "../wire.ts";
import { logLine, previousOutput, string, strings } from "./commandInputs.ts";
import { route } from "./endpoint.ts";
import type { Printed } from "./printed.ts";
import { runOver } from "./sshCommand.ts";
import { connect } from "./sshRoute.ts";

/** Runs one command over a connection of its own, and closes that. */
export async function overSsh(
  command: string,
  inputs: Values,
  olds: Values,
  context: ResourceContext,
): Promise<Printed> {
  const { signal } = context;
  try {
    const login = await connect(route(inputs.connection), {
      signal,
      retrying: (text) => context.log("info", text),
    });
    try {
      return await runOver(login, {
        command,
        stdin: string(inputs.stdin),
        environment: strings(inputs.environment),
        optionalEnvironment: previousOutput(inputs, olds, context),
        signal,
        line: logLine(inputs, context),
        complain: (severity, text) => context.log(severity, text),
      });
    } finally {
      login.close();
    }
  } catch (error) {
    throw new Error(hidden(inputs)((error as Error).message));
  }
}

/** What never is to be seen in a failure, be it marked as a secret or not: a command may have printed it. */
function hidden({ connection, stdin }: Values): (text: string) => string {
  const proxy = isObject(connection) ? connection.proxy : undefined;
  const credentials = [connection, proxy].flatMap((login) =>
    isObject(login) ? [login.password, login.privateKey, login.privateKeyPassword] : [],
  );
  return masker(...[...credentials, stdin].flatMap((value) => (value === undefined ? [] : [secret(value)])));
}
