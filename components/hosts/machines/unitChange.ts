/** What a change of a unit's file needs. Pure. `unit.py` is given the same words. */

/**
 * What systemd itself goes by, and no process has been started with: over the whole of `Section.Option`, as Python and
 * JavaScript both read it.
 */
export const takenByReload = [
  String.raw`Unit\..*`,
  String.raw`Install\..*`,
  String.raw`Service\.(Restart.*|Timeout.*|Kill.*|SendSIGKILL|SuccessExitStatus|StartLimit.*|OOMPolicy|SyslogIdentifier|ExecStop.*|ExecReload)`,
].join("|");

const taken = new RegExp(`^(?:${takenByReload})$`);

/** Names of the options that differ and that only the unit's next start takes over, each once. */
export function waitingOptions(running: string, installed: string): readonly string[] {
  const [before, after] = [optionsIn(running), optionsIn(installed)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => !taken.test(name) && before.get(name) !== after.get(name))
    .map((name) => name.slice(name.indexOf(".") + 1))
    .sort();
}

/** `Section.Option` to its values in their order, one a line. */
function optionsIn(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let section = "";
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    if (line.startsWith("[")) {
      section = line.slice(1, -1);
      continue;
    }
    const at = line.indexOf("=");
    const name = `${section}.${line.slice(0, at)}`;
    found.set(name, `${found.get(name) ?? ""}${line.slice(at + 1)}\n`);
  }
  return found;
}
