import { describe, expect, test } from "vitest";
import { onPath } from "../../../scripts/toolchain/command.ts";
import { renderProblem, SetUpProblem } from "../../../scripts/toolchain/problem.ts";
import { Progress, renderStatus, seconds } from "../../../scripts/toolchain/progress.ts";
import { remainsOf } from "../../../scripts/toolchain/remains.ts";
import { takeStack, withoutUnusedSalt } from "../../../scripts/toolchain/stack.ts";
import { countTests, listFailures, renderCounts } from "../../../scripts/toolchain/testCounts.ts";

describe("the last line of npm test", () => {
  test("counts what vitest reports", () => {
    const report = JSON.stringify({
      numPassedTests: 5,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
    });
    expect(renderCounts(countTests(report))).toBe("5 passed, 1 failed, 3 skipped");
  });

  test("counts a file that could not be loaded, or whose hooks failed, as a failure", () => {
    const testResults = [
      { status: "failed", assertionResults: [] },
      { status: "failed", assertionResults: [{ status: "skipped" }] },
      { status: "failed", assertionResults: [{ status: "failed" }] },
      { status: "passed", assertionResults: [{ status: "passed" }] },
    ];
    const report = JSON.stringify({ numPassedTests: 1, numFailedTests: 1, testResults });
    expect(renderCounts(countTests(report))).toBe("1 passed, 3 failed");
  });

  test("is of nothing where there is no report", () => {
    expect(renderCounts(countTests(undefined))).toBe("0 passed, 0 failed");
  });
});

describe("what failed", () => {
  test("is listed with its file and the first line of its reason", () => {
    const testResults = [
      {
        name: "/root/test/a.test.ts",
        status: "failed",
        message: "no such module\n  at x",
        assertionResults: [],
      },
      {
        name: "/root/test/b.test.ts",
        status: "failed",
        assertionResults: [
          { fullName: "it holds", status: "passed" },
          { fullName: "it breaks", status: "failed", failureMessages: ["expected 1\nto be 2"] },
          { fullName: "it talks", status: "failed", failureMessages: ["x".repeat(300)] },
        ],
      },
      { name: "/root/test/c.test.ts", status: "passed", assertionResults: [] },
    ];
    expect(listFailures(JSON.stringify({ testResults }), "/root")).toEqual([
      "failed: test/a.test.ts: no such module",
      "failed: test/b.test.ts > it breaks: expected 1",
      `failed: test/b.test.ts > it talks: ${"x".repeat(200)}…`,
    ]);
    expect(listFailures(undefined, "/root")).toEqual([]);
  });
});

describe("the stack of a command", () => {
  test.each([
    [[], "demo", []],
    [["--stack", "x", "--diff"], "x", ["--diff"]],
    [["-s", "x"], "x", []],
    [["--diff", "--stack=x"], "x", ["--diff"]],
  ])("%j", (args, stack, rest) => {
    expect(takeStack(args)).toEqual({ stack, rest });
  });

  test("must have a name", () => {
    expect(() => takeStack(["--stack"])).toThrow(SetUpProblem);
  });
});

describe("a salt in a stack file", () => {
  const plain = "# a comment\nconfig:\n  understudy:active: site-a\n";
  test("goes when nothing is encrypted with it", () => {
    expect(withoutUnusedSalt(`${plain}encryptionsalt: v1:a=:v1:b:c==\n`)).toBe(plain);
    expect(withoutUnusedSalt(plain)).toBe(plain);
  });
  test("stays when something is", () => {
    const encrypted = `${plain}  understudy:caPrivateKey:\n    secure: v1:x\nencryptionsalt: v1:a\n`;
    expect(withoutUnusedSalt(encrypted)).toBe(encrypted);
  });
});

describe("what a stack has on Docker hosts", () => {
  const label = (value: string) => ({ inputs: { labels: [{ label: "understudy.deployment", value }] } });
  const exported = (...resources: object[]) => JSON.stringify({ deployment: { resources } });
  test("is found by label, on the hosts of its providers", () => {
    const provider = { type: "pulumi:providers:docker", inputs: { host: "ssh://a" } };
    expect(remainsOf(exported(label("x"), label("x"), provider, { inputs: { labels: "unknown" } }))).toEqual([
      { deployment: "x", dockerHost: "ssh://a" },
    ]);
  });
  test("is on the default host where no provider says otherwise, and nothing for an empty stack", () => {
    expect(remainsOf(exported(label("x")))).toEqual([{ deployment: "x", dockerHost: undefined }]);
    expect(remainsOf("{}")).toEqual([]);
  });
});

describe("what set-up says", () => {
  test("times are short", () => {
    expect([seconds(40), seconds(1_240), seconds(161_300)]).toEqual(["0.0 s", "1.2 s", "161 s"]);
    expect(
      renderStatus([
        { label: "a", ms: 3_000 },
        { label: "b", ms: 20_000 },
      ]),
    ).toBe("… a (3.0 s) · b (20 s)");
  });

  test("quiet leaves out what was found and never what was done", () => {
    const said: string[] = [];
    const output = { write: (text: string) => said.push(text) };
    const quiet = new Progress({ quiet: true, output });
    quiet.found("found");
    quiet.done("done");
    expect(said).toEqual(["done\n"]);
  });

  test("a problem has its advice under it and no trace", () => {
    expect(renderProblem(new SetUpProblem("No engine.", "Install it."))).toBe("No engine.\n  Install it.");
  });
});

test("a program is found on the PATH, and a folder of that name is not one", () => {
  expect(onPath("sh", "/nowhere:/bin")).toBe("/bin/sh");
  expect(onPath("no-such-program")).toBeUndefined();
});
