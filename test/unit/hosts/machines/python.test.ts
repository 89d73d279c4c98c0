/** The parts of the Python scripts that need no machine. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { takenByReload, waitingOptions } from "../../../../components/hosts/machines/unitChange.ts";

const hosts = join(import.meta.dirname, "../../../../components/hosts");

/** Runs lines of Python with our modules at hand; `given` is what they find as `given`. */
function python<T>(lines: readonly string[], given: unknown = null): T {
  const program = [
    `import json, sys; sys.dont_write_bytecode = True; sys.path[:0] = [${JSON.stringify(hosts)}, ${JSON.stringify(join(hosts, "machines"))}]`,
    "given = json.load(sys.stdin)",
    ...lines,
  ].join("\n");
  const { stdout, stderr, status } = spawnSync("python3", ["-c", program], {
    input: JSON.stringify(given),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

describe("what a change of a unit needs", () => {
  const old =
    "[Unit]\nDescription=a\n[Service]\nExecStart=/bin/a\nTimeoutStopSec=10\nEnvironment=A=1\nEnvironment=B=2\n[Install]\nWantedBy=x\n";
  const cases: [string, string, string[]][] = [
    ["nothing when nothing changed", old, []],
    ["nothing but a reload for a comment", `# hello\n${old}`, ["reload"]],
    ["a reload for what systemd goes by", old.replace("=10", "=infinity"), ["reload"]],
    ["a reload for a description", old.replace("=a\n", "=b\n"), ["reload"]],
    ["its links for what it is wanted by", old.replace("WantedBy=x", "WantedBy=y"), ["enable", "reload"]],
    ["a restart for what runs", old.replace("/bin/a", "/bin/b"), ["reload", "restart"]],
    ["a restart for another environment", old.replace("B=2", "B=3"), ["reload", "restart"]],
    ["a restart for hardening that is gone", `${old}[Service]\nNoNewPrivileges=yes\n`, ["reload", "restart"]],
  ];
  test.each(cases)("is %s", (_, changed, needed) => {
    const found = python<string[]>(
      ["import systemd", "print(json.dumps(sorted(systemd.changes(*given))))"],
      [old, changed, takenByReload],
    );
    expect(found).toEqual(needed);
    // The preview of a member's restart goes by the same.
    expect(waitingOptions(old, changed).length > 0).toBe(needed.includes("restart"));
  });
});

test("a log is quoted without statements and details, which may hold values", () => {
  const lines = [
    "understudy: the server ended by itself",
    "2026-01-01 UTC [1] FATAL:  could not open file",
    "2026-01-01 UTC [1] STATEMENT:  ALTER ROLE app PASSWORD 'canary'",
    "2026-01-01 UTC [1] DETAIL:  Key (token)=(canary)",
    "2026-01-01 UTC [1] ERROR:  canary",
    "understudy-postgres.service: Main process exited, code=exited, status=1/FAILURE",
  ];
  const quoted = python<string[]>(
    ["import systemd", "print(json.dumps([line for line in given if systemd.TELLING.search(line)]))"],
    lines,
  );
  expect(quoted).toEqual([lines[0], lines[1], lines[5]]);
});

describe("a bundle", () => {
  const me = statSync(tmpdir()).uid === process.getuid?.() ? `${process.getuid()}:${process.getgid?.()}` : "";
  let top: string;

  beforeAll(() => {
    top = mkdtempSync(join(tmpdir(), "understudy-bundle-"));
    mkdirSync(join(top, "books"));
  });

  afterAll(() => {
    chmodSync(top, 0o700);
    rmSync(top, { recursive: true, force: true });
  });

  const install = (files: Record<string, string>, more: object = {}) => {
    const request = {
      host: "site-a",
      top: join(top, "config"),
      directory: "",
      owner: me,
      secret: true,
      manifest: join(top, "books/site-a-files"),
      lock: join(top, "books/lock"),
      files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.split("\n")])),
      ...more,
    };
    return python<{ code: number; said: string }>(
      [
        "import contextlib, io, bundle",
        "said = io.StringIO()",
        "with contextlib.redirect_stderr(said): code = bundle.main(given)",
        "print(json.dumps({'code': code, 'said': said.getvalue()}))",
      ],
      request,
    );
  };
  const read = (name: string) => readFileSync(join(top, "config", name), "utf8");
  const isRoot = process.getuid?.() === 0;

  // Files and directories get root's group or root itself, which another account cannot give.
  test.runIf(isRoot)("is written as listed, and what is not listed any more is removed", () => {
    expect(install({ "a.conf": "one\ntwo\n", "sub/b": "x" })).toEqual({ code: 0, said: "" });
    expect(read("a.conf")).toBe("one\ntwo\n");
    expect(statSync(join(top, "config/sub/b")).mode & 0o777).toBe(0o600);
    expect(statSync(join(top, "config/sub")).mode & 0o777).toBe(0o750);
    const before = statSync(join(top, "config/a.conf")).ino;
    expect(install({ "a.conf": "one\ntwo\n" })).toEqual({ code: 0, said: "" });
    expect(statSync(join(top, "config/a.conf")).ino).toBe(before);
    expect(readdirSync(join(top, "config/sub"))).toEqual([]);
    const manifest = readFileSync(join(top, "books/site-a-files"), "utf8");
    expect(manifest).toMatch(new RegExp(`^[0-9a-f]{64} 0600 0:0 ${top}/config/a\\.conf\n$`));
  });

  test.runIf(isRoot)("replaces a link that somebody put in its place, and does not follow it", () => {
    const elsewhere = join(top, "elsewhere");
    writeFileSync(elsewhere, "somebody's");
    rmSync(join(top, "config/a.conf"), { force: true });
    python(
      ["import os", `os.symlink(${JSON.stringify(elsewhere)}, given)`, "print('1')"],
      join(top, "config/a.conf"),
    );
    expect(install({ "a.conf": "new" }).code).toBe(0);
    expect(readFileSync(elsewhere, "utf8")).toBe("somebody's");
    expect(read("a.conf")).toBe("new");
  });

  test.runIf(isRoot)("says which account is not there", () => {
    expect(install({ a: "b" }, { owner: "no-such-account" })).toEqual({
      code: 1,
      said: "site-a: there is no account no-such-account; the package that makes it is not installed\n",
    });
  });

  test.runIf(isRoot)("says what is in its way, and shows no content", () => {
    mkdirSync(join(top, "config/dir/in"), { recursive: true });
    const { code, said } = install({ dir: "canary" });
    expect(code).toBe(1);
    expect(said).toMatch(
      /^site-a: cannot write \S+\/config\/dir: Is a directory\. What was there is whole; mend that/,
    );
    expect(said).not.toContain("canary");
    expect(readdirSync(join(top, "config")).filter((name) => name.includes("understudy-new"))).toEqual([]);
  });
});
