import { describe, expect, test } from "vitest";
import { machineProgram } from "../../../../components/hosts/machines/programs.ts";
import { unitFile } from "../../../../components/hosts/machines/unitFile.ts";
import { dnsProgram, dnsUnit, postgresProgram, postgresUnit, regionUnits } from "./example.ts";

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

describe.each(["consul", "patroni", "haproxy"] as const)("the unit of %s", (program) => {
  const unit = regionUnits[program];
  const of = (more: Partial<typeof unit> = {}) =>
    unitFile({
      deployment: "demo",
      host: "region-a-1",
      unit: { ...unit, ...more },
      machineProgram: machineProgram(program, { version: 17 }),
      adopt: undefined,
    });

  test("is exactly this", () => {
    expect(of()).toMatchSnapshot();
  });

  test("is the agent's: told when it is up, and killed as a whole where it dies", () => {
    expect(options(of(), "Type")).toEqual(["notify"]);
    expect(options(of(), "KillMode")).toEqual(["mixed"]);
    expect(options(of(), "User")).toEqual([program === "patroni" ? "postgres" : program]);
    expect(options(of(), "RuntimeDirectory")).toEqual(["understudy"]);
  });

  test("may bind low ports where it is to listen on one, and only there", () => {
    expect(options(of(), "AmbientCapabilities")).toEqual([""]);
    const low = of({ listens: [{ port: 443, protocol: "tcp", from: [] }] });
    expect(options(low, "AmbientCapabilities")).toEqual(["CAP_NET_BIND_SERVICE"]);
  });

  test("may have as many files open as it asks for", () => {
    expect(options(of(), "LimitNOFILE")).toEqual(["65536"]);
    expect(options(of({ openFiles: 524_288 }), "LimitNOFILE")).toEqual(["524288"]);
  });

  test("sees the devices that it was given, and no other", () => {
    expect(options(of({ devices: [] }), "PrivateDevices")).toEqual(["yes"]);
    const given = of({ devices: ["/dev/watchdog"] });
    expect(options(given, "DevicePolicy")).toEqual(["closed"]);
    expect(options(given, "DeviceAllow")).toEqual(["/dev/watchdog rw"]);
    expect(options(given, "ExecStartPre")).toEqual([`-+/bin/chown ${unit.user} /dev/watchdog`]);
  });
});
