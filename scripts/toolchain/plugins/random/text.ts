import { randomInt } from "node:crypto";
import type { InputSpec, Value, Values } from "../resourceType.ts";

/** The inputs that RandomPassword and RandomString share. Every one of them replaces. */
export const textInputs: Record<string, InputSpec> = {
  keepers: { replaces: true },
  length: { required: true, replaces: true },
  lower: { replaces: true, implied: true },
  minLower: { replaces: true, implied: 0 },
  minNumeric: { replaces: true, implied: 0 },
  minSpecial: { replaces: true, implied: 0 },
  minUpper: { replaces: true, implied: 0 },
  number: { replaces: true, implied: true },
  numeric: { replaces: true, implied: true },
  overrideSpecial: { replaces: true },
  special: { replaces: true, implied: true },
  upper: { replaces: true, implied: true },
};

interface Kind {
  readonly characters: string;
  readonly allowed: boolean;
  readonly least: number;
}

function kinds(inputs: Values): Kind[] {
  const special = typeof inputs.overrideSpecial === "string" ? inputs.overrideSpecial : "";
  return [
    {
      characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
      allowed: inputs.upper === true,
      least: count(inputs.minUpper),
    },
    {
      characters: "abcdefghijklmnopqrstuvwxyz",
      allowed: inputs.lower === true,
      least: count(inputs.minLower),
    },
    { characters: "0123456789", allowed: numeric(inputs), least: count(inputs.minNumeric) },
    {
      characters: special || "!@#$%&*()-_=+[]{}<>:?",
      allowed: inputs.special === true,
      least: count(inputs.minSpecial),
    },
  ];
}

function count(value: Value | undefined): number {
  return typeof value === "number" ? value : 0;
}

/** `number` is the old name of `numeric`; each is true unless said otherwise. */
export function numeric(inputs: Values): boolean {
  return inputs.numeric === true && inputs.number === true;
}

export function checkText(inputs: Values): Record<string, string> {
  const wanted = kinds(inputs);
  const least = wanted.reduce((sum, kind) => sum + kind.least, 0);
  const length = count(inputs.length);
  if (inputs.length !== undefined && (!Number.isInteger(length) || length < Math.max(1, least))) {
    return {
      length: `length must be a whole number, at least 1 and at least the sum of the minima (${least})`,
    };
  }
  return wanted.some((kind) => kind.allowed)
    ? {}
    : { special: "at least one of upper, lower, numeric and special must be true" };
}

/** The minima are drawn first, even from a kind that is not allowed otherwise (as the official provider has it). */
export function randomText(inputs: Values): string {
  const wanted = kinds(inputs);
  const characters = wanted.flatMap(({ characters, least }) => draw(characters, least));
  const all = wanted.flatMap(({ characters, allowed }) => (allowed ? characters : "")).join("");
  characters.push(...draw(all, count(inputs.length) - characters.length));
  return shuffled(characters).join("");
}

function draw(from: string, length: number): string[] {
  return Array.from({ length }, () => from.charAt(randomInt(from.length)));
}

function shuffled(items: readonly string[]): string[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [result[index], result[other]] = [result[other] as string, result[index] as string];
  }
  return result;
}
