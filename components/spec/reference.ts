/**
 * The configuration reference, rendered from the schema: what a reader sees is what is checked. Pure; the
 * file is written by `scripts/reference.ts`.
 */
import { z } from "zod";
import { configurationKeys } from "./configurationKeys.ts";
import { type Effect, fieldMeta } from "./field.ts";
import { bare } from "./issues.ts";
import { ownedSettings, ownedValues } from "./ownedSettings.ts";
import { deploymentSchema } from "./schema.ts";
import { settingValue } from "./schemaDatabase.ts";
import { failoverSchema } from "./schemaFailover.ts";

interface Section {
  readonly title: string;
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
  ];
  const tables = sections.map(({ title, rows }) =>
    [
      title === "" ? "#### The stack's configuration keys" : `#### \`${title}\``,
      "",
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

/** The object's own table, then those of the objects inside it that have none yet. */
function sectionsOf(schema: z.core.$ZodType, title: string, explained: Explained): Section[] {
  if (!(schema instanceof z.ZodObject)) throw new Error(`internal: ${title} is not an object of the schema`);
  explained.set(schema, title);
  const fields = Object.entries(schema.shape as Record<string, z.ZodType>);
  const rows = fields.map(([key, field]) => row(key, field, `${title}.${key}`, explained));
  const inner = fields.flatMap(([key, field]) => {
    const found = innerObject(field);
    if (found === undefined || explained.has(found.schema)) return [];
    return sectionsOf(found.schema, `${title}.${key}${found.suffix}`, explained);
  });
  return [{ title, rows }, ...inner];
}

function keyRow(key: (typeof configurationKeys)[number]): string {
  const set = key.setSecret === undefined ? "" : ` \`${key.setSecret}\``;
  const cells = [`\`${key.key}\``, key.type, key.default, key.effect, `${key.description}${set}`];
  return tableRow(cells);
}

function innerObject(field: z.core.$ZodType): { schema: z.ZodObject; suffix: string } | undefined {
  const type = bare(field);
  if (type instanceof z.ZodObject) return { schema: type, suffix: "" };
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
  if (type instanceof z.ZodArray) return `list of ${type.element instanceof z.ZodObject ? "maps" : "texts"}`;
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
  const rows = Object.entries(ownedSettings).map(([name, reason]) => {
    const value = Object.hasOwn(ownedValues, name) ? `\`${String(ownedValues[name])}\`` : "";
    return `| \`${name}\` | ${value} | ${reason} |`;
  });
  return [
    "#### Settings of PostgreSQL that the deployment owns",
    "",
    "They are refused under `settings`, unless with the value that the deployment gives them anyway.",
    "",
    "| Setting | Value | Why |",
    "|---|---|---|",
    ...rows,
  ].join("\n");
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
