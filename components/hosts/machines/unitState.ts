/** From what systemd and the file system say of a unit to what it means. Pure. */
import type { VerbTable } from "../../roles/conversation.ts";
import type { UnitState } from "../agentAccess.ts";

const properties = ["LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus"];
const dataLine = "UnderstudyData";

/** One command, because each is a round trip or two. Prints `name=value` lines. */
export function inspectCommand(unit: string, dataDirectory: string): string {
  const show = `systemctl show -p ${properties.join(",")} ${unit}`;
  return `${show} && if [ -e ${dataDirectory} ]; then echo ${dataLine}=kept; else echo ${dataLine}=none; fi`;
}

export function unitStateOf<V extends VerbTable<V>>(
  output: string,
  beside: Pick<Extract<UnitState<V>, { is: "stopped" }>, "converseBeside">,
): UnitState<V> {
  const said = Object.fromEntries(output.split("\n").map((line) => splitOnce(line)));
  const { LoadState: load, ActiveState: active, SubState: sub, [dataLine]: data } = said;
  if (load === undefined || active === undefined || data === undefined) {
    throw new Error(`systemctl said something else than was asked: ${JSON.stringify(output.slice(0, 200))}`);
  }
  if (active === "activating" && sub !== "start") {
    const isStarting = !sub?.startsWith("auto-restart");
    const reason = isStarting
      ? `its unit is starting (${sub})`
      : `its unit ends again and again (${ending(said)})`;
    return { is: "restarting", reason };
  }
  // Also while it stops: its processes are still there.
  if (active !== "inactive" && active !== "failed") return { is: "running" };
  if (load === "not-found") return { is: "absent", data: data === "kept" ? "kept" : "none" };
  if (load === "masked") return { is: "stopped", reason: "its unit is masked", ...beside };
  if (load !== "loaded")
    return { is: "stopped", reason: `its unit file cannot be used (${load})`, ...beside };
  return { is: "stopped", reason: `its unit is ${active} (${ending(said)})`, ...beside };
}

/** How its last run ended. */
function ending({ Result: result, ExecMainStatus: status }: Readonly<Record<string, string>>): string {
  switch (result) {
    case "oom-kill":
      return "out of memory";
    case "signal":
    case "core-dump":
      return `signal ${status}`;
    case "timeout":
    case "watchdog":
    case "start-limit-hit":
      return result;
    default:
      return `exit ${status}`;
  }
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf("=");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
