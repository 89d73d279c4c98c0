/** Snapshots of Consul's state on a server, without a Consul: which are kept, when the next one is due, what is told. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inAgent } from "../../../support/agentPython.ts";

const config = { role: "server", consul: { address: "x:1", snapshots: { everyHours: 6, keep: 2 } } };
let [data, snapshots] = ["", ""];

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "understudy-snapshots-"));
  snapshots = join(data, "snapshots");
});

afterEach(() => rmSync(data, { recursive: true }));

/** `given` is the host's configuration. */
function python(program: string, given: object = config): unknown {
  const script = `import snapshots, snapshotschedule, time\n${program}`;
  return inAgent(script, given, { UNDERSTUDY_DATA: data });
}

const isDue = (given?: object) => python("tell(snapshotschedule.is_due(given))", given);
const facts = (given?: object) => python("tell(snapshots.facts(given))", given);

function taken(hoursAgo: number): string {
  const at = new Date(Date.now() - hoursAgo * 3_600_000).toISOString();
  const name = `consul-${at.slice(0, 19).replaceAll(/[-:]/g, "")}Z.snap`;
  mkdirSync(snapshots, { recursive: true });
  writeFileSync(join(snapshots, name), "x");
  return name;
}

test("the first is due at once, the next when the last is as old as was said", () => {
  expect(isDue()).toBe(true);
  taken(5.9);
  expect(isDue()).toBe(false);
  rmSync(snapshots, { recursive: true });
  taken(6.1);
  expect(isDue()).toBe(true);
});

test("its name says how old one is, and whose clock ran ahead takes another", () => {
  const name = taken(1);
  utimesSync(join(snapshots, name), 0, 0);
  expect(isDue()).toBe(false);
  rmSync(snapshots, { recursive: true });
  taken(-2);
  expect(isDue()).toBe(true);
});

test("none is due where none is asked for", () => {
  expect(isDue({ role: "server", consul: { address: "x:1" } })).toBe(false);
  expect(facts({ role: "server", consul: { address: "x:1" } })).toBeNull();
});

test("the newest are kept, and a failure is told until one succeeds", () => {
  for (const hours of [30, 20, 10]) taken(hours);
  writeFileSync(join(snapshots, "failure"), "E: no leader\n");
  expect(facts()).toMatchObject({ everyHours: 6, held: 3, failure: "E: no leader" });
  python(`class Answers:
    management = "secret"
    def exchange(self, *_):
        import io, tarfile
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for name in ("meta.json", "state.bin", "SHA256SUMS"):
                archive.addfile(tarfile.TarInfo(name))
        return 200, stream.getvalue()
tell(snapshots.save(Answers(), 2)["bytes"])`);
  expect(readdirSync(snapshots)).toHaveLength(2);
  expect(facts()).toMatchObject({ held: 2, failure: null, newestAt: expect.stringMatching(/^20.*Z$/) });
});

test("what is no snapshot is not restored", () => {
  mkdirSync(snapshots, { recursive: true });
  writeFileSync(join(snapshots, "bad.snap"), "no archive");
  const said = python(`from files import Refusal
try:
    snapshots.restore(None, "${join(snapshots, "bad.snap")}")
except Refusal as no:
    tell(no.code + " " + str(no))`);
  expect(said).toMatch(/^E_SNAPSHOT .*bad\.snap is no whole snapshot/);
});
