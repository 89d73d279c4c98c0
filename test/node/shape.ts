/** Compares a JSON value with a TypeScript type, so that what Python says is held against what TypeScript reads. */
import { fileURLToPath } from "node:url";
import ts from "typescript";

const facts = fileURLToPath(new URL("../../components/roles/facts.ts", import.meta.url));

/** What in `value` is not as the interface in `components/roles/facts.ts` says; empty: nothing. */
export function deviations(value: unknown, interfaceName: string): string[] {
  const program = ts.createProgram([facts], { strict: true, noEmit: true, allowImportingTsExtensions: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(facts);
  const symbol = source && checker.getSymbolAtLocation(source);
  const found = symbol && checker.getExportsOfModule(symbol).find((s) => s.name === interfaceName);
  if (!found) throw new Error(`${facts} exports no ${interfaceName}`);
  return compare(value, checker.getDeclaredTypeOfSymbol(found), interfaceName, checker);
}

function compare(value: unknown, type: ts.Type, path: string, checker: ts.TypeChecker): string[] {
  if (type.isUnion()) {
    const attempts = type.types.map((member) => compare(value, member, path, checker));
    // An object matches one member best; the one with the fewest complaints is the one that was meant.
    return attempts.reduce((best, next) => (next.length < best.length ? next : best));
  }
  if (type.isLiteral()) {
    return value === type.value
      ? []
      : [`${path}: ${JSON.stringify(value)} is not ${checker.typeToString(type)}`];
  }
  const flags: readonly [ts.TypeFlags, boolean][] = [
    [ts.TypeFlags.Null, value === null],
    [ts.TypeFlags.Undefined, value === undefined],
    [ts.TypeFlags.String, typeof value === "string"],
    [ts.TypeFlags.Number, typeof value === "number"],
    [ts.TypeFlags.BooleanLiteral, value === (checker.typeToString(type) === "true")],
  ];
  const flag = flags.find(([f]) => type.flags & f);
  if (flag) return flag[1] ? [] : [`${path}: ${JSON.stringify(value)} is no ${checker.typeToString(type)}`];
  if (typeof value !== "object" || value === null) return [`${path}: ${JSON.stringify(value)} is no object`];
  const element = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  if (element) {
    if (!Array.isArray(value)) return [`${path}: is no list`];
    return value.flatMap((item, i) => compare(item, element, `${path}[${i}]`, checker));
  }
  const entries = Object.entries(value);
  const values = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  if (values) return entries.flatMap(([key, item]) => compare(item, values, `${path}.${key}`, checker));
  return compareMembers(value as Record<string, unknown>, type, path, checker);
}

function compareMembers(
  value: Record<string, unknown>,
  type: ts.Type,
  path: string,
  checker: ts.TypeChecker,
): string[] {
  const members = checker.getPropertiesOfType(type);
  const unknown = Object.keys(value).filter((key) => !members.some((member) => member.name === key));
  const problems = members.flatMap((member) => {
    if (value[member.name] === undefined) {
      return member.flags & ts.SymbolFlags.Optional ? [] : [`${path}.${member.name}: is missing`];
    }
    return compare(value[member.name], checker.getTypeOfSymbol(member), `${path}.${member.name}`, checker);
  });
  return [...problems, ...unknown.map((key) => `${path}.${key}: is not in the interface`)];
}
