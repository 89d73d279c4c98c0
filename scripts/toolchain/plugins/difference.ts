import { comparable } from "./inputs.ts";
import type { InputSpec, Value, Values } from "./resourceType.ts";
import { isObject, same } from "./wire.ts";

export interface Change {
  /** e.g. `environment.PATH`, `ports[0].external`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  /** The input that it is in, and whether that replaces the resource. */
  readonly input: string;
  readonly replaces: boolean;
}

/**
 * What changed between two sets of inputs, property by property. An unknown is a change, as no recorded value is like it.
 * Marking the same value secret is none.
 */
export function difference(
  specs: Readonly<Record<string, InputSpec>>,
  oldInputs: Values,
  newInputs: Values,
  ignore: readonly string[] = [],
): Change[] {
  const olds = comparable(specs, oldInputs);
  const news = comparable(specs, newInputs);
  const ignored = new Set(ignore);
  return Object.keys(specs)
    .filter((input) => !ignored.has(input))
    .flatMap((input) =>
      compare(input, olds[input], news[input]).map((change) => ({
        ...change,
        input,
        replaces: specs[input]?.replaces === true,
      })),
    );
}

type Found = Pick<Change, "path" | "kind">;

function compare(path: string, old: Value | undefined, now: Value | undefined): Found[] {
  if (old === undefined) {
    return now === undefined ? [] : [{ path, kind: "add" }];
  }
  if (now === undefined) {
    return [{ path, kind: "delete" }];
  }
  if (same(old, now)) {
    return [];
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    return Array.from({ length: Math.max(old.length, now.length) }, (_, index) =>
      compare(`${path}[${index}]`, old[index], now[index]),
    ).flat();
  }
  if (isObject(old) && isObject(now)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
    return keys.flatMap((key) => compare(`${path}${step(key)}`, old[key], now[key]));
  }
  return [{ path, kind: "update" }];
}

/** A key that is not an identifier is quoted, as in the engine's property paths. */
function step(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `["${key.replaceAll('"', '\\"')}"]`;
}
