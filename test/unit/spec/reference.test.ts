import { describe, expect, test } from "vitest";
import { z } from "zod";
import { configurationKeys } from "../../../components/spec/configurationKeys.ts";
import { fieldMeta } from "../../../components/spec/field.ts";
import { bare } from "../../../components/spec/issues.ts";
import { insertReference, renderReference } from "../../../components/spec/reference.ts";
import { deploymentSchema } from "../../../components/spec/schema.ts";
import { failoverSchema } from "../../../components/spec/schemaFailover.ts";

const reference = renderReference();

const seen = new Set<z.core.$ZodType>();

/** Every field of the schema with its path, found apart from the renderer; what stands in two places, at the first. */
function fieldsOf(schema: z.core.$ZodType, path: string): [string, z.core.$ZodType][] {
  const type = bare(schema);
  if (type instanceof z.ZodRecord) return fieldsOf(type.valueType, `${path}.<name>`);
  if (type instanceof z.ZodArray) return fieldsOf(type.element, `${path}[]`);
  if (!(type instanceof z.ZodObject) || seen.has(type)) return [];
  seen.add(type);
  return Object.entries(type.shape as Record<string, z.ZodType>).flatMap(([key, field]) => [
    [`${path}.${key}`, field] as [string, z.core.$ZodType],
    ...fieldsOf(field, `${path}.${key}`),
  ]);
}

test("the keys of the stack are there, and secrets with the command that sets them", () => {
  for (const { key, setSecret } of configurationKeys) {
    const row = reference.split("\n").find((line) => line.startsWith(`| \`${key}\` |`));
    expect(row).toBeDefined();
    if (setSecret !== undefined) expect(row).toContain(`\`${setSecret}\` |`);
  }
});

const fields = [...fieldsOf(deploymentSchema, "deployment"), ...fieldsOf(failoverSchema, "failover")];

describe("every field", () => {
  test("there are fields", () => {
    expect(fields.length).toBeGreaterThan(45);
  });

  test.each(fields)("%s is described, and has a row in its object's table", (path, field) => {
    const meta = fieldMeta.get(field as z.ZodType);
    expect(meta?.description).toMatch(/\.\)?$/);
    const object = path.slice(0, path.lastIndexOf("."));
    const section = reference.split(`#### \`${object}\`\n`)[1]?.split("####")[0];
    expect(section).toContain(`| \`${path.slice(path.lastIndexOf(".") + 1)}\` |`);
  });

  test.each(fields.filter(([, field]) => field instanceof z.ZodOptional))(
    "%s has no constant default, so its default is in words",
    (_path, field) => {
      expect(fieldMeta.get(field as z.ZodType)?.derived).toBeTruthy();
    },
  );
});

test("rows show type, unit, default and effect", () => {
  expect(reference).toContain("| `degradeAfterSeconds` | number, 1 to 86400, s | `30` | none | With ");
  expect(reference).toContain(
    "| `synchronous` | `strict`, `available`, `off` | `strict` | reload | How far ",
  );
  expect(reference).toContain("| `domain` | text | **required** | reload | DNS zone ");
  expect(reference).toContain("| `memoryMiB` | number, 128 to 4194304, MiB | `512` | replace | Memory ");
  expect(reference).toContain(
    "| `machine` | map | none; needed with `kind: machine` | as `deployment.sites.<name>.machine` | With ",
  );
  expect(reference.match(/^\| `knownHosts` /gm)).toHaveLength(4);
  expect(reference).toContain("| `components` | list of texts | `main` | none | ");
  expect(reference).toContain("| `hot_standby` | `on` | a standby is observed");
});

test("tables have five cells in every row of options", () => {
  const rows =
    reference
      .split("#### Settings")[0]
      ?.split("\n")
      .filter((line) => line.startsWith("|")) ?? [];
  expect(rows.length).toBeGreaterThan(60);
  for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(7);
});

describe("putting it into a document", () => {
  const document = "before\n<!-- reference:begin -->\nold\n<!-- reference:end -->\nafter\n";

  test("what is between the markers is replaced, once and for all", () => {
    const once = insertReference(document, "new");
    expect(once).toBe("before\n<!-- reference:begin -->\n\nnew\n\n<!-- reference:end -->\nafter\n");
    expect(insertReference(once, "new")).toBe(once);
  });

  test.each(["no markers", "<!-- reference:begin -->", `${document}${document}`])("%j is refused", (text) => {
    expect(() => insertReference(text, "new")).toThrow("expected one <!-- reference:begin -->");
  });
});
