/**
 * The configuration reference, rendered from the schema: what a reader sees is what is checked. Pure; the
 * file is written by `scripts/reference.ts`.
 */
import { z } from "zod";
import { configurationKeys } from "./configurationKeys.ts";
import { type Effect, fieldMeta } from "./field.ts";
import { bare } from "./issues.ts";
import type { SettingValue } from "./model.ts";
import { ownedSettings, ownedUnderPatroni, ownedValues, ownedValuesUnderPatroni } from "./ownedSettings.ts";
import { regionalSchema } from "./regional/schema.ts";
import { deploymentSchema } from "./schema.ts";
import { settingValue } from "./schemaDatabase.ts";
import { failoverSchema } from "./schemaFailover.ts";

interface Section {
  readonly title: string;
  /** What is said before the table. */
  readonly intro?: string | undefined;
  readonly rows: readonly string[];
}

/** Objects that have a table already, by their schema: one that stands in two places is explained once. */
type Explained = Map<z.core.$ZodType, string>;

const effects: Readonly<Record<Effect, string>> = {
  none: "No server notices.",
  reload: "In force without a restart.",
  restart: "At most a restart of each PostgreSQL, standby first; a reload where PostgreSQL needs no more.",
  replace:
    "Containers are made anew, and units on machines restarted, one node at a time, standby first; data stays.",
  "destroys data": "It would be another deployment. Data is protected, so it is refused.",
};

export function renderReference(): string {
  const explained: Explained = new Map();
  const sections = [
    { title: "", rows: configurationKeys.map(keyRow) },
    ...sectionsOf(deploymentSchema, "deployment", explained),
    ...sectionsOf(failoverSchema, "failover", explained),
    ...sectionsOf(regionalSchema, "deployment", explained, deploymentSchema),
  ];
  const tables = sections.map(({ title, intro, rows }) =>
    [
      title === "" ? "#### The stack's configuration keys" : `#### ${title}`,
      "",
      ...(intro === undefined ? [] : [intro, ""]),
      "| Key | Type | Default | A change | Meaning |",
      "|---|---|---|---|---|",
      ...rows,
    ].join("\n"),
  );
  const legend = Object.entries(effects).map(([name, text]) => `- **${name}**: ${text}`);
  return [
    ["What a change of an option does at most:", "", ...legend].join("\n"),
    ...tables,
    ownedTable(),
  ].join("\n\n");
}

/**
 * The object's own table, then those of the objects inside it that have none yet. `like`: the object in its place with
 * `kind: streaming`; the table then has what is different only.
 */
function sectionsOf(
  schema: z.core.$ZodType,
  path: string,
  explained: Explained,
  like?: z.core.$ZodType,
): Section[] {
  const shape = shapeOf(schema);
  const known = like === undefined ? {} : shapeOf(like);
  explained.set(schema, path);
  const fields = Object.entries(shape).filter(([key, field]) => known[key] !== field);
  const rows = fields.map(([key, field]) => row(key, field, `${path}.${key}`, explained));
  const inner = fields.flatMap(([key, field]) => {
    const found = innerObject(field);
    if (found === undefined || explained.has(found.schema)) return [];
    const counterpart = known[key] && innerObject(known[key])?.schema;
    return sectionsOf(found.schema, `${path}.${key}${found.suffix}`, explained, counterpart);
  });
  const title = `\`${path}\`${like === undefined ? "" : " with `kind: patroni`"}`;
  return [{ title, intro: like && comparison(shape, known), rows }, ...inner];
}

type Shape = Readonly<Record<string, z.ZodType>>;

function shapeOf(schema: z.core.$ZodType): Shape {
  if (!(schema instanceof z.ZodObject)) throw new Error("internal: not an object of the schema");
  return schema.shape as Shape;
}

function comparison(shape: Shape, known: Shape): string {
  const names = (keys: readonly string[]) => keys.map((key) => `\`${key}\``).join(", ");
  const same = Object.keys(shape).filter((key) => shape[key] === known[key]);
  const gone = Object.keys(known).filter((key) => !Object.hasOwn(shape, key));
  return `As with \`kind: streaming\`: ${names(same)}. Not here: ${names(gone)}.`;
}

function keyRow(key: (typeof configurationKeys)[number]): string {
  const set = key.setSecret === undefined ? "" : ` \`${key.setSecret}\``;
  const cells = [`\`${key.key}\``, key.type, key.default, key.effect, `${key.description}${set}`];
  return tableRow(cells);
}

function innerObject(field: z.core.$ZodType): { schema: z.ZodObject; suffix: string } | undefined {
  const type = bare(field);
  if (type instanceof z.ZodObject) return { schema: type, suffix: "" };
  if (type instanceof z.ZodUnion) {
    const object = type.options.find((option) => option instanceof z.ZodObject);
    return object && { schema: object, suffix: "" };
  }
  const [element, suffix] =
    type instanceof z.ZodRecord
      ? [type.valueType, ".<name>"]
      : type instanceof z.ZodArray
        ? [type.element, "[]"]
        : [undefined, ""];
  return element instanceof z.ZodObject ? { schema: element, suffix } : undefined;
}

function row(key: string, field: z.ZodType, path: string, explained: Explained): string {
  const meta = fieldMeta.get(field);
  if (!meta) throw new Error(`${path} has no description in the schema`);
  const unit = meta.unit ? `, ${meta.unit}` : "";
  const source = meta.source ? ` (${meta.source})` : "";
  const cells = [
    `\`${key}\``,
    `${typeText(field)}${unit}`,
    defaultText(field, meta.derived),
    bare(field) instanceof z.ZodObject ? whereExplained(bare(field), explained) : meta.effect,
    `${meta.description}${source}`,
  ];
  return tableRow(cells);
}

function whereExplained(schema: z.core.$ZodType, explained: Explained): string {
  const title = explained.get(schema);
  return title === undefined ? "see below" : `as \`${title}\``;
}

const tableRow = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

function typeText(field: z.core.$ZodType): string {
  const type = bare(field);
  if (type === settingValue) return "value";
  if (type instanceof z.ZodString) return "text";
  if (type instanceof z.ZodBoolean) return "`true`, `false`";
  if (type instanceof z.ZodEnum) return type.options.map((option) => `\`${option}\``).join(", ");
  if (type instanceof z.ZodNumber) return numberText(type);
  if (type instanceof z.ZodObject) return "map";
  if (type instanceof z.ZodUnion) return type.options.map(typeText).join(" or ");
  if (type instanceof z.ZodArray) {
    if (type.element instanceof z.ZodEnum) return `list of ${typeText(type.element)}`;
    return `list of ${type.element instanceof z.ZodObject ? "maps" : "texts"}`;
  }
  if (type instanceof z.ZodRecord) {
    return type.valueType instanceof z.ZodObject ? "map by name" : "map of setting to value";
  }
  throw new Error(`internal: the reference does not know the type ${type._zod.def.type}`);
}

function numberText(type: z.ZodNumber): string {
  // zod has the limits of safe integers where the schema has none.
  const limit = (value: number | null) =>
    value === null || Math.abs(value) === Number.MAX_SAFE_INTEGER ? undefined : value;
  const low = limit(type.minValue);
  const high = limit(type.maxValue);
  if (low === undefined) return "number";
  return high === undefined ? `number, ${low} or more` : `number, ${low} to ${high}`;
}

function defaultText(field: z.core.$ZodType, derived: string | undefined): string {
  if (derived !== undefined) return derived;
  if (field instanceof z.ZodDefault) {
    const value: unknown = field.def.defaultValue;
    if (Array.isArray(value) && value.length > 0) return value.map((one) => `\`${one}\``).join(", ");
    return typeof value === "object" ? "none" : `\`${String(value)}\``;
  }
  return field instanceof z.ZodPrefault ? "see below" : "**required**";
}

function ownedTable(): string {
  return [
    "#### Settings of PostgreSQL that the deployment owns",
    "",
    "They are refused under `settings`, unless with the value that the deployment gives them anyway.",
    "",
    ...ownedRows(ownedSettings, ownedValues),
    "",
    "With `kind: patroni` these too, or for another reason:",
    "",
    ...ownedRows(ownedUnderPatroni, ownedValuesUnderPatroni),
  ].join("\n");
}

function ownedRows(
  reasons: Readonly<Record<string, string>>,
  values: Readonly<Record<string, SettingValue>>,
): readonly string[] {
  const rows = Object.entries(reasons).map(([name, reason]) => {
    const value = Object.hasOwn(values, name) ? `\`${String(values[name])}\`` : "";
    return `| \`${name}\` | ${value} | ${reason} |`;
  });
  return ["| Setting | Value | Why |", "|---|---|---|", ...rows];
}

export const beginMarker = "<!-- reference:begin -->";
export const endMarker = "<!-- reference:end -->";

/** The document with the text between its markers replaced. @throws when it has not exactly one pair of them. */
export function insertReference(document: string, reference: string): string {
  const [before, rest, ...again] = document.split(beginMarker);
  const [, after, ...ends] = (rest ?? "").split(endMarker);
  if (before === undefined || after === undefined || again.length > 0 || ends.length > 0) {
    throw new Error(`expected one ${beginMarker} with an ${endMarker} after it`);
  }
  return `${before}${beginMarker}\n\n${reference}\n\n${endMarker}${after}`;
}
