/** Records what a program registers under Pulumi's mocks, with secrets marked. One suite, one process. */
import * as pulumi from "@pulumi/pulumi";

export interface Recorded {
  readonly type: string;
  readonly name: string;
  /** Plain values; a secret one is `{ secret: value }`. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** Outputs that a provider would compute, by type. */
export type Outputs = (
  type: string,
  name: string,
  inputs: Readonly<Record<string, unknown>>,
) => Record<string, unknown>;

export async function record(outputs: Outputs, preview = false): Promise<Recorded[]> {
  const seen: Recorded[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        const inputs = args.inputs as Record<string, unknown>;
        seen.push({ type: args.type, name: args.name, inputs: unwrap(inputs) as Record<string, unknown> });
        return {
          id: preview ? undefined : `${args.name}-id`,
          state: { ...inputs, ...outputs(args.type, args.name, inputs) },
        };
      },
      call: (args) => {
        throw new Error(`nothing may be called: ${args.token}`);
      },
    },
    "understudy",
    "test",
    preview,
  );
  return seen;
}

/** Awaiting an Output itself does nothing; this waits for its value. */
export function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply((value) => resolve(value)));
}

/** Waits until every resource is registered, also those whose outputs a preview does not know. Not in the typings. */
export async function settled(): Promise<void> {
  const { waitForRPCs } = pulumi.runtime as typeof pulumi.runtime & { waitForRPCs(): Promise<void> };
  await waitForRPCs();
}

export function isSecret(output: pulumi.Output<unknown>): Promise<boolean> {
  return pulumi.isSecret(output);
}

function unwrap(value: unknown): unknown {
  if (pulumi.runtime.isRpcSecret(value)) {
    return { secret: unwrap(pulumi.runtime.unwrapRpcSecret(value)) };
  }
  if (Array.isArray(value)) {
    return value.map(unwrap);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
  }
  return value;
}
