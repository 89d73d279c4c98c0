import { describe, expect, test } from "vitest";
import { inspectCommand, unitStateOf } from "../../../components/hosts/machines/unitState.ts";

const beside = { converseBeside: () => Promise.reject(new Error("not asked")) };
const usual = {
  LoadState: "loaded",
  ActiveState: "active",
  SubState: "running",
  Result: "success",
  ExecMainStatus: "0",
  UnderstudyData: "kept",
};

function said(change: Partial<typeof usual>): string {
  return Object.entries({ ...usual, ...change })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

describe("what systemd says of a unit", () => {
  test.each<[change: Partial<typeof usual>, state: object]>([
    [{}, { is: "running" }],
    [{ ActiveState: "activating", SubState: "start" }, { is: "running" }],
    [{ ActiveState: "reloading", SubState: "reload" }, { is: "running" }],
    [{ ActiveState: "deactivating", SubState: "stop-sigterm" }, { is: "running" }],
    [{ LoadState: "masked" }, { is: "running" }],
    [
      { LoadState: "not-found", ActiveState: "inactive", SubState: "dead" },
      { is: "absent", data: "kept" },
    ],
    [
      { LoadState: "not-found", ActiveState: "inactive", UnderstudyData: "none" },
      { is: "absent", data: "none" },
    ],
    [{ ActiveState: "inactive" }, { is: "stopped", reason: "its unit is inactive (exit 0)" }],
    [
      { ActiveState: "failed", Result: "exit-code", ExecMainStatus: "3" },
      { is: "stopped", reason: "its unit is failed (exit 3)" },
    ],
    [
      { ActiveState: "failed", Result: "signal", ExecMainStatus: "9" },
      { is: "stopped", reason: "its unit is failed (signal 9)" },
    ],
    [
      { ActiveState: "failed", Result: "oom-kill" },
      { is: "stopped", reason: "its unit is failed (out of memory)" },
    ],
    [
      { ActiveState: "failed", Result: "timeout" },
      { is: "stopped", reason: "its unit is failed (timeout)" },
    ],
    [
      { LoadState: "masked", ActiveState: "inactive" },
      { is: "stopped", reason: "its unit is masked" },
    ],
    [
      { LoadState: "bad-setting", ActiveState: "inactive" },
      { is: "stopped", reason: "its unit file cannot be used (bad-setting)" },
    ],
    [
      { ActiveState: "activating", SubState: "auto-restart", Result: "exit-code", ExecMainStatus: "2" },
      { is: "restarting", reason: "its unit ends again and again (exit 2)" },
    ],
    [
      { ActiveState: "activating", SubState: "start-pre" },
      { is: "restarting", reason: "its unit is starting (start-pre)" },
    ],
  ])("%j", (change, state) => {
    expect(unitStateOf(said(change), beside)).toEqual(
      (state as { is: string }).is === "stopped" ? { ...state, ...beside } : state,
    );
  });

  test.each(["", "System has not been booted with systemd", said({}).replace("UnderstudyData", "x")])(
    "something else is no state: %j",
    (output) => {
      expect(() => unitStateOf(output, beside)).toThrow("systemctl said something else");
    },
  );

  test("it is one command", () => {
    expect(inspectCommand("x.service", "/d")).toBe(
      "systemctl show -p LoadState,ActiveState,SubState,Result,ExecMainStatus x.service && if [ -e /d ]; then echo UnderstudyData=kept; else echo UnderstudyData=none; fi",
    );
  });
});
