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

/** Waits for minutes, in which another file runs. */
const PATIENT = "test/browser/hidden-tab.test.ts";

export default defineConfig({
  test: {
    tags: TAGS,
    maxWorkers: 2,
    projects: [
      { resolve, test: { name: "patient", include: [PATIENT] } }, // the first by its name, and so beside all others
      { resolve, test: { name: "unit", include: ["test/{unit,package}/**/*.test.ts"] } },
      {
        resolve,
        test: {
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{unit,package}/**", PATIENT],
          globalSetup: "test/fixtures/beds/brokers.ts",
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxConcurrency: 20, // the tests of one file that wait for time, not for the processor
        },
      },
    ],
  },
});
