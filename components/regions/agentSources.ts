/**
 * The source of the agent that runs on every host of a region: its own modules, and those of a pair's node that they
 * import. All lie in one directory there, so a name may be only once.
 */
import { readdirSync, readFileSync } from "node:fs";
import { type OwnFile, ownFile } from "../hosts/ownFiles.ts";

interface Module {
  readonly file: URL;
  readonly text: string;
}

const own = modulesIn(new URL("./agent/", import.meta.url));
const shared = modulesIn(new URL("../postgres/node/", import.meta.url));

/** Content by file name, for the directory of the configuration. The same on every host, whatever its role. */
export function agentSources(): Record<string, string> {
  return Object.fromEntries(needed().map(([name, { text }]) => [name, text]));
}

/** The same, named instead of held. */
export function agentFiles(): Record<string, OwnFile> {
  return Object.fromEntries(needed().map(([name, { file }]) => [name, ownFile(file)]));
}

function needed(): [name: string, module: Module][] {
  const found = new Map<string, Module>();
  const visit = (name: string): void => {
    const module = own.get(name) ?? shared.get(name);
    if (module === undefined || found.has(name)) return;
    found.set(name, module);
    for (const imported of importsOf(module.text)) visit(imported);
  };
  for (const name of own.keys()) visit(name);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, module]) => [`${name}.py`, module]);
}

function modulesIn(directory: URL): Map<string, Module> {
  const names = readdirSync(directory).filter((name) => name.endsWith(".py"));
  return new Map(
    names.map((name) => {
      const file = new URL(name, directory);
      return [name.replace(/\.py$/, ""), { file, text: readFileSync(file, "utf8") }];
    }),
  );
}

/** Also the ones inside functions, which are only imported when they are needed. */
function importsOf(source: string): string[] {
  return [...source.matchAll(/^\s*(?:from (\w+) import|import ([\w, ]+)$)/gm)].flatMap(([, from, list]) =>
    from !== undefined ? [from] : (list ?? "").split(",").map((name) => name.trim().split(" ")[0] ?? ""),
  );
}
