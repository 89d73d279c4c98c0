import { randomBytes } from "node:crypto";
import type { ProviderType, ResourceType, Values } from "../resourceType.ts";
import { checkText, numeric, randomText, textInputs } from "./text.ts";

/** The version of the state that the official provider's upgrades start from. */
function meta(version: number): Values {
  return { __meta: JSON.stringify({ schema_version: String(version) }) };
}

const randomPassword: ResourceType = {
  token: "random:index/randomPassword:RandomPassword",
  inputs: textInputs,
  outputs: ["bcryptHash", "result"],
  secretOutputs: ["bcryptHash", "result"],
  check: checkText,
  async create(inputs) {
    const result = randomText(inputs);
    const { bcrypt } = await import("./bcrypt.ts");
    const outputs = {
      ...meta(3),
      id: "none",
      number: numeric(inputs),
      numeric: numeric(inputs),
      result,
      bcryptHash: bcrypt(result, 10, randomBytes(16)),
    };
    return { id: "none", outputs };
  },
};

/** Not for secrets: the result is also the id, which no state encrypts. */
const randomString: ResourceType = {
  token: "random:index/randomString:RandomString",
  inputs: textInputs,
  outputs: ["result"],
  check: checkText,
  async create(inputs) {
    const result = randomText(inputs);
    const outputs = {
      ...meta(2),
      id: result,
      number: numeric(inputs),
      numeric: numeric(inputs),
      result,
    };
    return { id: result, outputs };
  },
};

/** The official provider also uses the bytes as the id, which no state encrypts; here the id is "none". */
const bytes: ResourceType = {
  token: "random:index/randomBytes:RandomBytes",
  inputs: { keepers: { replaces: true }, length: { required: true, replaces: true } },
  outputs: ["base64", "hex"],
  secretOutputs: ["base64", "hex"],
  check: ({ length }) => atLeastOne("length", length),
  async create(inputs) {
    const drawn = randomBytes(Number(inputs.length));
    return { id: "none", outputs: { base64: drawn.toString("base64"), hex: drawn.toString("hex") } };
  },
};

const randomId: ResourceType = {
  token: "random:index/randomId:RandomId",
  inputs: {
    byteLength: { required: true, replaces: true },
    keepers: { replaces: true },
    prefix: { replaces: true },
  },
  outputs: ["b64Std", "b64Url", "dec", "hex"],
  check: ({ byteLength }) => atLeastOne("byteLength", byteLength),
  async create(inputs) {
    const drawn = randomBytes(Number(inputs.byteLength));
    const prefix = typeof inputs.prefix === "string" ? inputs.prefix : "";
    const id = drawn.toString("base64url");
    const outputs = {
      id,
      b64Std: prefix + drawn.toString("base64"),
      b64Url: prefix + id,
      dec: prefix + BigInt(`0x${drawn.toString("hex")}`).toString(),
      hex: prefix + drawn.toString("hex"),
    };
    return { id, outputs };
  },
};

function atLeastOne(property: string, value: unknown): Record<string, string> {
  return value === undefined || (Number.isInteger(value) && Number(value) >= 1)
    ? {}
    : { [property]: `${property} must be a whole number, at least 1` };
}

/** Follows @pulumi/random 4.21.2. Every input of every type replaces; nothing exists outside the state. */
export const random: ProviderType = {
  name: "random",
  version: "4.21.2",
  config: {},
  resources: [randomPassword, randomString, bytes, randomId],
  functions: [],
};
