/**
 * What the schema knows about a field besides its type: the text of the configuration reference, and what a
 * change of it does to a running deployment. Kept beside the type, so that neither is edited without the other.
 */
import { z } from "zod";

/**
 * The most that a change does. `none`: no server notices. `reload`: in force without a restart. `restart`: each
 * PostgreSQL restarts, standby first. `replace`: containers are made anew, and units on machines restarted, one node
 * at a time, standby first; data stays. `destroys data`: another deployment; data is protected, so it is refused.
 */
export type Effect = "none" | "reload" | "restart" | "replace" | "destroys data";

export interface FieldMeta {
  readonly description: string;
  readonly effect: Effect;
  readonly unit?: string;
  /** The default in words, where it is derived and not a constant of the schema. */
  readonly derived?: string;
  /** Where the limits or the default come from, when that is not obvious. */
  readonly source?: string;
}

export const fieldMeta = z.registry<FieldMeta>();

/** Attaches the reference text; `reference.ts` refuses a field without one. */
export function field<T extends z.ZodType>(schema: T, meta: FieldMeta): T {
  fieldMeta.add(schema, meta);
  return schema;
}
