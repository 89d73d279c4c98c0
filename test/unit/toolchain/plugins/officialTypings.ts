/**
 * What the official npm packages say about a resource type or a function: the generated JavaScript has its token and the
 * names of its inputs and outputs, the typings have which inputs are required.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";

export interface Official {
  readonly token: string;
  readonly inputs: readonly string[];
  readonly required: readonly string[];
  readonly outputs: readonly string[];
  readonly secretOutputs: readonly string[];
  readonly replaceOnChanges: readonly string[];
}

const require = createRequire(import.meta.url);

function packageFile(name: string, file: string): string {
  const root = dirname(require.resolve(`@pulumi/${name}/package.json`));
  return readFileSync(join(root, file), "utf8");
}

export function packageVersion(name: string): string {
  return (JSON.parse(packageFile(name, "package.json")) as { version: string }).version;
}

/** e.g. `officialResource("tls", "privateKey")`, `officialResource("command", "local/command")`. */
export function officialResource(name: string, module: string): Official {
  const source = packageFile(name, `${module}.js`);
  const className = match(source, /exports\.(\w+) = \1;/);
  const lines = [...source.matchAll(/resourceInputs\["(\w+)"\] = (.*);/g)];
  const names = (test: (value: string) => boolean): string[] =>
    [
      ...new Set(lines.filter(([, , value]) => test(value ?? "")).map(([, property]) => property ?? "")),
    ].sort();
  const inputs = names((value) => /\bargs[?.]/.test(value));
  return {
    token: match(source, /__pulumiType = '([^']+)'/),
    inputs,
    required: members(packageFile(name, `${module}.d.ts`), `${className}Args`).required,
    outputs: names((value) => value.startsWith("undefined /*out*/")).filter(
      (property) => !inputs.includes(property),
    ),
    secretOutputs: list(source, /additionalSecretOutputs: \[([^\]]*)\]/),
    replaceOnChanges: list(source, /replaceOnChanges: \[(.*)\] \}/),
  };
}

export function officialFunction(
  name: string,
  module: string,
): Pick<Official, "token" | "inputs" | "required"> {
  const source = packageFile(name, `${module}.js`);
  const called = match(source, /runtime\.invoke\("([^"]+)"/);
  const functionName = called.split(":").at(-1) ?? "";
  const args = `${functionName.charAt(0).toUpperCase()}${functionName.slice(1)}Args`;
  const { all, required } = members(packageFile(name, `${module}.d.ts`), args);
  return { token: called, inputs: all, required };
}

/** The names of the properties of an interface, e.g. of a nested input type, be it in a namespace. */
export function members(typings: string, interfaceName: string): { all: string[]; required: string[] } {
  const file = ts.createSourceFile("typings.d.ts", typings, ts.ScriptTarget.Latest);
  const found = [...file.statements]
    .flatMap(inNamespace)
    .find(
      (statement): statement is ts.InterfaceDeclaration =>
        ts.isInterfaceDeclaration(statement) && statement.name.text === interfaceName,
    );
  if (found === undefined) {
    throw new Error(`the typings have no interface ${interfaceName}`);
  }
  const properties = found.members.filter(ts.isPropertySignature);
  const names = (some: readonly ts.PropertySignature[]): string[] =>
    some.map((property) => property.name.getText(file)).sort();
  return {
    all: names(properties),
    required: names(properties.filter((property) => !property.questionToken)),
  };
}

function inNamespace(statement: ts.Statement): readonly ts.Statement[] {
  const { body } = statement as ts.ModuleDeclaration;
  return ts.isModuleDeclaration(statement) && body !== undefined && ts.isModuleBlock(body)
    ? body.statements
    : [statement];
}

export function nestedMembers(name: string, interfaceName: string): string[] {
  return members(packageFile(name, "types/input.d.ts"), interfaceName).all;
}

function match(source: string, pattern: RegExp): string {
  const found = pattern.exec(source)?.[1];
  if (found === undefined) {
    throw new Error(`the official package has nothing like ${pattern}`);
  }
  return found;
}

function list(source: string, pattern: RegExp): string[] {
  const found = pattern.exec(source)?.[1] ?? "";
  return [...found.matchAll(/"([^"]+)"/g)].map(([, item]) => item ?? "").sort();
}
