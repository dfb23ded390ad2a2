import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { writeTrimmedRhea } from "./scripts/rhea.mjs";
import { TAGS } from "./test/requirements/index.js";

/** `@/` is this folder, as in tsconfig.json. The sources run on the rhea that is in the bundles. */
export const resolve = {
  alias: {
    "@": import.meta.dirname,
    "rhea/lib/connection.js": await writeTrimmedRhea(join(import.meta.dirname, ".cache/rhea/connection.mjs")),
  },
};

/** The time limits of tests that start processes or wait for connections, and the number of tests of a file at a time. */
export const LIMITS = { testTimeout: 30_000, hookTimeout: 60_000, maxConcurrency: 20 };

/** Most of these tests need milliseconds. The limit is for the few that need seconds, on a busy machine or with coverage. */
export const UNIT = {
  resolve,
  test: { name: "unit", include: ["test/{unit,package}/**/*.test.ts"], testTimeout: 20_000 },
};

/** The files of test/suites whose text meets a condition. */
export function suites(condition: (text: string) => boolean): string[] {
  const folder = "test/suites";
  const paths = readdirSync(folder).map((name) => join(folder, name));
  return paths.filter((path) => path.endsWith(".test.ts") && condition(readFileSync(path, "utf8")));
}

/** Waits for minutes; another file runs meanwhile. */
const PATIENT = "test/browser/hidden-tab.test.ts";

export default defineConfig({
  test: {
    tags: TAGS,
    maxWorkers: 2,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      reporter: ["text-summary", "html"],
      reportsDirectory: ".cache/coverage",
    },
    projects: [
      { resolve, test: { name: "patient", include: [PATIENT], ...LIMITS } }, // the first by its name, and so beside all others
      UNIT,
      {
        resolve,
        test: {
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{unit,package}/**", PATIENT],
          globalSetup: "test/fixtures/beds/brokers-setup.ts",
          ...LIMITS,
        },
      },
    ],
  },
});
