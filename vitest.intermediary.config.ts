import { defineConfig } from "vitest/config";
import { TAGS } from "./test/requirements/index.js";
import { LIMITS, resolve, suites } from "./vitest.config.js";

/** The suites over every bed, over the intermediaries of OSLO_MESSAGING_TEST_URL: `npm run test:intermediary`. */
export default defineConfig({
  resolve,
  test: {
    tags: TAGS,
    include: suites((text) => text.includes("overEveryBed(")),
    reporters: "verbose", // names what is skipped, and why
    globalSetup: "test/fixtures/beds/external-intermediaries.ts",
    ...LIMITS,
  },
});
