import { randomBytes } from "node:crypto";
import type { ResourceContext, ResourceType, Values } from "../resourceType.ts";
import type { Printed } from "./printed.ts";

/** Runs one command; `olds` is the state of the last run, empty for the first. */
export type Runner = (
  command: string,
  inputs: Values,
  olds: Values,
  context: ResourceContext,
) => Promise<Printed>;

/**
 * `create` when it is made, `update` (or else `create` again) when any input changed, `delete`, as recorded, when it
 * goes. Changed triggers replace it. Nothing is read back: a refresh sees no drift.
 */
export function lifecycle(
  run: Runner,
): Required<Pick<ResourceType, "create" | "update" | "delete" | "outputs" | "updatedOutputs">> {
  return {
    outputs: ["stdout", "stderr"],
    updatedOutputs: ["stdout", "stderr"],

    async create(inputs, context) {
      const id = `${context.name ?? "command"}${randomBytes(4).toString("hex")}`;
      const command = inputs.create;
      return {
        id,
        outputs:
          typeof command === "string"
            ? printed(await run(command, inputs, {}, context))
            : { stdout: "", stderr: "" },
      };
    },

    async update(_id, olds, news, context) {
      const command = news.update ?? news.create;
      return typeof command === "string" ? printed(await run(command, news, olds, context)) : {};
    },

    async delete(_id, state, context) {
      if (typeof state.delete === "string") {
        await run(state.delete, state, state, context);
      }
    },
  };
}

export function printed({ stdout, stderr }: Printed): Values {
  return { stdout, stderr };
}
