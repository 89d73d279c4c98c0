import { cleaned, withImplied } from "./inputs.ts";
import type { ResourceType, Values } from "./resourceType.ts";
import { hasSecret, secret, UNKNOWN, wrap } from "./wire.ts";

/**
 * The state that is recorded for a resource: its inputs as they came, with their secrets, and its outputs. All functions
 * take and give values as they are on the wire, except `outputs`, which are a plugin's plain answer.
 */

/** Which outputs are secret because an input is. The ones that are declared secret are `guarded`'s business. */
function isSecretByInput(type: ResourceType, inputs: Values): (key: string) => boolean {
  const spread = type.secretInputsSpread === true && Object.values(inputs).some(hasSecret);
  return (key) => spread && !(key in inputs);
}

/** `names` as unknown outputs, secret where their values will be. */
function unknownOutputs(type: ResourceType, inputs: Values, names: readonly string[] = []): Values {
  const isSecret = isSecretByInput(type, inputs);
  return Object.fromEntries(names.map((name) => [name, isSecret(name) ? secret(UNKNOWN) : UNKNOWN]));
}

/** Declared secrets are secrets even where an input that was given in the open is echoed. */
function guarded(type: ResourceType, state: Values): Values {
  const guarded = { ...state };
  for (const name of type.secretOutputs ?? []) {
    const value = guarded[name];
    if (value !== undefined && !hasSecret(value)) {
      guarded[name] = secret(value);
    }
  }
  return guarded;
}

/** What earlier runs recorded beside the inputs; other plugins may have recorded more than this one knows. */
function recordedOutputs(type: ResourceType, state: Values): Values {
  return Object.fromEntries(Object.entries(state).filter(([key]) => !(key in type.inputs)));
}

export function created(type: ResourceType, inputs: Values, outputs: Values): Values {
  const echoed = withImplied(type.inputs, cleaned(inputs));
  return guarded(type, { ...echoed, ...wrap(outputs, [echoed], isSecretByInput(type, echoed)) });
}

export function createdPreview(type: ResourceType, inputs: Values): Values {
  const echoed = withImplied(type.inputs, cleaned(inputs));
  return guarded(type, { ...unknownOutputs(type, echoed, type.outputs), ...echoed });
}

export function updated(type: ResourceType, state: Values, inputs: Values, outputs: Values): Values {
  const echoed = withImplied(type.inputs, cleaned(inputs));
  const recorded = recordedOutputs(type, state);
  return guarded(type, {
    ...without(recorded, outputs),
    ...echoed,
    ...wrap(outputs, [echoed, recorded], isSecretByInput(type, echoed)),
  });
}

export function updatedPreview(type: ResourceType, state: Values, inputs: Values): Values {
  const echoed = withImplied(type.inputs, cleaned(inputs));
  return guarded(type, {
    ...recordedOutputs(type, state),
    ...unknownOutputs(type, echoed, type.updatedOutputs),
    ...echoed,
  });
}

/** Inputs found by Read; an input that it no longer finds is gone, and what was secret stays so. */
export function readInputs(oldInputs: Values, state: Values, found: Values): Values {
  return wrap(found, [oldInputs, state], () => false);
}

export function readState(
  type: ResourceType,
  state: Values,
  inputs: Values | undefined,
  outputs: Values,
): Values {
  const recorded = inputs === undefined ? state : { ...recordedOutputs(type, state), ...inputs };
  return guarded(type, {
    ...without(recorded, outputs),
    ...wrap(outputs, [state, recorded], isSecretByInput(type, recorded)),
  });
}

/** `values` without the keys that `outputs` speaks about, be it to remove them. */
function without(values: Values, outputs: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([key]) => outputs[key] === undefined));
}
