/** zod's findings in our words: where, the value (unless it may be a secret), and what to write instead. */
import { z } from "zod";
import { setSecretCommand } from "./configurationKeys.ts";
import type { Problem } from "./problems.ts";
import { databaseKinds } from "./schemaDatabase.ts";
import { show } from "./show.ts";
import { didYouMean } from "./suggest.ts";

export type Path = readonly PropertyKey[];

/** A configuration key and what may be under it. */
export interface Root {
  readonly key: string;
  readonly schema: z.ZodType;
}

/** `deployment.database.clientAccess[0].method`, as `pulumi config set --path` writes it. */
export function pathText(path: Path, key = "deployment"): string {
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

/** Options of one kind of deployment only: who writes them has the kind or the option in mind. */
export const ofOneKind: Readonly<Record<string, (typeof databaseKinds)[number]>> = {
  "deployment.sites": "streaming",
  "deployment.database.degradeAfterSeconds": "streaming",
  "deployment.database.standbyReads": "streaming",
  "deployment.regions": "patroni",
  "deployment.database.scope": "patroni",
  "deployment.database.timing": "patroni",
  "deployment.database.maximumLagMiB": "patroni",
  "deployment.database.pooling": "patroni",
  "deployment.database.sessionChecks": "patroni",
  "deployment.database.watchdog": "patroni",
};

export function problemsOf(issue: z.core.$ZodIssue, raw: unknown, root: Root): Problem[] {
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
  const close =
    issue.code === "invalid_value" && typeof value === "string" ? didYouMean(value, choices(issue)) : "";
  return [{ code, path, message: `${show(value, path)}; ${advice}${close && `.${close}`}` }];
}

/** The kind has chosen the schema, which then knows no other one. */
function choices(issue: z.core.$ZodIssueInvalidValue): readonly string[] {
  return issue.path.join(".") === "database.kind" ? databaseKinds : issue.values.map(String);
}

/** Of something that may be one thing or another: what is wrong with the one that was meant. */
export function insideOf(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  const inside = issue.errors.find((branch) =>
    branch.every(({ path, code }) => path.length > 0 || code === "unrecognized_keys"),
  );
  const meant = inside ?? issue.errors.find((branch) => branch.some(({ code }) => code === "invalid_value"));
  return meant?.map((one) => ({ ...one, path: [...issue.path, ...one.path] })) ?? [issue];
}

function unknownKey(key: string, parent: Path, raw: unknown, root: Root): Problem {
  const path = pathText([...parent, key], root.key);
  const known = knownKeys(parent, root.schema);
  if (Object.hasOwn(ofOneKind, path)) {
    const message = `is for \`database.kind: ${ofOneKind[path]}\`; take it out, or write that kind`;
    return { code: "E_UNKNOWN_KEY", path, message };
  }
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
  let schema = asMap(root);
  for (const part of path) {
    if (schema instanceof z.ZodObject) schema = schema.shape[String(part)] ?? schema;
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
    else if (schema instanceof z.ZodArray) schema = schema.element;
    schema = asMap(schema);
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** Of a choice between a word and a map: the map. */
function asMap(schema: z.core.$ZodType): z.core.$ZodType {
  const type = bare(schema);
  if (!(type instanceof z.ZodUnion)) return type;
  return type.options.find((option) => option instanceof z.ZodObject) ?? type;
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
      return `expected ${choices(issue)
        .map((one) => `"${one}"`)
        .join(" or ")}`;
    case "too_small":
      if (issue.origin !== "array") return `expected ${issue.minimum} or more`;
      return `expected at least one${issue.path.at(-1) === "clientAccess" ? "; leave it out for the default" : ""}`;
    case "too_big":
      return `expected ${issue.maximum} or less`;
    default:
      return "expected a text, a number, true or false";
  }
}
