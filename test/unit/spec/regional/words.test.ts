import { describe, expect, test } from "vitest";
import { ofOneKind } from "../../../../components/spec/issues.ts";
import { kindOf, parse } from "../../../../components/spec/parse.ts";
import { regionalSchema } from "../../../../components/spec/regional/schema.ts";
import { patroniDatabase } from "../../../../components/spec/regional/schemaDatabase.ts";
import { deploymentSchema } from "../../../../components/spec/schema.ts";
import { streamingDatabase } from "../../../../components/spec/schemaDatabase.ts";
import type { Given } from "../configuration.ts";
import { database, minimalRegions, regionA, regionalProblems } from "./configuration.ts";

describe("words of the schema's own problems", () => {
  test.each<[Given, string]>([
    [database({ timing: "quick" }), '"quick"; expected "fast" or "lan" or "wan"'],
    [database({ timing: 5 }), '5; expected "fast" or "lan" or "wan"'],
    [
      database({ timing: { profile: "fats" } }),
      '"fats"; expected "fast" or "lan" or "wan". Did you mean "fast"?',
    ],
    [database({ timing: { ttlSeconds: "30" } }), '"30"; expected a whole number: write it without quotes'],
    [database({ timing: { ttl: 30 } }), expect.stringContaining("Known here: profile, ttlSeconds, ")],
    [regionA({ member: {} }), 'there is no such option. Did you mean "members"?'],
    [{ deployment: { regions: { "region-a": 5 } } }, "5; expected a map"],
  ])("%j", (given, expected) => {
    expect(regionalProblems(given).map(({ message }) => message)).toEqual([expected]);
  });
});

describe("which kind it is", () => {
  test.each<[unknown, "streaming" | "patroni"]>([
    [minimalRegions, "patroni"],
    [{ database: { kind: "streaming" } }, "streaming"],
    [{ database: { kind: "Patroni" } }, "streaming"],
    [{ database: "patroni" }, "streaming"],
    [{ database: null }, "streaming"],
    [undefined, "streaming"],
    ["patroni", "streaming"],
    [[], "streaming"],
  ])("%j is %s", (deployment, kind) => {
    expect(kindOf(deployment)).toBe(kind);
  });

  test("one that there is not is refused by a message with both", () => {
    const deployment = { ...minimalRegions, database: { kind: "patronie" } };
    const parsed = parse({ stack: "demo", active: "region-a", deployment });
    const messages = parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
    expect(messages).toContain(
      'deployment.database.kind: "patronie"; expected "streaming" or "patroni". Did you mean "patroni"?',
    );
  });
});

describe("options of the other kind say so", () => {
  const keys = (schema: { readonly shape: object }, under: string) =>
    Object.keys(schema.shape).map((name) => `${under}.${name}`);
  const options = {
    streaming: [...keys(deploymentSchema, "deployment"), ...keys(streamingDatabase, "deployment.database")],
    patroni: [...keys(regionalSchema, "deployment"), ...keys(patroniDatabase, "deployment.database")],
  };

  test("they are all known", () => {
    const only = (mine: "streaming" | "patroni", others: "streaming" | "patroni") =>
      options[mine].filter((path) => !options[others].includes(path)).map((path) => [path, mine]);
    expect(ofOneKind).toEqual(
      Object.fromEntries([...only("streaming", "patroni"), ...only("patroni", "streaming")]),
    );
  });

  test("sites beside regions", () => {
    const given = { deployment: { sites: { "site-a": { target: "containers" } } } };
    expect(regionalProblems(given)).toEqual([
      {
        code: "E_UNKNOWN_KEY",
        path: "deployment.sites",
        message: "is for `database.kind: streaming`; take it out, or write that kind",
      },
    ]);
  });
});
