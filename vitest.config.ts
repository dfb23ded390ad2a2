import { defineConfig } from "vitest/config";
import { TAGS } from "./test/requirements/index.js";

export default defineConfig({
  test: {
    tags: TAGS,
    projects: [
      { test: { name: "unit", include: ["test/{unit,package}/**/*.test.ts"] } },
      {
        test: {
          name: "whole",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{unit,package}/**"],
          globalSetup: "test/support/brokers.ts",
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxConcurrency: 20, // the tests of one file that wait for time, not for the processor
        },
      },
    ],
  },
});
