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
  readonly testResults?: readonly { status?: string; assertionResults?: readonly unknown[] }[];
}

/** A file that could not even be loaded has no test that failed; it counts as one. */
export function countTests(report: string | undefined): Counts {
  if (report === undefined) return { passed: 0, failed: 0, skipped: 0 };
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    numPendingTests = 0,
    numTodoTests = 0,
    testResults = [],
  } = JSON.parse(report) as Report;
  const broken = testResults.filter(
    (file) => file.status === "failed" && (file.assertionResults ?? []).length === 0,
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests,
  };
}

/** `N passed, M failed`, and `, K skipped` if there are any: the last line of `npm test`. */
export function renderCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
