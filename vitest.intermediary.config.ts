import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { TAGS } from "./test/requirements/index.js";
import { resolve } from "./vitest.config.js";

const suites = "test/suites";

/** The suites over every bed, over the intermediaries of OSLO_MESSAGING_TEST_URL: `npm run test:intermediary`. */
export default defineConfig({
  resolve,
  test: {
    tags: TAGS,
    include: readdirSync(suites)
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => join(suites, name))
      .filter((path) => readFileSync(path, "utf8").includes("overEveryBed(")),
    reporters: "verbose", // names what is skipped, and why
    globalSetup: "test/fixtures/beds/foreign-intermediaries.ts",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxConcurrency: 20,
  },
});
