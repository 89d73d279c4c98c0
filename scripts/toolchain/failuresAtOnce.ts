/** A reporter of vitest's: why a test failed, as soon as it has. A long run that is cut off would otherwise never say. */
import type { Reporter, TestCase } from "vitest/node";

export default class FailuresAtOnce implements Reporter {
  onTestCaseResult(test: TestCase): void {
    for (const { message, stacks = [] } of test.result().errors ?? []) {
      const [at] = stacks;
      const place = at ? ` (${test.module.relativeModuleId}, at ${at.file}:${at.line})` : "";
      process.stdout.write(`failed: ${test.fullName}${place}\n${message}\n`);
    }
  }
}
