import { writeFileSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule } from "vitest/node";

/**
 * Writes what became of the tests, as one line "N passed, N failed", to the file that TEST_SUMMARY_FILE names. What did
 * not pass has failed: a test that was skipped, a file that could not be loaded, a hook, an error that nobody caught.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const groups = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const broken = groups.filter((group) => group.errors().length > 0).length;
    const failed = tests.length - passed + broken + unhandled.length;
    for (const test of tests.filter((test) => test.result().state === "skipped")) {
      process.stderr.write(`skipped, which counts as failed: ${test.fullName}\n`);
    }
    const file = process.env["TEST_SUMMARY_FILE"];
    if (file === undefined) throw new Error("TEST_SUMMARY_FILE is not set: this reporter is for scripts/test.sh");
    writeFileSync(file, `${passed} passed, ${failed} failed\n`);
    if (failed > 0) process.exitCode = 1;
  }
}
