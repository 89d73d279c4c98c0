import type { Value, Values } from "./resourceType.ts";

/**
 * How property values look on the wire: plain JSON in which a secret is an object with a signature and an unknown is a
 * reserved string (`sdk/go/common/resource/sig` and `plugin/rpc.go` in pulumi/pulumi).
 */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";

export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const unknowns: ReadonlySet<Value> = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

export function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function secret(value: Value): Value {
  return { [SIGNATURE]: SECRET, value };
}

export function isUnknown(value: Value): boolean {
  return unknowns.has(value);
}

function some(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) {
    return true;
  }
  if (Array.isArray(value)) {
    return value.some((element) => some(element, test));
  }
  return isObject(value) && Object.values(value).some((element) => some(element, test));
}

export function hasUnknown(value: Value): boolean {
  return some(value, isUnknown);
}

export function hasSecret(value: Value): boolean {
  return some(
    value,
    (part) =>
      isObject(part) && (part[SIGNATURE] === SECRET || (part[SIGNATURE] === OUTPUT && part.secret === true)),
  );
}

/** The value without its wrappers: what a plugin computes with. */
export function plain(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (!isObject(value)) {
    return value;
  }
  switch (value[SIGNATURE]) {
    case SECRET:
      return plain(value.value ?? null);
    case OUTPUT:
      return value.value === undefined ? UNKNOWN : plain(value.value);
    case RESOURCE:
      return plain(value.id ?? value.urn ?? null);
    default:
      return plainValues(value);
  }
}

export function plainValues(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, plain(value)]));
}

/** Every string inside a secret, for masking: whole, and line by line because commands print lines. */
export function secretStrings(value: Value, inside = false): string[] {
  if (typeof value === "string") {
    return inside && !isUnknown(value)
      ? [value, ...value.split("\n").filter((line) => line.length >= 16)]
      : [];
  }
  if (Array.isArray(value)) {
    return value.flatMap((element) => secretStrings(element, inside));
  }
  if (!isObject(value)) {
    return [];
  }
  const signature = value[SIGNATURE];
  if (signature === SECRET || signature === OUTPUT) {
    return secretStrings(value.value ?? null, inside || signature === SECRET || value.secret === true);
  }
  return Object.values(value).flatMap((element) => secretStrings(element, inside));
}

/** Short values are left alone: masking every "5432" would hide more than it protects. */
export function masker(...values: Value[]): (text: string) => string {
  const secrets = [...new Set(values.flatMap((value) => secretStrings(value)))]
    .filter((text) => text.trim().length >= 6)
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((masked, hidden) => masked.replaceAll(hidden, "[secret]"), text);
}

/** Whether two plain values are the same; the order of keys does not count. */
export function same(a: Value | undefined, b: Value | undefined): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((element, index) => same(element, b[index]))
    );
  }
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => same(a[key], b[key]));
  }
  return a === b;
}

/**
 * Outputs as the engine is to record them. One that merely echoes a value of `origins` is recorded as that was, with the
 * secret inside it where it was; one whose origin held a secret, or that is declared secret, is secret as a whole.
 */
export function wrap(
  outputs: Values,
  origins: readonly Values[],
  isSecret: (key: string) => boolean,
): Values {
  const wrapped: Values = {};
  for (const [key, value] of Object.entries(outputs)) {
    if (value === null || value === undefined) {
      continue;
    }
    const known = origins.flatMap((origin) => (origin[key] === undefined ? [] : [origin[key]]));
    const echo = known.find((origin) => same(plain(origin), value));
    const hide = known.some(hasSecret) || isSecret(key);
    wrapped[key] = echo !== undefined && (hasSecret(echo) || !hide) ? echo : hide ? secret(value) : value;
  }
  return wrapped;
}
