import { relative } from "node:path";

/** What a test run came to, from vitest's own report. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Report {
  readonly numPassedTests?: number;
  readonly numFailedTests?: number;
  readonly numPendingTests?: number;
  readonly numTodoTests?: number;
  readonly testResults?: readonly FileResult[];
}

interface FileResult {
  readonly name?: string;
  readonly status?: string;
  /** Of a file that could not be loaded, or whose hooks failed. */
  readonly message?: string;
  readonly assertionResults?: readonly TestResult[];
}

interface TestResult {
  readonly fullName?: string;
  readonly status?: string;
  readonly failureMessages?: readonly string[];
}

/** A reason is said in a line; vitest's own report, further up, has all of it. */
const REASON_LENGTH = 200;

/** A file that could not be loaded, or whose hooks failed, has no test that failed; it counts as one. */
export function countTests(report: string | undefined): Counts {
  if (report === undefined) return { passed: 0, failed: 0, skipped: 0 };
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    numPendingTests = 0,
    numTodoTests = 0,
    testResults = [],
  } = JSON.parse(report) as Report;
  return {
    passed: numPassedTests,
    failed: numFailedTests + testResults.filter(isBroken).length,
    skipped: numPendingTests + numTodoTests,
  };
}

/**
 * A line for each that failed, with its file's path from `root`: long runs print so much that vitest's own list of them
 * is soon out of sight.
 */
export function listFailures(report: string | undefined, root: string): readonly string[] {
  if (report === undefined) return [];
  const { testResults = [] } = JSON.parse(report) as Report;
  return testResults.flatMap((file) => {
    const path = relative(root, file.name ?? root);
    return isBroken(file)
      ? [`failed: ${path}: ${firstLine(file.message)}`]
      : failedTests(file).map(
          ({ fullName, failureMessages }) =>
            `failed: ${path} > ${fullName}: ${firstLine(failureMessages?.[0])}`,
        );
  });
}

/** `N passed, M failed`, and `, K skipped` if there are any: the last line of `npm test`. */
export function renderCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function isBroken(file: FileResult): boolean {
  return file.status === "failed" && failedTests(file).length === 0;
}

function failedTests({ assertionResults = [] }: FileResult): readonly TestResult[] {
  return assertionResults.filter(({ status }) => status === "failed");
}

function firstLine(message = ""): string {
  const line = message.trim().split("\n", 1)[0] ?? "";
  return line.length > REASON_LENGTH ? `${line.slice(0, REASON_LENGTH)}…` : line;
}
