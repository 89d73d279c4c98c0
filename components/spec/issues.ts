/** zod's findings in our words: where, the value (unless it may be a secret), and what to write instead. */
import { z } from "zod";
import { setSecretCommand } from "./configurationKeys.ts";
import type { Problem } from "./problems.ts";
import { deploymentSchema } from "./schema.ts";
import { show } from "./show.ts";
import { didYouMean } from "./suggest.ts";

export type Path = readonly PropertyKey[];

/** A configuration key and what may be under it. */
export interface Root {
  readonly key: string;
  readonly schema: z.ZodType;
}

const deploymentRoot: Root = { key: "deployment", schema: deploymentSchema };

/** `deployment.database.clientAccess[0].method`, as `pulumi config set --path` writes it. */
export function pathText(path: Path, key = deploymentRoot.key): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}.${String(part)}`),
    key,
  );
}

export function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** Keys that people bring from elsewhere to a machine, and what they meant. */
const strangersOnMachines: readonly (readonly [RegExp, string, string])[] = [
  [
    /private.?key|^key$|passphrase/i,
    "E_SECRET_PLAINTEXT",
    `a secret does not belong here: write \`keyFile\`, or \`${setSecretCommand("sshPrivateKey")}\``,
  ],
  [
    /passw|secret|token|credential/i,
    "E_SECRET_PLAINTEXT",
    "a secret does not belong here: SSH goes by key (`keyFile`, the secret `sshPrivateKey` or the agent), and sudo without a password",
  ],
];

/** Keys that people bring from elsewhere, and what they meant. */
const knownStrangers: readonly (readonly [RegExp, string, string])[] = [
  [
    /passw|secret|token|credential/i,
    "E_SECRET_PLAINTEXT",
    "a secret does not belong here: passwords are made by the deployment and kept as secrets",
  ],
  [
    /private.?key|^key$/i,
    "E_SECRET_PLAINTEXT",
    `a secret does not belong here: set the key with \`${setSecretCommand("caPrivateKey")}\``,
  ],
  [/^(type|connection|host)$/, "E_HBA_WEAK", "every rule is `hostssl`; there is no other kind"],
  [
    /^superuser$/i,
    "E_UNKNOWN_KEY",
    "no role of yours is a superuser: it could undo what keeps the data safe",
  ],
];

export function problemsOf(issue: z.core.$ZodIssue, raw: unknown, root = deploymentRoot): Problem[] {
  const path = pathText(issue.path, root.key);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(key, issue.path, raw, root));
  }
  const value = valueAt(raw, issue.path);
  if (value === undefined) return [{ code: "E_REQUIRED", path, message: `is missing; ${expected(issue)}` }];
  const code =
    { invalid_value: "E_CHOICE", too_small: "E_RANGE", too_big: "E_RANGE" }[issue.code as string] ?? "E_TYPE";
  const quoted =
    typeof value === "string" && wantsNumber(issue) && value.trim() !== "" && Number.isFinite(Number(value));
  const advice = quoted ? `${expected(issue)}: write it without quotes` : expected(issue);
  const close = issue.code === "invalid_value" ? didYouMean(String(value), issue.values.map(String)) : "";
  return [{ code, path, message: `${show(value, path)}; ${advice}${close && `.${close}`}` }];
}

function unknownKey(key: string, parent: Path, raw: unknown, root: Root): Problem {
  const path = pathText([...parent, key], root.key);
  const known = knownKeys(parent, root.schema);
  const setSecret = setSecretCommand(key);
  if (setSecret !== undefined) {
    const message = `a secret does not belong here: take it out, and set it with \`${setSecret}\``;
    return { code: "E_SECRET_PLAINTEXT", path, message };
  }
  const onMachine = parent.includes("machine") && !parent.includes("packageMirror");
  const strangers = onMachine ? [...strangersOnMachines, ...knownStrangers] : knownStrangers;
  const stranger = strangers.find(([pattern]) => pattern.test(key) && parent.length > 0);
  const inHba = parent.includes("clientAccess");
  if (stranger && (stranger[1] !== "E_HBA_WEAK" || inHba)) {
    return { code: stranger[1], path, message: stranger[2] };
  }
  const present = Object.keys((valueAt(raw, parent) as object | undefined) ?? {});
  const free = known.filter((name) => !present.includes(name));
  const advice = didYouMean(key, free) || ` Known here: ${known.join(", ")}.`;
  return { code: "E_UNKNOWN_KEY", path, message: `there is no such option.${advice}` };
}

/** The options of the object at a path, from the schema. */
function knownKeys(path: Path, root: z.ZodType): string[] {
  let schema: z.core.$ZodType = root;
  for (const part of path) {
    schema = bare(schema);
    if (schema instanceof z.ZodObject) schema = schema.shape[String(part)] ?? schema;
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
    else if (schema instanceof z.ZodArray) schema = schema.element;
  }
  schema = bare(schema);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** The type without `optional` and defaults around it. */
export function bare(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  return inner;
}

const wantsNumber = (issue: z.core.$ZodIssue) =>
  issue.code === "invalid_type" && (issue.expected === "number" || issue.expected === "int");

const typeWords: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a whole number",
  string: "a text",
  boolean: "true or false",
  object: "a map",
  record: "a map",
  array: "a list",
};

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${typeWords[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `expected ${issue.values.map((one) => `"${String(one)}"`).join(" or ")}`;
    case "too_small":
      if (issue.origin !== "array") return `expected ${issue.minimum} or more`;
      return `expected at least one${issue.path.at(-1) === "clientAccess" ? "; leave it out for the default" : ""}`;
    case "too_big":
      return `expected ${issue.maximum} or less`;
    default:
      return "expected a text, a number, true or false";
  }
}
