import type { InputSpec, ResourceType, Value, Values } from "./resourceType.ts";
import { hasUnknown, isObject, isUnknown, plain } from "./wire.ts";

/** What Check says about the inputs of one resource, one function or the provider itself. */
export interface Problem {
  readonly property: string;
  readonly reason: string;
}

type Specs = Readonly<Record<string, InputSpec>>;

/** Keys that the engine and the bridged providers add to the inputs: no business of a plugin. */
const foreign = new Set(["__defaults", "__meta", "__internal"]);

/** Without nulls, which mean "not given", and without what other providers left; wrappers stay. */
export function cleaned(inputs: Values): Values {
  return Object.fromEntries(
    Object.entries(inputs).filter(
      ([key, value]) => value !== null && value !== undefined && !foreign.has(key),
    ),
  );
}

/** Nothing that a user wrote is ignored: what is not implemented is refused, with the way out. */
export function problems(token: string, specs: Specs, inputs: Values): Problem[] {
  const found: Problem[] = [];
  const refuse = (property: string): void => {
    const reason = `input "${property}" is not implemented by the offline plugin; install the official plugin or remove it`;
    found.push({ property, reason: `${token}: ${reason}` });
  };
  for (const [key, value] of Object.entries(inputs)) {
    const spec = specs[key];
    if (spec === undefined) {
      refuse(key);
    } else if (spec.properties !== undefined) {
      nestedKeys(key, plain(value), spec.properties).forEach(refuse);
    }
  }
  for (const [key, spec] of Object.entries(specs)) {
    if (spec.required && inputs[key] === undefined) {
      found.push({ property: key, reason: `${token}: input "${key}" is required` });
    }
  }
  return found;
}

/** Paths of the properties of `value`, an object or a list of them, that are not among `allowed`. */
function nestedKeys(path: string, value: Value, allowed: readonly string[]): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((element, index) => nestedKeys(`${path}[${index}]`, element, allowed));
  }
  if (!isObject(value)) {
    return [];
  }
  return Object.entries(value)
    .filter(([key, element]) => element !== null && !foreign.has(key) && !allowed.includes(key))
    .map(([key]) => `${path}.${key}`);
}

export function withDefaults(specs: Specs, inputs: Values): Values {
  const filled = { ...inputs };
  for (const [key, { default: value }] of Object.entries(specs)) {
    if (value !== undefined && filled[key] === undefined) {
      filled[key] = value;
    }
  }
  return filled;
}

export function withImplied(specs: Specs, inputs: Values): Values {
  const filled = { ...inputs };
  for (const [key, { implied: value }] of Object.entries(specs)) {
    if (value !== undefined && filled[key] === undefined) {
      filled[key] = value;
    }
  }
  return filled;
}

/**
 * The type's own checks, on what is known. While something is unknown, a complaint about a property that is absent may
 * be wrong, so it waits for the update.
 */
export function ownProblems(type: ResourceType, inputs: Values): Problem[] {
  const known = Object.entries(inputs).filter(([, value]) => !hasUnknown(value));
  const complete = known.length === Object.keys(inputs).length;
  const resolved = Object.fromEntries(known.map(([key, value]) => [key, plain(value)]));
  const complaints = Object.entries(type.check?.(withImplied(type.inputs, resolved)) ?? {});
  return complaints
    .filter(([property]) => complete || property in resolved)
    .map(([property, reason]) => ({ property, reason }));
}

/**
 * Inputs in the form in which two of them can be compared, whichever kind of plugin recorded them: declared keys only,
 * no wrappers, no nulls, absent filled with what absence means.
 */
export function comparable(specs: Specs, inputs: Values): Values {
  const declared = Object.entries(cleaned(inputs)).filter(([key]) => key in specs);
  const pruned = declared.map(([key, value]) => [key, prune(plain(value))]);
  return withImplied(specs, withDefaults(specs, Object.fromEntries(pruned)));
}

function prune(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(prune);
  }
  if (!isObject(value) || isUnknown(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, element]) => element !== null && key !== "__defaults")
      .map(([key, element]) => [key, prune(element)]),
  );
}
