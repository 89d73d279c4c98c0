/**
 * What an offline provider plugin is made of: plain descriptions of resource types, served by `serve.ts` as
 * `pulumirpc.ResourceProvider`. A plugin covers the types that this package uses, under the official tokens,
 * with the official names of inputs and outputs and the official answer to "does this change replace?".
 */

/** Plain, resolved values: secrets are unwrapped for the plugin and wrapped again by the server. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Values = { [key: string]: Value };

export interface InputSpec {
  readonly required?: boolean;
  /** A change of it replaces the resource; else it is updated in place. */
  readonly replaces?: boolean;
  /** Filled in by Check when absent. */
  readonly default?: Value;
  /**
   * What its absence means where the official provider records that in the state and not in the inputs. Given to
   * the plugin and echoed as an output; absent and present-with-this-value are the same to Diff.
   */
  readonly implied?: Value;
  /** For object-valued inputs (or lists of objects): the property names that are implemented. */
  readonly properties?: readonly string[];
}

export interface ResourceContext {
  /** The resource's name in the program. */
  readonly name?: string;
  /** Aborts when the engine cancels. */
  readonly signal: AbortSignal;
  /** The provider's own configuration, e.g. docker's `host`. */
  readonly config: Values;
  /**
   * Shown in the engine's output, under the resource: debug and info as its passing status, warning and error also
   * in the summary. Never a secret; the server masks the secret inputs that it finds in a message.
   */
  log(severity: "debug" | "info" | "warning" | "error", message: string): void;
}

export interface ResourceType {
  /** e.g. `docker:index/container:Container`. */
  readonly token: string;
  /** Every input that is implemented; any other is refused by name. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Outputs (beside the inputs, which are echoed) that hold secrets. */
  readonly secretOutputs?: readonly string[];
  /** Names of the outputs beside the inputs: unknown at the preview of a create. */
  readonly outputs?: readonly string[];
  /** Of these, the ones that every update computes anew: unknown at its preview. */
  readonly updatedOutputs?: readonly string[];
  /** One secret input makes every output that is not an echoed input a secret. */
  readonly secretInputsSpread?: boolean;
  readonly deleteBeforeReplace?: boolean;
  /** Further checks of resolved inputs: messages by property. */
  check?(inputs: Values): Record<string, string>;
  create(inputs: Values, context: ResourceContext): Promise<{ id: string; outputs: Values }>;
  /** Absent: every refresh returns the recorded state (as the official provider of such a type does). null: it is gone. */
  read?(
    id: string,
    state: Values,
    context: ResourceContext,
  ): Promise<{ id: string; inputs?: Values; outputs: Values } | null>;
  /** Outputs that no longer hold although no input changed, e.g. because time passed: each replaces the resource. */
  outdated?(state: Values, news: Values): readonly string[];
  /** Absent: no input can be updated in place. Outputs that it does not return are kept; null removes one. */
  update?(id: string, olds: Values, news: Values, context: ResourceContext): Promise<Values>;
  delete?(id: string, state: Values, context: ResourceContext): Promise<void>;
}

export interface FunctionType {
  /** e.g. `command:local:run`. */
  readonly token: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  invoke(inputs: Values, context: ResourceContext): Promise<Values>;
}

export interface ProviderType {
  /** e.g. `docker`. */
  readonly name: string;
  /** The version of the npm package whose typings it follows. */
  readonly version: string;
  /** The provider's own configuration. */
  readonly config: Readonly<Record<string, InputSpec>>;
  readonly resources: readonly ResourceType[];
  readonly functions: readonly FunctionType[];
}
