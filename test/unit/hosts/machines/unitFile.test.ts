import { describe, expect, test } from "vitest";
import { unitFile } from "../../../../components/hosts/machines/unitFile.ts";
import { dnsProgram, dnsUnit, postgresProgram, postgresUnit } from "./example.ts";

const postgres = (adopt?: string) =>
  unitFile({
    deployment: "demo",
    host: "site-a",
    unit: postgresUnit,
    machineProgram: postgresProgram,
    adopt,
  });

const options = (text: string, name: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));

describe("the unit of a node", () => {
  // Byte for byte: whatever changes in it restarts every server, or has to be known not to.
  test("is exactly this", () => {
    expect(postgres()).toMatchSnapshot();
  });

  test("is never killed while it stops, and never given up", () => {
    expect(options(postgres(), "TimeoutStopSec")).toEqual(["infinity"]);
    expect(options(postgres(), "StartLimitIntervalSec")).toEqual(["0"]);
    expect(options(postgres(), "Restart")).toEqual(["always"]);
  });

  test("may write to an adopted data directory, wherever that and its WAL are", () => {
    expect(options(postgres(), "ProtectSystem")).toEqual(["strict"]);
    const adopted = postgres("/var/lib/postgresql/17/main");
    expect(options(adopted, "ProtectSystem")).toEqual(["full"]);
    expect(options(adopted, "ProtectHome")).toEqual(["yes"]);
    expect(options(adopted, "RequiresMountsFor")).toEqual([
      "/var/lib/understudy /var/lib/postgresql/17/main",
    ]);
    expect(options(postgres("/home/db/main"), "ProtectHome")).toEqual(["no"]);
  });

  test("escapes what systemd would read as something else", () => {
    const unit = { ...postgresUnit, command: ["/opt/a b/run", "50%", "$HOME", 'say "x"'] };
    const text = unitFile({
      deployment: "d",
      host: "h",
      unit,
      machineProgram: postgresProgram,
      adopt: undefined,
    });
    expect(options(text, "ExecStart")).toEqual([`"/opt/a b/run" 50%% $$HOME "say \\"x\\""`]);
  });
});

test("the unit of a name server is exactly this", () => {
  const args = {
    deployment: "demo",
    host: "dns",
    unit: dnsUnit,
    machineProgram: dnsProgram,
    adopt: undefined,
  };
  expect(unitFile(args)).toMatchSnapshot();
});
