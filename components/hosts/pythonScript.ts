/**
 * Python programs of ours that run where nothing of ours is installed. Program and request travel together on stdin
 * as one JSON document, because argv and environment can be read by others, and because half a document is no
 * document: a connection that is cut in the middle runs nothing.
 *
 * A mark before it makes it a text to Pulumi: its diff then shows the lines that differ, and not the whole document.
 */
import { readFileSync } from "node:fs";

/** Argument of `python3 -Ic`. Constant and short: it is shown when it fails. */
export const pythonStart = "import json,sys;d=json.loads(sys.stdin.read()[1:]);exec(d['start'])";

/** Without this shell's quotes in it. */
export const pythonCommand = `python3 -Ic "${pythonStart}"`;

export type PythonModule = "writer" | "bundle" | "systemd" | "clusters" | "unit";

/** Neither JSON nor YAML begins with it. */
const mark = "@";

/** `modules` in the order in which they import each other; the last one has `main(request)`. */
export function pythonText(modules: readonly PythonModule[], request: object): string {
  const document = {
    request,
    modules: Object.fromEntries(modules.map((name) => [name, readFileSync(file(name), "utf8").split("\n")])),
    start: [
      "import types",
      "for name, lines in d['modules'].items():",
      "    module = sys.modules[name] = types.ModuleType(name)",
      "    exec('\\n'.join(lines), module.__dict__)",
      "sys.exit(module.main(d['request']))",
    ].join("\n"),
  };
  return mark + JSON.stringify(document, undefined, 2);
}

function file(name: PythonModule): URL {
  const onMachines: readonly PythonModule[] = ["systemd", "clusters", "unit"];
  return new URL(onMachines.includes(name) ? `./machines/${name}.py` : `./${name}.py`, import.meta.url);
}

/** What `bundle.py` writes. */
export interface BundleRequest {
  /** Begins every message. */
  readonly host: string;
  /** Of the unit, absolute; directories from here on are made. */
  readonly top: string;
  /** Relative to it; "" for itself. */
  readonly directory: string;
  /** Name of an account, or `uid:gid`. */
  readonly owner: string;
  readonly secret: boolean;
  /** Absolute path of the list of what this bundle wrote, so that two bundles leave each other alone. */
  readonly manifest: string;
  /** Held while it works; null: nobody else can be there. */
  readonly lock: string | null;
  /** Content as lines: the preview of a change then shows the lines that differ. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}
